//! Averages over iterates, from reads of what the network sees.

use super::schedule::TransferLine;
use crate::average::{LineAverage, Weighting};
use crate::crossbar::Visible;
use crate::error::Result;
use crate::rule::State;

/// How reads become averages.
#[derive(Clone, Copy, Debug)]
pub(in crate::rule) struct Averaging {
    pub(in crate::rule) weighting: Weighting,
    /// Reads of a line that count in an exponential average.
    pub(in crate::rule) memory: f64,
    /// Transfers of a line, or mini-batches, per read.
    pub(in crate::rule) every: u32,
}

/// The averages of one array.
#[derive(Clone, Debug)]
pub(in crate::rule) struct Averages {
    lines: LineAverage,
    line: TransferLine,
    shape: (usize, usize),
    every: u64,
    /// Whether they are being gathered.
    pub(in crate::rule) on: bool,
}

impl Averages {
    /// Those of an array of (rows, cols), none read yet.
    pub(in crate::rule) fn new(of: Averaging, line: TransferLine, shape: (usize, usize)) -> Self {
        let (lines, width) = line.count(shape);
        let lines = LineAverage::new(lines, width, of.weighting, of.memory);
        Self { lines, line, shape, every: u64::from(of.every), on: false }
    }

    /// Whether line k is to be read after event number n of it. Lines that only a larger matrix of read vectors has are not.
    pub(in crate::rule) fn due(&self, k: usize, n: u64) -> bool {
        self.on && k < self.lines.reads().len() && n.is_multiple_of(self.every)
    }

    /// The line that is to be read after event number n, if lines are read in turn.
    pub(in crate::rule) fn in_turn(&self, n: u64) -> Option<usize> {
        let k = (n / self.every % self.lines.reads().len().max(1) as u64) as usize;
        self.due(k, n).then_some(k)
    }

    /// Takes one read of line k.
    pub(in crate::rule) fn add(&mut self, k: usize, read: &[f32]) -> Result<()> {
        self.lines.add(k, read)
    }

    /// The averages, row-major; lines that were not read yet come from what the network sees now. `None` if none was.
    pub(in crate::rule) fn whole(&self, seen: &dyn Visible) -> Result<Option<Vec<f32>>> {
        let reads = self.lines.reads();
        if reads.iter().all(|&n| n == 0) {
            return Ok(None);
        }
        let mut average = self.line.by_rows(self.shape, self.lines.means());
        if reads.contains(&0) {
            let (cols, read) = (self.shape.1, seen.read_weights(0)?);
            for (at, (mean, read)) in average.iter_mut().zip(read).enumerate() {
                let line = match self.line {
                    TransferLine::Column => at % cols,
                    TransferLine::Row => at / cols,
                };
                if reads[line] == 0 {
                    *mean = read;
                }
            }
        }
        Ok(Some(average))
    }

    /// Adds them to a state.
    pub(in crate::rule) fn save(&self, state: &mut State) {
        let (rows, cols) = self.shape;
        state.add_floats("average", &[rows, cols], self.line.by_rows(self.shape, self.lines.means()));
        state.add_counters("average_reads", &[self.lines.reads().len()], self.lines.reads().to_vec());
        state.add_count("averaging", u64::from(self.on));
    }

    /// Those of a state.
    ///
    /// # Errors
    /// Something is missing or does not fit.
    pub(in crate::rule) fn restored(&self, state: &State) -> Result<Self> {
        let means = self.line.by_lines(self.shape, state.matrix("average", self.shape)?);
        let lines = self.lines.restored(&means, state.counters("average_reads")?)?;
        Ok(Self { lines, on: state.count("averaging")? != 0, ..self.clone() })
    }
}
