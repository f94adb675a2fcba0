//! The settings of TTv2; where sources differ, each choice is an option, the default first.

use crate::average::Weighting;
use crate::check::Limit;
use crate::crossbar::{Periphery, PulseTrains, Reference};
use crate::device::DeviceConfig;
use crate::rule::AfterPulse;
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

/// Settings of TTv2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ttv2 {
    /// lr_A: learning rate of A.
    pub fast_lr: f64,
    /// λ_H: thresholds that H moves per read and unit of A; the schedule multiplies it.
    pub transfer_lr: f64,
    /// ns: samples (or batches) per transfer of one line.
    pub transfer_every: u32,
    /// What `transfer_every` counts.
    pub transfer_unit: TransferUnit,
    /// The lines read from A and written to C.
    pub transfer_line: TransferLine,
    /// What remains in H after a pulse.
    pub after_pulse: AfterPulse,
    /// The fraction of H that remains under `after_pulse` "keep".
    pub keep: f64,
    /// The most pulses per crossing: trunc(|H|) up to this.
    pub max_pulses: u32,
    /// How the learning rates are set.
    pub rates: LearningRates,
    /// λ: learning rate of C under R24's rules; the schedule multiplies it.
    pub learning_rate: f64,
    /// η₀: pulses to A per slot of a full train under R24's rules.
    pub granularity: f64,
    /// γ₀: reads to accumulate over under R24's rules.
    pub reads: f64,
    /// Samples in the running means of max|x| and max|δ| under R24's rules.
    pub memory: f64,
    /// Devices of A, and of C unless `slow_device` is given.
    pub device: DeviceConfig,
    /// Devices of C.
    pub slow_device: Option<DeviceConfig>,
    /// Periphery of both arrays.
    pub periphery: Periphery,
    /// Pulse trains of A.
    pub pulse_trains: PulseTrains,
    /// R: what counts as 0 on A.
    pub reference: Reference,
    /// What counts as weight 0 on C.
    pub slow_reference: Reference,
    /// How the reads of C that form averages are weighted.
    pub average: Weighting,
    /// Reads of a line that count in an exponential average.
    pub average_memory: f64,
    /// Transfers of a line per read of it for its average.
    pub average_every: u32,
    /// Converter range ± of the reads of C that form averages, in units of weight.
    pub average_bound: f64,
    /// Keep a counter of pulses per crosspoint.
    pub count_pulses: bool,
}

impl Default for Ttv2 {
    fn default() -> Self {
        Self {
            fast_lr: 0.8,
            transfer_lr: 1.0,
            transfer_every: 2,
            transfer_unit: TransferUnit::Sample,
            transfer_line: TransferLine::Column,
            after_pulse: AfterPulse::Zero,
            keep: 0.0,
            max_pulses: 1,
            rates: LearningRates::Manual,
            learning_rate: 0.1,
            granularity: 1.0,
            reads: 200.0,
            memory: 100.0,
            device: DeviceConfig::default(),
            slow_device: None,
            periphery: Periphery::default(),
            pulse_trains: PulseTrains::default(),
            reference: Reference::ideal(),
            slow_reference: Reference::default(),
            average: Weighting::Uniform,
            average_memory: 100.0,
            average_every: 1,
            average_bound: 1.5,
            count_pulses: false,
        }
    }
}

impl Ttv2 {
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = &[
        Limit { field: "fast_lr", min: 0.0, max: 1e3, get: |s| Some(s.fast_lr) },
        Limit { field: "transfer_lr", min: 0.0, max: 1e6, get: |s| Some(s.transfer_lr) },
        Limit { field: "transfer_every", min: 1.0, max: 1e9, get: |s| Some(f64::from(s.transfer_every)) },
        Limit { field: "keep", min: 0.0, max: 1.0, get: |s| Some(s.keep) },
        Limit { field: "max_pulses", min: 1.0, max: 1e6, get: |s| Some(f64::from(s.max_pulses)) },
        Limit { field: "learning_rate", min: 0.0, max: 1e3, get: |s| Some(s.learning_rate) },
        Limit { field: "granularity", min: 1e-6, max: 1e3, get: |s| Some(s.granularity) },
        Limit { field: "reads", min: 1e-3, max: 1e9, get: |s| Some(s.reads) },
        Limit { field: "memory", min: 1.0, max: 1e9, get: |s| Some(s.memory) },
        Limit { field: "average_memory", min: 1.0, max: 1e9, get: |s| Some(s.average_memory) },
        Limit { field: "average_every", min: 1.0, max: 1e9, get: |s| Some(f64::from(s.average_every)) },
        Limit { field: "average_bound", min: 1e-6, max: 1e6, get: |s| Some(s.average_bound) },
    ];

    /// Devices of C.
    pub fn slow_device(&self) -> &DeviceConfig {
        self.slow_device.as_ref().unwrap_or(&self.device)
    }
}
