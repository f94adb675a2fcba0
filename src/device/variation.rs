//! Device-to-device variation, R24 eqs. (5) and (6).

use super::Block;
use crate::error::{Error, Result};
use crate::simd::math;
use crate::simd::{LANES, Mask, unrolled};

/// The constants of one device; index 0 is down, 1 is up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Steps α₋, α₊ (≥ 0), in units of weight.
    pub step: [f32; 2],
    /// Bounds w_min (< 0), w_max (> 0).
    pub bound: [f32; 2],
}

/// How devices differ from each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variation {
    /// δ: mean step at w = 0.
    pub step: f32,
    /// b: mean bound.
    pub bound: f32,
    /// σ_d: spread of the step.
    pub step_spread: f32,
    /// σ_b: spread of the bounds, relative to b.
    pub bound_spread: f32,
    /// σ_±: spread of the up/down asymmetry.
    pub asymmetry: f32,
}

/// What pulses in one direction meet of a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directed {
    /// α₊ upwards, −α₋ downwards.
    pub(super) step: f32,
    /// The bound that the direction leads to.
    pub(super) bound: f32,
    /// w_min.
    pub(super) lower: f32,
    /// w_max.
    pub(super) upper: f32,
}

impl Directed {
    /// w clamped to [w_min, w_max]: a comparison each, where f32::max would also look for NaN.
    #[inline(always)]
    pub(super) fn clamp(&self, w: f32) -> f32 {
        let w = if w > self.lower { w } else { self.lower };
        if w < self.upper { w } else { self.upper }
    }
}

impl Point {
    #[inline(always)]
    pub(super) fn directed(&self, up: bool) -> Directed {
        let ([down_step, up_step], [lower, upper]) = (self.step, self.bound);
        Directed { step: if up { up_step } else { -down_step }, bound: if up { upper } else { lower }, lower, upper }
    }
}

/// A block with its constants sorted into lanes, so that each operation is one vector instruction.
#[derive(Clone, Copy)]
struct Lanes {
    step: [f32; LANES],
    bound: [f32; LANES],
    lower: [f32; LANES],
    upper: [f32; LANES],
    reference: [f32; LANES],
}

impl Lanes {
    #[inline(always)]
    fn new<M: Mask>(block: Block<'_, Point, M>) -> Self {
        let rows = block.points.map(|p| [p.step[0], p.step[1], p.bound[0], p.bound[1]]);
        let [down_steps, up_steps, lower, upper] = M::transpose(&rows);
        let step = block.up.select(&up_steps, &down_steps.map(|step| -step));
        Self { step, bound: block.up.select(&upper, &lower), lower, upper, reference: block.reference }
    }

    /// One round: `respond(device, state, ξ)` where it fires.
    #[inline(always)]
    fn pulse<M: Mask>(
        &self,
        w: [f32; LANES],
        (fires, xi): (M, [f32; LANES]),
        respond: &impl Fn(Directed, f32, f32) -> f32,
    ) -> [f32; LANES] {
        let mut next = [0.0; LANES];
        for l in 0..LANES {
            let (step, bound, lower, upper) = (self.step[l], self.bound[l], self.lower[l], self.upper[l]);
            let device = Directed { step, bound, lower, upper };
            next[l] = respond(device, w[l] + self.reference[l], xi[l]) - self.reference[l];
        }
        fires.select(&next, &w)
    }
}

