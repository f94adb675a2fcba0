//! Training on examples in mini-batches.

use super::sequential::{Network, Stage, sharing};
use super::step::Data;
use super::tuning::SINGLE_EXAMPLE_CROSSPOINTS;
use super::{Examples, Targets};
use crate::check::{check_index, check_not_negative, check_some};
use crate::error::{Error, Result};
use crate::rule::Sharing;
use crate::threads::Workers;
use std::borrow::Cow;

/// How a network is trained. More may come: write `TrainOptions { batch: 8, ..TrainOptions::default() }`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainOptions<'a> {
    /// The examples to train on, by number, in this order; all of them in turn if `None`.
    pub order: Option<&'a [u32]>,
    /// Examples per mini-batch.
    pub batch: usize,
    /// The schedule's factor on the learning rates.
    pub lr_scale: f32,
}

/// Every example once, one at a time, at the learning rates of the rules.
impl Default for TrainOptions<'_> {
    fn default() -> Self {
        Self { order: None, batch: 1, lr_scale: 1.0 }
    }
}

/// The result of a stretch of training, or of an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Sum of the losses of all outputs.
    pub loss: f64,
    /// Outputs whose class came out wrong.
    pub errors: u64,
    /// Outputs seen: one for each example, or for each time step of each sequence.
    pub samples: u64,
}

impl Network {
    /// Trains on examples of `x` in mini-batches. Targets lie as the vectors of `x` do: one for each time step of each
    /// example.
    ///
    /// # Errors
    /// Data of the wrong shape or not finite, targets of the wrong kind, a batch of 0: nothing has changed then. An
    /// error of a rule written by a user ends the training where it is.
    pub fn train<'a>(
        &mut self,
        x: impl Into<Examples<'a>>,
        targets: Targets<'a>,
        options: TrainOptions<'_>,
        workers: &Workers,
    ) -> Result<Progress> {
        let (x, TrainOptions { order, batch, lr_scale }) = (x.into(), options);
        check_some("batch", batch)?;
        check_not_negative("lr_scale", f64::from(lr_scale))?;
        let order = self.check(x, Some(targets), order)?;
        let largest = self.stages.iter().map(Stage::crosspoints).max().unwrap_or(0);
        let vectors = self.array_vectors(batch.saturating_mul(x.time_steps));
        let one = Workers::default();
        // On one of the pool's own threads, since handing work over from outside is slow; rules that know
        // nothing of threads stay on the caller's.
        let (in_pool, inside) = match sharing(&self.stages) {
            Sharing::Batches if vectors == 1 && largest < SINGLE_EXAMPLE_CROSSPOINTS => (false, &one),
            sharing => (sharing > Sharing::Never, workers),
        };
        let data = Data { x, targets, loss: self.loss };
        let (mut batches, mut progress) = (order.chunks(batch), Progress::default());
        workers.steps(in_pool, || match batches.next() {
            Some(examples) => self.step(data, examples, lr_scale, inside, &mut progress).map(|()| true),
            None => Ok(false),
        })?;
        Ok(progress)
    }

    /// Checks all data before anything is touched; returns the examples to visit, all of them if there is no `order`.
    pub(super) fn check<'a>(
        &self,
        x: Examples<'_>,
        targets: Option<Targets<'_>>,
        order: Option<&'a [u32]>,
    ) -> Result<Cow<'a, [u32]>> {
        let examples = x.count(self.inputs())?;
        if x.time_steps > 1 && !self.recurrent() {
            return Err(Error::range("time_steps", x.time_steps as f64, "1 (no layer looks back)"));
        }
        let order = order.map_or_else(|| (0..examples as u32).collect(), Cow::from);
        if examples == 0 && !order.is_empty() {
            return Err(Error::Length { what: "x", given: 0, expected: "1 or more".to_owned() });
        }
        order.iter().try_for_each(|&s| check_index("order", s as usize, examples))?;
        let each = once(&order, examples);
        x.check(self.inputs(), &each)?;
        if let Some(targets) = targets {
            self.loss.check(targets, examples, x.time_steps, self.outputs(), &each)?;
        }
        Ok(order)
    }
}

/// The examples of `order`, each once if some must be there twice.
fn once(order: &[u32], examples: usize) -> Cow<'_, [u32]> {
    if order.len() <= examples {
        return order.into();
    }
    let mut new = vec![true; examples];
    order.iter().copied().filter(|&s| std::mem::take(&mut new[s as usize])).collect()
}
