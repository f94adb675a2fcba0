//! The outputs of a network outside training: nothing in it changes.

use super::layer::{Access, Batch, Layer, LayerInput, Memory, Part, Products, Saved};
use super::loss::softmax;
use super::sequential::sharing;
use super::{Examples, Loss, Network, Progress, Targets};
use crate::check::check_range;
use crate::error::{Error, Result};
use crate::rule::Sharing;
use crate::threads::Workers;

/// The most examples evaluated at once.
const MAX_EXAMPLES: usize = 256;

/// The most input values evaluated at once.
const MAX_INPUT_VALUES: usize = 1 << 22;

/// The most streams into which consecutive sequences are cut, to be evaluated beside each other.
const MAX_STREAMS: usize = 32;

/// The fewest sequences of a stream.
const MIN_STREAM_SEQUENCES: usize = 16;

/// An evaluation under way: every vector has noise of its own.
pub(super) struct Evaluation<'a> {
    network: &'a Network,
    /// Evaluations with other numbers have other noise.
    draw: u64,
    /// Vectors so far.
    seen: u64,
    /// What each layer keeps.
    kept: Vec<(Saved, Memory)>,
    outputs: Vec<f32>,
    scratch: Vec<f32>,
    workers: &'a Workers,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(network: &'a Network, draw: u64, workers: &'a Workers) -> Result<Self> {
        check_range("draw", draw as f64, 0.0, f64::from(u32::MAX))?;
        let kept = network.stages.iter().map(|_| Default::default()).collect();
        Ok(Self { network, draw, seen: 0, kept, outputs: Vec::new(), scratch: Vec::new(), workers })
    }

    /// Starts sequences from 0 in the layers for which `which` holds.
    fn clear(&mut self, which: impl Fn(&dyn Layer) -> bool) {
        let stages = self.network.stages.iter().zip(&mut self.kept);
        stages.filter(|(stage, _)| which(stage.layer.as_ref())).for_each(|(_, (_, memory))| memory.clear());
    }

    /// The outputs of the next vectors in the place of their inputs.
    pub(super) fn run(&mut self, time_steps: usize, sequences: usize, values: &mut Vec<f32>) -> Result<()> {
        let batch = Batch { time_steps, sequences, threads: self.workers.threads(), training: false };
        for (stage, (saved, memory)) in self.network.stages.iter().zip(&mut self.kept) {
            saved.resize(stage.layer.sizes(batch));
            // Vectors never share noise, up to 2³² products of one evaluation.
            let first = self.seen.wrapping_mul(stage.array_vectors() as u64);
            let draw = (self.draw << 32).wrapping_add(first);
            let products = match stage.rule.as_deref() {
                Some(rule) => Products::evaluation(rule.visible(), draw),
                None => Products(Access::None),
            };
            let (scratch, workers) = (&mut self.scratch, self.workers);
            let mut part = Part { batch, saved: saved.all(), products, memory, scratch, workers };
            if stage.layer.in_place() {
                stage.layer.forward(LayerInput::from(&[][..]), values, &mut part)?;
            } else {
                self.outputs.resize(batch.vectors() * stage.outputs, 0.0);
                stage.layer.forward(LayerInput::from(&values[..]), &mut self.outputs, &mut part)?;
                std::mem::swap(values, &mut self.outputs);
            }
        }
        self.seen += batch.vectors() as u64;
        Ok(())
    }
}

