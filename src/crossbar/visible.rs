//! What a network sees of a rule: a matrix that it multiplies with, reads and writes.

use super::lines::peek_columns;
use super::mvm::{Direction, MvmCost, Products, Scratch};
use super::{Crossbar, Programming, transpose};
use crate::check::check_len;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::random::Operation;
use crate::simd;
use crate::threads::Workers;
use std::fmt::Debug;

/// The weights W of a layer, `rows` outputs × `cols` inputs, as a network sees them: an array, a sum of arrays, or exact
/// numbers.
///
/// Vectors of a batch lie one after another; weights are row-major.
pub trait Visible: Debug + Send + Sync {
    /// (rows, cols): (outputs, inputs).
    fn shape(&self) -> (usize, usize);

    /// y = W x as hardware computes it, for every vector of a batch.
    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()>;

    /// z = Wᵀ δ as hardware computes it, for every vector of a batch.
    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()>;

    /// The products of [`forward`](Visible::forward) and [`backward`](Visible::backward) for threads that share a
    /// mini-batch; `None` if the weights must see the whole batch at once.
    fn shared(&self) -> Option<&dyn SharedProducts> {
        None
    }

    /// Counts the products of `vectors` vectors that [`shared`](Visible::shared) made, all of a mini-batch.
    fn count_shared(&mut self, _direction: Direction, _vectors: usize, _cost: MvmCost) {}

    /// y = W x with the noise of vector `draw`, `draw + 1`, … of the evaluation stream; no state changes.
    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()>;

    /// Copies the weights without any periphery: for inspection and tests, no operation of hardware.
    ///
    /// # Errors
    /// `out` of another length.
    fn copy_weights(&self, out: &mut [f32]) -> Result<()>;

    /// The weights of [`copy_weights`](Visible::copy_weights) in memory of their own.
    fn weights(&self) -> Result<Vec<f32>> {
        let (rows, cols) = self.shape();
        let mut weights = vec![0.0; rows * cols];
        self.copy_weights(&mut weights)?;
        Ok(weights)
    }

    /// Sets the weights, each clipped to what its device can hold.
    fn set_weights(&mut self, weights: &[f32]) -> Result<()>;

    /// Writes weights the way hardware does; returns the pulses sent.
    ///
    /// # Errors
    /// Weights of another length or not finite, a method that there are no devices for.
    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        match method {
            Programming::Exact => self.set_weights(target).map(|()| 0),
            _ => Err(Error::Conflict("this rule has no devices to program; use the method exact".to_owned())),
        }
    }

    /// The weights, read column by column through the periphery with the noise of read `draw`; no state changes.
    fn read_weights(&self, draw: u64) -> Result<Vec<f32>>;
}

/// Products with weights that stay as they are, for threads that share a mini-batch: each takes some of its vectors
/// through a whole network.
pub trait SharedProducts: Debug + Sync {
    /// The products of the vectors `x`, of which the first is number `first` of the mini-batch, into `y`, and what they
    /// took. Only `scratch` changes, and each thread has its own.
    ///
    /// # Errors
    /// Lengths that do not fit.
    fn product(
        &self,
        direction: Direction,
        first: usize,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Vec<Scratch>,
        workers: &Workers,
    ) -> Result<MvmCost>;
}

impl<D: Device> Crossbar<D> {
    pub(super) fn products(&self, direction: Direction) -> Products<'_> {
        let (mvm, inputs, outputs) = match direction {
            Direction::Forward => (&self.setup.periphery.forward, self.cols, self.rows),
            Direction::Backward => (&self.setup.periphery.backward, self.rows, self.cols),
        };
        let errors = self.converters.as_ref().map(|converters| converters.of(direction));
        Products { lines: &self.weights, direction, mvm, effects: &self.setup.effects, errors, inputs, outputs }
    }

    pub(super) fn count_conversions(&mut self, cost: MvmCost) {
        self.counts.dac_conversions += cost.dac;
        self.counts.adc_conversions += cost.adc;
    }

    /// The products of a whole batch, counted.
    fn multiply(&mut self, direction: Direction, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let cost = self.product(direction, 0, x, y, &mut scratch, workers);
        self.scratch = scratch;
        self.count_shared(direction, x.len() / self.products(direction).inputs, cost?);
        Ok(())
    }
}

impl<D: Device> SharedProducts for Crossbar<D> {
    fn product(
        &self,
        direction: Direction,
        first: usize,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Vec<Scratch>,
        workers: &Workers,
    ) -> Result<MvmCost> {
        let (operation, position) = match direction {
            Direction::Forward => (Operation::Forward, self.steps.forward),
            Direction::Backward => (Operation::Backward, self.steps.backward),
        };
        let noise = |k| self.stream(operation, k);
        self.products(direction).run(noise, position + first as u64, x, y, scratch, workers)
    }
}

impl<D: Device> Visible for Crossbar<D> {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.multiply(Direction::Forward, x, y, workers)
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.multiply(Direction::Backward, delta, z, workers)
    }

    fn shared(&self) -> Option<&dyn SharedProducts> {
        Some(self)
    }

    fn count_shared(&mut self, direction: Direction, vectors: usize, cost: MvmCost) {
        let (mvms, position) = match direction {
            Direction::Forward => (&mut self.counts.forward_mvms, &mut self.steps.forward),
            Direction::Backward => (&mut self.counts.backward_mvms, &mut self.steps.backward),
        };
        *mvms += cost.mvms;
        *position += vectors as u64;
        self.counts.retries += cost.retries;
        self.count_conversions(cost);
    }

    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        let noise = |k| self.stream(Operation::Evaluate, k);
        self.products(Direction::Forward).run(noise, draw, x, y, &mut Vec::new(), workers)?;
        Ok(())
    }

    fn copy_weights(&self, out: &mut [f32]) -> Result<()> {
        check_len("weights", out.len(), self.weights.len())?;
        simd::transpose(&self.weights, self.rows, out);
        Ok(())
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        check_len("weights", weights.len(), self.weights.len())?;
        self.hold(&transpose(weights, self.cols, self.rows));
        Ok(())
    }

    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        self.write(target, method)
    }

    fn read_weights(&self, draw: u64) -> Result<Vec<f32>> {
        peek_columns(self, draw)
    }
}
