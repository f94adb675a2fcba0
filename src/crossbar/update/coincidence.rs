//! The trains of one update as drawn, and where rows and columns coincide.

use super::draw::Side;
use super::plan::UpdatePlan;
use crate::crossbar::tuning::BLOCK_MIN_PULSES;
use crate::simd::LANES;

/// Slots of one part of an update: the train of a column in it is one word.
pub(super) const SLOTS_PER_WORD: usize = u64::BITS as usize;

/// A column that fires together with rows in one part of the slots.
#[derive(Clone, Copy, Debug)]
pub(in crate::crossbar) struct Coincidence {
    /// Column number · 2 + (value < 0).
    pub(in crate::crossbar) line: u32,
    /// The slots of the part in which it fires.
    pub(in crate::crossbar) train: u64,
    /// Number of its first pulse among those of the update, and how many it sends.
    pub(in crate::crossbar) first: u64,
    pub(in crate::crossbar) pulses: u32,
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

/// One update, drawn; buffers are kept between draws.
#[derive(Clone, Debug, Default)]
pub(in crate::crossbar) struct Firing {
    /// `None` where nothing can fire.
    pub(super) plan: Option<UpdatePlan>,
    /// Where the words of the rows are among those drawn for many updates at once, if they are few.
    pub(super) row_words: Option<usize>,
    pub(in crate::crossbar) rows: Side,
    pub(super) columns: Side,
    /// Columns that send pulses, part after part, each in the order of the columns.
    coincidences: Vec<Coincidence>,
    /// Where each part starts in `coincidences`; one more entry than parts.
    parts: Vec<usize>,
    /// The slots of a part in which each active column fires, while it is gathered.
    trains: Vec<u64>,
    /// Pulses in all.
    pub(super) pulses: u64,
    /// Whether every pulse is reversed.
    pub(in crate::crossbar) negative: bool,
    /// Whether so many rows fire that whole blocks of devices are pulsed at once.
    pub(super) dense: bool,
    pub(super) masks: Masks,
}

impl Firing {
    /// Nothing fires.
    pub(super) fn clear(&mut self) {
        self.coincidences.clear();
        self.parts.clear();
        self.pulses = 0;
    }

    /// Firings of rows, in all slots.
    pub(super) fn row_firings(&self) -> u64 {
        if self.plan.is_some() { self.rows.fired() as u64 } else { 0 }
    }

    /// Firings of columns: none where no row fires.
    pub(super) fn column_firings(&self) -> u64 {
        if self.row_firings() > 0 { self.columns.fired() as u64 } else { 0 }
    }

    /// Finds where rows and columns that fire in `slots` slots coincide.
    pub(super) fn intersect(&mut self, slots: usize, rows: usize) {
        for first in (0..slots).step_by(SLOTS_PER_WORD) {
            self.parts.push(self.coincidences.len());
            self.gather(first, SLOTS_PER_WORD.min(slots - first));
        }
        self.parts.push(self.coincidences.len());
        let blocks = rows.div_ceil(LANES);
        self.dense = self.rows.fired() as f64 >= BLOCK_MIN_PULSES * (slots * blocks) as f64;
        if self.dense {
            self.masks.set(&self.rows, slots, blocks);
        }
    }

    /// The coincidences of the slots `first..first + count`.
    fn gather(&mut self, first: usize, count: usize) {
        let (rows, columns) = (&self.rows, &self.columns);
        if count == 1 {
            let pulses = rows.slot(first).len() as u32;
            if pulses > 0 {
                for &c in columns.slot(first) {
                    self.coincidences.push(Coincidence {
                        line: columns.lines[c as usize],
                        train: 1,
                        first: self.pulses,
                        pulses,
                    });
                    self.pulses += u64::from(pulses);
                }
            }
            return;
        }
        let mut each = [0; SLOTS_PER_WORD];
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
            self.coincidences.push(Coincidence { line, train, first: self.pulses, pulses });
            self.pulses += u64::from(pulses);
        }
    }

    /// Every part as (its first slot, its coincidences in the columns of the range).
    pub(in crate::crossbar) fn parts(
        &self,
        columns: std::ops::Range<usize>,
    ) -> impl Iterator<Item = (usize, &[Coincidence])> {
        self.parts.windows(2).enumerate().map(move |(k, part)| {
            let coincidences = &self.coincidences[part[0]..part[1]];
            let at = |column: usize| coincidences.partition_point(|one| ((one.line >> 1) as usize) < column);
            (k * SLOTS_PER_WORD, &coincidences[at(columns.start)..at(columns.end)])
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
pub(in crate::crossbar) fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (word != 0).then(|| {
            let s = word.trailing_zeros() as usize;
            word &= word - 1;
            s
        })
    })
}
