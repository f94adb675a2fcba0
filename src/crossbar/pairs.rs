//! Arrays of one-sided pairs: two devices per crosspoint that only step up, w = g⁺ − g⁻. An array of single devices has
//! none of this, and pays nothing for it.

use super::update::{Firing, bits};
use super::{Crossbar, Setup};
use crate::device::{Device, MeanOfPair, NORMALS, OneSidedPair};
use crate::error::{Error, Result};
use crate::random::{Operation, Stream};
use crate::simd::aligned::Aligned;
use std::ops::Range;

/// Added to the number of a programming, so that it shares no stream with a refresh.
const BEFORE_PROGRAMMING: u64 = 1 << 63;

/// The pairs of an array, in its order. The array keeps the devices of g⁺, and the weights.
#[derive(Clone, Debug)]
pub(super) struct Pairs<D: Device> {
    pub(super) settings: OneSidedPair,
    pub(super) mean: MeanOfPair,
    /// The devices of g⁻.
    points: Aligned<D::Point>,
    /// States of the devices of g⁺ and of g⁻.
    pub(super) plus: Vec<f32>,
    pub(super) minus: Vec<f32>,
}

/// The pairs of a range of columns.
#[derive(Debug)]
pub(super) struct PairPart<'a, D: Device> {
    pairs: PairPoints<'a, D>,
    plus: &'a mut [f32],
    minus: &'a mut [f32],
}

/// The devices of pairs.
#[derive(Debug)]
pub(super) struct PairPoints<'a, D: Device> {
    device: &'a D,
    plus: &'a [D::Point],
    minus: &'a [D::Point],
}

impl<D: Device> PairPoints<'_, D> {
    /// The least states of pair k, where g is 0, and the largest.
    fn bounds(&self, k: usize) -> [(f32, f32); 2] {
        [&self.plus[k], &self.minus[k]].map(|point| self.device.bounds(point))
    }

    /// g⁺ and g⁻ of pair k with these states.
    fn heights(&self, k: usize, plus: f32, minus: f32) -> [f32; 2] {
        let [(of_plus, _), (of_minus, _)] = self.bounds(k);
        [plus - of_plus, minus - of_minus]
    }

    /// g_max of both devices of pair k.
    pub(super) fn ranges(&self, k: usize) -> [f32; 2] {
        self.bounds(k).map(|(lower, upper)| upper - lower)
    }

    /// Steps of both devices of pair k at half their range, without noise.
    pub(super) fn steps(&self, k: usize) -> [f32; 2] {
        [&self.plus[k], &self.minus[k]].map(|point| {
            let (lower, upper) = self.device.bounds(point);
            let middle = 0.5 * (lower + upper);
            self.device.pulse(point, middle, true, 0.0) - middle
        })
    }

    /// A pulse to pair k; its g⁺ − g⁻ after it.
    #[inline(always)]
    fn pulse(&self, k: usize, (plus, minus): (&mut f32, &mut f32), up: bool, xi: f32) -> f32 {
        let (point, state) = if up { (&self.plus[k], &mut *plus) } else { (&self.minus[k], &mut *minus) };
        *state = self.device.pulse(point, *state, true, xi);
        let [plus, minus] = self.heights(k, *plus, *minus);
        plus - minus
    }
}

impl<D: Device> Pairs<D> {
    /// New pairs, reset without an error, if the setup asks for them.
    ///
    /// # Errors
    /// Devices that do not step up, or faults.
    pub(super) fn new(device: &D, plus: &[D::Point], setup: &Setup, stream: &Stream) -> Result<Option<Box<Self>>> {
        let Some(settings) = setup.pair.clone() else { return Ok(None) };
        settings.validate()?;
        if setup.reliability != super::Reliability::default() {
            return Err(Error::Conflict(
                "one-sided pairs are simulated without faults: leave reliability at its defaults".to_owned(),
            ));
        }
        let mean = MeanOfPair::new(device)?;
        let mut xi = [0.0; NORMALS];
        let points = Aligned::new((0..plus.len()).map(|k| {
            stream.normals((NORMALS * k) as u64, &mut xi);
            device.sample(&xi)
        }));
        let least = |points: &[D::Point]| points.iter().map(|point| device.bounds(point).0).collect();
        let (plus, minus) = (least(plus), least(&points));
        Ok(Some(Box::new(Self { settings, mean, points, plus, minus })))
    }

    /// δ.
    pub(super) fn weight_step(&self) -> f32 {
        self.mean.weight_step
    }

    /// Its devices.
    pub(super) fn with<'a>(&'a self, device: &'a D, plus: &'a [D::Point]) -> PairPoints<'a, D> {
        PairPoints { device, plus, minus: &self.points }
    }

    /// g⁺ and g⁻ of pair k.
    pub(super) fn heights<'a>(&'a self, device: &'a D, plus: &'a [D::Point]) -> impl Fn(usize) -> [f32; 2] + 'a {
        let points = self.with(device, plus);
        move |k| points.heights(k, self.plus[k], self.minus[k])
    }

    /// The devices of g⁻.
    pub(super) fn points(&self) -> &[D::Point] {
        &self.points
    }

    /// All pairs, to be split by columns.
    pub(super) fn part<'a>(&'a mut self, device: &'a D, plus: &'a [D::Point]) -> PairPart<'a, D> {
        let pairs = PairPoints { device, plus, minus: &self.points };
        PairPart { pairs, plus: &mut self.plus, minus: &mut self.minus }
    }
}

