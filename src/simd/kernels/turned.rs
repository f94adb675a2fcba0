//! Transposition, and learning in the transposed weights.

use super::products::multiply_add;
use crate::simd::{Isa, Kernel, LANES, NonzeroRows};

/// Lines of `width` values side by side: value i of line k goes to place k of row i.
pub(in crate::simd) struct Turn<'a> {
    pub(in crate::simd) lines: &'a [f32],
    pub(in crate::simd) width: usize,
    pub(in crate::simd) rows: &'a mut [f32],
}

impl Kernel for Turn<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let count = self.lines.len() / self.width;
        turn::<M>(self.lines, self.width, [count, self.width], self.rows, count);
    }
}

/// Value i of line k of `count` lines, one every `each` values, goes to place k of row i of `width` rows, one every
/// `row` values.
#[inline(always)]
fn turn<M: Isa>(lines: &[f32], each: usize, [count, width]: [usize; 2], rows: &mut [f32], row: usize) {
    for first in (0..count).step_by(LANES) {
        for at in (0..width).step_by(LANES) {
            // Blocks at the ends move what is before them once more, or take more than they give.
            let first = if count >= LANES { first.min(count - LANES) } else { first };
            let at = if width >= LANES { at.min(width - LANES) } else { at };
            if count >= LANES && lines.len() >= (first + LANES - 1) * each + at + LANES {
                let mut block = [[0.0; LANES]; LANES];
                for (l, values) in block.iter_mut().enumerate() {
                    *values = *lines[(first + l) * each + at..].first_chunk().expect("a block");
                }
                for (values, i) in M::turn(block).iter().zip(at..width) {
                    rows[i * row + first..][..LANES].copy_from_slice(values);
                }
            } else {
                for k in first..(first + LANES).min(count) {
                    for i in at..(at + LANES).min(width) {
                        rows[i * row + k] = lines[k * each + i];
                    }
                }
            }
        }
    }
}

/// Lines that learn at a time: with what they learn from they stay in a core's first cache.
const NEAR: usize = 4 * LANES;

/// Learning row by row, from what is not zero of each.
pub(in crate::simd) struct RankSome<'a> {
    pub(in crate::simd) lines: &'a mut [f32],
    pub(in crate::simd) first: usize,
    pub(in crate::simd) x: &'a [f32],
    pub(in crate::simd) n: usize,
    pub(in crate::simd) factor: f32,
    pub(in crate::simd) some: NonzeroRows<'a>,
    pub(in crate::simd) spare: &'a mut Vec<f32>,
}

impl Kernel for RankSome<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let (m, batch) = (self.some.starts.len() - 1, self.x.len() / self.n);
        self.spare.resize((m + batch) * NEAR, 0.0);
        let (turned, steps) = self.spare.split_at_mut(m * NEAR);
        for (block, lines) in self.lines.chunks_mut(NEAR * m).enumerate() {
            let (first, count) = (self.first + block * NEAR, lines.len() / m);
            turn::<M>(lines, m, [count, m], turned, NEAR);
            for (steps, x) in steps.chunks_exact_mut(NEAR).zip(self.x.chunks_exact(self.n)) {
                for (step, x) in steps.iter_mut().zip(&x[first..first + count]) {
                    *step = self.factor * x;
                }
            }
            for (row, ends) in turned.as_chunks_mut::<NEAR>().0.iter_mut().zip(self.some.starts.windows(2)) {
                let (at, d) = (&self.some.at[ends[0]..ends[1]], &self.some.values[ends[0]..ends[1]]);
                if count <= LANES {
                    rank_row::<LANES>(row, steps, at, d);
                } else if count <= 2 * LANES {
                    rank_row::<{ 2 * LANES }>(row, steps, at, d);
                } else {
                    rank_row::<NEAR>(row, steps, at, d);
                }
            }
            turn::<M>(turned, NEAR, [m, count], lines, m);
        }
    }
}

/// `row += d · step` of some vectors in turn, for its first `W` values, which stay in registers.
#[inline(always)]
fn rank_row<const W: usize>(row: &mut [f32; NEAR], steps: &[f32], vectors: &[u32], d: &[f32]) {
    let mut sum: [f32; W] = *row.first_chunk().expect("W values");
    for (&b, &d) in vectors.iter().zip(d) {
        multiply_add(&mut sum, d, steps[b as usize * NEAR..].first_chunk().expect("W values"));
    }
    row[..W].copy_from_slice(&sum);
}
