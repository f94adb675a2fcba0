//! How much of what a fast array holds reaches the next one: signs that flip take some of it away, and a reference that
//! is measured while the signs flip adds to it.

use super::chopper::{Chopping, period};
use super::tracker::{Adopt, Tracking};

/// The least response that rates make up for. Where A remembers longer than signs stay, C therefore moves less than under
/// the float rule.
const LEAST: f64 = 0.5;

/// Intervals of the table.
const INTERVALS: usize = 256;

/// The mean of z = c·(v − P^ref) over reads, as a share of where a steady gradient would hold the array without flips.
#[derive(Clone, Debug, Default)]
pub(in crate::rule) struct Response {
    /// `None` where nothing flips.
    flips: Option<Flips>,
    /// The response at t = θ/(θ + θ₀) from 0 to 1, in equal steps.
    table: Vec<f32>,
    /// θ₀: where t is ½.
    middle: f32,
}

/// What takes from the response and adds to it.
#[derive(Clone, Copy, Debug)]
struct Flips {
    chopping: Chopping,
    /// ρ: flips per read.
    rate: f64,
    /// β: share of a read in the mean that becomes the reference at flips; `None` without one.
    tracked: Option<f64>,
}

impl Response {
    /// That of signs which flip at a rate, and of a tracked reference.
    pub(in crate::rule) fn new((chopping, rate): (Chopping, f64), tracker: Option<Tracking>) -> Self {
        if rate <= 0.0 {
            return Self::default();
        }
        // A reference that follows every read leaves nothing of a steady one: rates cannot make up for that.
        let tracked = tracker.filter(|of| of.adopt == Adopt::AtFlips).map(|of| of.share);
        let flips = Flips { chopping, rate, tracked };
        // A line needs p·θ ≈ 4 to turn around within p = 1/ρ reads.
        let middle = 4.0 * rate;
        let at = |n: usize| middle * n as f64 / (INTERVALS - n) as f64;
        let table = (0..=INTERVALS).map(|n| flips.response(at(n)) as f32).collect();
        Self { flips: Some(flips), table, middle: middle as f32 }
    }

    /// Whether anything flips.
    pub(in crate::rule) fn flips(&self) -> bool {
        self.flips.is_some()
    }

    /// Of an array that decays by e^(−θ) from read to read of a line.
    pub(in crate::rule) fn of(&self, theta: f64) -> f64 {
        self.flips.map_or(1.0, |flips| flips.response(theta).max(LEAST))
    }

    /// 1 + rβ/(2 − β): the variance that the noise of r reads between two flips gives to what they add up to, over that
    /// without a tracked reference, whose noise is the same in all of them [ours].
    pub(in crate::rule) fn noise(&self, reads: u64) -> f64 {
        let tracked = self.flips.and_then(|flips| flips.tracked);
        tracked.map_or(1.0, |share| 1.0 + reads as f64 * share / (2.0 - share))
    }

    /// The response [`of`](Response::of) an array, for each of many lines: from a table.
    pub(in crate::rule) fn near(&self, theta: f32) -> f32 {
        let [.., last] = *self.table else { return 1.0 };
        let t = theta / (theta + self.middle) * INTERVALS as f32;
        let n = t as usize;
        let response = match self.table.get(n..n + 2) {
            Some(&[low, high]) => low + (t - n as f32) * (high - low),
            _ => last,
        };
        response.max(LEAST as f32)
    }
}

impl Flips {
    /// Of an array that decays by d = e^(−θ) from read to read of a line [ours].
    ///
    /// In the frame of its sign, a line goes towards 1, and a flip turns it around: u ← 1 − (1 − u)d from read to read,
    /// u ← −u at flips. P, the mean of reads, turns with it: P ← (1 − β)P + βu. With regular flips every p reads, the
    /// line is at u_k = 1 − Bd^k at read k after a flip, with B = 2/(1 + d^p), and P at the end of a period is
    /// β Σ (1 − β)^(p−k) u_k/(1 + (1 − β)^p). With random ones, ⟨u⟩ = (1 − d)/(1 − (1 − 2ρ)d) and
    /// ⟨P⟩ = β⟨u⟩/(1 − (1 − 2ρ)(1 − β)). P of the last flip is subtracted with the sign before it, that is, added.
    fn response(self, theta: f64) -> f64 {
        let d = (-theta.max(0.0)).exp();
        let (line, mean) = match self.chopping {
            Chopping::Regular => self.regular(d),
            Chopping::Random => self.random(d),
        };
        line + mean
    }

    fn regular(self, d: f64) -> (f64, f64) {
        let p = period(self.rate) as f64;
        let d_p = d.powf(p);
        let start = 2.0 / (1.0 + d_p);
        let mean = self.tracked.map_or(0.0, |share| {
            let q = 1.0 - share;
            let q_p = q.powf(p);
            (1.0 - q_p - start * share * d * geometric(d, d_p, q, q_p, p)) / (1.0 + q_p)
        });
        (1.0 - start * d * geometric(d, d_p, 1.0, 1.0, p) / p, mean)
    }