impl<'a, D: Device> PairPart<'a, D> {
    /// Splits those of the first `pairs` pairs off.
    pub(super) fn split_off(&mut self, pairs: usize) -> Self {
        let PairPoints { device, plus, minus } = &mut self.pairs;
        let whole = "no more than there are";
        Self {
            pairs: PairPoints {
                device,
                plus: plus.split_off(..pairs).expect(whole),
                minus: minus.split_off(..pairs).expect(whole),
            },
            plus: self.plus.split_off_mut(..pairs).expect(whole),
            minus: self.minus.split_off_mut(..pairs).expect(whole),
        }
    }

    /// The pulses of an update to the pairs of these columns, one after another.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn update(
        &mut self,
        firing: &Firing,
        columns: Range<usize>,
        rows: usize,
        reference: &[f32],
        weights: &mut [f32],
        counters: &mut [u32],
        stream: &Stream,
        xi: &mut Vec<f32>,
    ) {
        for (slot, coincidences) in firing.parts(columns.clone()) {
            for one in coincidences {
                let start = ((one.line >> 1) as usize - columns.start) * rows;
                let down = (one.line & 1) ^ u32::from(firing.negative);
                xi.clear();
                xi.resize(one.pulses as usize, 0.0);
                if self.pairs.device.noisy() {
                    stream.normals(one.first, xi);
                }
                let mut xi = xi.iter();
                for s in bits(one.train) {
                    for &row in firing.rows.slot(slot + s) {
                        let row = firing.rows.lines[row as usize];
                        let k = start + (row >> 1) as usize;
                        let xi = *xi.next().expect("one per pulse");
                        let states = (&mut self.plus[k], &mut self.minus[k]);
                        let r = reference.get(k).copied().unwrap_or(0.0);
                        weights[k] = self.pairs.pulse(k, states, (row & 1) == down, xi) - r;
                        if let Some(n) = counters.get_mut(k) {
                            *n = n.saturating_add(1);
                        }
                    }
                }
            }
        }
    }
}

impl<D: Device> Crossbar<D> {
    /// δ of the devices, or of their pairs.
    pub(super) fn mean_step(&self) -> f32 {
        self.pairs.as_ref().map_or_else(|| self.device.weight_step(), |pairs| pairs.weight_step())
    }

    /// A pulse to the pair k.
    pub(super) fn pulse_pair(&mut self, k: usize, up: bool, xi: f32) {
        let pairs = self.pairs.as_mut().expect("an array of pairs");
        let PairPart { pairs, plus, minus } = pairs.part(&self.device, &self.points);
        let r = self.reference.get(k).copied().unwrap_or(0.0);
        self.weights[k] = pairs.pulse(k, (&mut plus[k], &mut minus[k]), up, xi) - r;
    }

    /// Sets pair k to the weight w, with one of its devices at g = 0.
    pub(super) fn hold_pair(&mut self, k: usize, w: f32) {
        let pairs = self.pairs.as_mut().expect("an array of pairs");
        let PairPart { pairs, plus, minus } = pairs.part(&self.device, &self.points);
        let r = self.reference.get(k).copied().unwrap_or(0.0);
        let [of_plus, of_minus] = pairs.bounds(k);
        let state = |g: f32, (lower, upper): (f32, f32)| (lower + g.max(0.0)).min(upper);
        (plus[k], minus[k]) = (state(w + r, of_plus), state(-(w + r), of_minus));
        self.settle_pair(k);
    }

    /// The weight of pair k, from its states.
    pub(super) fn settle_pair(&mut self, k: usize) {
        let pairs = self.pairs.as_ref().expect("an array of pairs");
        let [plus, minus] = pairs.with(&self.device, &self.points).heights(k, pairs.plus[k], pairs.minus[k]);
        self.weights[k] = plus - minus - self.reference.get(k).copied().unwrap_or(0.0);
    }

    /// Takes the states of all pairs from a snapshot, in the array's order, each within its bounds.
    pub(super) fn restore_pairs(&mut self, states: [Vec<f32>; 2]) {
        let pairs = self.pairs.as_mut().expect("an array of pairs");
        [pairs.plus, pairs.minus] = states;
        for (points, states) in [(&self.points, &mut pairs.plus), (&pairs.points, &mut pairs.minus)] {
            for (state, point) in states.iter_mut().zip(points.iter()) {
                let (lower, upper) = self.device.bounds(point);
                *state = state.max(lower).min(upper);
            }
        }
        (0..self.weights.len()).for_each(|k| self.settle_pair(k));
    }

    /// Resets pair k to |σ ξ| each.
    pub(super) fn reset_pair(&mut self, k: usize, xi: [f32; 2]) {
        let pairs = self.pairs.as_mut().expect("an array of pairs");
        let spread = pairs.settings.reset_spread as f32 * pairs.mean.range;
        let PairPart { pairs, plus, minus } = pairs.part(&self.device, &self.points);
        let states = [&mut plus[k], &mut minus[k]];
        for ((state, (lower, upper)), xi) in states.into_iter().zip(pairs.bounds(k)).zip(xi) {
            *state = (lower + (spread * xi).abs()).min(upper);
        }
        self.settle_pair(k);
        if let Some(counters) = &mut self.pulse_counters {
            counters[k] = counters[k].saturating_add(2);
        }
    }

    /// Resets all pairs, if there are any, before they are programmed; the pulses sent, one to each device.
    pub(super) fn reset_pairs(&mut self, programming: u64) -> u64 {
        if self.pairs.is_none() {
            return 0;
        }
        let stream = self.stream(Operation::Rewrite, BEFORE_PROGRAMMING | programming);
        let mut xi = [0.0; 2];
        for k in 0..self.weights.len() {
            stream.normals(2 * k as u64, &mut xi);
            self.reset_pair(k, xi);
        }
        2 * self.weights.len() as u64
    }
}
