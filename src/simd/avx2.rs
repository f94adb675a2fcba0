//! What AVX2 does with masks of lanes: a block is two registers.

use super::lanes::{Isa, LANES, Mask, Portable, sealed};
use std::arch::x86_64::{
    __m256, __m256i, _CMP_NEQ_UQ, _MM_HINT_T1, _mm_prefetch, _mm256_and_si256, _mm256_blendv_ps, _mm256_castsi256_ps,
    _mm256_castsi256_si128, _mm256_cmp_ps, _mm256_cmpeq_epi32, _mm256_cmpgt_epi32, _mm256_cvtepu16_epi32,
    _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_max_ps, _mm256_movemask_ps, _mm256_permute2f128_ps,
    _mm256_permute2x128_si256, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32, _mm256_permutevar8x32_ps,
    _mm256_set1_epi32, _mm256_setzero_ps, _mm256_shuffle_epi8, _mm256_shuffle_ps, _mm256_srli_epi32,
    _mm256_unpackhi_epi32, _mm256_unpackhi_ps, _mm256_unpacklo_epi32, _mm256_unpacklo_ps, _mm256_xor_si256,
};
use std::mem::transmute;

/// Lanes as bits.
///
/// Only code compiled for AVX2 may make one: [`run`](super::run) and `dispatch` are the only ones that name it.
///
/// Every intrinsic here needs no more than that the processor has it, and none takes a pointer. An array and a vector of
/// the same numbers have the same size and bits, any of which are a value of either.
#[derive(Clone, Copy)]
pub(super) struct Avx2(u16);

/// Lanes of a register.
const HALF: usize = LANES / 2;

type Pair = [__m256; 2];
type PairOfIntegers = [__m256i; 2];

/// Of each mask of half a block: the lanes that it has, one after another.
const COMPRESS: [[u32; HALF]; 256] = table(false);

/// Of each mask of half a block: how many lanes it has before each.
const EXPAND: [[u32; HALF]; 256] = table(true);

const fn table(expand: bool) -> [[u32; HALF]; 256] {
    let mut all = [[0; HALF]; 256];
    let mut bits = 0;
    while bits < all.len() {
        let (mut l, mut n) = (0, 0);
        while l < HALF {
            if expand {
                all[bits][l] = n;
            }
            if (bits >> l) & 1 == 1 {
                if !expand {
                    all[bits][n as usize] = l as u32;
                }
                n += 1;
            }
            l += 1;
        }
        bits += 1;
    }
    all
}

impl Avx2 {
    #[inline(always)]
    fn halves(self) -> [usize; 2] {
        [usize::from(self.0 & 0xFF), usize::from(self.0 >> 8)]
    }

    /// Ones in these lanes of a half, zeros in the others.
    #[inline(always)]
    fn lanes(half: usize) -> __m256 {
        // SAFETY: see [`Avx2`].
        unsafe {
            let each = transmute::<[i32; HALF], __m256i>([1, 2, 4, 8, 16, 32, 64, 128]);
            let set = _mm256_and_si256(_mm256_set1_epi32(half as i32), each);
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, each))
        }
    }
}

impl sealed::Sealed for Avx2 {}

impl Mask for Avx2 {
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
        let [low, high] = self.halves();
        // SAFETY: see [`Avx2`].
        unsafe {
            let (a, b) = (transmute::<[f32; LANES], Pair>(*a), transmute::<[f32; LANES], Pair>(*b));
            transmute::<Pair, [f32; LANES]>([
                _mm256_blendv_ps(b[0], a[0], Self::lanes(low)),
                _mm256_blendv_ps(b[1], a[1], Self::lanes(high)),
            ])
        }
    }

    #[inline(always)]
    fn transpose(rows: &[[u16; 4]; LANES]) -> [[u32; LANES]; 4] {
        // SAFETY: see [`Avx2`].
        unsafe {
            let [a, b, c, d] = transmute::<[[u16; 4]; LANES], [__m256i; 4]>(*rows);
            let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (transpose_words(a, b), transpose_words(c, d));
            transmute::<[PairOfIntegers; 4], [[u32; LANES]; 4]>([[a0, b0], [a1, b1], [a2, b2], [a3, b3]])
        }
    }
}

