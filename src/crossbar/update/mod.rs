//! The stochastic pulsed update W ← W + lr·δxᵀ (in expectation) (GV16), driven by events: only
//! devices whose row and column fire in the same slot are touched, and only they draw noise.
//!
//! A column's devices get the pulses and reads of a batch in order; columns know nothing of each
//! other, so that threads can share a batch by columns with the same result.

mod apply;
mod coincidence;
mod draw;
mod plan;

pub(super) use coincidence::{Firing, bits};
pub use plan::{PulseTrains, UpdatePlan};

use super::faults::FaultPart;
use super::pairs::PairPart;
use super::tuning::{
    DRAW_MIN_LINES, DRAWN_UPDATES, FIRINGS_PER_DRAW, PARTS_PER_THREAD, PULSES_PER_SHARE, SHARED_DRAW_LINES,
};
use super::{Crossbar, DueRead, Line};
use crate::device::Device;
use crate::random::{Operation, Stream};
use crate::simd;
use crate::threads::Workers;
use apply::Apply;
use draw::{Draw, DrawScratch, Fire, Side};
use rayon::prelude::*;
use std::ops::Range;

/// Buffers of updates, kept between calls.
#[derive(Clone, Debug, Default)]
pub(super) struct UpdateScratch {
    firings: Vec<Firing>,
    draws: Vec<DrawScratch>,
    parts: Vec<PartScratch>,
}

/// Buffers of one part of the columns.
#[derive(Clone, Debug, Default)]
struct PartScratch {
    noise: Vec<f32>,
    written: Vec<f32>,
    /// The weights of these columns when they are read, one column after another.
    read: Vec<f32>,
}

/// A range of columns.
struct Part<'a, D: Device> {
    columns: Range<usize>,
    weights: &'a mut [f32],
    counters: &'a mut [u32],
    faults: Option<FaultPart<'a>>,
    pairs: Option<PairPart<'a, D>>,
    scratch: &'a mut PartScratch,
}

/// Drawn updates, and the reads of columns that are due in between.
struct Batch<'a, D: Device> {
    device: &'a D,
    rows: usize,
    points: &'a [D::Point],
    reference: &'a [f32],
    firings: &'a [Firing],
    reads: &'a [DueRead],
    /// Updates of the whole batch before these.
    before: usize,
    /// The stream of an update.
    stream: &'a (dyn Fn(usize, Operation) -> Stream + Sync),
}

impl<D: Device> Batch<'_, D> {
    fn run(&self, part: &mut Part<'_, D>) {
        let devices = part.columns.start * self.rows..part.columns.end * self.rows;
        part.scratch.read.clear();
        let mut reads = self.reads.iter().peekable();
        for (b, firing) in self.firings.iter().enumerate() {
            if firing.pulses > 0 {
                simd::run(Apply {
                    device: self.device,
                    firing,
                    stream: (self.stream)(b, Operation::Update),
                    noise: &mut part.scratch.noise,
                    rows: self.rows,
                    columns: part.columns.clone(),
                    points: &self.points[devices.clone()],
                    reference: self.reference.get(devices.clone()).unwrap_or_default(),
                    weights: match &mut part.faults {
                        Some(faults) if !faults.persistent.is_empty() => faults.persistent,
                        _ => part.weights,
                    },
                    pairs: part.pairs.as_mut(),
                    counters: part.counters,
                });
                if let Some(faults) = &mut part.faults {
                    let (columns, noise) = (part.columns.clone(), (self.stream)(b, Operation::WriteNoise));
                    let xi = &mut part.scratch.written;
                    faults.after_update(firing, columns, self.rows, part.weights, part.counters, &noise, xi);
                }
            }
            while let Some(read) = reads.next_if(|read| read.after <= self.before + b + 1) {
                if let Line::Column(column) = read.line
                    && part.columns.contains(&column)
                {
                    let start = (column - part.columns.start) * self.rows;
                    part.scratch.read.extend_from_slice(&part.weights[start..start + self.rows]);
                }
            }
        }
    }
}

