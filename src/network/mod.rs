//! Networks: layers in a row, those with weights each with a rule of its own and its array, or arrays.

mod activation;
mod batch;
mod conv2d;
mod evaluate;
mod initial;
mod linear;
mod loss;
mod lstm;
mod part;
mod pass;
mod patches;
mod pool;
mod sequential;
mod stage;
mod values;

pub use crate::rule::Initial;
pub use activation::Activation;
pub use batch::{Examples, Inputs};
pub use conv2d::Conv2dConfig;
pub use linear::LinearConfig;
pub use loss::{Loss, Targets};
pub use lstm::{LstmConfig, Memory};
pub use pool::{FlattenConfig, MaxPool2dConfig};
pub use sequential::{Network, Progress};

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The settings of a layer, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LayerConfig {
    /// A fully connected layer.
    Linear(LinearConfig),
    /// A convolution: every patch is a sample of one array.
    Conv2d(Conv2dConfig),
    /// Long short-term memory: every time step is a sample of one array.
    Lstm(LstmConfig),
    /// The largest value of each channel in each window.
    MaxPool2d(MaxPool2dConfig),
    /// From images to vectors.
    Flatten(FlattenConfig),
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// tanh x.
    Tanh,
    /// max(x, 0).
    #[serde(rename = "relu")]
    ReLU,
}

impl LayerConfig {
    /// Checks every field.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Linear(config) => config.validate(),
            Self::Conv2d(config) => config.validate(),
            Self::Lstm(config) => config.validate(),
            Self::MaxPool2d(config) => config.validate(),
            Self::Flatten(config) => config.validate(),
            Self::Sigmoid | Self::Tanh | Self::ReLU => Ok(()),
        }
    }

    /// Whether the layer has an array, and so a rule.
    pub fn has_array(&self) -> bool {
        matches!(self, Self::Linear(_) | Self::Conv2d(_) | Self::Lstm(_))
    }
}

/// Requires no more values of a vector than a network can hold.
fn check_vector(values: usize) -> Result<()> {
    if values > 10_000_000 {
        return Err(Error::range("height × width × channels", values as f64, "at most 10000000"));
    }
    Ok(())
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

fn unit() -> usize {
    1
}
