//! `instructions CASE N` does N operations of a case and prints how many items they came to.
//!
//! Run by `benches/instructions.py` under valgrind, which counts instructions; the same N does the same work each time.

mod work;

use std::hint::black_box;
use tikitaka::Workers;
use tikitaka::crossbar::{Array, Line, Periphery, Visible};
use tikitaka::device::{DeviceConfig, SoftBounds};
use tikitaka::network::{LayerConfig, Loss, Network, Targets, TrainOptions};
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{AnalogSgd, DigitalSgd, RuleConfig, Ttv2};
use work::{SHAPES, Updates, array, error_signal, image, input};

const IMAGES: usize = 32;

#[allow(clippy::print_stdout)]
fn main() {
    let arguments: Vec<String> = std::env::args().filter(|argument| argument != "--bench").collect();
    let [_, case, n] = arguments.as_slice() else {
        println!("usage: instructions CASE N (see benches/instructions.py)");
        return;
    };
    let items = run(case, n.parse().expect("N is a number"));
    println!("SIMD path: {:?}", tikitaka::simd::path());
    println!("items: {items}");
}

fn run(case: &str, n: u64) -> u64 {
    match case {
        "normal" => {
            let mut out = [0.0; 1024];
            (0..n).for_each(|k| Stream::new(1, 2, Operation::Update, k).normals(0, black_box(&mut out)));
            n * out.len() as u64
        }
        "forward, exact" => forward(Periphery::default(), n),
        "forward, full" => forward(Periphery::full(0.06), n),
        "backward, exact" => backward(Periphery::default(), n),
        "backward, full" => backward(Periphery::full(0.06), n),
        "read of a line, full" => {
            let (rows, cols) = SHAPES[0];
            let (mut array, mut v) = (array((rows, cols), 20.0, Periphery::full(0.06)), vec![0.0; rows]);
            (0..n as usize).for_each(|k| array.read_line(Line::Column(k % cols), &mut v).expect("a line"));
            n
        }
        "pulse, 256×785, 20 states" => pulses(SHAPES[0], 20.0, n),
        "pulse, 256×785, 1200 states" => pulses(SHAPES[0], 1200.0, n),
        "pulse, 128×257, 20 states" => pulses(SHAPES[1], 20.0, n),
        "pulse, 128×257, 1200 states" => pulses(SHAPES[1], 1200.0, n),
        "pulse, 10×129, 20 states" => pulses(SHAPES[2], 20.0, n),
        "pulse, 10×129, 1200 states" => pulses(SHAPES[2], 1200.0, n),
        "sample, float" => samples(&RuleConfig::DigitalSgd(DigitalSgd { lr: 0.01 }), n),
        "sample, sgd, 20 states" => samples(&sgd(20.0), n),
        "sample, sgd, 1200 states" => samples(&sgd(1200.0), n),
        "sample, ttv2, 20 states" => samples(&ttv2(20.0, Periphery::default()), n),
        "sample, ttv2, 20 states, full" => samples(&ttv2(20.0, Periphery::full(0.06)), n),
        "sample, ttv2, 1200 states" => samples(&ttv2(1200.0, Periphery::default()), n),
        _ => panic!("no case {case:?}"),
    }
}

/// Products of the first array with an image.
fn forward(periphery: Periphery, n: u64) -> u64 {
    let (rows, cols) = SHAPES[0];
    let (mut array, x, mut y) = (array((rows, cols), 20.0, periphery), input(cols, 1), vec![0.0; rows]);
    (0..n).for_each(|_| array.forward(black_box(&x), &mut y, &Workers::default()).expect("fits"));
    n
}

/// Transposed products of the second array.
fn backward(periphery: Periphery, n: u64) -> u64 {
    let (rows, cols) = SHAPES[1];
    let (mut array, delta, mut z) = (array((rows, cols), 20.0, periphery), error_signal(rows, 1), vec![0.0; cols]);
    (0..n).for_each(|_| array.backward(black_box(&delta), &mut z, &Workers::default()).expect("fits"));
    n
}

/// Pulses of n updates of an array.
fn pulses(shape: (usize, usize), states: f64, n: u64) -> u64 {
    let mut updates = Updates::new(shape, states);
    (0..n).for_each(|_| updates.step());
    updates.array.counts().pulses
}

/// Training of the whole network, batch 1.
fn samples(rule: &RuleConfig, n: u64) -> u64 {
    let linear = LayerConfig::linear;
    let layers = [linear(784, 256), LayerConfig::Sigmoid, linear(256, 128), LayerConfig::Sigmoid, linear(128, 10)];
    let mut network = Network::new(&layers, rule, Loss::CrossEntropy, 1).expect("valid settings");
    let x: Vec<f32> = (0..IMAGES as u64).flat_map(image).collect();
    let classes: Vec<u32> = (0..IMAGES as u32).map(|k| k % 10).collect();
    let order: Vec<u32> = (0..n as u32).map(|k| k % IMAGES as u32).collect();
    let options = TrainOptions { order: Some(&order), ..TrainOptions::default() };
    network.train(&x, Targets::Classes(&classes), options, &Workers::default()).expect("valid data");
    n
}

fn soft_bounds(states: f64) -> DeviceConfig {
    DeviceConfig::SoftBounds(SoftBounds { states: Some(states), ..SoftBounds::default() })
}

fn sgd(states: f64) -> RuleConfig {
    RuleConfig::AnalogSgd(AnalogSgd { lr: 0.01, device: soft_bounds(states), ..AnalogSgd::default() })
}

/// The rates of `benches/common.py`.
fn ttv2(states: f64, periphery: Periphery) -> RuleConfig {
    let transfer_lr = if states > 100.0 { 30.0 } else { 1.0 };
    let device = soft_bounds(states);
    RuleConfig::Ttv2(Ttv2 {
        fast_lr: Some(0.1),
        transfer_lr: Some(transfer_lr),
        transfer_every: 2,
        device,
        periphery,
        ..Ttv2::default()
    })
}
