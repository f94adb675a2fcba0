//! Elementary functions as branch-free polynomials: one result on every machine, whatever its C
//! library, and code that a compiler turns into vector instructions.
//!
//! Coefficients are weighted least-squares fits close to the minimax polynomial in f64, rounded to f32.

use super::Isa;

/// How a·b + c is rounded: once in kernels, twice in [`plain`](super::plain).
pub(super) trait MultiplyAdd {
    fn multiply_add(a: f32, b: f32, c: f32) -> f32;
}

impl<M: Isa> MultiplyAdd for M {
    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        <M as Isa>::multiply_add(a, b, c)
    }
}

/// Rounds to the nearest integer, ties to even, for |x| < 2²².
#[inline(always)]
pub(super) fn round(x: f32) -> f32 {
    (x + SHIFT) - SHIFT
}

/// 1.5·2²³: adding it pushes the fraction out of the mantissa and leaves an integer in its last bits.
const SHIFT: f32 = 12_582_912.0;

/// Natural logarithm of a positive normal number; error below 2·10⁻⁷ relative to max(1, |ln x|).
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub(super) fn ln<M: MultiplyAdd>(x: f32) -> f32 {
    // x = 2^e · m with m in [√½, √2).
    let bits = x.to_bits();
    let e = bits.wrapping_sub(0x3f35_04f3) as i32 >> 23;
    let f = f32::from_bits(bits.wrapping_sub((e << 23) as u32)) - 1.0;
    let mut p = 0.073_324_375_f32;
    p = M::multiply_add(p, f, -0.116_598_875);
    p = M::multiply_add(p, f, 0.116_346_769);
    p = M::multiply_add(p, f, -0.123_967_074);
    p = M::multiply_add(p, f, 0.142_511_547);
    p = M::multiply_add(p, f, -0.166_691_512);
    p = M::multiply_add(p, f, 0.200_006_887);
    p = M::multiply_add(p, f, -0.249_999_806);
    p = M::multiply_add(p, f, 0.333_333_313);
    let e = e as f32;
    // ln 2 in two parts keeps e·ln 2 exact to f32.
    let tail = M::multiply_add(f * f, M::multiply_add(f, p, -0.5), e * -2.121_944_4e-4);
    M::multiply_add(e, 0.693_359_375, tail + f)
}

/// eˣ; x clamped to ±87; relative error below 3·10⁻⁷.
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub(super) fn exp<M: MultiplyAdd>(x: f32) -> f32 {
    let x = x.clamp(-87.0, 87.0);
    let shifted = M::multiply_add(x, std::f32::consts::LOG2_E, SHIFT);
    let n = shifted - SHIFT;
    let r = M::multiply_add(n, 2.121_944_4e-4, M::multiply_add(n, -0.693_359_375, x));
    let mut p = 0.000_199_075_70_f32;
    p = M::multiply_add(p, r, 0.001_393_364_28);
    p = M::multiply_add(p, r, 0.008_333_286_27);
    p = M::multiply_add(p, r, 0.041_666_466_7);
    p = M::multiply_add(p, r, 0.166_666_672);
    p = M::multiply_add(p, r, 0.5);
    let y = M::multiply_add(p, r * r, r) + 1.0;
    // 2ⁿ, with n from the last bits: a conversion to integers checks its range value by value.
    y * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// cos 2πt and sin 2πt for |t| ≤ ½; absolute error below 3·10⁻⁷.
#[inline(always)]
#[allow(clippy::excessive_precision)]
pub(super) fn cos_sin_turns<M: MultiplyAdd>(t: f32) -> (f32, f32) {
    // With b = ¼ − |t|: cos 2πt = sin 2πb and |sin 2πt| = cos 2πb, both for |b| ≤ ¼.
    let b = 0.25 - t.abs();
    let z = b * b;
    let mut s = 39.761_616_f32;
    s = M::multiply_add(s, z, -76.581_398);
    s = M::multiply_add(s, z, 81.602_486);
    s = M::multiply_add(s, z, -41.341_682_4);
    s = M::multiply_add(s, z, 6.283_185_48);
    let mut c = -24.982_236_9_f32;
    c = M::multiply_add(c, z, 60.144_016_3);
    c = M::multiply_add(c, z, -85.453_575_1);
    c = M::multiply_add(c, z, 64.939_346_3);
    c = M::multiply_add(c, z, -19.739_208_2);
    c = M::multiply_add(c, z, 1.0);
    (s * b, c.copysign(t))
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(super) fn sigmoid<M: MultiplyAdd>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<M>(-x))
}

/// tanh x, from e^(−2|x|), which never overflows.
#[inline(always)]
pub(super) fn tanh<M: MultiplyAdd>(x: f32) -> f32 {
    let e = exp::<M>(-2.0 * x.abs());
    ((1.0 - e) / (1.0 + e)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Portable;

    type Path = Portable<false>;

    fn worst(range: std::ops::Range<i32>, scale: f32, error: impl Fn(f32) -> f64) -> f64 {
        range.map(|k| error(k as f32 * scale)).fold(0.0, f64::max)
    }

    #[test]
    fn polynomials_match_double_precision() {
        let relative = |got: f32, exact: f64| (f64::from(got) - exact).abs() / exact.abs().max(1e-30);
        assert!(worst(-8000..8000, 0.01, |x| relative(exp::<Path>(x), f64::from(x).exp())) < 3e-7);
        assert!(
            worst(1..20000, 0.01, |x| {
                let exact = f64::from(x).ln();
                (f64::from(ln::<Path>(x)) - exact).abs() / exact.abs().max(1.0)
            }) < 2e-7
        );
        assert!(
            worst(-500..501, 0.001, |t| {
                let (c, s) = cos_sin_turns::<Path>(t);
                let angle = f64::from(t) * std::f64::consts::TAU;
                (f64::from(c) - angle.cos()).abs().max((f64::from(s) - angle.sin()).abs())
            }) < 3e-7
        );
        assert!(worst(-3000..3000, 0.01, |x| (f64::from(tanh::<Path>(x)) - f64::from(x).tanh()).abs()) < 2e-7);
        assert!(
            worst(-3000..3000, 0.01, |x| (f64::from(sigmoid::<Path>(x)) - 1.0 / (1.0 + (-f64::from(x)).exp())).abs())
                < 2e-7
        );
        assert_eq!(round(2.5), 2.0);
        assert_eq!(round(-3.4999), -3.0);
    }
}
