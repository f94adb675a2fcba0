//! The data that a network is fed with.

use crate::check::{check_batch, check_finite, check_index, check_some, number};
use crate::error::Result;

/// What a network is fed with.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a> {
    /// Vectors of numbers, one after another.
    Values(&'a [f32]),
    /// Codes, each taken as the vector that is 1 there and 0 elsewhere.
    Codes(&'a [u32]),
}

/// Examples for a network: one vector each, or a sequence of them.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    /// Vectors of the first example in their order, then those of the second, …
    pub inputs: Inputs<'a>,
    /// Vectors of each example: 1, or the length of the sequences.
    pub time_steps: usize,
}

impl<'a> From<&'a [f32]> for Examples<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self { inputs: Inputs::Values(values), time_steps: 1 }
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
    /// Sequences of `time_steps` codes each, one after another.
    pub fn codes(codes: &'a [u32], time_steps: usize) -> Self {
        Self { inputs: Inputs::Codes(codes), time_steps }
    }

    /// The number of examples, where the vectors have `width` values.
    pub(super) fn count(&self, width: usize) -> Result<usize> {
        check_some("time_steps", self.time_steps)?;
        let (given, each) = match self.inputs {
            Inputs::Values(values) => (values.len(), self.time_steps.saturating_mul(width)),
            Inputs::Codes(codes) => (codes.len(), self.time_steps),
        };
        check_batch("x", given, each)
    }

    /// Requires finite numbers, or codes below `width`, in the examples `order`.
    pub(super) fn check(&self, width: usize, order: &[u32]) -> Result<()> {
        check_each(order, self.time_steps, |k| match self.inputs {
            Inputs::Values(values) => check_finite("x", &values[k * width..][..width]),
            Inputs::Codes(codes) => check_index("x", codes[k] as usize, width),
        })
    }

    /// Vector number `time_step` of an example.
    pub(super) fn write(&self, example: usize, time_step: usize, to: &mut [f32]) {
        let k = example * self.time_steps + time_step;
        match self.inputs {
            Inputs::Values(values) => to.copy_from_slice(&values[k * to.len()..][..to.len()]),
            Inputs::Codes(codes) => {
                to.fill(0.0);
                to[codes[k] as usize] = 1.0;
            }
        }
    }
}

/// Checks each vector, by its number, of the examples `order`; errors name the example, and the step of a sequence.
pub(super) fn check_each(order: &[u32], time_steps: usize, check: impl Fn(usize) -> Result<()>) -> Result<()> {
    for &example in order {
        for step in 0..time_steps {
            check(example as usize * time_steps + step).map_err(|error| {
                let example = format!("example {}", number(f64::from(example)));
                error.of(&if time_steps > 1 { format!("{example}, step {}", number(step as f64)) } else { example })
            })?;
        }
    }
    Ok(())
}
