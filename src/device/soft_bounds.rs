//! Soft bounds, R24 eq. (4): steps shrink linearly towards the device's own bounds.

use super::linear::{LinearResponse, SoftSlope};
use super::step::StepDevice;
use super::step_settings::step_settings;

step_settings! {
    /// Settings of soft-bounds devices:
    ///
    /// ```text
    /// up:    w ← w + α₊ ((w_max − w)/w_max + σ_c ξ)
    /// down:  w ← w − α₋ ((w_min − w)/w_min + σ_c ξ)     then clamped to [w_min, w_max]
    /// ```
    pub struct SoftBounds {
        states: 20.0, cycle_noise: 0.3, step_spread: 0.3, bound_spread: 0.3, asymmetry: 0.1, normal: false;
    }
    StepDevice<LinearResponse<SoftSlope>> = |_settings| ([1.0, 1.0], LinearResponse::new())
}

/// The soft-bounds model.
pub type SoftBoundsDevice = StepDevice<LinearResponse<SoftSlope>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{CycleNoise, DeviceSettings, Point, Response};
    use crate::random::{Operation, Stream};

    fn device(cycle_noise: f64, noise: CycleNoise) -> SoftBoundsDevice {
        SoftBounds { cycle_noise, noise, ..Default::default() }.build().expect("valid settings")
    }

    const POINT: Point = Point { step: [0.1, 0.12], bound: [-0.4, 0.5], shape: [1.0, 1.0] };

    #[test]
    fn one_step_by_hand() {
        let device = device(0.5, CycleNoise::Additive);
        let close = |got: f32, expected: f32| assert!((got - expected).abs() < 1e-7, "{got}, {expected} expected");
        close(device.answer(&POINT, 0.1, true, -1.0), 0.1 + 0.12 * (0.8 - 0.5));
        close(device.answer(&POINT, 0.1, false, 2.0), 0.1 - 0.1 * (1.25 + 1.0));
        let device = self::device(0.5, CycleNoise::Multiplicative);
        close(device.answer(&POINT, 0.1, true, -1.0), 0.1 + 0.12 * 0.8 * 0.5);
        close(device.answer(&POINT, 0.1, false, 2.0), 0.1 - 0.1 * 1.25 * 2.0);
    }

    #[test]
    fn pulses_stay_within_the_bounds() {
        let device = device(3.0, CycleNoise::Additive);
        assert_eq!(device.answer(&POINT, 0.49, true, 5.0), 0.5);
        assert_eq!(device.answer(&POINT, -0.39, false, 5.0), -0.4);
    }

    #[test]
    fn up_and_down_cancel_at_the_symmetry_point() {
        let device = device(0.0, CycleNoise::Additive);
        let w = device.response.symmetry_point(&POINT);
        assert!((w - (0.12 - 0.1) / (0.12 / 0.5 + 0.1 / 0.4)).abs() < 1e-7);
        let both = device.answer(&POINT, w, true, 0.0) + device.answer(&POINT, w, false, 0.0) - 2.0 * w;
        assert!(both.abs() < 1e-7, "{both}");
    }

    /// Moments of 200,000 noisy steps against the equation, within 5 standard errors (the seed is fixed).
    #[test]
    fn noise_has_the_stated_moments() {
        const N: usize = 200_000;
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
        let message = |settings: SoftBounds| settings.validate().expect_err("contradiction").to_string();
        let settings = SoftBounds { states: Some(20.0), weight_step: Some(0.06), ..Default::default() };
        assert!(settings.validate().is_ok());
        assert!(message(SoftBounds { weight_step: Some(0.01), ..settings.clone() }).contains("120"));
        assert_eq!(
            message(SoftBounds { states: Some(0.0), ..Default::default() }),
            "states must be from 1 to 10,000,000, not 0"
        );
        let apart = SoftBounds { lower_bound: Some(-0.3), ..settings };
        assert!(message(apart.clone()).contains("(upper_bound − lower_bound)/weight_step = 15, not 20"));
        let listed = SoftBounds { states: Some(15.0), measured: vec![vec![1.0, 1.0, 1.0, 1.0, 0.0, 0.0]], ..apart };
        assert!(listed.validate().is_ok());
        let both = SoftBounds { spread: Some(crate::device::Spread::default()), ..listed.clone() };
        assert_eq!(message(both), "give one of spread and measured, not both");
        let mut wrong = listed;
        wrong.measured[0][3] = -1.0;
        assert_eq!(message(wrong), "measured[0][3] must be from 1e-6 to 4,000, not -1");
    }
}
