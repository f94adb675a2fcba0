//! What devices do besides answering pulses, as settings: some are stuck or wear out, states relax and diffuse, and what
//! a pulse has written is seen with an error.

use crate::error::Result;
use crate::kinds::{Preset, preset};
use crate::settings::settings;

settings! {
    /// How reliable the devices of an array are; everything off by default, which costs nothing.
    pub struct Reliability {
        /// Share of devices that are stuck: no pulse moves them.
        pub stuck: f64 = 0.0, 0.0 to 1.0;
        /// Stuck devices have states uniform in ± this, in units of weight; by default anywhere within their bounds.
        pub stuck_range: Option<f64> = None, 0.0 to 1e6;
        /// N: pulses that the median device endures; after them it is stuck.
        pub endurance: Option<f64> = None, 1.0 to 4e9;
        /// Standard deviation of ln N between devices.
        pub endurance_spread: f64 = 0.0, 0.0 to 10.0;
        /// τ: updates of the array in which a state of the median device relaxes to 1/e of its distance from rest.
        pub retention: Option<f64> = None, 1.0 to 1e15;
        /// Standard deviation of ln τ between devices.
        pub retention_spread: f64 = 0.0, 0.0 to 10.0;
        /// The state that devices relax to, in units of weight, within their bounds.
        pub rest: f64 = 0.0, -1e6 to 1e6;
        /// Standard deviation of that state between devices, in units of weight.
        pub rest_spread: f64 = 0.0, 0.0 to 1e6;
        /// σ_d: diffusion of states, in units of weight per square root of an update.
        pub diffusion: f64 = 0.0, 0.0 to 1e3;
        /// Updates after which states relax and diffuse, in closed form for all of them at once; more of them where
        /// rounding would keep states where they are (τ/65536, or without retention 10⁻¹³/σ_d²).
        pub relax_every: u32 = 100, 1.0 to 1e9;
        /// σ_w: standard deviation of what is seen of a state from what pulses made of it, new with each pulse, in units of
        /// weight.
        pub write_noise: f64 = 0.0, 0.0 to 1e3;
    }
}

impl Reliability {
    /// Yields by name: shares of stuck devices measured on published arrays.
    pub const PRESETS: &[Preset<Self>] = &[
        Preset {
            name: "reram-om",
            about: "13.5 % of an array of optimised ReRAM do not switch",
            source: GONG_2022,
            make: || Self { stuck: 0.135, ..Self::default() },
        },
        Preset {
            name: "reram-hfo2",
            about: "9.8 % of an array of HfO2 ReRAM do not switch",
            source: GONG_2022,
            make: || Self { stuck: 0.098, ..Self::default() },
        },
    ];

    /// The reliability of that name.
    ///
    /// # Errors
    /// A name that is not among [`PRESETS`](Reliability::PRESETS).
    pub fn preset(name: &str) -> Result<Self> {
        preset("reliability", Self::PRESETS, name)
    }

    /// Whether states change without pulses.
    pub(super) fn relaxes(&self) -> bool {
        self.retention.is_some() || self.diffusion > 0.0
    }

    /// Updates per step in which states relax and diffuse: in smaller ones, rounding would keep them where they are.
    pub(super) fn updates_per_step(&self) -> u64 {
        let relaxation = self.retention.map_or(0.0, |tau| tau / STEPS_PER_TIME_CONSTANT);
        let diffusion = if self.diffusion > 0.0 { (LEAST_MOVE / self.diffusion).powi(2) } else { 0.0 };
        let least = if self.retention.is_some() { relaxation } else { diffusion };
        u64::from(self.relax_every).max(least as u64)
    }

    /// Whether a device can be stuck.
    pub(super) fn sticks(&self) -> bool {
        self.stuck > 0.0 || self.endurance.is_some()
    }
}

/// The most steps in which states relax within one time constant.
const STEPS_PER_TIME_CONSTANT: f64 = 65536.0;

/// The least standard deviation of a step of diffusion, in units of weight: some units in the last place of 0.5.
const LEAST_MOVE: f64 = 3e-7;

const GONG_2022: &str = "Gong, Rasch et al., IEDM 2022, as in aihwkit";
