//! Device-to-device variation, R24 eqs. (5) and (6).

use crate::simd;

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
        let mut gamma = [self.step_spread * xi[2]];
        simd::exp_below(&mut gamma, 0.0);
        self.with_gain(gamma[0], xi)
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
