//! The state of an array by name: what training changes, to be saved and put back bit for bit.

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
