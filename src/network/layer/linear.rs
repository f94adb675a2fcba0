//! A fully connected layer; the bias is one more column of the array, fed with 1.

use super::{ArraySpec, Batch, Layer, LayerInput, Part, Sizes, rescale};
use crate::error::Result;
use crate::network::shape::Shape;
use crate::network::tuning::COPIED_VALUES;
use crate::settings::settings;
use rayon::prelude::*;

settings! {
    /// Settings of a linear layer.
    pub struct LinearConfig without default {
        /// n: values per input.
        pub inputs: usize, 1.0 to 1e7;
        /// m: values per output.
        pub outputs: usize, 1.0 to 1e7;
        /// One more column, fed with 1.
        #[serde(default = "super::yes")]
        pub bias: bool;
        /// Output scale s: y = s·W x, so that weights fit the range of the devices.
        #[serde(default = "super::one")]
        pub scale: f64, 1e-6 to 1e6;
    }
}

impl LinearConfig {
    /// A layer with a bias and scale 1.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, bias: true, scale: 1.0 }
    }

    fn columns(&self) -> usize {
        self.inputs + usize::from(self.bias)
    }
}

impl Layer for LinearConfig {
    fn validate(&self) -> Result<()> {
        self.validate()
    }

    fn shapes(&self, _before: Shape) -> (Shape, Shape) {
        (Shape::Vector(self.inputs), Shape::Vector(self.outputs))
    }

    /// Weights uniform in ±1/√n, n the inputs without the bias.
    fn array(&self) -> Option<ArraySpec> {
        let half_width = 1.0 / (self.inputs as f32).sqrt() / self.scale as f32;
        Some(ArraySpec { rows: self.outputs, cols: self.columns(), half_width, vectors: 1 })
    }

    fn sizes(&self, batch: Batch) -> Sizes {
        Sizes { inputs: batch.vectors() * self.columns(), ..Sizes::default() }
    }

    /// y = s·W x.
    fn forward(&self, input: LayerInput<'_>, y: &mut [f32], part: &mut Part<'_>) -> Result<()> {
        let (cols, workers) = (self.columns(), part.workers);
        let x = &mut *part.saved.inputs;
        let copy = |(k, x): (usize, &mut [f32])| {
            input.write(k, &mut x[..self.inputs]);
            x[self.inputs..].fill(1.0);
        };
        if workers.threads() > 1 && x.len() >= COPIED_VALUES {
            let each = part.batch.vectors().div_ceil(workers.threads());
            let vectors = x.par_chunks_mut(cols).enumerate().with_min_len(each);
            workers.split(|| vectors.for_each(copy));
        } else {
            x.chunks_exact_mut(cols).enumerate().for_each(copy);
        }
        part.products.forward(0, x, y, workers)?;
        rescale(y, self.scale);
        Ok(())
    }

    /// dL/dx = s·Wᵀ δ, without what the bias gets.
    fn backward(&self, _y: &[f32], dy: &mut [f32], dx: Option<&mut [f32]>, part: &mut Part<'_>) -> Result<()> {
        rescale(dy, self.scale);
        let Some(dx) = dx else { return Ok(()) };
        let z = &mut *part.scratch;
        z.resize(part.saved.inputs.len(), 0.0);
        part.products.backward(0, dy, z, part.workers)?;
        for (dx, z) in dx.chunks_exact_mut(self.inputs).zip(z.chunks_exact(self.columns())) {
            dx.copy_from_slice(&z[..self.inputs]);
        }
        Ok(())
    }
}
