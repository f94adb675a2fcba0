//! Arrays of one-sided pairs: two devices per crosspoint that only step up, w = g⁺ − g⁻. An array of single devices has
//! none of this, and pays nothing for it.

use super::{Crossbar, Setup};
use crate::device::{Device, MeanOfPair, NORMALS, OneSidedPair};
use crate::error::{Error, Result};
use crate::random::{Operation, Stream};
use crate::simd::aligned::Aligned;

/// Added to the number of a programming, so that it shares no stream with a refresh.
pub(super) const BEFORE_PROGRAMMING: u64 = 1 << 63;

/// The pairs of an array, in its order. The array keeps the devices of g⁺, and the weights.
#[derive(Clone, Debug)]
pub(super) struct Pairs<D: Device> {
    pub(super) settings: OneSidedPair,
    pub(super) mean: MeanOfPair,
    /// The devices of g⁻.
    points: Aligned<D::Point>,
    /// g⁺ and g⁻: states above their lower bounds.
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
#[derive(Clone, Copy, Debug)]
pub(super) struct PairPoints<'a, D: Device> {
    device: &'a D,
    plus: &'a [D::Point],
    minus: &'a [D::Point],
}

impl<D: Device> PairPoints<'_, D> {
    /// g_max of both devices of pair k.
    pub(super) fn ranges(&self, k: usize) -> [f32; 2] {
        [&self.plus[k], &self.minus[k]].map(|point| {
            let (lower, upper) = self.device.bounds(point);
            upper - lower
        })
    }

    /// Steps of both devices of pair k at half their range, without noise.
    pub(super) fn steps(&self, k: usize) -> [f32; 2] {
        [&self.plus[k], &self.minus[k]].map(|point| {
            let (lower, upper) = self.device.bounds(point);
            let middle = 0.5 * (lower + upper);
            self.device.pulse(point, middle, true, 0.0) - middle
        })
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
        let (plus, minus) = (vec![0.0; plus.len()], vec![0.0; plus.len()]);
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

    /// A pulse to pair k; its g⁺ − g⁻ after it.
    #[inline(always)]
    pub(super) fn pulse(&mut self, k: usize, up: bool, xi: f32) -> f32 {
        let PairPoints { device, plus, minus } = self.pairs;
        let (point, g) = if up { (&plus[k], &mut self.plus[k]) } else { (&minus[k], &mut self.minus[k]) };
        let lower = device.bounds(point).0;
        *g = device.pulse(point, *g + lower, true, xi) - lower;
        self.plus[k] - self.minus[k]
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
        let w = pairs.part(&self.device, &self.points).pulse(k, up, xi);
        self.weights[k] = w - self.reference.get(k).copied().unwrap_or(0.0);
    }

    /// Sets pair k to these g⁺ and g⁻, or as near as its devices come.
    fn set_pair(&mut self, k: usize, g: [f32; 2]) {
        let pairs = self.pairs.as_mut().expect("an array of pairs");
        let [plus, minus] = pairs.with(&self.device, &self.points).ranges(k);
        (pairs.plus[k], pairs.minus[k]) = (g[0].max(0.0).min(plus), g[1].max(0.0).min(minus));
        self.settle_pair(k);
    }

    /// Sets pair k to the weight w, with one of its devices at g = 0.
    pub(super) fn hold_pair(&mut self, k: usize, w: f32) {
        let w = w + self.reference.get(k).copied().unwrap_or(0.0);
        self.set_pair(k, [w, -w]);
    }

    /// The weight of pair k, from its g.
    pub(super) fn settle_pair(&mut self, k: usize) {
        let pairs = self.pairs.as_ref().expect("an array of pairs");
        self.weights[k] = pairs.plus[k] - pairs.minus[k] - self.reference.get(k).copied().unwrap_or(0.0);
    }

    /// Takes g⁺ and g⁻ of all pairs from a snapshot, in the array's order.
    pub(super) fn restore_pairs(&mut self, [plus, minus]: [Vec<f32>; 2]) {
        plus.into_iter().zip(minus).enumerate().for_each(|(k, (plus, minus))| self.set_pair(k, [plus, minus]));
    }

    /// Resets pair k to |σ ξ| each.
    pub(super) fn reset_pair(&mut self, k: usize, xi: [f32; 2]) {
        let pairs = self.pairs.as_ref().expect("an array of pairs");
        let spread = pairs.settings.reset_spread as f32 * pairs.mean.range;
        self.set_pair(k, xi.map(|xi| (spread * xi).abs()));
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
