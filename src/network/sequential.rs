//! Layers in a row, trained by whole mini-batch steps: forward, backward, update.

use super::batch::{Examples, Shape};
use super::initial::Place;
use super::lstm::Memory;
use super::part::Own;
use super::stage::Stage;
use super::values::Values;
use super::{Initial, LayerConfig, Loss, Targets};
use crate::error::{Error, Result, check_finite, check_len};
use crate::ledger::Ledger;
use crate::rule::{Rule, RuleConfig, Sharing};
use crate::workers::Workers;

/// Crosspoints of a layer from which threads may share a single sample of rules that change what they read.
const SPLIT_SAMPLE: usize = 1 << 20;

/// Multiply-adds of a forward pass from which threads share a single image, patch by patch, layer by layer: below,
/// fetching what the other core has in its caches takes as long as the work (measured).
const SPLIT_LAYERS: usize = 1 << 21;

/// Layers learn on their own: those below with half of the work on one thread, those above on another, as far as
/// their rules can share.
fn learn(stages: &mut [Stage], samples: usize, lr_scale: f32, workers: &Workers) -> Result<()> {
    let needed = if samples > 1 { Sharing::Batches } else { Sharing::Samples };
    let sharing = stages.iter().filter_map(Stage::rule).map(Rule::sharing).min().unwrap_or(Sharing::Never);
    if workers.threads() == 1 || sharing < needed {
        return stages.iter_mut().rev().try_for_each(|stage| stage.learn(lr_scale, workers));
    }
    let half = stages.iter().map(Stage::work).sum::<usize>().div_ceil(2);
    let mut sum = 0;
    let enough = |stage: &Stage| {
        sum += stage.work();
        sum >= half
    };
    let (below, above) = stages.split_at_mut(stages.iter().position(enough).map_or(0, |k| k + 1));
    let each = |stages: &mut [Stage]| stages.iter_mut().rev().try_for_each(|stage| stage.learn(lr_scale, workers));
    let (above, below) = workers.split(|| rayon::join(|| each(above), || each(below)));
    above.and(below)
}

/// What a stretch of training or an evaluation came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Sum of the losses of all outputs.
    pub loss: f64,
    /// Outputs whose class came out wrong.
    pub errors: u64,
    /// Outputs seen: one for each example, or for each step of each sequence.
    pub samples: u64,
}

/// A network of layers in a row.
#[derive(Debug)]
pub struct Network {
    pub(super) stages: Vec<Stage>,
    pub(super) loss: Loss,
    inputs: usize,
    outputs: usize,
    /// Outputs of every stage for the last batch.
    pub(super) values: Vec<Vec<f32>>,
    delta: Vec<f32>,
    /// What each thread of a shared mini-batch keeps.
    pub(super) own: Vec<Own>,
}

impl Network {
    /// A network whose arrays all learn by `rule`, everything random drawn from `seed`.
    ///
    /// # Errors
    /// Settings out of range, or layers that do not fit each other.
    pub fn new(layers: &[LayerConfig], rule: &RuleConfig, loss: Loss, seed: u64) -> Result<Self> {
        Self::with_rules(layers, loss, seed, &mut |at| rule.build(&at))
    }

