//! Random streams: every number is a pure function of (seed, array, operation, index, position).
//!
//! A counter-based generator makes that direct: position p of a stream is word p of Philox4x32-10
//! under the stream's key, so any thread can make any part of any stream. `docs/performance.md`
//! says what else was considered and compares the cost with a ziggurat.

use crate::simd;
use std::ops::Range;

/// What the numbers are for: operations of one array never share a stream.
///
/// Each has a number for good, since it is part of every stream's name: a new one takes the next free number, and the
/// test `operations_keep_their_numbers` learns it. Changing or reusing a number would change results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Operation {
    /// Device-to-device variation, drawn once.
    Sample = 0,
    /// Initial weights.
    Initialise = 1,
    /// Output noise of the forward product.
    Forward = 2,
    /// Output noise of the transposed product.
    Backward = 3,
    /// Firing of the rows in a pulsed update.
    RowTrains = 4,
    /// Firing of the columns in a pulsed update.
    ColumnTrains = 5,
    /// Cycle noise of the pulses of an update.
    Update = 6,
    /// Output noise of line reads.
    Read = 7,
    /// Cycle noise of pulses sent to one line.
    LinePulse = 8,
    /// Output noise of evaluations, which leave training alone.
    Evaluate = 9,
    /// Output noise of reads outside training.
    Peek = 10,
    /// Programming of weights.
    Program = 11,
    /// Cycle noise while zero-shifting.
    ZeroShift = 12,
    /// Errors of a reference array.
    Reference = 13,
    /// Numbers handed out to users, which no array shares.
    Numbers = 14,
    /// Flips of the signs of lines.
    Chop = 15,
    /// Which devices are stuck, and where.
    Stuck = 16,
    /// Pulses that devices endure.
    Endurance = 17,
    /// How fast devices relax, and to where.
    Retention = 18,
    /// Diffusion of states.
    Diffusion = 19,
    /// What is seen of a state after a pulse.
    WriteNoise = 20,
    /// Errors of output converters.
    Converters = 21,
    /// Output noise of the reads by which pairs of devices are refreshed.
    Refresh = 22,
    /// Resets of pairs of devices, and the pulses that write their weights again.
    Rewrite = 23,
}

/// One stream of random numbers, addressed by position.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    key: [u32; 2],
    tail: [u32; 3],
}

impl Stream {
    /// The stream of one operation of one array; `index` counts its runs (samples, transfers, evaluations).
    pub fn new(seed: u64, array: u64, operation: Operation, index: u64) -> Self {
        let key = mix(mix(seed) ^ array);
        Self { key: [key as u32, (key >> 32) as u32], tail: [index as u32, (index >> 32) as u32, operation as u32] }
    }

    /// Standard normals at the positions `start..start + out.len()`.
    pub fn normals(&self, start: u64, out: &mut [f32]) {
        simd::run(self.kernel(start, out));
    }

    /// Uniform 32-bit words at the positions `start..start + out.len()`.
    pub fn words(&self, start: u64, out: &mut [u32]) {
        simd::run(self.kernel(start, out));
    }

    /// [`normals`](Stream::normals) or [`words`](Stream::words), to be run within another kernel.
    #[inline(always)]
    pub(crate) fn kernel<'a, T>(&self, start: u64, out: &'a mut [T]) -> simd::Numbers<'a, T> {
        simd::Numbers { key: self.key, tail: self.tail, start, out }
    }

    /// Uniform numbers in [0, 1) at the positions `start..start + out.len()`.
    pub fn uniforms(&self, start: u64, out: &mut [f32]) {
        let mut words = vec![0; out.len()];
        self.words(start, &mut words);
        for (u, word) in out.iter_mut().zip(words) {
            *u = (word >> 8) as f32 / 16_777_216.0;
        }
    }
}

/// Numbers of many streams of one operation, drawn at once: it pays where each is asked for few, since words are made in
/// groups. The numbers are those of each [`Stream`].
#[derive(Clone, Debug, Default)]
pub(crate) struct ScatteredNumbers {
    indices: Vec<u64>,
    positions: Vec<u64>,
}

