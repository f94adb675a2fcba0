//! The state of an array by name: what training changes, to be saved and put back bit for bit.

use super::{Crossbar, Setup};
use crate::device::Device;
use crate::ledger::{Counts, counters};
use crate::origin::{Origin, fingerprint};

/// The names of the states of the two devices of a pair.
pub(crate) const PAIR: [&str; 2] = ["plus", "minus"];

/// Everything about an array that training changes; the rest follows from its settings and seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// What it belongs to; `None` where an array does not say, which fits every array.
    pub origin: Option<Origin>,
    /// Weights, row-major.
    pub weights: Vec<f32>,
    /// The reference, row-major; empty if there is none.
    pub reference: Vec<f32>,
    /// What pulses made of the weights, row-major, where write noise hides it; else empty.
    pub persistent: Vec<f32>,
    /// g⁺ and g⁻ of the pairs, row-major, where the array has pairs.
    pub pairs: Option<[Vec<f32>; 2]>,
    /// Positions of the random streams.
    pub positions: StreamPositions,
    /// Operations so far.
    pub counts: Counts,
    /// Pulses per crosspoint, row-major; empty if not counted.
    pub pulses: Vec<u32>,
}

counters! {
    /// How often each operation of an array has drawn: the position of its next stream.
    pub struct StreamPositions {
        /// Vectors of forward products.
        pub forward,
        /// Vectors of transposed products.
        pub backward,
        /// Pulsed updates.
        pub update,
        /// Reads of lines.
        pub read,
        /// Lines that were sent pulses.
        pub line_pulse,
        /// Programmings and zero-shifts.
        pub program,
        /// Updates for which states could relax.
        pub elapsed,
    }
}

impl<D: Device> Crossbar<D> {
    /// What its snapshots belong to. The reference does not count, because it is in them; nor do effects from outside
    /// this crate, because nothing says how they print.
    pub(super) fn origin(&self) -> Origin {
        let Setup { periphery, pulse_trains, reliability, pair, seed, array, count_pulses, .. } = &self.setup;
        let settings = (&self.device, periphery, pulse_trains, reliability, count_pulses);
        let settings = match pair {
            None => fingerprint(&settings),
            Some(pair) => fingerprint(&(settings, pair)),
        };
        Origin { seed: *seed, number: *array, settings }
    }
}
