//! What is done to one vector.

use crate::simd::{Isa, Kernel, LANES, math};

/// Rounds to the nearest multiple of `step` after clipping to ±`bound`.
#[inline(always)]
pub(crate) fn quantise(values: &mut [f32; LANES], bound: f32, step: f32) {
    let inverse = 1.0 / step;
    for v in values {
        *v = math::round(v.clamp(-bound, bound) * inverse) * step;
    }
}

/// Bit l where value l is beyond ±`bound`.
#[inline(always)]
pub(crate) fn beyond<M: Isa>(values: &[f32; LANES], bound: f32) -> u16 {
    M::nonzero(&values.map(|v| if v.abs() > bound { 1.0 } else { 0.0 })).bits()
}

#[inline(always)]
pub(in crate::simd) fn add_scaled<M: Isa>(values: &mut [f32], scale: f32, noise: &[f32]) {
    for (v, xi) in values.iter_mut().zip(noise) {
        *v = M::multiply_add(scale, *xi, *v);
    }
}

#[inline(always)]
pub(in crate::simd) fn accumulate<M: Isa>(values: &mut [f32], scale: f32, by: &[f32]) -> bool {
    let mut reached = 0;
    for (v, by) in values.iter_mut().zip(by) {
        *v = M::multiply_add(scale, *by, *v);
        reached |= u32::from(v.abs() >= 1.0);
    }
    reached != 0
}

#[inline(always)]
pub(in crate::simd) fn all_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7F80_0000;
    // No early exit, so that it vectorises: bad values are rare.
    values.iter().fold(0, |bad, v| bad | u32::from(v.to_bits() & EXPONENT == EXPONENT)) == 0
}

#[inline(always)]
pub(in crate::simd) fn count_nonzero(values: &[f32]) -> usize {
    values.chunks(1 << 16).map(|block| block.iter().fold(0_u32, |n, v| n + u32::from(*v != 0.0)) as usize).sum()
}

/// `out[k] = min(gain·|values[k]|, 1) · 2³¹`: the firing threshold of a 31-bit word.
#[inline(always)]
pub(crate) fn thresholds(values: &[f32], gain: f32, out: &mut [u32]) {
    for (v, t) in values.iter().zip(out) {
        let p = gain * v.abs();
        // ⌊p·2³¹⌋ from the bits of p: a conversion to integers checks its range value by value.
        let bits = p.to_bits();
        let mantissa = (bits & 0x7F_FFFF) | 0x80_0000;
        let below_half = 126_u32.wrapping_sub(bits >> 23).min(31);
        // At p ≥ 1 every 31-bit word fires.
        *t = if p < 1.0 { (mantissa << 7) >> below_half } else { 1 << 31 };
    }
}

#[inline(always)]
pub(in crate::simd) fn exp_below<M: Isa>(values: &mut [f32], top: f32) {
    for v in values {
        *v = math::exp::<M>(*v - top);
    }
}

#[inline(always)]
pub(in crate::simd) fn ln<M: Isa>(values: &mut [f32]) {
    for v in values {
        *v = math::ln::<M>(*v);
    }
}

#[inline(always)]
pub(in crate::simd) fn sigmoid<M: Isa>(values: &mut [f32]) {
    for v in values {
        *v = math::sigmoid::<M>(*v);
    }
}

#[inline(always)]
pub(in crate::simd) fn tanh<M: Isa>(values: &mut [f32]) {
    for v in values {
        *v = math::tanh::<M>(*v);
    }
}

#[inline(always)]
pub(in crate::simd) fn sigmoid_slopes(y: &[f32], delta: &mut [f32]) {
    for (d, y) in delta.iter_mut().zip(y) {
        *d *= y * (1.0 - y);
    }
}

#[inline(always)]
pub(in crate::simd) fn tanh_slopes(y: &[f32], delta: &mut [f32]) {
    for (d, y) in delta.iter_mut().zip(y) {
        *d *= 1.0 - y * y;
    }
}

/// The largest magnitude; 0 for no values.
pub(crate) struct MaxAbs<'a>(pub(crate) &'a [f32]);

impl Kernel for MaxAbs<'_> {
    type Out = f32;

    #[inline(always)]
    fn run<M: Isa>(self) -> f32 {
        let mut top = [0.0_f32; LANES];
        let (blocks, left) = self.0.as_chunks::<LANES>();
        for values in blocks {
            top = M::larger(&M::load(values).map(f32::abs), &top);
        }
        top = M::larger(&M::load(left).map(f32::abs), &top);
        let mut width = LANES / 2;
        while width > 0 {
            for l in 0..width {
                top[l] = if top[l + width] > top[l] { top[l + width] } else { top[l] };
            }
            width /= 2;
        }
        top[0]
    }
}

/// The values other than zero and their positions, one after another; how many. `at` and `kept` need [`LANES`] places
/// more than there are values.
pub(crate) struct Nonzero<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) at: &'a mut [u32],
    pub(crate) kept: &'a mut [f32],
}

impl Kernel for Nonzero<'_> {
    type Out = usize;

    #[inline(always)]
    fn run<M: Isa>(self) -> usize {
        let mut n = 0;
        for (first, values) in (0..).step_by(LANES).zip(self.values.chunks(LANES)) {
            let values = M::load(values);
            let mask = M::nonzero(&values);
            let place = n..n + LANES;
            mask.compress(&positions(first), &mut self.at[place.clone()]);
            mask.compress_floats(&values, &mut self.kept[place]);
            n += mask.count();
        }
        n
    }
}

/// The positions of the 31-bit words below their thresholds; how many. Whole blocks of thresholds are looked at, those
/// that fill up the last one zeros; there are no fewer words, and `at` needs [`LANES`] places more than there are
/// thresholds.
pub(crate) struct Below<'a> {
    pub(crate) words: &'a [u32],
    pub(crate) thresholds: &'a [u32],
    pub(crate) at: &'a mut [u32],
}

impl Kernel for Below<'_> {
    type Out = usize;

    #[inline(always)]
    fn run<M: Isa>(self) -> usize {
        let mut n = 0;
        let blocks = self.words.as_chunks::<LANES>().0.iter().zip(self.thresholds.as_chunks::<LANES>().0);
        for (first, (words, thresholds)) in (0..).step_by(LANES).zip(blocks) {
            let fires = M::below(words, thresholds);
            fires.compress(&positions(first), &mut self.at[n..n + LANES]);
            n += fires.count();
        }
        n
    }
}

#[inline(always)]
fn positions(first: u32) -> [u32; LANES] {
    let mut at = [0; LANES];
    for (at, position) in at.iter_mut().zip(first..) {
        *at = position;
    }
    at
}
