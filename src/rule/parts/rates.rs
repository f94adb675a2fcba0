//! The rates of rules with fast arrays: lr_A of the gradient into the fastest array, and the rate of the transfer into C.

use super::response::Response;
use super::signals::Signals;
use crate::rule::transfer::Hardware;
use serde::{Deserialize, Serialize};

/// How the learning rates are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LearningRates {
    /// `fast_lr` and `transfer_lr` where they are given, else from devices and signals, so that weights move as those of
    /// the float rule at the rate `lr`.
    #[default]
    Auto,
    /// By R24's rules: `learning_rate`, `granularity`, `reads` and `memory`.
    R24,
    /// By R24's rules with the factor λ_A of its eq. (14): the transfer makes up for the rate of the gradient.
    R24Matched,
}

/// Sweeps over all lines that A remembers at least, and at most, at automatic rates. C moves by a quarter of its range per
/// read at most, so that A, which remembers four sweeps, follows it.
const SWEEPS_REMEMBERED: (f64, f64) = (0.5, 4.0);

/// The share of a full train, or of A's range, that the largest crosspoint of a sample with a large error needs at
/// automatic rates.
const LARGEST_UPDATE: f64 = 0.5;

/// Sweeps that C remembers at least, at automatic rates, before the noise of reads alone makes it forget; fewer while the
/// training is shorter.
const SWEEPS_KEPT: f64 = 25.0;

/// E|ξ| of a standard normal ξ, √(2/π), in round figures.
const MEAN_NOISE: f64 = 0.8;

/// The share of C's range by which a read as large as A's bound may move it at automatic rates.
const LARGEST_READ: f64 = 0.25;

/// The rates of a rule.
#[derive(Clone, Debug)]
pub(in crate::rule) struct Rates {
    pub(in crate::rule) scheme: LearningRates,
    /// The rate of the float rule, for automatic rates.
    pub(in crate::rule) lr: f64,
    /// lr_A, if it is set by hand.
    pub(in crate::rule) fast_lr: Option<f64>,
    /// The rate of the transfer into C, if it is set by hand.
    pub(in crate::rule) transfer_lr: Option<f64>,
    /// λ.
    pub(in crate::rule) learning_rate: f64,
    /// η₀.
    pub(in crate::rule) granularity: f64,
    /// γ₀.
    pub(in crate::rule) reads: f64,
    /// Samples in the means of the signals.
    pub(in crate::rule) memory: f64,
    /// BL_max of the fastest array.
    pub(in crate::rule) max_length: u32,
    /// b of the devices of the fastest array, in units of weight.
    pub(in crate::rule) reach: f64,
    /// Standard deviation of a device of A that random pulses keep at its symmetry point, in units of weight.
    pub(in crate::rule) resting_noise: f64,
    /// σ: standard deviation of reads of A that no gradient moves, in units of weight.
    pub(in crate::rule) noise: f64,
    /// The range of C: b of its devices, their nearer bound, or a weight of 1, whichever is least.
    pub(in crate::rule) slow_range: f64,
    /// How much of what the last fast array holds reaches C.
    pub(in crate::rule) response: Response,
    pub(in crate::rule) signals: Signals,
}

/// The transfer that a rate is for.
#[derive(Clone, Copy, Debug)]
pub(in crate::rule) struct Sweep {
    /// Samples (or mini-batches) per transfer of a line.
    pub(in crate::rule) every: u64,
    /// Lines.
    pub(in crate::rule) lines: usize,
    /// Samples of what `every` counts, on average.
    pub(in crate::rule) samples_each: f64,
    /// The steps of A, and of C; of C 1 where a rate is in weights rather than in thresholds of H.
    pub(in crate::rule) steps: (f64, f64),
}

impl Sweep {
    /// Samples from read to read of a line.
    fn samples(&self) -> f64 {
        self.every as f64 * self.lines as f64 * self.samples_each
    }
}

