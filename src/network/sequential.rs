//! Layers in a row, and how they are put together.

use super::layer::{Batch, BatchGradient, Layer, Memory, Saved};
use super::step::Workspaces;
use super::{Initial, LayerConfig, Loss, Shape, initial};
use crate::error::{Error, Result};
use crate::ledger::Ledger;
use crate::origin::{Origin, fingerprint};
use crate::rule::{Rule, RuleConfig, Sharing};
use crate::threads::Workers;

/// A network of layers in a row.
///
/// A copy is a network of its own, which continues as the original would.
#[derive(Clone, Debug)]
pub struct Network {
    pub(super) stages: Vec<Stage>,
    pub(super) loss: Loss,
    inputs: usize,
    outputs: usize,
    /// What its states belong to.
    pub(super) origin: Origin,
    pub(super) workspaces: Workspaces,
}

/// A layer in its place: what it learns with, and what it keeps.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) layer: Box<dyn Layer>,
    pub(super) rule: Option<Box<dyn Rule>>,
    /// Where sequences continue.
    pub(super) memory: Memory,
    /// Values per output vector.
    pub(super) outputs: usize,
    /// Vectors of its array for each vector of the layer.
    array_vectors: usize,
    pub(super) buffers: Buffers,
}

/// What a stage keeps of a batch.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) saved: Saved,
    /// Outputs; none where they replace those of the layer before.
    pub(super) y: Option<Vec<f32>>,
    /// dL/dy; none where it shares the place of the layer before.
    pub(super) dy: Option<Vec<f32>>,
}

/// Empty ones of the same kind: what they hold is of no use after a batch.
impl Clone for Buffers {
    fn clone(&self) -> Self {
        let empty = |values: &Option<Vec<f32>>| values.as_ref().map(|_| Vec::new());
        Self { saved: Saved::default(), y: empty(&self.y), dy: empty(&self.dy) }
    }
}

impl Stage {
    /// A layer after another one, which keeps its outputs or not.
    fn new(layer: Box<dyn Layer>, rule: Option<Box<dyn Rule>>, outputs: usize, kept_before: bool) -> Self {
        let y = (!layer.in_place() || kept_before).then(Vec::new);
        let dy = (!layer.in_place()).then(Vec::new);
        let array_vectors = layer.array().map_or(1, |array| array.vectors);
        let buffers = Buffers { saved: Saved::default(), y, dy };
        Self { layer, rule, memory: Memory::default(), outputs, array_vectors, buffers }
    }

    /// Makes room for a batch.
    pub(super) fn resize(&mut self, batch: Batch) {
        let Buffers { saved, y, dy } = &mut self.buffers;
        saved.resize(self.layer.sizes(batch));
        for values in [y, dy].into_iter().flatten() {
            values.resize(batch.vectors() * self.outputs, 0.0);
        }
    }

    /// Vectors that each vector of a batch gives to the array of the layer.
    pub(super) fn array_vectors(&self) -> usize {
        self.array_vectors
    }

    pub(super) fn crosspoints(&self) -> usize {
        self.rule.as_ref().map_or(0, |rule| rule.shape().0 * rule.shape().1)
    }

    /// Whether threads may each take examples of their own.
    pub(super) fn shares_examples(&self) -> bool {
        !self.layer.recurrent() && self.rule.as_ref().is_none_or(|rule| rule.shared().is_some())
    }

    /// Work of learning from one vector of a batch, in lines drawn.
    pub(super) fn lines(&self) -> usize {
        let lines = |rule: &dyn Rule| rule.shape().0 + rule.shape().1 + super::tuning::VECTOR_LINES;
        self.rule.as_deref().map_or(0, |rule| self.array_vectors * lines(rule))
    }

    pub(super) fn learn(&mut self, lr_scale: f32, workers: &Workers) -> Result<()> {
        let (Some(rule), Buffers { saved, dy: Some(dy), .. }) = (&mut self.rule, &mut self.buffers) else {
            return Ok(());
        };
        self.layer.learn(rule.as_mut(), BatchGradient { saved, dy, lr_scale, workers })?;
        rule.finish_batch(lr_scale)
    }
}

/// What all rules can share.
pub(super) fn sharing(stages: &[Stage]) -> Sharing {
    let rules = stages.iter().filter_map(|stage| stage.rule.as_ref());
    rules.map(|rule| rule.sharing()).min().unwrap_or(Sharing::Never)
}

/// Puts a [`Network`] together.
#[derive(Debug, Default)]
pub struct NetworkBuilder {
    layers: Vec<Box<dyn Layer>>,
    loss: Loss,
    seed: u64,
}

