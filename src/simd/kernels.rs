//! The kernels, over fixed lanes: each sum has one order, whatever the vector width.

use super::math;

/// Lanes of one block: one AVX-512 register, two AVX2 registers.
const LANES: usize = 16;
/// Words of one group of the generator: four words from each of 16 counters.
pub(crate) const GROUP: usize = 4 * LANES;

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) on 16
/// consecutive counters: words [q][lane] of the counters `16·group + lane`.
#[inline(always)]
fn philox(key: [u32; 2], tail: [u32; 3], group: u64) -> [[u32; LANES]; 4] {
    const M0: u64 = 0xD251_1F53;
    const M1: u64 = 0xCD9E_8D57;
    const LOW: u64 = 0xFFFF_FFFF;
    // 32-bit words in 64-bit lanes: the widening product needs no shuffles, and what stands in the
    // upper half is cut off where a word is multiplied or returned.
    let (mut k0, mut k1) = (key[0], key[1]);
    let first = group.wrapping_mul(LANES as u64);
    let mut c0: [u64; LANES] = std::array::from_fn(|lane| first.wrapping_add(lane as u64));
    let (mut c1, mut c2, mut c3) =
        ([u64::from(tail[0]); LANES], [u64::from(tail[1]); LANES], [u64::from(tail[2]); LANES]);
    for _ in 0..10 {
        let (key0, key1) = (u64::from(k0), u64::from(k1));
        for l in 0..LANES {
            let p0 = M0 * (c0[l] & LOW);
            let p1 = M1 * (c2[l] & LOW);
            c0[l] = (p1 >> 32) ^ c1[l] ^ key0;
            c2[l] = (p0 >> 32) ^ c3[l] ^ key1;
            c1[l] = p1;
            c3[l] = p0;
        }
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    let mut out = [[0; LANES]; 4];
    for l in 0..LANES {
        out[0][l] = c0[l] as u32;
        out[1][l] = c1[l] as u32;
        out[2][l] = c2[l] as u32;
        out[3][l] = c3[l] as u32;
    }
    out
}

/// Box-Muller (Ann. Math. Stat. 29:610, 1958): the words 0 and 1 give the normals 0 and 1, 2 and 3 the others.
#[inline(always)]
fn box_muller(words: &[[u32; LANES]; 4]) -> [[f32; LANES]; 4] {
    const TWO_M24: f32 = 1.0 / 16_777_216.0;
    const TWO_M32: f32 = 1.0 / 4_294_967_296.0;
    let mut out = [[0.0; LANES]; 4];
    for half in 0..2 {
        for l in 0..LANES {
            // Radius from (0, 1]: never ln 0; the tail reaches 5.7 σ. Angle in turns, signed.
            let u = ((words[2 * half][l] >> 8) as i32 + 1) as f32 * TWO_M24;
            let t = words[2 * half + 1][l] as i32 as f32 * TWO_M32;
            let r = (-2.0 * math::ln(u)).sqrt();
            let (c, s) = math::cos_sin_turns(t);
            out[2 * half][l] = r * c;
            out[2 * half + 1][l] = r * s;
        }
    }
    out
}

/// Fills `out` with the positions `start..` of a sequence that `$group` makes in groups of [`GROUP`].
/// A macro, since a closure would be compiled for the baseline instruction set only.
macro_rules! fill {
    ($start:expr, $out:expr, |$index:ident| $group:expr) => {
        let mut position = $start;
        let mut rest = $out;
        while !rest.is_empty() {
            let $index = position / GROUP as u64;
            let values = $group;
            let skip = (position % GROUP as u64) as usize;
            let take = (GROUP - skip).min(rest.len());
            let (head, tail) = rest.split_at_mut(take);
            head.copy_from_slice(&values.as_flattened()[skip..skip + take]);
            rest = tail;
            position += take as u64;
        }
    };
}

#[inline(always)]
pub(super) fn words(key: [u32; 2], tail: [u32; 3], start: u64, out: &mut [u32]) {
    fill!(start, out, |group| philox(key, tail, group));
}

#[inline(always)]
pub(super) fn normals(key: [u32; 2], tail: [u32; 3], start: u64, out: &mut [f32]) {
    fill!(start, out, |group| box_muller(&philox(key, tail, group)));
}

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
pub(super) fn combine(lines: &[f32], active: &[u32], x: &[f32], y: &mut [f32]) {
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
    while at + 8 <= m {
        combine_block::<8>(lines, active, x, y, at);
        at += 8;
    }
    while at < m {
        combine_block::<1>(lines, active, x, y, at);
        at += 1;
    }
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const WIDE: usize = 4 * LANES;
    let mut sum = [0.0_f32; WIDE];
    let (wide_a, rest_a) = a.as_chunks::<WIDE>();
    let (wide_b, rest_b) = b.as_chunks::<WIDE>();
    for (a, b) in wide_a.iter().zip(wide_b) {
        for l in 0..WIDE {
            sum[l] += a[l] * b[l];
        }
    }
    let mut narrow = [0.0_f32; LANES];
    for l in 0..LANES {
        narrow[l] = (sum[l] + sum[l + LANES]) + (sum[l + 2 * LANES] + sum[l + 3 * LANES]);
    }
    let (lanes_a, rest_a) = rest_a.as_chunks::<LANES>();
    let (lanes_b, rest_b) = rest_b.as_chunks::<LANES>();
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
pub(super) fn project(lines: &[f32], d: &[f32], z: &mut [f32]) {
    for (line, z) in lines.chunks_exact(d.len()).zip(z) {
        *z = dot(line, d);
    }
}

#[inline(always)]
pub(super) fn rank_one(lines: &mut [f32], active: &[u32], x: &[f32], d: &[f32]) {
    let m = d.len();
    for (&k, &xk) in active.iter().zip(x) {
        let start = k as usize * m;
        for (w, d) in lines[start..start + m].iter_mut().zip(d) {
            *w += xk * d;
        }
    }
}

#[inline(always)]
pub(super) fn quantise(values: &mut [f32], bound: f32, step: f32) {
    let inverse = 1.0 / step;
    for v in values {
        *v = math::round(v.clamp(-bound, bound) * inverse) * step;
    }
}

#[inline(always)]
pub(super) fn add_scaled(values: &mut [f32], scale: f32, noise: &[f32]) {
    for (v, xi) in values.iter_mut().zip(noise) {
        *v += scale * xi;
    }
}

#[inline(always)]
pub(super) fn max_abs(values: &[f32]) -> f32 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut top = [0.0_f32; LANES];
    for block in blocks {
        for l in 0..LANES {
            let v = block[l].abs();
            top[l] = if v > top[l] { v } else { top[l] };
        }
    }
    top.iter().chain(rest).fold(0.0, |top, v| if v.abs() > top { v.abs() } else { top })
}

#[inline(always)]
pub(super) fn thresholds(values: &[f32], gain: f32, out: &mut [u32]) {
    const TWO_31: f32 = 2_147_483_648.0;
    for (v, t) in values.iter().zip(out) {
        let p = gain * v.abs();
        // Below 2³¹ the conversion is exact in i64 lanes; at p ≥ 1 every 31-bit word fires.
        *t = if p < 1.0 { (p * TWO_31) as u32 } else { 1 << 31 };
    }
}

#[inline(always)]
pub(super) fn sigmoid(values: &mut [f32]) {
    for v in values {
        *v = math::sigmoid(*v);
    }
}

#[inline(always)]
pub(super) fn tanh(values: &mut [f32]) {
    for v in values {
        *v = math::tanh(*v);
    }
}

#[inline(always)]
pub(super) fn nonzero(values: &[f32], at: &mut [u32], kept: &mut [f32]) -> usize {
    let mut n = 0;
    // Always written, kept only by moving on: no branch for a processor to guess wrong.
    for (k, &v) in values.iter().enumerate() {
        at[n] = k as u32;
        kept[n] = v;
        n += usize::from(v != 0.0);
    }
    n
}

#[inline(always)]
pub(super) fn below(words: &[u32], thresholds: &[u32], at: &mut [u32]) -> usize {
    let mut n = 0;
    for (block, (words, thresholds)) in words.chunks(LANES).zip(thresholds.chunks(LANES)).enumerate() {
        // Few words are below: most blocks are done after one vector comparison.
        if words.iter().zip(thresholds).fold(false, |any, (w, t)| any | ((w >> 1) < *t)) {
            for (k, (w, t)) in words.iter().zip(thresholds).enumerate() {
                at[n] = (block * LANES + k) as u32;
                n += usize::from((w >> 1) < *t);
            }
        }
    }
    n
}
