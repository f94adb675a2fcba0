//! Matrix-vector products through the periphery, forward and transposed: inputs, effects, exact product, readout.

use super::conversion::{Conversion, Noise};
use super::converter_errors::ConverterErrors;
use super::effect::{Operands, ProductEffect};
use super::periphery::IoSettings;
use super::product::{Matrix, ProductScratch};
use super::tuning::{CONVERTED_VALUES, MIN_CONVERTED_VECTORS, MULTIPLY_ADDS_PER_SHARE, NORMALS_PER_STREAM};
use crate::check::{check_batch, check_len};
use crate::error::Result;
use crate::random::Stream;
use crate::threads::Workers;
use rayon::prelude::*;
use std::sync::Arc;

/// The side from which an array is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// y = W x: lines of devices are added up.
    Forward,
    /// z = Wᵀ δ: each line is multiplied.
    Backward,
}

/// What products took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MvmCost {
    /// Products of the array, those of bound management among them.
    pub mvms: u64,
    /// Those of bound management.
    pub retries: u64,
    /// Conversions of inputs.
    pub dac: u64,
    /// Conversions of outputs.
    pub adc: u64,
}

impl MvmCost {
    /// What the products of so many vectors take, of arrays of so many inputs and outputs.
    pub(crate) fn of(vectors: usize, inputs: usize, outputs: usize) -> Self {
        let each = |lines: usize| (vectors * lines) as u64;
        Self { mvms: each(1), retries: 0, dac: each(inputs), adc: each(outputs) }
    }

    /// What is left of it without a part of it, which is no more than it.
    pub(crate) fn without(self, part: Self) -> Self {
        Self {
            mvms: self.mvms.saturating_sub(part.mvms),
            retries: self.retries.saturating_sub(part.retries),
            dac: self.dac.saturating_sub(part.dac),
            adc: self.adc.saturating_sub(part.adc),
        }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        Self {
            mvms: self.mvms + other.mvms,
            retries: self.retries + other.retries,
            dac: self.dac + other.dac,
            adc: self.adc + other.adc,
        }
    }
}

/// Buffers of products, kept between calls.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(super) product: ProductScratch,
    pub(super) conversion: Conversion,
    /// The weights after all effects, and a transposed copy of weights.
    pub(super) weights: Vec<f32>,
    pub(super) transposed: Vec<f32>,
}

