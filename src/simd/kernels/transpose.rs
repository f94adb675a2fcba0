//! Transposition.

use crate::simd::{Isa, Kernel, LANES};

/// Lines of `width` values side by side: value i of line k goes to place k of row i.
pub(in crate::simd) struct Transpose<'a> {
    pub(in crate::simd) lines: &'a [f32],
    pub(in crate::simd) width: usize,
    pub(in crate::simd) rows: &'a mut [f32],
}

impl Kernel for Transpose<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let count = self.lines.len() / self.width;
        transpose::<M>(self.lines, self.width, [count, self.width], self.rows, count);
    }
}

/// Value i of line k of `count` lines, one every `each` values, goes to place k of row i of `width` rows, one every
/// `row` values.
#[inline(always)]
pub(super) fn transpose<M: Isa>(lines: &[f32], each: usize, [count, width]: [usize; 2], rows: &mut [f32], row: usize) {
    for first in (0..count).step_by(LANES) {
        for at in (0..width).step_by(LANES) {
            // Blocks at the ends move values before them once more, or have fewer than LANES values.
            let first = if count >= LANES { first.min(count - LANES) } else { first };
            let at = if width >= LANES { at.min(width - LANES) } else { at };
            if count >= LANES && lines.len() >= (first + LANES - 1) * each + at + LANES {
                let mut block = [[0.0; LANES]; LANES];
                for (l, values) in block.iter_mut().enumerate() {
                    *values = *lines[(first + l) * each + at..].first_chunk().expect("a block");
                }
                for (values, i) in M::transpose_block(block).iter().zip(at..width) {
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
