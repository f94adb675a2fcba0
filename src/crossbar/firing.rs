//! The trains of one update as drawn: which columns fire when, and which rows then answer.

use super::pulse_trains::{PulseTrains, Side, UpdatePlan};
use crate::random::{Operation, Stream, StreamHeads};
use crate::simd::{Isa, Kernel, LANES, MaxAbs};

/// Slots of one part of an update: the train of a column in it is one word.
pub(super) const WORD: usize = u64::BITS as usize;

/// Pulses per slot and block of rows from which a whole block is cheaper than one device at a time (measured).
const DENSE: f64 = 3.0;

/// A column that sends pulses in one part of the slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// Column number · 2 + (value < 0).
    pub(super) line: u32,
    /// The slots of the part in which it fires.
    pub(super) train: u64,
    /// Number of its first pulse among those of the update, and how many it sends.
    pub(super) first: u64,
    pub(super) pulses: u32,
}

/// The rows that fire in each slot, as bits over blocks of rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Masks {
    pub(super) blocks: usize,
    /// Of entry (slot, block): bit l, row 16·block + l fires; and the rows that fire in the slot before the block. After
    /// the last slot comes one in which none does.
    pub(super) at: Vec<(u16, u32)>,
    /// Rows that fire in each slot.
    pub(super) each: Vec<u32>,
    /// Bit l of entry (block): the value of row 16·block + l is negative.
    pub(super) negative: Vec<u16>,
}

/// Some updates, to be drawn.
pub(super) struct Draw<'a> {
    pub(super) firings: &'a mut [Firing],
    pub(super) pulse_trains: &'a PulseTrains,
    /// δ of the devices.
    pub(super) step: f64,
    pub(super) lr: &'a [f32],
    pub(super) x: &'a [f32],
    pub(super) delta: &'a [f32],
    /// The streams are those of this array, the first update at this step.
    pub(super) seed: u64,
    pub(super) array: u64,
    pub(super) first: u64,
    pub(super) scratch: &'a mut DrawScratch,
}

/// Words of the rows of updates in which few rows can fire, kept between draws.
#[derive(Clone, Debug, Default)]
pub(super) struct DrawScratch {
    few: StreamHeads,
    words: Vec<u32>,
}

impl Kernel for Draw<'_> {
    type Out = ();

    /// Draws every slot. Pulses are numbered part by part, column by column, slot by slot, row by row. A negative rate
    /// turns them all.
    #[inline(always)]
    fn run<M: Isa>(self) {
        let Self { firings, pulse_trains, step, lr, x, delta, seed, array, first, scratch } = self;
        let (cols, rows) = (x.len() / lr.len(), delta.len() / lr.len());
        let updates = || (first..).zip(x.chunks_exact(cols)).zip(delta.chunks_exact(rows));
        scratch.few.clear();
        for ((((k, x), delta), firing), &lr) in updates().zip(&mut *firings).zip(lr) {
            firing.clear();
            let (x_max, delta_max) = (MaxAbs(x).run::<M>(), MaxAbs(delta).run::<M>());
            firing.plan = pulse_trains.plan(f64::from(lr), step, f64::from(x_max), f64::from(delta_max));
            let Some(plan) = firing.plan else { continue };
            firing.negative = lr < 0.0;
            firing.rows.load::<M>(delta, plan.row_gain);
            let words = firing.rows.lines.len() * plan.slots as usize;
            firing.few = (words <= StreamHeads::MAX_NUMBERS).then(|| scratch.few.push(k, words));
        }
        scratch.few.words(seed, array, Operation::RowTrains, &mut scratch.words);
        for (((k, x), _), firing) in updates().zip(firings) {
            let Some(plan) = firing.plan else { continue };
            let stream = |operation| Stream::new(seed, array, operation, k);
            match firing.few {
                Some(at) => firing.rows.fire_on::<M>(&scratch.words[at..], plan.slots),
                None => firing.rows.fire::<M>(&stream(Operation::RowTrains), plan.slots),
            }
            if firing.rows.fired() > 0 {
                firing.columns.load::<M>(x, plan.column_gain);
                firing.columns.fire::<M>(&stream(Operation::ColumnTrains), plan.slots);
                firing.meet(plan.slots as usize, rows);
            }
        }
    }
}

