//! A fully connected layer; the bias is one more column of the array, fed with 1.

use crate::error::{Error, Limit, Result, check_limits};
use crate::random::{Operation, Stream};
use crate::rule::Rule;
use crate::workers::Workers;
use serde::{Deserialize, Serialize};

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
        Ok(Self { config: config.clone(), rule, x: Vec::new(), z: Vec::new() })
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

    fn extend(&self, input: &[f32], x: &mut Vec<f32>) {
        x.clear();
        for input in input.chunks_exact(self.config.inputs) {
            x.extend_from_slice(input);
            if self.config.bias {
                x.push(1.0);
            }
        }
    }

    fn rescale(&self, values: &mut [f32]) {
        if self.config.scale != 1.0 {
            let s = self.config.scale as f32;
            values.iter_mut().for_each(|v| *v *= s);
        }
    }

    /// y = s·W x for a batch.
    pub(super) fn forward(&mut self, input: &[f32], y: &mut Vec<f32>, workers: &Workers) -> Result<()> {
        let mut x = std::mem::take(&mut self.x);
        self.extend(input, &mut x);
        self.x = x;
        y.resize(input.len() / self.config.inputs * self.config.outputs, 0.0);
        self.rule.forward(&self.x, y, workers)?;
        self.rescale(y);
        Ok(())
    }

    /// Takes δ = dL/dy of the last batch; learns from it, and leaves dL/dx in δ where it is `wanted`
    /// (a first layer has nobody to tell).
    pub(super) fn backward(&mut self, delta: &mut Vec<f32>, wanted: bool, rate: f32, workers: &Workers) -> Result<()> {
        self.rescale(delta);
        if wanted {
            let (n, cols) = (self.config.inputs, self.config.columns());
            self.z.resize(self.x.len(), 0.0);
            self.rule.backward(delta, &mut self.z, workers)?;
            self.rule.update(&self.x, delta, rate, workers)?;
            delta.clear();
            for z in self.z.chunks_exact(cols) {
                delta.extend_from_slice(&z[..n]);
            }
            Ok(())
        } else {
            self.rule.update(&self.x, delta, rate, workers)
        }
    }

    /// y = s·W x with the noise of evaluation vector `draw`, `draw + 1`, …
    pub(super) fn evaluate(&self, draw: u64, input: &[f32], y: &mut Vec<f32>, workers: &Workers) -> Result<()> {
        let mut x = Vec::new();
        self.extend(input, &mut x);
        y.resize(input.len() / self.config.inputs * self.config.outputs, 0.0);
        self.rule.evaluate(draw, &x, y, workers)?;
        self.rescale(y);
        Ok(())
    }
}
