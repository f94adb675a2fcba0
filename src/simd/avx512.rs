//! What AVX-512 does with masks of lanes.

use super::lanes::{Isa, LANES, Mask, sealed};
use std::arch::x86_64::{
    __m512, __m512i, _CMP_NEQ_UQ, _MM_HINT_T1, _mm_prefetch, _mm512_castsi512_si256, _mm512_cmp_ps_mask,
    _mm512_cmplt_epu32_mask, _mm512_cvtepu16_epi32, _mm512_fmadd_ps, _mm512_mask_blend_ps, _mm512_mask_storeu_ps,
    _mm512_maskz_compress_epi32, _mm512_maskz_compress_ps, _mm512_maskz_expand_ps, _mm512_maskz_loadu_ps,
    _mm512_max_ps, _mm512_permutex2var_epi16, _mm512_permutex2var_ps, _mm512_setzero_ps, _mm512_srli_epi32,
};
use std::mem::transmute;

/// The lanes of a mask register.
///
/// Only code compiled for AVX-512 may make one: [`run`](super::run) is the only one that names it.
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
    fn transpose(rows: &[[u16; 4]; LANES]) -> [[u32; LANES]; 4] {
        // SAFETY: see [`Avx512`].
        unsafe {
            let rows = transmute::<[[u16; 4]; LANES], [__m512i; 2]>(*rows);
            [words::<0>(rows), words::<1>(rows), words::<2>(rows), words::<3>(rows)]
        }
    }
}

/// Value K of each of sixteen rows of four.
///
/// # Safety
/// The processor has AVX-512.
#[inline(always)]
unsafe fn words<const K: u16>([low, high]: [__m512i; 2]) -> [u32; LANES] {
    let mut at = [0; 2 * LANES];
    at.iter_mut().zip((K..).step_by(4)).take(LANES).for_each(|(at, place)| *at = place);
    // SAFETY: the caller's promise; see [`Avx512`].
    unsafe {
        let at = transmute::<[u16; 2 * LANES], __m512i>(at);
        let words = _mm512_castsi512_si256(_mm512_permutex2var_epi16(low, at, high));
        transmute::<__m512i, [u32; LANES]>(_mm512_cvtepu16_epi32(words))
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
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn multiply_add_block(a: &[f32; LANES], b: &[f32; LANES], c: &[f32; LANES]) -> [f32; LANES] {
        // SAFETY: see [`Avx512`].
        unsafe {
            let [a, b, c] = [a, b, c].map(|values| transmute::<[f32; LANES], __m512>(*values));
            transmute::<__m512, [f32; LANES]>(_mm512_fmadd_ps(a, b, c))
        }
    }

    #[inline(always)]
    fn larger(a: &[f32; LANES], b: &[f32; LANES]) -> [f32; LANES] {
        // SAFETY: see [`Avx512`].
        unsafe {
            let [a, b] = [a, b].map(|values| transmute::<[f32; LANES], __m512>(*values));
            transmute::<__m512, [f32; LANES]>(_mm512_max_ps(a, b))
        }
    }

    #[inline(always)]
    fn load(values: &[f32]) -> [f32; LANES] {
        let mask = ((1_u32 << values.len().min(LANES)) - 1) as u16;
        // SAFETY: see [`Avx512`]; the lanes that are read are values, and the others are not read.
        unsafe { transmute::<__m512, [f32; LANES]>(_mm512_maskz_loadu_ps(mask, values.as_ptr())) }
    }

    #[inline(always)]
    fn store(block: &[f32; LANES], values: &mut [f32]) {
        let mask = ((1_u32 << values.len().min(LANES)) - 1) as u16;
        // SAFETY: see [`Avx512`]; the lanes that are written are values, and the others are not written.
        unsafe { _mm512_mask_storeu_ps(values.as_mut_ptr(), mask, transmute::<[f32; LANES], __m512>(*block)) }
    }

    #[inline(always)]
    fn fetch(values: &[f32], at: usize) {
        // SAFETY: a hint, which reads nothing, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(values.as_ptr().wrapping_add(at).cast()) }
    }

    #[inline(always)]
    fn transpose_block(rows: [[f32; LANES]; LANES]) -> [[f32; LANES]; LANES] {
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
    fn compress(self, values: &[u32; LANES], to: &mut [u32]) {
        // SAFETY: see [`Avx512`].
        let kept = unsafe {
            let values = transmute::<[u32; LANES], __m512i>(*values);
            transmute::<__m512i, [u32; LANES]>(_mm512_maskz_compress_epi32(self.0, values))
        };
        to[..LANES].copy_from_slice(&kept);
    }

    #[inline(always)]
    fn compress_floats(self, values: &[f32; LANES], to: &mut [f32]) {
        // SAFETY: see [`Avx512`].
        let kept = unsafe {
            let values = transmute::<[f32; LANES], __m512>(*values);
            transmute::<__m512, [f32; LANES]>(_mm512_maskz_compress_ps(self.0, values))
        };
        to[..LANES].copy_from_slice(&kept);
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