/// Lane l of output k is value k of row l of eight.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn transpose_words(a: __m256i, b: __m256i) -> [__m256i; 4] {
    /// Values k of the two rows of half a register one after the other.
    const PAIRS: [u8; 32] =
        [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15, 0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15];
    // SAFETY: the caller's promise; see [`Avx2`].
    unsafe {
        let pairs = transmute::<[u8; 32], __m256i>(PAIRS);
        // Rows 0, 1, 4 and 5, and the others.
        let even = _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x20>(a, b), pairs);
        let odd = _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x31>(a, b), pairs);
        let values01 = _mm256_permute4x64_epi64::<0xD8>(_mm256_unpacklo_epi32(even, odd));
        let values23 = _mm256_permute4x64_epi64::<0xD8>(_mm256_unpackhi_epi32(even, odd));
        [
            _mm256_cvtepu16_epi32(_mm256_castsi256_si128(values01)),
            _mm256_cvtepu16_epi32(_mm256_extracti128_si256::<1>(values01)),
            _mm256_cvtepu16_epi32(_mm256_castsi256_si128(values23)),
            _mm256_cvtepu16_epi32(_mm256_extracti128_si256::<1>(values23)),
        ]
    }
}

/// Lane l of output k is lane k of `rows[l]`.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn transpose_eight(r: [__m256; HALF]) -> [__m256; HALF] {
    // SAFETY: the caller's promise.
    unsafe {
        let [a0, a1, a2, a3] = transpose_four([r[0], r[1], r[2], r[3]]);
        let [b0, b1, b2, b3] = transpose_four([r[4], r[5], r[6], r[7]]);
        [
            _mm256_permute2f128_ps::<0x20>(a0, b0),
            _mm256_permute2f128_ps::<0x20>(a1, b1),
            _mm256_permute2f128_ps::<0x20>(a2, b2),
            _mm256_permute2f128_ps::<0x20>(a3, b3),
            _mm256_permute2f128_ps::<0x31>(a0, b0),
            _mm256_permute2f128_ps::<0x31>(a1, b1),
            _mm256_permute2f128_ps::<0x31>(a2, b2),
            _mm256_permute2f128_ps::<0x31>(a3, b3),
        ]
    }
}

/// The same for four lanes of four rows, in each half of a register.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn transpose_four([a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let (ab01, ab23) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (cd01, cd23) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        [
            _mm256_shuffle_ps::<0x44>(ab01, cd01),
            _mm256_shuffle_ps::<0xEE>(ab01, cd01),
            _mm256_shuffle_ps::<0x44>(ab23, cd23),
            _mm256_shuffle_ps::<0xEE>(ab23, cd23),
        ]
    }
}

/// The first of some values one after another in these lanes of a half, 0 in the others.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn expand_half(values: [f32; HALF], bits: usize) -> __m256 {
    // SAFETY: the caller's promise; see [`Avx2`].
    unsafe {
        let at = transmute::<[u32; HALF], __m256i>(EXPAND[bits]);
        let spread = _mm256_permutevar8x32_ps(transmute::<[f32; HALF], __m256>(values), at);
        _mm256_blendv_ps(_mm256_setzero_ps(), spread, Avx2::lanes(bits))
    }
}

/// The values of these lanes of a half one after another.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn compress_half(values: __m256i, bits: usize) -> [u32; HALF] {
    // SAFETY: the caller's promise; see [`Avx2`].
    unsafe {
        let at = transmute::<[u32; HALF], __m256i>(COMPRESS[bits]);
        transmute::<__m256i, [u32; HALF]>(_mm256_permutevar8x32_epi32(values, at))
    }
}

/// Bit l where lane l is not zero.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn nonzero_half(values: __m256) -> u16 {
    // SAFETY: the caller's promise.
    unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(values, _mm256_setzero_ps())) as u16 }
}

/// Bit l where the upper 31 bits of word l are below the threshold.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn below_half(words: __m256i, thresholds: __m256i) -> u16 {
    // SAFETY: the caller's promise.
    unsafe {
        // Comparisons are signed: with the first bit turned, their order is that of unsigned numbers.
        let sign = _mm256_set1_epi32(i32::MIN);
        let words = _mm256_xor_si256(_mm256_srli_epi32::<1>(words), sign);
        let below = _mm256_cmpgt_epi32(_mm256_xor_si256(thresholds, sign), words);
        _mm256_movemask_ps(_mm256_castsi256_ps(below)) as u16
    }
}

