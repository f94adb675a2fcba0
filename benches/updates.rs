//! `cargo bench --bench updates`: pulsed updates, reads and pulses of single lines, and the float rule beside them.
//!
//! An item is a pulse, a value read, or a step of the float rule. `benches/kernels.py` prints nanoseconds per item.

mod work;

use divan::{Bencher, black_box, counter::ItemsCount};
use tikitaka::Workers;
use tikitaka::crossbar::{Array, ExactWeights, Line, Periphery};
use tikitaka::rule::{DigitalSgdRule, Rule};
use work::{SHAPES, Updates, array, error_signal, input, uniforms};

#[allow(clippy::print_stdout)]
fn main() {
    println!("SIMD path: {:?}", tikitaka::simd::path());
    divan::main();
}

/// Whole updates: trains, coincidences, noise and steps. A pass over many vectors sends much the same number of pulses
/// each time, so those of one pass count for all.
fn update(bencher: Bencher<'_, '_>, shape: (usize, usize), states: f64) {
    let mut updates = Updates::new(shape, states);
    let pulses = updates.pass();
    bencher.counter(ItemsCount::new(pulses)).bench_local(|| updates.pass());
}

#[divan::bench(args = SHAPES)]
fn update_20_states(bencher: Bencher<'_, '_>, shape: (usize, usize)) {
    update(bencher, shape, 20.0);
}

#[divan::bench(args = SHAPES)]
fn update_1200_states(bencher: Bencher<'_, '_>, shape: (usize, usize)) {
    update(bencher, shape, 1200.0);
}

/// A column of the first array, as a transfer of TTv2 reads it.
fn read_line(bencher: Bencher<'_, '_>, periphery: Periphery) {
    let (rows, cols) = SHAPES[0];
    let (mut array, mut v, mut k) = (array((rows, cols), 20.0, periphery), vec![0.0; rows], 0);
    bencher.counter(ItemsCount::new(rows)).bench_local(|| {
        k = (k + 1) % cols;
        array.read_line(Line::Column(k), black_box(&mut v)).expect("a line of the array");
    });
}

#[divan::bench]
fn read_line_exact(bencher: Bencher<'_, '_>) {
    read_line(bencher, Periphery::default());
}

#[divan::bench]
fn read_line_full(bencher: Bencher<'_, '_>) {
    read_line(bencher, Periphery::full(0.06));
}

/// Pulses to every n-th device of a column; TTv2 seldom sends more than a few to a line.
#[divan::bench(args = [256, 16, 1])]
fn pulse_line_every(bencher: Bencher<'_, '_>, n: usize) {
    let (rows, cols) = SHAPES[0];
    let counts: Vec<i32> = (0..rows).map(|i| if i % n > 0 { 0 } else { 1 - 2 * (i / n % 2) as i32 }).collect();
    let (mut array, mut k) = (array((rows, cols), 20.0, Periphery::default()), 0);
    bencher.counter(ItemsCount::new(rows / n)).bench_local(|| {
        k = (k + 1) % cols;
        array.pulse_line(Line::Column(k), black_box(&counts)).expect("a line of the array");
    });
}

/// Forward, backward and update of one sample in exact arithmetic.
#[divan::bench(args = SHAPES)]
fn float_step(bencher: Bencher<'_, '_>, (rows, cols): (usize, usize)) {
    let weights = uniforms(2, rows * cols, -0.1, 0.1);
    let mut rule = DigitalSgdRule::new(ExactWeights::new(rows, cols, &weights).expect("as many weights"), 1e-6);
    let (x, delta) = (input(cols, 1), error_signal(rows, 1));
    let (mut y, mut z) = (vec![0.0; rows], vec![0.0; cols]);
    let workers = Workers::default();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        rule.visible_mut().forward(black_box(&x), black_box(&mut y), &workers).expect("fits");
        rule.visible_mut().backward(black_box(&delta), black_box(&mut z), &workers).expect("fits");
        rule.update(black_box(&x), black_box(&delta), 1.0, &workers).expect("fits");
    });
}
