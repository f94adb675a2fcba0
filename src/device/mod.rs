//! Device models: what one pulse does to a device at weight w.
//!
//! A model is small: it draws its devices once, answers a pulse, and knows where up and down steps cancel. Write another
//! by implementing [`Device`], as `examples/own_device.rs` does; every array, rule and network then works on it.

mod compact;
mod constant_step;
mod contract;
mod exponential_step;
mod jump_table;
mod linear;
mod linear_step;
mod neurosim;
mod nonlinearity;
mod pair;
mod power_step;
mod presets;
mod soft_bounds;
mod spread;
mod step;
mod step_blocks;
mod step_settings;
mod table;
mod table_step;
mod variation;

pub use compact::{CompactPoint, Constants, PointBlock, ShapedPoint, Units};
pub use constant_step::{ConstantStep, ConstantStepDevice};
pub use contract::check_contract;
pub use exponential_step::{ExponentialResponse, ExponentialStep, ExponentialStepDevice};
pub use jump_table::{JumpResponse, JumpTable, JumpTableDevice};
pub use linear::{FreeSlope, LinearResponse, NoSlope, Slope, SoftSlope};
pub use linear_step::{LinearStep, LinearStepDevice};
pub use neurosim::{NeuroSim, NeuroSimDevice};
pub use nonlinearity::{Nonlinearity, curve_constant, nonlinearity};
pub(crate) use pair::MeanOfPair;
pub use pair::OneSidedPair;
pub use power_step::{PowerResponse, PowerStep, PowerStepDevice};
pub use soft_bounds::{SoftBounds, SoftBoundsDevice};
pub use spread::{Spread, StepDistribution};
pub use step::{CycleNoise, Directed, Response, StepDevice};
pub use table_step::{TableResponse, TableStep, TableStepDevice};
pub use variation::{Differences, Factors, Independent, Joint, NORMALS, Point, Variation};

use crate::error::Result;
use crate::kinds::kinds;
use crate::settings::Settings;
pub use crate::simd::{LANES, Mask};
use std::fmt::Debug;

/// Devices that are pulsed in one direction each.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a, P, M> {
    /// Their constants.
    pub points: &'a [P; LANES],
    /// Those that are pulsed upwards.
    pub up: M,
    /// What is taken off their states.
    pub reference: [f32; LANES],
    /// Their states minus the reference.
    pub weights: [f32; LANES],
}

