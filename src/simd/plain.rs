//! exp and powers of single values, for code that runs inside kernels and outside them with the same bits: a multiply-add is
//! rounded once everywhere, by an instruction where there is one and by the C library elsewhere. Terms are grouped by
//! powers, so that most of them do not wait for each other.

#![allow(clippy::excessive_precision)]

use std::f32::consts::{LN_2, LOG2_E};

/// 1.5·2²³: adding it pushes the fraction out of the mantissa and leaves an integer in its last bits.
const SHIFT: f32 = 12_582_912.0;

/// eˣ; x clamped to ±87; relative error below 4·10⁻⁷.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = if x > -87.0 { x } else { -87.0 };
    let x = if x < 87.0 { x } else { 87.0 };
    let shifted = x.mul_add(LOG2_E, SHIFT);
    let n = shifted - SHIFT;
    // ln 2 in two parts keeps n·ln 2 exact to f32.
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_375, x));
    let r2 = r * r;
    let high = r2.mul_add(1.0 / 720.0, r.mul_add(1.0 / 120.0, 1.0 / 24.0));
    let y = r2.mul_add(r2.mul_add(high, r.mul_add(1.0 / 6.0, 0.5)), 1.0 + r);
    y * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// xᵖ of a positive normal number, for p ≥ 0; at least 2⁻¹²⁶; relative error below 4·10⁻⁷·max(1, p·|log₂ x|).
///
/// With x = 2ᵉ·m, m in [√½, √2), and s = (m − 1)/(m + 1): ln m = 2 artanh s = 2(s + s³/3 + s⁵/5 + …). Logarithm and
/// exponential are both to the base 2, so neither takes a multiple of ln 2 off.
#[inline(always)]
pub(crate) fn pow(x: f32, p: f32) -> f32 {
    let bits = x.to_bits();
    let e = bits.wrapping_sub(0x3f35_04f3) as i32 >> 23;
    let f = f32::from_bits(bits.wrapping_sub((e << 23) as u32)) - 1.0;
    let s = f / (2.0 + f);
    let (double, s2) = (s * (2.0 * LOG2_E), s * s);
    let series = (s2 * s2).mul_add(s2.mul_add(1.0 / 9.0, 1.0 / 7.0), s2.mul_add(1.0 / 5.0, 1.0 / 3.0));
    let y = p * (e as f32 + double.mul_add(s2 * series, double));
    let y = if y > -126.0 { y } else { -126.0 };
    let y = if y < 126.0 { y } else { 126.0 };
    let shifted = y + SHIFT;
    let r = y - (shifted - SHIFT);
    let r2 = r * r;
    // lnᵏ2/k!
    let high = r2.mul_add(1.540_353_0e-4, r.mul_add(1.333_355_8e-3, 9.618_129_1e-3));
    let y = r2.mul_add(r2.mul_add(high, r.mul_add(5.550_410_9e-2, 0.240_226_51)), r.mul_add(LN_2, 1.0));
    y * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_match_double_precision() {
        for k in -8600..8600 {
            let x = 0.01 * k as f32;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) - exact).abs() < 4e-7 * exact, "exp {x}");
        }
        for (k, p) in (1..4000).flat_map(|k| [0.0, 0.3, 1.0, 2.0, 3.7, 20.0].map(|p| (k, p))) {
            let x = 0.005 * k as f32 * if k % 3 == 0 { 1e-3 } else { 1.0 };
            let logarithm = f64::from(p) * f64::from(x).log2();
            let exact = logarithm.exp2();
            if logarithm.abs() < 126.0 {
                let error = (f64::from(pow(x, p)) / exact - 1.0).abs();
                assert!(error < 4e-7 * logarithm.abs().max(1.0), "{x}^{p}: {error}");
            }
        }
        assert_eq!((exp(0.0), pow(1.0, 3.0), pow(0.3, 0.0)), (1.0, 1.0, 1.0));
        assert!(pow(1e-20, 20.0) < 2e-38 && pow(1e-20, 1.0) > 0.99e-20);
        assert!((exp(-1e9) - 1.6e-38).abs() < 1e-39 && exp(1e9) > 1e37);
    }
}