    /// A network whose rules `build` makes, one for each layer with an array, in order.
    pub fn with_rules(
        layers: &[LayerConfig],
        loss: Loss,
        seed: u64,
        build: &mut dyn FnMut(Initial<'_>) -> Result<Box<dyn Rule>>,
    ) -> Result<Self> {
        crate::simd::check()?; // also where all rules are a user's own
        if !layers.first().is_some_and(LayerConfig::has_array) {
            return Err(Error::Conflict("the first layer must be linear, conv2d or lstm".to_owned()));
        }
        let mut stages: Vec<Stage> = Vec::new();
        let (mut inputs, mut given) = (0, Values::Vector(0));
        for (position, layer) in layers.iter().enumerate() {
            layer.validate()?;
            let (takes, gives) = layer.values(given);
            if position == 0 {
                inputs = takes.count();
            } else if !takes.fits(given) {
                return Err(Error::Conflict(format!(
                    "layer {position} takes {takes}, but the layer before it gives {given}"
                )));
            }
            given = gives;
            let arrays = stages.iter().filter(|stage| stage.rule().is_some()).count() as u64;
            stages.push(Stage::new(layer, Place { layer: arrays, seed }, build)?);
        }
        let values = vec![Vec::new(); stages.len()];
        Ok(Self { stages, loss, inputs, outputs: given.count(), values, delta: Vec::new(), own: Vec::new() })
    }

    /// Values per input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values per output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The rules of the layers with arrays, in order.
    pub fn rules(&self) -> impl Iterator<Item = &dyn Rule> {
        self.stages.iter().filter_map(Stage::rule)
    }

    /// The rules of the layers with arrays, in order.
    pub fn rules_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn Rule>> {
        self.stages.iter_mut().filter_map(Stage::rule_mut)
    }

    /// Operations so far, of all layers.
    ///
    /// # Errors
    /// An error of a rule written by a user.
    pub fn ledger(&self) -> Result<Ledger> {
        self.rules().try_fold(Ledger::default(), |mut sum, rule| {
            sum += rule.ledger()?;
            Ok(sum)
        })
    }

    /// Whether it takes sequences, step by step.
    pub fn recurrent(&self) -> bool {
        self.stages.iter().any(|stage| stage.lstm().is_some())
    }

    /// Whether a sequence goes on where the one before it ended.
    pub fn carries(&self) -> bool {
        self.stages.iter().any(Stage::carries)
    }

    /// Forgets what sequences carried over from those before.
    pub fn reset(&mut self) {
        self.stages.iter_mut().filter_map(Stage::lstm_mut).for_each(super::lstm::Lstm::reset);
    }

    /// What every layer that carries something holds, in order: empty at the start and after
    /// [`reset`](Network::reset).
    pub fn memories(&self) -> Vec<Memory> {
        let carrying = self.stages.iter().filter_map(Stage::lstm).filter(|lstm| lstm.config.carry);
        carrying.map(|lstm| lstm.memory.clone()).collect()
    }

    /// Puts [`memories`](Network::memories) back.
    ///
    /// # Errors
    /// Another number of layers, or states that do not fit them: nothing has changed then.
    pub fn set_memories(&mut self, memories: &[Memory]) -> Result<()> {
        let carrying = || self.stages.iter().filter_map(Stage::lstm).filter(|lstm| lstm.config.carry);
        check_len("memories", memories.len(), carrying().count())?;
        for (lstm, memory) in carrying().zip(memories) {
            check_finite("memories", &memory.h)?;
            check_finite("memories", &memory.c)?;
            let (values, hidden) = (memory.h.len(), lstm.config.hidden);
            if !values.is_multiple_of(hidden) || memory.c.len() != values {
                return Err(Error::Length {
                    what: "memories",
                    given: values,
                    expected: format!("a multiple of {hidden}, as many in h as in c,"),
                });
            }
        }
        let sequences = carrying().zip(memories).map(|(lstm, memory)| memory.h.len() / lstm.config.hidden);
        if sequences.clone().min() != sequences.max() {
            return Err(Error::Conflict("memories hold different numbers of sequences".to_owned()));
        }
        let carrying = self.stages.iter_mut().filter_map(Stage::lstm_mut).filter(|lstm| lstm.config.carry);
        carrying.zip(memories).for_each(|(lstm, memory)| lstm.memory = memory.clone());
        Ok(())
    }

    /// What all its rules can share.
    pub(super) fn sharing(&self) -> Sharing {
        self.rules().map(Rule::sharing).min().unwrap_or(Sharing::Never)
    }

    /// Everything wrong with data, before anything is touched; the number of examples.
    pub(super) fn check(&self, x: Examples<'_>, targets: Option<Targets<'_>>, order: Option<&[u32]>) -> Result<usize> {
        let examples = x.count(self.inputs)?;
        if x.steps > 1 && !self.recurrent() {
            return Err(Error::range("steps", x.steps as f64, "1, since no layer looks back"));
        }
        let all: Vec<u32>;
        let order = match order {
            Some(order) => order,
            None => {
                all = (0..examples as u32).collect();
                &all
            }
        };
        if examples == 0 && !order.is_empty() {
            return Err(Error::Length { what: "x", given: 0, expected: "a sample or more".to_owned() });
        }
        if let Some(&s) = order.iter().find(|&&s| s as usize >= examples) {
            return Err(Error::range("order", f64::from(s), format!("samples 0 to {}", examples as f64 - 1.0)));
        }
        x.check(self.inputs, order)?;
        if let Some(targets) = targets {
            self.loss.check(targets, examples, x.steps, self.outputs, order)?;
        }
        Ok(examples)
    }

    /// Trains on the examples `order` of `x`, in mini-batches of `batch`; `lr_scale` is the schedule's factor on the
    /// learning rates. Targets lie as the vectors of `x` do: one for each step of each example.
    ///
    /// # Errors
    /// Data of the wrong shape or not finite, targets of the wrong kind, a batch of 0: nothing has
    /// changed then. An error of a rule written by a user ends the training where it is.
    pub fn train<'a>(
        &mut self,
        x: impl Into<Examples<'a>>,
        targets: Targets<'_>,
        order: &[u32],
        batch: usize,
        lr_scale: f32,
        workers: &Workers,
    ) -> Result<Progress> {
        let x = x.into();
        if batch == 0 {
            return Err(Error::range("batch", 0.0, "1 or more"));
        }
        if !(lr_scale.is_finite() && lr_scale >= 0.0) {
            return Err(Error::range("lr_scale", f64::from(lr_scale), "0 or more"));
        }
        self.check(x, Some(targets), Some(order))?;
        let sharing = self.sharing();
        let largest = self.stages.iter().map(Stage::crosspoints).max().unwrap_or(0);
        let samples = self.samples(batch.saturating_mul(x.steps));
        let few = Workers::default();
        let (inside, workers) = match sharing {
            Sharing::Batches if samples == 1 && largest < SPLIT_SAMPLE => (false, &few),
            sharing => (sharing > Sharing::Never, workers),
        };
        let mut train = || {
            let mut progress = Progress::default();
            for examples in order.chunks(batch) {
                self.step(x, targets, examples, lr_scale, workers, &mut progress)?;
            }
            Ok(progress)
        };
        // On one of the pool's own threads, since handing work over from outside is slow; rules that know
        // nothing of threads stay on the caller's.
        if inside { workers.run(train) } else { train() }
    }

