//! A matrix times many vectors, to the bits of [`gemv`](super::gemv::gemv): tiles of outputs stay in registers while the
//! lines of a panel go by, packed for the caches.

use super::gemv::{block, multiply_add};
use crate::simd::aligned::room;
use crate::simd::{Isa, Kernel, LANES, unrolled};

/// Outputs and the most lines of a slab, which is packed: 80 KiB, a part of a core's own cache, of which 20 KiB, a part of
/// its first cache, are used at a time. Slab after slab of the same lines, whose pages the processor then knows.
const SLAB_OUTPUTS: usize = 4 * LANES;
const SLAB_LINES: usize = 320;

/// The most vectors that are multiplied with a slab before the next ones come.
const VECTORS: usize = 128;

/// Vectors of the large tile and of the small one, which takes what remains.
const LARGE: usize = 6;
const SMALL: usize = 4;

/// Y = X Wᵀ: the products of vectors of `n` values with `n` lines, outputs one vector after another. `spare` is
/// overwritten.
pub(in crate::simd) struct Gemm<'a> {
    pub(in crate::simd) lines: &'a [f32],
    pub(in crate::simd) n: usize,
    pub(in crate::simd) x: &'a [f32],
    pub(in crate::simd) y: &'a mut [f32],
    pub(in crate::simd) spare: &'a mut Vec<f32>,
}

impl Kernel for Gemm<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let Self { lines, n, x, y, spare } = self;
        let (m, batch) = (lines.len() / n, x.len() / n);
        let together = batch.div_ceil(batch.div_ceil(VECTORS));
        let parts = n.div_ceil(SLAB_LINES);
        let each = n.div_ceil(parts);
        let spare = room(spare, SLAB_LINES * SLAB_OUTPUTS);
        for (x, y) in x.chunks(together * n).zip(y.chunks_mut(together * m)) {
            for first in (0..n).step_by(each) {
                let lines = &lines[first * m..][..each.min(n - first) * m];
                for at in (0..m).step_by(SLAB_OUTPUTS) {
                    let slab = Slab { lines, first, n, m, at, width: SLAB_OUTPUTS.min(m - at) };
                    match slab.width.div_ceil(LANES) {
                        3.. if M::MANY_REGISTERS => slab.multiply::<M, 4>(x, y, spare),
                        2 if M::MANY_REGISTERS => slab.multiply::<M, 2>(x, y, spare),
                        _ => slab.multiply::<M, 1>(x, y, spare),
                    }
                }
            }
        }
    }
}

/// Some outputs of some lines.
struct Slab<'a> {
    lines: &'a [f32],
    /// The number of the first line, and how many there are in all: outputs begin with line 0.
    first: usize,
    n: usize,
    m: usize,
    /// The first output, and how many.
    at: usize,
    width: usize,
}

impl Slab<'_> {
    /// Adds to the outputs of some vectors, in panels of `B` blocks.
    #[inline(always)]
    fn multiply<M: Isa, const B: usize>(&self, x: &[f32], y: &mut [f32], spare: &mut [f32]) {
        let Self { lines, first, n, m, at, width } = *self;
        let count = lines.len() / m;
        let packed = if m == B * LANES {
            lines
        } else {
            pack::<M, B>(&lines[at..], m, count, width, spare);
            &*spare
        };
        let panels = packed.chunks_exact(count * B * LANES).take(width.div_ceil(B * LANES));
        for (p, lines) in panels.enumerate() {
            let done = p * B * LANES;
            let outputs = Outputs { values: &mut *y, each: m, at: at + done, width: width - done };
            Panel { lines, n, first }.multiply::<M, B>(x, outputs);
        }
    }
}

/// Copies `B` blocks of each of `count` lines, one every `m` values, and then the next `B` blocks of each.
#[inline(always)]
fn pack<M: Isa, const B: usize>(lines: &[f32], m: usize, count: usize, width: usize, packed: &mut [f32]) {
    for k in 0..count {
        // The next slab is that of the next outputs: far apart, so that a processor does not see it coming.
        (0..SLAB_OUTPUTS).step_by(LANES).for_each(|next| M::fetch(lines, k * m + SLAB_OUTPUTS + next));
        for c in 0..width.div_ceil(LANES) {
            // A block may reach into the next line: what comes of that is not stored.
            let (values, remaining) = (&lines[k * m + c * LANES..], width - c * LANES);
            let place = (c / B * count + k) * B + c % B;
            packed[place * LANES..][..LANES].copy_from_slice(&block(values, remaining));
        }
    }
}

/// Where the outputs of a panel go: those of a vector every `each` values, `width` from `at` on.
struct Outputs<'a> {
    values: &'a mut [f32],
    each: usize,
    at: usize,
    width: usize,
}

impl Outputs<'_> {
    /// Where block c of a vector is, and how many outputs there are of it.
    #[inline(always)]
    fn place(&self, vector: usize, c: usize) -> (usize, usize) {
        (vector * self.each + self.at + c * LANES, LANES.min(self.width.saturating_sub(c * LANES)))
    }

    #[inline(always)]
    fn load(&self, vector: usize, c: usize) -> [f32; LANES] {
        let (at, count) = self.place(vector, c);
        if count == 0 { [0.0; LANES] } else { block(&self.values[at..], count) }
    }

    #[inline(always)]
    fn store<M: Isa>(&mut self, vector: usize, c: usize, sum: &[f32; LANES]) {
        let (at, count) = self.place(vector, c);
        if count > 0 {
            M::store(sum, &mut self.values[at..at + count]);
        }
    }
}

/// Some blocks of each of some lines, one after another.
struct Panel<'a> {
    lines: &'a [f32],
    n: usize,
    /// The number of the first line: outputs begin with it.
    first: usize,
}

impl Panel<'_> {
    #[inline(always)]
    fn multiply<M: Isa, const B: usize>(&self, x: &[f32], mut outputs: Outputs<'_>) {
        let batch = x.len() / self.n;
        let mut b = 0;
        while b < batch {
            // As many large tiles as leave a multiple of the small one, where any do.
            let remaining = batch - b;
            if remaining >= LARGE && (remaining >= LARGE * SMALL || !remaining.is_multiple_of(SMALL)) {
                self.tile::<M, LARGE, B>(x, &mut outputs, b);
                b += LARGE;
            } else {
                self.tile::<M, SMALL, B>(x, &mut outputs, b);
                b += SMALL;
            }
        }
    }

    /// Adds to the outputs of `R` vectors from number `b` on; those beyond the last are the last once more.
    #[inline(always)]
    fn tile<M: Isa, const R: usize, const B: usize>(&self, x: &[f32], outputs: &mut Outputs<'_>, b: usize) {
        let (count, last) = (self.lines.len() / (B * LANES), x.len() / self.n - 1);
        let x = unrolled!(R, |r| &x[(b + r).min(last) * self.n + self.first..][..count]);
        let zero = [0.0; LANES];
        let mut sums = unrolled!(R, |_r| [zero; B]);
        if self.first > 0 {
            sums = unrolled!(R, |r| unrolled!(B, |c| outputs.load((b + r).min(last), c)));
        }
        for (k, line) in self.lines.as_chunks::<LANES>().0.chunks_exact(B).enumerate() {
            sums = unrolled!(R, |r| unrolled!(B, |c| {
                let mut sum = sums[r][c];
                multiply_add::<M, LANES>(&mut sum, x[r][k], &line[c]);
                sum
            }));
        }
        unrolled!(R, |r| if b + r <= last {
            unrolled!(B, |c| outputs.store::<M>(b + r, c, &sums[r][c]));
        });
    }
}
