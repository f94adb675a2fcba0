//! What is done to one vector.

use crate::simd::{Isa, Kernel, LANES, math};

#[inline(always)]
pub(in crate::simd) fn quantise(values: &mut [f32], bound: f32, step: f32) {
    let inverse = 1.0 / step;
    for v in values {
        *v = math::round(v.clamp(-bound, bound) * inverse) * step;
    }
}

#[inline(always)]
pub(in crate::simd) fn add_scaled(values: &mut [f32], scale: f32, noise: &[f32]) {
    for (v, xi) in values.iter_mut().zip(noise) {
        *v += scale * xi;
    }
}

#[inline(always)]
pub(in crate::simd) fn accumulate(values: &mut [f32], scale: f32, by: &[f32]) -> bool {
    let mut reached = 0;
    for (v, by) in values.iter_mut().zip(by) {
        *v += scale * by;
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

/// Lines of `width` values side by side: value i of line k goes to place k of row i.
#[inline(always)]
pub(in crate::simd) fn turn(lines: &[f32], width: usize, rows: &mut [f32]) {
    let count = lines.len() / width;
    for first in (0..count).step_by(LANES) {
        let end = (first + LANES).min(count);
        for (i, row) in rows.chunks_exact_mut(count).enumerate() {
            for (to, line) in row[first..end].iter_mut().zip(lines[first * width..].chunks_exact(width)) {
                *to = line[i];
            }
        }
    }
}

#[inline(always)]
pub(in crate::simd) fn count_nonzero(values: &[f32]) -> usize {
    values.chunks(1 << 16).map(|block| block.iter().fold(0_u32, |n, v| n + u32::from(*v != 0.0)) as usize).sum()
}

/// Windows of `kernel` × `kernel` pixels of `c` values, each `step` pixels from the one before, `across` in a row; an
/// image has `width` pixels in a row.
#[inline(always)]
pub(in crate::simd) fn largest(
    image: &[f32],
    [c, width, kernel, step, across]: [usize; 5],
    y: &mut [f32],
    winners: &mut [u32],
) {
    for (window, (y, winners)) in y.chunks_exact_mut(c).zip(winners.chunks_exact_mut(c)).enumerate() {
        let first = (window / across * step * width + window % across * step) * c;
        y.copy_from_slice(&image[first..first + c]);
        for (channel, winner) in winners.iter_mut().enumerate() {
            *winner = (first + channel) as u32;
        }
        for k in 1..kernel * kernel {
            let at = first + (k / kernel * width + k % kernel) * c;
            let pixel = &image[at..at + c];
            for channel in 0..c {
                let v = pixel[channel];
                // What is not a number wins, as it would in a sum.
                let take = v > y[channel] || v.is_nan();
                y[channel] = if take { v } else { y[channel] };
                winners[channel] = if take { (at + channel) as u32 } else { winners[channel] };
            }
        }
    }
}

#[inline(always)]
pub(in crate::simd) fn max_abs(values: &[f32]) -> f32 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut top = [0.0_f32; LANES];
    for block in blocks {
        for l in 0..LANES {
            let v = block[l].abs();
            top[l] = if v > top[l] { v } else { top[l] };
        }
    }
    top.iter().chain(rest).fold(0.0, |top, v| if v.abs() > top { v.abs() } else { top })
}

#[inline(always)]
pub(in crate::simd) fn thresholds(values: &[f32], gain: f32, out: &mut [u32]) {
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
pub(in crate::simd) fn exp_below(values: &mut [f32], top: f32) {
    for v in values {
        *v = math::exp(*v - top);
    }
}

#[inline(always)]
pub(in crate::simd) fn sigmoid(values: &mut [f32]) {
    for v in values {
        *v = math::sigmoid(*v);
    }
}

#[inline(always)]
pub(in crate::simd) fn tanh(values: &mut [f32]) {
    for v in values {
        *v = math::tanh(*v);
    }
}

pub(in crate::simd) struct Nonzero<'a> {
    pub(in crate::simd) values: &'a [f32],
    pub(in crate::simd) at: &'a mut [u32],
    pub(in crate::simd) kept: &'a mut [f32],
}

impl Kernel for Nonzero<'_> {
    type Out = usize;

    #[inline(always)]
    fn run<M: Isa>(self) -> usize {
        let mut n = 0;
        for (first, values) in (0..).step_by(LANES).zip(self.values.chunks(LANES)) {
            let values = padded(values);
            let some = M::nonzero(&values);
            let place = n..n + LANES;
            self.at[place.clone()].copy_from_slice(&some.compress(&positions(first)));
            self.kept[place].copy_from_slice(&some.compress(&values.map(f32::to_bits)).map(f32::from_bits));
            n += some.count();
        }
        n
    }
}

pub(in crate::simd) struct Below<'a> {
    pub(in crate::simd) words: &'a [u32],
    pub(in crate::simd) thresholds: &'a [u32],
    pub(in crate::simd) at: &'a mut [u32],
}

impl Kernel for Below<'_> {
    type Out = usize;

    #[inline(always)]
    fn run<M: Isa>(self) -> usize {
        let mut n = 0;
        let blocks = self.words.chunks(LANES).zip(self.thresholds.chunks(LANES));
        for (first, (words, thresholds)) in (0..).step_by(LANES).zip(blocks) {
            // A threshold of zero: what pads a block never fires.
            let fires = M::below(&padded(words), &padded(thresholds));
            self.at[n..n + LANES].copy_from_slice(&fires.compress(&positions(first)));
            n += fires.count();
        }
        n
    }
}

/// A block, filled up with zeros.
#[inline(always)]
fn padded<T: Copy + Default>(values: &[T]) -> [T; LANES] {
    values.try_into().unwrap_or_else(|_| {
        let mut block = [T::default(); LANES];
        block[..values.len()].copy_from_slice(values);
        block
    })
}

#[inline(always)]
fn positions(first: u32) -> [u32; LANES] {
    let mut at = [0; LANES];
    for (at, position) in at.iter_mut().zip(first..) {
        *at = position;
    }
    at
}