    fn random(self, d: f64) -> (f64, f64) {
        let stays = 1.0 - 2.0 * self.rate;
        let line = (1.0 - d) / (1.0 - stays * d);
        (line, self.tracked.map_or(0.0, |share| share * line / (1.0 - stays * (1.0 - share))))
    }
}

/// Σ d^k·q^(p−1−k) over k from 0 to p − 1, with d^p and q^p.
fn geometric(d: f64, d_p: f64, q: f64, q_p: f64, p: f64) -> f64 {
    if (q - d).abs() * p > 1e-6 { (q_p - d_p) / (q - d) } else { p * d.powf(p - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::parts::chopper::Chopper;
    use crate::rule::parts::tracker::Tracker;

    fn tracking(share: f64) -> Tracking {
        Tracking { share, adopt: Adopt::AtFlips, warm_up: true }
    }

    /// The mean of z over many reads of one crosspoint under a gradient of 1, with the parts themselves.
    fn simulated(chopping: Chopping, rate: f64, tracked: Option<f64>, theta: f64) -> f64 {
        let mut chopper = Chopper::new(chopping, rate, (3, 1), 1).expect("it flips");
        let mut tracker = tracked.map(|share| Tracker::new(tracking(share), 1, 1));
        let (reads, warm, d) = (400_000, 2_000, (-theta).exp());
        let (mut a, mut total) = (0.0, 0.0);
        for read in 0..reads {
            let sign = f64::from(chopper.signs()[0]);
            a = sign + (a - sign) * d;
            let flips = chopper.after_read(0, read);
            let mut v = [a as f32];
            if let Some(tracker) = &mut tracker {
                tracker.take(0, &mut v, flips);
            }
            if read >= warm {
                total += sign * f64::from(v[0]);
            }
        }
        total / (reads - warm) as f64
    }

    #[test]
    fn steady_gradients_arrive_as_much_as_said() {
        for chopping in [Chopping::Regular, Chopping::Random] {
            for (rate, theta) in [(0.1, 2.0), (0.1, 0.3), (0.25, 1.0), (0.02, 0.5)] {
                for tracked in [None, Some(0.5), Some(1.0), Some(0.1)] {
                    let response = Response::new((chopping, rate), tracked.map(tracking)).of(theta);
                    let found = simulated(chopping, rate, tracked, theta).max(LEAST);
                    assert!(
                        (found - response).abs() < 0.015,
                        "{chopping:?} {rate} {theta} {tracked:?}: {found} {response}"
                    );
                }
            }
        }
    }

    /// d = e^(−2) and p = 10: c-TTv2 loses 2/p·Σ d^k, AGAD gets the whole mean besides.
    #[test]
    fn by_hand() {
        let d = (-2.0_f64).exp();
        let lost = 0.2 * d / (1.0 - d);
        let of = |tracker| Response::new((Chopping::Regular, 0.1), tracker).of(2.0);
        assert!((of(None) - (1.0 - lost)).abs() < 1e-6);
        assert!((of(Some(tracking(0.5))) - (2.0 - lost)).abs() < 3e-3);
        assert_eq!(Response::new((Chopping::Regular, 0.0), None).of(2.0), 1.0);
        let at_reads = Tracking { adopt: Adopt::AtReads, ..tracking(0.5) };
        assert_eq!(Response::new((Chopping::Random, 0.0), Some(at_reads)).of(2.0), 1.0);
    }

    /// The table follows the closed form within a thousandth.
    #[test]
    fn many_lines_at_once() {
        for (chopping, rate, share) in
            [(Chopping::Regular, 0.1, 0.5), (Chopping::Random, 0.01, 0.1), (Chopping::Regular, 1.0, 1.0)]
        {
            for tracker in [None, Some(tracking(share))] {
                let response = Response::new((chopping, rate), tracker);
                for theta in (0..2000).map(|n| 1e-4 * 1.01_f64.powi(n)) {
                    let (exact, near) = (response.of(theta), f64::from(response.near(theta as f32)));
                    assert!((exact - near).abs() < 1e-3, "{chopping:?} {rate} {theta}: {exact} {near}");
                }
            }
        }
        assert_eq!(Response::default().near(0.3), 1.0);
    }

    #[test]
    fn slow_arrays_have_the_least_response() {
        for chopping in [Chopping::Regular, Chopping::Random] {
            assert_eq!(Response::new((chopping, 0.1), None).of(0.0), LEAST);
            assert_eq!(Response::new((chopping, 0.1), None).of(f64::NAN), LEAST);
        }
    }
}
