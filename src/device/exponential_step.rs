//! Exponential steps, as aihwkit fits them to ReRAM (Gong et al., Nat. Commun. 9:2102, 2018).

use super::compact::CompactPoint;
use super::step::{Directed, Response, StepDevice};
use super::step_settings::step_settings;
use crate::error::{Error, Result};
use crate::simd::plain;

step_settings! {
    /// Settings of exponential-step devices:
    ///
    /// ```text
    /// up:    w ← w + α₊ (v₊(w)/v + σ_c ξ)     v₊(w) = max(0, 1 − A₊ exp(γ₊ z))
    /// down:  w ← w − α₋ (v₋(w)/v + σ_c ξ)     v₋(w) = max(0, 1 − A₋ exp(−γ₋ z))
    /// z = 2a w/(w_max − w_min) + b            v = (v₊(0) + v₋(0))/2 of the mean device
    /// ```
    ///
    /// then clamped to [w_min, w_max]. So δ is the mean step at weight 0, where aihwkit's is that of v = 1.
    pub struct ExponentialStep {
        states: 20.0, cycle_noise: 0.3, step_spread: 0.3, bound_spread: 0.3, asymmetry: 0.1, normal: false;
        /// A₊: amplitude of the exponential of up steps.
        pub up_amplitude: f64 = 0.25, -1e3 to 1e3;
        /// A₋: amplitude of the exponential of down steps.
        pub down_amplitude: f64 = 0.25, -1e3 to 1e3;
        /// γ₊: rate of the exponential of up steps.
        pub up_rate: f64 = 2.0, -20.0 to 20.0;
        /// γ₋: rate of the exponential of down steps.
        pub down_rate: f64 = 2.0, -20.0 to 20.0;
        /// a: factor of the weight in z.
        pub scale: f64 = 0.5, -10.0 to 10.0;
        /// b: z at weight 0.
        pub offset: f64 = 0.0, -10.0 to 10.0;
    }
    StepDevice<ExponentialResponse> = |s| ([0.0, 0.0], s.response()?); also |s| s.response()
}

impl ExponentialStep {
    fn response(&self) -> Result<ExponentialResponse> {
        let amplitude = |amplitude: f64, rate: f64| amplitude as f32 * plain::exp((rate * self.offset) as f32);
        let amplitude = [amplitude(self.down_amplitude, -self.down_rate), amplitude(self.up_amplitude, self.up_rate)];
        let middle = 0.5 * amplitude.map(|a| f64::from(1.0 - a).max(0.0)).iter().sum::<f64>();
        if !(1e-6..=1e6).contains(&middle) {
            return Err(Error::range(
                "mean step at weight 0, before it is normalised,",
                middle,
                "from 0.000001 to 1,000,000: change the amplitudes, the rates or the offset",
            ));
        }
        let rate = [-self.down_rate, self.up_rate].map(|rate| (2.0 * self.scale * rate) as f32);
        Ok(ExponentialResponse { amplitude, rate, gain: (1.0 / middle) as f32 })
    }
}

/// The exponential-step model.
pub type ExponentialStepDevice = StepDevice<ExponentialResponse>;

/// Steps with an exponential of the weight; index 0 is down, 1 is up.
#[derive(Clone, Copy, Debug)]
pub struct ExponentialResponse {
    /// The exponential at weight 0.
    amplitude: [f32; 2],
    /// Its rate per range of the device.
    rate: [f32; 2],
    /// 1/v.
    gain: f32,
}

impl Response for ExponentialResponse {
    type Constants = CompactPoint;

    /// The rate per unit of weight.
    #[inline(always)]
    fn prepare(&self, device: &Directed) -> f32 {
        let rate = if device.up() { self.rate[1] } else { self.rate[0] };
        rate / (device.upper - device.lower)
    }

    /// The equations of [`ExponentialStep`] without noise.
    #[inline(always)]
    fn share(&self, device: &Directed, w: f32) -> f32 {
        let amplitude = if device.up() { self.amplitude[1] } else { self.amplitude[0] };
        let share = 1.0 - amplitude * plain::exp(device.prepared * w);
        let share = if share > 0.0 { share } else { 0.0 };
        self.gain * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Device, DeviceSettings, NORMALS, Point};

    fn device(settings: ExponentialStep) -> ExponentialStepDevice {
        let exact = ExponentialStep { cycle_noise: 0.0, ..settings };
        exact.build().expect("valid settings")
    }

    /// aihwkit's ReRamES: A₊ = −1.18445, A₋ = −0.081404, γ = 5, a = b = −0.5.
    fn reram() -> ExponentialStep {
        ExponentialStep {
            up_amplitude: -1.18445,
            down_amplitude: -0.081404,
            up_rate: 5.0,
            down_rate: 5.0,
            scale: -0.5,
            offset: -0.5,
            ..Default::default()
        }
    }

    #[test]
    fn one_step_by_hand() {
        let device = device(reram());
        let point = Point { step: [0.01, 0.02], bound: [-0.5, 0.7], shape: [0.0, 0.0] };
        let v = |w: f64, up: bool| {
            let z = -w / 1.2 - 0.5;
            if up { 1.0 + 1.18445 * (5.0 * z).exp() } else { 1.0 + 0.081404 * (-5.0 * z).exp() }
        };
        let middle = 0.5 * (v(0.0, true) + v(0.0, false));
        for w in [-0.3, 0.0, 0.25] {
            let (up, down) = (device.answer(&point, w, true, 0.0), device.answer(&point, w, false, 0.0));
            let w = f64::from(w);
            assert!((f64::from(up) - w - 0.02 * v(w, true) / middle).abs() < 2e-7, "up at {w}");
            assert!((f64::from(down) - w + 0.01 * v(w, false) / middle).abs() < 2e-7, "down at {w}");
        }
        let mean = device.sample(&[0.0; NORMALS]);
        let step = device.pulse(&mean, 0.0, true, 0.0) - device.pulse(&mean, 0.0, false, 0.0);
        assert!((0.5 * step - 0.06).abs() < 1e-6, "δ is the mean step at weight 0: {step}");
    }

    /// α₊ = α₋ and amplitudes of one sign: z* = ln(A₋/A₊)/(γ₊ + γ₋).
    #[test]
    fn symmetry_point_in_closed_form() {
        let settings = ExponentialStep {
            up_amplitude: 0.3,
            down_amplitude: 0.2,
            up_rate: 2.0,
            down_rate: 1.0,
            ..Default::default()
        };
        let device = device(settings);
        let point = Point { step: [0.1, 0.1], bound: [-0.6, 0.6], shape: [0.0, 0.0] };
        let expected = (0.2_f64 / 0.3).ln() / 3.0 * 1.2;
        let w = f64::from(device.response.symmetry_point(&point));
        assert!((w - expected).abs() < 1e-6, "{w}, {expected} expected");
    }

    #[test]
    fn steps_never_turn_round_and_must_exist() {
        let device = device(ExponentialStep { up_amplitude: 0.9, up_rate: 4.0, ..Default::default() });
        let mean = device.sample(&[0.0; NORMALS]);
        assert_eq!(device.pulse(&mean, 0.4, true, 0.0), 0.4);
        let nothing = ExponentialStep { up_amplitude: 2.0, down_amplitude: 1.0, ..Default::default() };
        assert!(nothing.validate().expect_err("no steps").to_string().contains("at weight 0"));
    }
}
