//! `cargo bench`: the cost of the random streams against well-kept alternatives.
use divan::{Bencher, black_box, counter::ItemsCount};
use rand::{SeedableRng, rngs::SmallRng};
use rand_distr::{Distribution, StandardNormal};
use tikitaka::random::{Operation, Stream};

fn main() {
    divan::main();
}

#[divan::bench(args = [64, 1024, 16384])]
fn normals_philox(bencher: Bencher<'_, '_>, n: usize) {
    let mut out = vec![0.0; n];
    let mut step = 0;
    bencher.counter(ItemsCount::new(n)).bench_local(|| {
        step += 1;
        Stream::new(1, 2, Operation::Update, step).normals(0, black_box(&mut out));
    });
}

#[divan::bench(args = [64, 1024, 16384])]
fn normals_ziggurat(bencher: Bencher<'_, '_>, n: usize) {
    let mut out = vec![0.0_f32; n];
    let mut rng = SmallRng::seed_from_u64(1);
    bencher.counter(ItemsCount::new(n)).bench_local(|| {
        for v in black_box(&mut out) {
            *v = StandardNormal.sample(&mut rng);
        }
    });
}

#[divan::bench(args = [1024, 16384])]
fn words_philox(bencher: Bencher<'_, '_>, n: usize) {
    let mut out = vec![0; n];
    let mut step = 0;
    bencher.counter(ItemsCount::new(n)).bench_local(|| {
        step += 1;
        Stream::new(1, 2, Operation::Update, step).words(0, black_box(&mut out));
    });
}