impl Rates {
    /// Rates by hand, or automatic ones, of a rule without R24's.
    pub(in crate::rule) fn new(lr: f64, fast_lr: Option<f64>, transfer_lr: Option<f64>, of: &Hardware<'_>) -> Self {
        let (reach, resting_noise) = of.device.mean().map_or((1.0, 0.0), |mean| (mean.reach, mean.resting_noise()));
        Self {
            scheme: LearningRates::Auto,
            lr,
            fast_lr,
            transfer_lr,
            learning_rate: 0.0,
            granularity: 1.0,
            reads: 1.0,
            memory: 1.0,
            max_length: of.pulse_trains.max_length,
            reach,
            resting_noise,
            noise: resting_noise.hypot(of.periphery.read.output_noise),
            slow_range: of
                .slow_device
                .mean()
                .map_or(1.0, |mean| mean.reach.min(mean.bounds.1).min(-mean.bounds.0).min(1.0)),
            response: Response::default(),
            signals: Signals::default(),
        }
    }

    /// Whether a rate follows from `lr`.
    pub(in crate::rule) fn automatic(&self) -> bool {
        self.scheme == LearningRates::Auto && (self.fast_lr.is_none() || self.transfer_lr.is_none())
    }

    /// Whether lr_A follows from devices and signals.
    pub(in crate::rule) fn sets_fast(&self) -> bool {
        self.scheme == LearningRates::Auto && self.fast_lr.is_none()
    }

    /// Takes note of the next sample, if rates depend on the signals.
    pub(in crate::rule) fn watch(&mut self, x: &[f32], delta: &[f32], sweep: Sweep) {
        match self.scheme {
            LearningRates::R24 | LearningRates::R24Matched => {
                self.signals.add_largest(x, delta, self.memory);
            }
            LearningRates::Auto if !self.automatic() => {}
            LearningRates::Auto => self.signals.add(x, delta, sweep.samples()),
        }
    }

    /// lr_A.
    pub(in crate::rule) fn fast(&self, sweep: Sweep) -> f64 {
        let step = sweep.steps.0;
        match self.scheme {
            LearningRates::R24 | LearningRates::R24Matched => {
                fast_rate(self.granularity, self.max_length, step, &self.signals)
            }
            LearningRates::Auto => self.fast_lr.unwrap_or_else(|| {
                let gradient = self.signals.gradient();
                let (decay, train) = (self.decay(sweep, gradient.spread), f64::from(self.max_length) * step);
                automatic_fast_rate(decay, self.reach, train, sweep.samples(), gradient.mean, self.signals.largest())
            }),
        }
    }

    /// The rate of the transfer in a row of typical errors: thresholds of H, or weights, per read and unit of A, of which
    /// A learns at the rate `fast`.
    pub(in crate::rule) fn transfer(&self, sweep: Sweep, fast: f64) -> f64 {
        let Sweep { every, lines, steps: (_, step), .. } = sweep;
        let rate = || transfer_rate(self.learning_rate, every, lines, self.reads, step);
        match (self.scheme, self.transfer_lr) {
            (LearningRates::R24, _) => rate(),
            (LearningRates::R24Matched, _) if fast == 0.0 => 0.0,
            (LearningRates::R24Matched, _) => rate() / fast,
            (LearningRates::Auto, Some(by_hand)) => by_hand,
            (LearningRates::Auto, None) => {
                let Automatic { rate, most, theta } = self.automatic_transfer(sweep, fast);
                (rate / self.response.of(theta)).min(most) / step
            }
        }
    }

