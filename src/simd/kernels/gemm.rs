//! A matrix times several vectors at once, to the bits of [`gemv`](super::gemv) and [`gemv_t`](super::gemv_t).

use super::gemv::{DOT_WIDTH, add_products, finish_dot, multiply_add};
use crate::simd::{GEMM_VECTORS, LANES};

/// Defines `gemm` for blocks of outputs from `at` on. Sums have a name each, so that they stay in
/// registers: four for each block, one of each vector.
macro_rules! gemm_blocks {
    ($name:ident: $([$s0:ident $s1:ident $s2:ident $s3:ident])+) => {
        #[inline(always)]
        fn $name(lines: &[f32], x: [&[f32]; GEMM_VECTORS], y: &mut [f32], at: usize) {
            let m = y.len() / GEMM_VECTORS;
            let n = lines.len() / m;
            let [x0, x1, x2, x3] = x.map(|x| &x[..n]);
            $(let (mut $s0, mut $s1, mut $s2, mut $s3) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);)+
            for (k, line) in lines.chunks_exact(m).enumerate() {
                let mut blocks = line[at..].as_chunks::<LANES>().0.iter();
                $(
                    let block = blocks.next().expect("a block");
                    multiply_add(&mut $s0, x0[k], block);
                    multiply_add(&mut $s1, x1[k], block);
                    multiply_add(&mut $s2, x2[k], block);
                    multiply_add(&mut $s3, x3[k], block);
                )+
            }
            let mut at = at;
            $(
                y[at..][..LANES].copy_from_slice(&$s0);
                y[m + at..][..LANES].copy_from_slice(&$s1);
                y[2 * m + at..][..LANES].copy_from_slice(&$s2);
                y[3 * m + at..][..LANES].copy_from_slice(&$s3);
                at += LANES;
            )+
            let _ = at;
        }
    };
}

gemm_blocks!(gemm_block: [a0 a1 a2 a3]);
gemm_blocks!(gemm_two_blocks: [a0 a1 a2 a3] [b0 b1 b2 b3]);
gemm_blocks!(gemm_four_blocks: [a0 a1 a2 a3] [b0 b1 b2 b3] [c0 c1 c2 c3] [d0 d1 d2 d3]);

/// `gemm` for lines shorter than a block, as in [`gemv_narrow`].
#[inline(always)]
fn gemm_narrow(lines: &[f32], x: [&[f32]; GEMM_VECTORS], y: &mut [f32]) {
    let m = y.len() / GEMM_VECTORS;
    let n = lines.len() / m;
    let [x0, x1, x2, x3] = x.map(|x| &x[..n]);
    let (mut s0, mut s1, mut s2, mut s3) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for k in 0..n {
        let mut last = [0.0; LANES];
        let line = lines[k * m..].first_chunk::<LANES>().unwrap_or_else(|| {
            last[..m].copy_from_slice(&lines[k * m..][..m]);
            &last
        });
        multiply_add(&mut s0, x0[k], line);
        multiply_add(&mut s1, x1[k], line);
        multiply_add(&mut s2, x2[k], line);
        multiply_add(&mut s3, x3[k], line);
    }
    for (y, sum) in y.chunks_exact_mut(m).zip([s0, s1, s2, s3]) {
        y.copy_from_slice(&sum[..m]);
    }
}

#[inline(always)]
pub(in crate::simd) fn gemm(lines: &[f32], x: [&[f32]; GEMM_VECTORS], y: &mut [f32]) {
    let m = y.len() / GEMM_VECTORS;
    if m < LANES {
        return gemm_narrow(lines, x, y);
    }
    let mut at = 0;
    while at + 64 <= m {
        gemm_four_blocks(lines, x, y, at);
        at += 64;
    }
    while at + 32 <= m {
        gemm_two_blocks(lines, x, y, at);
        at += 32;
    }
    while at < m {
        // The last one computes some outputs before it once more: the same sums again.
        gemm_block(lines, x, y, at.min(m - LANES));
        at += LANES;
    }
}

#[inline(always)]
pub(in crate::simd) fn gemm_t(lines: &[f32], d: [&[f32]; GEMM_VECTORS], z: &mut [f32]) {
    let (n, m) = (z.len() / GEMM_VECTORS, d[0].len());
    let [d0, d1, d2, d3] = d.map(|d| &d[..m]);
    let done = m / DOT_WIDTH * DOT_WIDTH;
    for (k, line) in lines.chunks_exact(m).enumerate() {
        // One by one, so that each sum stays in registers.
        let (mut s0, mut s1, mut s2, mut s3) = ([0.0; DOT_WIDTH], [0.0; DOT_WIDTH], [0.0; DOT_WIDTH], [0.0; DOT_WIDTH]);
        for (c, a) in line.as_chunks::<DOT_WIDTH>().0.iter().enumerate() {
            let at = c * DOT_WIDTH..(c + 1) * DOT_WIDTH;
            add_products(&mut s0, a, &d0[at.clone()]);
            add_products(&mut s1, a, &d1[at.clone()]);
            add_products(&mut s2, a, &d2[at.clone()]);
            add_products(&mut s3, a, &d3[at]);
        }
        let tail = &line[done..];
        z[k] = finish_dot(&s0, tail, &d0[done..]);
        z[n + k] = finish_dot(&s1, tail, &d1[done..]);
        z[2 * n + k] = finish_dot(&s2, tail, &d2[done..]);
        z[3 * n + k] = finish_dot(&s3, tail, &d3[done..]);
    }
}
