//! A fully connected layer; the bias is one more column of the array, fed with 1.

use crate::error::{Error, Limit, Result, check_limits};
use crate::random::{Operation, Stream};
use crate::rule::Rule;
use crate::workers::Workers;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Values below which another thread copies no faster.
const SPLIT: usize = 1 << 13;

/// Settings of a linear layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearConfig {
    /// n: values per input.
    pub inputs: usize,
    /// m: values per output.
    pub outputs: usize,
    /// One more column, fed with 1.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Output scale s: y = s·W x, so that weights fit the range of the devices.
    #[serde(default = "one")]
    pub scale: f64,
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

impl LinearConfig {
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = &[
        Limit { field: "inputs", min: 1.0, max: 1e7, get: |s| Some(s.inputs as f64) },
        Limit { field: "outputs", min: 1.0, max: 1e7, get: |s| Some(s.outputs as f64) },
        Limit { field: "scale", min: 1e-6, max: 1e6, get: |s| Some(s.scale) },
    ];

    /// Checks every field.
    pub fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)
    }

    fn columns(&self) -> usize {
        self.inputs + usize::from(self.bias)
    }
}

/// What a rule for one layer is built from.
#[derive(Debug)]
pub struct Initial<'a> {
    /// Number of the layer among those with arrays.
    pub layer: u64,
    /// Outputs.
    pub rows: usize,
    /// Inputs, the bias among them.
    pub cols: usize,
    /// Initial weights, row after row.
    pub weights: &'a [f32],
    /// Seed of the network.
    pub seed: u64,
}

/// A linear layer with its rule.
#[derive(Debug)]
pub struct Linear {
    config: LinearConfig,
    rule: Box<dyn Rule>,
    /// Inputs of the last batch, each with its 1.
    x: Vec<f32>,
    /// δ of the last batch.
    delta: Vec<f32>,
    z: Vec<f32>,
}

impl Linear {
    /// A layer whose rule `build` makes from weights uniform in ±1/√n, n the inputs without the bias.
    pub(super) fn new(
        config: &LinearConfig,
        layer: u64,
        seed: u64,
        build: &mut dyn FnMut(Initial<'_>) -> Result<Box<dyn Rule>>,
    ) -> Result<Self> {
        config.validate()?;
        let (rows, cols) = (config.outputs, config.columns());
        let most = crate::crossbar::MAX_CROSSPOINTS;
        if rows.checked_mul(cols).is_none_or(|n| n > most) {
            let n = rows as f64 * cols as f64;
            return Err(Error::range("outputs × (inputs + bias)", n, format!("at most {most}")));
        }
        let mut weights = vec![0.0; rows * cols];
        Stream::new(seed, layer, Operation::Initialise, 0).uniforms(0, &mut weights);
        let half_width = 1.0 / (config.inputs as f32).sqrt() / config.scale as f32;
        weights.iter_mut().for_each(|w| *w = half_width * (2.0 * *w - 1.0));
        let rule = build(Initial { layer, rows, cols, weights: &weights, seed })?;
        if rule.shape() != (rows, cols) {
            return Err(Error::Conflict(format!(
                "the rule of layer {layer} is {:?}, not ({rows}, {cols})",
                rule.shape()
            )));
        }
        Ok(Self { config: config.clone(), rule, x: Vec::new(), delta: Vec::new(), z: Vec::new() })
    }

    /// The settings.
    pub fn config(&self) -> &LinearConfig {
        &self.config
    }

    /// The rule with its arrays.
    pub fn rule(&self) -> &dyn Rule {
        self.rule.as_ref()
    }

    /// The rule with its arrays.
    pub fn rule_mut(&mut self) -> &mut dyn Rule {
        self.rule.as_mut()
    }

    /// Inputs one after another, each with the 1 that feeds the bias.
    fn extend<'a>(&self, count: usize, input: impl Fn(usize) -> &'a [f32] + Sync, x: &mut Vec<f32>, workers: &Workers) {
        let (n, cols) = (self.config.inputs, self.config.columns());
        x.resize(count * cols, 0.0);
        let copy = |(b, x): (usize, &mut [f32])| {
            x[..n].copy_from_slice(input(b));
            x[n..].fill(1.0);
        };
        if workers.threads() > 1 && x.len() >= SPLIT {
            let parts = x.par_chunks_mut(cols).enumerate().with_min_len(count.div_ceil(workers.threads()));
            workers.split(|| parts.for_each(copy));
        } else {
            x.chunks_exact_mut(cols).enumerate().for_each(copy);
        }
    }

    fn rescale(&self, values: &mut [f32]) {
        if self.config.scale != 1.0 {
            let s = self.config.scale as f32;
            values.iter_mut().for_each(|v| *v *= s);
        }
    }

    /// y = s·W x for a batch.
    pub(super) fn forward<'a>(
        &mut self,
        count: usize,
        input: impl Fn(usize) -> &'a [f32] + Sync,
        y: &mut Vec<f32>,
        workers: &Workers,
    ) -> Result<()> {
        let mut x = std::mem::take(&mut self.x);
        self.extend(count, input, &mut x, workers);
        self.x = x;
        y.resize(count * self.config.outputs, 0.0);
        self.rule.forward(&self.x, y, workers)?;
        self.rescale(y);
        Ok(())
    }

    /// Takes δ = dL/dy of the last batch, to [`learn`](Linear::learn) from, and leaves dL/dx in its place where it is
    /// `wanted` (a first layer has nobody to tell).
    pub(super) fn backward(&mut self, delta: &mut Vec<f32>, wanted: bool, workers: &Workers) -> Result<()> {
        self.rescale(delta);
        std::mem::swap(&mut self.delta, delta);
        if wanted {
            let (n, cols) = (self.config.inputs, self.config.columns());
            self.z.resize(self.x.len(), 0.0);
            self.rule.backward(&self.delta, &mut self.z, workers)?;
            delta.clear();
            for z in self.z.chunks_exact(cols) {
                delta.extend_from_slice(&z[..n]);
            }
        }
        Ok(())
    }

    /// Learns from the last batch.
    pub(super) fn learn(&mut self, rate: f32, workers: &Workers) -> Result<()> {
        self.rule.update(&self.x, &self.delta, rate, workers)
    }

    /// y = s·W x with the noise of evaluation vector `draw`, `draw + 1`, …
    pub(super) fn evaluate(&self, draw: u64, input: &[f32], y: &mut Vec<f32>, workers: &Workers) -> Result<()> {
        let mut x = Vec::new();
        let (n, count) = (self.config.inputs, input.len() / self.config.inputs);
        self.extend(count, |b| &input[b * n..][..n], &mut x, workers);
        y.resize(count * self.config.outputs, 0.0);
        self.rule.evaluate(draw, &x, y, workers)?;
        self.rescale(y);
        Ok(())
    }
}