/// A device model: the physics of one crosspoint.
///
/// Weights are in units of weight, and one standard normal ξ drives each pulse. What arrays rely on:
///
/// - Every function depends on its arguments alone, so that a run repeats bit for bit.
/// - [`pulse`](Device::pulse) keeps a weight that is within [`bounds`](Device::bounds) there, and finite.
/// - Where [`noisy`](Device::noisy) is false, ξ is 0 and nothing may depend on it.
/// - [`pulse_blocks`](Device::pulse_blocks) gives the bits of [`pulse`](Device::pulse); the default does.
///
/// [`check_contract`] checks it when an array is made. Models with a step and a bound in each direction need only a
/// [`Response`]: [`StepDevice`] does the rest, in lanes.
pub trait Device: Debug + Clone + Send + Sync + 'static {
    /// The constants of one device, drawn once. An array keeps one per crosspoint, so make it small.
    type Point: Debug + Copy + Send + Sync + 'static;

    /// Whether [`pulse_blocks`](Device::pulse_blocks) is faster than [`pulse`](Device::pulse) where many devices of a block
    /// get pulses.
    const BLOCKS: bool = false;

    /// Draws a device from independent standard normals ξ₁ … ξ₈, as many of them as it needs; all zero is the mean device.
    fn sample(&self, xi: &[f32; NORMALS]) -> Self::Point;

    /// The mean device.
    fn mean(&self) -> Self::Point {
        self.sample(&[0.0; NORMALS])
    }

    /// The weight after one pulse, up or down, at weight `w` with cycle noise ξ ~ N(0, 1). Mark it `#[inline(always)]`:
    /// it is called for every pulse.
    fn pulse(&self, point: &Self::Point, w: f32, up: bool, xi: f32) -> f32;

    /// The weights of `N` blocks of devices after rounds of pulses: in each round (fires, ξ) of a block, the devices that
    /// fire get one pulse each, device l with the ξ of lane l. Blocks know nothing of each other. The same as
    /// [`pulse`](Device::pulse) device by device, which is the default; override it where a model can answer in lanes.
    #[inline(always)]
    fn pulse_blocks<M: Mask, const N: usize>(
        &self,
        blocks: [Block<'_, Self::Point, M>; N],
        rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    ) -> [[f32; LANES]; N] {
        let mut weights = blocks.map(|block| block.weights);
        for round in rounds {
            for ((w, block), (fires, xi)) in weights.iter_mut().zip(&blocks).zip(round) {
                for l in (0..LANES).filter(|&l| fires.has(l)) {
                    let r = block.reference[l];
                    w[l] = self.pulse(&block.points[l], w[l] + r, block.up.has(l), xi[l]) - r;
                }
            }
        }
        weights
    }

    /// The weight at which an up and a down step cancel on average: the reference that training on asymmetric devices
    /// wants. It is within the bounds.
    fn symmetry_point(&self, point: &Self::Point) -> f32;

    /// The least and the largest weight that the device can hold.
    fn bounds(&self, point: &Self::Point) -> (f32, f32);

    /// δ: the mean step at w = 0 over all devices; positive. Pulse trains are planned with it.
    fn weight_step(&self) -> f32;

    /// Whether [`pulse`](Device::pulse) uses its ξ; no numbers are drawn otherwise.
    fn noisy(&self) -> bool;

    /// The constants of a device by name, for inspection; the same names for every device.
    fn parameters(&self, point: &Self::Point) -> Vec<(&'static str, f32)>;
}

/// The settings of a device model.
pub trait DeviceSettings: Debug + Settings {
    /// The model that they make.
    type Device: Device
    where
        Self: Sized;

    /// The model with these settings.
    ///
    /// # Errors
    /// What [`validate`](Settings::validate) refuses.
    fn build(&self) -> Result<Self::Device>
    where
        Self: Sized;

    /// The pairs that an array makes of these devices; `None` for one device per crosspoint.
    fn pair(&self) -> Option<&OneSidedPair> {
        None
    }
}

/// Something that is made from the settings of a device model, whichever model it is.
pub trait DeviceVisitor {
    /// What is made.
    type Out;

    /// Makes it.
    fn visit<S: DeviceSettings>(self, settings: &S) -> Self::Out;
}

kinds! {
    /// The settings of a built-in device model, by kind.
    pub enum DeviceConfig("device"): DeviceSettings, visited by DeviceVisitor {
        /// Soft bounds.
        SoftBounds(SoftBounds) = "soft-bounds",
        /// A constant step between hard bounds.
        ConstantStep(ConstantStep) = "constant-step",
        /// Steps linear in the weight, with free slopes.
        LinearStep(LinearStep) = "linear-step",
        /// Steps with an exponential of the weight.
        ExponentialStep(ExponentialStep) = "exponential-step",
        /// Steps that fall as a power of the distance from the bound.
        PowerStep(PowerStep) = "power-step",
        /// Steps from a table.
        TableStep(TableStep) = "table-step",
        /// Steps drawn from a table of distributions.
        JumpTable(JumpTable) = "jump-table",
        /// NeuroSim's model.
        NeuroSim(NeuroSim) = "neurosim",
    }
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self::SoftBounds(SoftBounds::default())
    }
}

impl DeviceConfig {
    /// What the model built from these settings is on average.
    ///
    /// # Errors
    /// What [`validate`](DeviceConfig::validate) refuses.
    pub fn mean(&self) -> Result<MeanDevice> {
        self.visit(Mean)
    }
}

