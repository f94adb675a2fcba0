//! Matrix-vector products through the periphery, forward and transposed: inputs, effects, exact product, readout.

use super::effect::{Operands, ProductEffect};
use super::periphery::IoSettings;
use super::product::{Inputs, Matrix, rescale};
use super::readout::{Outputs, Readout};
use super::tuning::MULTIPLY_ADDS_PER_SHARE;
use crate::check::{check_batch, check_len};
use crate::error::Result;
use crate::random::Stream;
use crate::simd::{self, GEMM_VECTORS};
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
    /// Conversions of inputs.
    pub dac: u64,
    /// Conversions of outputs.
    pub adc: u64,
}

impl MvmCost {
    pub(crate) fn add(self, other: Self) -> Self {
        Self { mvms: self.mvms + other.mvms, dac: self.dac + other.dac, adc: self.adc + other.adc }
    }
}

/// Buffers of products, kept between calls.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    inputs: Inputs,
    /// The weights after all effects, and a transposed copy of weights.
    weights: Vec<f32>,
    transposed: Vec<f32>,
    noise: Vec<f32>,
    /// Positions of the outputs that saturated, and of those that are converted again with their values.
    saturated: Vec<u32>,
    repeated: Vec<u32>,
    values: Vec<f32>,
}

/// Bound management gives up after this many halvings, a factor of 1024 (ours; aihwkit's default is 1000).
const MAX_HALVINGS: u32 = 10;

