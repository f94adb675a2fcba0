//! `cargo bench --bench batches`: products and exact updates of mini-batches of dense vectors.
//!
//! An item is a thousand multiply-adds. `benches/kernels.py` prints nanoseconds per item.

mod work;

use divan::{Bencher, black_box, counter::ItemsCount};
use tikitaka::Workers;
use tikitaka::crossbar::{ExactWeights, Visible};
use tikitaka::rule::{DigitalSgdRule, Rule};
use work::uniforms;

/// The second layer of 3072-1024-1024-10.
const SIDE: usize = 1024;

#[allow(clippy::print_stdout)]
fn main() {
    println!("SIMD path: {:?}", tikitaka::simd::path());
    divan::main();
}

fn weights() -> ExactWeights {
    ExactWeights::new(SIDE, SIDE, &uniforms(2, SIDE * SIDE, -0.1, 0.1)).expect("as many weights")
}

fn thousands(batch: usize) -> ItemsCount {
    ItemsCount::new(SIDE * SIDE * batch / 1000)
}

/// Y = X Wᵀ.
#[divan::bench(args = [1, 8, 32, 128])]
fn forward_batch(bencher: Bencher<'_, '_>, batch: usize) {
    let (mut weights, x, workers) = (weights(), uniforms(1, batch * SIDE, 0.1, 1.0), Workers::default());
    let mut y = vec![0.0; batch * SIDE];
    bencher.counter(thousands(batch)).bench_local(|| {
        weights.forward(black_box(&x), black_box(&mut y), &workers).expect("fits");
    });
}

/// Z = D W.
#[divan::bench(args = [1, 8, 32, 128])]
fn backward_batch(bencher: Bencher<'_, '_>, batch: usize) {
    let (mut weights, delta, workers) = (weights(), uniforms(1, batch * SIDE, -0.1, 0.1), Workers::default());
    let mut z = vec![0.0; batch * SIDE];
    bencher.counter(thousands(batch)).bench_local(|| {
        weights.backward(black_box(&delta), black_box(&mut z), &workers).expect("fits");
    });
}

/// W ← W − η Dᵀ X.
#[divan::bench(args = [1, 8, 32, 128])]
fn float_update_batch(bencher: Bencher<'_, '_>, batch: usize) {
    let mut rule = DigitalSgdRule::new(weights(), 1e-9);
    let (x, delta) = (uniforms(1, batch * SIDE, 0.1, 1.0), uniforms(3, batch * SIDE, -0.1, 0.1));
    let workers = Workers::default();
    bencher.counter(thousands(batch)).bench_local(|| {
        rule.update(black_box(&x), black_box(&delta), 1.0, &workers).expect("fits");
    });
}
