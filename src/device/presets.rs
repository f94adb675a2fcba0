//! Devices by name.

use super::{ConstantStep, DeviceConfig, SoftBounds};
use crate::error::Result;
use crate::kinds::{Preset, preset};

impl DeviceConfig {
    /// The built-in devices by name, in the order in which they are listed.
    pub const PRESETS: &[Preset<Self>] = &[
        Preset {
            name: "ideal",
            about: "noiseless, 1200 equal steps, all devices equal",
            make: || ConstantStep::default().into(),
        },
        Preset { name: "gv16", about: "the RPU baseline of GV16", make: || gv16().into() },
        Preset {
            name: "r24",
            about: "the defaults of R24 at 20 states",
            make: || SoftBounds { bound: 1.0, asymmetry: 0.3, ..SoftBounds::default() }.into(),
        },
    ];

    /// The device of that name.
    ///
    /// # Errors
    /// A name that is not among [`PRESETS`](DeviceConfig::PRESETS).
    pub fn preset(name: &str) -> Result<Self> {
        preset("device", Self::PRESETS, name)
    }
}

fn gv16() -> ConstantStep {
    ConstantStep {
        weight_step: Some(0.001),
        cycle_noise: 0.3,
        step_spread: 0.3,
        bound_spread: 0.3,
        asymmetry: 0.01,
        ..ConstantStep::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_have_names() {
        for preset in DeviceConfig::PRESETS {
            DeviceConfig::preset(preset.name).expect("a preset").validate().expect("valid");
        }
        let message = DeviceConfig::preset("r42").expect_err("no such preset").to_string();
        assert!(message.contains("r42") && message.contains("ideal, gv16, r24"), "{message}");
    }
}
