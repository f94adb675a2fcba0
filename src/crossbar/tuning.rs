//! Thresholds between ways that give the same bits, so that they are for speed alone; what was measured says so. One,
//! [`NORMALS_PER_STREAM`], is part of every result.

use crate::simd::LANES;
use std::ops::RangeInclusive;

/// Share of inputs other than zero from which several vectors at once are cheaper than the lines of each (measured).
pub(super) const GEMM_MIN_DENSITY: f64 = 0.35;

/// Crosspoints of an array up to which they are cheaper whatever the inputs (measured).
pub(super) const GEMM_SMALL_ARRAY: usize = 1 << 10;

/// Rows of an array whose transposed products are made from a transposed copy: that adds up whole rows, only those
/// of δ that are not zero, where lines so short would have to be summed across lanes one by one (measured).
pub(super) const TRANSPOSED_COPY_ROWS: RangeInclusive<usize> = 1..=4 * LANES;

/// Multiply-adds of a part of a product below which waking a thread costs more than it saves.
pub(super) const MULTIPLY_ADDS_PER_SHARE: usize = 1 << 15;

/// Share of nonzero inputs from which exact weights learn fastest from a whole batch at a time (measured).
pub(super) const BATCH_MIN_DENSITY: f64 = 0.4;

/// Weights of an array up to which a whole batch at a time is fastest, whatever the inputs (measured).
pub(super) const BATCH_SMALL_ARRAY: usize = 1 << 10;

/// Share of nonzero δ up to which such a batch is learned row by row, from the nonzero δ alone: max-pooling leaves δ
/// for one pixel in four (measured).
pub(super) const SPARSE_MAX_DENSITY: f64 = 0.5;

/// Rows of an array for which that pays (measured).
pub(super) const SPARSE_ROWS: RangeInclusive<usize> = LANES..=4 * LANES;

/// Inputs and outputs that are converted at a time: 256 KiB, a part of a core's own cache.
pub(super) const CONVERTED_VALUES: usize = 1 << 16;

/// Vectors that are converted at a time however long they are, so that packing the lines pays.
pub(super) const MIN_CONVERTED_VECTORS: usize = 96;

/// Lines of weights that the kernel of batches updates at a time.
pub(super) const LINES_PER_KERNEL: usize = 6;

/// Multiply-adds that take as long as touching a value.
pub(super) const MULTIPLY_ADDS_PER_VALUE: usize = 8;

/// Pulses per slot and block of rows from which a whole block of devices is cheaper than one device at a time (measured).
pub(super) const BLOCK_MIN_PULSES: f64 = 3.0;

/// Blocks of devices that get their pulses at once where there are registers enough (measured).
pub(super) const BLOCKS_AT_ONCE: usize = 4;

/// Normals drawn at once for the pulses of as many columns as they last.
pub(super) const NORMALS_PER_DRAW: u64 = 4096;

/// Words drawn at once for the slots of one side of an update.
pub(super) const WORDS_PER_DRAW: usize = 1024;

/// Normals drawn at once for a line that gets many pulses.
pub(super) const LINE_NORMALS_PER_DRAW: usize = 64;

/// Normals drawn at once for the outputs of a line.
pub(super) const READ_NORMALS_PER_DRAW: usize = 256;

/// Updates drawn before they are applied, where a single thread does it.
pub(super) const DRAWN_UPDATES: usize = 32;

/// Lines of the updates drawn before they are applied, where threads share them.
pub(super) const SHARED_DRAW_LINES: usize = 1 << 13;

/// The most firings of the updates drawn before they are applied: a bound on memory.
pub(super) const FIRINGS_PER_DRAW: usize = 1 << 21;

/// Lines per thread below which waking it to draw costs more than it saves.
pub(super) const DRAW_MIN_LINES: usize = 1 << 9;

/// Pulses below which waking threads to apply them costs more than it saves.
pub(super) const PULSES_PER_SHARE: u64 = 5000;

/// Parts of the columns per thread, since columns differ in their pulses.
pub(super) const PARTS_PER_THREAD: usize = 2;

/// Vectors with fewer outputs share a stream of output noise, as many as have so many outputs together: the generator
/// makes 64 normals at a time. A change would change results.
pub(super) const NORMALS_PER_STREAM: usize = 64;
