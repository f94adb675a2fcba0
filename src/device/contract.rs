//! What arrays rely on in a device model, checked before an array is made of it.

use super::{Device, NORMALS};
use crate::error::{Error, Result};

/// Checks a model on its mean device and on some far from it: finite bounds in order with 0 between them, a symmetry point
/// within them, a positive weight step, and pulses that keep weights within the bounds and finite.
///
/// # Errors
/// What does not hold, with the device on which it does not.
pub fn check_contract(device: &impl Device) -> Result<()> {
    let step = device.weight_step();
    if !(step.is_finite() && step > 0.0) {
        return Err(broken(format!("its weight_step must be positive and finite, not {step}")));
    }
    for xi in corners() {
        let point = device.sample(&xi);
        let wrong = |what: String| broken(format!("the device drawn from ξ = {xi:?}: {what}"));
        let (lower, upper) = device.bounds(&point);
        if !(lower.is_finite() && upper.is_finite() && lower <= 0.0 && upper >= 0.0 && lower < upper) {
            return Err(wrong(format!("its bounds must be finite, with 0 between them, not {lower} and {upper}")));
        }
        let symmetry_point = device.symmetry_point(&point);
        if !(lower..=upper).contains(&symmetry_point) {
            return Err(wrong(format!(
                "its symmetry point must be within its bounds {lower} to {upper}, not {symmetry_point}"
            )));
        }
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let w = lower + share * (upper - lower);
            for (up, xi) in [false, true].into_iter().flat_map(|up| [-4.0, 0.0, 4.0].map(|xi| (up, xi))) {
                let way = if up { "up" } else { "down" };
                let after = device.pulse(&point, w, up, xi);
                if !(lower..=upper).contains(&after) {
                    return Err(wrong(format!(
                        "a pulse {way} at weight {w} with cycle noise ξ = {xi} must keep it within {lower} to {upper}, not \
                         lead to {after}"
                    )));
                }
                if !device.noisy() && after != device.pulse(&point, w, up, 0.0) {
                    return Err(wrong(format!(
                        "a pulse {way} at weight {w} must not depend on ξ, since the model says that it is not noisy"
                    )));
                }
            }
        }
    }
    Ok(())
}

fn broken(what: String) -> Error {
    Error::Conflict(format!("the device model breaks its contract: {what}"))
}

/// The mean device, and devices three standard deviations from it in one number or in all.
fn corners() -> impl Iterator<Item = [f32; NORMALS]> {
    let single = (0..NORMALS).flat_map(|k| {
        [-3.0, 3.0].map(|xi| {
            let mut all = [0.0; NORMALS];
            all[k] = xi;
            all
        })
    });
    [[0.0; NORMALS], [-3.0; NORMALS], [3.0; NORMALS]].into_iter().chain(single)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{DeviceConfig, DeviceSettings, DeviceVisitor};
    use crate::kinds::Family;

    #[derive(Clone, Debug)]
    struct Broken {
        bounds: (f32, f32),
        symmetry_point: f32,
        step: f32,
        clamped: bool,
        noisy: bool,
    }

    impl Device for Broken {
        type Point = ();

        fn sample(&self, _xi: &[f32; NORMALS]) {}

        fn pulse(&self, _point: &(), w: f32, up: bool, xi: f32) -> f32 {
            let next = w + (if up { self.step } else { -self.step }) * (1.0 + xi);
            if self.clamped { next.clamp(self.bounds.0, self.bounds.1) } else { next }
        }

        fn symmetry_point(&self, _point: &()) -> f32 {
            self.symmetry_point
        }

        fn bounds(&self, _point: &()) -> (f32, f32) {
            self.bounds
        }

        fn weight_step(&self) -> f32 {
            self.step
        }

        fn noisy(&self) -> bool {
            self.noisy
        }

        fn parameters(&self, _point: &()) -> Vec<(&'static str, f32)> {
            Vec::new()
        }
    }

    #[test]
    fn each_breach_is_named() {
        let good = Broken { bounds: (-1.0, 1.0), symmetry_point: 0.0, step: 0.1, clamped: true, noisy: true };
        check_contract(&good).expect("keeps its contract");
        let nan = f32::NAN;
        for (model, words) in [
            (Broken { step: nan, ..good.clone() }, "weight_step must be positive and finite, not NaN"),
            (
                Broken { bounds: (-1.0, nan), ..good.clone() },
                "bounds must be finite, with 0 between them, not -1 and NaN",
            ),
            (Broken { bounds: (0.5, 1.0), ..good.clone() }, "with 0 between them"),
            (
                Broken { symmetry_point: 1.5, ..good.clone() },
                "symmetry point must be within its bounds -1 to 1, not 1.5",
            ),
            (Broken { clamped: false, ..good.clone() }, "must keep it within -1 to 1"),
            (Broken { noisy: false, ..good.clone() }, "must not depend on ξ"),
        ] {
            let message = check_contract(&model).expect_err("broken").to_string();
            assert!(message.contains(words), "{message}");
        }
    }

    struct Check;

    impl DeviceVisitor for Check {
        type Out = Result<()>;

        fn visit<S: DeviceSettings>(self, settings: &S) -> Result<()> {
            check_contract(&settings.build()?)
        }
    }

    #[test]
    fn built_in_models_keep_it() {
        for kind in DeviceConfig::KINDS {
            kind.default.expect("devices have defaults")().visit(Check).expect(kind.name);
        }
        for preset in DeviceConfig::PRESETS {
            (preset.make)().visit(Check).expect(preset.name);
        }
    }
}