    /// The most samples that so many vectors give to an array.
    fn samples(&self, vectors: usize) -> usize {
        vectors.saturating_mul(self.stages.iter().map(Stage::samples).max().unwrap_or(1))
    }

    /// One mini-batch: forward, δ of the loss, backward, and then every layer learns.
    ///
    /// The loss is the mean over the examples, and for sequences the sum over their steps: a learning rate means the
    /// same for a sample of any network.
    fn step(
        &mut self,
        x: Examples<'_>,
        targets: Targets<'_>,
        examples: &[u32],
        lr_scale: f32,
        workers: &Workers,
        progress: &mut Progress,
    ) -> Result<()> {
        let shape = Shape { steps: x.steps, sequences: examples.len() };
        progress.samples += shape.vectors() as u64;
        match self.part(examples.len(), workers) {
            Some(part) => self.pass(x, targets, examples, part, workers, progress)?,
            None => {
                let work = || self.stages.iter().map(|stage| stage.crosspoints() * stage.samples()).sum::<usize>();
                let alone = workers.threads() > 1 && shape.vectors() == 1 && work() < SPLIT_LAYERS;
                let one = alone.then(Workers::default);
                self.layer_by_layer(x, targets, examples, shape, one.as_ref().unwrap_or(workers), progress)?;
            }
        }
        let samples = self.samples(shape.vectors());
        learn(&mut self.stages, samples, lr_scale, workers)
    }

    /// Forward, δ of the loss, and backward, each layer with all threads.
    fn layer_by_layer(
        &mut self,
        x: Examples<'_>,
        targets: Targets<'_>,
        examples: &[u32],
        shape: Shape,
        workers: &Workers,
        progress: &mut Progress,
    ) -> Result<()> {
        let place = |k: usize| (examples[k % examples.len()] as usize, k / examples.len());
        let mut kept = false;
        for (k, stage) in self.stages.iter_mut().enumerate() {
            let (before, after) = self.values.split_at_mut(k);
            let keeps = stage.keeps_outputs();
            match before.last_mut() {
                None => {
                    let input = |k: usize, to: &mut [f32]| x.write(place(k).0, place(k).1, to);
                    stage.forward(shape, &input, None, &mut after[0], workers)?;
                }
                Some(values) if stage.rule().is_some() => {
                    let n = values.len() / shape.vectors();
                    let input = |k: usize, to: &mut [f32]| to.copy_from_slice(&values[k * n..][..n]);
                    stage.forward(shape, &input, None, &mut after[0], workers)?;
                }
                Some(values) => stage.forward(shape, &|_, _| (), Some((values, kept)), &mut after[0], workers)?,
            }
            kept = keeps;
        }
        self.delta.clone_from(self.values.last().expect("a network has a layer"));
        for (k, y) in self.delta.chunks_exact_mut(self.outputs).enumerate() {
            let (example, step) = place(k);
            let (loss, wrong) = self.loss.share(y, targets, example * x.steps + step, examples.len());
            progress.loss += loss;
            progress.errors += u64::from(wrong);
        }
        for (k, stage) in self.stages.iter_mut().enumerate().rev() {
            stage.backward(&self.values[k], &mut self.delta, k > 0, workers)?;
        }
        Ok(())
    }
}
