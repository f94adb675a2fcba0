//! Soft bounds, R24 eq. (4): steps shrink linearly towards the device's own bounds.

use super::DeviceSettings;
use super::step::{self, Devices, Directed, Response, StepDevice, step_settings};
use super::variation::{Point, Variation};
use crate::error::Result;
use crate::settings::settings;
use crate::simd::{LANES, Mask};
use serde::{Deserialize, Serialize};

/// The form of the cycle-to-cycle noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CycleNoise {
    /// α((w_max − w)/w_max + σ_c ξ).
    #[default]
    Additive,
    /// α(w_max − w)/w_max · (1 + σ_c ξ).
    Multiplicative,
}

settings! {
    /// Settings of soft-bounds devices.
    pub struct SoftBounds {
        /// n_states = 2b/δ; 20 where neither states nor step is given.
        pub states: Option<f64> = None, 1.0 to 1e7;
        /// δ: mean step at w = 0, in units of weight.
        pub weight_step: Option<f64> = None, 1e-9 to 1e3;
        /// b: mean bound, in units of weight.
        pub bound: f64 = 0.6, 1e-3 to 1e6;
        /// σ_c: cycle-to-cycle noise, in steps.
        pub cycle_noise: f64 = 0.3, 0.0 to 1e4;
        /// σ_d: device-to-device spread of the step.
        pub step_spread: f64 = 0.3, 0.0 to 3.0;
        /// σ_b: device-to-device spread of the bounds, relative to b.
        pub bound_spread: f64 = 0.3, 0.0 to 3.0;
        /// σ_±: device-to-device spread of the up/down asymmetry.
        pub asymmetry: f64 = 0.1, 0.0 to 3.0;
        /// Additive or multiplicative cycle noise.
        pub noise: CycleNoise = CycleNoise::Additive;
    }
    also |s| step::check_states(s.states, s.weight_step, s.bound)
}

impl SoftBounds {
    /// States where neither `states` nor `weight_step` is given.
    pub const STATES: f64 = 20.0;
}

step_settings!(SoftBounds, SoftBoundsResponse, |settings| SoftBoundsResponse { noise: settings.noise });

/// The soft-bounds model.
pub type SoftBoundsDevice = StepDevice<SoftBoundsResponse>;

/// Steps that shrink linearly towards the bound that they lead to.
#[derive(Clone, Debug)]
pub struct SoftBoundsResponse {
    noise: CycleNoise,
}

#[inline(always)]
fn additive(device: Directed, cycle_noise: f32, w: f32, xi: f32) -> f32 {
    w + device.step * ((device.bound - w) / device.bound + cycle_noise * xi)
}

#[inline(always)]
fn multiplicative(device: Directed, cycle_noise: f32, w: f32, xi: f32) -> f32 {
    w + device.step * ((device.bound - w) / device.bound) * (1.0 + cycle_noise * xi)
}

impl Response for SoftBoundsResponse {
    /// R24 eq. (4), then clamped to [w_min, w_max]:
    ///
    /// ```text
    /// up:    w ← w + α₊ ((w_max − w)/w_max + σ_c ξ)
    /// down:  w ← w − α₋ ((w_min − w)/w_min + σ_c ξ)
    /// ```
    #[inline(always)]
    fn respond(&self, device: Directed, cycle_noise: f32, w: f32, xi: f32) -> f32 {
        match self.noise {
            CycleNoise::Additive => additive(device, cycle_noise, w, xi),
            CycleNoise::Multiplicative => multiplicative(device, cycle_noise, w, xi),
        }
    }

    #[inline(always)]
    fn pulse_blocks<M: Mask, const N: usize>(
        &self,
        cycle_noise: f32,
        devices: [Devices<M>; N],
        rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    ) -> [[f32; LANES]; N] {
        match self.noise {
            CycleNoise::Additive => step::pulse_blocks(devices, rounds, |d, w, xi| additive(d, cycle_noise, w, xi)),
            CycleNoise::Multiplicative => {
                step::pulse_blocks(devices, rounds, |d, w, xi| multiplicative(d, cycle_noise, w, xi))
            }
        }
    }

