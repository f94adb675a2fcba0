//! What the pulses of one update do to the devices of some columns: one device at a time where few
//! rows fire, a block of devices at a time where many do. Both give the same bits.

use super::firing::{Firing, Hit, WORD, bits};
use crate::device::Device;
use crate::random::Stream;
use crate::simd::{self, Isa, Kernel, LANES};
use std::ops::Range;

/// Normals drawn at once, for as many columns as they last.
const BLOCK: u64 = 4096;

/// Devices of whole columns, and the pulses that meet them.
pub(super) struct Apply<'a, D: Device> {
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
    /// Empty if pulses are not counted.
    pub(super) counters: &'a mut [u32],
}

impl<D: Device> simd::Kernel for Apply<'_, D> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        // What an array does not have costs nothing in the loop over its pulses.
        match (self.reference.is_empty(), self.counters.is_empty()) {
            (true, true) => self.apply::<M, false, false>(),
            (true, false) => self.apply::<M, false, true>(),
            (false, true) => self.apply::<M, true, false>(),
            (false, false) => self.apply::<M, true, true>(),
        }
    }
}

impl<D: Device> Apply<'_, D> {
    #[inline(always)]
    fn apply<M: Isa, const REFERRED: bool, const COUNTED: bool>(mut self) {
        let firing = self.firing;
        for (slot, hits) in firing.parts(self.columns.clone()) {
            let mut rest = hits;
            while let Some(hit) = rest.first() {
                let start = hit.first;
                let many = rest[1..].partition_point(|hit| hit.first - start < BLOCK) + 1;
                let (now, later) = rest.split_at(many);
                let last = now[many - 1];
                self.draw::<M>(start, (last.first - start) as usize + last.pulses as usize);
                for hit in now {
                    let noise = (hit.first - start) as usize;
                    let column = (hit.line >> 1) as usize - self.columns.start;
                    let whole = column * self.rows + firing.masks.blocks * LANES <= self.weights.len();
                    if firing.dense && whole {
                        self.blocks::<M, REFERRED, COUNTED>(slot, hit, column * self.rows, noise);
                    } else {
                        self.devices::<REFERRED, COUNTED>(slot, hit, column * self.rows, noise);
                    }
                }
                rest = later;
            }
        }
    }

    /// Draws the normals of `count` pulses, with room behind them to read a whole block.
    #[inline(always)]
    fn draw<M: Isa>(&mut self, start: u64, count: usize) {
        if self.noise.len() < count + LANES {
            self.noise.resize(count + LANES, 0.0);
        }
        if self.device.noisy() {
            self.stream.normal_kernel(start, &mut self.noise[..count]).run::<M>();
        } else {
            self.noise[..count].fill(0.0);
        }
    }

    /// The pulses of one column, one device after another.
    #[inline(always)]
    fn devices<const REFERRED: bool, const COUNTED: bool>(
        &mut self,
        slot: usize,
        hit: &Hit,
        start: usize,
        noise: usize,
    ) {
        let rows = &self.firing.rows;
        let down = (hit.line & 1) ^ u32::from(self.firing.negative);
        let devices = start..start + self.rows;
        let points = &self.points[devices.clone()];
        let reference = if REFERRED { &self.reference[devices.clone()] } else { &[] };
        let counters = if COUNTED { &mut self.counters[devices.clone()] } else { &mut [] };
        let weights = &mut self.weights[devices];
        let mut xi = &self.noise[noise..];
        let mut train = hit.train;
        while train != 0 {
            let slot = rows.slot(slot + train.trailing_zeros() as usize);
            train &= train - 1;
            let (now, later) = xi.split_at(slot.len());
            xi = later;
            for (&row, &xi) in slot.iter().zip(now) {
                let row = rows.lines[row as usize];
                let (i, up) = ((row >> 1) as usize, (row & 1) == down);
                let r = if REFERRED { reference[i] } else { 0.0 };
                weights[i] = self.device.pulse(&points[i], weights[i] + r, up, xi) - r;
                if COUNTED {
                    counters[i] = counters[i].saturating_add(1);
                }
            }
        }
    }

    /// The same pulses, a block of 16 devices at once: a device never fires twice in a slot. Blocks
    /// reach into the next column, whose devices keep their weights.
    #[inline(always)]
    fn blocks<M: Isa, const REFERRED: bool, const COUNTED: bool>(
        &mut self,
        slot: usize,
        hit: &Hit,
        start: usize,
        noise: usize,
    ) {
        let masks = &self.firing.masks;
        let flip = if ((hit.line & 1) == 1) ^ self.firing.negative { u16::MAX } else { 0 };
        // Where each slot of the train finds its bits and its normals.
        let mut rounds = [(0_u32, 0_u32); WORD];
        let mut count = 0;
        let (mut train, mut first) = (hit.train, noise as u32);
        while train != 0 {
            let slot = slot + train.trailing_zeros() as usize;
            train &= train - 1;
            rounds[count] = ((slot * masks.blocks) as u32, first);
            first += masks.each[slot];
            count += 1;
        }
        let rounds = &rounds[..count];
        let devices = start..start + masks.blocks * LANES;
        let points = self.points[devices.clone()].as_chunks::<LANES>().0;
        let reference = if REFERRED { self.reference[devices.clone()].as_chunks::<LANES>().0 } else { &[] };
        let weights = self.weights[devices].as_chunks_mut::<LANES>().0;
        for (block, ((points, weights), negative)) in points.iter().zip(weights).zip(&masks.negative).enumerate() {
            let r = if REFERRED { reference[block] } else { [0.0; LANES] };
            let noise = &*self.noise;
            let rounds = rounds.iter().map(|&(slot, first)| {
                let (fires, before) = masks.at[slot as usize + block];
                let fires = M::new(fires);
                (fires, fires.expand(&noise[(first + before) as usize..]))
            });
            let w = self.device.pulse_block(points, M::new(!(negative ^ flip)), r, *weights, rounds);
            let own = LANES.min(self.rows - block * LANES);
            if own == LANES {
                *weights = w;
            } else {
                // A store over the next column would hold up its load.
                for (weight, w) in weights[..own].iter_mut().zip(w) {
                    *weight = w;
                }
            }
        }
        if COUNTED {
            self.count(slot, hit, start);
        }
    }

    #[inline(always)]
    fn count(&mut self, slot: usize, hit: &Hit, start: usize) {
        let rows = &self.firing.rows;
        for s in bits(hit.train) {
            for &row in rows.slot(slot + s) {
                let n = &mut self.counters[start + (rows.lines[row as usize] >> 1) as usize];
                *n = n.saturating_add(1);
            }
        }
    }
}
