//! What a layer works with: the part of a mini-batch that it sees at a time, what is kept of it, and the array.

use super::Memory;
use crate::crossbar::{Direction, MvmCost, Scratch, SharedProducts, Visible};
use crate::error::{Error, Result};
use crate::network::data::Examples;
use crate::threads::Workers;

/// The vectors of a batch: those of the first time step, one of each sequence, then those of the second, …
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Vectors per sequence.
    pub time_steps: usize,
    /// Sequences, or single examples.
    pub sequences: usize,
    /// Threads that share the work.
    pub threads: usize,
    /// Whether a gradient follows.
    pub training: bool,
}

impl Batch {
    /// Vectors in all.
    pub fn vectors(self) -> usize {
        self.time_steps * self.sequences
    }
}

/// Values that a layer keeps of a batch, the same number for every example.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// Inputs of the array.
    pub inputs: usize,
    /// Intermediate results.
    pub work: usize,
    /// Positions.
    pub indices: usize,
}

/// What a layer keeps of a batch.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// Inputs of the array.
    pub inputs: Vec<f32>,
    /// Intermediate results.
    pub work: Vec<f32>,
    /// Positions.
    pub indices: Vec<u32>,
}

impl Saved {
    pub(in crate::network) fn resize(&mut self, sizes: Sizes) {
        self.inputs.resize(sizes.inputs, 0.0);
        self.work.resize(sizes.work, 0.0);
        self.indices.resize(sizes.indices, 0);
    }

    pub(in crate::network) fn all(&mut self) -> SavedPart<'_> {
        SavedPart { inputs: &mut self.inputs, work: &mut self.work, indices: &mut self.indices }
    }
}

/// The gradient of a whole batch, to learn from.
#[derive(Debug)]
pub struct BatchGradient<'a> {
    /// What the layer kept of the batch.
    pub saved: &'a mut Saved,
    /// dL/dy as `backward` left it.
    pub dy: &'a [f32],
    /// The schedule's factor on the learning rate of the rule.
    pub lr_scale: f32,
    /// Threads to share the work with.
    pub workers: &'a Workers,
}

/// What a layer keeps of a part of a batch.
#[derive(Debug, Default)]
pub struct SavedPart<'a> {
    /// Inputs of the array.
    pub inputs: &'a mut [f32],
    /// Intermediate results.
    pub work: &'a mut [f32],
    /// Positions.
    pub indices: &'a mut [u32],
}

impl<'a> SavedPart<'a> {
    /// Takes the first `count` of `all` examples out.
    pub(in crate::network) fn take(&mut self, count: usize, all: usize) -> Self {
        Self {
            inputs: take(&mut self.inputs, count, all),
            work: take(&mut self.work, count, all),
            indices: take(&mut self.indices, count, all),
        }
    }

    pub(in crate::network) fn reborrow(&mut self) -> SavedPart<'_> {
        SavedPart { inputs: self.inputs, work: self.work, indices: self.indices }
    }
}

/// Takes the values of the first `count` of `all` examples out.
pub(in crate::network) fn take<'a, T>(values: &mut &'a mut [T], count: usize, all: usize) -> &'a mut [T] {
    if count == all {
        return std::mem::take(values);
    }
    values.split_off_mut(..values.len() / all * count).expect("no more examples than there are")
}

/// The inputs of a layer: vectors of the data for the first layer, outputs of the layer before for the others.
#[derive(Clone, Copy, Debug)]
pub struct LayerInput<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Data { x: Examples<'a>, examples: &'a [u32] },
    Values(&'a [f32]),
}

impl<'a> LayerInput<'a> {
    pub(in crate::network) fn data(x: Examples<'a>, examples: &'a [u32]) -> Self {
        Self(Source::Data { x, examples })
    }

    /// Writes vector number `k` into `to`.
    #[inline]
    pub fn write(self, k: usize, to: &mut [f32]) {
        match self.0 {
            Source::Data { x, examples } => x.write(examples[k % examples.len()] as usize, k / examples.len(), to),
            Source::Values(values) => to.copy_from_slice(&values[k * to.len()..][..to.len()]),
        }
    }

