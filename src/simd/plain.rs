//! exp and ln of single values without fused operations, for code that runs inside kernels and outside them with the same
//! bits. Terms are grouped by powers, so that most of them do not wait for each other.

#![allow(clippy::excessive_precision)]

/// 1.5·2²³: adding it pushes the fraction out of the mantissa and leaves an integer in its last bits.
const SHIFT: f32 = 12_582_912.0;

/// eˣ; x clamped to ±87; relative error below 4·10⁻⁷.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = if x > -87.0 { x } else { -87.0 };
    let x = if x < 87.0 { x } else { 87.0 };
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    // ln 2 in two parts keeps n·ln 2 exact to f32.
    let r = (x - n * 0.693_359_375) + n * 2.121_944_4e-4;
    let r2 = r * r;
    let high = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0);
    let y = (1.0 + r) + r2 * ((0.5 + r * (1.0 / 6.0)) + r2 * high);
    y * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// Natural logarithm of a positive normal number; error below 4·10⁻⁷ relative to max(1, |ln x|).
///
/// With x = 2ᵉ·m, m in [√½, √2), and s = (m − 1)/(m + 1): ln m = 2 artanh s = 2(s + s³/3 + s⁵/5 + …).
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let e = bits.wrapping_sub(0x3f35_04f3) as i32 >> 23;
    let f = f32::from_bits(bits.wrapping_sub((e << 23) as u32)) - 1.0;
    let s = f / (2.0 + f);
    let (double, s2) = (s + s, s * s);
    let series = (1.0 / 3.0 + s2 * (1.0 / 5.0)) + (s2 * s2) * (1.0 / 7.0 + s2 * (1.0 / 9.0));
    let e = e as f32;
    e * 0.693_359_375 + (double + (double * (s2 * series) - e * 2.121_944_4e-4))
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
        for k in 1..20_000 {
            let x = 0.01 * k as f32;
            let exact = f64::from(x).ln();
            assert!((f64::from(ln(x)) - exact).abs() < 4e-7 * exact.abs().max(1.0), "ln {x}");
        }
        assert_eq!((exp(0.0), ln(1.0)), (1.0, 0.0));
        assert!((exp(-1e9) - 1.6e-38).abs() < 1e-39 && exp(1e9) > 1e37);
    }
}
