//! What a rule with fast arrays is made of, as data.

use crate::crossbar::{Periphery, PulseTrains, Reference, Reliability};
use crate::device::DeviceConfig;
use crate::rule::TileSize;
use crate::rule::parts::averages::Averaging;
use crate::rule::parts::chopper::Chopping;
use crate::rule::parts::filter::Filtering;
use crate::rule::parts::rates::Rates;
use crate::rule::parts::response::Response;
use crate::rule::parts::schedule::{ReadVectors, TransferLine, TransferUnit};
use crate::rule::parts::tracker::Tracking;
use crate::settings::Settings;
use std::fmt::Debug;

/// The parts of a rule.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The rates of the gradient into the fastest array, and of the last transfer, into C.
    pub(in crate::rule) rates: Rates,
    /// What `every` of the stages counts.
    pub(in crate::rule) unit: TransferUnit,
    /// The lines that are read and written.
    pub(in crate::rule) line: TransferLine,
    /// From the fastest array to the next, from that to the next, …, and into C.
    pub(in crate::rule) stages: Vec<StageParts>,
    /// Samples (or mini-batches) for which the fastest array writes to each slower one in turn, C first, before all
    /// stages run; 0 for none.
    pub(in crate::rule) warm_start: u64,
}

impl Parts {
    /// A rule with one fast array.
    pub(in crate::rule) fn of(stage: StageParts, rates: Rates, unit: TransferUnit, line: TransferLine) -> Self {
        let rates = Rates { response: Response::new(stage.chopper, stage.tracker), ..rates };
        Self { rates, unit, line, stages: vec![stage], warm_start: 0 }
    }
}

/// One fast array and the transfer from it to the next.
#[derive(Clone, Debug)]
pub(in crate::rule) struct StageParts {
    /// Samples (or mini-batches) per transfer of one line.
    pub(in crate::rule) every: u32,
    /// The vectors that read the array.
    pub(in crate::rule) vectors: ReadVectors,
    /// Share of the array in what the network sees.
    pub(in crate::rule) share: f64,
    /// How the signs of its lines flip, and how often.
    pub(in crate::rule) chopper: (Chopping, f64),
    /// Its tracked reference.
    pub(in crate::rule) tracker: Option<Tracking>,
    pub(in crate::rule) write: Write,
}

impl StageParts {
    /// A stage that writes what it reads, one line every `every` samples.
    pub(in crate::rule) fn new(every: u32, write: Write) -> Self {
        let (vectors, chopper) = (ReadVectors::OneHot, (Chopping::Regular, 0.0));
        Self { every, vectors, share: 0.0, chopper, tracker: None, write }
    }
}

/// How a read becomes pulses of the next array.
#[derive(Clone, Copy, Debug)]
pub(in crate::rule) enum Write {
    /// A pulsed update at a rate: that of the rule where the next array is C, else the one given.
    Trains(f64),
    /// The filter H, and pulses where it crosses its threshold.
    Pulses(Filtering),
}

/// The arrays of a rule and the averages of their reads, as every rule with fast arrays has them.
#[derive(Clone, Copy, Debug)]
pub struct Hardware<'a> {
    /// Devices of the fast arrays.
    pub(in crate::rule) device: &'a DeviceConfig,
    /// Devices of C.
    pub(in crate::rule) slow_device: &'a DeviceConfig,
    pub(in crate::rule) periphery: &'a Periphery,
    pub(in crate::rule) reliability: &'a Reliability,
    pub(in crate::rule) pulse_trains: &'a PulseTrains,
    /// What counts as 0 on fast arrays.
    pub(in crate::rule) reference: &'a Reference,
    /// What counts as weight 0 on C.
    pub(in crate::rule) slow_reference: &'a Reference,
    pub(in crate::rule) averaging: Averaging,
    /// Converter range of reads of C.
    pub(in crate::rule) average_bound: f64,
    pub(in crate::rule) tile: Option<TileSize>,
    pub(in crate::rule) count_pulses: bool,
}

/// Settings that say which arrays a rule runs on.
pub trait ArraySettings {
    /// The arrays.
    fn hardware(&self) -> Hardware<'_>;
}

/// The settings of a rule with fast arrays: any of them runs on the same engine, [`TransferRule`](super::TransferRule).
pub trait TransferSettings: ArraySettings + Debug + Settings {
    /// The name of the rule, and what its arrays do, for its description.
    fn about(&self) -> (&'static str, String);

    /// What the rule is made of.
    fn parts(&self) -> Parts;
}