/// Products of a batch with one matrix: vectors of `inputs` values in, of `outputs` values out.
#[derive(Debug)]
pub(crate) struct Products<'a> {
    /// The weights, columns of W one after another.
    pub(crate) lines: &'a [f32],
    pub(crate) direction: Direction,
    pub(crate) mvm: &'a IoSettings,
    pub(crate) effects: &'a [Arc<dyn ProductEffect>],
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Products<'_> {
    /// Every product of the batch, vector b with the noise `noise(b)`; split over the workers.
    pub(crate) fn run(
        &self,
        noise: impl Fn(u64) -> Stream + Sync,
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
        if !self.effects.is_empty() {
            return Ok(self.split(None, noise, x, y, scratch, workers));
        }
        scratch.resize_with(scratch.len().max(1), Scratch::default);
        let mut transposed = std::mem::take(&mut scratch[0].transposed);
        let matrix = Matrix::new(self.direction, self.lines, self.inputs, &mut transposed);
        let cost = self.split(Some(matrix), noise, x, y, scratch, workers);
        scratch[0].transposed = transposed;
        Ok(cost)
    }

    /// The products of a batch that is not empty, with the matrix of all vectors if they share one.
    fn split(
        &self,
        matrix: Option<Matrix<'_>>,
        noise: impl Fn(u64) -> Stream + Sync,
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
        let part = batch.div_ceil(parts).max(1).next_multiple_of(GEMM_VECTORS);
        let width = if matrix.is_some() { GEMM_VECTORS } else { 1 };
        scratch.resize_with(batch.div_ceil(part), Scratch::default);
        let one_part = |k: usize, x: &[f32], y: &mut [f32], scratch: &mut Scratch| {
            let groups = x.chunks(width * n).zip(y.chunks_mut(width * m)).enumerate();
            groups.fold(MvmCost::default(), |cost, (g, (x, y))| {
                cost.add(self.group(matrix, |b| noise((k * part + g * width + b) as u64), x, y, scratch))
            })
        };
        if let [scratch] = scratch.as_mut_slice() {
            return one_part(0, x, y, scratch);
        }
        workers.split(|| {
            let vectors = x.par_chunks(part * n).zip(y.par_chunks_mut(part * m));
            let parts = vectors.zip(scratch.par_iter_mut()).enumerate();
            parts.map(|(k, ((x, y), scratch))| one_part(k, x, y, scratch)).reduce(MvmCost::default, MvmCost::add)
        })
    }

    /// One product, with the given noise; lengths must be right.
    pub(super) fn one(&self, noise: Stream, x: &[f32], y: &mut [f32], scratch: &mut Scratch) -> MvmCost {
        if !self.effects.is_empty() {
            return self.group(None, |_| noise, x, y, scratch);
        }
        let mut transposed = std::mem::take(&mut scratch.transposed);
        let matrix = Matrix::new(self.direction, self.lines, self.inputs, &mut transposed);
        let cost = self.group(Some(matrix), |_| noise, x, y, scratch);
        scratch.transposed = transposed;
        cost
    }

    /// At most [`GEMM_VECTORS`] products, or one without a matrix; vector b with the noise `noise(b)`:
    ///
    /// ```text
    /// y = s·2^r · ADC( W DAC(x / (s·2^r)) + σ ξ )
    /// ```
    ///
    /// s = max|x| under noise management (else 1); r counts the halvings of bound management, which
    /// converts again only the outputs that saturated. A zero vector under noise management gives zero.
    fn group(
        &self,
        matrix: Option<Matrix<'_>>,
        noise: impl Fn(usize) -> Stream,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Scratch,
    ) -> MvmCost {
        let (n, m) = (self.inputs, self.outputs);
        if self.mvm.is_exact() {
            scratch.inputs.load_plain();
            self.multiply(matrix, x, y, scratch);
            return MvmCost { mvms: (x.len() / n) as u64, dac: x.len() as u64, adc: y.len() as u64 };
        }
        let mut scales = [1.0; GEMM_VECTORS];
        for ((b, x), scale) in x.chunks_exact(n).enumerate().zip(&mut scales) {
            if self.mvm.noise_management {
                // A subnormal scale has no finite inverse; such a vector is as good as zero.
                *scale = Some(simd::max_abs(x)).filter(|&s| s >= f32::MIN_POSITIVE).unwrap_or(0.0);
            }
            scratch.inputs.load(b, self.mvm, x, if *scale == 0.0 { 1.0 } else { *scale });
        }
        self.multiply(matrix, x, y, scratch);
        let vectors = x.chunks_exact(n).zip(y.chunks_exact_mut(m)).zip(scales).enumerate();
        vectors.fold(MvmCost::default(), |cost, (b, ((x, y), scale))| {
            cost.add(self.convert(matrix, &noise(b), x, scale, y, b, scratch))
        })
    }

    /// The matrix that an array shows to the inputs x, where it has effects.
    fn affected<'b>(&self, x: &[f32], weights: &'b mut Vec<f32>, transposed: &'b mut Vec<f32>) -> Matrix<'b> {
        weights.clear();
        weights.extend_from_slice(self.lines);
        let (rows, cols) = match self.direction {
            Direction::Forward => (self.outputs, self.inputs),
            Direction::Backward => (self.inputs, self.outputs),
        };
        for effect in self.effects {
            effect.apply(&mut Operands { direction: self.direction, rows: 0..rows, cols: 0..cols, weights, x });
        }
        Matrix::new(self.direction, weights, self.inputs, transposed)
    }

    /// The exact products with what was loaded.
    fn multiply(&self, matrix: Option<Matrix<'_>>, x: &[f32], y: &mut [f32], scratch: &mut Scratch) {
        let Scratch { inputs, weights, transposed, .. } = scratch;
        let matrix = matrix.unwrap_or_else(|| self.affected(inputs.values(0, x), weights, transposed));
        matrix.multiply(x, y, inputs);
    }

    /// Noise, output converter and managements of vector b of the group, whose exact product is `y`.
    #[allow(clippy::too_many_arguments)]
    fn convert(
        &self,
        matrix: Option<Matrix<'_>>,
        noise: &Stream,
        x: &[f32],
        scale: f32,
        y: &mut [f32],
        b: usize,
        scratch: &mut Scratch,
    ) -> MvmCost {
        let mut cost = MvmCost { mvms: 1, dac: x.len() as u64, adc: y.len() as u64 };
        if scale == 0.0 {
            y.fill(0.0);
            return cost;
        }
        let (settings, readout) = (self.mvm, Readout::new(self.mvm));
        let Scratch { inputs, weights, transposed, noise: buffer, saturated, repeated, values } = scratch;
        buffer.resize(y.len(), 0.0);
        saturated.clear();
        readout.read(noise, Outputs::All, y, buffer, settings.bound_management.then_some(&mut *saturated));
        for r in 1..=MAX_HALVINGS {
            if saturated.is_empty() {
                break;
            }
            let factor = (1_u32 << r) as f32;
            inputs.load(b, settings, x, scale * factor);
            let x = inputs.values(b, x);
            std::mem::swap(saturated, repeated);
            saturated.clear();
            values.resize(repeated.len(), 0.0);
            let matrix = matrix.unwrap_or_else(|| self.affected(x, weights, transposed));
            matrix.multiply_at(x, repeated, values);
            cost = cost.add(MvmCost { mvms: 1, dac: x.len() as u64, adc: repeated.len() as u64 });
            let outputs = Outputs::Repeated { positions: repeated, noise_start: u64::from(r) * y.len() as u64 };
            readout.read(noise, outputs, values, buffer, Some(saturated));
            for (&i, value) in repeated.iter().zip(&*values) {
                y[i as usize] = value * factor;
            }
        }
        rescale(y, scale);
        cost
    }
}
