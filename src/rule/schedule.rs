//! When a transfer is due, and of which line.

use super::State;
use crate::check::check_index;
use crate::error::Result;

/// One line after every so many samples (or mini-batches), all lines in turn.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
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
    pub(super) fn new(every: u32, lines: usize) -> Self {
        Self { every: u64::from(every), lines: lines as u64, count: 0, line: 0, sweeps: 0 }
    }

    /// Lines of a sweep.
    pub(super) fn lines(&self) -> usize {
        self.lines as usize
    }

    /// Counts a sample (or mini-batch); whether a transfer is due after it.
    pub(super) fn count(&mut self) -> bool {
        self.count += 1;
        self.count.is_multiple_of(self.every)
    }

    /// The line due after `ahead` more transfers.
    pub(super) fn line(&self, ahead: usize) -> usize {
        (self.line as usize + ahead) % self.lines()
    }

    /// Times that every line was due.
    pub(super) fn sweeps(&self) -> u64 {
        self.sweeps
    }

    /// Moves on to the next line.
    pub(super) fn advance(&mut self) {
        self.line = (self.line + 1) % self.lines;
        self.sweeps += u64::from(self.line == 0);
    }

    /// Adds where the schedule is to a state.
    pub(super) fn save(&self, state: &mut State) {
        state.add_count("schedule.count", self.count);
        state.add_count("schedule.line", self.line);
        state.add_count("schedule.sweeps", self.sweeps);
    }

    /// The schedule where a state has it.
    ///
    /// # Errors
    /// Something is missing, or no such line.
    pub(super) fn restored(&self, state: &State) -> Result<Self> {
        let line = state.count("schedule.line")?;
        check_index("schedule.line", line as usize, self.lines())?;
        let (count, sweeps) = (state.count("schedule.count")?, state.count("schedule.sweeps")?);
        Ok(Self { count, line, sweeps, ..self.clone() })
    }
}
