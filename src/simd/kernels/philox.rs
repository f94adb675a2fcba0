//! Random words and normals from counters.

use crate::simd::{Isa, Kernel, LANES, math};
use std::ops::Range;

/// Words of one group of the generator: four words from each of 16 counters.
pub(crate) const GROUP: usize = 4 * LANES;

/// The words [q][lane] of the counters `first + lane` of one stream.
#[inline(always)]
fn in_a_row<const L: usize>(key: [u32; 2], tail: [u32; 3], first: u64) -> [[u32; L]; 4] {
    let mut c0 = [0; L];
    for (l, c0) in c0.iter_mut().enumerate() {
        *c0 = first.wrapping_add(l as u64);
    }
    philox(key, c0, tail.map(|word| [u64::from(word); L]))
}

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) on L counters of four words, of
/// which the lower halves count.
#[inline(always)]
fn philox<const L: usize>(key: [u32; 2], mut c0: [u64; L], [mut c1, mut c2, mut c3]: [[u64; L]; 3]) -> [[u32; L]; 4] {
    const M0: u64 = 0xD251_1F53;
    const M1: u64 = 0xCD9E_8D57;
    const LOW: u64 = 0xFFFF_FFFF;
    // 32-bit words in 64-bit lanes: the widening product needs no shuffles, and what stands in the
    // upper half is cut off where a word is multiplied or returned.
    let (mut k0, mut k1) = (key[0], key[1]);
    for _ in 0..10 {
        let (key0, key1) = (u64::from(k0), u64::from(k1));
        for l in 0..L {
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
    let mut out = [[0; L]; 4];
    for l in 0..L {
        out[0][l] = c0[l] as u32;
        out[1][l] = c1[l] as u32;
        out[2][l] = c2[l] as u32;
        out[3][l] = c3[l] as u32;
    }
    out
}

/// Box-Muller (Ann. Math. Stat. 29:610, 1958): the words 0 and 1 give the normals 0 and 1, 2 and 3 the others, which are
/// made where they are among the `wanted` of a group.
#[inline(always)]
fn box_muller<M: Isa, const L: usize>(words: [[u32; L]; 4], wanted: Range<usize>) -> [[f32; L]; 4] {
    const TWO_M24: f32 = 1.0 / 16_777_216.0;
    const TWO_M32: f32 = 1.0 / 4_294_967_296.0;
    let mut out = [[0.0; L]; 4];
    for half in 0..2 {
        if wanted.end <= half * 2 * L || wanted.start >= (half + 1) * 2 * L {
            continue;
        }
        for l in 0..L {
            // Radius from (0, 1]: never ln 0; the tail reaches 5.7 σ. Angle in turns, signed.
            let u = ((words[2 * half][l] >> 8) as i32 + 1) as f32 * TWO_M24;
            let t = words[2 * half + 1][l] as i32 as f32 * TWO_M32;
            let r = (-2.0 * math::ln::<M>(u)).sqrt();
            let (c, s) = math::cos_sin_turns::<M>(t);
            out[2 * half][l] = r * c;
            out[2 * half + 1][l] = r * s;
        }
    }
    out
}

/// The words of one of two groups, which starts at counter `FIRST`.
#[inline(always)]
fn group<const FIRST: usize>(words: &[[u32; 2 * LANES]; 4]) -> [[u32; LANES]; 4] {
    let [a, b, c, d] = words;
    let part = |words: &[u32; 2 * LANES]| -> [u32; LANES] { words[FIRST..FIRST + LANES].try_into().expect("a group") };
    [part(a), part(b), part(c), part(d)]
}

/// Fills `out` with the positions `start..` of a sequence that `$make` makes from the words of [`GROUP`]
/// positions. A macro, since a closure would be compiled for the baseline instruction set only.
macro_rules! fill {
    ($isa:ident, $key:expr, $tail:expr, $start:expr, $out:expr, |$words:ident, $wanted:ident| $make:expr) => {
        let mut position = $start;
        let mut remaining = $out;
        while !remaining.is_empty() {
            let counter = position / GROUP as u64 * LANES as u64;
            let skip = (position % GROUP as u64) as usize;
            let take = match remaining.first_chunk_mut::<{ 2 * GROUP }>() {
                // The rounds of a group wait for each other: two at once keep the machine busy.
                Some(pair) if $isa::MANY_REGISTERS && skip == 0 => {
                    let words = in_a_row::<{ 2 * LANES }>($key, $tail, counter);
                    let (first, second) = pair.split_at_mut(GROUP);
                    let $wanted = 0..GROUP;
                    let $words = group::<0>(&words);
                    first.copy_from_slice($make.as_flattened());
                    let $words = group::<LANES>(&words);
                    second.copy_from_slice($make.as_flattened());
                    2 * GROUP
                }
                _ => {
                    let $words = in_a_row::<LANES>($key, $tail, counter);
                    let take = (GROUP - skip).min(remaining.len());
                    let $wanted = skip..skip + take;
                    remaining[..take].copy_from_slice(&$make.as_flattened()[skip..skip + take]);
                    take
                }
            };
            remaining = &mut remaining[take..];
            position += take as u64;
        }
    };
}

/// The numbers `start..start + out.len()` of the stream (key, tail): random words, or standard normals.
pub(crate) struct Numbers<'a, T> {
    pub(crate) key: [u32; 2],
    pub(crate) tail: [u32; 3],
    pub(crate) start: u64,
    pub(crate) out: &'a mut [T],
}

impl Kernel for Numbers<'_, u32> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        fill!(M, self.key, self.tail, self.start, self.out, |words, _wanted| words);
    }
}

