//! The state of an array by name: what training changes, to be saved and put back bit for bit.

use super::{Crossbar, transpose};
use crate::check::check_len;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ledger::Counts;

/// Everything about an array that training changes; the rest follows from its settings and seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Weights, row-major.
    pub weights: Vec<f32>,
    /// The reference, row-major; empty if there is none.
    pub reference: Vec<f32>,
    /// Positions of the random streams.
    pub positions: StreamPositions,
    /// Operations so far.
    pub counts: Counts,
    /// Pulses per crosspoint, row-major; empty if not counted.
    pub pulses: Vec<u32>,
}

/// How often each operation of an array has drawn: the position of its next stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamPositions {
    /// Vectors of forward products.
    pub forward: u64,
    /// Vectors of transposed products.
    pub backward: u64,
    /// Pulsed updates.
    pub update: u64,
    /// Reads of lines.
    pub read: u64,
    /// Lines that were sent pulses.
    pub line_pulse: u64,
    /// Programmings and zero-shifts.
    pub program: u64,
}

impl StreamPositions {
    /// The positions by name.
    pub fn fields(&mut self) -> [(&'static str, &mut u64); 6] {
        [
            ("forward", &mut self.forward),
            ("backward", &mut self.backward),
            ("update", &mut self.update),
            ("read", &mut self.read),
            ("line_pulse", &mut self.line_pulse),
            ("program", &mut self.program),
        ]
    }
}

impl<D: Device> Crossbar<D> {
    pub(super) fn take_snapshot(&self) -> Snapshot {
        Snapshot {
            weights: transpose(&self.weights, self.rows, self.cols),
            reference: transpose(&self.reference, self.rows, self.reference.len() / self.rows),
            positions: self.steps,
            counts: self.counts,
            pulses: self.pulse_counters.as_ref().map_or(Vec::new(), |n| transpose(n, self.rows, self.cols)),
        }
    }

    pub(super) fn check_snapshot(&self, snapshot: &Snapshot) -> Result<()> {
        check_len("weights", snapshot.weights.len(), self.weights.len())?;
        if snapshot.reference.is_empty() != self.reference.is_empty() {
            let (has, other) = if self.reference.is_empty() { ("no", "one") } else { ("a", "none") };
            return Err(Error::Conflict(format!("the array has {has} reference, the state {other}")));
        }
        check_len("reference", snapshot.reference.len(), self.reference.len())?;
        match &self.pulse_counters {
            Some(counters) => check_len("pulses", snapshot.pulses.len(), counters.len()),
            None => Ok(()),
        }
    }

    pub(super) fn put_back(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.check_snapshot(snapshot)?;
        let by_lines = |values: &[f32]| transpose(values, self.cols, self.rows);
        self.weights.copy_from_slice(&by_lines(&snapshot.weights));
        if !self.reference.is_empty() {
            self.reference.copy_from_slice(&by_lines(&snapshot.reference));
        }
        if let Some(counters) = &mut self.pulse_counters {
            counters.copy_from_slice(&transpose(&snapshot.pulses, self.cols, self.rows));
        }
        (self.steps, self.counts) = (snapshot.positions, snapshot.counts);
        Ok(())
    }
}
