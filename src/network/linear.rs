//! A fully connected layer; the bias is one more column of the array, fed with 1.

use super::batch::{Draw, Input};
use super::initial::{self, Build, Place, rescale};
use crate::error::{Limit, Result, check_limits};
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
    #[serde(default = "super::yes")]
    pub bias: bool,
    /// Output scale s: y = s·W x, so that weights fit the range of the devices.
    #[serde(default = "super::one")]
    pub scale: f64,
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

    pub(super) fn columns(&self) -> usize {
        self.inputs + usize::from(self.bias)
    }

    /// Input vector number `k`, with the 1 that feeds the bias.
    pub(super) fn feed(&self, k: usize, input: Input<'_>, x: &mut [f32]) {
        input(k, &mut x[..self.inputs]);
        x[self.inputs..].fill(1.0);
    }

    /// dL/dx from Wᵀ δ of every vector, which has the bias's too.
    pub(super) fn take(&self, z: &[f32], delta: &mut Vec<f32>) {
        delta.clear();
        for z in z.chunks_exact(self.columns()) {
            delta.extend_from_slice(&z[..self.inputs]);
        }
    }
}

/// A linear layer with its rule.
#[derive(Debug)]
pub(super) struct Linear {
    pub(super) config: LinearConfig,
    pub(super) rule: Box<dyn Rule>,
    /// Inputs of the last batch, each with its 1.
    pub(super) x: Vec<f32>,
    /// δ of the last batch.
    pub(super) delta: Vec<f32>,
    z: Vec<f32>,
}

impl Linear {
    /// A layer whose rule `build` makes from weights uniform in ±1/√n, n the inputs without the bias.
    pub(super) fn new(config: &LinearConfig, at: Place, build: Build<'_>) -> Result<Self> {
        config.validate()?;
        let half_width = 1.0 / (config.inputs as f32).sqrt() / config.scale as f32;
        let rule = initial::rule(at, (config.outputs, config.columns()), half_width, build)?;
        Ok(Self { config: config.clone(), rule, x: Vec::new(), delta: Vec::new(), z: Vec::new() })
    }

    /// Makes room for a batch whose products others make.
    pub(super) fn make_room(&mut self, count: usize) {
        self.x.resize(count * self.config.columns(), 0.0);
        self.delta.resize(count * self.config.outputs, 0.0);
    }

    /// Inputs one after another, each with the 1 that feeds the bias.
    fn extend(&self, count: usize, input: Input<'_>, x: &mut Vec<f32>, workers: &Workers) {
        let cols = self.config.columns();
        x.resize(count * cols, 0.0);
        let copy = |(b, x): (usize, &mut [f32])| self.config.feed(b, input, x);
        if workers.threads() > 1 && x.len() >= SPLIT {
            let parts = x.par_chunks_mut(cols).enumerate().with_min_len(count.div_ceil(workers.threads()));
            workers.split(|| parts.for_each(copy));
        } else {
            x.chunks_exact_mut(cols).enumerate().for_each(copy);
        }
    }

    /// y = s·W x for a batch.
    pub(super) fn forward(
        &mut self,
        count: usize,
        input: Input<'_>,
        y: &mut Vec<f32>,
        workers: &Workers,
    ) -> Result<()> {
        let mut x = std::mem::take(&mut self.x);
        self.extend(count, input, &mut x, workers);
        self.x = x;
        y.resize(count * self.config.outputs, 0.0);
        self.rule.forward(&self.x, y, workers)?;
        rescale(y, self.config.scale);
        Ok(())
    }

    /// Takes δ = dL/dy of the last batch, to [`learn`](Linear::learn) from, and leaves dL/dx in its place where it is
    /// `wanted` (a first layer has nobody to tell).
    pub(super) fn backward(&mut self, delta: &mut Vec<f32>, wanted: bool, workers: &Workers) -> Result<()> {
        rescale(delta, self.config.scale);
        std::mem::swap(&mut self.delta, delta);
        if wanted {
            self.z.resize(self.x.len(), 0.0);
            self.rule.backward(&self.delta, &mut self.z, workers)?;
            self.config.take(&self.z, delta);
        }
        Ok(())
    }

    /// Learns from the last batch.
    pub(super) fn learn(&mut self, lr_scale: f32, workers: &Workers) -> Result<()> {
        self.rule.update(&self.x, &self.delta, lr_scale, workers)?;
        self.rule.finish_batch(lr_scale)
    }

    /// y = s·W x with the noise of an evaluation.
    pub(super) fn evaluate(&self, draw: Draw, input: &[f32], y: &mut Vec<f32>, workers: &Workers) -> Result<()> {
        let mut x = Vec::new();
        let (n, count) = (self.config.inputs, input.len() / self.config.inputs);
        self.extend(count, &|b, x: &mut [f32]| x.copy_from_slice(&input[b * n..][..n]), &mut x, workers);
        y.resize(count * self.config.outputs, 0.0);
        self.rule.evaluate(draw.product(1), &x, y, workers)?;
        rescale(y, self.config.scale);
        Ok(())
    }
}
