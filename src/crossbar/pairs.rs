//! Arrays of one-sided pairs: two devices per crosspoint that only step up, w = g⁺ − g⁻. An array of single devices has
//! none of this, and pays nothing for it.

use super::update::{Firing, bits};
use super::{Crossbar, Line, Setup};
use crate::device::{Device, MeanOfPair, NORMALS, OneSidedPair};
use crate::error::{Error, Result};
use crate::random::{Operation, Stream};
use crate::simd::aligned::Aligned;
use std::ops::Range;

/// Added to the number of a programming, so that it shares no stream with a refresh.
const BEFORE_PROGRAMMING: u64 = 1 << 63;

/// The most pulses that a refresh sends to a device, as a multiple of the range by δ.
const MOST_PULSES: f64 = 2.0;

/// The pairs of an array, in its order. The array keeps the devices of g⁺, and the weights.
#[derive(Clone, Debug)]
pub(super) struct Pairs<D: Device> {
    settings: OneSidedPair,
    mean: MeanOfPair<D::Point>,
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
    /// Devices that do not step up at half their range, or faults.
    pub(super) fn new(device: &D, plus: &[D::Point], setup: &Setup, stream: &Stream) -> Result<Option<Box<Self>>> {
        let Some(settings) = setup.pair.clone() else { return Ok(None) };
        settings.validate()?;
        if setup.reliability != super::Reliability::default() {
            return Err(Error::Conflict(
                "one-sided pairs are simulated without faults: leave reliability at its defaults".to_owned(),
            ));
        }
        let mut xi = [0.0; NORMALS];
        let points = Aligned::new((0..plus.len()).map(|k| {
            stream.normals((NORMALS * k) as u64, &mut xi);
            device.sample(&xi)
        }));
        let least = |points: &[D::Point]| points.iter().map(|point| device.bounds(point).0).collect();
        let (plus, minus) = (least(plus), least(&points));
        Ok(Some(Box::new(Self { settings, mean: MeanOfPair::new(device)?, points, plus, minus })))
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

    /// w of the mean device of a pair that was reset, after another pulse in the direction `up`.
    pub(super) fn mean_pulse(&self, device: &D, w: f32, up: bool) -> f32 {
        let g = self.mean.pulse(device, w.abs());
        if up { g } else { -g }
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
        let [plus, minus] = pairs.heights(k, plus[k], minus[k]);
        self.weights[k] = plus - minus - r;
    }

    /// Resets pair k to |σ ξ| each.
    fn reset_pair(&mut self, k: usize, xi: [f32; 2]) {
        let pairs = self.pairs.as_mut().expect("an array of pairs");
        let spread = pairs.settings.reset_spread as f32 * pairs.mean.range;
        let PairPart { pairs, plus, minus } = pairs.part(&self.device, &self.points);
        let states = [&mut plus[k], &mut minus[k]];
        for ((state, (lower, upper)), xi) in states.into_iter().zip(pairs.bounds(k)).zip(xi) {
            *state = (lower + (spread * xi).abs()).min(upper);
        }
        let r = self.reference.get(k).copied().unwrap_or(0.0);
        let [plus, minus] = pairs.heights(k, plus[k], minus[k]);
        self.weights[k] = plus - minus - r;
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

    /// [`Array::elapse`](super::Array::elapse) for pairs: all are refreshed whenever `refresh_every` updates are complete.
    pub(super) fn refresh_pairs(&mut self, updates: u64) {
        let every = u64::from(self.pairs.as_ref().expect("an array of pairs").settings.refresh_every);
        let before = self.steps.elapsed;
        self.steps.elapsed = before.saturating_add(updates);
        let refreshes = self.steps.elapsed / every;
        if refreshes > before / every {
            for column in 0..self.cols {
                self.refresh_column(refreshes, column);
            }
        }
    }

    /// g⁺ and g⁻ of the pairs of a column, read one after the other.
    fn read_pairs(&self, refresh: u64, column: usize) -> [Vec<f32>; 2] {
        let pairs = self.pairs.as_ref().expect("an array of pairs");
        let heights = pairs.heights(&self.device, &self.points);
        [0, 1].map(|which| {
            let mut v: Vec<f32> = (column * self.rows..(column + 1) * self.rows).map(|k| heights(k)[which]).collect();
            let read = refresh.wrapping_mul(2 * self.cols as u64).wrapping_add((2 * column + which) as u64);
            let noise = self.stream(Operation::Refresh, read);
            self.line_readout().read([Line::Column(column)].into_iter(), &|_| noise, &mut v);
            v
        })
    }

    /// Reads the pairs of a column, and rewrites those whose devices are both too high.
    fn refresh_column(&mut self, refresh: u64, column: usize) {
        let [plus, minus] = self.read_pairs(refresh, column);
        let pairs = self.pairs.as_ref().expect("an array of pairs");
        let of_range = |share: f64| share as f32 * pairs.mean.range;
        let (upper, lower) = (of_range(pairs.settings.upper_threshold), of_range(pairs.settings.lower_threshold));
        let (mut sent, mut slots) = (0, 0);
        for (row, (plus, minus)) in plus.into_iter().zip(minus).enumerate() {
            if plus.max(minus) > upper && plus.min(minus) > lower {
                let pulses = self.rewrite(refresh, column * self.rows + row, plus - minus);
                sent += 2 + pulses;
                slots = slots.max(1 + pulses as u32);
            }
        }
        self.count_line(Line::Column(column), sent, slots);
        self.counts.line_reads += 2;
        self.counts.dac_conversions += 2;
        self.counts.adc_conversions += 2 * self.rows as u64;
    }

    /// Resets pair k and sends one of its devices as many pulses as the mean device needs to come from 0 nearest to `w`;
    /// how many these were.
    fn rewrite(&mut self, refresh: u64, k: usize, w: f32) -> u64 {
        let mean = self.pairs.as_ref().expect("an array of pairs").mean;
        let most = (MOST_PULSES * f64::from(mean.range / mean.weight_step)).ceil() as u64;
        let stream = self.stream(Operation::Rewrite, refresh);
        let place = |n: u64| k as u64 * (most + 2) + n;
        let mut xi = [0.0; 2];
        stream.normals(place(0), &mut xi);
        self.reset_pair(k, xi);
        let (mut g, mut pulses) = (0.0_f32, 0);
        while pulses < most {
            let next = mean.pulse(&self.device, g);
            if next <= g || (next - w.abs()).abs() >= (g - w.abs()).abs() {
                break;
            }
            let mut xi = [0.0];
            if self.device.noisy() {
                stream.normals(place(2 + pulses), &mut xi);
            }
            self.pulse_one(k, w > 0.0, xi[0], (0, 0));
            (g, pulses) = (next, pulses + 1);
        }
        pulses
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crossbar::{Array, Visible};
    use crate::device::{ConstantStep, DeviceSettings};

    /// Steps of 0.1 in a range of 1: +, +, - give (0.2, 0.1); at (0.8, 0.3) both are reset and g⁺ becomes 0.5, at (0.8,
    /// 0.2) nothing happens.
    #[test]
    fn pairs_by_hand() {
        let device = ConstantStep { weight_step: Some(0.1), bound: 0.5, ..ConstantStep::default() };
        let pair = OneSidedPair { refresh_every: 1, reset_spread: 0.0, ..OneSidedPair::default() };
        let setup = Setup { pair: Some(pair), ..Setup::default() };
        let mut array = Crossbar::new(2, 1, device.build().expect("valid"), &setup).expect("valid");
        let states = |array: &dyn Array, states: [[f32; 2]; 2]| {
            let found = array.pair().expect("pairs").concat();
            assert!(found.iter().zip(states.concat()).all(|(g, state)| (g - state).abs() < 1e-6), "{found:?}");
        };
        for counts in [[1, 0], [1, 0], [-1, 0]] {
            array.pulse_line(Line::Column(0), &counts).expect("two rows");
        }
        states(&array, [[0.2, 0.0], [0.1, 0.0]]);
        array.pulse_line(Line::Column(0), &[6, 8]).expect("two rows");
        array.pulse_line(Line::Column(0), &[-2, -2]).expect("two rows");
        let before = array.counts().pulses;
        array.elapse(1);
        states(&array, [[0.5, 0.8], [0.0, 0.2]]);
        assert_eq!(array.counts().pulses - before, 2 + 5);
        let weights = array.weights().expect("two");
        assert!((weights[0] - 0.5).abs() < 1e-6 && (weights[1] - 0.6).abs() < 1e-6, "{weights:?}");
    }
}
