//! One layer of a network, whatever its kind.

use super::batch::{Draw, Input, Shape};
use super::conv2d::Conv2d;
use super::initial::{Build, Place};
use super::linear::Linear;
use super::lstm::{Lstm, Memory};
use super::pool::{FlattenConfig, MaxPool2d};
use super::{Activation, LayerConfig};
use crate::error::Result;
use crate::rule::Rule;
use crate::workers::Workers;

/// Work of a sample at an array whatever its size, in lines drawn (measured).
const SAMPLE: usize = 40;

#[derive(Debug)]
pub(super) enum Stage {
    Linear(Box<Linear>),
    Conv2d(Box<Conv2d>),
    Lstm(Box<Lstm>),
    MaxPool2d(MaxPool2d),
    Flatten(FlattenConfig),
    Activation(Activation),
}

impl Stage {
    pub(super) fn new(config: &LayerConfig, at: Place, build: Build<'_>) -> Result<Self> {
        Ok(match config {
            LayerConfig::Linear(config) => Self::Linear(Box::new(Linear::new(config, at, build)?)),
            LayerConfig::Conv2d(config) => Self::Conv2d(Box::new(Conv2d::new(config, at, build)?)),
            LayerConfig::Lstm(config) => Self::Lstm(Box::new(Lstm::new(config, at, build)?)),
            LayerConfig::MaxPool2d(config) => Self::MaxPool2d(MaxPool2d::new(config)?),
            LayerConfig::Flatten(config) => {
                config.validate()?;
                Self::Flatten(config.clone())
            }
            LayerConfig::Sigmoid => Self::Activation(Activation::Sigmoid),
            LayerConfig::Tanh => Self::Activation(Activation::Tanh),
            LayerConfig::ReLU => Self::Activation(Activation::ReLU),
        })
    }

    /// The rule of a layer with an array.
    pub(super) fn rule(&self) -> Option<&dyn Rule> {
        match self {
            Self::Linear(layer) => Some(layer.rule.as_ref()),
            Self::Conv2d(layer) => Some(layer.rule.as_ref()),
            Self::Lstm(layer) => Some(layer.rule.as_ref()),
            Self::MaxPool2d(_) | Self::Flatten(_) | Self::Activation(_) => None,
        }
    }

    /// The rule of a layer with an array.
    pub(super) fn rule_mut(&mut self) -> Option<&mut Box<dyn Rule>> {
        match self {
            Self::Linear(layer) => Some(&mut layer.rule),
            Self::Conv2d(layer) => Some(&mut layer.rule),
            Self::Lstm(layer) => Some(&mut layer.rule),
            Self::MaxPool2d(_) | Self::Flatten(_) | Self::Activation(_) => None,
        }
    }

    pub(super) fn lstm(&self) -> Option<&Lstm> {
        if let Self::Lstm(layer) = self { Some(layer) } else { None }
    }

    pub(super) fn lstm_mut(&mut self) -> Option<&mut Lstm> {
        if let Self::Lstm(layer) = self { Some(layer) } else { None }
    }

    /// Whether a sequence goes on where the one before it ended.
    pub(super) fn carries(&self) -> bool {
        self.lstm().is_some_and(|lstm| lstm.config.carry)
    }

    pub(super) fn crosspoints(&self) -> usize {
        self.rule().map_or(0, |rule| rule.shape().0 * rule.shape().1)
    }

    /// Samples that each vector of a batch gives to the array of the layer.
    pub(super) fn samples(&self) -> usize {
        if let Self::Conv2d(layer) = self { layer.patches() } else { 1 }
    }

    /// Work of learning from one vector of a batch, in lines drawn.
    pub(super) fn work(&self) -> usize {
        self.rule().map_or(0, |rule| self.samples() * (rule.shape().0 + rule.shape().1 + SAMPLE))
    }

    /// Whether the gradient needs the outputs of the last batch as they were.
    pub(super) fn keeps_outputs(&self) -> bool {
        matches!(self, Self::Activation(_))
    }

    /// The outputs for a batch, from `input` or, for layers without arrays, from `x`, which is left as it is only
    /// `if kept`.
    pub(super) fn forward(
        &mut self,
        shape: Shape,
        input: Input<'_>,
        x: Option<(&mut Vec<f32>, bool)>,
        y: &mut Vec<f32>,
        workers: &Workers,
    ) -> Result<()> {
        match (self, x) {
            (Self::Linear(layer), _) => layer.forward(shape.vectors(), input, y, workers)?,
            (Self::Conv2d(layer), _) => layer.forward(shape.vectors(), input, y, workers)?,
            (Self::Lstm(layer), _) => layer.forward(shape, input, y, workers)?,
            (_, None) => unreachable!("a network starts with a layer that has an array"),
            (Self::MaxPool2d(layer), Some((x, _))) => layer.forward(x, y, workers),
            (Self::Flatten(layer), Some((x, _))) => {
                y.resize(x.len(), 0.0);
                layer.forward(x, y);
            }
            (Self::Activation(activation), Some((x, kept))) => {
                if kept {
                    y.clone_from(x);
                } else {
                    std::mem::swap(x, y);
                }
                activation.forward_split(y, workers);
            }
        }
        Ok(())
    }

    /// dL/dx in the place of dL/dy, where it is `wanted`; `y` are the outputs of the last batch.
    pub(super) fn backward(&mut self, y: &[f32], delta: &mut Vec<f32>, wanted: bool, workers: &Workers) -> Result<()> {
        match self {
            Self::Linear(layer) => layer.backward(delta, wanted, workers)?,
            Self::Conv2d(layer) => layer.backward(delta, wanted, workers)?,
            Self::Lstm(layer) => layer.backward(delta, wanted, workers)?,
            Self::MaxPool2d(layer) => layer.backward(delta, workers),
            Self::Flatten(layer) => {
                let mut dx = vec![0.0; delta.len()];
                layer.backward(delta, &mut dx);
                *delta = dx;
            }
            Self::Activation(activation) => activation.backward_split(y, delta, workers),
        }
        Ok(())
    }

    pub(super) fn learn(&mut self, lr_scale: f32, workers: &Workers) -> Result<()> {
        match self {
            Self::Linear(layer) => layer.learn(lr_scale, workers),
            Self::Conv2d(layer) => layer.learn(lr_scale, workers),
            Self::Lstm(layer) => layer.learn(lr_scale, workers),
            Self::MaxPool2d(_) | Self::Flatten(_) | Self::Activation(_) => Ok(()),
        }
    }

    /// The outputs for `values` in their place, with the noise of an evaluation; `spare` is overwritten.
    pub(super) fn evaluate(
        &self,
        draw: Draw,
        shape: Shape,
        values: &mut Vec<f32>,
        spare: &mut Vec<f32>,
        memory: &mut Memory,
        workers: &Workers,
    ) -> Result<()> {
        match self {
            Self::Linear(layer) => layer.evaluate(draw, values, spare, workers)?,
            Self::Conv2d(layer) => layer.evaluate(draw, values, spare, workers)?,
            Self::Lstm(layer) => layer.evaluate(draw, shape, values, spare, memory, workers)?,
            Self::MaxPool2d(layer) => layer.pool(values, spare, &mut Vec::new(), workers),
            Self::Flatten(layer) => {
                spare.resize(values.len(), 0.0);
                layer.forward(values, spare);
            }
            Self::Activation(activation) => {
                activation.forward_split(values, workers);
                return Ok(());
            }
        }
        std::mem::swap(values, spare);
        Ok(())
    }
}
