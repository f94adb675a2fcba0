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

/// The devices of one column, and the sign that turns its pulses down.
struct Column<'a, D: Device> {
    device: &'a D,
    points: &'a [D::Point],
    reference: &'a [f32],
    weights: &'a mut [f32],
    counters: &'a mut [u32],
    down: u32,
}

impl<D: Device> Column<'_, D> {
    /// Applies the coincidences of `train` with the rows; returns what is left of the normals.
    fn apply<'n, const REFERRED: bool, const COUNTED: bool>(
        self,
        rows: &Side,
        mut train: u64,
        mut xi: &'n [f32],
    ) -> &'n [f32] {
        while train != 0 {
            let slot = rows.slot(train.trailing_zeros() as usize);
            train &= train - 1;
            let (now, later) = xi.split_at(slot.len());
            xi = later;
            for (&row, &xi) in slot.iter().zip(now) {
                let row = rows.lines[row as usize];
                let (i, up) = ((row >> 1) as usize, (row & 1) == self.down);
                let r = if REFERRED { self.reference[i] } else { 0.0 };
                self.weights[i] = self.device.pulse(&self.points[i], self.weights[i] + r, up, xi) - r;
                if COUNTED {
                    self.counters[i] = self.counters[i].saturating_add(1);
                }
            }
        }
        xi
    }
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
        let mut xi = noise.as_slice();
        for (&line, &train) in columns.lines.iter().zip(&*trains).filter(|(_, train)| **train != 0) {
            let start = (line >> 1) as usize * self.rows;
            let devices = start..start + self.rows;
            let column = Column {
                device: &self.device,
                points: &self.points[devices.clone()],
                reference: self.reference.get(devices.clone()).unwrap_or_default(),
                weights: &mut self.weights[devices.clone()],
                counters: self.pulse_counters.as_mut().map_or(&mut [], |all| &mut all[devices]),
                down: (line & 1) ^ u32::from(negative),
            };
            // What an array does not have costs nothing in the loop over its pulses.
            xi = match (column.reference.is_empty(), column.counters.is_empty()) {
                (true, true) => column.apply::<false, false>(rows, train, xi),
                (true, false) => column.apply::<false, true>(rows, train, xi),
                (false, true) => column.apply::<true, false>(rows, train, xi),
                (false, false) => column.apply::<true, true>(rows, train, xi),
            };
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
