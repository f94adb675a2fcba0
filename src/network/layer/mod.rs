//! Layers: one file each, which holds the settings of a layer and its arithmetic, forward beside backward and learn.

mod activation;
mod conv2d;
mod flatten;
mod im2col;
mod linear;
mod lstm;
mod max_pool2d;
mod part;
#[cfg(any(test, feature = "python"))]
mod recurrence;

/// The settings of the built-in layers.
pub(super) mod built_in {
    pub use super::activation::{ReLU, Sigmoid, Tanh};
    pub use super::conv2d::Conv2dConfig;
    pub use super::flatten::FlattenConfig;
    pub use super::linear::LinearConfig;
    pub use super::lstm::LstmConfig;
    pub use super::max_pool2d::MaxPool2dConfig;
}

pub use built_in::*;
pub(crate) use im2col::Im2col;
pub use lstm::Memory;
pub(super) use part::{Access, Shared, take};
pub use part::{Batch, BatchGradient, LayerInput, Part, Products, Saved, SavedPart, Sizes};
#[cfg(feature = "python")]
pub(crate) use recurrence::{Kept, Recurrence};

use super::shape::Shape;
use crate::boxed::boxed_clone;
use crate::check::check_most;
use crate::error::{Error, Result};
use crate::kinds::kinds;
use crate::rule::Rule;
use crate::threads::Workers;
use rayon::prelude::*;
use std::fmt::Debug;

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

/// A layer of a network: its settings, and the arithmetic that follows from them.
///
/// A layer changes nothing in itself. What a mini-batch leaves behind for the gradient lies in buffers of the network
/// ([`Saved`]), the weights in a [`Rule`]. Threads may share a mini-batch: then each calls `forward` and `backward` with
/// its own examples. Vectors of a batch lie one after another; for sequences, first those of the first time step.
pub trait Layer: LayerClone + Debug + Send + Sync {
    /// Checks the settings.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// The shapes of what the layer takes and gives, where the layer before gives `before`.
    fn shapes(&self, before: Shape) -> (Shape, Shape);

    /// The array that the layer needs; most need none.
    fn array(&self) -> Option<ArraySpec> {
        None
    }

    /// Values to keep of a batch until the layer has learned from it.
    fn sizes(&self, _batch: Batch) -> Sizes {
        Sizes::default()
    }

    /// Whether outputs replace inputs: then `forward` finds its inputs in `y`, and `backward` puts dL/dx in the place of
    /// dL/dy. Not for layers with an array.
    fn in_place(&self) -> bool {
        false
    }

    /// Whether `backward` needs the outputs of `forward`.
    fn keeps_outputs(&self) -> bool {
        self.in_place()
    }

    /// Whether it looks back at earlier time steps, so that a batch cannot be shared among threads by example.
    fn recurrent(&self) -> bool {
        false
    }

    /// Whether a sequence continues from where the one at its place in the batch before ended.
    fn carries(&self) -> bool {
        false
    }

    /// The outputs `y` for the inputs `x` of a part of a batch, in training and in evaluation.
    ///
    /// # Errors
    /// Those of the rule.
    fn forward(&self, x: LayerInput<'_>, y: &mut [f32], part: &mut Part<'_>) -> Result<()>;

    /// The gradient of the same part: from `dy` = dL/dy to `dx` = dL/dx, which the first layer of a network and layers
    /// [in place](Layer::in_place) do not get. `dy` may change, and is what [`learn`](Layer::learn) gets; `y` are the
    /// outputs if the layer [keeps](Layer::keeps_outputs) them.
    ///
    /// # Errors
    /// Those of the rule.
    fn backward(&self, y: &[f32], dy: &mut [f32], dx: Option<&mut [f32]>, part: &mut Part<'_>) -> Result<()>;

    /// Lets the rule of the array learn from the whole batch; by default, from every saved input and its δ in turn.
    ///
    /// # Errors
    /// Those of the rule.
    fn learn(&self, rule: &mut dyn Rule, batch: BatchGradient<'_>) -> Result<()> {
        rule.update(&batch.saved.inputs, batch.dy, batch.lr_scale, batch.workers)
    }
}

boxed_clone!(LayerClone of Layer);

impl<T: Layer + 'static> From<T> for Box<dyn Layer> {
    fn from(layer: T) -> Self {
        Box::new(layer)
    }
}

/// The array of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArraySpec {
    /// Outputs.
    pub rows: usize,
    /// Inputs, the bias among them.
    pub cols: usize,
    /// Initial weights are uniform in ± this.
    pub half_width: f32,
    /// Vectors of the array for each vector of the layer.
    pub vectors: usize,
}

/// values ← s·values.
fn rescale(values: &mut [f32], scale: f64) {
    if scale != 1.0 {
        let s = scale as f32;
        values.iter_mut().for_each(|v| *v *= s);
    }
}

/// Runs `each` on every example, `width` of the `values` each; threads share the work where that pays for so many
/// values `touched`.
fn for_each_example(
    values: &mut [f32],
    width: usize,
    touched: usize,
    workers: &Workers,
    each: impl Fn(usize, &mut [f32]) + Sync,
) {
    match workers.share(values.len() / width, touched) {
        Some(examples) => {
            let parts = values.par_chunks_mut(width).enumerate().with_min_len(examples);
            workers.split(|| parts.for_each(|(k, values)| each(k, values)));
        }
        None => values.chunks_exact_mut(width).enumerate().for_each(|(k, values)| each(k, values)),
    }
}

/// Requires no more values of a vector than a network can hold.
fn check_vector(values: usize) -> Result<()> {
    check_most("height × width × channels", values as f64, 10_000_000)
}

/// Requires a `kernel` no larger than the image with its padding.
fn check_window(kernel: usize, height: usize, width: usize, padding: usize) -> Result<()> {
    let most = height.min(width) + 2 * padding;
    if kernel > most {
        let allowed = match padding {
            0 => format!("at most {most} (images are {height} × {width})"),
            _ => format!("at most {most} (images are {height} × {width} with {padding} around them)"),
        };
        return Err(Error::range("kernel", kernel as f64, allowed));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Outputs and dL/dx of a layer without an array for one example, from its input and dL/dy.
    pub(super) fn run(layer: &dyn Layer, x: &[f32], dy: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let batch = Batch { time_steps: 1, sequences: 1, threads: 1, training: true };
        let mut saved = Saved::default();
        saved.resize(layer.sizes(batch));
        let (memory, scratch, workers) = (&mut Memory::default(), &mut Vec::new(), &Workers::default());
        let mut part = Part { batch, saved: saved.all(), products: Products(Access::None), memory, scratch, workers };
        let (mut y, mut dy, mut dx) = (x.to_vec(), dy.to_vec(), vec![f32::NAN; x.len()]);
        y.resize(dy.len(), f32::NAN);
        layer.forward(x.into(), &mut y, &mut part).expect("no array");
        layer.backward(&y, &mut dy, Some(&mut dx), &mut part).expect("no array");
        (y, if layer.in_place() { dy } else { dx })
    }
}
