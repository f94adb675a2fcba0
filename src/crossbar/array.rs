//! What a training rule can ask of an array, whatever its devices.

use super::mvm::{Products, Scratch};
use super::pass::{Direction, MvmCost, Pass};
use super::{Crossbar, Programming, Steps, transpose};
use crate::device::Device;
use crate::error::{Error, Result, check_len};
use crate::ledger::Counts;
use crate::random::Operation;
use crate::workers::Workers;
use std::fmt::Debug;

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
        if k < most { Ok(values) } else { Err(Error::range(what, k as f64, format!("0 to {}", most - 1))) }
    }
}

/// A read of a line that falls due inside a batch of updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueRead {
    /// Updates of the batch that come before it: 1 or more.
    pub after: usize,
    /// The line to read.
    pub line: Line,
}

/// Everything about an array that training changes; the rest follows from its settings and seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Weights, row after row.
    pub weights: Vec<f32>,
    /// The reference, row after row; empty if there is none.
    pub reference: Vec<f32>,
    /// Positions of the random streams and the counts of the ledger.
    pub counters: Vec<u64>,
    /// Pulses per crosspoint, row after row; empty if not counted.
    pub pulses: Vec<u32>,
}

/// An array as training rules see it: object-safe, so that rules work on any device model.
///
/// ReadVectors of a batch lie one after another. W is `rows` × `cols`; slices per crosspoint go row after row.
pub trait Array: Debug + Send + Sync {
    /// (rows, cols): (outputs, inputs).
    fn shape(&self) -> (usize, usize);

    /// δ: the mean step of the devices at w = 0.
    fn weight_step(&self) -> f32;

    /// y = W x through the periphery, for every vector of a batch.
    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()>;

    /// z = Wᵀ δ through the periphery, for every vector of a batch.
    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()>;

    /// What threads that share a mini-batch ask for its products, where the array allows that: they are those of
    /// [`forward`](Array::forward) and [`backward`](Array::backward).
    fn passes(&self) -> Option<&dyn Pass> {
        None
    }

    /// Counts the products of `vectors` vectors that [`passes`](Array::passes) made, all of a mini-batch.
    fn passed(&mut self, _direction: Direction, _vectors: usize, _cost: MvmCost) {}

    /// y = W x through the periphery with the noise of vector `draw`, `draw + 1`, … of the evaluation
    /// stream; nothing in the array changes.
    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()>;

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

    /// [`read_line`](Array::read_line) with the noise of read `draw` outside training; nothing changes.
    fn peek_line(&self, draw: u64, line: Line, v: &mut [f32]) -> Result<()>;

    /// Sends |n| pulses of the sign of n to each device of a line.
    fn pulse_line(&mut self, line: Line, counts: &[i32]) -> Result<()>;

    /// [`pulse_line`](Array::pulse_line) line after line, the counts of each after those of the one before. An array may
    /// draw for all of them together; the result is the same.
    fn pulse_lines(&mut self, lines: &[Line], counts: &[i32]) -> Result<()> {
        let shape = self.shape();
        let all = lines.iter().try_fold(0, |all, line| Ok(all + line.values(shape)?))?;
        check_len("counts", counts.len(), all)?;
        let mut counts = counts;
        for &line in lines {
            let now = counts.split_off(..line.values(shape)?).expect("as many as the lines have devices");
            self.pulse_line(line, now)?;
        }
        Ok(())
    }

    /// The weights, without any periphery: for inspection and tests, no operation of hardware.
    fn weights(&self) -> Vec<f32>;

    /// Sets the weights, each clipped to what its device can hold.
    fn set_weights(&mut self, weights: &[f32]) -> Result<()>;

    /// Writes weights the way hardware does; returns the pulses sent.
    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64>;

    /// The reference array; zeros if there is none.
    fn reference(&self) -> Vec<f32>;

    /// Device constants by name, symmetry points among them, row after row.
    fn device_parameters(&self) -> Vec<(String, Vec<f32>)>;

    /// Operations so far.
    fn counts(&self) -> Counts;

    /// The state to go on from, bit for bit.
    fn snapshot(&self) -> Snapshot;

    /// Puts a snapshot of an array of the same settings and seed back.
    fn restore(&mut self, snapshot: &Snapshot) -> Result<()>;
}

/// Reads must come in order, after one of `updates` updates each, of lines that an array of `shape` has, and
/// `v` must hold them all.
fn check_due(reads: &[DueRead], updates: usize, shape: (usize, usize), v: &[f32]) -> Result<()> {
    let (mut least, mut values) = (1, 0);
    for read in reads {
        if !(least..=updates).contains(&read.after) {
            return Err(Error::range("after", read.after as f64, format!("{least} to {updates}")));
        }
        least = read.after;
        values += read.line.values(shape)?;
    }
    check_len("v", v.len(), values)
}

/// Updates and reads one after another.
fn one_by_one<A: Array + ?Sized>(
    array: &mut A,
    x: &[f32],
    delta: &[f32],
    lr: &[f32],
    reads: &[DueRead],
    v: &mut [f32],
) -> Result<()> {
    let (rows, cols) = array.shape();
    check_len("x", x.len(), lr.len() * cols)?;
    check_len("delta", delta.len(), lr.len() * rows)?;
    check_due(reads, lr.len(), (rows, cols), v)?;
    let (mut reads, mut v) = (reads.iter().peekable(), v);
    for (b, ((x, delta), &lr)) in x.chunks_exact(cols).zip(delta.chunks_exact(rows)).zip(lr).enumerate() {
        array.update(x, delta, lr)?;
        while let Some(read) = reads.next_if(|read| read.after <= b + 1) {
            let now = v.split_off_mut(..read.line.values((rows, cols))?).expect("as many values as lines");
            array.read_line(read.line, now)?;
        }
    }
    Ok(())
}

