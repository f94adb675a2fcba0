//! A matrix times a vector: lines added up, or a dot product per line.

use crate::simd::LANES;

/// `gemv` for the outputs `at..at + W`, kept in registers while the lines stream by.
#[inline(always)]
fn gemv_block<const W: usize>(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32], at: usize) {
    let m = y.len();
    let mut sum = [0.0_f32; W];
    for (&k, &xk) in active.iter().zip(x) {
        let start = k as usize * m + at;
        let line: &[f32; W] = lines[start..start + W].try_into().expect("W values");
        for l in 0..W {
            sum[l] += xk * line[l];
        }
    }
    y[at..at + W].copy_from_slice(&sum);
}

#[inline(always)]
pub(in crate::simd) fn gemv(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32]) {
    let m = y.len();
    let mut at = 0;
    while at + 128 <= m {
        gemv_block::<128>(lines, active, x, y, at);
        at += 128;
    }
    while at + 32 <= m {
        gemv_block::<32>(lines, active, x, y, at);
        at += 32;
    }
    // The remaining outputs, with some before them once more: the same sums again.
    match m - at {
        0 => {}
        _ if m < LANES => gemv_narrow(lines, active, x, y),
        1..=LANES => gemv_block::<LANES>(lines, active, x, y, m - LANES),
        _ if m < 2 * LANES => {
            gemv_block::<LANES>(lines, active, x, y, 0);
            gemv_block::<LANES>(lines, active, x, y, m - LANES);
        }
        _ => gemv_block::<{ 2 * LANES }>(lines, active, x, y, m - 2 * LANES),
    }
}

/// `gemv` for lines shorter than a block: lanes beyond a line are not used.
#[inline(always)]
fn gemv_narrow(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32]) {
    let m = y.len();
    let mut sum = [0.0; LANES];
    for (&k, &xk) in active.iter().zip(x) {
        let line = &lines[k as usize * m..];
        if let Some(line) = line.first_chunk::<LANES>() {
            multiply_add(&mut sum, xk, line);
        } else {
            let mut last = [0.0; LANES];
            last[..m].copy_from_slice(&line[..m]);
            multiply_add(&mut sum, xk, &last);
        }
    }
    y.copy_from_slice(&sum[..m]);
}

#[inline(always)]
pub(super) fn multiply_add<const W: usize>(sum: &mut [f32; W], x: f32, line: &[f32; W]) {
    for l in 0..W {
        sum[l] += x * line[l];
    }
}

/// Sums of blocks of four registers, then [`finish_dot`]: the order of every dot product.
pub(super) const DOT_WIDTH: usize = 4 * LANES;

#[inline(always)]
pub(super) fn add_products(sum: &mut [f32; DOT_WIDTH], a: &[f32; DOT_WIDTH], b: &[f32]) {
    let b: &[f32; DOT_WIDTH] = b.try_into().expect("DOT_WIDTH values");
    for l in 0..DOT_WIDTH {
        sum[l] += a[l] * b[l];
    }
}

#[inline(always)]
pub(super) fn finish_dot(sum: &[f32; DOT_WIDTH], a: &[f32], b: &[f32]) -> f32 {
    let mut narrow = [0.0_f32; LANES];
    for l in 0..LANES {
        narrow[l] = (sum[l] + sum[l + LANES]) + (sum[l + 2 * LANES] + sum[l + 3 * LANES]);
    }
    let (lanes_a, tail_a) = a.as_chunks::<LANES>();
    let (lanes_b, tail_b) = b.as_chunks::<LANES>();
    for (a, b) in lanes_a.iter().zip(lanes_b) {
        for l in 0..LANES {
            narrow[l] += a[l] * b[l];
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            narrow[l] += narrow[l + width];
        }
        width /= 2;
    }
    tail_a.iter().zip(tail_b).fold(narrow[0], |sum, (a, b)| sum + a * b)
}

#[inline(always)]
pub(in crate::simd) fn gemv_t(lines: &[f32], d: &[f32], z: &mut [f32]) {
    let done = d.len() / DOT_WIDTH * DOT_WIDTH;
    for (line, z) in lines.chunks_exact(d.len()).zip(z) {
        let mut sum = [0.0; DOT_WIDTH];
        for (a, b) in line.as_chunks::<DOT_WIDTH>().0.iter().zip(d.chunks_exact(DOT_WIDTH)) {
            add_products(&mut sum, a, b);
        }
        *z = finish_dot(&sum, &line[done..], &d[done..]);
    }
}