/// The mean device of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanDevice {
    /// δ: the mean step at w = 0, in units of weight.
    pub weight_step: f64,
    /// The least and the largest weight.
    pub bounds: (f64, f64),
    /// Whether steps shrink towards the bound that they lead to, so that what a device accumulates fades.
    pub fades: bool,
    /// b: how far steady pulses in one direction would take a device whose steps kept the slopes that they have at the
    /// symmetry point, 2δ/|d(Δw₊ − Δw₋)/dw|; the bound of soft bounds. The upper bound where steps do not shrink.
    pub reach: f64,
    /// Up and down steps at w = 0 without cycle noise, both positive, in units of weight.
    pub steps: (f64, f64),
    /// Where they cancel, in units of weight.
    pub symmetry_point: f64,
    /// The mean of an up and a down step there, without cycle noise.
    pub step_at_symmetry_point: f64,
    /// What one standard deviation of cycle noise changes of an up step there.
    pub noise_at_symmetry_point: f64,
}

impl MeanDevice {
    /// Standard deviation of a device that random pulses up and down keep at its symmetry point, in units of weight. Each
    /// pulse adds a variance of s² + σ², the step and its noise, and takes the fraction 2s/b: √(b(s² + σ²)/2s). Ours.
    pub fn resting_noise(&self) -> f64 {
        let (step, noise) = (self.step_at_symmetry_point, self.noise_at_symmetry_point);
        (0.5 * self.reach * (step * step + noise * noise) / step).sqrt()
    }
}

/// The number that was written in decimals rather than the f32 next to it.
fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

struct Mean;

impl DeviceVisitor for Mean {
    type Out = Result<MeanDevice>;

    fn visit<S: DeviceSettings>(self, settings: &S) -> Self::Out {
        let device = settings.build()?;
        if settings.pair().is_some() {
            return pair::mean_pair(&device);
        }
        let mean = device.mean();
        let (lower, upper) = device.bounds(&mean);
        let step = |w: f32| device.pulse(&mean, w, true, 0.0) - w;
        let down_step = |w: f32| w - device.pulse(&mean, w, false, 0.0);
        let (middle, symmetry_point) = (0.5 * (lower + upper), device.symmetry_point(&mean));
        let noisy = device.pulse(&mean, symmetry_point, true, 0.1) - device.pulse(&mean, symmetry_point, true, 0.0);
        let (near, weight_step) = (0.25 * (upper - symmetry_point).min(symmetry_point - lower), device.weight_step());
        let net = |w: f32| step(w) - down_step(w);
        let slope = f64::from(net(symmetry_point - near) - net(symmetry_point + near)) / f64::from(2.0 * near);
        let reach = 2.0 * f64::from(step(symmetry_point) + down_step(symmetry_point)) / 2.0 / slope;
        Ok(MeanDevice {
            reach: if reach > 0.0 && reach.is_finite() { reach } else { f64::from(upper) },
            weight_step: decimal(weight_step),
            bounds: (decimal(lower), decimal(upper)),
            fades: step(0.5 * (middle + upper)) < 0.99 * step(middle),
            steps: (f64::from(step(0.0)), f64::from(down_step(0.0))),
            symmetry_point: f64::from(symmetry_point),
            step_at_symmetry_point: 0.5 * f64::from(step(symmetry_point) + down_step(symmetry_point)),
            noise_at_symmetry_point: 10.0 * f64::from(noisy.abs()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_device_is_asked_of_the_model() {
        let soft = DeviceConfig::default().mean().expect("valid");
        let constant = DeviceConfig::from(ConstantStep::default()).mean().expect("valid");
        assert_eq!((soft.weight_step, soft.bounds, soft.fades), (0.06, (-0.6, 0.6), true));
        assert!((soft.reach - 0.6).abs() < 1e-4 && (constant.reach - 0.6).abs() < 1e-6, "{soft:?} {constant:?}");
        assert_eq!((constant.weight_step, constant.bounds, constant.fades), (0.001, (-0.6, 0.6), false));
    }
}
