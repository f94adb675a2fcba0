//! Device-to-device variation: how the constants of devices are drawn.

use super::nonlinearity::Nonlinearity;
use super::spread::Spread;
use crate::error::Result;
use crate::simd;
use std::sync::Arc;

/// Standard normals from which one device is drawn.
pub const NORMALS: usize = 8;

/// The constants of one device; index 0 is down, 1 is up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Steps α₋, α₊ (≥ 0) at weight 0, in units of weight.
    pub step: [f32; 2],
    /// Bounds w_min (< 0), w_max (> 0), in units of weight.
    pub bound: [f32; 2],
    /// What else the step depends on, such as its slope: the model says what.
    pub shape: [f32; 2],
}

/// The mean device, and how devices differ from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Variation {
    /// The mean device.
    pub mean: Point,
    /// How devices differ from it.
    pub differences: Differences,
}

/// How devices differ from the mean device.
#[derive(Clone, Debug, PartialEq)]
pub enum Differences {
    /// R24: a common gain of both steps, a small difference between them, and independent bounds.
    Independent(Independent),
    /// Spreads of steps, bounds and slopes with their correlations.
    Joint(Arc<Joint>),
    /// Devices drawn with replacement from measured ones, in the order of their steps.
    Measured(Arc<[Factors]>),
    /// NeuroSim: a normal spread of the nonlinearities.
    Nonlinearity(Arc<Nonlinearity>),
}

/// The spreads of R24.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Independent {
    /// σ_d: spread of the step.
    pub step: f32,
    /// σ_b: spread of the bounds, relative to their means.
    pub bound: f32,
    /// σ_±: spread of the up/down asymmetry.
    pub asymmetry: f32,
    /// Whether the gain is normal, as in GV16, not log-normal.
    pub normal: bool,
}

/// One device relative to the mean device: factors of the up step, the down step, w_max and w_min, then what is added to
/// the shapes of up and down.
pub type Factors = [f32; 6];

/// [`Spread`], ready to draw from.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    spreads: [f32; 6],
    /// The lower Cholesky factor of the correlations.
    factor: [[f32; 6]; 6],
    normal: bool,
    proportional: bool,
}

impl Variation {
    /// Draws a device from independent standard normals ξ₁ … ξ₈; all zero is the mean device, or the median one of a list.
    ///
    /// Ours: bounds keep a millionth of their mean, so that no device has a range of zero, and a step that comes out
    /// negative is 0, a direction that does not answer.
    pub fn sample(&self, xi: &[f32; NORMALS]) -> Point {
        let mean = &self.mean;
        let point = match &self.differences {
            Differences::Independent(spreads) => spreads.sample(mean, xi),
            Differences::Joint(joint) => mean.scaled(&joint.sample(xi)),
            Differences::Measured(devices) => {
                let place = (cumulative(xi[0]) * devices.len() as f32) as usize;
                mean.scaled(&devices[place.min(devices.len() - 1)])
            }
            Differences::Nonlinearity(nonlinearity) => nonlinearity.sample(mean, xi),
        };
        let [lower, upper] = mean.bound.map(|bound| 1e-6 * bound);
        Point {
            step: point.step.map(|step| step.max(0.0)),
            bound: [point.bound[0].min(lower), point.bound[1].max(upper)],
            ..point
        }
    }
}

impl Point {
    fn scaled(&self, &[up, down, upper, lower, up_shape, down_shape]: &Factors) -> Self {
        Self {
            step: [self.step[0] * down, self.step[1] * up],
            bound: [self.bound[0] * lower, self.bound[1] * upper],
            shape: [self.shape[0] + down_shape, self.shape[1] + up_shape],
        }
    }
}

