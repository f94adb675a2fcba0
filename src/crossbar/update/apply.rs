//! What the pulses of one update do to the devices of a range of columns: one device at a time where few
//! rows fire, a block of devices at a time where many do. Both give the same bits.

use super::coincidence::{Coincidence, Firing, Masks, SLOTS_PER_WORD, bits};
use crate::crossbar::pairs::PairPart;
use crate::crossbar::tuning::{BLOCKS_AT_ONCE, NORMALS_PER_DRAW};
use crate::device::{Block, Device};
use crate::random::Stream;
use crate::simd::{self, Isa, Kernel, LANES, unrolled};
use std::marker::PhantomData;
use std::ops::Range;

/// Devices of a range of columns, and the pulses that they get.
pub(super) struct Apply<'a, 'p, D: Device> {
    pub(super) device: &'a D,
    pub(super) firing: &'a Firing,
    /// Pulse p of the update takes the normal p of it.
    pub(super) stream: Stream,
    pub(super) noise: &'a mut Vec<f32>,
    pub(super) rows: usize,
    pub(super) columns: Range<usize>,
    pub(super) points: &'a [D::Point],
    /// Empty if there is none.
    pub(super) reference: &'a [f32],
    pub(super) weights: &'a mut [f32],
    /// Where the devices are those of one-sided pairs.
    pub(super) pairs: Option<&'a mut PairPart<'p, D>>,
    /// Empty if pulses are not counted.
    pub(super) counters: &'a mut [u32],
}

impl<D: Device> simd::Kernel for Apply<'_, '_, D> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        // What an array does not have costs nothing in the loop over its pulses.
        if self.reference.is_empty() { self.apply::<M, false>() } else { self.apply::<M, true>() }
    }
}

impl<D: Device> Apply<'_, '_, D> {
    #[inline(always)]
    fn apply<M: Isa, const REFERRED: bool>(mut self) {
        let firing = self.firing;
        for (slot, mut coincidences) in firing.parts(self.columns.clone()) {
            while let Some(first) = coincidences.first() {
                let start = first.first;
                let count = coincidences[1..].partition_point(|one| one.first - start < NORMALS_PER_DRAW) + 1;
                let (batch, tail) = coincidences.split_at(count);
                let last = batch[count - 1];
                self.draw::<M>(start, (last.first - start) as usize + last.pulses as usize);
                self.columns::<M, REFERRED>(slot, batch);
                coincidences = tail;
            }
        }
    }

    /// Draws the normals of `count` pulses, with space after them to read a whole block.
    #[inline(always)]
    fn draw<M: Isa>(&mut self, start: u64, count: usize) {
        if self.noise.len() < count + LANES {
            self.noise.resize(count + LANES, 0.0);
        }
        if self.device.noisy() {
            self.stream.kernel(start, &mut self.noise[..count]).run::<M>();
        } else {
            self.noise[..count].fill(0.0);
        }
    }

