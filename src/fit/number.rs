//! Numbers that carry their derivatives, so that one formula gives the value and the exact gradient.

use std::array;
use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// What the filter computes with: `f64`, or `f64` with derivatives.
pub(super) trait Number:
    Copy
    + Debug
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    fn constant(value: f64) -> Self;
    fn value(self) -> f64;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
}

impl Number for f64 {
    fn constant(value: f64) -> Self {
        value
    }

    fn value(self) -> f64 {
        self
    }

    fn exp(self) -> Self {
        f64::exp(self)
    }

    fn ln(self) -> Self {
        f64::ln(self)
    }
}

/// A value with its derivatives by `N` parameters (forward mode).
#[derive(Debug, Clone, Copy)]
pub(super) struct Dual<const N: usize> {
    value: f64,
    slopes: [f64; N],
}

impl<const N: usize> Dual<N> {
    /// Parameter `k` itself.
    pub(super) fn parameter(value: f64, k: usize) -> Self {
        Self { value, slopes: array::from_fn(|j| f64::from(u8::from(j == k))) }
    }

    pub(super) fn slopes(&self) -> &[f64; N] {
        &self.slopes
    }

    /// A function of one argument: its value here, and its derivative.
    fn chain(self, value: f64, slope: f64) -> Self {
        Self { value, slopes: self.slopes.map(|each| slope * each) }
    }

    /// A function of two arguments: its value here, and its two derivatives.
    fn join(self, other: Self, value: f64, left: f64, right: f64) -> Self {
        Self { value, slopes: array::from_fn(|k| left * self.slopes[k] + right * other.slopes[k]) }
    }
}

impl<const N: usize> Add for Dual<N> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, slopes: array::from_fn(|k| self.slopes[k] + other.slopes[k]) }
    }
}

impl<const N: usize> Sub for Dual<N> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, slopes: array::from_fn(|k| self.slopes[k] - other.slopes[k]) }
    }
}

impl<const N: usize> Mul for Dual<N> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.join(other, self.value * other.value, other.value, self.value)
    }
}

impl<const N: usize> Div for Dual<N> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let (value, inverse) = (self.value / other.value, 1.0 / other.value);
        self.join(other, value, inverse, -value * inverse)
    }
}

impl<const N: usize> Neg for Dual<N> {
    type Output = Self;
    fn neg(self) -> Self {
        self.chain(-self.value, -1.0)
    }
}

impl<const N: usize> Number for Dual<N> {
    fn constant(value: f64) -> Self {
        Self { value, slopes: [0.0; N] }
    }

    fn value(self) -> f64 {
        self.value
    }

    fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }

    fn ln(self) -> Self {
        self.chain(self.value.ln(), 1.0 / self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_by_hand() {
        let (x, y) = (Dual::<2>::parameter(2.0, 0), Dual::<2>::parameter(3.0, 1));
        let z = (x * y - x / y).exp() + (-x + y).ln();
        let e = (6.0f64 - 2.0 / 3.0).exp();
        assert!((z.value() - e).abs() < 1e-9);
        assert!((z.slopes()[0] - (e * (3.0 - 1.0 / 3.0) - 1.0)).abs() < 1e-9);
        assert!((z.slopes()[1] - (e * (2.0 + 2.0 / 9.0) + 1.0)).abs() < 1e-9);
        assert_eq!(Dual::<2>::constant(5.0).slopes(), &[0.0, 0.0]);
    }
}