impl<D: Device> Crossbar<D> {
    /// Updates in a row, and the reads of columns due in between, in the order of `v`.
    pub(super) fn pulsed_updates(
        &mut self,
        x: &[f32],
        delta: &[f32],
        lr: &[f32],
        (mut reads, mut v): (&[DueRead], &mut [f32]),
        workers: &Workers,
    ) {
        let mut scratch = std::mem::take(&mut self.update_scratch);
        let lines = self.rows + self.cols;
        let each = lines.saturating_mul(self.setup.pulse_trains.max_length as usize);
        let shared = if workers.threads() > 1 { SHARED_DRAW_LINES / lines } else { 0 };
        let drawn = (FIRINGS_PER_DRAW / each).clamp(1, DRAWN_UPDATES.max(shared));
        let vectors = x.chunks(drawn * self.cols).zip(delta.chunks(drawn * self.rows)).zip(lr.chunks(drawn));
        for (k, ((x, delta), lr)) in vectors.enumerate() {
            if scratch.firings.len() < lr.len() {
                scratch.firings.resize_with(lr.len(), Firing::default);
            }
            let firings = &mut scratch.firings[..lr.len()];
            self.draw(x, delta, lr, firings, &mut scratch.draws, workers);
            let due = reads.partition_point(|read| read.after <= k * drawn + lr.len());
            let (due_reads, later_reads) = reads.split_at(due);
            let (due_v, later_v) = v.split_at_mut(due * self.rows);
            self.apply(firings, &mut scratch.parts, k * drawn, (due_reads, due_v), workers);
            (reads, v) = (later_reads, later_v);
        }
        self.update_scratch = scratch;
    }

    /// Draws the trains of updates.
    fn draw(
        &self,
        x: &[f32],
        delta: &[f32],
        lr: &[f32],
        firings: &mut [Firing],
        scratch: &mut Vec<DrawScratch>,
        workers: &Workers,
    ) {
        let (rows, cols, steps) = (self.rows, self.cols, self.steps);
        let (seed, array, pulse_trains, step) =
            (self.setup.seed, self.setup.array, &self.setup.pulse_trains, f64::from(self.mean_step()));
        let draw = |scratch: &mut DrawScratch, b: usize, (((x, delta), lr), firings): (_, &mut [Firing])| {
            let first = steps.update + b as u64;
            simd::run(Draw { firings, pulse_trains, step, lr, x, delta, seed, array, first, scratch });
        };
        let threads = workers.threads().min(lr.len()).min(x.len().max(delta.len()) / DRAW_MIN_LINES);
        let each = if threads > 1 { lr.len().div_ceil(2 * threads) } else { lr.len() };
        let parts = lr.len().div_ceil(each);
        if scratch.len() < parts {
            scratch.resize_with(parts, DrawScratch::default);
        }
        if parts > 1 {
            let vectors = x.par_chunks(each * cols).zip(delta.par_chunks(each * rows)).zip(lr.par_chunks(each));
            let parts = scratch.par_iter_mut().zip(vectors.zip(firings.par_chunks_mut(each))).enumerate();
            workers.split(|| parts.for_each(|(k, (scratch, part))| draw(scratch, k * each, part)));
        } else {
            draw(&mut scratch[0], 0, (((x, delta), lr), firings));
        }
    }