impl Network {
    /// Calls `each` with the outputs of every example and time step: (number of the output, outputs).
    fn visit(
        &self,
        x: Examples<'_>,
        draw: u64,
        workers: &Workers,
        mut each: impl FnMut(usize, &mut [f32]) + Send,
    ) -> Result<()> {
        let count = x.count(self.inputs())?;
        let mut evaluation = Evaluation::new(self, draw, workers)?;
        let (n, carries) = (self.inputs(), self.carries());
        // Of a block that begins at example b, mini-batch k holds the examples b + s·length + k, s the stream.
        let (block, length) = if carries {
            let streams = (count / MIN_STREAM_SEQUENCES).clamp(1, MAX_STREAMS);
            (count.max(1), count.div_ceil(streams))
        } else {
            (MAX_EXAMPLES.min(MAX_INPUT_VALUES / x.time_steps.saturating_mul(n)).max(1), 1)
        };
        let mut values = Vec::new();
        let mut places = (0..count).step_by(block).flat_map(|first| (0..length).map(move |k| (first, k)));
        workers.steps(sharing(&self.stages) > Sharing::Never, || {
            let Some((first, k)) = places.next() else { return Ok(false) };
            let (end, example) = ((first + block).min(count), |s: usize| first + s * length + k);
            // Only the last stream may be shorter than the others.
            let sequences = (0..).take_while(|&s| example(s) < end).count();
            values.resize(x.time_steps * sequences * n, 0.0);
            for (v, to) in values.chunks_exact_mut(n).enumerate() {
                x.write(example(v % sequences), v / sequences, to);
            }
            evaluation.clear(|layer| k == 0 || !layer.carries());
            evaluation.run(x.time_steps, sequences, &mut values)?;
            for (v, y) in values.chunks_exact_mut(self.outputs()).enumerate() {
                each(example(v % sequences) * x.time_steps + v / sequences, y);
            }
            Ok(true)
        })
    }

    /// The outputs for every example and time step of `x`, with the noise of evaluation `draw`; no state changes.
    /// Where sequences carry over, `x` is taken as consecutive ones, in up to 32 streams beside each other.
    pub fn forward<'a>(&self, x: impl Into<Examples<'a>>, draw: u64, workers: &Workers) -> Result<Vec<f32>> {
        let x = x.into();
        let examples = self.check(x, None, None)?.len();
        let m = self.outputs();
        let mut outputs = vec![0.0; examples * x.time_steps * m];
        self.visit(x, draw, workers, |k, y| outputs[k * m..][..m].copy_from_slice(y))?;
        Ok(outputs)
    }

    /// Loss and errors on every example of `x`, with the noise of evaluation `draw`; no state changes.
    pub fn evaluate<'a>(
        &self,
        x: impl Into<Examples<'a>>,
        targets: Targets<'_>,
        draw: u64,
        workers: &Workers,
    ) -> Result<Progress> {
        let x = x.into();
        let examples = self.check(x, Some(targets), None)?.len();
        // Summed in the order of the data, however it was evaluated.
        let mut losses = vec![0.0; examples * x.time_steps];
        let mut progress = Progress { samples: losses.len() as u64, ..Progress::default() };
        self.visit(x, draw, workers, |k, y| {
            let (loss, wrong) = self.loss.gradient(y, targets, k);
            losses[k] = loss;
            progress.errors += u64::from(wrong);
        })?;
        progress.loss = losses.iter().sum();
        Ok(progress)
    }

    /// Requires outputs that are those of classes.
    pub(super) fn check_classes(&self) -> Result<()> {
        match self.loss {
            Loss::CrossEntropy => Ok(()),
            Loss::MeanSquare => Err(Error::Conflict(
                "loss must be cross-entropy for probabilities, not mse: a regression has none".to_owned(),
            )),
        }
    }

    /// Class probabilities for every example and time step of `x`: the softmax of [`forward`](Network::forward).
    ///
    /// # Errors
    /// Those of [`forward`](Network::forward), and the loss [`MeanSquare`](Loss::MeanSquare).
    pub fn probabilities<'a>(&self, x: impl Into<Examples<'a>>, draw: u64, workers: &Workers) -> Result<Vec<f32>> {
        self.check_classes()?;
        let mut outputs = self.forward(x, draw, workers)?;
        outputs.chunks_exact_mut(self.outputs()).for_each(softmax);
        Ok(outputs)
    }
}
