//! The settings of TTv2; where sources differ, each choice is an option, the default first.

use crate::average::Weighting;
use crate::crossbar::{Periphery, PulseTrains, Reference};
use crate::device::DeviceConfig;
use crate::rule::AfterPulse;
use crate::settings::settings;
use serde::{Deserialize, Serialize};

/// What `transfer_every` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferUnit {
    /// Samples: single vectors (x, δ).
    #[default]
    Sample,
    /// Mini-batches.
    Batch,
}

/// The lines that are read from A and written to C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferLine {
    /// Columns: all outputs of one input.
    #[default]
    Column,
    /// Rows: all inputs of one output.
    Row,
}

/// How the learning rates are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LearningRates {
    /// By hand: `fast_lr` and `transfer_lr`.
    #[default]
    Manual,
    /// By R24's rules: `learning_rate`, `granularity`, `reads` and `memory`.
    R24,
}

settings! {
    /// Settings of TTv2.
    pub struct Ttv2 {
        /// lr_A: learning rate of A.
        pub fast_lr: f64 = 0.8, 0.0 to 1e3;
        /// λ_H: thresholds that H moves per read and unit of A; the schedule multiplies it.
        pub transfer_lr: f64 = 1.0, 0.0 to 1e6;
        /// ns: samples (or batches) per transfer of one line.
        pub transfer_every: u32 = 2, 1.0 to 1e9;
        /// What `transfer_every` counts.
        pub transfer_unit: TransferUnit = TransferUnit::Sample;
        /// The lines read from A and written to C.
        pub transfer_line: TransferLine = TransferLine::Column;
        /// What remains in H after a pulse.
        pub after_pulse: AfterPulse = AfterPulse::Zero;
        /// The fraction of H that remains under `after_pulse` "keep".
        pub keep: f64 = 0.0, 0.0 to 1.0;
        /// The most pulses per crossing: trunc(|H|) up to this.
        pub max_pulses: u32 = 1, 1.0 to 1e6;
        /// How the learning rates are set.
        pub rates: LearningRates = LearningRates::Manual;
        /// λ: learning rate of C under R24's rules; the schedule multiplies it.
        pub learning_rate: f64 = 0.1, 0.0 to 1e3;
        /// η₀: pulses to A per slot of a full train under R24's rules.
        pub granularity: f64 = 1.0, 1e-6 to 1e3;
        /// γ₀: reads to accumulate over under R24's rules.
        pub reads: f64 = 200.0, 1e-3 to 1e9;
        /// Samples in the running means of max|x| and max|δ| under R24's rules.
        pub memory: f64 = 100.0, 1.0 to 1e9;
        /// Devices of A, and of C unless `slow_device` is given.
        pub device: DeviceConfig = DeviceConfig::default(), checked;
        /// Devices of C.
        pub slow_device: Option<DeviceConfig> = None, checked;
        /// Periphery of both arrays.
        pub periphery: Periphery = Periphery::default(), checked;
        /// Pulse trains of A.
        pub pulse_trains: PulseTrains = PulseTrains::default(), checked;
        /// R: what counts as 0 on A.
        pub reference: Reference = Reference::ideal(), checked;
        /// What counts as weight 0 on C.
        pub slow_reference: Reference = Reference::default(), checked;
        /// How the reads of C that form averages are weighted.
        pub average: Weighting = Weighting::Uniform;
        /// Reads of a line that count in an exponential average.
        pub average_memory: f64 = 100.0, 1.0 to 1e9;
        /// Transfers of a line per read of it for its average.
        pub average_every: u32 = 1, 1.0 to 1e9;
        /// Converter range ± of the reads of C that form averages, in units of weight.
        pub average_bound: f64 = 1.5, 1e-6 to 1e6;
        /// Keep a counter of pulses per crosspoint.
        pub count_pulses: bool = false;
    }
}

impl Ttv2 {
    /// Devices of C.
    pub fn slow_device(&self) -> &DeviceConfig {
        self.slow_device.as_ref().unwrap_or(&self.device)
    }
}