/// Products of a batch with one matrix: vectors of `inputs` values in, of `outputs` values out.
#[derive(Debug)]
pub(crate) struct Products<'a> {
    /// The weights, columns of W one after another.
    pub(crate) lines: &'a [f32],
    pub(crate) direction: Direction,
    pub(crate) mvm: &'a IoSettings,
    pub(crate) effects: &'a [Arc<dyn ProductEffect>],
    pub(super) errors: Option<&'a ConverterErrors>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Products<'_> {
    /// Every product of the batch, whose first vector has the number `first`, with the noise of the streams `noise`;
    /// split over the workers.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn run(
        &self,
        noise: impl Fn(u64) -> Stream + Sync,
        first: u64,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Vec<Scratch>,
        workers: &Workers,
    ) -> Result<MvmCost> {
        let batch = check_batch("input", x.len(), self.inputs)?;
        check_len("output", y.len(), batch * self.outputs)?;
        if batch == 0 {
            return Ok(MvmCost::default());
        }
        let vectors_per_stream = (NORMALS_PER_STREAM / self.outputs).max(1) as u64;
        let noise = Noise { stream: &noise, vectors_per_stream };
        if !self.effects.is_empty() {
            return Ok(self.split(None, noise, first, x, y, scratch, workers));
        }
        scratch.resize_with(scratch.len().max(1), Scratch::default);
        let mut transposed = std::mem::take(&mut scratch[0].transposed);
        let matrix = Matrix::new(self.direction, self.lines, self.inputs, &mut transposed);
        let cost = self.split(Some(matrix), noise, first, x, y, scratch, workers);
        scratch[0].transposed = transposed;
        Ok(cost)
    }

    /// The products of a batch that is not empty, with the matrix of all vectors if they share one.
    #[allow(clippy::too_many_arguments)]
    fn split(
        &self,
        matrix: Option<Matrix<'_>>,
        noise: Noise<'_>,
        first: u64,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Vec<Scratch>,
        workers: &Workers,
    ) -> MvmCost {
        let (n, m, batch, threads) = (self.inputs, self.outputs, x.len() / self.inputs, workers.threads());
        let parts = if threads > 1 {
            (2 * threads).min(batch.saturating_mul(self.lines.len()) / MULTIPLY_ADDS_PER_SHARE).max(1)
        } else {
            1
        };
        let part = batch.div_ceil(parts).max(1).next_multiple_of(noise.vectors_per_stream as usize);
        scratch.resize_with(batch.div_ceil(part).max(scratch.len()), Scratch::default);
        let one_part = |k: usize, x: &[f32], y: &mut [f32], scratch: &mut Scratch| {
            self.part(matrix, noise, first + (k * part) as u64, x, y, scratch)
        };
        if batch <= part {
            return one_part(0, x, y, &mut scratch[0]);
        }
        workers.split(|| {
            let vectors = x.par_chunks(part * n).zip(y.par_chunks_mut(part * m));
            let parts = vectors.zip(scratch.par_iter_mut()).enumerate();
            parts.map(|(k, ((x, y), scratch))| one_part(k, x, y, scratch)).reduce(MvmCost::default, MvmCost::add)
        })
    }

    /// The products of a part of a batch, as many at a time as the buffers are meant for.
    fn part(
        &self,
        matrix: Option<Matrix<'_>>,
        noise: Noise<'_>,
        first: u64,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Scratch,
    ) -> MvmCost {
        let (n, m) = (self.inputs, self.outputs);
        let exact = self.mvm.is_exact();
        let together = match matrix {
            None => 1,
            Some(_) if exact => x.len() / n,
            Some(_) => (CONVERTED_VALUES / (n + m)).max(MIN_CONVERTED_VECTORS),
        };
        let groups = x.chunks(together * n).zip(y.chunks_mut(together * m)).enumerate();
        groups.fold(MvmCost::default(), |cost, (g, (x, y))| {
            cost.add(if exact {
                self.multiply(matrix, x, y, scratch);
                MvmCost::of(x.len() / n, n, m)
            } else if self.mvm.bit_serial {
                self.convert_bits(matrix, noise, first + (g * together) as u64, x, y, scratch)
            } else {
                self.convert(matrix, noise, first + (g * together) as u64, x, y, scratch)
            })
        })
    }

    /// One product, with noise from the start of the given stream; lengths must be right.
    pub(super) fn one(&self, noise: Stream, x: &[f32], y: &mut [f32], scratch: &mut Scratch) -> MvmCost {
        let noise = Noise { stream: &|_| noise, vectors_per_stream: 1 };
        if !self.effects.is_empty() {
            return self.part(None, noise, 0, x, y, scratch);
        }
        let mut transposed = std::mem::take(&mut scratch.transposed);
        let matrix = Matrix::new(self.direction, self.lines, self.inputs, &mut transposed);
        let cost = self.part(Some(matrix), noise, 0, x, y, scratch);
        scratch.transposed = transposed;
        cost
    }

    /// The matrix that an array shows to the inputs x, where it has effects.
    pub(super) fn affected<'b>(
        &self,
        x: &[f32],
        weights: &'b mut Vec<f32>,
        transposed: &'b mut Vec<f32>,
    ) -> Matrix<'b> {
        weights.clear();
        weights.extend_from_slice(self.lines);
        let (rows, cols) = match self.direction {
            Direction::Forward => (self.outputs, self.inputs),
            Direction::Backward => (self.inputs, self.outputs),
        };
        for effect in self.effects {
            let (direction, shape) = (self.direction, (rows, cols));
            effect.apply(&mut Operands { direction, shape, rows: 0..rows, cols: 0..cols, weights, x });
        }
        Matrix::new(self.direction, weights, self.inputs, transposed)
    }

    /// The exact products with what the array gets; without a matrix, with what it shows to the one vector.
    pub(super) fn multiply(&self, matrix: Option<Matrix<'_>>, x: &[f32], y: &mut [f32], scratch: &mut Scratch) {
        let Scratch { product, weights, transposed, .. } = scratch;
        matrix.unwrap_or_else(|| self.affected(x, weights, transposed)).multiply(x, y, product);
    }
}