impl Kernel for Numbers<'_, f32> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        fill!(M, self.key, self.tail, self.start, self.out, |words, wanted| box_muller::<M, LANES>(
            words,
            wanted.clone()
        ));
    }
}

/// Numbers of streams that differ by their indices: every lane has a number of its own, from whichever stream.
#[derive(Clone, Copy)]
pub(crate) struct Scattered<'a> {
    pub(crate) key: [u32; 2],
    pub(crate) operation: u32,
    /// Of each number, in whole blocks: the index of its stream and its position.
    pub(crate) indices: &'a [u64],
    pub(crate) positions: &'a [u64],
}

impl Scattered<'_> {
    /// The four words of the counter of each number of a block, and which of them is its own.
    #[inline(always)]
    fn block(&self, indices: &[u64; LANES], positions: &[u64; LANES]) -> ([[u32; LANES]; 4], [u32; LANES]) {
        let (mut counters, mut high, mut own) = ([0; LANES], [0; LANES], [0; LANES]);
        for l in 0..LANES {
            counters[l] = positions[l] / GROUP as u64 * LANES as u64 + positions[l] % LANES as u64;
            high[l] = indices[l] >> 32;
            own[l] = (positions[l] / LANES as u64) as u32 % 4;
        }
        (philox(self.key, counters, [*indices, high, [u64::from(self.operation); LANES]]), own)
    }
}

/// The numbers in whole blocks: random words, or standard normals.
pub(crate) struct ScatteredNumbers<'a, T> {
    pub(crate) at: Scattered<'a>,
    pub(crate) out: &'a mut [T],
}

impl Kernel for ScatteredNumbers<'_, u32> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let (indices, positions) = (self.at.indices.as_chunks().0, self.at.positions.as_chunks().0);
        for ((indices, positions), out) in indices.iter().zip(positions).zip(self.out.as_chunks_mut::<LANES>().0) {
            let (words, own) = self.at.block(indices, positions);
            for l in 0..LANES {
                let pair = if own[l] < 2 { [words[0][l], words[1][l]] } else { [words[2][l], words[3][l]] };
                out[l] = if own[l] % 2 == 0 { pair[0] } else { pair[1] };
            }
        }
    }
}

impl Kernel for ScatteredNumbers<'_, f32> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let (indices, positions) = (self.at.indices.as_chunks().0, self.at.positions.as_chunks().0);
        for ((indices, positions), out) in indices.iter().zip(positions).zip(self.out.as_chunks_mut::<LANES>().0) {
            let (mut words, own) = self.at.block(indices, positions);
            for l in 0..LANES {
                words[0][l] = if own[l] < 2 { words[0][l] } else { words[2][l] };
                words[1][l] = if own[l] < 2 { words[1][l] } else { words[3][l] };
            }
            let [cosine, sine, ..] = box_muller::<M, LANES>(words, 0..LANES);
            for l in 0..LANES {
                out[l] = if own[l] % 2 == 0 { cosine[l] } else { sine[l] };
            }
        }
    }
}
