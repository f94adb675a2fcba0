//! What a training rule can ask of an array, whatever its devices.

use super::due::{check_due, one_by_one};
use super::mvm::{Products, Scratch};
use super::snapshot::PAIR;
use super::{Crossbar, Direction, DueRead, Inspect, Snapshot, Visible, transpose};
use crate::boxed::boxed_clone;
use crate::check::{check_index, check_len};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::ledger::Counts;
use crate::random::Operation;
use crate::threads::Workers;

/// A column (all outputs of one input) or a row (all inputs of one output) of W.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// W e_k: `rows` values.
    Column(usize),
    /// Wᵀ e_k: `cols` values.
    Row(usize),
}

impl Line {
    /// Values of the line in an array of (rows, cols), if it has such a line.
    pub(super) fn values(self, (rows, cols): (usize, usize)) -> Result<usize> {
        let (what, k, most, values) = match self {
            Self::Column(k) => ("column", k, cols, rows),
            Self::Row(k) => ("row", k, rows, cols),
        };
        check_index(what, k, most).map(|()| values)
    }
}

/// An array as training rules see it: object-safe, so that rules work on any device model.
///
/// Vectors of a batch lie one after another. W is `rows` × `cols`; values per crosspoint are row-major. A boxed array is
/// `Clone`; an array type needs to be `Clone` itself for that.
pub trait Array: Visible + Inspect + BoxedClone {
    /// δ: the mean step of the devices at w = 0, or of pairs at half their range, in units of weight.
    fn weight_step(&self) -> f32;

    /// One pulsed update W ← W + lr·δxᵀ in expectation; `lr` may be negative.
    fn update(&mut self, x: &[f32], delta: &[f32], lr: f32) -> Result<()>;

    /// [`update`](Array::update) with every sample of a batch in turn, sample b at the rate `lr[b]`, and
    /// the reads that fall due in between, in the order of `after`, one after another into `v`.
    ///
    /// An array may share the work among `workers`, but the result is that of one after another, which is
    /// the default.
    fn update_batch(
        &mut self,
        x: &[f32],
        delta: &[f32],
        lr: &[f32],
        reads: &[DueRead],
        v: &mut [f32],
        _workers: &Workers,
    ) -> Result<()> {
        one_by_one(self, x, delta, lr, reads, v)
    }

    /// v = W u through the read periphery, for any u.
    fn read(&mut self, u: &[f32], v: &mut [f32]) -> Result<()>;

    /// v = one line through the read periphery: as many operations as the line has devices.
    fn read_line(&mut self, line: Line, v: &mut [f32]) -> Result<()>;

    /// [`read_line`](Array::read_line) with the noise of read `draw` outside training; no state changes.
    fn peek_line(&self, draw: u64, line: Line, v: &mut [f32]) -> Result<()>;

    /// Sends |n| pulses of the sign of n to each device of a line.
    fn pulse_line(&mut self, line: Line, counts: &[i32]) -> Result<()>;

    /// [`pulse_line`](Array::pulse_line) line after line, the counts of each after those of the one before. An array may
    /// draw for all of them together; the result is the same.
    fn pulse_lines(&mut self, lines: &[Line], counts: &[i32]) -> Result<()> {
        let shape = self.shape();
        let all = lines.iter().map(|line| line.values(shape)).sum::<Result<usize>>()?;
        check_len("counts", counts.len(), all)?;
        let mut counts = counts;
        for &line in lines {
            let of_line = counts.split_off(..line.values(shape)?).expect("as many as the lines have devices");
            self.pulse_line(line, of_line)?;
        }
        Ok(())
    }

    /// Tells the array that so many updates have gone by: where devices relax, they do.
    fn elapse(&mut self, _updates: u64) {}

    /// Operations so far.
    fn counts(&self) -> Counts;

    /// The state, to continue from bit for bit.
    fn snapshot(&self) -> Snapshot;

    /// Whether [`restore`](Array::restore) accepts a snapshot.
    ///
    /// # Errors
    /// A snapshot of another shape, seed, number or of other settings, or with a reference or pulse counters where the
    /// array has none, or the reverse.
    fn check(&self, snapshot: &Snapshot) -> Result<()>;

    /// Puts back a snapshot of an array with the same settings and seed.
    ///
    /// # Errors
    /// Those of [`check`](Array::check); the array is then as it was.
    fn restore(&mut self, snapshot: &Snapshot) -> Result<()>;
}

boxed_clone!(BoxedClone of Array);

impl<D: Device> Array for Crossbar<D> {
    fn weight_step(&self) -> f32 {
        self.mean_step()
    }

    fn update(&mut self, x: &[f32], delta: &[f32], lr: f32) -> Result<()> {
        check_len("x", x.len(), self.cols)?;
        check_len("delta", delta.len(), self.rows)?;
        self.pulsed_updates(x, delta, &[lr], (&[], &mut []), &Workers::default());
        Ok(())
    }

