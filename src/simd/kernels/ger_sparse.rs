//! Rank-one updates of a batch row by row, from the values of each row that are not zero.

use super::gemv::multiply_add;
use super::transpose::transpose;
use crate::simd::{Isa, Kernel, LANES, NonzeroRows};

/// Lines that gain at a time: with what they gain from they stay in a core's first cache (measured).
const LINES_IN_CACHE: usize = 4 * LANES;

/// [`ger_sparse`](crate::simd::ger_sparse).
pub(in crate::simd) struct GerSparse<'a> {
    pub(in crate::simd) lines: &'a mut [f32],
    pub(in crate::simd) first: usize,
    pub(in crate::simd) x: &'a [f32],
    pub(in crate::simd) n: usize,
    pub(in crate::simd) rows: NonzeroRows<'a>,
    pub(in crate::simd) spare: &'a mut Vec<f32>,
}

impl Kernel for GerSparse<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let (m, batch) = (self.rows.starts.len() - 1, self.x.len() / self.n);
        self.spare.resize((m + batch) * LINES_IN_CACHE, 0.0);
        let (transposed, inputs) = self.spare.split_at_mut(m * LINES_IN_CACHE);
        for (block, lines) in self.lines.chunks_mut(LINES_IN_CACHE * m).enumerate() {
            let (first, count) = (self.first + block * LINES_IN_CACHE, lines.len() / m);
            transpose::<M>(lines, m, [count, m], transposed, LINES_IN_CACHE);
            for (inputs, x) in inputs.chunks_exact_mut(LINES_IN_CACHE).zip(self.x.chunks_exact(self.n)) {
                inputs[..count].copy_from_slice(&x[first..first + count]);
            }
            for (row, ends) in
                transposed.as_chunks_mut::<LINES_IN_CACHE>().0.iter_mut().zip(self.rows.starts.windows(2))
            {
                let (at, d) = (&self.rows.at[ends[0]..ends[1]], &self.rows.values[ends[0]..ends[1]]);
                if count <= LANES {
                    ger_sparse_row::<M, LANES>(row, inputs, at, d);
                } else if count <= 2 * LANES {
                    ger_sparse_row::<M, { 2 * LANES }>(row, inputs, at, d);
                } else {
                    ger_sparse_row::<M, LINES_IN_CACHE>(row, inputs, at, d);
                }
            }
            transpose::<M>(transposed, LINES_IN_CACHE, [m, count], lines, m);
        }
    }
}

/// `row += d · x` of the given vectors in turn, for its first `W` values, which stay in registers.
#[inline(always)]
fn ger_sparse_row<M: Isa, const W: usize>(row: &mut [f32; LINES_IN_CACHE], inputs: &[f32], vectors: &[u32], d: &[f32]) {
    let mut sum: [f32; W] = *row.first_chunk().expect("W values");
    for (&b, &d) in vectors.iter().zip(d) {
        multiply_add::<M, W>(&mut sum, d, inputs[b as usize * LINES_IN_CACHE..].first_chunk().expect("W values"));
    }
    row[..W].copy_from_slice(&sum);
}
