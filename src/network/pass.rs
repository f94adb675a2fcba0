//! A mini-batch shared out among threads once: each takes its examples through all layers, forward and back.

use super::batch::Examples;
use super::initial::rescale;
use super::linear::LinearConfig;
use super::loss::{Loss, Targets};
use super::stage::Stage;
use super::{Activation, Network, Progress};
use crate::crossbar::{Cost, Direction, Pass, Scratch};
use crate::error::Result;
use crate::simd::TOGETHER;
use crate::workers::Workers;
use rayon::prelude::*;

/// Multiply-adds of a forward pass from which it pays: some 10 µs of one thread, thrice what handing over takes.
const WORTH: usize = 1 << 18;

/// What a thread keeps from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Own {
    scratch: Vec<Scratch>,
    delta: Vec<f32>,
    z: Vec<f32>,
    /// Loss of each example, and whether its class came out wrong.
    losses: Vec<(f64, bool)>,
    /// What the products of each layer took, forward and back.
    costs: Vec<[Cost; 2]>,
}

/// A layer as all threads see it.
enum Layer<'a> {
    Linear(&'a LinearConfig, &'a dyn Pass),
    Activation(Activation),
}

/// What a layer holds of the examples of one thread: inputs and δ (of layers with arrays), outputs.
struct Held<'a> {
    x: &'a mut [f32],
    delta: &'a mut [f32],
    y: &'a mut [f32],
}

/// The examples of one thread.
struct Part<'a> {
    first: usize,
    count: usize,
    held: Vec<Held<'a>>,
    own: &'a mut Own,
    done: Result<()>,
}

/// What is trained on.
#[derive(Clone, Copy)]
struct Batch<'a> {
    x: Examples<'a>,
    targets: Targets<'a>,
    examples: &'a [u32],
    loss: Loss,
}

impl Network {
    /// How many examples each thread takes, where all layers can be passed so and it pays.
    pub(super) fn part(&self, examples: usize, workers: &Workers) -> Option<usize> {
        let part = examples.div_ceil(workers.threads()).next_multiple_of(TOGETHER);
        let work = |stage: &Stage| match stage {
            Stage::Linear(layer) => layer.rule.passes().map(|_| stage.crosspoints()),
            Stage::Activation(_) => Some(0),
            _ => None,
        };
        let work: usize = if part < examples { self.stages.iter().map(work).sum::<Option<_>>()? } else { 0 };
        (examples.saturating_mul(work) >= WORTH).then_some(part)
    }

    /// Forward, δ of the loss, and backward, `part` examples to a thread; what layers then learn from lies ready.
    pub(super) fn pass(
        &mut self,
        x: Examples<'_>,
        targets: Targets<'_>,
        examples: &[u32],
        part: usize,
        workers: &Workers,
        progress: &mut Progress,
    ) -> Result<()> {
        let count = examples.len();
        self.own.resize_with(self.own.len().max(count.div_ceil(part)), Own::default);
        let firsts = (0..count).step_by(part);
        let mut parts: Vec<_> = (firsts.zip(&mut self.own))
            .map(|(first, own)| {
                let (count, held) = (part.min(count - first), Vec::with_capacity(self.stages.len()));
                Part { first, count, held, own, done: Ok(()) }
            })
            .collect();
        let mut layers = Vec::with_capacity(self.stages.len());
        let mut width = self.inputs;
        for (stage, values) in self.stages.iter_mut().zip(&mut self.values) {
            let (mut x, mut delta): (&mut [f32], &mut [f32]) = (&mut [], &mut []);
            let mut columns = 0;
            match stage {
                Stage::Linear(layer) => {
                    let layer = layer.as_mut();
                    (columns, width) = (layer.config.columns(), layer.config.outputs);
                    layer.x.resize(count * columns, 0.0);
                    layer.delta.resize(count * width, 0.0);
                    (x, delta) = (&mut layer.x, &mut layer.delta);
                    layers.push(Layer::Linear(&layer.config, layer.rule.passes().expect("a layer that can be passed")));
                }
                Stage::Activation(activation) => layers.push(Layer::Activation(*activation)),
                _ => unreachable!("a layer that cannot be passed"),
            }
            values.resize(count * width, 0.0);
            let mut y = values.as_mut_slice();
            let rows = if columns > 0 { width } else { 0 };
            for part in &mut parts {
                part.held.push(Held {
                    x: x.split_off_mut(..part.count * columns).expect("whole examples"),
                    delta: delta.split_off_mut(..part.count * rows).expect("whole examples"),
                    y: y.split_off_mut(..part.count * width).expect("whole examples"),
                });
            }
        }
        let batch = Batch { x, targets, examples, loss: self.loss };
        workers.split(|| parts.par_iter_mut().with_max_len(1).for_each(|part| part.done = part.run(&layers, batch)));
        let parted = parts.len();
        parts.into_iter().try_for_each(|part| part.done)?;
        for (k, rule) in self.stages.iter_mut().enumerate().filter_map(|(k, stage)| Some((k, stage.rule_mut()?))) {
            for (way, direction) in [Direction::Forward, Direction::Backward].into_iter().enumerate() {
                if k > 0 || direction == Direction::Forward {
                    let cost = self.own[..parted].iter().fold(Cost::default(), |sum, own| sum.add(own.costs[k][way]));
                    rule.passed(direction, count, cost);
                }
            }
        }
        for (loss, wrong) in self.own[..parted].iter().flat_map(|own| &own.losses) {
            progress.loss += loss;
            progress.errors += u64::from(*wrong);
        }
        Ok(())
    }
}

