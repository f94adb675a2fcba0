//! Response models: what one pulse does to a device at weight w.
//!
//! A model is small: it draws its devices once, answers a pulse, and knows where up and down steps
//! cancel. Write another by implementing [`Device`]; every array, rule and network then works on it.

mod constant_step;
mod soft_bounds;
mod variation;

pub use constant_step::{ConstantStep, ConstantStepDevice};
pub use soft_bounds::{CycleNoise, SoftBounds, SoftBoundsDevice};
pub use variation::{Point, Variation};

use crate::error::Result;
use crate::kinds::kinds;
pub use crate::simd::{LANES, Mask};
use std::fmt::Debug;

/// Devices that meet pulses in one direction each.
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

/// A response model.
pub trait Device: Debug + Clone + Send + Sync + 'static {
    /// The constants of one device, drawn once.
    type Point: Debug + Copy + Send + Sync + 'static;

    /// Draws a device from four independent standard normals ξ₁ … ξ₄.
    fn sample(&self, xi: [f32; 4]) -> Self::Point;

    /// The weight after one pulse, up or down, at weight `w` with cycle noise ξ ~ N(0,1).
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

    /// The weight at which an up and a down step cancel on average.
    fn symmetry_point(&self, point: &Self::Point) -> f32;

    /// The least and the largest weight that the device can hold.
    fn bounds(&self, point: &Self::Point) -> (f32, f32);

    /// δ: the mean step at w = 0 over all devices, in units of weight.
    fn weight_step(&self) -> f32;

    /// Whether [`pulse`](Device::pulse) uses its ξ; no numbers are drawn otherwise.
    fn noisy(&self) -> bool;

    /// The constants of a device by name, for inspection.
    fn parameters(&self, point: &Self::Point) -> Vec<(&'static str, f32)>;
}

/// The settings of a device model.
pub trait DeviceSettings: Debug {
    /// The model that they make.
    type Device: Device
    where
        Self: Sized;

    /// Checks every field.
    fn validate(&self) -> Result<()>;

    /// The model with these settings.
    ///
    /// # Errors
    /// What [`validate`](DeviceSettings::validate) refuses.
    fn build(&self) -> Result<Self::Device>
    where
        Self: Sized;
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
    }
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self::SoftBounds(SoftBounds::default())
    }
}

impl DeviceConfig {
    /// δ, the mean step at w = 0.
    pub fn weight_step(&self) -> f64 {
        match self {
            Self::SoftBounds(s) => variation::step(s.states, s.weight_step, s.bound, SoftBounds::STATES),
            Self::ConstantStep(s) => variation::step(s.states, s.weight_step, s.bound, ConstantStep::STATES),
        }
    }

    /// b, the mean bound.
    pub fn bound(&self) -> f64 {
        match self {
            Self::SoftBounds(s) => s.bound,
            Self::ConstantStep(s) => s.bound,
        }
    }
}
