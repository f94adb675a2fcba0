//! Constant steps between hard bounds: the ideal device, and with spreads the baseline of GV16.

use super::DeviceSettings;
use super::step::{self, Directed, Response, StepDevice, step_settings};
use super::variation::{Point, Variation};
use crate::error::Result;
use crate::settings::settings;

settings! {
    /// Settings of constant-step devices; by default all devices are equal and exact.
    pub struct ConstantStep {
        /// n_states = 2b/δ; 1200 where neither states nor step is given.
        pub states: Option<f64> = None, 1.0 to 1e7;
        /// δ: mean step, in units of weight.
        pub weight_step: Option<f64> = None, 1e-9 to 1e3;
        /// b: mean bound, in units of weight.
        pub bound: f64 = 0.6, 1e-3 to 1e6;
        /// σ_c: cycle-to-cycle noise, in steps.
        pub cycle_noise: f64 = 0.0, 0.0 to 1e4;
        /// σ_d: device-to-device spread of the step, γ = 1 + σ_d ξ.
        pub step_spread: f64 = 0.0, 0.0 to 3.0;
        /// σ_b: device-to-device spread of the bounds, relative to b.
        pub bound_spread: f64 = 0.0, 0.0 to 3.0;
        /// σ_±: device-to-device spread of the up/down asymmetry.
        pub asymmetry: f64 = 0.0, 0.0 to 3.0;
    }
    also |s| step::check_states(s.states, s.weight_step, s.bound)
}

impl ConstantStep {
    /// States where neither `states` nor `weight_step` is given.
    pub const STATES: f64 = 1200.0;
}

step_settings!(ConstantStep, ConstantStepResponse, |_settings| ConstantStepResponse);

/// The constant-step model.
pub type ConstantStepDevice = StepDevice<ConstantStepResponse>;

/// Steps that do not depend on the weight.
#[derive(Clone, Debug)]
pub struct ConstantStepResponse;

impl Response for ConstantStepResponse {
    fn sample(variation: &Variation, xi: [f32; 4]) -> Point {
        variation.sample_gaussian(xi)
    }

    /// GV16: w ← w ± α±(1 + σ_c ξ), then clamped to [w_min, w_max].
    #[inline(always)]
    fn respond(&self, device: Directed, cycle_noise: f32, w: f32, xi: f32) -> f32 {
        w + device.step * (1.0 + cycle_noise * xi)
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    #[test]
    fn steps_do_not_depend_on_the_weight() {
        let device = ConstantStep { weight_step: Some(0.01), ..Default::default() }.build().expect("valid settings");
        let point = device.sample([1.0, 1.0, 1.0, 1.0]);
        assert_eq!(device.expand(point), Point { step: [0.01, 0.01], bound: [-0.6, 0.6] });
        assert_eq!(device.pulse(&point, 0.25, true, 3.0), 0.26);
        assert_eq!(device.pulse(&point, -0.25, false, 3.0), -0.26);
        assert_eq!(device.pulse(&point, 0.595, true, 0.0), 0.6);
        assert_eq!(device.symmetry_point(&point), 0.0);
        let strong_up = Point { step: [0.01, 0.02], ..device.expand(point) };
        assert_eq!(device.response.symmetry_point(&strong_up), 0.6);
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
