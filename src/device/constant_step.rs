//! Constant steps between hard bounds: the ideal device, and with spreads the baseline of GV16.

use super::variation::{self, Directed, Point, Variation, limits, pulse_blocks};
use super::{Block, Device, DeviceSettings};
use crate::error::{Limit, Result, check_limits};
use crate::simd::{LANES, Mask};
use serde::{Deserialize, Serialize};

/// Settings of constant-step devices; by default all devices are alike and exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConstantStep {
    /// n_states = 2b/δ; 1200 where neither states nor step is given.
    pub states: Option<f64>,
    /// δ: mean step, in units of weight.
    pub weight_step: Option<f64>,
    /// b: mean bound, in units of weight.
    pub bound: f64,
    /// σ_c: cycle-to-cycle noise, in steps.
    pub cycle_noise: f64,
    /// σ_d: device-to-device spread of the step, γ = 1 + σ_d ξ.
    pub step_spread: f64,
    /// σ_b: device-to-device spread of the bounds, relative to b.
    pub bound_spread: f64,
    /// σ_±: device-to-device spread of the up/down asymmetry.
    pub asymmetry: f64,
}

impl Default for ConstantStep {
    fn default() -> Self {
        Self {
            states: None,
            weight_step: None,
            bound: 0.6,
            cycle_noise: 0.0,
            step_spread: 0.0,
            bound_spread: 0.0,
            asymmetry: 0.0,
        }
    }
}

impl ConstantStep {
    /// States where neither `states` nor `step` is given.
    pub const STATES: f64 = 1200.0;
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = limits!(ConstantStep);
}

impl DeviceSettings for ConstantStep {
    type Device = ConstantStepDevice;

    fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)?;
        variation::check_step(self.states, self.weight_step, self.bound)
    }

    fn build(&self) -> Result<ConstantStepDevice> {
        self.validate()?;
        Ok(ConstantStepDevice {
            variation: Variation {
                step: variation::step(self.states, self.weight_step, self.bound, ConstantStep::STATES) as f32,
                bound: self.bound as f32,
                step_spread: self.step_spread as f32,
                bound_spread: self.bound_spread as f32,
                asymmetry: self.asymmetry as f32,
            },
            cycle_noise: self.cycle_noise as f32,
        })
    }
}

/// The constant-step model.
#[derive(Clone, Debug)]
pub struct ConstantStepDevice {
    variation: Variation,
    cycle_noise: f32,
}

impl ConstantStepDevice {
    #[inline(always)]
    fn respond(&self, d: Directed, w: f32, xi: f32) -> f32 {
        d.clamp(w + d.step * (1.0 + self.cycle_noise * xi))
    }
}

impl Device for ConstantStepDevice {
    type Point = Point;

    fn sample(&self, xi: [f32; 4]) -> Point {
        self.variation.sample_gaussian(xi)
    }

    /// GV16: w ← w ± α±(1 + σ_c ξ), then clamped to [w_min, w_max].
    #[inline(always)]
    fn pulse(&self, point: &Point, w: f32, up: bool, xi: f32) -> f32 {
        self.respond(point.directed(up), w, xi)
    }

    #[inline(always)]
    fn pulse_blocks<M: Mask, const N: usize>(
        &self,
        blocks: [Block<'_, Point, M>; N],
        rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    ) -> [[f32; LANES]; N] {
        let device = self.clone();
        pulse_blocks(blocks, rounds, |d, w, xi| device.respond(d, w, xi))
    }

    /// With constant steps, alternating pulses drift at α₊ − α₋ everywhere: a device with unequal
    /// steps rests at the bound of its stronger direction, one with equal steps where it is (0 here).
    fn symmetry_point(&self, point: &Point) -> f32 {
        let [down, up] = point.step;
        if up > down {
            point.bound[1]
        } else if up < down {
            point.bound[0]
        } else {
            0.0
        }
    }

    fn bounds(&self, point: &Point) -> (f32, f32) {
        (point.bound[0], point.bound[1])
    }

    fn weight_step(&self) -> f32 {
        self.variation.step
    }

    fn noisy(&self) -> bool {
        self.cycle_noise > 0.0
    }

    fn parameters(&self, point: &Point) -> Vec<(&'static str, f32)> {
        variation::parameters(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_do_not_depend_on_the_weight() {
        let device = ConstantStep { weight_step: Some(0.01), ..Default::default() }.build().expect("valid settings");
        let point = device.sample([1.0, 1.0, 1.0, 1.0]);
        assert_eq!(point, Point { step: [0.01, 0.01], bound: [-0.6, 0.6] });
        assert_eq!(device.pulse(&point, 0.25, true, 3.0), 0.26);
        assert_eq!(device.pulse(&point, -0.25, false, 3.0), -0.26);
        assert_eq!(device.pulse(&point, 0.595, true, 0.0), 0.6);
        assert_eq!(device.symmetry_point(&point), 0.0);
        let strong_up = Point { step: [0.01, 0.02], ..point };
        assert_eq!(device.symmetry_point(&strong_up), 0.6);
    }

    #[test]
    fn cycle_noise_scales_the_step() {
        let device = ConstantStep { weight_step: Some(0.1), cycle_noise: 0.5, ..Default::default() }
            .build()
            .expect("valid settings");
        let point = device.sample([0.0; 4]);
        assert_eq!(device.pulse(&point, 0.0, true, 1.0), 0.1 * 1.5);
        assert_eq!(device.pulse(&point, 0.0, false, -1.0), -0.1 * 0.5);
    }
}
