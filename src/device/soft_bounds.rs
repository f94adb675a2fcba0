//! Soft bounds, R24 eq. (4): steps shrink linearly towards the device's own bounds.

use super::variation::{self, Directed, Point, Variation, limits, pulse_blocks};
use super::{Block, Device, DeviceSettings};
use crate::error::{Limit, Result, check_limits};
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

/// Settings of soft-bounds devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoftBounds {
    /// n_states = 2b/δ; 20 where neither states nor step is given.
    pub states: Option<f64>,
    /// δ: mean step at w = 0, in units of weight.
    pub weight_step: Option<f64>,
    /// b: mean bound, in units of weight.
    pub bound: f64,
    /// σ_c: cycle-to-cycle noise, in steps.
    pub cycle_noise: f64,
    /// σ_d: device-to-device spread of the step.
    pub step_spread: f64,
    /// σ_b: device-to-device spread of the bounds, relative to b.
    pub bound_spread: f64,
    /// σ_±: device-to-device spread of the up/down asymmetry.
    pub asymmetry: f64,
    /// Additive or multiplicative cycle noise.
    pub noise: CycleNoise,
}

impl Default for SoftBounds {
    fn default() -> Self {
        Self {
            states: None,
            weight_step: None,
            bound: 0.6,
            cycle_noise: 0.3,
            step_spread: 0.3,
            bound_spread: 0.3,
            asymmetry: 0.1,
            noise: CycleNoise::Additive,
        }
    }
}

impl SoftBounds {
    /// States where neither `states` nor `step` is given.
    pub const STATES: f64 = 20.0;
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = limits!(SoftBounds);
}

impl DeviceSettings for SoftBounds {
    type Device = SoftBoundsDevice;

    fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)?;
        variation::check_step(self.states, self.weight_step, self.bound)
    }

    fn build(&self) -> Result<SoftBoundsDevice> {
        self.validate()?;
        Ok(SoftBoundsDevice {
            variation: Variation {
                step: variation::step(self.states, self.weight_step, self.bound, SoftBounds::STATES) as f32,
                bound: self.bound as f32,
                step_spread: self.step_spread as f32,
                bound_spread: self.bound_spread as f32,
                asymmetry: self.asymmetry as f32,
            },
            cycle_noise: self.cycle_noise as f32,
            noise: self.noise,
        })
    }
}

/// The soft-bounds model.
#[derive(Clone, Debug)]
pub struct SoftBoundsDevice {
    variation: Variation,
    cycle_noise: f32,
    noise: CycleNoise,
}

impl SoftBoundsDevice {
    #[inline(always)]
    fn respond<const MULTIPLICATIVE: bool>(&self, d: Directed, w: f32, xi: f32) -> f32 {
        let slope = (d.bound - w) / d.bound;
        let change = if MULTIPLICATIVE {
            d.step * slope * (1.0 + self.cycle_noise * xi)
        } else {
            d.step * (slope + self.cycle_noise * xi)
        };
        d.clamp(w + change)
    }
}

impl Device for SoftBoundsDevice {
    type Point = Point;

    fn sample(&self, xi: [f32; 4]) -> Point {
        self.variation.sample(xi)
    }

    /// R24 eq. (4), then clamped to [w_min, w_max]:
    ///
    /// ```text
    /// up:    w ← w + α₊ ((w_max − w)/w_max + σ_c ξ)
    /// down:  w ← w − α₋ ((w_min − w)/w_min + σ_c ξ)
    /// ```
    #[inline(always)]
    fn pulse(&self, point: &Point, w: f32, up: bool, xi: f32) -> f32 {
        match self.noise {
            CycleNoise::Additive => self.respond::<false>(point.directed(up), w, xi),
            CycleNoise::Multiplicative => self.respond::<true>(point.directed(up), w, xi),
        }
    }

    #[inline(always)]
    fn pulse_blocks<M: Mask, const N: usize>(
        &self,
        blocks: [Block<'_, Point, M>; N],
        rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    ) -> [[f32; LANES]; N] {
        let device = self.clone();
        match self.noise {
            CycleNoise::Additive => pulse_blocks(blocks, rounds, |d, w, xi| device.respond::<false>(d, w, xi)),
            CycleNoise::Multiplicative => pulse_blocks(blocks, rounds, |d, w, xi| device.respond::<true>(d, w, xi)),
        }
    }

    /// R24 eq. (8): w* = (α₊ − α₋) / (α₊/w_max − α₋/w_min).
    fn symmetry_point(&self, point: &Point) -> f32 {
        let [down, up] = point.step;
        let [lower, upper] = point.bound;
        (up - down) / (up / upper - down / lower)
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
    use crate::random::{Operation, Stream};

    const POINT: Point = Point { step: [0.08, 0.12], bound: [-0.4, 0.5] };

    fn device(cycle_noise: f64, noise: CycleNoise) -> SoftBoundsDevice {
        SoftBounds { cycle_noise, noise, ..Default::default() }.build().expect("valid settings")
    }

    #[test]
    fn one_step_by_hand() {
        let additive = device(0.5, CycleNoise::Additive);
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-7, "{a} {b}");
        close(additive.pulse(&POINT, 0.25, true, 0.2), 0.25 + 0.12 * (0.5 + 0.1));
        close(additive.pulse(&POINT, -0.1, false, -1.0), -0.1 - 0.08 * (0.75 - 0.5));
        let multiplicative = device(0.5, CycleNoise::Multiplicative);
        close(multiplicative.pulse(&POINT, 0.25, true, 0.2), 0.25 + 0.12 * 0.5 * 1.1);
        close(multiplicative.pulse(&POINT, -0.1, false, -1.0), -0.1 - 0.08 * 0.75 * 0.5);
    }

    #[test]
    fn steps_end_at_the_bounds() {
        let device = device(0.3, CycleNoise::Additive);
        assert_eq!(device.pulse(&POINT, 0.5, true, 9.0), 0.5);
        assert_eq!(device.pulse(&POINT, -0.4, false, 9.0), -0.4);
        assert_eq!(device.pulse(&POINT, 0.5, true, 0.0), 0.5);
        let dead = Point { step: [0.1, 0.1], bound: [-0.4, 6e-7] };
        assert_eq!(device.pulse(&dead, -0.2, true, 0.0), 6e-7);
    }

    #[test]
    fn up_and_down_cancel_at_the_symmetry_point() {
        let device = device(0.0, CycleNoise::Additive);
        let w = device.symmetry_point(&POINT);
        let expected = 0.04 / (0.12 / 0.5 + 0.08 / 0.4);
        assert!((w - expected).abs() < 1e-7);
        let up = device.pulse(&POINT, w, true, 0.0) - w;
        let down = device.pulse(&POINT, w, false, 0.0) - w;
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
            let steps: Vec<f64> = xi.iter().map(|&xi| f64::from(device.pulse(&POINT, 0.1, true, xi)) - 0.1).collect();
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
        assert_eq!(message, "states is 0; allowed: 1 to 10000000");
    }
}
