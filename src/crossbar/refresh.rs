//! The refresh of one-sided pairs: where both devices are high, both are reset, and their difference is written again.

use super::{Crossbar, Line};
use crate::device::Device;
use crate::random::Operation;
use crate::simd::LANES;

/// A pulse of a rewrite must bring the mean device nearer by at least this share of δ: near a bound, further ones are wasted.
const LEAST_STEP: f32 = 1e-3;

/// The most pulses that a refresh sends to a device, as a multiple of the range by δ.
const MOST_PULSES: f64 = 2.0;

impl<D: Device> Crossbar<D> {
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
        [(0, &pairs.plus), (1, &pairs.minus)].map(|(which, g)| {
            let mut v = g[column * self.rows..(column + 1) * self.rows].to_vec();
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
        let high = |(plus, minus): (&f32, &f32)| {
            ((*plus > upper) | (*minus > upper)) & (*plus > lower) & (*minus > lower) // no branch, so that lanes compare
        };
        let (mut sent, mut slots) = (0, 0);
        let any = plus.iter().zip(&minus).fold(false, |any, pair| any | high(pair));
        for (row, pair) in plus.iter().zip(&minus).enumerate().take(if any { self.rows } else { 0 }) {
            if high(pair) {
                let (plus, minus) = pair;
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

    /// Resets pair k and writes `w` again; the pulses that it took.
    fn rewrite(&mut self, refresh: u64, k: usize, w: f32) -> u64 {
        let mean = &self.pairs.as_ref().expect("an array of pairs").mean;
        let most = (MOST_PULSES * f64::from(mean.range / mean.weight_step)).round() as u64;
        let stream = self.stream(Operation::Rewrite, refresh);
        let place = |n: u64| k as u64 * (most + 2) + n;
        let mut xi = [0.0; LANES];
        stream.normals(place(0), &mut xi);
        self.reset_pair(k, [xi[0], xi[1]]);
        self.raise(k, w, most, |n| {
            let lane = (2 + n as usize) % LANES;
            if lane == 0 {
                stream.normals(place(2 + n), &mut xi);
            }
            xi[lane]
        })
    }

    /// Sends one device of pair k, which was reset, as many pulses, `most` at most, as the mean device needs to come from
    /// 0 nearest to `w`; pulse n has the normal `xi(n)`. How many these were.
    pub(super) fn raise(&mut self, k: usize, w: f32, most: u64, mut xi: impl FnMut(u64) -> f32) -> u64 {
        let noisy = self.device.noisy();
        let (mut g, mut pulses) = (0.0_f32, 0);
        while pulses < most {
            let mean = &self.pairs.as_ref().expect("an array of pairs").mean;
            let next = mean.pulse(g);
            if (g - w.abs()).abs() - (next - w.abs()).abs() < LEAST_STEP * mean.weight_step {
                break;
            }
            self.pulse_one(k, w > 0.0, if noisy { xi(pulses) } else { 0.0 }, (0, 0));
            (g, pulses) = (next, pulses + 1);
        }
        pulses
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crossbar::{Array, Setup, Visible};
    use crate::device::{ConstantStep, DeviceSettings, OneSidedPair};

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
