//! What the benches work on: arrays of the network 784-256-128-10, with vectors like those that it meets on MNIST.

#![allow(dead_code)] // each bench takes what it needs

use tikitaka::crossbar::{Array, Crossbar, Periphery, Setup, Visible};
use tikitaka::device::{DeviceSettings, SoftBounds, SoftBoundsDevice};
use tikitaka::random::{Operation, Stream};

/// The arrays of the network, (outputs, inputs with the bias).
pub(crate) const SHAPES: [(usize, usize); 3] = [(256, 785), (128, 257), (10, 129)];

/// Share of MNIST's pixels that are not zero.
const DENSITY: f32 = 0.19;

/// Uniform numbers in [low, high); each `seed` has its own.
pub(crate) fn uniforms(seed: u64, n: usize, low: f32, high: f32) -> Vec<f32> {
    let mut values = vec![0.0; n];
    Stream::new(seed, 0, Operation::Numbers, 0).uniforms(0, &mut values);
    values.iter_mut().for_each(|v| *v = low + (high - low) * *v);
    values
}

/// An image as sparse as MNIST's: the shares below [`DENSITY`] are lit, and spread over 0 to 1.
pub(crate) fn image(seed: u64) -> Vec<f32> {
    uniforms(seed, 784, 0.0, 1.0).iter().map(|u| if *u < DENSITY { u / DENSITY } else { 0.0 }).collect()
}

/// An image for the first layer, activations for the others; the 1 of the bias last.
pub(crate) fn input(cols: usize, seed: u64) -> Vec<f32> {
    let mut x = if cols == 785 { image(seed) } else { uniforms(seed, cols - 1, 0.3, 0.7) };
    x.push(1.0);
    x
}

/// An error signal of the size met early in training, where TTv2 sends 50 to 300 pulses an array on 20-state devices.
pub(crate) fn error_signal(rows: usize, seed: u64) -> Vec<f32> {
    let most = match rows {
        256 => 0.0033,
        128 => 0.02,
        _ => 0.35,
    };
    uniforms(seed, rows, -most, most)
}

/// A soft-bounds array, its weights well inside their bounds.
pub(crate) fn array((rows, cols): (usize, usize), states: f64, periphery: Periphery) -> Crossbar<SoftBoundsDevice> {
    let device = SoftBounds { states: Some(states), ..SoftBounds::default() }.build().expect("valid settings");
    let setup = Setup { periphery, seed: 1, ..Setup::default() };
    let mut array = Crossbar::new(rows, cols, device, &setup).expect("valid settings");
    array.set_weights(&uniforms(2, rows * cols, -0.1, 0.1)).expect("fits");
    array
}

/// Pulsed updates of one array, over and over the same vectors: x with errors of either sign.
pub(crate) struct Updates {
    pub(crate) array: Crossbar<SoftBoundsDevice>,
    vectors: Vec<(Vec<f32>, Vec<f32>)>,
    next: usize,
}

impl Updates {
    /// lr_A of the benches.
    const LR: f32 = 0.1;

    pub(crate) fn new(shape: (usize, usize), states: f64) -> Self {
        let vectors = (0..64).map(|k| (input(shape.1, k), error_signal(shape.0, 100 + k))).collect();
        Self { array: array(shape, states, Periphery::default()), vectors, next: 0 }
    }

    pub(crate) fn step(&mut self) {
        let (x, delta) = &self.vectors[self.next];
        self.next = (self.next + 1) % self.vectors.len();
        self.array.update(x, delta, Self::LR).expect("fits");
    }

    /// Once through the vectors; returns the pulses sent.
    pub(crate) fn pass(&mut self) -> u64 {
        let before = self.array.counts().pulses;
        (0..self.vectors.len()).for_each(|_| self.step());
        self.array.counts().pulses - before
    }
}
