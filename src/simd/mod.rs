//! Run-time dispatch of the vector kernels: the only `unsafe` of the crate, here and in `avx2` and `avx512`.
//!
//! Each kernel is written once, over fixed lanes, in plain Rust (`kernels`, `math`); this file
//! compiles it for AVX-512, AVX2 and the target's baseline and picks one when called. What plain Rust
//! cannot say (`lanes`) has a form of its own in `avx2` and `avx512`. Every path rounds a multiply-add once (`fused`
//! does it where the processor cannot) and every sum has a fixed order, so all paths give the same bits.

#![allow(unsafe_code)]

pub(crate) mod aligned;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod fused;
pub(crate) mod kernels;
mod lanes;
pub(crate) mod math;
mod patches;
mod path;
pub(crate) mod plain;

pub(crate) use kernels::{Below, MaxAbs, Nonzero, Numbers, Scattered, ScatteredNumbers, thresholds};
use lanes::Portable;
pub(crate) use lanes::{Isa, unrolled};
pub use lanes::{LANES, Mask};
pub(crate) use patches::Patches;
pub use path::{Path, available, check, path};

/// What the target's baseline does with lanes: AArch64 has fused multiply-add.
type Baseline = Portable<{ cfg!(target_arch = "aarch64") }>;

/// Compiles each kernel once per path and defines the function that picks one; `<M>` for kernels that depend on the path.
macro_rules! dispatch {
    ($($(#[$doc:meta])* $name:ident $(<$isa:ident>)? ($($arg:ident: $ty:ty),*) $(-> $out:ty)?;)+) => {$(
        $(#[$doc])*
        #[inline]
        pub(crate) fn $name($($arg: $ty),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "popcnt,fma,avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $ty),*) $(-> $out)? {
                    $(type $isa = avx512::Avx512;)?
                    kernels::$name $(::<$isa>)? ($($arg),*)
                }
                #[target_feature(enable = "popcnt,fma,avx2")]
                fn avx2($($arg: $ty),*) $(-> $out)? {
                    $(type $isa = avx2::Avx2;)?
                    kernels::$name $(::<$isa>)? ($($arg),*)
                }
                match path() {
                    // SAFETY: `path` returns only what the processor was found to have.
                    Path::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: likewise.
                    Path::Avx2 => return unsafe { avx2($($arg),*) },
                    Path::Baseline => {}
                }
            }
            $(type $isa = Baseline;)?
            kernels::$name $(::<$isa>)? ($($arg),*)
        }
    )+};
}

/// The values other than zero of rows, one row after another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NonzeroRows<'a> {
    /// Where each row starts in `at` and `values`; one more entry than rows.
    pub(crate) starts: &'a [usize],
    /// Positions in the row.
    pub(crate) at: &'a [u32],
    pub(crate) values: &'a [f32],
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
        #[target_feature(enable = "popcnt,fma,avx512f,avx512bw,avx512dq,avx512vl")]
        fn with_avx512<K: Kernel>(kernel: K) -> K::Out {
            kernel.run::<avx512::Avx512>()
        }
        #[target_feature(enable = "popcnt,fma,avx2")]
        fn with_avx2<K: Kernel>(kernel: K) -> K::Out {
            kernel.run::<avx2::Avx2>()
        }
        match path() {
            // SAFETY: `path` returns only what the processor was found to have.
            Path::Avx512 => return unsafe { with_avx512(kernel) },
            // SAFETY: likewise.
            Path::Avx2 => return unsafe { with_avx2(kernel) },
            Path::Baseline => {}
        }
    }
    kernel.run::<Baseline>()
}