impl Independent {
    /// R24 eqs. (5), (6), with means of their own for the two steps and the two bounds:
    ///
    /// ```text
    /// w_max = max(b₊(1 + σ_b ξ₁), 0)    w_min = min(b₋(1 + σ_b ξ₂), 0)
    /// α₊ = δ₊γ + δρ   α₋ = δ₋γ − δρ    γ = exp(σ_d ξ₃)   ρ = σ_± ξ₄   δ = (δ₊ + δ₋)/2
    /// ```
    ///
    /// GV16: γ = 1 + σ_d ξ₃.
    fn sample(&self, mean: &Point, xi: &[f32; NORMALS]) -> Point {
        let gamma = gain(self.step * xi[2], self.normal);
        let rho = 0.5 * (mean.step[0] + mean.step[1]) * (self.asymmetry * xi[3]);
        Point {
            step: [mean.step[0] * gamma - rho, mean.step[1] * gamma + rho],
            bound: [mean.bound[0] * (1.0 + self.bound * xi[1]), mean.bound[1] * (1.0 + self.bound * xi[0])],
            shape: mean.shape,
        }
    }
}

impl Joint {
    /// Of spreads that are valid.
    ///
    /// # Errors
    /// Correlations that no devices can have.
    pub fn new(spread: &Spread) -> Result<Self> {
        let Spread { up_step, down_step, upper_bound, lower_bound, up_slope, down_slope, .. } = *spread;
        let spreads = [up_step, down_step, upper_bound, lower_bound, up_slope, down_slope].map(|sd| sd as f32);
        let (normal, proportional) = (spread.normal(), spread.proportional);
        Ok(Self { spreads, factor: spread.factor()?, normal, proportional })
    }

    /// z = Lξ with the covariance of the correlations; steps exp(σz) or 1 + σz, bounds 1 + σz, shapes + σz. Steps in
    /// proportion to their bounds: times these, which keep a millionth.
    fn sample(&self, xi: &[f32; NORMALS]) -> Factors {
        let mut factors = [0.0; 6];
        for (k, factor) in factors.iter_mut().enumerate() {
            let z: f32 = self.factor[k][..=k].iter().zip(xi).map(|(l, xi)| l * xi).sum();
            let difference = self.spreads[k] * z;
            *factor = match k {
                0 | 1 => gain(difference, self.normal),
                2 | 3 => 1.0 + difference,
                _ => difference,
            };
        }
        if self.proportional {
            (0..2).for_each(|k| factors[k] *= factors[k + 2].max(1e-6));
        }
        factors
    }
}

/// exp(x), or 1 + x.
fn gain(x: f32, normal: bool) -> f32 {
    if normal {
        return 1.0 + x;
    }
    let mut gain = [x];
    simd::exp_below(&mut gain, 0.0);
    gain[0]
}

