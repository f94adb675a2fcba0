//! Run-time dispatch of the vector kernels: the only `unsafe` of the crate.
//!
//! Each kernel is written once, over fixed lanes, in plain Rust (`kernels`, `math`); this file
//! compiles it for AVX-512, AVX2 and the target's baseline and picks one when called. What plain Rust
//! cannot say (`lanes`) has a form of its own for AVX-512 here. No path uses fused multiply-add and every
//! sum has a fixed order, so all paths give the same bits.

#![allow(unsafe_code)]

pub(crate) mod aligned;
pub(crate) mod kernels;
mod lanes;
pub(crate) mod math;
mod patches;
mod path;

pub(crate) use kernels::{Below, HeadNormals, HeadWords, Heads, MaxAbs, Nonzero, Normals, Words, thresholds};
use lanes::Portable;
pub(crate) use lanes::{Isa, unrolled};
pub use lanes::{LANES, Mask};
pub(crate) use patches::Patches;
pub use path::{Path, available, check, path};

/// Compiles `kernel` once per path and defines the function that picks one.
macro_rules! dispatch {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) $(-> $out:ty)?) => {
        $(#[$doc])*
        #[inline]
        pub(crate) fn $name($($arg: $ty),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $ty),*) $(-> $out)? { kernels::$name($($arg),*) }
                #[target_feature(enable = "popcnt,avx2")]
                fn avx2($($arg: $ty),*) $(-> $out)? { kernels::$name($($arg),*) }
                match path() {
                    // SAFETY: `path` returns only what the processor was found to have.
                    Path::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: likewise.
                    Path::Avx2 => return unsafe { avx2($($arg),*) },
                    Path::Baseline => {}
                }
            }
            kernels::$name($($arg),*)
        }
    };
}

/// What is not zero of some rows of values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NonzeroRows<'a> {
    /// Where each row starts in `at` and `values`; one more entry than rows.
    pub(crate) starts: &'a [usize],
    /// Positions in the row.
    pub(crate) at: &'a [u32],
    pub(crate) values: &'a [f32],
}

