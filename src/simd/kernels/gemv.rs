//! A matrix times a vector: lines added up, or a dot product per line.

use crate::simd::{Isa, LANES};

/// `gemv` for the outputs `at..at + W`, kept in registers while the lines stream by.
#[inline(always)]
fn gemv_block<M: Isa, const W: usize>(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32], at: usize) {
    let m = y.len();
    let mut sum = [0.0_f32; W];
    for (&k, &xk) in active.iter().zip(x) {
        let start = k as usize * m + at;
        multiply_add::<M, W>(&mut sum, xk, lines[start..start + W].try_into().expect("W values"));
    }
    y[at..at + W].copy_from_slice(&sum);
}

#[inline(always)]
pub(in crate::simd) fn gemv<M: Isa>(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32]) {
    let m = y.len();
    let mut at = 0;
    while M::MANY_REGISTERS && at + 128 <= m {
        gemv_block::<M, 128>(lines, active, x, y, at);
        at += 128;
    }
    while at + 64 <= m {
        gemv_block::<M, 64>(lines, active, x, y, at);
        at += 64;
    }
    while at + 32 <= m {
        gemv_block::<M, 32>(lines, active, x, y, at);
        at += 32;
    }
    // The remaining outputs, with some before them once more: the same sums again.
    match m - at {
        0 => {}
        _ if m < LANES => gemv_narrow::<M>(lines, active, x, y),
        1..=LANES => gemv_block::<M, LANES>(lines, active, x, y, m - LANES),
        _ if m < 2 * LANES => {
            gemv_block::<M, LANES>(lines, active, x, y, 0);
            gemv_block::<M, LANES>(lines, active, x, y, m - LANES);
        }
        _ => gemv_block::<M, { 2 * LANES }>(lines, active, x, y, m - 2 * LANES),
    }
}

/// `gemv` for lines shorter than a block: lanes beyond a line are not used.
#[inline(always)]
fn gemv_narrow<M: Isa>(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32]) {
    let m = y.len();
    let mut sum = [0.0; LANES];
    for (&k, &xk) in active.iter().zip(x) {
        multiply_add::<M, LANES>(&mut sum, xk, &block(&lines[k as usize * m..], m));
    }
    y.copy_from_slice(&sum[..m]);
}

#[inline(always)]
pub(in crate::simd) fn gemv_at<M: Isa>(lines: &[f32], m: usize, x: &[f32], positions: &[u32], y: &mut [f32]) {
    y.fill(0.0);
    for (line, x) in lines.chunks_exact(m).zip(x).filter(|(_, x)| **x != 0.0) {
        for (sum, &i) in y.iter_mut().zip(positions) {
            *sum = M::multiply_add(*x, line[i as usize], *sum);
        }
    }
}

/// The first block of values; where there are fewer than LANES, the first `count` of them.
#[inline(always)]
pub(super) fn block(values: &[f32], count: usize) -> [f32; LANES] {
    values.first_chunk().copied().unwrap_or_else(|| {
        let mut block = [0.0; LANES];
        block[..count].copy_from_slice(&values[..count]);
        block
    })
}

/// `sum += x · line`, for whole blocks.
#[inline(always)]
pub(super) fn multiply_add<M: Isa, const W: usize>(sum: &mut [f32; W], x: f32, line: &[f32; W]) {
    const { assert!(W.is_multiple_of(LANES)) }
    for (sum, line) in sum.as_chunks_mut().0.iter_mut().zip(line.as_chunks().0) {
        *sum = M::multiply_add_block(&[x; LANES], line, sum);
    }
}

/// The sum of the lanes, by halves: after lane l of all blocks was added up, the last step of every dot product.
#[inline(always)]
pub(super) fn sum_lanes(mut sum: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            sum[l] += sum[l + width];
        }
        width /= 2;
    }
    sum[0]
}