/// Rounds of pulses to 1 to 4 blocks of devices. A pulse waits for the one before it; other blocks get theirs meanwhile.
#[inline(always)]
pub(super) fn pulse_blocks<M: Mask, const N: usize>(
    blocks: [Block<'_, Point, M>; N],
    rounds: impl Iterator<Item = [(M, [f32; LANES]); N]>,
    respond: impl Fn(Directed, f32, f32) -> f32,
) -> [[f32; LANES]; N] {
    let lanes = unrolled!(N, |k| Lanes::new(blocks[k]));
    let mut w = unrolled!(N, |k| blocks[k].weights);
    for round in rounds {
        w = unrolled!(N, |k| lanes[k].pulse(w[k], round[k], &respond));
    }
    w
}

impl Variation {
    /// R24 eqs. (5), (6):
    ///
    /// ```text
    /// w_max = max(b(1 + σ_b ξ₁), 0)    w_min = min(−b(1 + σ_b ξ₂), 0)
    /// α₊ = δ(γ + ρ)   α₋ = δ(γ − ρ)    γ = exp(σ_d ξ₃)   ρ = σ_± ξ₄
    /// ```
    ///
    /// Ours: the bounds keep a millionth of b, so that (w_max − w)/w_max has its limit at a bound of
    /// zero instead of 0/0; a step that comes out negative is 0, a direction that does not answer.
    pub fn sample(&self, xi: [f32; 4]) -> Point {
        self.with_gain(math::exp(self.step_spread * xi[2]), xi)
    }

    /// The same with Gaussian steps (GV16): γ = 1 + σ_d ξ₃.
    pub fn sample_gaussian(&self, xi: [f32; 4]) -> Point {
        self.with_gain(1.0 + self.step_spread * xi[2], xi)
    }

    fn with_gain(&self, gamma: f32, xi: [f32; 4]) -> Point {
        let (b, floor) = (self.bound, 1e-6 * self.bound);
        let rho = self.asymmetry * xi[3];
        Point {
            step: [(self.step * (gamma - rho)).max(0.0), (self.step * (gamma + rho)).max(0.0)],
            bound: [
                (-b * (1.0 + self.bound_spread * xi[1])).min(-floor),
                (b * (1.0 + self.bound_spread * xi[0])).max(floor),
            ],
        }
    }
}

/// The constants of a device by name.
pub(super) fn parameters(point: &Point) -> Vec<(&'static str, f32)> {
    vec![
        ("up_step", point.step[1]),
        ("down_step", point.step[0]),
        ("upper_bound", point.bound[1]),
        ("lower_bound", point.bound[0]),
    ]
}

/// δ = 2b / n_states where no step is given.
pub(super) fn step(states: Option<f64>, step: Option<f64>, bound: f64, default_states: f64) -> f64 {
    step.unwrap_or(2.0 * bound / states.unwrap_or(default_states))
}

/// The limits that all models with a step, a bound and spreads share.
macro_rules! limits {
    ($settings:ty) => {
        &[
            Limit { field: "states", min: 1.0, max: 1e7, get: |s: &$settings| s.states },
            Limit { field: "weight_step", min: 1e-9, max: 1e3, get: |s: &$settings| s.weight_step },
            Limit { field: "bound", min: 1e-3, max: 1e6, get: |s: &$settings| Some(s.bound) },
            Limit { field: "cycle_noise", min: 0.0, max: 1e4, get: |s: &$settings| Some(s.cycle_noise) },
            Limit { field: "step_spread", min: 0.0, max: 3.0, get: |s: &$settings| Some(s.step_spread) },
            Limit { field: "bound_spread", min: 0.0, max: 3.0, get: |s: &$settings| Some(s.bound_spread) },
            Limit { field: "asymmetry", min: 0.0, max: 3.0, get: |s: &$settings| Some(s.asymmetry) },
        ]
    };
}
pub(super) use limits;

/// Either `states` or `step`, or both where they agree.
pub(super) fn check_step(states: Option<f64>, step: Option<f64>, bound: f64) -> Result<()> {
    if let (Some(states), Some(step)) = (states, step)
        && (step * states / (2.0 * bound) - 1.0).abs() > 1e-6
    {
        return Err(Error::Conflict(format!(
            "states is {states} and weight_step is {step}, but states = 2·bound/weight_step = {}; give one of them",
            2.0 * bound / step
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Operation, Stream};

    const VARIATION: Variation =
        Variation { step: 0.1, bound: 0.5, step_spread: 0.3, bound_spread: 0.2, asymmetry: 0.1 };

    #[test]
    fn by_hand() {
        let point = VARIATION.sample([1.0, -1.0, 0.0, 2.0]);
        assert_eq!(point.bound, [-0.5 * (1.0 - 0.2), 0.5 * (1.0 + 0.2)]);
        assert_eq!(point.step, [0.1 * (1.0 - 0.2), 0.1 * (1.0 + 0.2)]);
        let point = VARIATION.sample_gaussian([0.0, 0.0, 2.0, 1.0]);
        assert_eq!(point.step, [0.1 * (1.6 - 0.1), 0.1 * (1.6 + 0.1)]);
    }

    #[test]
    fn far_tails_give_a_usable_device() {
        let point = VARIATION.sample([-9.0, -9.0, -30.0, 5.0]);
        assert_eq!(point.bound, [-0.5e-6, 0.5e-6]);
        assert_eq!(point.step[0], 0.0);
    }

    /// Means and variances against the closed forms E γ = exp(σ_d²/2), Var γ = (exp σ_d² − 1) exp σ_d²,
    /// within 5 standard errors (false alarm below 10⁻⁶; the seed is fixed).
    #[test]
    fn moments() {
        const N: usize = 200_000;
        let mut xi = vec![0.0; 4 * N];
        Stream::new(1, 0, Operation::Sample, 0).normals(0, &mut xi);
        let points: Vec<Point> = xi.as_chunks::<4>().0.iter().map(|&xi| VARIATION.sample(xi)).collect();
        let check = |values: Vec<f64>, mean: f64, sd: f64| {
            let n = values.len() as f64;
            let got = values.iter().sum::<f64>() / n;
            let var = values.iter().map(|v| (v - got).powi(2)).sum::<f64>() / n;
            assert!((got - mean).abs() < 5.0 * sd / n.sqrt(), "mean {got}, {mean} expected");
            assert!((var / (sd * sd) - 1.0).abs() < 0.03, "variance {var}, {} expected", sd * sd);
        };
        check(points.iter().map(|p| f64::from(p.bound[1])).collect(), 0.5, 0.1);
        check(points.iter().map(|p| f64::from(p.bound[0])).collect(), -0.5, 0.1);
        let s2 = 0.09_f64;
        let half_sum = points.iter().map(|p| f64::from(p.step[0] + p.step[1]) / 0.2).collect();
        check(half_sum, (s2 / 2.0).exp(), ((s2.exp() - 1.0) * s2.exp()).sqrt());
        check(points.iter().map(|p| f64::from(p.step[1] - p.step[0]) / 0.2).collect(), 0.0, 0.1);
    }
}
