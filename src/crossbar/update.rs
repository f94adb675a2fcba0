//! The stochastic pulsed update W ← W + lr·δxᵀ (in expectation) (GV16), driven by events: only
//! devices whose row and column fire in the same slot are touched, and only they draw noise.

use super::Crossbar;
use super::trains::{Plan, Side};
use crate::device::Device;
use crate::random::{Operation, Stream};
use crate::simd;

/// Slots handled at once: the train of a column is one word.
const WORD: u32 = u64::BITS;

/// Buffers of an update, kept between calls.
#[derive(Clone, Debug, Default)]
pub(super) struct UpdateScratch {
    rows: Side,
    columns: Side,
    trains: Vec<u64>,
    noise: Vec<f32>,
}

impl<D: Device> Crossbar<D> {
    /// One update; pulses are applied column by column, slot by slot, row by row, pulse p of the
    /// update with the normal p of its stream. Returns the pulses sent.
    pub(super) fn pulsed_update(&mut self, x: &[f32], delta: &[f32], lr: f32) -> u64 {
        let step = self.steps.update;
        self.steps.update += 1;
        let mut scratch = std::mem::take(&mut self.update_scratch);
        let mut sent = 0;
        if let Some(plan) = self.load(x, delta, lr, &mut scratch) {
            for first in (0..plan.slots).step_by(WORD as usize) {
                let count = WORD.min(plan.slots - first);
                self.fire(step, first, count, &mut scratch);
                sent = self.apply(step, sent, lr < 0.0, &mut scratch);
            }
        }
        self.update_scratch = scratch;
        sent
    }

    fn load(&self, x: &[f32], delta: &[f32], lr: f32, scratch: &mut UpdateScratch) -> Option<Plan> {
        let (x_max, delta_max) = (f64::from(simd::max_abs(x)), f64::from(simd::max_abs(delta)));
        let plan = self.trains.plan(f64::from(lr), f64::from(self.device.step()), x_max, delta_max)?;
        scratch.rows.load(delta, plan.row_gain);
        scratch.columns.load(x, plan.column_gain);
        Some(plan)
    }

    fn draw(&self, step: u64, first: u32, count: u32, scratch: &mut UpdateScratch) {
        let stream = |operation| Stream::new(self.seed, self.array, operation, step);
        scratch.rows.fire(&stream(Operation::RowTrains), first, count);
        scratch.columns.fire(&stream(Operation::ColumnTrains), first, count);
    }

    /// Draws at most a word of slots and gathers the train of every column.
    fn fire(&self, step: u64, first: u32, count: u32, scratch: &mut UpdateScratch) {
        self.draw(step, first, count, scratch);
        scratch.trains.clear();
        scratch.trains.resize(scratch.columns.lines.len(), 0);
        for s in 0..count as usize {
            for &c in scratch.columns.slot(s) {
                scratch.trains[c as usize] |= 1 << s;
            }
        }
    }

    /// Applies the coincidences of one word of slots; `sent` counts the pulses of the update so far.
    fn apply(&mut self, step: u64, sent: u64, negative: bool, scratch: &mut UpdateScratch) -> u64 {
        let UpdateScratch { rows, columns, trains, noise } = scratch;
        let total: u64 =
            (0..rows.starts.len() - 1).map(|s| rows.slot(s).len() as u64 * columns.slot(s).len() as u64).sum();
        if total == 0 {
            return sent;
        }
        noise.resize(total as usize, 0.0);
        if self.device.noisy() {
            Stream::new(self.seed, self.array, Operation::Update, step).normals(sent, noise);
        } else {
            noise.fill(0.0);
        }
        let mut xi = noise.iter();
        for (&line, &train) in columns.lines.iter().zip(&*trains) {
            if train == 0 {
                continue;
            }
            let start = (line >> 1) as usize * self.rows;
            let devices = start..start + self.rows;
            let points = &self.points[devices.clone()];
            let weights = &mut self.weights[devices.clone()];
            let reference = self.reference.get(devices.clone());
            let mut counters = self.pulse_counters.as_mut().map(|all| &mut all[devices]);
            let down = (line & 1) ^ u32::from(negative);
            let mut rest = train;
            while rest != 0 {
                let slot = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                for (&row, &xi) in rows.slot(slot).iter().zip(&mut xi) {
                    let row = rows.lines[row as usize];
                    let (i, up) = ((row >> 1) as usize, (row & 1) == down);
                    let r = reference.map_or(0.0, |r| r[i]);
                    weights[i] = self.device.pulse(&points[i], weights[i] + r, up, xi) - r;
                    if let Some(counters) = &mut counters {
                        counters[i] = counters[i].saturating_add(1);
                    }
                }
            }
        }
        sent + total
    }

    /// The trains that [`Array::update`](super::Array::update) would fire next on these arguments,
    /// as (slots × rows, slots × columns); the state stays as it is.
    pub fn next_trains(&self, x: &[f32], delta: &[f32], lr: f32) -> (Vec<bool>, Vec<bool>) {
        let mut scratch = UpdateScratch::default();
        let Some(plan) = self.load(x, delta, lr, &mut scratch) else {
            return (Vec::new(), Vec::new());
        };
        self.draw(self.steps.update, 0, plan.slots, &mut scratch);
        let spread = |side: &Side, width: usize| {
            let mut fires = vec![false; plan.slots as usize * width];
            for s in 0..plan.slots as usize {
                for &c in side.slot(s) {
                    fires[s * width + (side.lines[c as usize] >> 1) as usize] = true;
                }
            }
            fires
        };
        (spread(&scratch.rows, self.rows), spread(&scratch.columns, self.cols))
    }
}