impl Isa for Avx2 {
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn multiply_add_block(a: &[f32; LANES], b: &[f32; LANES], c: &[f32; LANES]) -> [f32; LANES] {
        // SAFETY: see [`Avx2`]; every processor that this path is for has FMA as well.
        unsafe {
            let [a, b, c] = [a, b, c].map(|values| transmute::<[f32; LANES], Pair>(*values));
            transmute::<Pair, [f32; LANES]>([_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])])
        }
    }

    #[inline(always)]
    fn larger(a: &[f32; LANES], b: &[f32; LANES]) -> [f32; LANES] {
        // SAFETY: see [`Avx2`].
        unsafe {
            let [a, b] = [a, b].map(|values| transmute::<[f32; LANES], Pair>(*values));
            transmute::<Pair, [f32; LANES]>([_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])])
        }
    }

    #[inline(always)]
    fn load(values: &[f32]) -> [f32; LANES] {
        Portable::<true>::load(values)
    }

    #[inline(always)]
    fn store(block: &[f32; LANES], values: &mut [f32]) {
        Portable::<true>::store(block, values);
    }

    #[inline(always)]
    fn fetch(values: &[f32], at: usize) {
        // SAFETY: a hint, which reads nothing, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(values.as_ptr().wrapping_add(at).cast()) }
    }

    #[inline(always)]
    fn transpose_block(rows: [[f32; LANES]; LANES]) -> [[f32; LANES]; LANES] {
        let mut out = [[[0.0; HALF]; 2]; LANES];
        for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            // SAFETY: see [`Avx2`].
            unsafe {
                let mut square = [_mm256_setzero_ps(); HALF];
                for (l, row) in square.iter_mut().enumerate() {
                    *row = transmute::<[f32; LANES], Pair>(rows[from * HALF + l])[to];
                }
                for (k, column) in transpose_eight(square).into_iter().enumerate() {
                    out[to * HALF + k][from] = transmute::<__m256, [f32; HALF]>(column);
                }
            }
        }
        // SAFETY: the same numbers in the same order.
        unsafe { transmute::<[[[f32; HALF]; 2]; LANES], [[f32; LANES]; LANES]>(out) }
    }

    #[inline(always)]
    fn expand(self, values: &[f32]) -> [f32; LANES] {
        let values: &[f32; LANES] = values.first_chunk().expect("a block");
        let [low, high] = self.halves();
        let first: [f32; HALF] = values[..HALF].try_into().expect("half a block");
        let second: [f32; HALF] = values[low.count_ones() as usize..][..HALF].try_into().expect("half a block");
        // SAFETY: see [`Avx2`].
        unsafe { transmute::<Pair, [f32; LANES]>([expand_half(first, low), expand_half(second, high)]) }
    }

    #[inline(always)]
    fn compress(self, values: &[u32; LANES], to: &mut [u32]) {
        let [low, high] = self.halves();
        let to = &mut to[..LANES];
        // Stored half by half: to load what two stores have written together takes a dozen cycles.
        // SAFETY: see [`Avx2`].
        unsafe {
            let values = transmute::<[u32; LANES], PairOfIntegers>(*values);
            to[..HALF].copy_from_slice(&compress_half(values[0], low));
            to[low.count_ones() as usize..][..HALF].copy_from_slice(&compress_half(values[1], high));
        }
    }

    #[inline(always)]
    fn compress_floats(self, values: &[f32; LANES], to: &mut [f32]) {
        let [low, high] = self.halves();
        let to = &mut to[..LANES];
        // SAFETY: see [`Avx2`].
        unsafe {
            let values = transmute::<[f32; LANES], PairOfIntegers>(*values);
            to[..HALF].copy_from_slice(&transmute::<[u32; HALF], [f32; HALF]>(compress_half(values[0], low)));
            let high = transmute::<[u32; HALF], [f32; HALF]>(compress_half(values[1], high));
            to[low.count_ones() as usize..][..HALF].copy_from_slice(&high);
        }
    }

    #[inline(always)]
    fn nonzero(values: &[f32; LANES]) -> Self {
        // SAFETY: see [`Avx2`].
        unsafe {
            let [low, high] = transmute::<[f32; LANES], Pair>(*values);
            Self(nonzero_half(low) | (nonzero_half(high) << HALF))
        }
    }

    #[inline(always)]
    fn below(words: &[u32; LANES], thresholds: &[u32; LANES]) -> Self {
        // SAFETY: see [`Avx2`].
        unsafe {
            let words = transmute::<[u32; LANES], PairOfIntegers>(*words);
            let thresholds = transmute::<[u32; LANES], PairOfIntegers>(*thresholds);
            Self(below_half(words[0], thresholds[0]) | (below_half(words[1], thresholds[1]) << HALF))
        }
    }
}