impl Part<'_> {
    fn run(&mut self, layers: &[Layer<'_>], batch: Batch<'_>) -> Result<()> {
        self.own.costs.clear();
        self.own.costs.resize(layers.len(), [Cost::default(); 2]);
        self.forward(layers, batch)?;
        self.error(batch);
        self.backward(layers)
    }

    fn forward(&mut self, layers: &[Layer<'_>], batch: Batch<'_>) -> Result<()> {
        for (k, layer) in layers.iter().enumerate() {
            let (before, now) = self.held.split_at_mut(k);
            let (before, Held { x, y, .. }) = (before.last(), &mut now[0]);
            match layer {
                Layer::Linear(config, pass) => {
                    let n = config.inputs;
                    for (b, x) in x.chunks_exact_mut(config.columns()).enumerate() {
                        let (values, one) = x.split_at_mut(n);
                        match before {
                            None => batch.x.write(batch.examples[self.first + b] as usize, 0, values),
                            Some(before) => values.copy_from_slice(&before.y[b * n..][..n]),
                        }
                        one.fill(1.0);
                    }
                    self.own.costs[k][0] = pass.product(Direction::Forward, self.first, x, y, &mut self.own.scratch)?;
                    rescale(y, config.scale);
                }
                Layer::Activation(activation) => {
                    y.copy_from_slice(before.expect("a layer with an array first").y);
                    activation.forward(y);
                }
            }
        }
        Ok(())
    }

    /// δ of the loss.
    fn error(&mut self, batch: Batch<'_>) {
        let Own { delta, losses, .. } = &mut *self.own;
        let y = &*self.held.last().expect("a network has a layer").y;
        delta.clear();
        delta.extend_from_slice(y);
        losses.clear();
        let share = 1.0 / batch.examples.len() as f32;
        for (y, &example) in delta.chunks_exact_mut(y.len() / self.count).zip(&batch.examples[self.first..]) {
            losses.push(batch.loss.gradient(y, batch.targets, example as usize));
            y.iter_mut().for_each(|d| *d *= share);
        }
    }

    fn backward(&mut self, layers: &[Layer<'_>]) -> Result<()> {
        let Own { scratch, delta, z, costs, .. } = &mut *self.own;
        for (k, layer) in layers.iter().enumerate().rev() {
            let held = &mut self.held[k];
            match layer {
                Layer::Linear(config, pass) => {
                    rescale(delta, config.scale);
                    held.delta.copy_from_slice(delta);
                    if k > 0 {
                        z.resize(held.x.len(), 0.0);
                        costs[k][1] = pass.product(Direction::Backward, self.first, held.delta, z, scratch)?;
                        delta.clear();
                        for z in z.chunks_exact(config.columns()) {
                            delta.extend_from_slice(&z[..config.inputs]);
                        }
                    }
                }
                Layer::Activation(activation) => activation.backward(held.y, delta),
            }
        }
        Ok(())
    }
}