    /// The same times `lr_scale`: of each row where rates are automatic, else one for all [ours].
    ///
    /// Row i has s_i = ⟨|δ_i|⟩/⟨|δ|⟩ times the errors of a typical row. A forgets it s_i times as fast, and holds b·g/(s_i·ḡ)
    /// of a gradient g. A row without errors would otherwise get nothing but the noise of A.
    pub(in crate::rule) fn transfers(&self, sweep: Sweep, fast: f64, lr_scale: f32, out: &mut Vec<f32>) {
        let automatic = self.scheme == LearningRates::Auto && self.transfer_lr.is_none();
        if !automatic || self.signals.is_empty() {
            return out.push(self.transfer(sweep, fast) as f32 * lr_scale);
        }
        let (Automatic { rate, most, theta }, unit) =
            (self.automatic_transfer(sweep, fast), lr_scale / sweep.steps.1 as f32);
        let (rate, most, theta) = (rate as f32, most as f32, theta as f32);
        let of = |share: f32| (share * rate / self.response.near(share * theta)).min(most) * unit;
        out.extend(self.signals.row_shares().map(of));
    }

    /// θ: how far A shall decay from read to read. Where signs flip, what it held before is lost, so that it forgets as
    /// soon as it may.
    fn decay(&self, sweep: Sweep, spread: f64) -> f64 {
        if self.response.flips() {
            return 1.0 / SWEEPS_REMEMBERED.0;
        }
        automatic_decay(self.resting_noise / self.reach, sweep.samples(), spread)
    }

    fn automatic_transfer(&self, sweep: Sweep, fast: f64) -> Automatic {
        let (samples, gradient) = (sweep.samples(), self.signals.gradient().mean);
        Automatic {
            rate: automatic_transfer_rate(self.lr, samples, self.reach, gradient),
            most: largest_transfer_rate(
                self.slow_range,
                self.reach,
                self.noise * self.response.noise(1).sqrt(),
                self.signals.samples() as f64 / samples,
            ),
            theta: fast * samples * gradient / self.reach,
        }
    }
}

/// The automatic rate of the transfer, in weights per read and unit of A, in a row of typical errors.
struct Automatic {
    /// Where all of A is transferred.
    rate: f64,
    /// The largest in any row.
    most: f64,
    /// θ: how far A decays from read to read.
    theta: f64,
}

/// R24 eq. (15): λ_A = η₀·BL_max·δ_A/(μ_x·μ_δ), so that the largest crosspoint of a typical sample needs
/// η₀·BL_max pulses. 0 while there is no signal.
fn fast_rate(granularity: f64, max_length: u32, step: f64, signals: &Signals) -> f64 {
    let signal = signals.largest_x.mean() * signals.largest_delta.mean();
    if signal > 0.0 { granularity * f64::from(max_length) * step / signal } else { 0.0 }
}

/// R24 eq. (14) without its factor 1/λ_A: λ_H = λ·ns·n/(γ₀·δ_C), γ₀ the reads to accumulate over and n the lines of a
/// sweep.
fn transfer_rate(learning_rate: f64, every: u64, lines: usize, reads: f64, step: f64) -> f64 {
    learning_rate * every as f64 * lines as f64 / (reads * step)
}

/// θ: by how much A decays from read to read of a line, the inverse of the sweeps that it remembers [ours].
///
/// C gets the noise of gradients times (θ/2)·coth(θ/2), since a gradient is partly forgotten before it is read, and that of
/// A's own pulses times coth(θ/2), since reads that follow closely repeat it. The latter is R = S(σ/b)²/κ² times as large,
/// with σ/b the share of A's range that its pulses leave as noise, over a sweep of S samples whose gradients spread by κ².
/// The sum is least at sinh θ − θ = 2R. θ = 4R, from ¼ to 2, sends fewer pulses, which grow with θ, and comes within 25 %
/// of it for R up to 5.
fn automatic_decay(noise: f64, sweep: f64, spread: f64) -> f64 {
    let (shortest, longest) = SWEEPS_REMEMBERED;
    let ratio = if spread > 0.0 { sweep * noise.powi(2) / spread } else { f64::INFINITY };
    (4.0 * ratio).clamp(1.0 / longest, 1.0 / shortest)
}

