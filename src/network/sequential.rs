//! Layers in a row, trained by whole mini-batch steps: forward, backward, update.

use super::loss::softmax;
use super::{Activation, Initial, LayerConfig, Linear, Loss, Targets};
use crate::error::{Error, Result, check_batch, check_finite};
use crate::ledger::Ledger;
use crate::rule::{Rule, RuleConfig, Sharing};
use crate::workers::Workers;

/// Crosspoints of a layer from which threads may share a single sample of rules that change what they read.
const SPLIT_SAMPLE: usize = 1 << 20;

/// Samples evaluated at once.
const BLOCK: usize = 256;

#[derive(Debug)]
enum Stage {
    Linear(Box<Linear>),
    Activation(Activation),
}

impl Stage {
    fn crosspoints(&self) -> usize {
        match self {
            Self::Linear(linear) => linear.rule().shape().0 * linear.rule().shape().1,
            Self::Activation(_) => 0,
        }
    }

    fn sharing(&self) -> Sharing {
        match self {
            Self::Linear(linear) => linear.rule().sharing(),
            Self::Activation(_) => Sharing::Samples,
        }
    }

    fn learn(&mut self, rate: f32, workers: &Workers) -> Result<()> {
        match self {
            Self::Linear(linear) => linear.learn(rate, workers),
            Self::Activation(_) => Ok(()),
        }
    }
}

/// Layers learn on their own: those below with half of the crosspoints on one thread, those above on another,
/// as far as their rules can share.
fn learn(stages: &mut [Stage], samples: usize, rate: f32, workers: &Workers) -> Result<()> {
    let needed = if samples > 1 { Sharing::Batches } else { Sharing::Samples };
    if workers.threads() == 1 || stages.iter().any(|stage| stage.sharing() < needed) {
        return stages.iter_mut().rev().try_for_each(|stage| stage.learn(rate, workers));
    }
    let half = stages.iter().map(Stage::crosspoints).sum::<usize>().div_ceil(2);
    let mut sum = 0;
    let enough = |stage: &Stage| {
        sum += stage.crosspoints();
        sum >= half
    };
    let (below, above) = stages.split_at_mut(stages.iter().position(enough).map_or(0, |k| k + 1));
    let each = |stages: &mut [Stage]| stages.iter_mut().rev().try_for_each(|stage| stage.learn(rate, workers));
    let (above, below) = workers.split(|| rayon::join(|| each(above), || each(below)));
    above.and(below)
}

/// What a stretch of training or an evaluation came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Sum of the losses of all samples.
    pub loss: f64,
    /// Samples whose class came out wrong.
    pub errors: u64,
    /// Samples seen.
    pub samples: u64,
}

/// A network of layers in a row.
#[derive(Debug)]
pub struct Network {
    stages: Vec<Stage>,
    loss: Loss,
    inputs: usize,
    outputs: usize,
    /// Outputs of every stage for the last batch.
    values: Vec<Vec<f32>>,
    delta: Vec<f32>,
}

impl Network {
    /// A network whose arrays all learn by `rule`, everything random drawn from `seed`.
    ///
    /// # Errors
    /// Settings out of range, or layers that do not fit each other.
    pub fn new(layers: &[LayerConfig], rule: &RuleConfig, loss: Loss, seed: u64) -> Result<Self> {
        Self::with_rules(layers, loss, seed, &mut |at| rule.build(at.rows, at.cols, at.weights, at.seed, at.layer))
    }

