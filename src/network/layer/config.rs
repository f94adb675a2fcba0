//! The table of layer kinds.

pub use super::activation::{ReLU, Sigmoid, Tanh};
pub use super::conv2d::Conv2dConfig;
pub use super::flatten::FlattenConfig;
pub use super::linear::LinearConfig;
pub use super::lstm::LstmConfig;
pub use super::max_pool2d::MaxPool2dConfig;

use super::Layer;
use crate::kinds::kinds;

kinds! {
    /// The settings of a built-in layer, by kind.
    pub enum LayerConfig("layer"): Layer {
        /// A fully connected layer.
        Linear(LinearConfig) = "linear" without default,
        /// A convolution: every patch is a sample of one array.
        Conv2d(Conv2dConfig) = "conv2d" without default,
        /// Long short-term memory: every time step is a sample of one array.
        Lstm(LstmConfig) = "lstm" without default,
        /// The largest value of each channel in each window.
        MaxPool2d(MaxPool2dConfig) = "max-pool2d" without default,
        /// From images to vectors.
        Flatten(FlattenConfig) = "flatten" without default,
        /// 1 / (1 + e⁻ˣ).
        Sigmoid = "sigmoid" as &Sigmoid,
        /// tanh x.
        Tanh = "tanh" as &Tanh,
        /// max(x, 0).
        ReLU = "relu" as &ReLU,
    }
}

impl LayerConfig {
    /// A fully connected layer with a bias, from `inputs` to `outputs` values.
    pub fn linear(inputs: usize, outputs: usize) -> Self {
        Self::Linear(LinearConfig::new(inputs, outputs))
    }

    /// A convolution of `filters` patches of `kernel` × `kernel` pixels over images of (height, width, channels), with a
    /// bias, stride 1 and no padding.
    pub fn conv2d(image: (usize, usize, usize), filters: usize, kernel: usize) -> Self {
        Self::Conv2d(Conv2dConfig::new(image, filters, kernel))
    }

    /// Long short-term memory with a bias, from `inputs` to `hidden` values.
    pub fn lstm(inputs: usize, hidden: usize) -> Self {
        Self::Lstm(LstmConfig::new(inputs, hidden))
    }

    /// The largest values of windows of `kernel` × `kernel` pixels side by side, in images of (height, width, channels).
    pub fn max_pool2d(image: (usize, usize, usize), kernel: usize) -> Self {
        Self::MaxPool2d(MaxPool2dConfig::new(image, kernel))
    }

    /// From images of (height, width, channels) to vectors.
    pub fn flatten(image: (usize, usize, usize)) -> Self {
        Self::Flatten(FlattenConfig::new(image))
    }

    /// Whether the layer has an array, and so a rule.
    pub fn has_array(&self) -> bool {
        self.settings().array().is_some()
    }
}

impl From<LayerConfig> for Box<dyn Layer> {
    fn from(config: LayerConfig) -> Self {
        config.settings().boxed_clone()
    }
}
