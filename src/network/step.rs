//! The one training step: examples go to threads, layers do the arithmetic.
//!
//! A mini-batch is one part, which all threads share layer by layer, or several parts, each of which one thread takes
//! through all layers. Both run the same code and give the same bits.

use super::layer::{Access, Batch, Layer, LayerInput, Memory, Part, Products, SavedPart, Shared, take};
use super::sequential::{Buffers, Network, Stage};
use super::tuning::{EXAMPLES_TOGETHER, SHARED_BATCH_MULTIPLY_ADDS, SINGLE_IMAGE_MULTIPLY_ADDS};
use super::{Examples, Loss, Progress, Targets};
use crate::crossbar::{Direction, MvmCost, Scratch, SharedProducts};
use crate::error::Result;
use crate::rule::{Rule, Sharing};
use crate::threads::Workers;
use rayon::prelude::*;

/// What is trained on.
#[derive(Clone, Copy)]
pub(super) struct Data<'a> {
    pub(super) x: Examples<'a>,
    pub(super) targets: Targets<'a>,
    pub(super) loss: Loss,
}

/// What threads keep from batch to batch; a copy of a network starts with none of it.
#[derive(Debug, Default)]
pub(super) struct Workspaces {
    /// For work that is not shared any further.
    alone: Workers,
    /// One for each part of a batch.
    parts: Vec<Workspace>,
}

impl Clone for Workspaces {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[derive(Debug, Default)]
struct Workspace {
    scratch: Vec<f32>,
    products: Vec<Scratch>,
    /// For layers of a part that have none of their own.
    memory: Memory,
    /// Loss of each output, and whether its class came out wrong.
    losses: Vec<(f64, bool)>,
    /// What the shared products of each layer cost, forward and backward.
    costs: Vec<[MvmCost; 2]>,
}

impl Network {
    /// One mini-batch: forward, δ of the loss, backward, and then every layer learns.
    ///
    /// The loss is the mean over the examples, and for sequences the sum over their time steps: a learning rate means
    /// the same for an example of any network.
    pub(super) fn step(
        &mut self,
        data: Data<'_>,
        examples: &[u32],
        lr_scale: f32,
        workers: &Workers,
        progress: &mut Progress,
    ) -> Result<()> {
        let (time_steps, sequences) = (data.x.time_steps, examples.len());
        let batch = Batch { time_steps, sequences, threads: workers.threads(), training: true };
        let each = self.examples_per_thread(sequences, workers).unwrap_or(sequences);
        let parts = self.forward_and_backward(data, examples, batch, each, workers)?;
        progress.samples += batch.vectors() as u64;
        for (loss, wrong) in self.workspaces.parts[..parts].iter().flat_map(|part| &part.losses) {
            progress.loss += loss;
            progress.errors += u64::from(*wrong);
        }
        let vectors = self.array_vectors(batch.vectors());
        learn(&mut self.stages, vectors, lr_scale, workers)
    }

    /// How many examples each thread takes through all layers, where the layers allow that and it pays.
    fn examples_per_thread(&self, examples: usize, workers: &Workers) -> Option<usize> {
        let each = examples.div_ceil(workers.threads()).next_multiple_of(EXAMPLES_TOGETHER);
        let shared = each < examples && self.stages.iter().all(Stage::shares_examples);
        (shared && examples.saturating_mul(self.multiply_adds()) >= SHARED_BATCH_MULTIPLY_ADDS).then_some(each)
    }

