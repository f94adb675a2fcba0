//! Blocks of lanes: what kernels cannot say well in plain loops, as plain Rust.

use super::fused;

/// Lanes of one block: one AVX-512 register, two AVX2 registers.
pub const LANES: usize = 16;

/// An array of 1 to 6 entries that `$make` makes of their positions, entry by entry: a loop, or a call of
/// `std::array::from_fn`, would keep in memory what fits the registers.
macro_rules! unrolled {
    ($n:ident, |$k:ident| $make:expr) => {{
        const { assert!($n >= 1 && $n <= 6) }
        let first = {
            let $k = 0;
            $make
        };
        let mut all = [first; $n];
        unrolled!(@entries $n, all, $k, $make, 1 2 3 4 5);
        all
    }};
    (@entries $n:ident, $all:ident, $k:ident, $make:expr, $($at:literal)+) => {
        $(if $n > $at {
            let $k = $at;
            $all[$at] = $make;
        })+
    };
}
pub(crate) use unrolled;

/// Some of the lanes of a block.
pub trait Mask: Copy + sealed::Sealed {
    /// The lanes l whose bit l is 1.
    fn new(bits: u16) -> Self;

    /// Bit l for lane l.
    fn bits(self) -> u16;

    /// Whether lane `l` is among them.
    #[inline(always)]
    fn has(self, l: usize) -> bool {
        (self.bits() >> l) & 1 == 1
    }

    /// `a` in these lanes, `b` in the others.
    fn select(self, a: &[f32; LANES], b: &[f32; LANES]) -> [f32; LANES];

    /// Lane l of output k is value k of `rows[l]`.
    fn transpose(rows: &[[u16; 4]; LANES]) -> [[u32; LANES]; 4];
}

pub(super) mod sealed {
    /// Masks belong to instruction sets.
    pub trait Sealed {}
}

/// What else an instruction set does with its masks; the results are the same for all.
pub(crate) trait Isa: Mask {
    /// Whether several blocks of work fit the registers at once.
    const MANY_REGISTERS: bool;

    /// a·b + c, rounded once.
    fn multiply_add(a: f32, b: f32, c: f32) -> f32;

    /// a·b + c, lane by lane: for sums that stay in registers, where a compiler does not always see the block in a loop.
    #[inline(always)]
    fn multiply_add_block(a: &[f32; LANES], b: &[f32; LANES], c: &[f32; LANES]) -> [f32; LANES] {
        let mut sums = *c;
        for l in 0..LANES {
            sums[l] = Self::multiply_add(a[l], b[l], sums[l]);
        }
        sums
    }

    /// `if a > b { a } else { b }`, lane by lane.
    #[inline(always)]
    fn larger(a: &[f32; LANES], b: &[f32; LANES]) -> [f32; LANES] {
        let mut out = *b;
        for l in 0..LANES {
            out[l] = if a[l] > out[l] { a[l] } else { out[l] };
        }
        out
    }

    /// A block, filled up with zeros where there are fewer than LANES values.
    fn load(values: &[f32]) -> [f32; LANES];

    /// Writes the first values of a block: LANES of them, or as many as there is room for.
    fn store(block: &[f32; LANES], values: &mut [f32]);

    /// Has a core's own cache fetch a value that is needed later; what a path without a way to ask leaves to the processor.
    #[inline(always)]
    fn fetch(_values: &[f32], _at: usize) {}

    /// Lane l of output k is lane k of `rows[l]`.
    fn transpose_block(rows: [[f32; LANES]; LANES]) -> [[f32; LANES]; LANES];

    /// The first of at least LANES values one after another in these lanes, 0 in the others.
    fn expand(self, values: &[f32]) -> [f32; LANES];

    /// Writes the values of these lanes one after another to the first LANES places of `to`; those after them are
    /// undefined.
    fn compress(self, values: &[u32; LANES], to: &mut [u32]);

    /// [`compress`](Isa::compress) of floats.
    fn compress_floats(self, values: &[f32; LANES], to: &mut [f32]);

    /// The lanes that are not zero.
    fn nonzero(values: &[f32; LANES]) -> Self;

    /// The lanes whose upper 31 bits are below the threshold.
    fn below(words: &[u32; LANES], thresholds: &[u32; LANES]) -> Self;

    /// How many lanes.
    #[inline(always)]
    fn count(self) -> usize {
        self.bits().count_ones() as usize
    }
}

/// Lanes as plain Rust, which the compiler turns into the vectors of a path; `FUSED` if the path multiplies and adds in one
/// instruction.
#[derive(Clone, Copy)]
pub(super) struct Portable<const FUSED: bool>(u16);

impl<const FUSED: bool> sealed::Sealed for Portable<FUSED> {}

impl<const FUSED: bool> Portable<FUSED> {
    /// The values of these lanes one after another.
    #[inline(always)]
    fn gathered<T: Copy + Default>(self, values: &[T; LANES]) -> [T; LANES] {
        let (mut out, mut n) = ([T::default(); LANES], 0);
        // Always written, kept only by moving on: no branch for a processor to guess wrong.
        for (l, &value) in values.iter().enumerate() {
            out[n % LANES] = value;
            n += usize::from(self.has(l));
        }
        out
    }
}

