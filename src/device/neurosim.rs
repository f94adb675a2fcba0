//! NeuroSim's device model, from the numbers that papers in its terms print.

use super::DeviceSettings;
use super::linear::{FreeSlope, LinearResponse};
use super::nonlinearity::Nonlinearity;
use super::pair::OneSidedPair;
use super::step::{Noise, StepDevice};
use super::variation::{Differences, Independent, Point, Variation};
use crate::error::Result;
use crate::settings::settings;
use std::sync::Arc;

settings! {
    /// Settings of NeuroSim's devices (Chen, Peng and Yu, IEEE Trans. Comput.-Aided Des. 37:3067, 2018).
    ///
    /// The window of conductance is mapped to weights ±b, so the ratio of its ends does not matter. `levels` pulses lead
    /// from one end to the other. Noise is additive and of one size for all devices, weights and directions.
    pub struct NeuroSim {
        /// P_max: pulses from one end of the window to the other.
        pub levels: f64 = 64.0, 1.0 to 1e7;
        /// NL of the up curve: positive where steps shrink upwards.
        pub up_nonlinearity: f64 = 1.0, -9.0 to 9.0;
        /// NL of the down curve as NeuroSim signs it: negative where steps shrink downwards.
        pub down_nonlinearity: f64 = -1.0, -9.0 to 9.0;
        /// b: the window is ±b, in units of weight.
        pub bound: f64 = 0.6, 1e-3 to 1e6;
        /// Standard deviation of a pulse, as a share of the window.
        pub cycle_to_cycle: f64 = 0.02, 0.0 to 100.0;
        /// Device-to-device standard deviation of both NL.
        pub nonlinearity_spread: f64 = 0.0, 0.0 to 10.0;
        /// Two devices per crosspoint that only step up, w = g⁺ − g⁻; one device without it.
        pub pair: Option<OneSidedPair> = None, checked;
    }
}

impl DeviceSettings for NeuroSim {
    type Device = NeuroSimDevice;

    fn build(&self) -> Result<NeuroSimDevice> {
        self.validate()?;
        let line = |nl| Nonlinearity::line(nl, self.levels, self.bound);
        let ((down, down_slope), (up, up_slope)) = (line(-self.down_nonlinearity), line(self.up_nonlinearity));
        let bound = self.bound as f32;
        let mean = Point {
            step: [down as f32, up as f32],
            bound: [-bound, bound],
            shape: [down_slope as f32, up_slope as f32],
        };
        let differences = if self.nonlinearity_spread > 0.0 {
            let (down, up) = (self.down_nonlinearity, self.up_nonlinearity);
            Differences::Nonlinearity(Arc::new(Nonlinearity::new(down, up, self.nonlinearity_spread, self.levels)))
        } else {
            Differences::Independent(Independent::default())
        };
        let noise = Noise::absolute(self.cycle_to_cycle * 2.0 * self.bound);
        Ok(StepDevice::new(Variation { mean, differences }, noise, LinearResponse::new()))
    }

    fn pair(&self) -> Option<&OneSidedPair> {
        self.pair.as_ref()
    }
}

/// NeuroSim's model.
pub type NeuroSimDevice = StepDevice<LinearResponse<FreeSlope>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::nonlinearity::curve_constant;
    use crate::device::{Device, NORMALS, Response};

    fn agsi() -> NeuroSim {
        NeuroSim {
            levels: 97.0,
            up_nonlinearity: 2.4,
            down_nonlinearity: -4.88,
            cycle_to_cycle: 0.0,
            ..Default::default()
        }
    }

    /// Pulse by pulse the curves of NeuroSim's equations, up and down, shrinking and growing.
    #[test]
    fn trajectories_are_those_of_neurosim() {
        for (up, down) in [(2.4, -4.88), (0.5, -0.5), (-1.5, 2.0), (6.0, -0.01)] {
            let settings = NeuroSim { up_nonlinearity: up, down_nonlinearity: down, ..agsi() };
            let device = settings.build().expect("valid settings");
            let point = device.sample(&[0.0; NORMALS]);
            let curve = |p: f64, a: f64| -0.6 + 1.2 * (1.0 - (-p / 97.0 / a).exp()) / (1.0 - (-1.0 / a).exp());
            let (mut rising, mut falling) = (-0.6_f32, 0.6_f32);
            for n in 1..=97 {
                rising = device.pulse(&point, rising, true, 0.0);
                falling = device.pulse(&point, falling, false, 0.0);
                let (p, q) = (f64::from(n), f64::from(97 - n));
                assert!((f64::from(rising) - curve(p, curve_constant(up))).abs() < 3e-6, "up {n}: {rising}");
                assert!((f64::from(falling) - curve(q, curve_constant(down))).abs() < 3e-6, "down {n}: {falling}");
            }
        }
    }

    /// Published: symmetry point at 0.33 of the window, range by step at it 59.
    #[test]
    fn symmetry_point_of_agsi() {
        let device = agsi().build().expect("valid settings");
        let point = device.sample(&[0.0; NORMALS]);
        let w = device.symmetry_point(&point);
        assert!((w / 1.2 + 0.5 - 0.33).abs() < 0.01, "{w}");
        let step = device.pulse(&point, w, true, 0.0) - w;
        assert!((1.2 / step / 59.0 - 1.0).abs() < 0.02, "{}", 1.2 / step);
    }

    #[test]
    fn noise_is_a_share_of_the_window_in_both_directions() {
        let device = NeuroSim { cycle_to_cycle: 0.035, ..agsi() }.build().expect("valid settings");
        let point = device.sample(&[0.0; NORMALS]);
        for up in [false, true] {
            let noise = device.pulse(&point, 0.1, up, 1.0) - device.pulse(&point, 0.1, up, 0.0);
            assert!((noise - 0.035 * 1.2).abs() < 1e-6, "{noise}");
        }
    }

    #[test]
    fn nonlinearities_vary_between_devices() {
        let device = NeuroSim { nonlinearity_spread: 0.5, ..agsi() }.build().expect("valid settings");
        let mean = device.expand(device.sample(&[0.0; NORMALS]));
        let exact = agsi().build().expect("valid settings");
        let exact = exact.expand(exact.sample(&[0.0; NORMALS]));
        assert!(
            (mean.step[1] / exact.step[1] - 1.0).abs() < 1e-3 && (mean.shape[0] / exact.shape[0] - 1.0).abs() < 1e-3
        );
        let mut xi = [0.0; NORMALS];
        (xi[0], xi[1]) = (1.0, -2.0);
        let other = device.expand(device.sample(&xi));
        let (step, slope) = Nonlinearity::line(1.4, 97.0, 0.6);
        assert!(
            (f64::from(other.step[1]) / step - 1.0).abs() < 1e-3
                && (f64::from(other.shape[1]) / slope - 1.0).abs() < 1e-3
        );
        let (step, _) = Nonlinearity::line(4.38, 97.0, 0.6);
        assert!((f64::from(other.step[0]) / step - 1.0).abs() < 1e-3, "down takes −4.88 + 0.5");
        assert_eq!(device.response.limited(other), other);
    }
}