    fn update_batch(
        &mut self,
        x: &[f32],
        delta: &[f32],
        lr: &[f32],
        reads: &[DueRead],
        v: &mut [f32],
        workers: &Workers,
    ) -> Result<()> {
        // A row crosses all columns, so that nothing may run ahead of it.
        if reads.iter().any(|read| matches!(read.line, Line::Row(_))) {
            return one_by_one(self, x, delta, lr, reads, v);
        }
        check_due(reads, lr.len(), self.shape(), v)?;
        check_len("x", x.len(), lr.len() * self.cols)?;
        check_len("delta", delta.len(), lr.len() * self.rows)?;
        self.pulsed_updates(x, delta, lr, (reads, v), workers);
        self.counts.line_reads += reads.len() as u64;
        self.counts.dac_conversions += reads.len() as u64;
        self.counts.adc_conversions += v.len() as u64;
        Ok(())
    }

    fn read(&mut self, u: &[f32], v: &mut [f32]) -> Result<()> {
        check_len("u", u.len(), self.cols)?;
        check_len("v", v.len(), self.rows)?;
        let noise = self.stream(Operation::Read, self.steps.read);
        let mut scratch = Scratch::default();
        let errors = self.converters.as_ref().map(|converters| converters.of_reads());
        let through = Products { mvm: &self.setup.periphery.read, errors, ..self.products(Direction::Forward) };
        let cost = through.one(noise, u, v, &mut scratch);
        self.steps.read += 1;
        self.counts.line_reads += cost.mvms;
        self.counts.retries += cost.retries;
        self.count_conversions(cost);
        Ok(())
    }

    fn read_line(&mut self, line: Line, v: &mut [f32]) -> Result<()> {
        self.line_through_periphery(self.stream(Operation::Read, self.steps.read), line, v)?;
        self.steps.read += 1;
        self.counts.line_reads += 1;
        self.counts.dac_conversions += 1;
        self.counts.adc_conversions += v.len() as u64;
        Ok(())
    }

    fn peek_line(&self, draw: u64, line: Line, v: &mut [f32]) -> Result<()> {
        self.line_through_periphery(self.stream(Operation::Peek, draw), line, v)
    }

    fn pulse_line(&mut self, line: Line, counts: &[i32]) -> Result<()> {
        self.pulse_lines(&[line], counts)
    }

    fn pulse_lines(&mut self, lines: &[Line], counts: &[i32]) -> Result<()> {
        self.send_to_lines(lines, counts)
    }

    fn elapse(&mut self, updates: u64) {
        if self.pairs.is_some() { self.refresh_pairs(updates) } else { self.relax(updates) }
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            origin: Some(self.origin()),
            weights: transpose(&self.weights, self.rows, self.cols),
            reference: transpose(&self.reference, self.rows, self.reference.len() / self.rows),
            persistent: transpose(self.persistent(), self.rows, self.persistent().len() / self.rows),
            pairs: self
                .pairs
                .as_ref()
                .map(|pairs| [&pairs.plus, &pairs.minus].map(|states| transpose(states, self.rows, self.cols))),
            positions: self.steps,
            counts: self.counts,
            pulses: self.pulse_counters.as_ref().map_or(Vec::new(), |n| transpose(n, self.rows, self.cols)),
        }
    }

    fn check(&self, snapshot: &Snapshot) -> Result<()> {
        check_len("weights", snapshot.weights.len(), self.weights.len())?;
        if let Some(origin) = snapshot.origin {
            self.origin().check("the array", origin)?;
        }
        if snapshot.reference.is_empty() != self.reference.is_empty() {
            let (has, other) = if self.reference.is_empty() { ("no", "one") } else { ("a", "none") };
            return Err(Error::Conflict(format!("the array has {has} reference, the state {other}")));
        }
        check_len("reference", snapshot.reference.len(), self.reference.len())?;
        check_len("persistent", snapshot.persistent.len(), self.persistent().len())?;
        if snapshot.pairs.is_some() != self.pairs.is_some() {
            return Err(Error::Conflict("the state must be of pairs exactly where the array has pairs".to_owned()));
        }
        for (name, states) in PAIR.into_iter().zip(snapshot.pairs.iter().flatten()) {
            check_len(name, states.len(), self.weights.len())?;
        }
        match &self.pulse_counters {
            Some(counters) => check_len("pulses", snapshot.pulses.len(), counters.len()),
            None => Ok(()),
        }
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.check(snapshot)?;
        let (rows, cols) = (self.rows, self.cols);
        let by_lines = |values: &[f32]| transpose(values, cols, rows);
        self.weights.copy_from_slice(&by_lines(&snapshot.weights));
        if !self.reference.is_empty() {
            self.reference.copy_from_slice(&by_lines(&snapshot.reference));
        }
        if let Some(counters) = &mut self.pulse_counters {
            counters.copy_from_slice(&transpose(&snapshot.pulses, self.cols, self.rows));
        }
        if let Some(faults) = &mut self.faults {
            if !faults.persistent.is_empty() {
                faults.persistent.copy_from_slice(&by_lines(&snapshot.persistent));
            }
            faults.hold_stuck(&self.weights, self.pulse_counters.as_deref());
        }
        if let Some(states) = &snapshot.pairs {
            self.restore_pairs(states.each_ref().map(|states| by_lines(states)));
        }
        (self.steps, self.counts) = (snapshot.positions, snapshot.counts);
        Ok(())
    }
}