impl NetworkBuilder {
    /// Adds a layer: settings of a built-in one, or any [`Layer`].
    #[must_use]
    pub fn layer(mut self, layer: impl Into<Box<dyn Layer>>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// Adds built-in layers.
    #[must_use]
    pub fn layers(mut self, layers: &[LayerConfig]) -> Self {
        self.layers.extend(layers.iter().cloned().map(Box::from));
        self
    }

    /// The loss; cross-entropy by default.
    #[must_use]
    pub fn loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// What everything random is drawn from; 0 by default.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The network, all of whose arrays learn by `rule`.
    ///
    /// # Errors
    /// Settings out of range, or layers that do not fit each other.
    pub fn build(self, rule: &RuleConfig) -> Result<Network> {
        self.build_with(&mut |at| rule.build(&at))
    }

    /// The network, whose rules `build` makes: one for each layer with an array, in order.
    ///
    /// # Errors
    /// Those of [`build`](NetworkBuilder::build), and what the function returns.
    pub fn build_with(self, build: &mut dyn FnMut(Initial<'_>) -> Result<Box<dyn Rule>>) -> Result<Network> {
        crate::simd::check()?; // also where all rules are a user's own
        if self.layers.first().is_none_or(|layer| layer.array().is_none()) {
            return Err(Error::Conflict("the first layer must have an array, like linear, conv2d or lstm".to_owned()));
        }
        let mut stages: Vec<Stage> = Vec::new();
        let (mut inputs, mut before, mut arrays) = (0, Shape::Vector(0), 0);
        for (position, layer) in self.layers.into_iter().enumerate() {
            layer.validate()?;
            let (takes, gives) = layer.shapes(before);
            if position == 0 {
                inputs = takes.count();
            } else if !takes.fits(before) {
                return Err(Error::Conflict(format!(
                    "layer {position} takes {takes}, but the layer before it gives {before}"
                )));
            }
            if layer.in_place() && (layer.array().is_some() || takes.count() != gives.count()) {
                return Err(Error::Conflict(format!(
                    "layer {position} works in place, so it must have no array and give as many values as it takes"
                )));
            }
            before = gives;
            let rule = match layer.array() {
                Some(array) => Some(initial::rule(array, arrays, self.seed, build)?),
                None => None,
            };
            arrays += u64::from(rule.is_some());
            let kept_before = stages.last().is_some_and(|stage| stage.layer.keeps_outputs());
            stages.push(Stage::new(layer, rule, gives.count(), kept_before));
        }
        let outputs = before.count();
        let layers: Vec<_> = stages.iter().map(|stage| &stage.layer).collect();
        let origin = Origin { seed: self.seed, number: 0, settings: fingerprint(&(layers, self.loss)) };
        Ok(Network { stages, loss: self.loss, inputs, outputs, origin, workspaces: Workspaces::default() })
    }
}

impl Network {
    /// A network of built-in layers, all of whose arrays learn by `rule`, everything random drawn from `seed`.
    ///
    /// # Errors
    /// Settings out of range, or layers that do not fit each other.
    pub fn new(layers: &[LayerConfig], rule: &RuleConfig, loss: Loss, seed: u64) -> Result<Self> {
        Self::builder().layers(layers).loss(loss).seed(seed).build(rule)
    }

    /// Puts a network together layer by layer: layers of your own, a rule for each array.
    pub fn builder() -> NetworkBuilder {
        NetworkBuilder::default()
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
        self.stages.iter().filter_map(|stage| stage.rule.as_deref())
    }

    /// The rules of the layers with arrays, in order.
    pub fn rules_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn Rule>> {
        self.stages.iter_mut().filter_map(|stage| stage.rule.as_mut())
    }

    /// Operations so far, of all layers.
    ///
    /// # Errors
    /// Those of rules written by a user.
    pub fn ledger(&self) -> Result<Ledger> {
        self.rules().try_fold(Ledger::default(), |mut sum, rule| {
            sum += rule.ledger()?;
            Ok(sum)
        })
    }

    /// Whether it takes sequences, time step by time step.
    pub fn recurrent(&self) -> bool {
        self.stages.iter().any(|stage| stage.layer.recurrent())
    }

    /// Whether a sequence continues from where the one before it ended.
    pub fn carries(&self) -> bool {
        self.stages.iter().any(|stage| stage.layer.carries())
    }

    /// Forgets what sequences carried over from those before.
    pub fn reset(&mut self) {
        self.stages.iter_mut().for_each(|stage| stage.memory.clear());
    }

    /// Multiply-adds of a forward pass of one vector.
    pub(super) fn multiply_adds(&self) -> usize {
        self.stages.iter().map(|stage| stage.crosspoints() * stage.array_vectors).sum()
    }

    /// The most vectors that so many vectors of a batch give to an array.
    pub(super) fn array_vectors(&self, vectors: usize) -> usize {
        vectors.saturating_mul(self.stages.iter().map(Stage::array_vectors).max().unwrap_or(1))
    }
}
