//! When a transfer is due, and of which line.

use crate::check::check_index;
use crate::crossbar::{Line, transpose};
use crate::error::Result;
use crate::rule::State;
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

/// The lines that are read from a fast array and written to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferLine {
    /// Columns: all outputs of one input.
    #[default]
    Column,
    /// Rows: all inputs of one output.
    Row,
}

impl TransferLine {
    /// Lines of an array of (rows, cols), and values of each.
    pub(in crate::rule) fn count(self, (rows, cols): (usize, usize)) -> (usize, usize) {
        match self {
            Self::Column => (cols, rows),
            Self::Row => (rows, cols),
        }
    }

    /// Row-major values of an array of (rows, cols) from line after line.
    pub(in crate::rule) fn by_rows(self, (rows, cols): (usize, usize), values: &[f32]) -> Vec<f32> {
        match self {
            Self::Column => transpose(values, rows, cols),
            Self::Row => values.to_vec(),
        }
    }

    /// Line after line from row-major values.
    pub(in crate::rule) fn by_lines(self, (rows, cols): (usize, usize), values: &[f32]) -> Vec<f32> {
        self.by_rows((cols, rows), values)
    }

    /// Line k.
    pub(in crate::rule) fn line(self, k: usize) -> Line {
        match self {
            Self::Column => Line::Column(k),
            Self::Row => Line::Row(k),
        }
    }
}

/// The vectors u_k that read a fast array and write the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadVectors {
    /// One line at a time.
    #[default]
    OneHot,
    /// Columns of a Hadamard matrix (PAT1): every device takes part in each read, which goes through
    /// the periphery of the forward product.
    Hadamard,
}

/// A transfer that is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::rule) struct Due {
    /// Samples of the batch that come before it.
    pub(in crate::rule) after: usize,
    /// The line, or the vector, that is read.
    pub(in crate::rule) k: usize,
    /// How often it was read before.
    pub(in crate::rule) read: u64,
    /// The sign of the line while it is read.
    pub(in crate::rule) sign: f32,
    /// Whether the sign flips then.
    pub(in crate::rule) flips: bool,
    /// How many arrays further than the next it is written: where the fastest array starts with the slower ones.
    pub(in crate::rule) further: usize,
}

/// One line after every so many samples (or mini-batches), all lines in turn.
#[derive(Clone, Debug)]
pub(in crate::rule) struct Schedule {
    every: u64,
    lines: u64,
    /// Samples (or mini-batches) so far.
    count: u64,
    /// The line due next.
    line: u64,
    /// Times that every line was due.
    sweeps: u64,
}

impl Schedule {
    pub(in crate::rule) fn new(every: u32, lines: usize) -> Self {
        Self { every: u64::from(every), lines: lines as u64, count: 0, line: 0, sweeps: 0 }
    }

    /// Samples (or mini-batches) per transfer.
    pub(in crate::rule) fn every(&self) -> u64 {
        self.every
    }

    /// Lines of a sweep.
    pub(in crate::rule) fn lines(&self) -> usize {
        self.lines as usize
    }

    /// Samples (or mini-batches) so far.
    pub(in crate::rule) fn counted(&self) -> u64 {
        self.count
    }

    /// Counts a sample (or mini-batch), the one number `after` of its batch; the transfer due after it, if one is.
    pub(in crate::rule) fn count(&mut self, after: usize) -> Option<Due> {
        self.count += 1;
        self.count.is_multiple_of(self.every).then(|| {
            let (k, read) = (self.line as usize, self.sweeps);
            self.line = (self.line + 1) % self.lines;
            self.sweeps += u64::from(self.line == 0);
            Due { after, k, read, sign: 1.0, flips: false, further: 0 }
        })
    }

    /// Adds where the schedule is to a state.
    pub(in crate::rule) fn save(&self, state: &mut State, name: &str) {
        state.add_count(&format!("{name}.count"), self.count);
        state.add_count(&format!("{name}.line"), self.line);
        state.add_count(&format!("{name}.sweeps"), self.sweeps);
    }

    /// The schedule where a state has it.
    ///
    /// # Errors
    /// Something is missing, or no such line.
    pub(in crate::rule) fn restored(&self, state: &State, name: &str) -> Result<Self> {
        let of = |field| state.count(&format!("{name}.{field}"));
        let (count, line, sweeps) = (of("count")?, of("line")?, of("sweeps")?);
        check_index(&format!("{name}.line"), line as usize, self.lines())?;
        Ok(Self { count, line, sweeps, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two lines, one every 3 samples.
    #[test]
    fn lines_take_turns() {
        let mut schedule = Schedule::new(3, 2);
        let due: Vec<_> = (1..=12).filter_map(|after| schedule.count(after)).map(|d| (d.after, d.k, d.read)).collect();
        assert_eq!(due, [(3, 0, 0), (6, 1, 0), (9, 0, 1), (12, 1, 1)]);
    }
}