/// Φ(x), Abramowitz and Stegun 26.2.17: absolute error below 2·10⁻⁷ in single precision.
fn cumulative(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let p = t * (0.319_381_54 + t * (-0.356_563_78 + t * (1.781_477_9 + t * (-1.821_255_9 + t * 1.330_274_4))));
    let tail = 0.398_942_3 * gain(-0.5 * x * x, false) * p;
    if x > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Operation, Stream};

    const MEAN: Point = Point { step: [0.1, 0.1], bound: [-0.5, 0.5], shape: [1.0, 1.0] };
    const SPREADS: Independent = Independent { step: 0.3, bound: 0.2, asymmetry: 0.1, normal: false };

    fn with(mean: Point, differences: Differences) -> Variation {
        Variation { mean, differences }
    }

    fn four(xi: [f32; 4]) -> [f32; NORMALS] {
        [xi[0], xi[1], xi[2], xi[3], 0.0, 0.0, 0.0, 0.0]
    }

    fn sampled(variation: &Variation, n: usize) -> Vec<Point> {
        let mut xi = vec![0.0; NORMALS * n];
        Stream::new(1, 0, Operation::Sample, 0).normals(0, &mut xi);
        xi.as_chunks::<NORMALS>().0.iter().map(|xi| variation.sample(xi)).collect()
    }

    fn moments(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
    }

    #[test]
    fn by_hand() {
        let close = |got: [f32; 2], expected: [f32; 2]| {
            assert!(
                got.iter().zip(expected).all(|(g, e)| (g / e - 1.0).abs() < 3e-7),
                "{got:?}, {expected:?} expected"
            );
        };
        let point = with(MEAN, Differences::Independent(SPREADS)).sample(&four([1.0, -1.0, 0.0, 2.0]));
        close(point.bound, [-0.5 * (1.0 - 0.2), 0.5 * (1.0 + 0.2)]);
        close(point.step, [0.1 * (1.0 - 0.2), 0.1 * (1.0 + 0.2)]);
        let skewed = Point { step: [0.05, 0.15], bound: [-0.2, 0.5], ..MEAN };
        let normal = Differences::Independent(Independent { normal: true, ..SPREADS });
        let point = with(skewed, normal).sample(&four([1.0, 1.0, 2.0, 1.0]));
        close(point.step, [0.05 * 1.6 - 0.1 * 0.1, 0.15 * 1.6 + 0.1 * 0.1]);
        close(point.bound, [-0.2 * 1.2, 0.5 * 1.2]);
    }

    #[test]
    fn far_tails_give_a_usable_device() {
        let point = with(MEAN, Differences::Independent(SPREADS)).sample(&four([-9.0, -9.0, -30.0, 5.0]));
        assert_eq!(point.bound, [-0.5e-6, 0.5e-6]);
        assert_eq!(point.step[0], 0.0);
    }

    /// Means and variances against the closed forms E γ = exp(σ_d²/2), Var γ = (exp σ_d² − 1) exp σ_d²,
    /// within 5 standard errors (false alarm below 10⁻⁶; the seed is fixed).
    #[test]
    fn spreads_of_r24() {
        let points = sampled(&with(MEAN, Differences::Independent(SPREADS)), 200_000);
        let check = |values: Vec<f64>, mean: f64, sd: f64| {
            let (got, got_sd) = moments(&values);
            assert!((got - mean).abs() < 5.0 * sd / (values.len() as f64).sqrt(), "mean {got}, {mean} expected");
            assert!((got_sd / sd - 1.0).abs() < 0.015, "standard deviation {got_sd}, {sd} expected");
        };
        check(points.iter().map(|p| f64::from(p.bound[1])).collect(), 0.5, 0.1);
        check(points.iter().map(|p| f64::from(p.bound[0])).collect(), -0.5, 0.1);
        let s2 = 0.09_f64;
        let half_sum = points.iter().map(|p| f64::from(p.step[0] + p.step[1]) / 0.2).collect();
        check(half_sum, (s2 / 2.0).exp(), ((s2.exp() - 1.0) * s2.exp()).sqrt());
        check(points.iter().map(|p| f64::from(p.step[1] - p.step[0]) / 0.2).collect(), 0.0, 0.1);
    }

    /// Standard deviations and correlations of 200,000 devices, within 5 standard errors.
    #[test]
    fn joint_spreads_have_their_covariance() {
        let mut correlation = vec![vec![0.0; 6]; 6];
        (0..6).for_each(|k| correlation[k][k] = 1.0);
        for (i, j, c) in [(0, 1, -0.23), (2, 3, 0.5), (0, 2, 0.4), (4, 5, 0.6)] {
            (correlation[i][j], correlation[j][i]) = (c, c);
        }
        let spread = Spread {
            up_step: 0.56,
            down_step: 0.39,
            upper_bound: 0.1,
            lower_bound: 0.15,
            up_slope: 0.2,
            down_slope: 0.1,
            correlation: correlation.clone(),
            ..Spread::default()
        };
        let joint = Joint::new(&spread).expect("valid");
        let points = sampled(&with(MEAN, Differences::Joint(Arc::new(joint))), 200_000);
        let columns: [Vec<f64>; 6] = [
            points.iter().map(|p| f64::from(p.step[1] / 0.1).ln()).collect(),
            points.iter().map(|p| f64::from(p.step[0] / 0.1).ln()).collect(),
            points.iter().map(|p| f64::from(p.bound[1] / 0.5)).collect(),
            points.iter().map(|p| f64::from(p.bound[0] / -0.5)).collect(),
            points.iter().map(|p| f64::from(p.shape[1])).collect(),
            points.iter().map(|p| f64::from(p.shape[0])).collect(),
        ];
        let n = points.len() as f64;
        let each: Vec<_> = columns.iter().map(|column| moments(column)).collect();
        for (k, ((mean, sd), expected)) in each.iter().zip([0.56, 0.39, 0.1, 0.15, 0.2, 0.1]).enumerate() {
            let centre = if k < 2 { 0.0 } else { 1.0 };
            assert!((mean - centre).abs() < 5.0 * expected / n.sqrt(), "{k}: mean {mean}");
            assert!((sd / expected - 1.0).abs() < 5.0 / (2.0 * n).sqrt(), "{k}: {sd}, {expected} expected");
        }
        for (i, j) in (0..6).flat_map(|i| (0..i).map(move |j| (i, j))) {
            let ((mean_i, sd_i), (mean_j, sd_j)) = (each[i], each[j]);
            let products = columns[i].iter().zip(&columns[j]).map(|(a, b)| (a - mean_i) * (b - mean_j));
            let got = products.sum::<f64>() / n / (sd_i * sd_j);
            assert!((got - correlation[i][j]).abs() < 5.0 / n.sqrt(), "({i}, {j}): {got}");
        }
    }

    /// The same draws, with steps that are also times the factor of their bounds.
    #[test]
    fn steps_in_proportion_to_bounds() {
        let spread = Spread {
            up_step: 0.3,
            down_step: 0.2,
            upper_bound: 0.5,
            lower_bound: 0.4,
            correlation: Vec::new(),
            ..Spread::default()
        };
        let drawn = |proportional| {
            let joint = Joint::new(&Spread { proportional, ..spread.clone() }).expect("valid");
            sampled(&with(MEAN, Differences::Joint(Arc::new(joint))), 2000)
        };
        let mut clamped = 0;
        for (plain, scaled) in drawn(false).iter().zip(drawn(true)) {
            assert_eq!(plain.bound, scaled.bound);
            for d in 0..2 {
                let expected = plain.step[d] * (scaled.bound[d] / MEAN.bound[d]);
                assert!((scaled.step[d] / expected - 1.0).abs() < 1e-5, "{} {expected}", scaled.step[d]);
                clamped += usize::from(scaled.bound[d] == 1e-6 * MEAN.bound[d]);
            }
        }
        // P(1 + 0.5 ξ < 0) = 0.02275 and P(1 + 0.4 ξ < 0) = 0.00621.
        assert!((30..90).contains(&clamped), "{clamped}");
    }

    /// Each of five devices is drawn as often as any other, within 5 standard errors; zero gives the middle one.
    #[test]
    fn measured_devices_are_drawn_alike() {
        let devices: Arc<[Factors]> = (1..=5).map(|k| [k as f32, 1.0, 1.0, 1.0, 0.1 * k as f32, 0.0]).collect();
        let variation = with(MEAN, Differences::Measured(devices));
        assert_eq!(variation.sample(&[0.0; NORMALS]).step, [0.1, 0.1 * 3.0]);
        assert_eq!(variation.sample(&[-9.0; NORMALS]).step[1], 0.1);
        let last = variation.sample(&[9.0; NORMALS]);
        assert_eq!((last.step[1], last.shape), (0.5, [1.0, 1.5]));
        let n = 100_000;
        let points = sampled(&variation, n);
        for k in 1..=5 {
            let share = points.iter().filter(|p| (p.step[1] / 0.1 - k as f32).abs() < 0.5).count() as f64 / n as f64;
            assert!((share - 0.2).abs() < 5.0 * (0.16 / n as f64).sqrt(), "{k}: {share}");
        }
    }

    #[test]
    fn the_normal_distribution_function() {
        for (x, exact) in [(0.0, 0.5), (1.0, 0.841_344_7), (-2.0, 0.022_750_13), (3.0, 0.998_650_1), (-6.0, 9.87e-10)] {
            assert!((cumulative(x) - exact).abs() < 2e-7, "{x}: {}", cumulative(x));
        }
    }
}
