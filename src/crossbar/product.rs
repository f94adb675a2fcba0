//! The exact product: a kernel chosen for the weights as they are when it begins.

use super::Direction;
use super::active::Active;
use super::tuning::{GEMM_MIN_DENSITY, GEMM_SMALL_ARRAY, TRANSPOSED_COPY_ROWS};
use crate::simd::aligned::Aligned;
use crate::simd::{self, LANES};

/// How the lines of a matrix are combined.
#[derive(Clone, Copy, Debug)]
enum Kernel {
    /// A line per input: those of the inputs that are not zero are added up.
    LinePerInput,
    /// A line per output: the dot product of each with the inputs.
    LinePerOutput,
}

/// Weights with the kernel that multiplies them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix<'a> {
    lines: &'a [f32],
    kernel: Kernel,
    inputs: usize,
    outputs: usize,
}

/// Buffers of exact products, kept between calls.
#[derive(Clone, Debug, Default)]
pub(super) struct ProductScratch {
    active: Active,
    packed: Vec<f32>,
    /// Inputs of dot products, in whole blocks.
    padded: Aligned<f32>,
}

impl<'a> Matrix<'a> {
    /// The matrix of `inputs` inputs whose weights are `lines`, columns one after another. Where the kernel needs it,
    /// `transposed` takes a transposed copy.
    pub(super) fn new(direction: Direction, lines: &'a [f32], inputs: usize, transposed: &'a mut Vec<f32>) -> Self {
        let outputs = lines.len() / inputs;
        match direction {
            Direction::Forward => Self { lines, kernel: Kernel::LinePerInput, inputs, outputs },
            Direction::Backward if TRANSPOSED_COPY_ROWS.contains(&inputs) => {
                transposed.resize(lines.len(), 0.0);
                simd::transpose(lines, inputs, transposed);
                Self { lines: transposed, kernel: Kernel::LinePerInput, inputs, outputs }
            }
            Direction::Backward => Self { lines, kernel: Kernel::LinePerOutput, inputs, outputs },
        }
    }

    /// The products of the vectors `x`, one after another.
    pub(super) fn multiply(&self, x: &[f32], y: &mut [f32], scratch: &mut ProductScratch) {
        let (n, m) = (self.inputs, self.outputs);
        match self.kernel {
            Kernel::LinePerInput if self.dense(x) => simd::gemm(self.lines, n, x, y, &mut scratch.packed),
            Kernel::LinePerInput => {
                for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(m)) {
                    scratch.active.load(x);
                    simd::gemv(self.lines, scratch.active.at(), scratch.active.values(), y);
                }
            }
            Kernel::LinePerOutput => simd::dots(self.lines, n, scratch.pad(x, n), y),
        }
    }

    /// Whether all lines for several vectors at once are cheaper than the lines of the inputs that are not zero.
    fn dense(&self, x: &[f32]) -> bool {
        x.len() > self.inputs
            && (self.lines.len() <= GEMM_SMALL_ARRAY
                || simd::count_nonzero(x) as f64 >= GEMM_MIN_DENSITY * x.len() as f64)
    }

    /// The outputs at `positions` of the product with one vector, to the same bits.
    pub(super) fn multiply_at(
        &self,
        x: &[f32],
        positions: impl ExactSizeIterator<Item = u32>,
        y: &mut [f32],
        scratch: &mut ProductScratch,
    ) {
        match self.kernel {
            Kernel::LinePerInput => {
                let y = &mut y[..positions.len()];
                simd::gemv_at(self.lines, self.outputs, x, &positions.collect::<Vec<_>>(), y);
            }
            Kernel::LinePerOutput => {
                let x = scratch.pad(x, self.inputs);
                for (y, i) in y.chunks_mut(1).zip(positions) {
                    simd::dots(&self.lines[i as usize * self.inputs..][..self.inputs], self.inputs, x, y);
                }
            }
        }
    }
}

impl ProductScratch {
    /// Vectors of `n` values, each filled up with zeros to whole blocks.
    fn pad(&mut self, x: &[f32], n: usize) -> &[f32] {
        let width = n.next_multiple_of(LANES);
        let len = x.len() / n * width;
        if self.padded.len() < len {
            self.padded = Aligned::from(vec![0.0; len]);
        }
        for (x, to) in x.chunks_exact(n).zip(self.padded.chunks_exact_mut(width)) {
            to[..n].copy_from_slice(x);
            to[n..].fill(0.0);
        }
        &self.padded[..len]
    }
}
