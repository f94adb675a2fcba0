//! The trains of one update as drawn: which columns fire when, and which rows then answer.

use super::trains::{Plan, Side};
use crate::random::Stream;
use crate::simd::LANES;

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
    /// Of entry (slot, block): bit l, row 16·block + l fires; and the rows that fire in the slot before the block.
    pub(super) at: Vec<(u16, u32)>,
    /// Rows that fire in each slot.
    pub(super) each: Vec<u32>,
    /// Bit l of entry (block): the value of row 16·block + l is negative.
    pub(super) negative: Vec<u16>,
}

/// One update, drawn; buffers are kept between draws.
#[derive(Clone, Debug, Default)]
pub(super) struct Firing {
    pub(super) rows: Side,
    pub(super) columns: Side,
    /// Columns that send pulses, part after part, each in the order of the columns.
    hits: Vec<Hit>,
    /// Where each part starts in `hits`; one more entry than parts.
    parts: Vec<usize>,
    trains: Vec<u64>,
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
    pub(super) fn clear(&mut self) {
        self.hits.clear();
        self.parts.clear();
        self.pulses = 0;
    }

    /// Draws every slot. Pulses are numbered part by part, column by column, slot by slot, row by row.
    /// A `negative` rate turns them all. Begin with nothing: [`clear`](Firing::clear).
    pub(super) fn draw(&mut self, plan: Plan, x: &[f32], delta: &[f32], negative: bool, [rows, columns]: [&Stream; 2]) {
        self.negative = negative;
        self.rows.load(delta, plan.row_gain);
        self.rows.fire(rows, plan.slots);
        if self.rows.fired() == 0 {
            return;
        }
        self.columns.load(x, plan.column_gain);
        self.columns.fire(columns, plan.slots);
        let slots = plan.slots as usize;
        for first in (0..slots).step_by(WORD) {
            self.parts.push(self.hits.len());
            self.gather(first, WORD.min(slots - first));
        }
        self.parts.push(self.hits.len());
        let blocks = delta.len().div_ceil(LANES);
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
        self.trains.clear();
        self.trains.resize(columns.lines.len(), 0);
        for (s, each) in each.iter_mut().enumerate().take(count) {
            *each = rows.slot(first + s).len() as u32;
            if *each > 0 {
                for &c in columns.slot(first + s) {
                    self.trains[c as usize] |= 1 << s;
                }
            }
        }
        for (&line, &train) in columns.lines.iter().zip(&self.trains).filter(|(_, train)| **train != 0) {
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
    fn set(&mut self, rows: &Side, slots: usize, blocks: usize) {
        self.blocks = blocks;
        self.negative.clear();
        self.negative.resize(blocks, 0);
        for &line in &rows.lines {
            let row = (line >> 1) as usize;
            self.negative[row / LANES] |= ((line & 1) as u16) << (row % LANES);
        }
        self.at.clear();
        self.at.resize(slots * blocks, (0, 0));
        self.each.clear();
        for (s, at) in self.at.chunks_exact_mut(blocks).enumerate() {
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
