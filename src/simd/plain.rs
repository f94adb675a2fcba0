//! exp and ln without fused operations, for code that runs inside kernels and outside them with the same bits.

use super::math::{self, MultiplyAdd};

/// Rounds a product before it is added to.
struct Twice;

impl MultiplyAdd for Twice {
    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
}

/// eˣ; x clamped to ±87; relative error below 5·10⁻⁷.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    math::exp::<Twice>(x)
}

/// Natural logarithm of a positive normal number; error below 3·10⁻⁷ relative to max(1, |ln x|).
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    math::ln::<Twice>(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_match_double_precision() {
        for k in -8000..8000 {
            let x = 0.01 * k as f32;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) - exact).abs() < 5e-7 * exact, "exp {x}");
        }
        for k in 1..20_000 {
            let x = 0.01 * k as f32;
            let exact = f64::from(x).ln();
            assert!((f64::from(ln(x)) - exact).abs() < 3e-7 * exact.abs().max(1.0), "ln {x}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(ln(1.0), 0.0);
    }
}
