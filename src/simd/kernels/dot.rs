//! Lines times vectors, a dot product each: tiles of sums stay in registers while lines and vectors go by.

use super::gemv::{block, sum_lanes};
use crate::simd::{Isa, Kernel, LANES, unrolled};
use std::hint::black_box;

/// Values of lines that all vectors are multiplied with before the next lines come: 128 KiB, a part of a core's own cache.
const CACHED_VALUES: usize = 1 << 15;

/// Z = D W: the dot products of lines of `m` values with vectors, one vector after another. Every sum has one order: lane l
/// adds up the products l, l + 16, …, then the lanes are added by halves.
pub(in crate::simd) struct Dots<'a> {
    pub(in crate::simd) lines: &'a [f32],
    pub(in crate::simd) m: usize,
    /// The vectors, each filled up with zeros to whole blocks.
    pub(in crate::simd) d: &'a [f32],
    pub(in crate::simd) z: &'a mut [f32],
}

impl Kernel for Dots<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        match (self.d.len() / self.m.next_multiple_of(LANES), M::MANY_REGISTERS) {
            (..3, false) => self.by_tiles::<M, 4, 1>(),
            (3.., false) => self.by_tiles::<M, 2, 3>(),
            (..4, true) => self.by_tiles::<M, 6, 1>(),
            (4.., true) => self.by_tiles::<M, 6, 4>(),
        }
    }
}

impl Dots<'_> {
    /// `L` lines and `V` vectors at a time; the last ones with some before them once more, to the same bits.
    #[inline(always)]
    fn by_tiles<M: Isa, const L: usize, const V: usize>(self) {
        let Self { lines, m, d, z } = self;
        let (n, width) = (lines.len() / m, m.next_multiple_of(LANES));
        let batch = d.len() / width;
        let together = (CACHED_VALUES / m).max(L);
        for first in (0..n).step_by(together) {
            let end = (first + together).min(n);
            for b in (0..batch).step_by(V) {
                let b = b.min(batch - V);
                let d = unrolled!(V, |v| d[(b + v) * width..][..width].as_chunks::<LANES>().0);
                for k in (first..end).step_by(L) {
                    let k = k.min(n.saturating_sub(L));
                    let lines = unrolled!(L, |l| &lines[(k + l).min(n - 1) * m..]);
                    let sums = tile::<M, L, V>(lines, m, d);
                    for v in 0..V {
                        let z = &mut z[(b + v) * n + k..][..L.min(n)];
                        z.iter_mut().zip(sums).for_each(|(z, sums)| *z = sums[v]);
                    }
                }
            }
        }
    }
}

/// The dot products of `V` vectors, in whole blocks, with each of `L` lines.
#[inline(always)]
fn tile<M: Isa, const L: usize, const V: usize>(
    lines: [&[f32]; L],
    m: usize,
    d: [&[[f32; LANES]]; V],
) -> [[f32; V]; L] {
    let zero = [0.0; LANES];
    let mut sums = unrolled!(L, |_l| [zero; V]);
    let whole = m / LANES;
    let blocks = unrolled!(L, |l| &lines[l].as_chunks::<LANES>().0[..whole]);
    let vectors = unrolled!(V, |v| &d[v][..whole]);
    for c in 0..whole {
        let d = unrolled!(V, |v| vectors[v][c]);
        sums = unrolled!(L, |l| unrolled!(V, |v| M::multiply_add_block(&blocks[l][c], &d[v], &sums[l][v])));
    }
    if whole * LANES < m {
        // What the blocks hold of the next line meets zeros.
        let d = unrolled!(V, |v| d[v][whole]);
        sums = unrolled!(L, |l| {
            let line = block(&lines[l][whole * LANES..], m - whole * LANES);
            unrolled!(V, |v| M::multiply_add_block(&line, &d[v], &sums[l][v]))
        });
    }
    // In memory: instructions that add across lanes know half the registers, and would keep the sums above to these.
    let sums = if L * V > LANES { black_box(sums) } else { sums };
    unrolled!(L, |l| unrolled!(V, |v| sum_lanes(sums[l][v])))
}
