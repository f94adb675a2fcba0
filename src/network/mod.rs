//! Networks: layers in a row, each with arrays and a rule of its own.

mod activation;
mod linear;
mod loss;
mod sequential;

pub use activation::Activation;
pub use linear::{Initial, Linear, LinearConfig};
pub use loss::{Loss, Targets};
pub use sequential::{Network, Progress};

use serde::{Deserialize, Serialize};

/// The settings of a layer, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LayerConfig {
    /// A fully connected layer: one array, or two.
    Linear(LinearConfig),
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// tanh x.
    Tanh,
    /// max(x, 0).
    #[serde(rename = "relu")]
    ReLU,
}