    /// The pulses of columns whose normals are drawn.
    #[inline(always)]
    fn columns<M: Isa, const REFERRED: bool>(&mut self, slot: usize, coincidences: &[Coincidence]) {
        let (rows, blocks, first) = (self.rows, self.firing.masks.blocks, self.columns.start);
        let start = |one: &Coincidence| ((one.line >> 1) as usize - first) * rows;
        let noise = |one: &Coincidence| (one.first - coincidences[0].first) as usize;
        let fits = |one: &Coincidence| start(one) + blocks * LANES <= self.weights.len();
        let by_blocks =
            if D::BLOCKS && self.firing.dense && self.pairs.is_none() { coincidences.partition_point(fits) } else { 0 };
        let (by_blocks, by_devices) = coincidences.split_at(by_blocks);
        let train = |one: &Coincidence| Train::new(&self.firing.masks, slot, one, noise(one));
        let place = |one: &Coincidence, block| {
            let reversed = ((one.line & 1) == 1) ^ self.firing.negative;
            Place { start: start(one), block, flip: if reversed { u16::MAX } else { 0 } }
        };
        if blocks == 1 && M::MANY_REGISTERS {
            let (fours, remainder) = by_blocks.as_chunks::<BLOCKS_AT_ONCE>();
            for [a, b, c, d] in fours {
                let trains = [&train(a), &train(b), &train(c), &train(d)];
                let places = [place(a, 0), place(b, 0), place(c, 0), place(d, 0)];
                self.blocks::<M, BLOCKS_AT_ONCE, REFERRED>(trains, places);
            }
            for one in remainder {
                let (train, place) = (train(one), place(one, 0));
                self.blocks::<M, 1, REFERRED>([&train], [place]);
            }
        } else {
            for one in by_blocks {
                let train = train(one);
                let mut block = 0;
                while M::MANY_REGISTERS && block + BLOCKS_AT_ONCE <= blocks {
                    let places = [0, 1, 2, 3].map(|k| place(one, block + k));
                    self.blocks::<M, BLOCKS_AT_ONCE, REFERRED>([&train; BLOCKS_AT_ONCE], places);
                    block += BLOCKS_AT_ONCE;
                }
                while block < blocks {
                    self.blocks::<M, 1, REFERRED>([&train], [place(one, block)]);
                    block += 1;
                }
            }
        }
        // Only the loops over single devices exist with and without counters: those over blocks are long.
        if self.counters.is_empty() {
            by_devices.iter().for_each(|one| self.devices::<REFERRED, false>(slot, one, start(one), noise(one)));
        } else {
            by_blocks.iter().for_each(|one| self.count(slot, one, start(one)));
            by_devices.iter().for_each(|one| self.devices::<REFERRED, true>(slot, one, start(one), noise(one)));
        }
    }

    /// The pulses of one column, one device after another.
    #[inline(always)]
    fn devices<const REFERRED: bool, const COUNTED: bool>(
        &mut self,
        slot: usize,
        one: &Coincidence,
        start: usize,
        noise: usize,
    ) {
        let rows = &self.firing.rows;
        let down = (one.line & 1) ^ u32::from(self.firing.negative);
        let devices = start..start + self.rows;
        let points = &self.points[devices.clone()];
        let reference = if REFERRED { &self.reference[devices.clone()] } else { &[] };
        let counters = if COUNTED { &mut self.counters[devices.clone()] } else { &mut [] };
        let weights = &mut self.weights[devices];
        let mut xi = &self.noise[noise..];
        let mut train = one.train;
        while train != 0 {
            let slot = rows.slot(slot + train.trailing_zeros() as usize);
            train &= train - 1;
            let (slot_xi, tail) = xi.split_at(slot.len());
            xi = tail;
            macro_rules! each {
                (|$i:ident, $w:ident, $up:ident, $xi:ident| $after:expr) => {
                    for (&row, &$xi) in slot.iter().zip(slot_xi) {
                        let row = rows.lines[row as usize];
                        let ($i, $up) = ((row >> 1) as usize, (row & 1) == down);
                        let r = if REFERRED { reference[$i] } else { 0.0 };
                        let $w = weights[$i] + r;
                        weights[$i] = $after - r;
                        if COUNTED {
                            counters[$i] = counters[$i].saturating_add(1);
                        }
                    }
                };
            }
            match &mut self.pairs {
                None => each!(|i, w, up, xi| self.device.pulse(&points[i], w, up, xi)),
                Some(pairs) => each!(|i, _w, up, xi| pairs.pulse(start + i, up, xi)),
            }
        }
    }

    /// The same pulses, a block of 16 devices at once: a device never fires twice in a slot. Blocks
    /// reach into the next column, whose devices keep their weights.
    #[inline(always)]
    fn blocks<M: Isa, const N: usize, const REFERRED: bool>(&mut self, trains: [&Train; N], blocks: [Place; N]) {
        let at = &self.firing.masks.at;
        let devices = unrolled!(N, |k| self.load::<M, REFERRED>(blocks[k]));
        let last = trains.iter().fold(0, |last, train| last.max(train.count));
        let rounds = Rounds { trains, blocks, at, noise: self.noise, round: 0, last, masks: PhantomData };
        let weights = self.device.pulse_blocks::<M, N>(devices, rounds);
        unrolled!(N, |k| self.store(blocks[k], &weights[k]));
    }

