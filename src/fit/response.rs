//! The mean step of a pulse as a function of the state, and its slope.

use super::number::Number;
use crate::check::check_range;
use crate::error::{Error, Result};

/// How the mean step depends on the state x. All parameters are in units of x; the step of an up pulse comes first.
///
/// | shape | step up | step down | parameters |
/// |---|---|---|---|
/// | `Constant` | a₊ | a₋ | a₊, a₋ |
/// | `Linear` | a₊(1 + h₊x) | a₋(1 + h₋x) | a₊, a₋, h₊, h₋ |
/// | `Power` | a₊(1 − x/b₊)^p₊ | a₋(1 − x/b₋)^p₋ | a₊, a₋, b₊, b₋, p₊, p₋ |
/// | `Exponential` | a₊(1 + h₊(e^(g₊x) − 1)/g₊) | the same with − | a₊, a₋, h₊, h₋, g₊, g₋ |
/// | `Table` | nodes at equal distances from −½ to ½, linear between them, constant outside | the same | up nodes, down nodes |
///
/// Only the linear step may be negative, which keeps the likelihood exact; the others end at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Steps that do not depend on the state.
    Constant,
    /// Steps on a straight line; soft bounds are its zeros.
    Linear,
    /// Fusi & Abbott, Nat. Neurosci. 10:485 (2007); Frascaroli et al., Sci. Rep. 8:7178 (2018).
    Power,
    /// aihwkit's ExpStep, written so that g → 0 is the linear step.
    Exponential,
    /// Values at nodes.
    Table,
}

impl Shape {
    /// The shape of a name; `Error::Choice` for an unknown one.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "constant" => Ok(Self::Constant),
            "linear" => Ok(Self::Linear),
            "power" => Ok(Self::Power),
            "exponential" => Ok(Self::Exponential),
            "table" => Ok(Self::Table),
            _ => Err(Error::Choice {
                what: "shape",
                given: name.to_owned(),
                allowed: "constant, linear, power, exponential, table".to_owned(),
            }),
        }
    }

    /// `Error` unless a shape can have these parameters.
    pub(super) fn check(self, parameters: &[f64]) -> Result<()> {
        let expected = match self {
            Self::Constant => 2,
            Self::Linear => 4,
            Self::Power | Self::Exponential => 6,
            Self::Table => parameters.len().max(4) / 2 * 2,
        };
        if parameters.len() != expected {
            return Err(Error::Length {
                what: "parameters",
                given: parameters.len(),
                expected: format!("{expected} of the step and 2 of the noise"),
            });
        }
        if self == Self::Power {
            check_range("upper bound", parameters[2], f64::MIN_POSITIVE, f64::MAX)?;
            check_range("lower bound", -parameters[3], f64::MIN_POSITIVE, f64::MAX)?;
        }
        Ok(())
    }
}

/// The least base of a power: its logarithm must exist.
const LEAST: f64 = 1e-6;

/// (e^(gx) − 1)/g, of which the series is exact enough for small gx.
fn growth<T: Number>(g: T, x: T) -> T {
    let gx = g * x;
    if gx.value().abs() < 1e-3 {
        let (one, half, sixth) = (T::constant(1.0), T::constant(0.5), T::constant(1.0 / 6.0));
        x * (one + gx * (half + gx * (sixth + gx * T::constant(1.0 / 24.0))))
    } else {
        (gx.exp() - T::constant(1.0)) / g
    }
}

/// The mean step, from 0 on unless linear, of a pulse at state `x`, and its derivative by x.
pub(super) fn step<T: Number>(shape: Shape, p: &[T], up: bool, x: T) -> (T, T) {
    let side = usize::from(!up);
    let (zero, one) = (T::constant(0.0), T::constant(1.0));
    match shape {
        Shape::Constant => (p[side], zero),
        Shape::Linear => {
            let (a, h) = (p[side], p[2 + side]);
            (a * (one + h * x), a * h)
        }
        Shape::Power => {
            let (a, b, power) = (p[side], p[2 + side], p[4 + side]);
            let base = one - x / b;
            if base.value() <= LEAST {
                return (zero, zero);
            }
            let f = a * (power * base.ln()).exp();
            (f, -(power * f) / (base * b))
        }
        Shape::Exponential => {
            let (a, h, g) = (p[side], p[2 + side], p[4 + side]);
            let f = a * (one + h * growth(g, x));
            if f.value() <= 0.0 { (zero, zero) } else { (f, a * h * (g * x).exp()) }
        }
        Shape::Table => {
            let nodes = p.len() / 2;
            let values = &p[side * nodes..(side + 1) * nodes];
            let place = (x + T::constant(0.5)) * T::constant((nodes - 1) as f64);
            if place.value() <= 0.0 {
                return (values[0], zero);
            }
            if place.value() >= (nodes - 1) as f64 {
                return (values[nodes - 1], zero);
            }
            let k = place.value() as usize;
            let rise = values[k + 1] - values[k];
            (values[k] + rise * (place - T::constant(k as f64)), rise * T::constant((nodes - 1) as f64))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [(Shape, &[f64]); 5] = [
        (Shape::Constant, &[0.02, 0.03]),
        (Shape::Linear, &[0.02, 0.03, -1.5, 1.0]),
        (Shape::Power, &[0.02, 0.03, 0.7, -0.6, 1.5, 0.8]),
        (Shape::Exponential, &[0.02, 0.03, -0.5, 0.4, 2.0, -1.0]),
        (Shape::Table, &[0.04, 0.02, 0.01, 0.01, 0.03, 0.06]),
    ];

    #[test]
    fn steps_by_hand() {
        let at = |case: usize, up, x: f64| step(CASES[case].0, CASES[case].1, up, x).0;
        assert_eq!((at(0, true, 0.3), at(0, false, 0.3)), (0.02, 0.03));
        assert!((at(1, true, 0.2) - 0.02 * 0.7).abs() < 1e-15);
        assert!((at(2, false, 0.1) - 0.03 * (1.0f64 + 0.1 / 0.6).powf(0.8)).abs() < 1e-15);
        assert_eq!(at(2, true, 0.8), 0.0);
        assert!((at(3, true, 0.2) - 0.02 * (1.0 - 0.5 * (0.4f64.exp() - 1.0) / 2.0)).abs() < 1e-15);
        assert!((at(4, true, -0.25) - 0.03).abs() < 1e-15 && at(4, false, 0.9) == 0.06);
    }

    #[test]
    fn slopes_are_the_numeric_ones() {
        for (shape, p) in CASES {
            for (up, x) in [(true, -0.31), (false, 0.22), (true, 0.003), (false, 1e-5)] {
                let numeric = (step(shape, p, up, x + 1e-6).0 - step(shape, p, up, x - 1e-6).0) / 2e-6;
                assert!((step(shape, p, up, x).1 - numeric).abs() < 1e-8, "{shape:?} {up} {x}");
            }
        }
    }

    #[test]
    fn an_exponential_without_curvature_is_a_line() {
        let line = step(Shape::Linear, &[0.02, 0.03, -1.5, 1.0], true, 0.4).0;
        assert!((step(Shape::Exponential, &[0.02, 0.03, -1.5, 1.0, 1e-9, 0.0], true, 0.4).0 - line).abs() < 1e-10);
    }
}