/// lr_A from the memory of A [ours]. A device that gets N pulses of step δ per sample forgets over τ = b/(δ·N) samples,
/// and δ·N = lr_A·ḡ for a mean gradient ḡ = ⟨|x|⟩⟨|δ|⟩. To decay by θ over a sweep of S samples asks for lr_A = θb/(S·ḡ).
/// It is less where a sample with a large error would otherwise saturate its train, or A: lr_A·max|x|·max|δ| is at most
/// half of BL_max·δ_A, the longest `train`, and of b. 0 while there is no signal.
fn automatic_fast_rate(decay: f64, reach: f64, train: f64, sweep: f64, gradient: f64, largest: f64) -> f64 {
    if gradient == 0.0 || largest == 0.0 {
        return 0.0;
    }
    let by_memory = decay * reach / (sweep * gradient);
    by_memory.min(LARGEST_UPDATE * train.min(reach) / largest)
}

/// The rate of the transfer, in weights per read and unit of A, at which C moves as under the float rule at the rate lr
/// [ours]. A steady gradient g holds A at lr_A·g·τ = b·g/ḡ, and A is read every S samples: C moves by β·b·g/ḡ for the
/// lr·S·g of the float rule, so β = lr·S·ḡ/b, whatever lr_A is. For H, that over δ_C; where
/// signs flip, over the response.
fn automatic_transfer_rate(lr: f64, sweep: f64, reach: f64, gradient: f64) -> f64 {
    lr * sweep * gradient / reach
}

