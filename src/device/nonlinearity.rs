//! NeuroSim's nonlinearity NL of a device's curve, in closed form.
//!
//! NeuroSim (Chen, Peng and Yu, IEEE Trans. Comput.-Aided Des. 37:3067, 2018, eqs. 8-10) describes the conductance after
//! P of P_max pulses by
//!
//! ```text
//! up:    G = G_min + B (1 − exp(−P/A))              B = (G_max − G_min)/(1 − exp(−P_max/A))
//! down:  G = G_max − B (1 − exp((P − P_max)/A))     (A < 0 where steps shrink downwards)
//! ```
//!
//! and labels the curve by NL. Differentiated, a pulse up moves G by k₊(G_min + B − G) with k = 1 − exp(−1/A): a linear
//! step whose zero lies beyond the window, and the same for down.

use super::variation::{NORMALS, Point};

/// The largest |NL| that NeuroSim knows.
pub(super) const MOST: f64 = 9.0;

/// Entries of the table of 1/A against NL.
const ENTRIES: usize = 901;

/// NL of a curve with the constant A, in units of P_max: with b = 1/(1 − exp(−1/A)),
///
/// ```text
/// NL = 10/0.99 · (b − A − A ln(b/A))
/// ```
///
/// which is 10.1 times the largest distance of the normalised curve from the diagonal.
pub fn nonlinearity(a: f64) -> f64 {
    if a > 1e3 {
        return 10.0 / 0.99 / (8.0 * a); // the limit, where the terms cancel
    }
    let b = -1.0 / (-1.0 / a).exp_m1();
    10.0 / 0.99 * (b - a - a * (b / a).ln())
}

/// A of a curve with that NL, in units of P_max, by bisection; infinite for NL = 0, and of the sign of NL.
pub fn curve_constant(nl: f64) -> f64 {
    if nl == 0.0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (1e-4_f64, 1e8_f64);
    for _ in 0..200 {
        let middle = (low * high).sqrt();
        if nonlinearity(middle) > nl.abs() {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.copysign(nl)
}

/// Devices whose nonlinearities are normal about their means.
#[derive(Clone, Debug, PartialEq)]
pub struct Nonlinearity {
    /// Mean NL: of the down curve as NeuroSim signs it, negative where steps shrink, and of the up curve.
    mean: [f64; 2],
    spread: f64,
    /// P_max.
    pulses: f64,
    /// 1/A at NL = 0, 0.01 … 9.
    rates: Vec<f64>,
}

impl Nonlinearity {
    pub(super) fn new(down: f64, up: f64, spread: f64, pulses: f64) -> Self {
        let rates = (0..ENTRIES).map(|k| 1.0 / curve_constant(k as f64 * MOST / (ENTRIES - 1) as f64)).collect();
        Self { mean: [down, up], spread, pulses, rates }
    }

    /// Step at weight 0 and slope of one direction in a window ±`bound`, for a curve of that NL; positive where steps
    /// shrink.
    pub(super) fn line(nl: f64, pulses: f64, bound: f64) -> (f64, f64) {
        Self::line_of(1.0 / curve_constant(nl), pulses, bound)
    }

    /// With r = 1/A: k = 1 − exp(−r/P_max); the zero of the line is 2b/(1 − exp(−r)) above −b.
    fn line_of(rate: f64, pulses: f64, bound: f64) -> (f64, f64) {
        if rate.abs() < 1e-9 {
            return (2.0 * bound / pulses, 0.0);
        }
        let k = -(-rate / pulses).exp_m1();
        let zero = bound * (-2.0 / (-rate).exp_m1() - 1.0);
        (k * zero, bound / zero)
    }

    /// 1/A of a drawn NL: a line between entries; beyond ±9 that of ±9.
    fn rate(&self, nl: f64) -> f64 {
        let place = (nl.abs().min(MOST) / MOST) * (ENTRIES - 1) as f64;
        super::table::interpolated(&self.rates, place / (ENTRIES - 1) as f64).copysign(nl)
    }

    /// A device of NL + σξ in each direction: down takes ξ₁, up ξ₂.
    pub(super) fn sample(&self, mean: &Point, xi: &[f32; NORMALS]) -> Point {
        if self.spread == 0.0 {
            return *mean;
        }
        let bound = f64::from(mean.bound[1]);
        let down = self.rate(-(self.mean[0] + self.spread * f64::from(xi[0])));
        let up = self.rate(self.mean[1] + self.spread * f64::from(xi[1]));
        let [down, up] = [down, up].map(|rate| Self::line_of(rate, self.pulses, bound));
        Point { step: [down.0 as f32, up.0 as f32], bound: mean.bound, shape: [down.1 as f32, up.1 as f32] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From NL to A and back to four digits over all of NeuroSim's table, whose entries are 0.01 apart up to 9.
    #[test]
    fn there_and_back() {
        for k in 1..=900 {
            let nl = 0.01 * f64::from(k);
            let a = curve_constant(nl);
            assert!((nonlinearity(a) / nl - 1.0).abs() < 1e-6, "{nl}: A = {a}");
            assert_eq!(curve_constant(-nl), -a);
        }
        assert!((nonlinearity(999.0) / nonlinearity(1001.0) - 1001.0 / 999.0).abs() < 1e-6);
        assert_eq!(curve_constant(0.0), f64::INFINITY);
    }

    /// The constants of published devices: Ag:a-Si 2.4 and 4.88, TaOx/TiO2 1.85 and 1.79, AlOx/HfO2 0.61.
    #[test]
    fn published_constants() {
        for (nl, a) in [(2.4, 0.499), (4.88, 0.200), (1.85, 0.662), (1.79, 0.685), (0.61, 2.06), (0.5, 2.52)] {
            assert!((curve_constant(nl) / a - 1.0).abs() < 5e-3, "{nl}: {}", curve_constant(nl));
        }
    }

    /// NL is 10/0.99 times the largest distance of the normalised curve from the diagonal, on a fine grid.
    #[test]
    fn nonlinearity_is_the_bulge() {
        for a in [0.1, 0.5, 2.0] {
            let b = 1.0 / (1.0 - (-1.0_f64 / a).exp());
            let bulge =
                (0..=100_000).map(|k| f64::from(k) * 1e-5).map(|p| b * (1.0 - (-p / a).exp()) - p).fold(0.0, f64::max);
            assert!((nonlinearity(a) / (10.0 / 0.99 * bulge) - 1.0).abs() < 1e-6, "{a}");
        }
    }
}
