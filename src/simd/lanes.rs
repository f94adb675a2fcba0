//! Blocks of lanes: what kernels cannot say well in plain loops, as plain Rust.

/// Lanes of one block: one AVX-512 register, two AVX2 registers.
pub const LANES: usize = 16;

/// An array of 1 to 4 entries that `$make` makes of their positions, entry by entry: a loop, or a call of
/// `std::array::from_fn`, would keep in memory what fits the registers.
macro_rules! unrolled {
    ($n:ident, |$k:ident| $make:expr) => {{
        const { assert!($n >= 1 && $n <= 4) }
        let first = {
            let $k = 0;
            $make
        };
        let mut all = [first; $n];
        if $n > 1 {
            let $k = 1;
            all[1] = $make;
        }
        if $n > 2 {
            let $k = 2;
            all[2] = $make;
        }
        if $n > 3 {
            let $k = 3;
            all[3] = $make;
        }
        all
    }};
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
    fn transpose(rows: &[[f32; 4]; LANES]) -> [[f32; LANES]; 4];
}

pub(super) mod sealed {
    /// Masks belong to instruction sets.
    pub trait Sealed {}
}

/// What else an instruction set does with its masks; the results are the same for all.
pub(crate) trait Isa: Mask {
    /// Whether several blocks of work fit the registers at once.
    const MANY_REGISTERS: bool;

    /// A block, filled up with zeros where there are fewer than LANES values.
    fn load(values: &[f32]) -> [f32; LANES];

    /// Lane l of output k is lane k of `rows[l]`.
    fn transpose_block(rows: [[f32; LANES]; LANES]) -> [[f32; LANES]; LANES];

    /// The first of at least LANES values one after another in these lanes, 0 in the others.
    fn expand(self, values: &[f32]) -> [f32; LANES];

    /// The values of these lanes one after another; the lanes after them are undefined.
    fn compress(self, values: &[u32; LANES]) -> [u32; LANES];

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

#[derive(Clone, Copy)]
pub(super) struct Portable(u16);

impl sealed::Sealed for Portable {}

impl Mask for Portable {
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
    fn transpose(rows: &[[f32; 4]; LANES]) -> [[f32; LANES]; 4] {
        let mut out = [[0.0; LANES]; 4];
        for l in 0..LANES {
            for k in 0..4 {
                out[k][l] = rows[l][k];
            }
        }
        out
    }
}

impl Isa for Portable {
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn load(values: &[f32]) -> [f32; LANES] {
        values.first_chunk().copied().unwrap_or_else(|| {
            let mut block = [0.0; LANES];
            block[..values.len()].copy_from_slice(values);
            block
        })
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
    fn compress(self, values: &[u32; LANES]) -> [u32; LANES] {
        let (mut out, mut n) = ([0; LANES], 0);
        // Always written, kept only by moving on: no branch for a processor to guess wrong.
        for (l, &value) in values.iter().enumerate() {
            out[n % LANES] = value;
            n += usize::from(self.has(l));
        }
        out
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