    /// A network whose rules `build` makes, one for each layer with arrays, in order.
    pub fn with_rules(
        layers: &[LayerConfig],
        loss: Loss,
        seed: u64,
        build: &mut dyn FnMut(Initial<'_>) -> Result<Box<dyn Rule>>,
    ) -> Result<Self> {
        let Some(LayerConfig::Linear(first)) = layers.first() else {
            return Err(Error::Conflict("the first layer must be linear".to_owned()));
        };
        let (inputs, mut width) = (first.inputs, first.inputs);
        let mut arrays = 0;
        let mut stages = Vec::new();
        for (position, layer) in layers.iter().enumerate() {
            stages.push(match layer {
                LayerConfig::Linear(config) => {
                    if config.inputs != width {
                        return Err(Error::Conflict(format!(
                            "layer {position} takes {} inputs, but the layer before it gives {width}",
                            config.inputs
                        )));
                    }
                    width = config.outputs;
                    arrays += 1;
                    Stage::Linear(Box::new(Linear::new(config, arrays - 1, seed, build)?))
                }
                LayerConfig::Sigmoid => Stage::Activation(Activation::Sigmoid),
                LayerConfig::Tanh => Stage::Activation(Activation::Tanh),
                LayerConfig::ReLU => Stage::Activation(Activation::ReLU),
            });
        }
        let values = vec![Vec::new(); stages.len()];
        Ok(Self { stages, loss, inputs, outputs: width, values, delta: Vec::new() })
    }

    /// Values per input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values per output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The layers with arrays, in order.
    pub fn linear_layers(&self) -> impl Iterator<Item = &Linear> {
        self.stages.iter().filter_map(|stage| match stage {
            Stage::Linear(linear) => Some(linear.as_ref()),
            Stage::Activation(_) => None,
        })
    }

    /// The layers with arrays, in order.
    pub fn linear_layers_mut(&mut self) -> impl Iterator<Item = &mut Linear> {
        self.stages.iter_mut().filter_map(|stage| match stage {
            Stage::Linear(linear) => Some(linear.as_mut()),
            Stage::Activation(_) => None,
        })
    }

    /// Operations so far, of all layers.
    pub fn ledger(&self) -> Ledger {
        self.linear_layers().fold(Ledger::default(), |mut sum, linear| {
            sum += linear.rule().ledger();
            sum
        })
    }

    /// What all its rules can share.
    fn sharing(&self) -> Sharing {
        self.stages.iter().map(Stage::sharing).min().unwrap_or(Sharing::Never)
    }

    /// Everything wrong with data, before anything is touched.
    fn check(&self, x: &[f32], targets: Option<Targets<'_>>, order: &[u32]) -> Result<()> {
        let samples = check_batch("x", x.len(), self.inputs)?;
        if samples == 0 && !order.is_empty() {
            return Err(Error::Length { what: "x", given: 0, expected: "a sample or more".to_owned() });
        }
        if let Some(&s) = order.iter().find(|&&s| s as usize >= samples) {
            return Err(Error::range("order", f64::from(s), format!("samples 0 to {}", samples as f64 - 1.0)));
        }
        for &s in order {
            check_finite("x", &x[s as usize * self.inputs..][..self.inputs])?;
        }
        targets.map_or(Ok(()), |targets| self.loss.check(targets, samples, self.outputs, order))
    }

    /// Trains on the samples `order` of `x` (one after another, `inputs` values each), in mini-batches
    /// of `batch`; `rate` is the schedule's factor on the learning rates.
    ///
    /// # Errors
    /// Data of the wrong shape or not finite, targets of the wrong kind, a batch of 0: nothing has
    /// changed then. An error of a rule written by a user ends the training where it is.
    pub fn train(
        &mut self,
        x: &[f32],
        targets: Targets<'_>,
        order: &[u32],
        batch: usize,
        rate: f32,
        workers: &Workers,
    ) -> Result<Progress> {
        if batch == 0 {
            return Err(Error::range("batch", 0.0, "1 or more"));
        }
        if !(rate.is_finite() && rate >= 0.0) {
            return Err(Error::range("rate", f64::from(rate), "0 or more"));
        }
        self.check(x, Some(targets), order)?;
        let sharing = self.sharing();
        let largest = self.stages.iter().map(Stage::crosspoints).max().unwrap_or(0);
        let few = Workers::default();
        let (inside, workers) = match sharing {
            Sharing::Batches if batch == 1 && largest < SPLIT_SAMPLE => (false, &few),
            sharing => (sharing > Sharing::Never, workers),
        };
        let mut train = || {
            let mut progress = Progress::default();
            for samples in order.chunks(batch) {
                self.step(x, targets, samples, rate, workers, &mut progress)?;
            }
            Ok(progress)
        };
        // On one of the pool's own threads, since handing work over from outside is slow; rules that know
        // nothing of threads stay on the caller's.
        if inside { workers.run(train) } else { train() }
    }

    /// One mini-batch: forward, δ of the mean loss, backward and update layer by layer.
    fn step(
        &mut self,
        x: &[f32],
        targets: Targets<'_>,
        samples: &[u32],
        rate: f32,
        workers: &Workers,
        progress: &mut Progress,
    ) -> Result<()> {
        let mut linear_below = false;
        for (k, stage) in self.stages.iter_mut().enumerate() {
            let (before, after) = self.values.split_at_mut(k);
            let linear = matches!(stage, Stage::Linear(_));
            let output = &mut after[0];
            match (stage, before.last_mut()) {
                (Stage::Linear(linear), None) => {
                    let n = self.inputs;
                    linear.forward(samples.len(), |b| &x[samples[b] as usize * n..][..n], output, workers)?;
                }
                (Stage::Linear(linear), Some(input)) => {
                    let (input, n) = (&*input, input.len() / samples.len());
                    linear.forward(samples.len(), |b| &input[b * n..][..n], output, workers)?;
                }
                (Stage::Activation(activation), input) => {
                    let input = input.expect("a network starts with a linear layer");
                    // In place where nobody asks again: an activation's gradient follows from its outputs.
                    if linear_below {
                        std::mem::swap(output, input);
                    } else {
                        output.clone_from(input);
                    }
                    activation.forward_split(output, workers);
                }
            }
            linear_below = linear;
        }
        self.delta.clone_from(self.values.last().expect("a network has a layer"));
        let share = 1.0 / samples.len() as f32;
        for (&s, y) in samples.iter().zip(self.delta.chunks_exact_mut(self.outputs)) {
            let (loss, wrong) = self.loss.gradient(y, targets, s as usize);
            progress.loss += loss;
            progress.errors += u64::from(wrong);
            if samples.len() > 1 {
                y.iter_mut().for_each(|d| *d *= share);
            }
        }
        progress.samples += samples.len() as u64;
        for (k, stage) in self.stages.iter_mut().enumerate().rev() {
            match stage {
                Stage::Linear(linear) => linear.backward(&mut self.delta, k > 0, workers)?,
                Stage::Activation(activation) => activation.backward(&self.values[k], &mut self.delta),
            }
        }
        learn(&mut self.stages, samples.len(), rate, workers)
    }

    /// The outputs for every sample of `x`, with the noise of evaluation `draw`; no state changes.
    pub fn forward(&self, x: &[f32], draw: u64, workers: &Workers) -> Result<Vec<f32>> {
        let samples = check_batch("x", x.len(), self.inputs)?;
        check_finite("x", x)?;
        if draw >= 1 << 32 {
            return Err(Error::range("draw", draw as f64, "0 to 4294967295"));
        }
        let forward = || {
            let mut outputs = Vec::with_capacity(samples * self.outputs);
            let (mut input, mut output) = (Vec::new(), Vec::new());
            for (block, x) in (0_u64..).zip(x.chunks(BLOCK * self.inputs)) {
                input.clear();
                input.extend_from_slice(x);
                for stage in &self.stages {
                    match stage {
                        Stage::Linear(linear) => {
                            // Evaluations and their samples never share noise.
                            let first = (draw << 32).wrapping_add(block * BLOCK as u64);
                            linear.evaluate(first, &input, &mut output, workers)?;
                            std::mem::swap(&mut input, &mut output);
                        }
                        Stage::Activation(activation) => activation.forward(&mut input),
                    }
                }
                outputs.extend_from_slice(&input);
            }
            Ok(outputs)
        };
        if self.sharing() == Sharing::Never { forward() } else { workers.run(forward) }
    }

    /// Loss and errors on every sample of `x`, with the noise of evaluation `draw`; no state changes.
    pub fn evaluate(&self, x: &[f32], targets: Targets<'_>, draw: u64, workers: &Workers) -> Result<Progress> {
        let samples = check_batch("x", x.len(), self.inputs)?;
        let order: Vec<u32> = (0..samples as u32).collect();
        self.check(x, Some(targets), &order)?;
        let mut outputs = self.forward(x, draw, workers)?;
        let mut progress = Progress { samples: samples as u64, ..Progress::default() };
        for (s, y) in outputs.chunks_exact_mut(self.outputs).enumerate() {
            let (loss, wrong) = self.loss.gradient(y, targets, s);
            progress.loss += loss;
            progress.errors += u64::from(wrong);
        }
        Ok(progress)
    }

    /// Class probabilities for every sample of `x`: the softmax of [`forward`](Network::forward).
    pub fn probabilities(&self, x: &[f32], draw: u64, workers: &Workers) -> Result<Vec<f32>> {
        let mut outputs = self.forward(x, draw, workers)?;
        outputs.chunks_exact_mut(self.outputs).for_each(softmax);
        Ok(outputs)
    }
}