    #[inline(always)]
    fn load<M: Isa, const REFERRED: bool>(&self, Place { start, block, flip }: Place) -> Block<'_, D::Point, M> {
        let first = start + block * LANES;
        let block_of = |values: &[f32]| *values[first..].first_chunk().expect("a block");
        Block {
            points: self.points[first..].first_chunk().expect("a block"),
            up: M::new(!(self.firing.masks.negative[block] ^ flip)),
            reference: if REFERRED { block_of(self.reference) } else { [0.0; LANES] },
            weights: block_of(self.weights),
        }
    }

    #[inline(always)]
    fn store(&mut self, Place { start, block, .. }: Place, w: &[f32; LANES]) {
        let count = LANES.min(self.rows - block * LANES);
        let weights = &mut self.weights[start + block * LANES..][..count];
        if let Some(weights) = weights.first_chunk_mut() {
            *weights = *w;
        } else {
            // A store over the next column would hold up its load.
            weights.iter_mut().zip(w).for_each(|(weight, w)| *weight = *w);
        }
    }

    #[inline(always)]
    fn count(&mut self, slot: usize, one: &Coincidence, start: usize) {
        let rows = &self.firing.rows;
        for s in bits(one.train) {
            for &row in rows.slot(slot + s) {
                let n = &mut self.counters[start + (rows.lines[row as usize] >> 1) as usize];
                *n = n.saturating_add(1);
            }
        }
    }
}

/// A block of devices in a column.
#[derive(Clone, Copy)]
struct Place {
    /// The first device of the column.
    start: usize,
    block: usize,
    /// Ones where positive rows are pulsed downwards.
    flip: u16,
}

/// Where each slot in which a column fires finds the bits of the rows and their normals.
struct Train {
    /// After the last slot come slots in which no row fires.
    slots: [u32; SLOTS_PER_WORD],
    normals: [u32; SLOTS_PER_WORD],
    count: usize,
}

impl Train {
    #[inline(always)]
    fn new(masks: &Masks, slot: usize, one: &Coincidence, noise: usize) -> Self {
        let (mut slots, mut normals) = ([masks.silent(); SLOTS_PER_WORD], [0; SLOTS_PER_WORD]);
        let mut count = 0;
        let (mut train, mut first) = (one.train, noise as u32);
        while train != 0 {
            let slot = slot + train.trailing_zeros() as usize;
            train &= train - 1;
            (slots[count], normals[count]) = ((slot * masks.blocks) as u32, first);
            first += masks.each[slot];
            count += 1;
        }
        Self { slots, normals, count }
    }
}

/// What fires of blocks in each slot of their trains, with its normals.
struct Rounds<'a, M, const N: usize> {
    trains: [&'a Train; N],
    blocks: [Place; N],
    at: &'a [(u16, u32)],
    noise: &'a [f32],
    round: usize,
    /// Rounds of the longest train.
    last: usize,
    masks: PhantomData<M>,
}

impl<M: Isa, const N: usize> Rounds<'_, M, N> {
    #[inline(always)]
    fn of(&self, k: usize) -> (M, [f32; LANES]) {
        let (slot, first) = (self.trains[k].slots[self.round], self.trains[k].normals[self.round]);
        let (fires, before) = self.at[slot as usize + self.blocks[k].block];
        let fires = M::new(fires);
        (fires, fires.expand(&self.noise[(first + before) as usize..]))
    }
}

impl<M: Isa, const N: usize> Iterator for Rounds<'_, M, N> {
    type Item = [(M, [f32; LANES]); N];

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.round == self.last {
            return None;
        }
        let all = unrolled!(N, |k| self.of(k));
        self.round += 1;
        Some(all)
    }
}