impl<const FUSED: bool> Mask for Portable<FUSED> {
    #[inline(always)]
    fn new(bits: u16) -> Self {
        Self(bits)
    }

    #[inline(always)]
    fn bits(self) -> u16 {
        self.0
    }

    #[inline(always)]
    fn select(self, a: &[f32; LANES], b: &[f32; LANES]) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        for l in 0..LANES {
            out[l] = if self.has(l) { a[l] } else { b[l] };
        }
        out
    }

    #[inline(always)]
    fn transpose(rows: &[[u16; 4]; LANES]) -> [[u32; LANES]; 4] {
        let mut out = [[0; LANES]; 4];
        for l in 0..LANES {
            for k in 0..4 {
                out[k][l] = u32::from(rows[l][k]);
            }
        }
        out
    }
}

impl<const FUSED: bool> Isa for Portable<FUSED> {
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        if FUSED { a.mul_add(b, c) } else { fused::multiply_add(a, b, c) }
    }

    #[inline(always)]
    fn load(values: &[f32]) -> [f32; LANES] {
        values.first_chunk().copied().unwrap_or_else(|| {
            let mut block = [0.0; LANES];
            block[..values.len()].copy_from_slice(values);
            block
        })
    }

    #[inline(always)]
    fn store(block: &[f32; LANES], values: &mut [f32]) {
        match values.first_chunk_mut() {
            Some(whole) => *whole = *block,
            None => values.copy_from_slice(&block[..values.len()]),
        }
    }

    #[inline(always)]
    fn transpose_block(rows: [[f32; LANES]; LANES]) -> [[f32; LANES]; LANES] {
        let mut out = [[0.0; LANES]; LANES];
        for (l, row) in rows.iter().enumerate() {
            for k in 0..LANES {
                out[k][l] = row[k];
            }
        }
        out
    }

    #[inline(always)]
    fn expand(self, values: &[f32]) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        let (mut bits, mut n) = (self.0, 0);
        while bits != 0 {
            out[bits.trailing_zeros() as usize] = values[n];
            n += 1;
            bits &= bits - 1;
        }
        out
    }

    #[inline(always)]
    fn compress(self, values: &[u32; LANES], to: &mut [u32]) {
        to[..LANES].copy_from_slice(&self.gathered(values));
    }

    #[inline(always)]
    fn compress_floats(self, values: &[f32; LANES], to: &mut [f32]) {
        to[..LANES].copy_from_slice(&self.gathered(values));
    }

    #[inline(always)]
    fn nonzero(values: &[f32; LANES]) -> Self {
        Self((0..LANES).fold(0, |bits, l| bits | (u16::from(values[l] != 0.0) << l)))
    }

    #[inline(always)]
    fn below(words: &[u32; LANES], thresholds: &[u32; LANES]) -> Self {
        Self((0..LANES).fold(0, |bits, l| bits | (u16::from(words[l] >> 1 < thresholds[l]) << l)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Kernel, run};

    /// Everything that a path does with lanes, for one mask and block.
    struct Lanes<'a>(u16, &'a [u32; 2 * LANES]);

    type Results = ([[u32; LANES]; 4], [u16; 2], [[u32; LANES]; 4], [[f32; LANES]; LANES]);

    impl Kernel for Lanes<'_> {
        type Out = Results;

        #[inline(always)]
        fn run<M: Isa>(self) -> Results {
            let (mask, words) = (M::new(self.0), self.1);
            let [a, b]: [[u32; LANES]; 2] = [0, LANES].map(|at| words[at..at + LANES].try_into().expect("a block"));
            let values = |words: [u32; LANES]| words.map(|word| (word % 7) as f32 - 3.0);
            let (mut compressed, mut floats) = ([0; LANES], [0.0; LANES]);
            mask.compress(&a, &mut compressed);
            mask.compress_floats(&values(a), &mut floats);
            compressed[mask.count()..].fill(0);
            floats[mask.count()..].fill(0.0);
            let (expanded, selected) = (mask.expand(&values(a)), mask.select(&values(a), &values(b)));
            let rows: [[f32; LANES]; LANES] =
                std::array::from_fn(|l| std::array::from_fn(|k| values(a)[l] + 10.0 * k as f32));
            let fours = b.map(|word| [word, word >> 5, word >> 9, word >> 16].map(|word| word as u16));
            let bits = [M::nonzero(&values(b)).bits(), M::below(&a, &b.map(|b| (b >> 1) + (b & 1))).bits()];
            let [floats, expanded, selected] = [floats, expanded, selected].map(|of| of.map(f32::to_bits));
            let integers = [compressed, floats, expanded, selected];
            (integers, bits, M::transpose(&fours), M::transpose_block(rows))
        }
    }

    /// The path in use and plain Rust agree on every mask.
    #[test]
    fn every_path_does_the_same() {
        let mut words = [0; 2 * LANES];
        for bits in 0..=u16::MAX {
            for (l, word) in (0_u32..).zip(&mut words) {
                *word = (u32::from(bits) + 1).wrapping_mul(0x9E37_79B9).rotate_left(l) ^ l.wrapping_mul(0x85EB_CA6B);
            }
            words[3] = words[19];
            words[20] = u32::MAX;
            assert_eq!(run(Lanes(bits, &words)), Lanes(bits, &words).run::<Portable<false>>(), "{bits:b}");
        }
    }
}
