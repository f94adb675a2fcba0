//! Products of lines with vectors.

use crate::simd::{LANES, TOGETHER};

/// `combine` for the outputs `at..at + W`, kept in registers while the lines stream by.
#[inline(always)]
fn combine_block<const W: usize>(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32], at: usize) {
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
pub(in crate::simd) fn combine(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32]) {
    let m = y.len();
    let mut at = 0;
    while at + 128 <= m {
        combine_block::<128>(lines, active, x, y, at);
        at += 128;
    }
    while at + 32 <= m {
        combine_block::<32>(lines, active, x, y, at);
        at += 32;
    }
    // What is left, with some of the outputs before it once more: the same sums again.
    match m - at {
        0 => {}
        _ if m < LANES => combine_narrow(lines, active, x, y),
        1..=LANES => combine_block::<LANES>(lines, active, x, y, m - LANES),
        _ if m < 2 * LANES => {
            combine_block::<LANES>(lines, active, x, y, 0);
            combine_block::<LANES>(lines, active, x, y, m - LANES);
        }
        _ => combine_block::<{ 2 * LANES }>(lines, active, x, y, m - 2 * LANES),
    }
}

/// `combine` for lines shorter than a block: lanes beyond a line hold what nobody asks for.
#[inline(always)]
fn combine_narrow(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32]) {
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

/// Defines `combine_together` for some blocks of outputs from `at` on. Sums have a name each, so that they stay in
/// registers: four for each block, one of each vector.
macro_rules! blocks_together {
    ($name:ident: $([$s0:ident $s1:ident $s2:ident $s3:ident])+) => {
        #[inline(always)]
        fn $name(lines: &[f32], x: [&[f32]; TOGETHER], y: &mut [f32], at: usize) {
            let m = y.len() / TOGETHER;
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

blocks_together!(combine_block_together: [a0 a1 a2 a3]);
blocks_together!(combine_two_blocks_together: [a0 a1 a2 a3] [b0 b1 b2 b3]);
blocks_together!(combine_four_blocks_together: [a0 a1 a2 a3] [b0 b1 b2 b3] [c0 c1 c2 c3] [d0 d1 d2 d3]);

/// `combine_together` for lines shorter than a block, as in [`combine_narrow`].
#[inline(always)]
fn combine_narrow_together(lines: &[f32], x: [&[f32]; TOGETHER], y: &mut [f32]) {
    let m = y.len() / TOGETHER;
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
pub(in crate::simd) fn combine_together(lines: &[f32], x: [&[f32]; TOGETHER], y: &mut [f32]) {
    let m = y.len() / TOGETHER;
    if m < LANES {
        return combine_narrow_together(lines, x, y);
    }
    let mut at = 0;
    while at + 64 <= m {
        combine_four_blocks_together(lines, x, y, at);
        at += 64;
    }
    while at + 32 <= m {
        combine_two_blocks_together(lines, x, y, at);
        at += 32;
    }
    while at < m {
        // The last one computes some outputs before it once more: the same sums again.
        combine_block_together(lines, x, y, at.min(m - LANES));
        at += LANES;
    }
}

/// Sums of blocks of four registers, then [`finish_dot`]: the order of every dot product.
const WIDE: usize = 4 * LANES;

#[inline(always)]
fn add_products(sum: &mut [f32; WIDE], a: &[f32; WIDE], b: &[f32]) {
    let b: &[f32; WIDE] = b.try_into().expect("WIDE values");
    for l in 0..WIDE {
        sum[l] += a[l] * b[l];
    }
}

#[inline(always)]
fn finish_dot(sum: &[f32; WIDE], a: &[f32], b: &[f32]) -> f32 {
    let mut narrow = [0.0_f32; LANES];
    for l in 0..LANES {
        narrow[l] = (sum[l] + sum[l + LANES]) + (sum[l + 2 * LANES] + sum[l + 3 * LANES]);
    }
    let (lanes_a, rest_a) = a.as_chunks::<LANES>();
    let (lanes_b, rest_b) = b.as_chunks::<LANES>();
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
    rest_a.iter().zip(rest_b).fold(narrow[0], |sum, (a, b)| sum + a * b)
}

#[inline(always)]
pub(in crate::simd) fn project(lines: &[f32], d: &[f32], z: &mut [f32]) {
    let done = d.len() / WIDE * WIDE;
    for (line, z) in lines.chunks_exact(d.len()).zip(z) {
        let mut sum = [0.0; WIDE];
        for (a, b) in line.as_chunks::<WIDE>().0.iter().zip(d.chunks_exact(WIDE)) {
            add_products(&mut sum, a, b);
        }
        *z = finish_dot(&sum, &line[done..], &d[done..]);
    }
}

#[inline(always)]
pub(in crate::simd) fn project_together(lines: &[f32], d: [&[f32]; TOGETHER], z: &mut [f32]) {
    let (n, m) = (z.len() / TOGETHER, d[0].len());
    let [d0, d1, d2, d3] = d.map(|d| &d[..m]);
    let done = m / WIDE * WIDE;
    for (k, line) in lines.chunks_exact(m).enumerate() {
        // One by one, so that each sum stays in registers.
        let (mut s0, mut s1, mut s2, mut s3) = ([0.0; WIDE], [0.0; WIDE], [0.0; WIDE], [0.0; WIDE]);
        for (c, a) in line.as_chunks::<WIDE>().0.iter().enumerate() {
            let at = c * WIDE..(c + 1) * WIDE;
            add_products(&mut s0, a, &d0[at.clone()]);
            add_products(&mut s1, a, &d1[at.clone()]);
            add_products(&mut s2, a, &d2[at.clone()]);
            add_products(&mut s3, a, &d3[at]);
        }
        let rest = &line[done..];
        z[k] = finish_dot(&s0, rest, &d0[done..]);
        z[n + k] = finish_dot(&s1, rest, &d1[done..]);
        z[2 * n + k] = finish_dot(&s2, rest, &d2[done..]);
        z[3 * n + k] = finish_dot(&s3, rest, &d3[done..]);
    }
}

#[inline(always)]
pub(in crate::simd) fn rank_one(lines: &mut [f32], active: &[u32], x: &[f32], d: &[f32]) {
    let m = d.len();
    for (&k, &xk) in active.iter().zip(x) {
        let start = k as usize * m;
        for (w, d) in lines[start..start + m].iter_mut().zip(d) {
            *w += xk * d;
        }
    }
}

/// `rank_many` for a block of outputs of the lines `k..k + 8`, kept in registers while the vectors go by.
#[inline(always)]
fn rank_block(lines: &mut [f32], x: &[f32], [n, first, m]: [usize; 3], d: &[f32], k: usize, at: usize) {
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
fn rank_line<const W: usize>(line: &mut [f32], x: &[f32], n: usize, d: &[f32], k: usize, at: usize) {
    let m = line.len();
    let mut sum: [f32; W] = line[at..at + W].try_into().expect("W values");
    for (x, d) in x.chunks_exact(n).zip(d.chunks_exact(m)) {
        multiply_add(&mut sum, x[k], d[at..at + W].try_into().expect("W values"));
    }
    line[at..at + W].copy_from_slice(&sum);
}

#[inline(always)]
pub(in crate::simd) fn rank_many(lines: &mut [f32], first: usize, x: &[f32], n: usize, d: &[f32], m: usize) {
    let (whole, together) = (m / LANES * LANES, lines.len() / m / 8 * 8);
    for k in (0..together).step_by(8) {
        for at in (0..whole).step_by(LANES) {
            rank_block(lines, x, [n, first, m], d, k, at);
        }
    }
    for (k, line) in lines.chunks_exact_mut(m).enumerate() {
        if k >= together {
            (0..whole).step_by(LANES).for_each(|at| rank_line::<LANES>(line, x, n, d, first + k, at));
        }
        (whole..m).for_each(|at| rank_line::<1>(line, x, n, d, first + k, at));
    }
}