/// The largest automatic rate of the transfer in any row, in weights per read and unit of A, after so many sweeps [ours].
/// Devices of C forget the share |ΔC|/b_C of what they hold, b_C being their range. Noise σ of a read takes 0.8σ on average,
/// so that C remembers b_C/(0.8σ) reads per unit of the rate: here as many as there were, up to 25, whose noise moves C by a
/// twentieth of its range. A read as large as A's bound b moves C by no more than a quarter of that range; a tracked
/// reference, of what A held before a flip, adds as much again.
fn largest_transfer_rate(slow_range: f64, reach: f64, noise: f64, sweeps: f64) -> f64 {
    slow_range * (1.0 / (MEAN_NOISE * noise * sweeps.min(SWEEPS_KEPT))).min(LARGEST_READ / reach)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Operation, Stream};
    use crate::rule::parts::chopper::Chopping;
    use crate::rule::{ArraySettings, Ttv2};

    fn sweep() -> Sweep {
        Sweep { every: 5, lines: 20, samples_each: 1.0, steps: (0.1, 0.1) }
    }

    /// In 2,500 samples, 25 sweeps.
    fn seen(x: f32, delta: f32) -> Signals {
        seen_in(2_500, x, delta)
    }

    fn seen_in(samples: usize, x: f32, delta: f32) -> Signals {
        let mut signals = Signals::default();
        (0..samples).for_each(|_| signals.add(&[x, 0.0], &[delta], 100.0));
        signals
    }

    /// On soft bounds of ±0.6, at the rate 0.05.
    fn automatic() -> Rates {
        let settings = Ttv2::default();
        Rates { resting_noise: 0.1, noise: 0.1, ..Rates::new(0.05, None, None, &settings.hardware()) }
    }

    #[test]
    fn rates_by_hand() {
        assert!((fast_rate(1.5, 5, 0.1, &seen(2.0, 0.25)) - 1.5).abs() < 1e-6);
        assert_eq!(fast_rate(1.0, 5, 0.1, &Signals::default()), 0.0);
        assert!((transfer_rate(0.1, 5, 20, 200.0, 0.1) - 0.5).abs() < 1e-12);
    }

    /// λ_A = 1.5 as above, so that the matched rate is 0.5/1.5.
    #[test]
    fn matched_rates_make_up_for_the_rate_of_the_gradient() {
        let scheme = LearningRates::R24Matched;
        let rates = Rates { scheme, learning_rate: 0.1, granularity: 1.5, reads: 200.0, max_length: 5, ..automatic() };
        assert_eq!(rates.transfer(sweep(), rates.fast(sweep())), 0.0);
        let rates = Rates { signals: seen(2.0, 0.25), ..rates };
        assert!((rates.transfer(sweep(), rates.fast(sweep())) - 0.5 / 1.5).abs() < 1e-6);
    }

    /// b = 0.6, S = 100 samples, ḡ = 2·0.25: lr_A = 2·0.6/(100·0.5) = 0.024, less where trains are of one slot of 0.001;
    /// the float rule at 0.05 would move weights by 2.5 per sweep, so that the range of C limits λ_H to 0.15/0.6/δ_C, or to
    /// 0.03/σ/δ_C where reads are noisy.
    #[test]
    fn automatic_rates_by_hand() {
        let rates = Rates { signals: seen(2.0, 0.25), ..automatic() };
        assert!((rates.fast(sweep()) - 0.024).abs() < 1e-4);
        assert!((rates.transfer(sweep(), rates.fast(sweep())) - 0.15 / 0.6 / 0.1).abs() < 1e-4);
        let slow = Rates { lr: 0.001, ..rates.clone() };
        assert!((slow.transfer(sweep(), slow.fast(sweep())) - 0.001 * 100.0 * 0.5 / 0.6 / 0.1).abs() < 1e-4);
        let noisy = Rates { noise: 0.8, ..rates.clone() };
        assert!((noisy.transfer(sweep(), noisy.fast(sweep())) - 0.03 / 0.8 / 0.1).abs() < 1e-4);
        let one_slot = Rates { max_length: 1, ..rates };
        assert!((one_slot.fast(Sweep { steps: (0.001, 0.1), ..sweep() }) - 0.5 * 0.001 / 0.5).abs() < 1e-4);
        assert_eq!(Rates { signals: Signals::default(), ..one_slot.clone() }.fast(sweep()), 0.0);
        let by_hand = Rates { fast_lr: Some(0.3), transfer_lr: Some(0.4), ..one_slot };
        assert_eq!((by_hand.fast(sweep()), by_hand.transfer(sweep(), by_hand.fast(sweep()))), (0.3, 0.4));
    }

    /// b_C = b = 0.6, σ = 0.8: noise of 0.03 per read after 25 sweeps or more, of 0.15 after 5, and before 3.75 sweeps the
    /// limit for A at its bound. Signals of 500 samples are 5 sweeps.
    #[test]
    fn the_noise_of_reads_may_move_c_further_early_in_a_training() {
        let most = |sweeps| largest_transfer_rate(0.6, 0.6, 0.8, sweeps);
        for (sweeps, by_hand) in [(1e9, 0.03 / 0.8), (25.0, 0.03 / 0.8), (5.0, 0.15 / 0.8), (0.0, 0.25)] {
            assert!((most(sweeps) - by_hand).abs() < 1e-12, "{sweeps}");
        }
        let late = Rates { noise: 0.8, signals: seen(2.0, 0.25), ..automatic() };
        let early = Rates { signals: seen_in(500, 2.0, 0.25), ..late.clone() };
        let [early, late] = [early, late].map(|of| of.automatic_transfer(sweep(), 0.1).most);
        assert!((early / late - 5.0).abs() < 1e-9);
    }

    /// Noise of b_C/(0.8k) at read k makes devices forget 1/k: of what they held after 5 reads, ∏(1 − 1/k) = 5/20 is left
    /// after 20.
    #[test]
    fn c_remembers_as_long_as_the_training_lasts() {
        let mut kept = vec![1.0; 2_000];
        let mut noise = vec![0.0; kept.len()];
        for read in 6..=20_u64 {
            Stream::new(3, 0, Operation::Initialise, read).normals(0, &mut noise);
            let share = 0.5 * largest_transfer_rate(1.0, 0.1, 0.5, read as f64);
            let moves = noise.iter().map(|&xi| share * f64::from(xi).abs());
            kept.iter_mut().zip(moves).for_each(|(of, moved): (&mut f64, _)| *of *= 1.0 - moved);
        }
        let mean = kept.iter().sum::<f64>() / kept.len() as f64;
        // √(2/π)/0.8 is 0.3 % less than 1; 5σ of the mean of 2,000 is 0.02.
        assert!((mean - 0.25).abs() < 0.02, "{mean}");
    }

    /// Memory of half a sweep at least, of four at most; at R = 0.3 of 1/1.2.
    #[test]
    fn automatic_decay_by_hand() {
        assert_eq!(automatic_decay(0.1, 100.0, 0.0), 2.0);
        assert_eq!(automatic_decay(f64::INFINITY, 100.0, 5.0), 2.0);
        assert_eq!(automatic_decay(0.5, 100.0, 5.0), 2.0);
        assert!((automatic_decay(0.1, 120.0, 4.0) - 1.2).abs() < 1e-12);
        assert_eq!(automatic_decay(0.001, 120.0, 4.0), 0.25);
    }

    /// Signs that flip want an array that forgets.
    #[test]
    fn chopped_arrays_forget_as_soon_as_they_may() {
        let steady = Rates { signals: seen(2.0, 0.25), resting_noise: 0.005, ..automatic() };
        let response = Response::new((Chopping::Regular, 0.1), None);
        let spread = steady.signals.gradient().spread;
        assert!((steady.decay(sweep(), spread) - 0.25).abs() < 1e-9);
        assert_eq!(Rates { response, ..steady }.decay(sweep(), spread), 2.0);
    }

    /// The noise in C, (θ/2 + R)·coth(θ/2), against the least of 2,000 values of θ from 0.01 to 10.
    #[test]
    fn automatic_decay_leaves_little_more_noise_than_the_best() {
        let noise = |theta: f64, ratio: f64| (theta / 2.0 + ratio) / (theta / 2.0).tanh();
        for ratio in (0..100).map(|n| 5.0 * 0.9_f64.powi(n)) {
            let least = (0..2_000).map(|n| noise(0.01 * 1.00346_f64.powi(n), ratio)).fold(f64::INFINITY, f64::min);
            assert!(noise(automatic_decay(1.0, ratio, 1.0), ratio) < 1.25 * least, "{ratio}");
        }
    }

    /// What the sum of an array's reads gets of the noise of gradients and of its own pulses, against the factors that
    /// `automatic_decay` assumes. The array decays by θ over S = 40 samples, and is then read.
    #[test]
    fn noise_of_gradients_and_of_pulses_in_sums_of_reads() {
        const SAMPLES: usize = 40;
        const READS: usize = 100;
        const SUMS: usize = 3_000;
        let mut normals = [0.0; SAMPLES + 1];
        for theta in [0.5, 1.0, 2.0_f64] {
            let (decay, per_sample) = ((-theta).exp(), (-theta / SAMPLES as f64).exp());
            let (mut gradients, mut pulses, mut variances) = (0.0, 0.0, [0.0; 2]);
            for sum in 0..SUMS {
                let mut sums = [0.0; 2];
                for read in 0..READS {
                    Stream::new(1, 0, Operation::Initialise, (sum * READS + read) as u64).normals(0, &mut normals);
                    let (own, samples) = normals.split_last().expect("one more");
                    for &g in samples {
                        gradients = per_sample * gradients + theta / SAMPLES as f64 * f64::from(g);
                    }
                    pulses = decay * pulses + (1.0 - decay * decay).sqrt() * f64::from(*own);
                    sums = [sums[0] + gradients, sums[1] + pulses];
                }
                variances.iter_mut().zip(sums).for_each(|(of, sum)| *of += sum * sum / (SUMS * READS) as f64);
            }
            let coth = (theta / 2.0).tanh().recip();
            // A sum of 100 reads lacks some of the correlations: up to 4 % at θ = ½; 5σ is 13 % with 3,000 sums.
            for (found, law) in variances.iter().zip([theta / 2.0 * coth / SAMPLES as f64, coth]) {
                assert!((found / law - 1.0).abs() < 0.15, "{theta}: {found} {law}");
            }
        }
    }
}
