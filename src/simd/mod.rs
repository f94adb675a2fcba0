//! Run-time dispatch of the vector kernels: the only `unsafe` of the crate.
//!
//! Each kernel is written once, over fixed lanes, in plain Rust (`kernels`, `math`); this file
//! compiles it for AVX-512, AVX2 and the target's baseline and picks one when called. No path uses
//! fused multiply-add and every sum has a fixed order, so all paths give the same bits.

#![allow(unsafe_code)]

pub(crate) mod kernels;
pub(crate) mod math;

use std::sync::OnceLock;

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// The target's baseline (SSE2 on x86-64, NEON on AArch64).
    Baseline,
    /// AVX2.
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
}

/// The path in use: the best that the processor has, or a lower one named by the environment
/// variable `TIKITAKA_SIMD` (`baseline`, `avx2`, `avx512`), read once.
pub fn path() -> Path {
    static PATH: OnceLock<Path> = OnceLock::new();
    *PATH.get_or_init(|| {
        let wanted = match std::env::var("TIKITAKA_SIMD").as_deref() {
            Ok("baseline") => Path::Baseline,
            Ok("avx2") => Path::Avx2,
            _ => Path::Avx512,
        };
        wanted.min(best())
    })
}

#[cfg(target_arch = "x86_64")]
fn best() -> Path {
    if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
    {
        Path::Avx512
    } else if is_x86_feature_detected!("avx2") {
        Path::Avx2
    } else {
        Path::Baseline
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn best() -> Path {
    Path::Baseline
}

/// Compiles `kernel` once per path and defines the function that picks one.
macro_rules! dispatch {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) $(-> $out:ty)?) => {
        $(#[$doc])*
        #[inline]
        pub(crate) fn $name($($arg: $ty),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $ty),*) $(-> $out)? { kernels::$name($($arg),*) }
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $ty),*) $(-> $out)? { kernels::$name($($arg),*) }
                match path() {
                    // SAFETY: `path` returns only what the processor was found to have.
                    Path::Avx512 => return unsafe { avx512($($arg),*) },
                    Path::Avx2 => return unsafe { avx2($($arg),*) },
                    Path::Baseline => {}
                }
            }
            kernels::$name($($arg),*)
        }
    };
}

dispatch!(
    /// Random words `start..start + out.len()` of the stream (key, tail).
    words(key: [u32; 2], tail: [u32; 3], start: u64, out: &mut [u32])
);
dispatch!(
    /// Standard normals `start..start + out.len()` of the stream (key, tail).
    normals(key: [u32; 2], tail: [u32; 3], start: u64, out: &mut [f32])
);
dispatch!(
    /// `y = Σ_k x[k] · lines[active[k]]`, lines of `y.len()` values one after another.
    combine(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32])
);
dispatch!(
    /// `z[k] = lines[k] · d` for every line of `d.len()` values.
    project(lines: &[f32], d: &[f32], z: &mut [f32])
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
    /// The largest magnitude; 0 for no values.
    max_abs(values: &[f32]) -> f32
);
dispatch!(
    /// `out[k] = min(gain·|values[k]|, 1) · 2³¹`: the firing threshold of a 31-bit word.
    thresholds(values: &[f32], gain: f32, out: &mut [u32])
);
dispatch!(
    /// The values other than zero and their positions, one after another; returns how many. `at` and
    /// `kept` need one place more than there are such values.
    nonzero(values: &[f32], at: &mut [u32], kept: &mut [f32]) -> usize
);
dispatch!(
    /// The positions of the 31-bit words below their thresholds; returns how many. `at` needs one place
    /// more than there are such words.
    below(words: &[u32], thresholds: &[u32], at: &mut [u32]) -> usize
);
dispatch!(
    /// `values = 1 / (1 + exp(−values))`.
    sigmoid(values: &mut [f32])
);
dispatch!(
    /// `values = tanh(values)`.
    tanh(values: &mut [f32])
);