    /// All vectors.
    ///
    /// # Panics
    /// In a layer with an array, which may come first in a network: it asks for vectors one by one.
    pub fn values(self) -> &'a [f32] {
        match self.0 {
            Source::Data { .. } => unreachable!("a network starts with a layer that has an array"),
            Source::Values(values) => values,
        }
    }
}

impl<'a> From<&'a [f32]> for LayerInput<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self(Source::Values(values))
    }
}

/// The part of a batch that a layer sees at a time: all of it, with all threads, or the examples of one thread.
#[derive(Debug)]
pub struct Part<'a> {
    /// Its vectors, and the threads that share the work inside it.
    pub batch: Batch,
    /// What is kept of it.
    pub saved: SavedPart<'a>,
    /// The array.
    pub products: Products<'a>,
    /// What sequences start from, and end in.
    pub memory: &'a mut Memory,
    /// Room for any layer; what it holds is of no use to the next one.
    pub scratch: &'a mut Vec<f32>,
    /// The threads.
    pub workers: &'a Workers,
}

/// Products with the array of a layer, whoever makes them.
#[derive(Debug)]
pub struct Products<'a>(pub(in crate::network) Access<'a>);

#[derive(Debug)]
pub(in crate::network) enum Access<'a> {
    /// The layer has no array.
    None,
    /// The weights make and count them.
    Weights(&'a mut dyn Visible),
    /// Each thread makes its own, whose first vector is number `first` of the batch.
    Shared(Shared<'a>),
    /// With the noise of evaluation vector `draw` and those after it.
    Evaluation { weights: &'a dyn Visible, draw: u64 },
}

#[derive(Debug)]
pub(in crate::network) struct Shared<'a> {
    pub(in crate::network) array: &'a dyn SharedProducts,
    pub(in crate::network) first: usize,
    pub(in crate::network) scratch: &'a mut Vec<Scratch>,
    /// Of forward and backward products.
    pub(in crate::network) costs: &'a mut [MvmCost; 2],
}

impl Shared<'_> {
    fn run(&mut self, direction: Direction, first: usize, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        let cost = self.array.product(direction, self.first + first, x, y, self.scratch, workers)?;
        let sum = &mut self.costs[usize::from(direction == Direction::Backward)];
        *sum = sum.add(cost);
        Ok(())
    }
}

impl<'a> Products<'a> {
    /// Those of training, with `weights`.
    pub(crate) fn training(weights: &'a mut dyn Visible) -> Self {
        Self(Access::Weights(weights))
    }

    /// Those of an evaluation, whose first vector has the noise of `draw`.
    pub(crate) fn evaluation(weights: &'a dyn Visible, draw: u64) -> Self {
        Self(Access::Evaluation { weights, draw })
    }

    /// y = W x for vectors of the array, of which the first is number `first` of the part.
    ///
    /// # Errors
    /// Those of the rule, a layer without an array.
    pub fn forward(&mut self, first: usize, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        match &mut self.0 {
            Access::None => Err(no_array()),
            Access::Weights(weights) => weights.forward(x, y, workers),
            Access::Shared(shared) => shared.run(Direction::Forward, first, x, y, workers),
            Access::Evaluation { weights, draw } => weights.evaluate(draw.wrapping_add(first as u64), x, y, workers),
        }
    }

    /// z = Wᵀ δ for vectors of the array, of which the first is number `first` of the part.
    ///
    /// # Errors
    /// Those of the rule, a layer without an array, an evaluation.
    pub fn backward(&mut self, first: usize, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        match &mut self.0 {
            Access::Weights(weights) => weights.backward(delta, z, workers),
            Access::Shared(shared) => shared.run(Direction::Backward, first, delta, z, workers),
            Access::None | Access::Evaluation { .. } => Err(no_array()),
        }
    }
}

fn no_array() -> Error {
    Error::Conflict("a layer asked for products of an array that it does not have".to_owned())
}