/// ReadVectors multiplied together, so that each line is loaded once for all of them.
pub(crate) const TOGETHER: usize = 4;

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::lanes::{Isa, LANES, Mask, sealed};
    use std::arch::x86_64::{
        __m512, __m512i, _CMP_NEQ_UQ, _mm512_cmp_ps_mask, _mm512_cmplt_epu32_mask, _mm512_mask_blend_ps,
        _mm512_maskz_compress_epi32, _mm512_maskz_expand_ps, _mm512_maskz_loadu_ps, _mm512_permutex2var_ps,
        _mm512_setzero_ps, _mm512_srli_epi32,
    };
    use std::mem::transmute;

    /// Only code compiled for AVX-512 may make one: `run`, below, is the only one that names it.
    ///
    /// Every intrinsic here needs no more than that the processor has it; what one that takes a pointer reads is said
    /// there. An array and a vector of the same numbers have the same size and bits, any of which are a value of either.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512(u16);

    impl sealed::Sealed for Avx512 {}

    impl Mask for Avx512 {
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
            // SAFETY: see [`Avx512`].
            unsafe {
                let (a, b) = (transmute::<[f32; LANES], __m512>(*a), transmute::<[f32; LANES], __m512>(*b));
                transmute::<__m512, [f32; LANES]>(_mm512_mask_blend_ps(self.0, b, a))
            }
        }

        #[inline(always)]
        fn transpose(rows: &[[f32; 4]; LANES]) -> [[f32; LANES]; 4] {
            // Values 0 and 1, or 2 and 3, of eight rows; then one value of sixteen.
            const PAIRS: [[i32; LANES]; 2] = [
                [0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29],
                [2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31],
            ];
            const HALVES: [[i32; LANES]; 2] = [
                [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
                [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31],
            ];
            // SAFETY: see [`Avx512`].
            unsafe {
                let [a, b, c, d] = transmute::<[[f32; 4]; LANES], [__m512; 4]>(*rows);
                let [even, odd] = transmute::<[[i32; LANES]; 2], [__m512i; 2]>(PAIRS);
                let [low, high] = transmute::<[[i32; LANES]; 2], [__m512i; 2]>(HALVES);
                let (ab01, cd01) = (_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(c, even, d));
                let (ab23, cd23) = (_mm512_permutex2var_ps(a, odd, b), _mm512_permutex2var_ps(c, odd, d));
                transmute::<[__m512; 4], [[f32; LANES]; 4]>([
                    _mm512_permutex2var_ps(ab01, low, cd01),
                    _mm512_permutex2var_ps(ab01, high, cd01),
                    _mm512_permutex2var_ps(ab23, low, cd23),
                    _mm512_permutex2var_ps(ab23, high, cd23),
                ])
            }
        }
    }

    /// In every square of 2·D lanes, the halves of D lanes off the diagonal change places.
    ///
    /// # Safety
    /// The processor has AVX-512.
    #[inline(always)]
    unsafe fn exchange<const D: usize>(rows: &mut [__m512; LANES]) {
        let (mut low, mut high) = ([0; LANES], [0; LANES]);
        for l in 0..LANES {
            low[l] = if l & D == 0 { l } else { l + LANES - D } as i32;
            high[l] = if l & D == 0 { l + D } else { l + LANES } as i32;
        }
        for r in 0..LANES {
            if r & D == 0 {
                let (a, b) = (rows[r], rows[r | D]);
                // SAFETY: the caller's promise; see [`Avx512`].
                unsafe {
                    let [low, high] = transmute::<[[i32; LANES]; 2], [__m512i; 2]>([low, high]);
                    rows[r] = _mm512_permutex2var_ps(a, low, b);
                    rows[r | D] = _mm512_permutex2var_ps(a, high, b);
                }
            }
        }
    }

    impl Isa for Avx512 {
        const MANY_REGISTERS: bool = true;

        #[inline(always)]
        fn load(values: &[f32]) -> [f32; LANES] {
            let mask = ((1_u32 << values.len().min(LANES)) - 1) as u16;
            // SAFETY: see [`Avx512`]; the lanes that are read are values, and the others are not read.
            unsafe { transmute::<__m512, [f32; LANES]>(_mm512_maskz_loadu_ps(mask, values.as_ptr())) }
        }

        #[inline(always)]
        fn turn(rows: [[f32; LANES]; LANES]) -> [[f32; LANES]; LANES] {
            // SAFETY: see [`Avx512`].
            unsafe {
                let mut rows = transmute::<[[f32; LANES]; LANES], [__m512; LANES]>(rows);
                exchange::<8>(&mut rows);
                exchange::<4>(&mut rows);
                exchange::<2>(&mut rows);
                exchange::<1>(&mut rows);
                transmute::<[__m512; LANES], [[f32; LANES]; LANES]>(rows)
            }
        }

        #[inline(always)]
        fn expand(self, values: &[f32]) -> [f32; LANES] {
            let values: [f32; LANES] = values[..LANES].try_into().expect("a block");
            // SAFETY: see [`Avx512`].
            unsafe {
                let values = transmute::<[f32; LANES], __m512>(values);
                transmute::<__m512, [f32; LANES]>(_mm512_maskz_expand_ps(self.0, values))
            }
        }

        #[inline(always)]
        fn compress(self, values: &[u32; LANES]) -> [u32; LANES] {
            // SAFETY: see [`Avx512`].
            unsafe {
                let values = transmute::<[u32; LANES], __m512i>(*values);
                transmute::<__m512i, [u32; LANES]>(_mm512_maskz_compress_epi32(self.0, values))
            }
        }

        #[inline(always)]
        fn nonzero(values: &[f32; LANES]) -> Self {
            // SAFETY: see [`Avx512`].
            unsafe {
                let values = transmute::<[f32; LANES], __m512>(*values);
                Self(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(values, _mm512_setzero_ps()))
            }
        }

        #[inline(always)]
        fn below(words: &[u32; LANES], thresholds: &[u32; LANES]) -> Self {
            // SAFETY: see [`Avx512`].
            unsafe {
                let words = _mm512_srli_epi32::<1>(transmute::<[u32; LANES], __m512i>(*words));
                Self(_mm512_cmplt_epu32_mask(words, transmute::<[u32; LANES], __m512i>(*thresholds)))
            }
        }
    }
}

/// A kernel over types of its own, compiled for every path by [`run`].
pub(crate) trait Kernel {
    type Out;

    /// Mark it and what it calls `#[inline(always)]`: only code inlined here is compiled for the path.
    fn run<M: Isa>(self) -> Self::Out;
}

