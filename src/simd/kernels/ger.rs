//! Rank-one updates: of one vector pair, or of a batch in turn.

use super::gemv::multiply_add;
use crate::simd::LANES;

#[inline(always)]
pub(in crate::simd) fn ger(lines: &mut [f32], active: &[u32], x: &[f32], d: &[f32]) {
    let m = d.len();
    for (&k, &xk) in active.iter().zip(x) {
        let start = k as usize * m;
        for (w, d) in lines[start..start + m].iter_mut().zip(d) {
            *w += xk * d;
        }
    }
}

/// `ger_batch` for a block of outputs of the lines `k..k + 8`, kept in registers while the vectors go by.
#[inline(always)]
fn ger_block(lines: &mut [f32], x: &[f32], [n, first, m]: [usize; 3], d: &[f32], k: usize, at: usize) {
    let block = |l: usize| (k + l) * m + at..(k + l) * m + at + LANES;
    let load = |lines: &[f32], l: usize| -> [f32; LANES] { lines[block(l)].try_into().expect("a block") };
    // One by one, so that each sum stays in a register.
    let (mut s0, mut s1, mut s2, mut s3) = (load(lines, 0), load(lines, 1), load(lines, 2), load(lines, 3));
    let (mut s4, mut s5, mut s6, mut s7) = (load(lines, 4), load(lines, 5), load(lines, 6), load(lines, 7));
    for (x, d) in x.chunks_exact(n).zip(d.chunks_exact(m)) {
        let d: &[f32; LANES] = d[at..at + LANES].try_into().expect("a block");
        let &[x0, x1, x2, x3, x4, x5, x6, x7] = x[first + k..].first_chunk().expect("8 values");
        multiply_add(&mut s0, x0, d);
        multiply_add(&mut s1, x1, d);
        multiply_add(&mut s2, x2, d);
        multiply_add(&mut s3, x3, d);
        multiply_add(&mut s4, x4, d);
        multiply_add(&mut s5, x5, d);
        multiply_add(&mut s6, x6, d);
        multiply_add(&mut s7, x7, d);
    }
    lines[block(0)].copy_from_slice(&s0);
    lines[block(1)].copy_from_slice(&s1);
    lines[block(2)].copy_from_slice(&s2);
    lines[block(3)].copy_from_slice(&s3);
    lines[block(4)].copy_from_slice(&s4);
    lines[block(5)].copy_from_slice(&s5);
    lines[block(6)].copy_from_slice(&s6);
    lines[block(7)].copy_from_slice(&s7);
}

/// The same for `W` outputs of the line `k` alone.
#[inline(always)]
fn ger_line<const W: usize>(line: &mut [f32], x: &[f32], n: usize, d: &[f32], k: usize, at: usize) {
    let m = line.len();
    let mut sum: [f32; W] = line[at..at + W].try_into().expect("W values");
    for (x, d) in x.chunks_exact(n).zip(d.chunks_exact(m)) {
        multiply_add(&mut sum, x[k], d[at..at + W].try_into().expect("W values"));
    }
    line[at..at + W].copy_from_slice(&sum);
}

#[inline(always)]
pub(in crate::simd) fn ger_batch(lines: &mut [f32], first: usize, x: &[f32], n: usize, d: &[f32], m: usize) {
    let (whole, together) = (m / LANES * LANES, lines.len() / m / 8 * 8);
    for k in (0..together).step_by(8) {
        for at in (0..whole).step_by(LANES) {
            ger_block(lines, x, [n, first, m], d, k, at);
        }
    }
    for (k, line) in lines.chunks_exact_mut(m).enumerate() {
        if k >= together {
            (0..whole).step_by(LANES).for_each(|at| ger_line::<LANES>(line, x, n, d, first + k, at));
        }
        (whole..m).for_each(|at| ger_line::<1>(line, x, n, d, first + k, at));
    }
}