dispatch! {
    /// `y = Σ_k x[k] · lines[active[k]]`, lines of `y.len()` values one after another.
    gemv<M>(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32]);
    /// The outputs at `positions` of the products of all lines of `m` values with x, to the bits of [`gemv`].
    gemv_at<M>(lines: &[f32], m: usize, x: &[f32], positions: &[u32], y: &mut [f32]);
    /// `lines[active[k]] += x[k] · d`.
    ger<M>(lines: &mut [f32], active: &[u32], x: &[f32], d: &[f32]);
    /// `values += scale · noise`.
    add_scaled<M>(values: &mut [f32], scale: f32, noise: &[f32]);
    /// `values += scale · by`; whether a magnitude has reached 1.
    accumulate<M>(values: &mut [f32], scale: f32, by: &[f32]) -> bool;
    /// Whether no value is infinite or NaN.
    all_finite(values: &[f32]) -> bool;
    /// How many values are not zero.
    count_nonzero(values: &[f32]) -> usize;
    /// The largest value of each channel in each window of an image, and where it is; of equal ones the first.
    /// `sizes`: channels, width, kernel, step, windows in a row.
    max_pool(image: &[f32], sizes: [usize; 5], y: &mut [f32], argmax: &mut [u32]);
    /// e^(v − top) of every value.
    exp_below<M>(values: &mut [f32], top: f32);
    /// `values = ln(values)`, for positive normal numbers.
    ln<M>(values: &mut [f32]);
    /// `values = 1 / (1 + exp(−values))`.
    sigmoid<M>(values: &mut [f32]);
    /// `values = tanh(values)`.
    tanh<M>(values: &mut [f32]);
    /// `delta *= y (1 − y)`: the slope of the sigmoid, from its outputs.
    sigmoid_slopes(y: &[f32], delta: &mut [f32]);
    /// `delta *= 1 − y²`: the slope of tanh, from its outputs.
    tanh_slopes(y: &[f32], delta: &mut [f32]);
    /// The patches `first..` of an image, one every `each` values; the rest of those values is filled with ones.
    im2col(image: &[f32], sizes: &Patches, first: usize, each: usize, patches: &mut [f32]);
    /// Adds such patches to their image.
    col2im(patches: &[f32], sizes: &Patches, first: usize, each: usize, image: &mut [f32]);
}

/// The largest magnitude; 0 for no values.
pub(crate) fn max_abs(values: &[f32]) -> f32 {
    run(kernels::MaxAbs(values))
}

/// Transposes lines of `width` values into rows.
pub(crate) fn transpose(lines: &[f32], width: usize, rows: &mut [f32]) {
    run(kernels::Transpose { lines, width, rows });
}

/// Y = X Wᵀ for vectors of `n` values, to the bits of [`gemv`], outputs one vector after another: the products with `n`
/// lines. `spare` is overwritten.
pub(crate) fn gemm(lines: &[f32], n: usize, x: &[f32], y: &mut [f32], spare: &mut Vec<f32>) {
    run(kernels::Gemm { lines, n, x, y, spare });
}

/// Z = D W: the dot product of every line of `m` values with every vector, one vector after another. Each vector is filled
/// up with zeros to whole blocks.
pub(crate) fn dots(lines: &[f32], m: usize, d: &[f32], z: &mut [f32]) {
    run(kernels::Dots { lines, m, d, z });
}

/// [`ger`] of x and factor·d of every vector of a batch in turn, to the same bits: line k of `lines`, which are those from
/// `first` on, gains x[first + k]·(factor·d) of each, of `n` values x and `m` values d. `spare` is overwritten.
#[allow(clippy::too_many_arguments)]
pub(crate) fn ger_batch(
    lines: &mut [f32],
    first: usize,
    x: &[f32],
    n: usize,
    factor: f32,
    d: &[f32],
    m: usize,
    spare: &mut Vec<f32>,
) {
    run(kernels::GerBatch { lines, first, x, n, factor, d, m, spare });
}

/// [`ger_batch`] of vectors x, which are finite, to the same bits, from the values factor·d that are not zero: `rows` has
/// them, a row for each output. `spare` is overwritten.
pub(crate) fn ger_sparse(
    lines: &mut [f32],
    first: usize,
    x: &[f32],
    n: usize,
    rows: NonzeroRows<'_>,
    spare: &mut Vec<f32>,
) {
    run(kernels::GerSparse { lines, first, x, n, rows, spare });
}
