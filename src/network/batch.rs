//! The vectors of a mini-batch, and the data that they come from.

use crate::error::{Error, Result, check_finite};

/// What a network is fed with.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a> {
    /// ReadVectors of numbers, one after another.
    Values(&'a [f32]),
    /// Codes, each taken as the vector that is 1 there and 0 elsewhere.
    Codes(&'a [u32]),
}

/// Examples for a network: one vector each, or a sequence of them.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    /// ReadVectors of the first example in their order, then those of the second, …
    pub inputs: Inputs<'a>,
    /// ReadVectors of each example: 1, or the length of the sequences.
    pub steps: usize,
}

impl<'a> From<&'a [f32]> for Examples<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self { inputs: Inputs::Values(values), steps: 1 }
    }
}

impl<'a> From<&'a Vec<f32>> for Examples<'a> {
    fn from(values: &'a Vec<f32>) -> Self {
        values.as_slice().into()
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Examples<'a> {
    fn from(values: &'a [f32; N]) -> Self {
        values.as_slice().into()
    }
}

impl<'a> Examples<'a> {
    /// Sequences of `steps` codes each, one after another.
    pub fn codes(codes: &'a [u32], steps: usize) -> Self {
        Self { inputs: Inputs::Codes(codes), steps }
    }

    /// The number of examples, where the vectors have `width` values.
    pub(super) fn count(&self, width: usize) -> Result<usize> {
        if self.steps == 0 {
            return Err(Error::range("steps", 0.0, "1 or more"));
        }
        let (given, each) = match self.inputs {
            Inputs::Values(values) => (values.len(), self.steps.saturating_mul(width)),
            Inputs::Codes(codes) => (codes.len(), self.steps),
        };
        if given.is_multiple_of(each) {
            Ok(given / each)
        } else {
            Err(Error::Length { what: "x", given, expected: format!("a multiple of {each}") })
        }
    }

    /// Requires finite numbers, or codes below `width`, in the examples `order`.
    pub(super) fn check(&self, width: usize, order: &[u32]) -> Result<()> {
        for &example in order {
            let first = example as usize * self.steps;
            match self.inputs {
                Inputs::Values(values) => check_finite("x", &values[first * width..][..self.steps * width])?,
                Inputs::Codes(codes) => check_codes("x", &codes[first..][..self.steps], width)?,
            }
        }
        Ok(())
    }

    /// Vector number `step` of an example.
    pub(super) fn write(&self, example: usize, step: usize, to: &mut [f32]) {
        let k = example * self.steps + step;
        match self.inputs {
            Inputs::Values(values) => to.copy_from_slice(&values[k * to.len()..][..to.len()]),
            Inputs::Codes(codes) => {
                to.fill(0.0);
                to[codes[k] as usize] = 1.0;
            }
        }
    }
}

/// Requires codes below `width`.
pub(super) fn check_codes(what: &str, codes: &[u32], width: usize) -> Result<()> {
    match codes.iter().find(|&&code| code as usize >= width) {
        Some(&code) => Err(Error::range(what, f64::from(code), format!("codes 0 to {}", width - 1))),
        None => Ok(()),
    }
}

/// The vectors of a mini-batch: all those of the first step, one of each sequence, then those of the second, …
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// ReadVectors per sequence.
    pub(super) steps: usize,
    /// Sequences, or single examples.
    pub(super) sequences: usize,
}

impl Shape {
    pub(super) fn vectors(self) -> usize {
        self.steps * self.sequences
    }
}

/// Writes input vector number k of a mini-batch into its argument.
pub(super) type Input<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// Noise of evaluations: vector number `first` of evaluation `draw`, and those that follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    pub(super) draw: u64,
    pub(super) first: u64,
}

impl Draw {
    /// The number of the first product, where every vector takes `products` of them: evaluations and their
    /// vectors never share noise, up to 2³² products of one evaluation.
    pub(super) fn product(self, products: usize) -> u64 {
        (self.draw << 32).wrapping_add(self.first.wrapping_mul(products as u64))
    }

    /// Some vectors on.
    pub(super) fn after(self, vectors: usize) -> Self {
        Self { first: self.first + vectors as u64, ..self }
    }
}