/// One update, drawn; buffers are kept between draws.
#[derive(Clone, Debug, Default)]
pub(super) struct Firing {
    /// `None` where nothing can fire.
    plan: Option<UpdatePlan>,
    /// Where the words of the rows are among those of all such updates, if they are few.
    few: Option<usize>,
    pub(super) rows: Side,
    pub(super) columns: Side,
    /// Columns that send pulses, part after part, each in the order of the columns.
    hits: Vec<Hit>,
    /// Where each part starts in `hits`; one more entry than parts.
    parts: Vec<usize>,
    pulse_trains: Vec<u64>,
    /// Pulses in all.
    pub(super) pulses: u64,
    /// Whether every pulse is turned.
    pub(super) negative: bool,
    /// Whether the rows are met as bits.
    pub(super) dense: bool,
    pub(super) masks: Masks,
}

impl Firing {
    /// Nothing fires.
    fn clear(&mut self) {
        self.hits.clear();
        self.parts.clear();
        self.pulses = 0;
    }

    /// What meets where rows and columns fire in `slots` slots.
    fn meet(&mut self, slots: usize, rows: usize) {
        for first in (0..slots).step_by(WORD) {
            self.parts.push(self.hits.len());
            self.gather(first, WORD.min(slots - first));
        }
        self.parts.push(self.hits.len());
        let blocks = rows.div_ceil(LANES);
        self.dense = self.rows.fired() as f64 >= DENSE * (slots * blocks) as f64;
        if self.dense {
            self.masks.set(&self.rows, slots, blocks);
        }
    }

    /// The hits of the slots `first..first + count`.
    fn gather(&mut self, first: usize, count: usize) {
        let (rows, columns) = (&self.rows, &self.columns);
        if count == 1 {
            let pulses = rows.slot(first).len() as u32;
            if pulses > 0 {
                for &c in columns.slot(first) {
                    self.hits.push(Hit { line: columns.lines[c as usize], train: 1, first: self.pulses, pulses });
                    self.pulses += u64::from(pulses);
                }
            }
            return;
        }
        let mut each = [0; WORD];
        self.pulse_trains.clear();
        self.pulse_trains.resize(columns.lines.len(), 0);
        for (s, each) in each.iter_mut().enumerate().take(count) {
            *each = rows.slot(first + s).len() as u32;
            if *each > 0 {
                for &c in columns.slot(first + s) {
                    self.pulse_trains[c as usize] |= 1 << s;
                }
            }
        }
        for (&line, &train) in columns.lines.iter().zip(&self.pulse_trains).filter(|(_, train)| **train != 0) {
            let pulses = bits(train).map(|s| each[s]).sum();
            self.hits.push(Hit { line, train, first: self.pulses, pulses });
            self.pulses += u64::from(pulses);
        }
    }

    /// Every part as (its first slot, its hits in the columns of the range).
    pub(super) fn parts(&self, columns: std::ops::Range<usize>) -> impl Iterator<Item = (usize, &[Hit])> {
        self.parts.windows(2).enumerate().map(move |(k, part)| {
            let hits = &self.hits[part[0]..part[1]];
            let at = |column: usize| hits.partition_point(|hit| ((hit.line >> 1) as usize) < column);
            (k * WORD, &hits[at(columns.start)..at(columns.end)])
        })
    }
}

impl Masks {
    /// The entry of the slot in which no row fires.
    #[inline(always)]
    pub(super) fn silent(&self) -> u32 {
        (self.at.len() - self.blocks) as u32
    }

    fn set(&mut self, rows: &Side, slots: usize, blocks: usize) {
        self.blocks = blocks;
        self.negative.clear();
        self.negative.resize(blocks, 0);
        for &line in &rows.lines {
            let row = (line >> 1) as usize;
            self.negative[row / LANES] |= ((line & 1) as u16) << (row % LANES);
        }
        self.at.clear();
        self.at.resize((slots + 1) * blocks, (0, 0));
        self.each.clear();
        for (s, at) in self.at.chunks_exact_mut(blocks).take(slots).enumerate() {
            for &c in rows.slot(s) {
                let row = (rows.lines[c as usize] >> 1) as usize;
                at[row / LANES].0 |= 1 << (row % LANES);
            }
            let mut n = 0;
            for (fires, before) in at {
                *before = n;
                n += fires.count_ones();
            }
            self.each.push(n);
        }
    }
}

/// The positions of the ones of a word, lowest first.
pub(super) fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (word != 0).then(|| {
            let s = word.trailing_zeros() as usize;
            word &= word - 1;
            s
        })
    })
}
