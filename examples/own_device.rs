//! Your own device model, outside the crate: steps that shrink exponentially, with noise that depends on the weight.
//!
//! ```text
//! up:    w ← w + δ₊ e^(−κw) (1 + σ(w) ξ)
//! down:  w ← w − δ₋ e^(+κw) (1 + σ(w) ξ)     σ(w) = σ₀ (1 + |w|/b), then clamped to ±b
//! ```
//!
//! Up and down steps cancel where δ₊ e^(−κw) = δ₋ e^(κw), so at w* = ln(δ₊/δ₋) / 2κ. The example measures that point,
//! finds it again by zero-shifting an array, and trains a network by TTv2 on such devices.
//!
//! cargo run --release --example own_device

#![allow(clippy::print_stdout)]

use tikitaka::crossbar::{Array, Crossbar, Inspect, Reference, ReferenceMethod, Setup};
use tikitaka::device::{Device, NORMALS};
use tikitaka::network::{LayerConfig, Network, Targets, TrainOptions};
use tikitaka::random::{Operation, Stream};
use tikitaka::rule::{TransferRule, Ttv2};
use tikitaka::{Result, Workers};

/// The model: what all devices share.
#[derive(Clone, Debug)]
struct ExponentialStep {
    /// δ: mean step at w = 0.
    step: f32,
    /// b: bound.
    bound: f32,
    /// κ: how fast steps shrink, per unit of weight.
    curvature: f32,
    /// σ₀: noise of a step at w = 0, in steps.
    noise: f32,
    /// Spread of ln(δ₊/δ₋) between devices.
    asymmetry: f32,
}

/// One device.
#[derive(Clone, Copy, Debug)]
struct Steps {
    up: f32,
    down: f32,
}

impl Device for ExponentialStep {
    type Point = Steps;

    fn sample(&self, xi: &[f32; NORMALS]) -> Steps {
        let half = (0.5 * self.asymmetry * xi[0]).exp();
        Steps { up: self.step * half, down: self.step / half }
    }

    #[inline(always)]
    fn pulse(&self, device: &Steps, w: f32, up: bool, xi: f32) -> f32 {
        let step = if up { device.up * (-self.curvature * w).exp() } else { -device.down * (self.curvature * w).exp() };
        let noise = self.noise * (1.0 + w.abs() / self.bound);
        (w + step * (1.0 + noise * xi)).clamp(-self.bound, self.bound)
    }

    fn symmetry_point(&self, device: &Steps) -> f32 {
        ((device.up / device.down).ln() / (2.0 * self.curvature)).clamp(-self.bound, self.bound)
    }

    fn bounds(&self, _device: &Steps) -> (f32, f32) {
        (-self.bound, self.bound)
    }

    fn weight_step(&self) -> f32 {
        self.step
    }

    fn noisy(&self) -> bool {
        self.noise > 0.0
    }

    fn parameters(&self, device: &Steps) -> Vec<(&'static str, f32)> {
        vec![("up_step", device.up), ("down_step", device.down)]
    }
}

const MODEL: ExponentialStep = ExponentialStep { step: 0.01, bound: 1.0, curvature: 1.5, noise: 0.3, asymmetry: 0.4 };

/// Mean and standard error of the sum of an up and a down step at the symmetry point of `device`, over `n` pairs.
fn drift_at_symmetry(device: &Steps, n: usize) -> (f64, f64) {
    let mut xi = vec![0.0; 2 * n];
    Stream::new(1, 0, Operation::Numbers, 0).normals(0, &mut xi);
    let w = MODEL.symmetry_point(device);
    let pulse = |up, xi| f64::from(MODEL.pulse(device, w, up, xi) - w);
    let sums: Vec<f64> = xi.as_chunks::<2>().0.iter().map(|&[a, b]| pulse(true, a) + pulse(false, b)).collect();
    let mean = sums.iter().sum::<f64>() / n as f64;
    let variance = sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / n as f64;
    (mean, (variance / n as f64).sqrt())
}

/// The root mean square distance, in steps, between the symmetry points and where zero-shifting leaves the devices.
fn zero_shift_error() -> Result<f32> {
    let mut array = Crossbar::new(20, 30, MODEL, &Setup { seed: 2, ..Setup::default() })?;
    array.zero_shift(2000)?;
    let errors = array.reference().into_iter().zip(array.symmetry_points()).map(|(found, exact)| found - exact);
    Ok((errors.map(|error| error * error).sum::<f32>() / 600.0).sqrt() / MODEL.step)
}

/// Errors of a network that learned by TTv2 on such devices whether the sum of eight normals is positive, on 500 others.
fn train() -> Result<u64> {
    let layers = [LayerConfig::linear(8, 6), LayerConfig::Tanh, LayerConfig::linear(6, 2)];
    let mut network = Network::builder().layers(&layers).seed(7).build_with(&mut |at| {
        let array = |number: u64, method: ReferenceMethod| -> Result<Box<dyn Array>> {
            let setup = Setup { seed: at.seed, array: 2 * at.layer + number, ..Setup::default() };
            let mut array = Crossbar::new(at.rows, at.cols, MODEL, &setup)?;
            array.refer(&Reference { method, ..Reference::default() })?;
            Ok(Box::new(array))
        };
        let (a, mut c) = (array(0, ReferenceMethod::Ideal)?, array(1, ReferenceMethod::None)?);
        c.set_weights(at.weights)?;
        Ok(Box::new(TransferRule::new(
            vec![a],
            c,
            &Ttv2 { fast_lr: Some(0.2), transfer_lr: Some(1.0), ..Ttv2::default() },
        )?))
    })?;
    let mut x = vec![0.0; 8 * 1500];
    Stream::new(3, 0, Operation::Numbers, 0).normals(0, &mut x);
    let classes: Vec<u32> = x.as_chunks::<8>().0.iter().map(|x| u32::from(x.iter().sum::<f32>() > 0.0)).collect();
    let training = 1000;
    let workers = Workers::default();
    for _ in 0..20 {
        network.train(&x[..8 * training], Targets::Classes(&classes[..training]), TrainOptions::default(), &workers)?;
    }
    Ok(network.evaluate(&x[8 * training..], Targets::Classes(&classes[training..]), 0, &workers)?.errors)
}

fn main() -> Result<()> {
    let device = MODEL.sample(&[1.0; NORMALS]);
    let (mean, error) = drift_at_symmetry(&device, 100_000);
    println!("up and down steps at the symmetry point {:.3}: {mean:.1e} ± {error:.1e}", MODEL.symmetry_point(&device));
    println!("zero-shifting ends {:.1} steps from it (root mean square)", zero_shift_error()?);
    println!("TTv2 on such devices: {} of 500 test examples wrong", train()?);
    Ok(())
}

#[test]
fn up_and_down_steps_cancel_at_the_symmetry_point() {
    for xi in [-1.5, 0.0, 1.0] {
        let (mean, error) = drift_at_symmetry(&MODEL.sample(&[xi; NORMALS]), 100_000);
        assert!(mean.abs() < 5.0 * error, "{mean} ± {error}");
    }
}

#[test]
fn zero_shifting_finds_it_and_a_network_learns() {
    let error = zero_shift_error().expect("valid settings");
    assert!(error < 5.0, "{error} steps");
    let wrong = train().expect("valid settings");
    assert!(wrong < 50, "{wrong} of 500");
}
