//! Trains a small network on the bundled digits with TTv2 on 20-state devices; the same training as
//! `examples/digits.py`.
//!
//! cargo run --release --example digits

#![allow(clippy::print_stdout)]

use std::io::Read;
use tikitaka::network::{LayerConfig, Loss, Network, Targets, TrainOptions};
use tikitaka::rule::{RuleConfig, Ttv2};
use tikitaka::{Result, Workers};

/// The values of an IDX file after a header of `header` bytes.
fn idx(compressed: &[u8], header: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(compressed).read_to_end(&mut bytes).expect("the bundled digits are whole");
    bytes.split_off(header)
}

macro_rules! digits {
    ($name:literal, $header:expr) => {
        idx(include_bytes!(concat!("../python/tikitaka/data/bundled/digits/", $name)), $header)
    };
}

/// Test error in percent after `epochs` epochs.
fn train(seed: u64, epochs: u32) -> Result<f64> {
    let pixels = |bytes: Vec<u8>| -> Vec<f32> { bytes.iter().map(|&p| f32::from(p) / 16.0).collect() };
    let classes = |bytes: Vec<u8>| -> Vec<u32> { bytes.iter().map(|&c| u32::from(c)).collect() };
    let (x, y) = (pixels(digits!("train-images-idx3-ubyte.gz", 16)), classes(digits!("train-labels-idx1-ubyte.gz", 8)));
    let (test_x, test_y) =
        (pixels(digits!("t10k-images-idx3-ubyte.gz", 16)), classes(digits!("t10k-labels-idx1-ubyte.gz", 8)));

    let layers = [LayerConfig::linear(64, 64), LayerConfig::Sigmoid, LayerConfig::linear(64, 10)];
    let rule = RuleConfig::Ttv2(Ttv2::default());
    let mut network = Network::new(&layers, &rule, Loss::CrossEntropy, seed)?;
    let workers = Workers::default();
    for epoch in 0..epochs {
        let lr_scale = [1.0, 0.3, 0.09][(3 * epoch / epochs) as usize];
        // Any order will do; this one visits every sample once.
        let n = y.len() as u32;
        let order: Vec<u32> = (0..n).map(|k| (k * 701 + epoch * 97) % n).collect();
        let options = TrainOptions { order: Some(&order), lr_scale, ..TrainOptions::default() };
        network.train(&x, Targets::Classes(&y), options, &workers)?;
    }
    let result = network.evaluate(&test_x, Targets::Classes(&test_y), 0, &workers)?;
    Ok(100.0 * result.errors as f64 / result.samples as f64)
}

fn main() -> Result<()> {
    for seed in 0..3 {
        println!("seed {seed}: TTv2 on 20-state devices, test error {:.1} %", train(seed, 30)?);
    }
    Ok(())
}

#[test]
fn learns_the_digits() {
    let error = train(0, 10).expect("valid settings");
    // tests/exact/test_examples.py expects the same number of digits.py
    assert_eq!((error * 355.0 / 100.0).round(), 25.0);
}
