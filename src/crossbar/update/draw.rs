//! Draws the pulse trains of updates: which rows and columns fire in which slots.

use super::coincidence::Firing;
use super::plan::PulseTrains;
use crate::crossbar::active::Active;
use crate::crossbar::tuning::WORDS_PER_DRAW;
use crate::random::{Operation, ScatteredNumbers, Stream};
use crate::simd::{self, Below, Isa, Kernel, LANES, MaxAbs};

/// Updates to be drawn.
pub(super) struct Draw<'a> {
    pub(super) firings: &'a mut [Firing],
    pub(super) pulse_trains: &'a PulseTrains,
    /// δ of the devices.
    pub(super) step: f64,
    pub(super) lr: &'a [f32],
    pub(super) x: &'a [f32],
    pub(super) delta: &'a [f32],
    /// The streams are those of this array, the first update at this index.
    pub(super) seed: u64,
    pub(super) array: u64,
    pub(super) first: u64,
    pub(super) scratch: &'a mut DrawScratch,
}

/// Words of the rows of updates in which few rows can fire, drawn for all of them at once; kept between draws.
#[derive(Clone, Debug, Default)]
pub(super) struct DrawScratch {
    few: ScatteredNumbers,
    words: Vec<u32>,
}

impl Kernel for Draw<'_> {
    type Out = ();

    /// Draws every slot. Pulses are numbered part by part, column by column, slot by slot, row by row. A negative rate
    /// reverses them all.
    #[inline(always)]
    fn run<M: Isa>(self) {
        let Self { firings, pulse_trains, step, lr, x, delta, seed, array, first, scratch } = self;
        let (cols, rows) = (x.len() / lr.len(), delta.len() / lr.len());
        let updates = || (first..).zip(x.chunks_exact(cols)).zip(delta.chunks_exact(rows));
        scratch.few.clear();
        let stream = |operation, k| Stream::new(seed, array, operation, k);
        for ((((k, x), delta), firing), &lr) in updates().zip(&mut *firings).zip(lr) {
            firing.clear();
            let (x_max, delta_max) = (MaxAbs(x).run::<M>(), MaxAbs(delta).run::<M>());
            firing.plan = pulse_trains.plan(f64::from(lr), step, f64::from(x_max), f64::from(delta_max));
            let Some(plan) = firing.plan else { continue };
            firing.negative = lr < 0.0;
            firing.rows.load::<M>(delta, plan.row_gain);
            let words = firing.rows.lines.len() * plan.slots as usize;
            firing.row_words = (words <= ScatteredNumbers::FEW)
                .then(|| scratch.few.push(&stream(Operation::RowTrains, k), 0..words as u64));
        }
        scratch.few.words(&stream(Operation::RowTrains, 0), &mut scratch.words);
        for (((k, x), _), firing) in updates().zip(firings) {
            let Some(plan) = firing.plan else { continue };
            match firing.row_words {
                Some(at) => firing.rows.fire_with::<M>(&scratch.words[at..], plan.slots),
                None => firing.rows.fire::<M>(&stream(Operation::RowTrains, k), plan.slots),
            }
            if firing.rows.fired() > 0 {
                firing.columns.load::<M>(x, plan.column_gain);
                firing.columns.fire::<M>(&stream(Operation::ColumnTrains, k), plan.slots);
                firing.intersect(plan.slots as usize, rows);
            }
        }
    }
}

/// One side of an update: the lines with a value other than zero, and their firing thresholds.
#[derive(Clone, Debug, Default)]
pub(in crate::crossbar) struct Side {
    /// Line number · 2 + (value < 0), for each active line.
    pub(in crate::crossbar) lines: Vec<u32>,
    active: Active,
    thresholds: Vec<u32>,
    words: Vec<u32>,
    /// Positions in `lines` that fired, slot after slot; longer than it is full.
    fired: Vec<u32>,
    /// Where each slot starts in `fired`; one more entry than slots.
    starts: Vec<usize>,
}

impl Side {
    /// Takes the values of one side; a firing probability is `gain`·|value|, at most 1.
    #[inline(always)]
    pub(super) fn load<M: Isa>(&mut self, values: &[f32], gain: f64) {
        self.active.load_on::<M>(values);
        let (at, values) = (self.active.at(), self.active.values());
        self.lines.clear();
        self.lines.extend(at.iter().zip(values).map(|(at, v)| 2 * at + u32::from(*v < 0.0)));
        // Zeros fill up the last block: they never fire.
        let (lines, padded) = (values.len(), values.len().next_multiple_of(LANES));
        self.thresholds.resize(padded.max(self.thresholds.len()), 0);
        simd::thresholds(values, gain as f32, &mut self.thresholds[..lines]);
        self.thresholds[lines..padded].iter_mut().for_each(|threshold| *threshold = 0);
    }

    /// Draws `slots` slots: slot s of active line c fires on word s·(active lines) + c.
    #[inline(always)]
    pub(super) fn fire<M: Isa>(&mut self, stream: &Stream, slots: u32) {
        let width = self.lines.len();
        let mut words = std::mem::take(&mut self.words);
        self.starts.clear();
        self.starts.push(0);
        // Narrow slots are drawn at once: the generator makes words in groups.
        let slots_per_draw = (WORDS_PER_DRAW / width.max(1)).max(1) as u32;
        for first in (0..slots).step_by(slots_per_draw as usize) {
            let count = slots_per_draw.min(slots - first) as usize;
            words.resize((count * width + LANES).max(words.len()), 0);
            stream.kernel(u64::from(first) * width as u64, &mut words[..count * width]).run::<M>();
            self.add::<M>(&words, count);
        }
        self.words = words;
    }

    /// [`fire`](Side::fire) with words that were drawn before, and space after them for a block.
    #[inline(always)]
    pub(super) fn fire_with<M: Isa>(&mut self, words: &[u32], slots: u32) {
        self.starts.clear();
        self.starts.push(0);
        self.add::<M>(words, slots as usize);
    }

    #[inline(always)]
    fn add<M: Isa>(&mut self, words: &[u32], slots: usize) {
        let width = self.lines.len();
        let thresholds = &self.thresholds[..width.next_multiple_of(LANES)];
        let mut n = self.starts.last().copied().unwrap_or(0);
        for slot in 0..slots {
            if self.fired.len() < n + width + LANES {
                self.fired.resize(2 * (n + width + LANES), 0);
            }
            n += Below { words: &words[slot * width..], thresholds, at: &mut self.fired[n..] }.run::<M>();
            self.starts.push(n);
        }
    }

    /// Lines that fired in all slots of the last draw.
    pub(super) fn fired(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The positions that fired in a slot of the last draw.
    #[inline(always)]
    pub(in crate::crossbar) fn slot(&self, s: usize) -> &[u32] {
        &self.fired[self.starts[s]..self.starts[s + 1]]
    }
}

/// One side of an update, to be drawn on its own.
pub(super) struct Fire<'a> {
    pub(super) side: &'a mut Side,
    pub(super) values: &'a [f32],
    pub(super) gain: f64,
    pub(super) slots: u32,
    pub(super) stream: Stream,
}

impl Kernel for Fire<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        self.side.load::<M>(self.values, self.gain);
        self.side.fire::<M>(&self.stream, self.slots);
    }
}
