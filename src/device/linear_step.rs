//! Linear steps with free slopes between hard bounds: the smallest family with steps that shrink and steps that grow.

use super::linear::{FreeSlope, LinearResponse};
use super::step::StepDevice;
use super::step_settings::step_settings;

step_settings! {
    /// Settings of linear-step devices, aihwkit's linear step with the slope relative to the bound:
    ///
    /// ```text
    /// up:    w ← w + α₊ (1 − γ₊ w/w_max + σ_c ξ)
    /// down:  w ← w − α₋ (1 − γ₋ w/w_min + σ_c ξ)     then clamped to [w_min, w_max]
    /// ```
    pub struct LinearStep {
        states: 20.0, cycle_noise: 0.3, step_spread: 0.3, bound_spread: 0.3, asymmetry: 0.1, normal: false;
        /// γ₊: share of the up step that is lost from weight 0 to the upper bound; below 0, up steps grow.
        pub up_slope: f64 = 0.5, -0.99 to 1.0;
        /// γ₋: share of the down step that is lost from weight 0 to the lower bound; below 0, down steps grow.
        pub down_slope: f64 = 0.5, -0.99 to 1.0;
    }
    StepDevice<LinearResponse<FreeSlope>> = |s| ([s.down_slope, s.up_slope], LinearResponse::new())
}

/// The linear-step model.
pub type LinearStepDevice = StepDevice<LinearResponse<FreeSlope>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Device, DeviceSettings, Point, Response, Spread};

    fn device(settings: LinearStep) -> LinearStepDevice {
        settings.build().expect("valid settings")
    }

    #[test]
    fn one_step_by_hand() {
        let device = device(LinearStep { cycle_noise: 0.5, ..Default::default() });
        let point = Point { step: [0.1, 0.12], bound: [-0.4, 0.5], shape: [0.3, -0.6] };
        let close = |got: f32, expected: f32| assert!((got - expected).abs() < 1e-7, "{got}, {expected} expected");
        close(device.answer(&point, 0.1, true, -1.0), 0.1 + 0.12 * (1.0 + 0.6 * 0.2 - 0.5));
        close(device.answer(&point, 0.1, false, 1.0), 0.1 - 0.1 * (1.0 + 0.3 * 0.25 + 0.5));
    }

    /// w_n = z + (w_0 − z)(1 − k)ⁿ: after n pulses towards the zero z = b/γ of the line, k = αγ/b (`devices.md`'s
    /// closed form of the linear family).
    #[test]
    fn trajectories_in_closed_form() {
        let exact =
            LinearStep { cycle_noise: 0.0, step_spread: 0.0, bound_spread: 0.0, asymmetry: 0.0, ..Default::default() };
        for (up_slope, states) in [(0.8, 100.0), (-0.5, 150.0), (1.0, 30.0)] {
            let device = device(LinearStep { up_slope, states: Some(states), ..exact.clone() });
            let point = device.sample(&[0.0; crate::device::NORMALS]);
            let (b, alpha) = (0.6, 1.2 / states);
            let (zero, k) = (b / up_slope, alpha * up_slope / b);
            let mut w = -0.55_f32;
            for n in 1..40 {
                w = device.pulse(&point, w, true, 0.0);
                let expected = (zero + (-0.55 - zero) * (1.0_f64 - k).powi(n)).min(b);
                assert!((f64::from(w) - expected).abs() < 2e-6, "{n}: {w}, {expected} expected");
            }
        }
    }

    #[test]
    fn symmetry_points() {
        let device = device(LinearStep::default());
        let at = |step, shape| device.response.symmetry_point(&Point { step, bound: [-0.5, 0.5], shape });
        let w = at([0.1, 0.12], [0.5, 0.5]);
        assert!((w - 0.02 / (0.12 + 0.1)).abs() < 1e-6, "{w}");
        assert_eq!(at([0.1, 0.2], [0.1, 0.1]), 0.5, "beyond the bound: the stronger direction wins");
        assert_eq!(at([0.2, 0.1], [-0.2, -0.2]), -0.5);
        assert_eq!(at([0.1, 0.1], [0.0, 0.0]), 0.0);
        let unstable = at([0.1, 0.12], [-0.5, -0.5]);
        assert!((unstable + 0.02 / 0.22).abs() < 1e-6, "it is where steps cancel, although pulses drive away from it");
    }

    #[test]
    fn no_drawn_device_steps_backwards() {
        let spread = Spread { up_slope: 2.0, down_slope: 2.0, upper_bound: 0.5, ..Spread::default() };
        let device = device(LinearStep { spread: Some(spread), cycle_noise: 0.0, ..Default::default() });
        for (k, xi) in [[3.0; 8], [-3.0; 8], [3.0, -3.0, 3.0, -3.0, 3.0, -3.0, 0.0, 0.0]].iter().enumerate() {
            let point = device.sample(xi);
            let (lower, upper) = device.bounds(&point);
            for w in [lower, 0.0, upper] {
                assert!(device.pulse(&point, w, true, 0.0) >= w - 1e-7, "{k}: up at {w}");
                assert!(device.pulse(&point, w, false, 0.0) <= w + 1e-7, "{k}: down at {w}");
            }
        }
    }
}
