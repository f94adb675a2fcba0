//! Constant steps between hard bounds: the ideal device, and with spreads the baseline of GV16.

use super::linear::{LinearResponse, NoSlope};
use super::step::StepDevice;
use super::step_settings::step_settings;

step_settings! {
    /// Settings of constant-step devices; by default all devices are equal and exact. GV16:
    ///
    /// ```text
    /// w ← w ± α±(1 + σ_c ξ), then clamped to [w_min, w_max]
    /// ```
    pub struct ConstantStep {
        states: 1200.0, cycle_noise: 0.0, step_spread: 0.0, bound_spread: 0.0, asymmetry: 0.0, normal: true;
    }
    StepDevice<LinearResponse<NoSlope>> = |_settings| ([0.0, 0.0], LinearResponse::new())
}

/// The constant-step model.
pub type ConstantStepDevice = StepDevice<LinearResponse<NoSlope>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Device, DeviceSettings, NORMALS, Point, Response};

    #[test]
    fn steps_do_not_depend_on_the_weight() {
        let device = ConstantStep { weight_step: Some(0.01), ..Default::default() }.build().expect("valid settings");
        let point = device.sample(&[1.0; NORMALS]);
        assert_eq!(device.expand(point), Point { step: [0.01, 0.01], bound: [-0.6, 0.6], shape: [0.0, 0.0] });
        assert_eq!(device.pulse(&point, 0.25, true, 3.0), 0.26);
        assert_eq!(device.pulse(&point, -0.25, false, 3.0), -0.26);
        assert_eq!(device.pulse(&point, 0.595, true, 0.0), 0.6);
        assert_eq!(device.symmetry_point(&point), 0.0);
        let strong_up = Point { step: [0.01, 0.02], ..device.expand(point) };
        assert_eq!(device.response.symmetry_point(&strong_up), 0.6);
        let strong_down = Point { step: [0.02, 0.01], ..strong_up };
        assert_eq!(device.response.symmetry_point(&strong_down), -0.6);
    }

    #[test]
    fn cycle_noise_scales_the_step() {
        let device = ConstantStep { weight_step: Some(0.1), cycle_noise: 0.5, ..Default::default() }
            .build()
            .expect("valid settings");
        let point = device.sample(&[0.0; NORMALS]);
        assert!((device.pulse(&point, 0.0, true, 1.0) - 0.1 * 1.5).abs() < 1e-8);
        assert!((device.pulse(&point, 0.0, false, -1.0) + 0.1 * 0.5).abs() < 1e-8);
    }

    #[test]
    fn gains_are_normal() {
        let device = ConstantStep { step_spread: 0.3, ..Default::default() }.build().expect("valid settings");
        let mut xi = [0.0; NORMALS];
        xi[2] = 2.0;
        let [down, up] = device.expand(device.sample(&xi)).step;
        assert!((up / 0.0016 - 1.0).abs() < 3e-4 && up == down, "{up}");
    }
}
