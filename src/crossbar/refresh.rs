//! The refresh of one-sided pairs: where both devices are high, both are reset, and their difference is written again.

use super::pairs::BEFORE_PROGRAMMING;
use super::tuning::LINE_NORMALS_PER_DRAW;
use super::{Crossbar, Line};
use crate::device::Device;
use crate::random::{Operation, Stream};
use crate::simd::LANES;

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
            let mut read = [Vec::new(), Vec::new()];
            for column in 0..self.cols {
                self.read_pairs(refreshes, column, &mut read);
                self.rewrite_column(refreshes, column, &read);
            }
        }
    }

    /// g⁺ and g⁻ of the pairs of a column, read one after the other.
    fn read_pairs(&mut self, refresh: u64, column: usize, read: &mut [Vec<f32>; 2]) {
        let pairs = self.pairs.as_ref().expect("an array of pairs");
        for (which, (v, g)) in read.iter_mut().zip([&pairs.plus, &pairs.minus]).enumerate() {
            v.clear();
            v.extend_from_slice(&g[column * self.rows..(column + 1) * self.rows]);
            let read = refresh.wrapping_mul(2 * self.cols as u64).wrapping_add((2 * column + which) as u64);
            let noise = self.stream(Operation::Refresh, read);
            self.line_readout().read([Line::Column(column)].into_iter(), &|_| noise, v);
        }
        self.counts.line_reads += 2;
        self.counts.dac_conversions += 2;
        self.counts.adc_conversions += 2 * self.rows as u64;
    }

    /// Resets the pairs of a column whose devices were both read too high, and writes what was read again.
    fn rewrite_column(&mut self, refresh: u64, column: usize, [plus, minus]: &[Vec<f32>; 2]) {
        let pairs = self.pairs.as_ref().expect("an array of pairs");
        let of_range = |share: f64| share as f32 * pairs.mean.range;
        let (upper, lower) = (of_range(pairs.settings.upper_threshold), of_range(pairs.settings.lower_threshold));
        let most = (MOST_PULSES * f64::from(pairs.mean.range / pairs.mean.weight_step)).round() as u64;
        let high = |plus: f32, minus: f32| {
            ((plus > upper) | (minus > upper)) & (plus > lower) & (minus > lower) // no branch, so that lanes compare
        };
        let rewrites = refresh.wrapping_mul(self.cols as u64).wrapping_add(column as u64) & !BEFORE_PROGRAMMING;
        let mut xi = Normals::new(self.stream(Operation::Rewrite, rewrites));
        let (mut sent, mut slots) = (0, 0);
        for (first, (plus, minus)) in (0..).step_by(LANES).zip(plus.chunks(LANES).zip(minus.chunks(LANES))) {
            if !plus.iter().zip(minus).fold(false, |any, (&plus, &minus)| any | high(plus, minus)) {
                continue;
            }
            for (row, (&plus, &minus)) in (first..).zip(plus.iter().zip(minus)) {
                if high(plus, minus) {
                    let k = column * self.rows + row;
                    self.reset_pair(k, [xi.next(), xi.next()]);
                    let pulses = self.raise(k, plus - minus, most, |_| xi.next());
                    sent += 2 + pulses;
                    slots = slots.max(1 + pulses as u32);
                }
            }
        }
        self.count_line(Line::Column(column), sent, slots);
    }

    /// Sends one device of pair k, which was reset, as many pulses, `most` at most, as the mean device needs to come from
    /// 0 nearest to `w`; pulse n has the normal `xi(n)`. How many these were.
    pub(super) fn raise(&mut self, k: usize, w: f32, most: u64, mut xi: impl FnMut(u64) -> f32) -> u64 {
        let noisy = self.device.noisy();
        let pulses = self.pairs.as_ref().expect("an array of pairs").mean.pulses_to(w.abs(), most);
        (0..pulses).for_each(|n| self.pulse_pair(k, w > 0.0, if noisy { xi(n) } else { 0.0 }));
        if let Some(counters) = &mut self.pulse_counters {
            counters[k] = counters[k].saturating_add(u32::try_from(pulses).unwrap_or(u32::MAX));
        }
        pulses
    }
}

/// The normals of a stream, one after another.
struct Normals {
    stream: Stream,
    drawn: [f32; LINE_NORMALS_PER_DRAW],
    next: u64,
}

impl Normals {
    fn new(stream: Stream) -> Self {
        Self { stream, drawn: [0.0; LINE_NORMALS_PER_DRAW], next: 0 }
    }

    fn next(&mut self) -> f32 {
        let at = self.next as usize % LINE_NORMALS_PER_DRAW;
        if at == 0 {
            self.stream.normals(self.next, &mut self.drawn);
        }
        self.next += 1;
        self.drawn[at]
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