    /// Takes a batch through all layers and back, `each` examples at a time; returns the number of parts.
    fn forward_and_backward(
        &mut self,
        data: Data<'_>,
        examples: &[u32],
        batch: Batch,
        each: usize,
        workers: &Workers,
    ) -> Result<usize> {
        let small = batch.vectors() == 1 && self.multiply_adds() < SINGLE_IMAGE_MULTIPLY_ADDS;
        let (count, Workspaces { alone, parts }) = (examples.len().div_ceil(each), &mut self.workspaces);
        parts.resize_with(parts.len().max(count), Workspace::default);
        let depth = self.stages.len();
        let tasks = examples.chunks(each).zip(&mut *parts).enumerate();
        let mut tasks: Vec<_> =
            tasks.map(|(k, (examples, workspace))| Task::new(k * each, examples, depth, workspace)).collect();
        for stage in &mut self.stages {
            stage.resize(batch);
            deal(stage, &mut tasks, batch.sequences);
        }
        if let [task] = tasks.as_mut_slice() {
            task.run(data, batch, if small { alone } else { workers })?;
            return Ok(1);
        }
        let alone = &*alone;
        workers
            .split(|| tasks.into_par_iter().with_max_len(1).try_for_each(|mut task| task.run(data, batch, alone)))?;
        for (k, stage) in self.stages.iter_mut().enumerate() {
            let vectors = batch.sequences * stage.array_vectors();
            let Some(rule) = &mut stage.rule else { continue };
            for (way, direction) in [Direction::Forward, Direction::Backward].into_iter().enumerate() {
                if k > 0 || direction == Direction::Forward {
                    let costs = parts[..count].iter().map(|part| part.costs[k][way]);
                    rule.count_shared(direction, vectors, costs.fold(MvmCost::default(), MvmCost::add));
                }
            }
        }
        Ok(count)
    }
}

/// Gives every task its examples' share of a layer.
fn deal<'a>(stage: &'a mut Stage, tasks: &mut [Task<'a>], examples: usize) {
    let vectors = stage.array_vectors();
    let Stage { layer, rule, memory, buffers: Buffers { saved, y, dy }, .. } = stage;
    let layer: &'a dyn Layer = &**layer;
    let (mut saved, mut memory) = (saved.all(), Some(memory));
    let (mut y, mut dy) = (y.as_deref_mut(), dy.as_deref_mut());
    let (mut rule, shared): (Option<&'a mut dyn Rule>, _) = match rule {
        Some(rule) => {
            if tasks.len() > 1 {
                (None, rule.shared())
            } else {
                (Some(rule.as_mut()), None)
            }
        }
        None => (None, None),
    };
    let mut all = examples;
    for task in tasks {
        let count = task.examples.len();
        task.y.extend(y.as_mut().map(|y| take(y, count, all)));
        task.dy.extend(dy.as_mut().map(|dy| take(dy, count, all)));
        let (y, dy, saved) = (task.y.len() - 1, task.dy.len() - 1, saved.take(count, all));
        task.slots.push(Slot { layer, vectors, rule: rule.take(), shared, saved, memory: memory.take(), y, dy });
        all -= count;
    }
}

/// A layer as one task sees it.
struct Slot<'a> {
    layer: &'a dyn Layer,
    /// Vectors of its array for each example.
    vectors: usize,
    /// Its rule, which makes the products of a batch that one task does alone.
    rule: Option<&'a mut dyn Rule>,
    /// What makes them for tasks beside each other.
    shared: Option<&'a dyn SharedProducts>,
    saved: SavedPart<'a>,
    memory: Option<&'a mut Memory>,
    /// Which buffers of the task hold its outputs, and their gradient.
    y: usize,
    dy: usize,
}

impl Slot<'_> {
    fn part<'p>(
        &'p mut self,
        k: usize,
        first: usize,
        batch: Batch,
        workspace: &'p mut Workspace,
        workers: &'p Workers,
    ) -> Part<'p> {
        let Workspace { scratch, products, memory, costs, .. } = workspace;
        let products = match (&mut self.rule, self.shared) {
            (Some(rule), _) => Products::training(rule.visible_mut()),
            (None, Some(array)) => {
                let (first, costs) = (first * self.vectors, &mut costs[k]);
                Products(Access::Shared(Shared { array, first, scratch: products, costs }))
            }
            (None, None) => Products(Access::None),
        };
        let memory = self.memory.as_deref_mut().unwrap_or(memory);
        Part { batch, saved: self.saved.reborrow(), products, memory, scratch, workers }
    }
}

/// Examples on their way through all layers, forward and back.
struct Task<'a> {
    /// Number of its first example in the batch.
    first: usize,
    examples: &'a [u32],
    slots: Vec<Slot<'a>>,
    /// Outputs; layers in place share those of the layer before where its gradient does not need them.
    y: Vec<&'a mut [f32]>,
    /// dL/dy; layers in place share that of the layer before.
    dy: Vec<&'a mut [f32]>,
    workspace: &'a mut Workspace,
}

impl<'a> Task<'a> {
    fn new(first: usize, examples: &'a [u32], depth: usize, workspace: &'a mut Workspace) -> Self {
        let (y, dy) = (Vec::with_capacity(depth), Vec::with_capacity(depth));
        Self { first, examples, slots: Vec::with_capacity(depth), y, dy, workspace }
    }

    fn run(&mut self, data: Data<'_>, batch: Batch, workers: &Workers) -> Result<()> {
        let whole = batch.sequences;
        let batch = Batch { sequences: self.examples.len(), threads: workers.threads(), ..batch };
        self.workspace.costs.clear();
        self.workspace.costs.resize(self.slots.len(), [MvmCost::default(); 2]);
        self.forward(data, batch, workers)?;
        self.error(data, whole);
        self.backward(batch, workers)
    }

