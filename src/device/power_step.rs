//! Power-law steps (Fusi and Abbott, Nat. Neurosci. 10:485, 2007; Frascaroli et al., Sci. Rep. 8:7178, 2018).

use super::compact::ShapedPoint;
use super::step::{Directed, Response, StepDevice};
use super::step_settings::step_settings;
use super::variation::Point;
use crate::simd::plain;

step_settings! {
    /// Settings of power-step devices:
    ///
    /// ```text
    /// up:    w ← w + α₊ ((1 − w/w_max)^p₊ + σ_c ξ)
    /// down:  w ← w − α₋ ((1 − w/w_min)^p₋ + σ_c ξ)     then clamped to [w_min, w_max]
    /// ```
    pub struct PowerStep {
        states: 20.0, cycle_noise: 0.3, step_spread: 0.3, bound_spread: 0.3, asymmetry: 0.1, normal: false;
        /// p₊: power of up steps; 1 are soft bounds.
        pub up_power: f64 = 2.0, 0.0 to 20.0;
        /// p₋: power of down steps; 1 are soft bounds.
        pub down_power: f64 = 2.0, 0.0 to 20.0;
    }
    StepDevice<PowerResponse> = |s| ([s.down_power, s.up_power], PowerResponse)
}

/// The power-step model.
pub type PowerStepDevice = StepDevice<PowerResponse>;

/// Steps that fall as a power of the distance from the bound.
#[derive(Clone, Copy, Debug)]
pub struct PowerResponse;

impl Response for PowerResponse {
    type Constants = ShapedPoint;

    fn limited(&self, point: Point) -> Point {
        Point { shape: point.shape.map(|power| power.max(0.0)), ..point }
    }

    /// 1/b.
    #[inline(always)]
    fn prepare(&self, device: &Directed) -> f32 {
        1.0 / device.bound
    }

    /// (1 − w/b)^p; 1 − w/b is at least 10⁻²⁰ here.
    #[inline(always)]
    fn share(&self, device: &Directed, w: f32) -> f32 {
        let distance = 1.0 - w * device.prepared;
        let distance = if distance > 1e-20 { distance } else { 1e-20 };
        plain::pow(distance, device.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::device::{DeviceSettings, NORMALS};

    fn device(settings: PowerStep) -> PowerStepDevice {
        PowerStep { cycle_noise: 0.0, ..settings }.build().expect("valid settings")
    }

    #[test]
    fn one_step_by_hand() {
        let device = device(PowerStep::default());
        let point = Point { step: [0.1, 0.12], bound: [-0.4, 0.5], shape: [0.5, 3.0] };
        let close =
            |got: f32, expected: f64| assert!((f64::from(got) - expected).abs() < 1e-7, "{got}, {expected} expected");
        close(device.answer(&point, 0.1, true, 0.0), 0.1 + 0.12 * 0.8_f64.powi(3));
        close(device.answer(&point, 0.1, false, 0.0), 0.1 - 0.1 * 1.25_f64.sqrt());
        close(device.answer(&point, 0.5, true, 0.0), 0.5);
    }

    /// Equal powers p and opposite bounds: ω* = ρ/(1 + ρ) of the range with ρ = (α₊/α₋)^(1/p).
    #[test]
    fn symmetry_point_in_closed_form() {
        let device = device(PowerStep::default());
        for (up, down, power) in [(0.12, 0.1, 2.0), (0.05, 0.2, 0.5), (0.1, 0.1, 3.0)] {
            let point = Point { step: [down, up], bound: [-0.5, 0.5], shape: [power, power] };
            let ratio = (f64::from(up) / f64::from(down)).powf(1.0 / f64::from(power));
            let expected = ratio / (1.0 + ratio) - 0.5;
            let w = device.response.symmetry_point(&point);
            assert!((f64::from(w) - expected).abs() < 1e-6, "{w}, {expected} expected");
        }
    }

    #[test]
    fn power_1_is_soft_bounds() {
        let power = device(PowerStep { up_power: 1.0, down_power: 1.0, ..Default::default() });
        let soft = crate::device::SoftBounds { cycle_noise: 0.0, ..Default::default() }.build().expect("valid");
        let xi = [0.5, -1.0, 0.3, 1.2, 0.0, 0.0, 0.0, 0.0];
        let (a, b) = (power.sample(&xi), soft.sample(&xi));
        for k in -5..=5 {
            let w = 0.1 * k as f32;
            let difference = power.pulse(&a, w, true, 0.0) - soft.pulse(&b, w, true, 0.0);
            assert!(difference.abs() < 1e-7, "{w}: {difference}");
        }
        assert_eq!(power.sample(&[0.0; NORMALS]), power.sample(&[0.0; NORMALS]));
    }
}