impl ScatteredNumbers {
    /// Numbers of one stream up to which it pays.
    pub(crate) const FEW: usize = simd::LANES;

    pub(crate) fn clear(&mut self) {
        self.indices.clear();
        self.positions.clear();
    }

    /// Asks for the numbers of a stream at some positions; returns where they will be among all.
    #[inline]
    pub(crate) fn push(&mut self, stream: &Stream, positions: Range<u64>) -> usize {
        let at = self.indices.len();
        let index = u64::from(stream.tail[0]) | u64::from(stream.tail[1]) << 32;
        self.positions.extend(positions);
        self.indices.resize(self.positions.len(), index);
        at
    }

    /// All words, and space after them to read a whole block. `any` is one of the streams.
    pub(crate) fn words(&mut self, any: &Stream, out: &mut Vec<u32>) {
        let at = self.blocks(any);
        out.resize(at.indices.len() + simd::LANES, 0);
        simd::run(simd::ScatteredNumbers { at, out });
    }

    /// All as standard normals. `any` is one of the streams.
    pub(crate) fn normals(&mut self, any: &Stream, out: &mut Vec<f32>) {
        let at = self.blocks(any);
        out.resize(at.indices.len(), 0.0);
        simd::run(simd::ScatteredNumbers { at, out });
    }

    /// In whole blocks.
    fn blocks(&mut self, any: &Stream) -> simd::Scattered<'_> {
        let padded = self.indices.len().next_multiple_of(simd::LANES);
        self.indices.resize(padded, 0);
        self.positions.resize(padded, 0);
        let (key, operation) = (any.key, any.tail[2]);
        simd::Scattered { key, operation, indices: &self.indices, positions: &self.positions }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): a bijection that spreads every bit.
fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: a number that changed would change every result.
    #[test]
    fn operations_keep_their_numbers() {
        use Operation::*;
        let numbers = [
            (Sample, 0),
            (Initialise, 1),
            (Forward, 2),
            (Backward, 3),
            (RowTrains, 4),
            (ColumnTrains, 5),
            (Update, 6),
            (Read, 7),
            (LinePulse, 8),
            (Evaluate, 9),
            (Peek, 10),
            (Program, 11),
            (ZeroShift, 12),
            (Reference, 13),
            (Numbers, 14),
            (Chop, 15),
            (Stuck, 16),
            (Endurance, 17),
            (Retention, 18),
            (Diffusion, 19),
            (WriteNoise, 20),
            (Converters, 21),
            (Refresh, 22),
            (Rewrite, 23),
        ];
        for (operation, number) in numbers {
            assert_eq!(operation as u32, number);
        }
    }

    /// The known-answer vectors that the authors of Philox publish with Random123.
    #[test]
    fn philox_known_answers() {
        let zero = Stream { key: [0, 0], tail: [0, 0, 0] };
        let mut words = [0; 64];
        zero.words(0, &mut words);
        assert_eq!([words[0], words[16], words[32], words[48]], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    }

    #[test]
    fn any_part_of_a_stream_is_the_same_wherever_it_starts() {
        let stream = Stream::new(3, 1, Operation::Update, 9);
        let mut whole = [0.0; 500];
        stream.normals(0, &mut whole);
        for (start, len) in [(0, 1), (63, 2), (17, 300), (499, 1)] {
            let mut part = vec![0.0; len];
            stream.normals(start as u64, &mut part);
            assert_eq!(part, whole[start..start + len]);
        }
    }

    #[test]
    fn scattered_numbers_are_those_of_the_streams() {
        let (mut numbers, mut words, mut normals) = (ScatteredNumbers::default(), Vec::new(), Vec::new());
        let stream = |index| Stream::new(3, 1, Operation::RowTrains, index);
        let asked: Vec<(u64, u64, usize)> =
            (0..40).map(|k| (k * (1 << 30) + k, k * k * 5 % 300 + ((k / 30) << 33), (7 * k as usize) % 80)).collect();
        let places: Vec<usize> = asked
            .iter()
            .map(|&(index, start, count)| numbers.push(&stream(index), start..start + count as u64))
            .collect();
        numbers.words(&stream(0), &mut words);
        numbers.normals(&stream(0), &mut normals);
        for (&(index, start, count), at) in asked.iter().zip(places) {
            let (mut expected_words, mut expected_normals) = (vec![0; count], vec![0.0; count]);
            stream(index).words(start, &mut expected_words);
            stream(index).normals(start, &mut expected_normals);
            assert_eq!(words[at..at + count], expected_words);
            assert_eq!(normals[at..at + count], expected_normals);
        }
    }

    #[test]
    fn streams_differ_in_every_coordinate() {
        let first = |stream: Stream| {
            let mut word = [0];
            stream.words(0, &mut word);
            word[0]
        };
        let words = [
            first(Stream::new(0, 0, Operation::Forward, 0)),
            first(Stream::new(1, 0, Operation::Forward, 0)),
            first(Stream::new(0, 1, Operation::Forward, 0)),
            first(Stream::new(0, 0, Operation::Backward, 0)),
            first(Stream::new(0, 0, Operation::Forward, 1)),
            first(Stream::new(0, 0, Operation::Forward, 1 << 32)),
        ];
        for (i, a) in words.iter().enumerate() {
            assert!(!words[..i].contains(a));
        }
    }

    /// Mean, variance, skewness, kurtosis and tails of 4 million normals; each bound is 5 standard
    /// errors of the statistic, so a false alarm has probability below 10⁻⁶ (and the seed is fixed).
    #[test]
    fn normals_have_the_moments_and_tails_of_a_normal() {
        const N: usize = 1 << 22;
        let mut z = vec![0.0; N];
        Stream::new(11, 0, Operation::Forward, 0).normals(0, &mut z);
        let n = N as f64;
        let moment = |k: i32| z.iter().map(|&v| f64::from(v).powi(k)).sum::<f64>() / n;
        assert!(moment(1).abs() < 5.0 / n.sqrt());
        assert!((moment(2) - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
        assert!(moment(3).abs() < 5.0 * (15.0 / n).sqrt());
        assert!((moment(4) - 3.0).abs() < 5.0 * (96.0 / n).sqrt());
        for (limit, probability) in [(3.0, 2.699_796e-3), (4.0, 6.334_25e-5), (4.5, 6.795_35e-6)] {
            let expected = n * probability;
            let seen = z.iter().filter(|v| v.abs() > limit).count() as f64;
            assert!((seen - expected).abs() < 5.0 * expected.sqrt(), "{seen} beyond {limit}, {expected} expected");
        }
    }

    /// Kolmogorov-Smirnov distance of 200,000 normals; 2.0/√n has a false-positive rate of 7·10⁻⁴, the seed is fixed.
    #[test]
    fn normals_follow_the_normal_distribution_function() {
        const N: usize = 200_000;
        let mut z = vec![0.0; N];
        Stream::new(5, 2, Operation::Read, 1).normals(0, &mut z);
        z.sort_by(f32::total_cmp);
        let distance = z
            .iter()
            .enumerate()
            .map(|(k, &v)| (cumulative(f64::from(v)) - (k as f64 + 0.5) / N as f64).abs())
            .fold(0.0, f64::max);
        assert!(distance < 2.0 / (N as f64).sqrt(), "{distance}");
    }

    /// Φ(x) by its series (|x| ≤ 6).
    fn cumulative(x: f64) -> f64 {
        let (mut sum, mut term, mut k) = (x, x, 1.0);
        while term.abs() > 1e-17 {
            k += 2.0;
            term *= x * x / k;
            sum += term;
        }
        0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
    }

    /// Frozen: a change of these bits changes every result and needs a note in CHANGELOG.md.
    #[test]
    fn frozen_values() {
        let mut z = [0.0; 3];
        Stream::new(42, 7, Operation::Update, 1000).normals(5, &mut z);
        assert_eq!(z.map(f32::to_bits), FROZEN);
    }
    const FROZEN: [u32; 3] = [3205241421, 3194257459, 1071015076];
}