impl<D: Device> Crossbar<D> {
    fn products(&self, direction: Direction) -> Products<'_> {
        let (mvm, inputs, outputs) = match direction {
            Direction::Forward => (&self.periphery.forward, self.cols, self.rows),
            Direction::Backward => (&self.periphery.backward, self.rows, self.cols),
        };
        Products { lines: &self.weights, direction, mvm, inputs, outputs }
    }

    fn convert(&mut self, cost: MvmCost) {
        self.counts.dac_conversions += cost.dac;
        self.counts.adc_conversions += cost.adc;
    }

    /// The products of a whole batch, counted.
    fn multiply(&mut self, direction: Direction, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let cost = self.product(direction, 0, x, y, &mut scratch, workers);
        self.scratch = scratch;
        self.passed(direction, x.len() / self.products(direction).inputs, cost?);
        Ok(())
    }
}

impl<D: Device> Pass for Crossbar<D> {
    fn product(
        &self,
        direction: Direction,
        first: usize,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Vec<Scratch>,
        workers: &Workers,
    ) -> Result<MvmCost> {
        let (operation, step) = match direction {
            Direction::Forward => (Operation::Forward, self.steps.forward),
            Direction::Backward => (Operation::Backward, self.steps.backward),
        };
        let noise = |b| self.stream(operation, step + first as u64 + b);
        self.products(direction).run(noise, x, y, scratch, workers)
    }
}

impl<D: Device> Array for Crossbar<D> {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    fn weight_step(&self) -> f32 {
        self.device.weight_step()
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.multiply(Direction::Forward, x, y, workers)
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.multiply(Direction::Backward, delta, z, workers)
    }

    fn passes(&self) -> Option<&dyn Pass> {
        Some(self)
    }

    fn passed(&mut self, direction: Direction, vectors: usize, cost: MvmCost) {
        let (mvms, step) = match direction {
            Direction::Forward => (&mut self.counts.forward_mvms, &mut self.steps.forward),
            Direction::Backward => (&mut self.counts.backward_mvms, &mut self.steps.backward),
        };
        *mvms += cost.mvms;
        *step += vectors as u64;
        self.convert(cost);
    }

    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        let noise = |b| self.stream(Operation::Evaluate, draw + b);
        self.products(Direction::Forward).run(noise, x, y, &mut Vec::new(), workers)?;
        Ok(())
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
        let through = Products { mvm: &self.periphery.read, ..self.products(Direction::Forward) };
        let cost = through.group(|_| noise, u, v, &mut scratch);
        self.steps.read += 1;
        self.counts.line_reads += cost.mvms;
        self.convert(cost);
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
        self.counts.pulses += self.send_to_lines(lines, counts)?;
        Ok(())
    }

    fn weights(&self) -> Vec<f32> {
        transpose(&self.weights, self.rows, self.cols)
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        check_len("weights", weights.len(), self.weights.len())?;
        self.hold(&transpose(weights, self.cols, self.rows));
        Ok(())
    }

    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        self.write(target, method)
    }

    fn reference(&self) -> Vec<f32> {
        if self.reference.is_empty() {
            return vec![0.0; self.weights.len()];
        }
        transpose(&self.reference, self.rows, self.cols)
    }

    fn device_parameters(&self) -> Vec<(String, Vec<f32>)> {
        let names: Vec<_> = self.device.parameters(&self.points[0]).into_iter().map(|(name, _)| name).collect();
        let mut all: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(p, name)| ((*name).to_owned(), self.by_rows(|k| self.device.parameters(&self.points[k])[p].1)))
            .collect();
        all.push(("symmetry_point".to_owned(), self.symmetry_points()));
        all
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn snapshot(&self) -> Snapshot {
        let (s, c) = (&self.steps, &self.counts);
        Snapshot {
            weights: self.weights(),
            reference: if self.reference.is_empty() { Vec::new() } else { self.reference() },
            counters: vec![
                s.forward,
                s.backward,
                s.update,
                s.read,
                s.line_pulse,
                s.program,
                c.forward_mvms,
                c.backward_mvms,
                c.updates,
                c.pulses,
                c.line_reads,
                c.dac_conversions,
                c.adc_conversions,
            ],
            pulses: self.pulse_counters().unwrap_or_default(),
        }
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        check_len("weights", snapshot.weights.len(), self.weights.len())?;
        if snapshot.reference.is_empty() != self.reference.is_empty() {
            let (has, other) = if self.reference.is_empty() { ("no", "one") } else { ("a", "none") };
            return Err(Error::Conflict(format!("the array has {has} reference, the state {other}")));
        }
        check_len("reference", snapshot.reference.len(), self.reference.len())?;
        let Ok(k) = <[u64; 13]>::try_from(snapshot.counters.as_slice()) else {
            return Err(Error::Length { what: "counters", given: snapshot.counters.len(), expected: "13".into() });
        };
        if self.pulse_counters.is_some() {
            check_len("pulses", snapshot.pulses.len(), self.weights.len())?;
            self.pulse_counters = Some(transpose(&snapshot.pulses, self.cols, self.rows));
        }
        self.weights.copy_from_slice(&transpose(&snapshot.weights, self.cols, self.rows));
        if !self.reference.is_empty() {
            self.reference.copy_from_slice(&transpose(&snapshot.reference, self.cols, self.rows));
        }
        self.steps = Steps { forward: k[0], backward: k[1], update: k[2], read: k[3], line_pulse: k[4], program: k[5] };
        self.counts = Counts {
            forward_mvms: k[6],
            backward_mvms: k[7],
            updates: k[8],
            pulses: k[9],
            line_reads: k[10],
            dac_conversions: k[11],
            adc_conversions: k[12],
        };
        Ok(())
    }
}