    /// Applies drawn updates, `before` others of their batch before them, and makes the reads due after each.
    fn apply(
        &mut self,
        firings: &[Firing],
        scratch: &mut Vec<PartScratch>,
        before: usize,
        (reads, v): (&[DueRead], &mut [f32]),
        workers: &Workers,
    ) {
        let pulses = firings.iter().map(|firing| firing.pulses).sum::<u64>();
        let (seed, array, steps) = (self.setup.seed, self.setup.array, self.steps);
        let batch = Batch {
            device: &self.device,
            rows: self.rows,
            points: &self.points,
            reference: &self.reference,
            firings,
            reads,
            before,
            stream: &|b, operation| Stream::new(seed, array, operation, steps.update + b as u64),
        };
        let parts =
            if pulses < PULSES_PER_SHARE || workers.threads() == 1 { 1 } else { PARTS_PER_THREAD * workers.threads() };
        let width = self.cols.div_ceil(parts);
        let parts = self.cols.div_ceil(width);
        if scratch.len() < parts {
            scratch.resize_with(parts, PartScratch::default);
        }
        let (mut weights, mut counters) = (&mut *self.weights, self.pulse_counters.as_deref_mut().unwrap_or_default());
        let (rows, mut faults) = (self.rows, self.faults.as_mut().map(|faults| faults.part()));
        let mut pairs = self.pairs.as_mut().map(|pairs| pairs.part(&self.device, &self.points));
        let mut part = |(k, scratch): (usize, _)| {
            let columns = k * width..((k + 1) * width).min(self.cols);
            let devices = columns.len() * rows;
            Part {
                columns,
                weights: weights.split_off_mut(..devices).expect("whole columns"),
                counters: counters.split_off_mut(..devices.min(counters.len())).expect("whole columns"),
                faults: faults.as_mut().map(|faults| faults.split_off(devices)),
                pairs: pairs.as_mut().map(|pairs| pairs.split_off(devices)),
                scratch,
            }
        };
        if parts == 1 {
            batch.run(&mut part((0, &mut scratch[0])));
        } else {
            let mut parts: Vec<_> = scratch.iter_mut().take(parts).enumerate().map(part).collect();
            workers.split(|| parts.par_iter_mut().with_max_len(1).for_each(|part| batch.run(part)));
        }
        let readout = self.line_readout();
        let read = |first: usize, reads: &[DueRead], v: &mut [f32]| {
            let stream = |k| Stream::new(seed, array, Operation::Read, steps.read + (first + k) as u64);
            readout.read(reads.iter().map(|read| read.line), &stream, v);
        };
        if parts == 1 {
            v.copy_from_slice(&scratch[0].read);
            read(0, reads, v);
        } else {
            let mut weights: Vec<_> = scratch.iter().map(|scratch| scratch.read.as_slice()).collect();
            for (due, v) in reads.iter().zip(v.chunks_exact_mut(rows)) {
                if let Line::Column(column) = due.line {
                    v.copy_from_slice(weights[column / width].split_off(..rows).expect("a read"));
                }
            }
            let each = reads.len().div_ceil(workers.threads()).max(1);
            let shares = reads.par_chunks(each).zip(v.par_chunks_mut(each * rows)).enumerate();
            workers.split(|| shares.for_each(|(k, (reads, v))| read(k * each, reads, v)));
        }
        self.steps.update += firings.len() as u64;
        self.steps.read += reads.len() as u64;
        self.counts.updates += firings.len() as u64;
        self.counts.pulses += pulses;
        for firing in firings {
            self.counts.slots += firing.plan.map_or(0, |plan| u64::from(plan.slots));
            self.counts.row_firings += firing.row_firings();
            self.counts.column_firings += firing.column_firings();
        }
    }

    /// The trains that [`Array::update`](super::Array::update) would fire next on these arguments,
    /// as (slots × rows, slots × columns); the state stays as it is.
    pub fn next_pulse_trains(&self, x: &[f32], delta: &[f32], lr: f32) -> (Vec<bool>, Vec<bool>) {
        let (x_max, delta_max) = (f64::from(simd::max_abs(x)), f64::from(simd::max_abs(delta)));
        let Some(plan) = self.setup.pulse_trains.plan(f64::from(lr), f64::from(self.mean_step()), x_max, delta_max)
        else {
            return (Vec::new(), Vec::new());
        };
        let trains = |values: &[f32], gain, operation| {
            let mut side = Side::default();
            let stream = self.stream(operation, self.steps.update);
            simd::run(Fire { side: &mut side, values, gain, slots: plan.slots, stream });
            let mut fires = vec![false; plan.slots as usize * values.len()];
            for (s, fires) in fires.chunks_exact_mut(values.len()).enumerate() {
                side.slot(s).iter().for_each(|&c| fires[(side.lines[c as usize] >> 1) as usize] = true);
            }
            fires
        };
        (trains(delta, plan.row_gain, Operation::RowTrains), trains(x, plan.column_gain, Operation::ColumnTrains))
    }
}