/// Runs a kernel on the path in use.
#[inline]
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Out {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
        fn with_avx512<K: Kernel>(kernel: K) -> K::Out {
            kernel.run::<avx512::Avx512>()
        }
        #[target_feature(enable = "popcnt,avx2")]
        fn with_avx2<K: Kernel>(kernel: K) -> K::Out {
            kernel.run::<Portable>()
        }
        match path() {
            // SAFETY: `path` returns only what the processor was found to have.
            Path::Avx512 => return unsafe { with_avx512(kernel) },
            // SAFETY: likewise.
            Path::Avx2 => return unsafe { with_avx2(kernel) },
            Path::Baseline => {}
        }
    }
    kernel.run::<Portable>()
}

dispatch!(
    /// `y = Σ_k x[k] · lines[active[k]]`, lines of `y.len()` values one after another.
    combine(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32])
);
dispatch!(
    /// `z[k] = lines[k] · d` for every line of `d.len()` values.
    project(lines: &[f32], d: &[f32], z: &mut [f32])
);
dispatch!(
    /// [`combine`] of all lines for [`TOGETHER`] vectors x, to the same bits, outputs one vector after another.
    combine_together(lines: &[f32], x: [&[f32]; TOGETHER], y: &mut [f32])
);
dispatch!(
    /// [`project`] for [`TOGETHER`] vectors d, to the same bits, outputs one vector after another.
    project_together(lines: &[f32], d: [&[f32]; TOGETHER], z: &mut [f32])
);
dispatch!(
    /// `lines[active[k]] += x[k] · d`.
    rank_one(lines: &mut [f32], active: &[u32], x: &[f32], d: &[f32])
);
dispatch!(
    /// Rounds to the nearest multiple of `step` after clipping to ±`bound`.
    quantise(values: &mut [f32], bound: f32, step: f32)
);
dispatch!(
    /// `values += scale · noise`.
    add_scaled(values: &mut [f32], scale: f32, noise: &[f32])
);
dispatch!(
    /// `values += scale · by`; whether a magnitude has reached 1.
    accumulate(values: &mut [f32], scale: f32, by: &[f32]) -> bool
);
dispatch!(
    /// Whether no value is infinite or NaN.
    all_finite(values: &[f32]) -> bool
);
dispatch!(
    /// [`rank_one`] with every vector of a batch in turn, `n` values x and `m` values d each: line k of `lines`, which
    /// are those from `first` on, gains `x[first + k]·d`.
    rank_many(lines: &mut [f32], first: usize, x: &[f32], n: usize, d: &[f32], m: usize)
);
dispatch!(
    /// How many values are not zero.
    count_nonzero(values: &[f32]) -> usize
);
dispatch!(
    /// The largest value of each channel in each window of an image, and where it is; of equal ones the first.
    /// `sizes`: channels, width, kernel, step, windows in a row.
    largest(image: &[f32], sizes: [usize; 5], y: &mut [f32], winners: &mut [u32])
);
/// The largest magnitude; 0 for no values.
pub(crate) fn max_abs(values: &[f32]) -> f32 {
    run(kernels::MaxAbs(values))
}

/// Transposes lines of `width` values into rows.
pub(crate) fn turn(lines: &[f32], width: usize, rows: &mut [f32]) {
    run(kernels::Turn { lines, width, rows });
}

/// [`rank_many`] of `factor·x`, which is finite, to the same bits, with what is not zero of d: `some` has it row after row, one for each
/// output. `spare` is overwritten.
pub(crate) fn rank_some(
    lines: &mut [f32],
    first: usize,
    x: &[f32],
    n: usize,
    factor: f32,
    some: NonzeroRows<'_>,
    spare: &mut Vec<f32>,
) {
    run(kernels::RankSome { lines, first, x, n, factor, some, spare });
}

dispatch!(
    /// e^(v − top) of every value.
    exp_below(values: &mut [f32], top: f32)
);
dispatch!(
    /// `values = 1 / (1 + exp(−values))`.
    sigmoid(values: &mut [f32])
);
dispatch!(
    /// `values = tanh(values)`.
    tanh(values: &mut [f32])
);
dispatch!(
    /// `delta *= y (1 − y)`: the slope of the sigmoid, from its outputs.
    sigmoid_slopes(y: &[f32], delta: &mut [f32])
);
dispatch!(
    /// `delta *= 1 − y²`: the slope of tanh, from its outputs.
    tanh_slopes(y: &[f32], delta: &mut [f32])
);
dispatch!(
    /// The patches `first..` of an image, one every `each` values; what is left behind each is filled with ones.
    unfold(image: &[f32], sizes: &Patches, first: usize, each: usize, patches: &mut [f32])
);
dispatch!(
    /// Adds such patches to the image that they are of.
    fold(patches: &[f32], sizes: &Patches, first: usize, each: usize, image: &mut [f32])
);
