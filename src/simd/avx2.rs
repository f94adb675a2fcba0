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
        /// Values k of the two rows of half a register one after the other.
        const PAIRS: [u8; 32] = [
            0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15, 0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15,
        ];
        // SAFETY: see [`Avx2`].
        unsafe {
            let [a, b, c, d] = transmute::<[[u16; 4]; LANES], [__m256i; 4]>(*rows);
            let pairs = transmute::<[u8; 32], __m256i>(PAIRS);
            let half = |a: __m256i, b: __m256i| {
                // Rows 0, 1, 4 and 5 of eight, and the others.
                let even = _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x20>(a, b), pairs);
                let odd = _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x31>(a, b), pairs);
                let values01 = _mm256_permute4x64_epi64::<0xD8>(_mm256_unpacklo_epi32(even, odd));
                let values23 = _mm256_permute4x64_epi64::<0xD8>(_mm256_unpackhi_epi32(even, odd));
                let low = |values| _mm256_cvtepu16_epi32(_mm256_castsi256_si128(values));
                let high = |values| _mm256_cvtepu16_epi32(_mm256_extracti128_si256::<1>(values));
                [low(values01), high(values01), low(values23), high(values23)]
            };
            let (low, high) = (half(a, b), half(c, d));
            let values = |k: usize| transmute::<PairOfIntegers, [u32; LANES]>([low[k], high[k]]);
            [values(0), values(1), values(2), values(3)]
        }
    }
}

/// Lane l of output k is lane k of `rows[l]`.
#[inline(always)]
fn transpose_eight(r: [__m256; HALF]) -> [__m256; HALF] {
    // SAFETY: see [`Avx2`].
    unsafe {
        let low = |k: usize| _mm256_unpacklo_ps(r[k], r[k + 1]);
        let high = |k: usize| _mm256_unpackhi_ps(r[k], r[k + 1]);
        let (l0, l2, l4, l6) = (low(0), low(2), low(4), low(6));
        let (h0, h2, h4, h6) = (high(0), high(2), high(4), high(6));
        let (a0, a1) = (_mm256_shuffle_ps::<0x44>(l0, l2), _mm256_shuffle_ps::<0xEE>(l0, l2));
        let (a2, a3) = (_mm256_shuffle_ps::<0x44>(h0, h2), _mm256_shuffle_ps::<0xEE>(h0, h2));
        let (b0, b1) = (_mm256_shuffle_ps::<0x44>(l4, l6), _mm256_shuffle_ps::<0xEE>(l4, l6));
        let (b2, b3) = (_mm256_shuffle_ps::<0x44>(h4, h6), _mm256_shuffle_ps::<0xEE>(h4, h6));
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
        unsafe {
            let half = |values: [f32; HALF], bits: usize| {
                let at = transmute::<[u32; HALF], __m256i>(EXPAND[bits]);
                let spread = _mm256_permutevar8x32_ps(transmute::<[f32; HALF], __m256>(values), at);
                _mm256_blendv_ps(_mm256_setzero_ps(), spread, Self::lanes(bits))
            };
            transmute::<Pair, [f32; LANES]>([half(first, low), half(second, high)])
        }
    }

    #[inline(always)]
    fn compress(self, values: &[u32; LANES]) -> [u32; LANES] {
        let [low, high] = self.halves();
        let mut out = [0; LANES];
        // SAFETY: see [`Avx2`].
        unsafe {
            let values = transmute::<[u32; LANES], PairOfIntegers>(*values);
            let half = |values: __m256i, bits: usize| {
                let at = transmute::<[u32; HALF], __m256i>(COMPRESS[bits]);
                transmute::<__m256i, [u32; HALF]>(_mm256_permutevar8x32_epi32(values, at))
            };
            out[..HALF].copy_from_slice(&half(values[0], low));
            out[low.count_ones() as usize..][..HALF].copy_from_slice(&half(values[1], high));
        }
        out
    }

    #[inline(always)]
    fn nonzero(values: &[f32; LANES]) -> Self {
        // SAFETY: see [`Avx2`].
        unsafe {
            let [low, high] = transmute::<[f32; LANES], Pair>(*values)
                .map(|half| _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(half, _mm256_setzero_ps())));
            Self(low as u16 | ((high as u16) << HALF))
        }
    }

    #[inline(always)]
    fn below(words: &[u32; LANES], thresholds: &[u32; LANES]) -> Self {
        // SAFETY: see [`Avx2`].
        unsafe {
            let words = transmute::<[u32; LANES], PairOfIntegers>(*words);
            let thresholds = transmute::<[u32; LANES], PairOfIntegers>(*thresholds);
            // Comparisons are signed: with the first bit turned, their order is that of unsigned numbers.
            let sign = _mm256_set1_epi32(i32::MIN);
            let half = |k: usize| {
                let word = _mm256_xor_si256(_mm256_srli_epi32::<1>(words[k]), sign);
                let below = _mm256_cmpgt_epi32(_mm256_xor_si256(thresholds[k], sign), word);
                _mm256_movemask_ps(_mm256_castsi256_ps(below))
            };
            Self(half(0) as u16 | ((half(1) as u16) << HALF))
        }
    }
}