    /// R24 eq. (8): w* = (α₊ − α₋) / (α₊/w_max − α₋/w_min).
    fn symmetry_point(&self, point: &Point) -> f32 {
        let [down, up] = point.step;
        let [lower, upper] = point.bound;
        (up - down) / (up / upper - down / lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Operation, Stream};

    const POINT: Point = Point { step: [0.08, 0.12], bound: [-0.4, 0.5] };

    fn device(cycle_noise: f64, noise: CycleNoise) -> SoftBoundsDevice {
        SoftBounds { cycle_noise, noise, ..Default::default() }.build().expect("valid settings")
    }

    #[test]
    fn one_step_by_hand() {
        let additive = device(0.5, CycleNoise::Additive);
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-7, "{a} {b}");
        close(additive.answer(&POINT, 0.25, true, 0.2), 0.25 + 0.12 * (0.5 + 0.1));
        close(additive.answer(&POINT, -0.1, false, -1.0), -0.1 - 0.08 * (0.75 - 0.5));
        let multiplicative = device(0.5, CycleNoise::Multiplicative);
        close(multiplicative.answer(&POINT, 0.25, true, 0.2), 0.25 + 0.12 * 0.5 * 1.1);
        close(multiplicative.answer(&POINT, -0.1, false, -1.0), -0.1 - 0.08 * 0.75 * 0.5);
    }

    #[test]
    fn steps_end_at_the_bounds() {
        let device = device(0.3, CycleNoise::Additive);
        assert_eq!(device.answer(&POINT, 0.5, true, 9.0), 0.5);
        assert_eq!(device.answer(&POINT, -0.4, false, 9.0), -0.4);
        assert_eq!(device.answer(&POINT, 0.5, true, 0.0), 0.5);
        let dead = Point { step: [0.1, 0.1], bound: [-0.4, 6e-7] };
        assert_eq!(device.answer(&dead, -0.2, true, 0.0), 6e-7);
    }

    #[test]
    fn up_and_down_cancel_at_the_symmetry_point() {
        let device = device(0.0, CycleNoise::Additive);
        let w = device.response.symmetry_point(&POINT);
        let expected = 0.04 / (0.12 / 0.5 + 0.08 / 0.4);
        assert!((w - expected).abs() < 1e-7);
        let up = device.answer(&POINT, w, true, 0.0) - w;
        let down = device.answer(&POINT, w, false, 0.0) - w;
        assert!((up + down).abs() < 1e-7, "{up} {down}");
    }

    /// Mean and variance of one step over many ξ: α·slope and (α σ_c)², or (α slope σ_c)²; within 5
    /// standard errors, fixed seed.
    #[test]
    fn steps_have_the_stated_mean_and_variance() {
        const N: usize = 100_000;
        let mut xi = vec![0.0; N];
        Stream::new(2, 0, Operation::Update, 0).normals(0, &mut xi);
        for (noise, sd) in [(CycleNoise::Additive, 0.12 * 0.3), (CycleNoise::Multiplicative, 0.12 * 0.8 * 0.3)] {
            let device = device(0.3, noise);
            let steps: Vec<f64> = xi.iter().map(|&xi| f64::from(device.answer(&POINT, 0.1, true, xi)) - 0.1).collect();
            let mean = steps.iter().sum::<f64>() / N as f64;
            let var = steps.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / N as f64;
            assert!((mean - 0.12 * 0.8).abs() < 5.0 * sd / (N as f64).sqrt(), "{mean}");
            assert!((var / (sd * sd) - 1.0).abs() < 5.0 * (2.0 / N as f64).sqrt(), "{var}");
        }
    }

    #[test]
    fn contradicting_settings_are_refused() {
        let settings = SoftBounds { states: Some(20.0), weight_step: Some(0.06), ..Default::default() };
        assert!(settings.validate().is_ok());
        let message =
            SoftBounds { weight_step: Some(0.01), ..settings }.validate().expect_err("contradiction").to_string();
        assert!(message.contains("120"), "{message}");
        let message =
            SoftBounds { states: Some(0.0), ..Default::default() }.validate().expect_err("no states").to_string();
        assert_eq!(message, "states must be from 1 to 10,000,000, not 0");
    }
}
