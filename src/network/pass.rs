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
    /// Its products are not shared any further.
    alone: Workers,
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
                Part { first, count, held, own }
            })
            .collect();
        let mut layers = Vec::with_capacity(self.stages.len());
        let mut width = 0;
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
        let parted = parts.len();
        workers.split(|| parts.into_par_iter().with_max_len(1).try_for_each(|mut part| part.run(&layers, batch)))?;
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
                    let (n, first) = (config.inputs, self.first);
                    let input = |b: usize, to: &mut [f32]| match before {
                        None => batch.x.write(batch.examples[first + b] as usize, 0, to),
                        Some(before) => to.copy_from_slice(&before.y[b * n..][..n]),
                    };
                    for (b, x) in x.chunks_exact_mut(config.columns()).enumerate() {
                        config.feed(b, &input, x);
                    }
                    let Own { scratch, costs, alone, .. } = &mut *self.own;
                    costs[k][0] = pass.product(Direction::Forward, first, x, y, scratch, alone)?;
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
        for (y, &example) in delta.chunks_exact_mut(y.len() / self.count).zip(&batch.examples[self.first..]) {
            losses.push(batch.loss.share(y, batch.targets, example as usize, batch.examples.len()));
        }
    }

    fn backward(&mut self, layers: &[Layer<'_>]) -> Result<()> {
        let Own { scratch, delta, z, costs, alone, .. } = &mut *self.own;
        for (k, layer) in layers.iter().enumerate().rev() {
            let held = &mut self.held[k];
            match layer {
                Layer::Linear(config, pass) => {
                    rescale(delta, config.scale);
                    held.delta.copy_from_slice(delta);
                    if k > 0 {
                        z.resize(held.x.len(), 0.0);
                        costs[k][1] = pass.product(Direction::Backward, self.first, held.delta, z, scratch, alone)?;
                        config.take(z, delta);
                    }
                }
                Layer::Activation(activation) => activation.backward(held.y, delta),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{LayerConfig, LinearConfig};
    use crate::rule::{RuleConfig, Ttv1};

    /// Fours of examples to a thread, where there is work enough; never where a rule must see the whole batch.
    #[test]
    fn what_is_shared() {
        let part = |gamma, examples, threads| {
            let linear =
                |inputs, outputs| LayerConfig::Linear(LinearConfig { inputs, outputs, bias: true, scale: 1.0 });
            let layers = [linear(37, 70), LayerConfig::Sigmoid, linear(70, 3)];
            let rule = RuleConfig::Ttv1(Ttv1 { gamma, ..Ttv1::default() });
            let network = Network::new(&layers, &rule, Loss::CrossEntropy, 1).expect("valid settings");
            network.part(examples, &Workers::new(threads).expect("few threads"))
        };
        assert_eq!(part(0.0, 100, 2), Some(52));
        assert_eq!(part(0.0, 239, 3), Some(80));
        for (gamma, examples, threads) in [(0.5, 100, 2), (0.0, 100, 1), (0.0, 40, 2), (0.0, 1, 2)] {
            assert_eq!(part(gamma, examples, threads), None, "{gamma} {examples} {threads}");
        }
    }
}
