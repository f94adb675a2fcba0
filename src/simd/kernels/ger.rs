//! Rank-one updates: of one vector pair, or of a batch in turn.

use super::gemv::{block, multiply_add};
use crate::simd::aligned::room;
use crate::simd::{Isa, Kernel, LANES, unrolled};

#[inline(always)]
pub(in crate::simd) fn ger<M: Isa>(lines: &mut [f32], active: &[u32], x: &[f32], d: &[f32]) {
    let m = d.len();
    for (&k, &xk) in active.iter().zip(x) {
        let start = k as usize * m;
        for (w, d) in lines[start..start + m].iter_mut().zip(d) {
            *w = M::multiply_add(xk, *d, *w);
        }
    }
}

/// Vectors that all lines gain from before the next ones come.
const VECTORS: usize = 128;

/// Outputs of d that are packed together: for [`VECTORS`] vectors 256 KiB, a part of a core's own cache.
const PACKED_OUTPUTS: usize = 512;

/// Lines of a tile, and the places of their inputs among those that are packed.
const TILE: usize = 6;
const PLACES: usize = 8;

/// Tiles whose inputs are packed together: those of a vector are some cache lines then.
const TILES: usize = 8;

/// W ← W + Xᵀ (factor·D), vector after vector: line k of `lines`, which are those from `first` on, gains
/// x[first + k]·(factor·d) of each vector, of `n` values x and `m` values d. `spare` is overwritten.
pub(in crate::simd) struct GerBatch<'a> {
    pub(in crate::simd) lines: &'a mut [f32],
    pub(in crate::simd) first: usize,
    pub(in crate::simd) x: &'a [f32],
    pub(in crate::simd) n: usize,
    pub(in crate::simd) factor: f32,
    pub(in crate::simd) d: &'a [f32],
    pub(in crate::simd) m: usize,
    pub(in crate::simd) spare: &'a mut Vec<f32>,
}

impl Kernel for GerBatch<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let Self { lines, first, x, n, factor, d, m, spare } = self;
        let spare = room(spare, VECTORS * (PACKED_OUTPUTS.min(m.next_multiple_of(4 * LANES)) + TILES * PLACES));
        for (x, d) in x.chunks(VECTORS * n).zip(d.chunks(VECTORS * m)) {
            for at in (0..m).step_by(PACKED_OUTPUTS) {
                let width = PACKED_OUTPUTS.min(m - at);
                let learn = Learn { x: &x[first..], n, factor, d, m, at, width };
                match width.div_ceil(LANES) {
                    3.. if M::MANY_REGISTERS => learn.add::<M, 4>(lines, spare),
                    2 if M::MANY_REGISTERS => learn.add::<M, 2>(lines, spare),
                    _ => learn.add::<M, 1>(lines, spare),
                }
            }
        }
    }
}

/// What lines gain from a few vectors at the outputs `at..at + width`; the first value x of each vector is that of the
/// first line.
struct Learn<'a> {
    x: &'a [f32],
    n: usize,
    factor: f32,
    d: &'a [f32],
    m: usize,
    at: usize,
    width: usize,
}

impl Learn<'_> {
    /// In panels of `B` blocks of outputs.
    #[inline(always)]
    fn add<M: Isa, const B: usize>(&self, lines: &mut [f32], spare: &mut [f32]) {
        let (batch, m) = (self.d.len() / self.m, self.m);
        let (inputs, packed) = spare.split_at_mut(VECTORS * TILES * PLACES);
        self.pack::<B>(packed);
        let panels = packed.as_chunks::<LANES>().0;
        let inputs = inputs.as_chunks_mut::<PLACES>().0;
        for (g, lines) in lines.chunks_mut(TILE * m).enumerate() {
            if g % TILES == 0 {
                for (b, x) in self.x.chunks(self.n).enumerate().take(batch) {
                    let x = &x[g * TILE..];
                    for (t, x) in (0..TILES).zip((0..x.len()).step_by(TILE).map(|at| &x[at..])) {
                        let inputs = &mut inputs[t * batch + b];
                        match x.first_chunk() {
                            Some(x) => *inputs = *x,
                            None => inputs[..x.len()].copy_from_slice(x),
                        }
                    }
                }
            }
            let inputs = &inputs[g % TILES * batch..][..batch];
            for (p, panel) in panels.chunks_exact(batch * B).take(self.width.div_ceil(B * LANES)).enumerate() {
                self.tile::<M, B>(lines, inputs, panel, p * B * LANES);
            }
        }
    }

    /// Copies `B` blocks of factor·d of each vector, and then the next `B` blocks of each.
    #[inline(always)]
    fn pack<const B: usize>(&self, packed: &mut [f32]) {
        let batch = self.d.len() / self.m;
        for (b, d) in self.d.chunks_exact(self.m).enumerate() {
            for (c, d) in d[self.at..self.at + self.width].chunks(LANES).enumerate() {
                let place = (c / B * batch + b) * B + c % B;
                packed[place * LANES..][..LANES].copy_from_slice(&block(d, d.len()).map(|d| self.factor * d));
            }
        }
    }

    /// `B` blocks of outputs of [`TILE`] lines or fewer, kept in registers while the vectors go by.
    #[inline(always)]
    fn tile<M: Isa, const B: usize>(
        &self,
        lines: &mut [f32],
        inputs: &[[f32; PLACES]],
        panel: &[[f32; LANES]],
        done: usize,
    ) {
        const R: usize = TILE;
        let (m, at, last) = (self.m, self.at + done, lines.len() / self.m - 1);
        let count = |c: usize| LANES.min((self.width - done).saturating_sub(c * LANES));
        let mut sums = unrolled!(R, |r| unrolled!(B, |c| match count(c) {
            0 => [0.0; LANES],
            count => block(&lines[r.min(last) * m + at + c * LANES..], count),
        }));
        for (x, d) in inputs.iter().zip(panel.chunks_exact(B)) {
            sums = unrolled!(R, |r| unrolled!(B, |c| {
                let mut sum = sums[r][c];
                multiply_add::<M, LANES>(&mut sum, x[r], &d[c]);
                sum
            }));
        }
        unrolled!(R, |r| if r <= last {
            unrolled!(B, |c| {
                let (start, count) = (r * m + at + c * LANES, count(c));
                if count > 0 {
                    M::store(&sums[r][c], &mut lines[start..start + count]);
                }
            });
        });
    }
}
