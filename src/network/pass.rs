//! A mini-batch shared out among threads once: each takes its examples through all layers, forward and back.

use super::batch::Examples;
use super::loss::Targets;
use super::part::{Batch, Held, Layer, Own, Part};
use super::stage::Stage;
use super::{Network, Progress};
use crate::crossbar::{Direction, MvmCost};
use crate::error::Result;
use crate::simd::GEMM_VECTORS;
use crate::workers::Workers;
use rayon::prelude::*;

/// Multiply-adds of a forward pass from which it pays: some 10 µs of one thread, thrice what handing over takes.
const WORTH: usize = 1 << 18;

impl Network {
    /// How many examples each thread takes, where all layers can be passed so and it pays.
    pub(super) fn part(&self, examples: usize, workers: &Workers) -> Option<usize> {
        let part = examples.div_ceil(workers.threads()).next_multiple_of(GEMM_VECTORS);
        let work = |stage: &Stage| match stage {
            Stage::Lstm(_) => None,
            stage => match stage.rule() {
                Some(rule) => rule.shared().map(|_| stage.crosspoints() * stage.samples()),
                None => Some(0),
            },
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
            let mut held = Held::default();
            match stage {
                Stage::Linear(layer) => {
                    layer.make_room(count);
                    let layer = layer.as_mut();
                    width = layer.config.outputs;
                    held = Held { x: &mut layer.x, delta: &mut layer.delta, ..held };
                    layers.push(Layer::Linear(&layer.config, layer.rule.shared().expect("a layer that can be passed")));
                }
                Stage::Conv2d(layer) => {
                    layer.make_room(count, workers);
                    let layer = layer.as_mut();
                    width = layer.config.outputs();
                    held = Held { x: &mut layer.images, delta: &mut layer.delta, block: &mut layer.block, ..held };
                    layers.push(Layer::Conv2d(&layer.config, layer.rule.shared().expect("a layer that can be passed")));
                }
                Stage::MaxPool2d(layer) => {
                    width = layer.config.outputs();
                    layer.winners.resize(count * width, 0);
                    held.winners = &mut layer.winners;
                    layers.push(Layer::MaxPool2d(&layer.config));
                }
                Stage::Flatten(config) => layers.push(Layer::Flatten(config)),
                Stage::Activation(activation) => layers.push(Layer::Activation(*activation)),
                Stage::Lstm(_) => unreachable!("a layer that cannot be passed"),
            }
            values.resize(count * width, 0.0);
            held.y = values;
            let mut left = count;
            for part in &mut parts {
                part.held.push(held.split_off(part.count, left));
                left -= part.count;
            }
        }
        let batch = Batch { x, targets, examples, loss: self.loss };
        let parted = parts.len();
        workers.split(|| parts.into_par_iter().with_max_len(1).try_for_each(|mut part| part.run(&layers, batch)))?;
        for (k, stage) in self.stages.iter_mut().enumerate() {
            let vectors = count * stage.samples();
            let Some(rule) = stage.rule_mut() else { continue };
            for (way, direction) in [Direction::Forward, Direction::Backward].into_iter().enumerate() {
                if k > 0 || direction == Direction::Forward {
                    let cost =
                        self.own[..parted].iter().fold(MvmCost::default(), |sum, own| sum.add(own.costs[k][way]));
                    rule.count_shared(direction, vectors, cost);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{LayerConfig, LinearConfig, Loss};
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
