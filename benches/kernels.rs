//! `cargo bench --bench kernels`: random streams against a well-kept alternative, and the products of an array.
//!
//! An item is a random value, or a product of one vector. `benches/kernels.py` prints nanoseconds per item.

mod work;

use divan::{Bencher, black_box, counter::ItemsCount};
use rand::{SeedableRng, rngs::SmallRng};
use rand_distr::{Distribution, StandardNormal};
use tikitaka::Workers;
use tikitaka::crossbar::{IoSettings, Periphery, Visible};
use tikitaka::random::{Operation, Stream};
use work::{SHAPES, array, error_signal, input, uniforms};

#[allow(clippy::print_stdout)]
fn main() {
    println!("SIMD path: {:?}", tikitaka::simd::path());
    divan::main();
}

#[divan::bench(args = [64, 1024, 16384])]
fn words_philox(bencher: Bencher<'_, '_>, n: usize) {
    let mut out = vec![0; n];
    let mut step = 0;
    bencher.counter(ItemsCount::new(n)).bench_local(|| {
        step += 1;
        Stream::new(1, 2, Operation::Update, step).words(0, black_box(&mut out));
    });
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

/// What others use: the control of the two above.
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

/// The first array of the network: y = W x.
fn forward(bencher: Bencher<'_, '_>, periphery: Periphery, x: &str) {
    let (rows, cols) = SHAPES[0];
    let x = if x == "image" { input(cols, 1) } else { uniforms(1, cols, 0.1, 1.0) };
    let (mut array, mut y) = (array((rows, cols), 20.0, periphery), vec![0.0; rows]);
    let workers = Workers::default();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        array.forward(black_box(&x), black_box(&mut y), &workers).expect("fits");
    });
}

#[divan::bench(args = ["dense", "image"])]
fn forward_exact(bencher: Bencher<'_, '_>, x: &str) {
    forward(bencher, Periphery::default(), x);
}

/// Output noise alone.
#[divan::bench(args = ["dense", "image"])]
fn forward_noisy(bencher: Bencher<'_, '_>, x: &str) {
    let noisy = IoSettings { output_noise: 0.06, ..IoSettings::default() };
    forward(bencher, Periphery { forward: noisy, ..Periphery::default() }, x);
}

/// Converters, noise and managements.
#[divan::bench(args = ["dense", "image"])]
fn forward_full(bencher: Bencher<'_, '_>, x: &str) {
    forward(bencher, Periphery::full(0.06), x);
}

/// z = Wᵀ δ.
fn backward(bencher: Bencher<'_, '_>, periphery: Periphery, (rows, cols): (usize, usize)) {
    let (delta, mut z) = (error_signal(rows, 1), vec![0.0; cols]);
    let mut array = array((rows, cols), 20.0, periphery);
    let workers = Workers::default();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        array.backward(black_box(&delta), black_box(&mut z), &workers).expect("fits");
    });
}

#[divan::bench(args = [SHAPES[0], SHAPES[1]])]
fn backward_exact(bencher: Bencher<'_, '_>, shape: (usize, usize)) {
    backward(bencher, Periphery::default(), shape);
}

#[divan::bench(args = [SHAPES[0], SHAPES[1]])]
fn backward_full(bencher: Bencher<'_, '_>, shape: (usize, usize)) {
    backward(bencher, Periphery::full(0.06), shape);
}

/// What memory gives at best, per KB: compile it with RUSTFLAGS=-Ctarget-cpu=native for registers as wide as the kernels'.
#[divan::bench(args = [16, 128, 800, 4800])]
fn read(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let values = vec![1.0_f32; 256 * kilobytes];
    bencher.counter(ItemsCount::new(kilobytes)).bench_local(|| {
        let mut sums = [0.0; 64];
        for chunk in black_box(&values).as_chunks::<64>().0 {
            sums.iter_mut().zip(chunk).for_each(|(sum, v)| *sum += v);
        }
        sums
    });
}