    fn forward(&mut self, data: Data<'_>, batch: Batch, workers: &Workers) -> Result<()> {
        let mut last = None;
        for (k, slot) in self.slots.iter_mut().enumerate() {
            let (before, y) = self.y.split_at_mut(slot.y);
            let (layer, y) = (slot.layer, &mut *y[0]);
            if !layer.carries()
                && let Some(memory) = &mut slot.memory
            {
                memory.clear();
            }
            let input = match before.last() {
                None => LayerInput::data(data.x, self.examples),
                Some(values) => LayerInput::from(&**values),
            };
            if layer.in_place() && last != Some(slot.y) {
                y.copy_from_slice(input.values());
            }
            last = Some(slot.y);
            layer.forward(input, y, &mut slot.part(k, self.first, batch, self.workspace, workers))?;
        }
        Ok(())
    }

    /// δ of the loss, the mean over all examples of the batch.
    fn error(&mut self, data: Data<'_>, whole: usize) {
        let (y, dy) = (self.y.last().expect("a network has a layer"), self.dy.last_mut().expect("as many"));
        dy.copy_from_slice(y);
        let losses = &mut self.workspace.losses;
        losses.clear();
        let (count, time_steps) = (self.examples.len(), data.x.time_steps);
        let outputs = dy.len() / (count * time_steps);
        for (k, dy) in dy.chunks_exact_mut(outputs).enumerate() {
            let output = self.examples[k % count] as usize * time_steps + k / count;
            losses.push(data.loss.share(dy, data.targets, output, whole));
        }
    }

    fn backward(&mut self, batch: Batch, workers: &Workers) -> Result<()> {
        for (k, slot) in self.slots.iter_mut().enumerate().rev() {
            let (before, dy) = self.dy.split_at_mut(slot.dy);
            let layer = slot.layer;
            let dx = if layer.in_place() { None } else { before.last_mut().map(|dx| &mut **dx) };
            let y = &*self.y[slot.y];
            layer.backward(y, dy[0], dx, &mut slot.part(k, self.first, batch, self.workspace, workers))?;
        }
        Ok(())
    }
}

/// Layers learn on their own: those below with half of the work on one thread, those above on another, as far as
/// their rules can share.
fn learn(stages: &mut [Stage], vectors: usize, lr_scale: f32, workers: &Workers) -> Result<()> {
    let needed = if vectors > 1 { Sharing::Batches } else { Sharing::Samples };
    let each = |stages: &mut [Stage]| stages.iter_mut().rev().try_for_each(|stage| stage.learn(lr_scale, workers));
    if workers.threads() == 1 || super::sequential::sharing(stages) < needed {
        return each(stages);
    }
    let half = stages.iter().map(Stage::lines).sum::<usize>().div_ceil(2);
    let mut sum = 0;
    let enough = |stage: &Stage| {
        sum += stage.lines();
        sum >= half
    };
    let (below, above) = stages.split_at_mut(stages.iter().position(enough).map_or(0, |k| k + 1));
    let (above, below) = workers.split(|| rayon::join(|| each(above), || each(below)));
    above.and(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{LayerConfig, LinearConfig};
    use crate::rule::{RuleConfig, Ttv1};

    /// Fours of examples to a thread, where there is work enough; never where a rule must see the whole batch.
    #[test]
    fn batches_are_shared_by_fours_where_it_pays() {
        let each = |gamma, examples, threads| {
            let linear =
                |inputs, outputs| LayerConfig::Linear(LinearConfig { inputs, outputs, bias: true, scale: 1.0 });
            let layers = [linear(37, 70), LayerConfig::Sigmoid, linear(70, 3)];
            let rule = RuleConfig::Ttv1(Ttv1 { gamma, ..Ttv1::default() });
            let network = Network::new(&layers, &rule, Loss::CrossEntropy, 1).expect("valid settings");
            network.examples_per_thread(examples, &Workers::new(threads).expect("few threads"))
        };
        assert_eq!(each(0.0, 100, 2), Some(52));
        assert_eq!(each(0.0, 239, 3), Some(80));
        for (gamma, examples, threads) in [(0.5, 100, 2), (0.0, 100, 1), (0.0, 40, 2), (0.0, 1, 2)] {
            assert_eq!(each(gamma, examples, threads), None, "{gamma} {examples} {threads}");
        }
    }
}
