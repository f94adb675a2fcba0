//! Devices by name, from the literature.
//!
//! Weights are scaled so that the mean half range is 0.6, unless a source trains with another: initial weights and rates
//! then suit all of them. Numbers from aihwkit's presets are those of aihwkit 1.1.0; its write noise, lifetime and drift
//! are no part of these models. Numbers of NeuroSim's devices are those of Table I of Chen, Peng and Yu (2018), and of the
//! MELISO wrapper for EpiRAM and TaOx/HfOx.

use super::{
    ConstantStep, DeviceConfig, ExponentialStep, LinearStep, NeuroSim, OneSidedPair, SoftBounds, Spread,
    StepDistribution,
};
use crate::error::Result;
use crate::kinds::{Preset, preset};

const GONG_2018: &str = "Gong et al., Nat. Commun. 9:2102 (2018), as fitted in aihwkit";
const GONG_2022: &str = "Gong, Rasch et al., IEDM 2022, as in aihwkit";
const NEUROSIM: &str = "Chen, Peng and Yu, IEEE TCAD 37:3067 (2018), Table I";
const MELISO: &str = "device table of MELISO, in NeuroSim's terms";

impl DeviceConfig {
    /// The built-in devices by name, in the order in which they are listed.
    pub const PRESETS: &[Preset<Self>] = &[
        Preset {
            name: "ideal",
            about: "noiseless, 1200 equal steps, all devices equal",
            source: "",
            make: || ConstantStep::default().into(),
        },
        Preset {
            name: "gv16",
            about: "the RPU baseline",
            source: "Gokmen and Vlasov, Front. Neurosci. 10:333 (2016)",
            make: || gv16().into(),
        },
        Preset {
            name: "r24",
            about: "soft bounds at 20 states",
            source: "Rasch et al., Nat. Commun. 15:7133 (2024)",
            make: || SoftBounds { bound: 1.0, asymmetry: 0.3, ..SoftBounds::default() }.into(),
        },
        Preset { name: "reram", about: "ReRAM, exponential steps", source: GONG_2018, make: || reram().into() },
        Preset {
            name: "reram-soft-bounds",
            about: "the same ReRAM, soft bounds",
            source: GONG_2018,
            make: || reram_soft_bounds().into(),
        },
        Preset {
            name: "reram-om",
            about: "array of optimised ReRAM",
            source: GONG_2022,
            make: || reram_array(0.0949, (1.4839, 0.35), (-0.6192, 0.57), 0.7829, 0.4158).into(),
        },
        Preset {
            name: "reram-hfo2",
            about: "array of HfO2 ReRAM",
            source: GONG_2022,
            make: || reram_array(0.4622, (1.1490, 0.43), (-1.0284, 0.60), 0.7125, 0.2174).into(),
        },
        Preset {
            name: "capacitor",
            about: "capacitor cell in CMOS",
            source: "Li et al., VLSI 2018, as in aihwkit",
            make: || capacitor().into(),
        },
        Preset {
            name: "ecram",
            about: "lithium ECRAM",
            source: "Tang et al., IEDM 2018, as fitted in aihwkit",
            make: || ecram(0.002, (1.1724, -0.8276), (0.1153, 0.5085), 0.3).into(),
        },
        Preset {
            name: "ecram-mo",
            about: "metal-oxide ECRAM",
            source: "Kim et al., IEDM 2019, as fitted in aihwkit",
            make: || ecram(2.82e-4, (1.1714, -0.8286), (0.4152, 0.7342), 2.0).into(),
        },
        Preset {
            name: "pcm",
            about: "phase-change memory, one-sided pairs",
            source: "Nandakumar et al., Front. Neurosci. 14:406 (2020), as fitted in aihwkit",
            make: || pcm().into(),
        },
        Preset {
            name: "ag-si",
            about: "Ag:a-Si, on/off 12.5",
            source: NEUROSIM,
            make: || neurosim(97.0, 2.4, -4.88, 0.035).into(),
        },
        Preset {
            name: "taox-tio2",
            about: "TaOx/TiO2, on/off 2",
            source: NEUROSIM,
            make: || neurosim(102.0, 1.85, -1.79, 0.01).into(),
        },
        Preset {
            name: "pcmo",
            about: "PCMO, on/off 6.84",
            source: NEUROSIM,
            make: || neurosim(50.0, 3.68, -6.76, 0.01).into(),
        },
        Preset {
            name: "alox-hfo2",
            about: "AlOx/HfO2, on/off 4.43",
            source: NEUROSIM,
            make: || neurosim(40.0, 1.94, -0.61, 0.05).into(),
        },
        Preset {
            name: "epiram",
            about: "EpiRAM, on/off 50",
            source: MELISO,
            make: || neurosim(256.0, 0.5, -0.5, 0.02).into(),
        },
        Preset {
            name: "taox-hfox",
            about: "TaOx/HfOx, on/off 10",
            source: MELISO,
            make: || neurosim(128.0, 0.04, -0.63, 0.037).into(),
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

/// The mean half range of all presets but those whose source trains with another.
const BOUND: f64 = 0.6;

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

/// dw_min 0.00135 and noise 5 dw_min in a range of ±1; at weight 0 the exponentials make the step 1.5445 dw_min.
fn reram() -> ExponentialStep {
    let (dw_min, middle) = (0.00135, 1.5445);
    ExponentialStep {
        weight_step: Some(dw_min * middle * BOUND),
        up_amplitude: -1.18445,
        down_amplitude: -0.081_404,
        up_rate: 5.0,
        down_rate: 5.0,
        scale: -0.5,
        offset: -0.5,
        up_down: 0.259,
        cycle_noise: 5.0 / middle,
        step_spread: 0.2,
        bound_spread: 0.3,
        asymmetry: 0.05,
        ..ExponentialStep::default()
    }
}

/// dw_min 0.002 in a range of −0.75 to 1.25.
fn reram_soft_bounds() -> SoftBounds {
    SoftBounds {
        weight_step: Some(0.002 * BOUND),
        upper_bound: Some(1.25 * BOUND),
        lower_bound: Some(-0.75 * BOUND),
        cycle_noise: 3.75,
        spread: Some(Spread {
            up_step: 0.3,
            down_step: 0.3,
            upper_bound: 0.24,
            lower_bound: 0.4,
            correlation: common_steps(),
            ..Spread::default()
        }),
        ..SoftBounds::default()
    }
}

/// Soft bounds with log-normal steps, which an asymmetry of 0.01 hardly tells apart. Bounds with their spreads are those
/// that were measured.
fn reram_array(dw_min: f64, upper: (f64, f64), lower: (f64, f64), step_spread: f64, cycle_noise: f64) -> SoftBounds {
    let unit = 2.0 * BOUND / (upper.0 - lower.0);
    SoftBounds {
        weight_step: Some(dw_min * unit),
        upper_bound: Some(upper.0 * unit),
        lower_bound: Some(lower.0 * unit),
        cycle_noise,
        spread: Some(Spread {
            up_step: step_spread,
            down_step: step_spread,
            upper_bound: upper.1,
            lower_bound: lower.1,
            correlation: common_steps(),
            ..Spread::default()
        }),
        ..SoftBounds::default()
    }
}

/// Up and down steps vary together.
fn common_steps() -> Vec<Vec<f64>> {
    let mut rows = vec![vec![0.0; 6]; 6];
    (0..6).for_each(|k| rows[k][k] = 1.0);
    (rows[0][1], rows[1][0]) = (1.0, 1.0);
    rows
}

/// dw_min 0.005 in a range of ±1.
fn capacitor() -> LinearStep {
    LinearStep {
        weight_step: Some(0.005 * BOUND),
        up_slope: 0.05,
        down_slope: 0.05,
        cycle_noise: 0.3,
        step_spread: 0.1,
        bound_spread: 0.07,
        asymmetry: 0.06,
        ..LinearStep::default()
    }
}

fn ecram(dw_min: f64, bounds: (f64, f64), slopes: (f64, f64), cycle_noise: f64) -> LinearStep {
    LinearStep {
        weight_step: Some(dw_min * BOUND),
        upper_bound: Some(bounds.0 * BOUND),
        lower_bound: Some(bounds.1 * BOUND),
        up_slope: slopes.0,
        down_slope: slopes.1,
        cycle_noise,
        noise: super::CycleNoise::Multiplicative,
        step_spread: 0.1,
        bound_spread: 0.05,
        asymmetry: 0.01,
        ..LinearStep::default()
    }
}

/// dw_min 0.01 in a range of 0 to 2 for each device. At half of it the step is dw_min·(1 + 27.235 exp(−2.5)), and the noise
/// 0.6·(step + 0.042 + 0.108·1). z is 0 for a device that was reset and −2 for one that is full.
fn pcm() -> ExponentialStep {
    let (amplitude, rate) = (-27.235, 2.5);
    let step = 0.01 * (1.0 - amplitude * f64::exp(-rate));
    let unit = 0.5 * BOUND;
    let mut bounds = common_steps();
    (bounds[2][3], bounds[3][2]) = (1.0, 1.0);
    ExponentialStep {
        weight_step: Some(step * unit),
        bound: unit,
        up_amplitude: amplitude,
        down_amplitude: amplitude,
        up_rate: rate,
        down_rate: -rate,
        scale: -1.0,
        offset: -1.0,
        cycle_noise: 0.6 * (step + 0.042 + 0.108) / step,
        spread: Some(Spread {
            up_step: 0.2,
            down_step: 0.2,
            upper_bound: 0.1,
            lower_bound: 0.1,
            distribution: StepDistribution::Normal,
            correlation: bounds,
            ..Spread::default()
        }),
        pair: Some(OneSidedPair::default()),
        ..ExponentialStep::default()
    }
}

fn neurosim(levels: f64, up: f64, down: f64, cycle_to_cycle: f64) -> NeuroSim {
    NeuroSim { levels, up_nonlinearity: up, down_nonlinearity: down, cycle_to_cycle, ..NeuroSim::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_have_names() {
        for preset in DeviceConfig::PRESETS {
            let device = DeviceConfig::preset(preset.name).expect("a preset");
            device.validate().expect("valid");
            let (lower, upper) = device.mean().expect("valid").bounds;
            let range = if preset.name == "r24" { 2.0 } else { 2.0 * BOUND };
            assert!((upper - lower - range).abs() < 1e-5, "{}: {lower} to {upper}", preset.name);
        }
        let message = DeviceConfig::preset("r42").expect_err("no such preset").to_string();
        assert!(message.contains("r42") && message.contains("ideal, gv16, r24"), "{message}");
    }
}
