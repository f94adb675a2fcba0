//! The examples of one thread on their way through all layers, forward and back.

use super::Activation;
use super::batch::Examples;
use super::conv2d::Conv2dConfig;
use super::initial::rescale;
use super::linear::LinearConfig;
use super::loss::{Loss, Targets};
use super::pool::{FlattenConfig, MaxPool2dConfig};
use crate::crossbar::{Direction, MvmCost, Scratch, SharedProducts};
use crate::error::Result;
use crate::workers::Workers;

/// What a thread keeps from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Its products are not shared any further.
    alone: Workers,
    scratch: Vec<Scratch>,
    delta: Vec<f32>,
    z: Vec<f32>,
    /// Patches that the layer has no room for.
    block: Vec<f32>,
    /// Loss of each example, and whether its class came out wrong.
    pub(super) losses: Vec<(f64, bool)>,
    /// What the products of each layer took, forward and back.
    pub(super) costs: Vec<[MvmCost; 2]>,
}

/// A layer as all threads see it.
pub(super) enum Layer<'a> {
    Linear(&'a LinearConfig, &'a dyn SharedProducts),
    Conv2d(&'a Conv2dConfig, &'a dyn SharedProducts),
    MaxPool2d(&'a MaxPool2dConfig),
    Flatten(&'a FlattenConfig),
    Activation(Activation),
}

/// What a layer holds of some examples: inputs and δ (of layers with arrays), patches (if it keeps them), where the
/// largest values were (of pooling), outputs.
#[derive(Default)]
pub(super) struct Held<'a> {
    pub(super) x: &'a mut [f32],
    pub(super) delta: &'a mut [f32],
    pub(super) block: &'a mut [f32],
    pub(super) winners: &'a mut [u32],
    pub(super) y: &'a mut [f32],
}

impl Held<'_> {
    /// Parts with the first `some` of `all` examples.
    pub(super) fn split_off(&mut self, some: usize, all: usize) -> Self {
        fn first<'a, T>(of: &mut &'a mut [T], some: usize, all: usize) -> &'a mut [T] {
            of.split_off_mut(..of.len() / all * some).expect("whole examples")
        }
        Self {
            x: first(&mut self.x, some, all),
            delta: first(&mut self.delta, some, all),
            block: first(&mut self.block, some, all),
            winners: first(&mut self.winners, some, all),
            y: first(&mut self.y, some, all),
        }
    }
}

/// What is trained on.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) x: Examples<'a>,
    pub(super) targets: Targets<'a>,
    pub(super) examples: &'a [u32],
    pub(super) loss: Loss,
}

/// The examples of one thread.
pub(super) struct Part<'a> {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) held: Vec<Held<'a>>,
    pub(super) own: &'a mut Own,
}

impl Part<'_> {
    pub(super) fn run(&mut self, layers: &[Layer<'_>], batch: Batch<'_>) -> Result<()> {
        self.own.costs.clear();
        self.own.costs.resize(layers.len(), [MvmCost::default(); 2]);
        self.forward(layers, batch)?;
        self.error(batch);
        self.backward(layers)
    }

    fn forward(&mut self, layers: &[Layer<'_>], batch: Batch<'_>) -> Result<()> {
        let (first, count) = (self.first, self.count);
        let Own { scratch, costs, alone, block: spare, .. } = &mut *self.own;
        for (k, layer) in layers.iter().enumerate() {
            let (before, now) = self.held.split_at_mut(k);
            let before = before.last().map(|held| &*held.y);
            let Held { x, y, block, winners, .. } = &mut now[0];
            let input = |b: usize, to: &mut [f32]| match before {
                None => batch.x.write(batch.examples[first + b] as usize, 0, to),
                Some(values) => to.copy_from_slice(&values[b * to.len()..][..to.len()]),
            };
            match layer {
                Layer::Linear(config, pass) => {
                    for (b, x) in x.chunks_exact_mut(config.columns()).enumerate() {
                        config.feed(b, &input, x);
                    }
                    costs[k][0] = pass.product(Direction::Forward, first, x, y, scratch, alone)?;
                    rescale(y, config.scale);
                }
                Layer::Conv2d(config, pass) => {
                    let (n, m, cols) = (config.inputs(), config.filters, config.columns());
                    let patches = config.patches();
                    x.chunks_exact_mut(n).enumerate().for_each(|(b, image)| input(b, image));
                    for range in config.blocks(count, 1) {
                        let to = if block.is_empty() {
                            spare.resize(range.len() * cols, 0.0);
                            &mut spare[..]
                        } else {
                            &mut block[range.start * cols..range.end * cols]
                        };
                        config.unfold(x, range.start, to);
                        let (number, y) = (first * patches + range.start, &mut y[range.start * m..range.end * m]);
                        let cost = pass.product(Direction::Forward, number, to, y, scratch, alone)?;
                        costs[k][0] = costs[k][0].add(cost);
                    }
                    rescale(y, config.scale);
                }
                Layer::MaxPool2d(config) => config.pool(before.expect(FIRST), y, winners),
                Layer::Flatten(config) => config.forward(before.expect(FIRST), y),
                Layer::Activation(activation) => {
                    y.copy_from_slice(before.expect(FIRST));
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
                Layer::Conv2d(config, pass) => {
                    rescale(delta, config.scale);
                    held.delta.copy_from_slice(delta);
                    if k > 0 {
                        let (n, m, cols) = (config.inputs(), config.filters, config.columns());
                        let patches = config.patches();
                        delta.clear();
                        delta.resize(held.x.len(), 0.0);
                        for range in config.blocks(self.count, 1) {
                            z.resize(range.len() * cols, 0.0);
                            let number = self.first * patches + range.start;
                            let from = &held.delta[range.start * m..range.end * m];
                            let cost = pass.product(Direction::Backward, number, from, z, scratch, alone)?;
                            costs[k][1] = costs[k][1].add(cost);
                            config.fold(z, range.start, &mut delta[range.start / patches * n..]);
                        }
                    }
                }
                Layer::MaxPool2d(config) => {
                    z.resize(self.count * config.inputs(), 0.0);
                    config.spread(delta, held.winners, z);
                    std::mem::swap(delta, z);
                }
                Layer::Flatten(config) => {
                    z.resize(delta.len(), 0.0);
                    config.backward(delta, z);
                    std::mem::swap(delta, z);
                }
                Layer::Activation(activation) => activation.backward(held.y, delta),
            }
        }
        Ok(())
    }
}

/// What [`Network::with_rules`](super::Network::with_rules) sees to.
const FIRST: &str = "a layer with an array comes first";
