//! A convolution: every patch of an image is one sample of one array (im2col, block by block).

use super::{
    ArraySpec, Batch, BatchGradient, Layer, LayerInput, Part, Saved, Sizes, check_vector, check_window,
    for_each_example, rescale,
};
use crate::error::{Error, Result};
use crate::network::shape::Shape;
use crate::rule::Rule;
use crate::settings::settings;
use crate::threads::Workers;
use rayon::prelude::*;

settings! {
    /// Settings of a convolution.
    ///
    /// Images lie pixel by pixel, row-major, the channels of a pixel together.
    pub struct Conv2dConfig without default {
        /// c: values per pixel.
        pub channels: usize, 1.0 to 1e6;
        /// Rows of pixels.
        pub height: usize, 1.0 to 1e5;
        /// Pixels per row.
        pub width: usize, 1.0 to 1e5;
        /// m: values per output pixel.
        pub filters: usize, 1.0 to 1e6;
        /// k: patches are k × k pixels.
        pub kernel: usize, 1.0 to 1e4;
        /// Pixels from one patch to the next.
        #[serde(default = "super::unit")]
        pub stride: usize, 1.0 to 1e4;
        /// Pixels of zeros around an image.
        #[serde(default)]
        pub padding: usize, 0.0 to 1e4;
        /// One more column, fed with 1.
        #[serde(default = "super::yes")]
        pub bias: bool;
        /// Output scale s: y = s·W x, so that weights fit the range of the devices.
        #[serde(default = "super::one")]
        pub scale: f64, 1e-6 to 1e6;
    }
    also |settings| settings.check_sizes()
}

impl Conv2dConfig {
    /// A convolution over images of (height, width, channels), with a bias, scale 1, stride 1 and no padding.
    pub fn new((height, width, channels): (usize, usize, usize), filters: usize, kernel: usize) -> Self {
        Self { channels, height, width, filters, kernel, stride: 1, padding: 0, bias: true, scale: 1.0 }
    }

    /// A patch fits the image.
    fn check_sizes(&self) -> Result<()> {
        check_window(self.kernel, self.height, self.width, self.padding)?;
        if self.padding >= self.kernel {
            let allowed = format!("below the kernel ({})", self.kernel);
            return Err(Error::range("padding", self.padding as f64, allowed));
        }
        check_vector(self.inputs())?;
        check_vector(self.outputs())
    }

    /// Rows and columns of patches.
    pub(super) fn places(&self) -> (usize, usize) {
        let along = |pixels: usize| (pixels + 2 * self.padding - self.kernel) / self.stride + 1;
        (along(self.height), along(self.width))
    }

    /// Patches per image.
    pub(super) fn patches(&self) -> usize {
        let (rows, columns) = self.places();
        rows * columns
    }

    /// Values per image.
    pub(super) fn inputs(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Values per output image.
    pub(super) fn outputs(&self) -> usize {
        self.patches() * self.filters
    }

    /// Values per patch.
    pub(super) fn patch(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    pub(super) fn columns(&self) -> usize {
        self.patch() + usize::from(self.bias)
    }

    /// The patches of images from number `first` on, each with the 1 that feeds the bias.
    fn gather(&self, images: &[f32], first: usize, patches: &mut [f32], workers: &Workers) {
        let cols = self.columns();
        match workers.share(patches.len() / cols, patches.len()) {
            Some(each) => {
                let parts = patches.par_chunks_mut(each * cols).enumerate();
                workers.split(|| parts.for_each(|(k, to)| self.im2col(images, first + k * each, to)));
            }
            None => self.im2col(images, first, patches),
        }
    }
}

impl Layer for Conv2dConfig {
    fn validate(&self) -> Result<()> {
        self.validate()
    }

    fn shapes(&self, _before: Shape) -> (Shape, Shape) {
        let (height, width) = self.places();
        (Shape::Image(self.height, self.width, self.channels), Shape::Image(height, width, self.filters))
    }

    /// Weights uniform in ±1/√n, n the values of a patch.
    fn array(&self) -> Option<ArraySpec> {
        let half_width = 1.0 / (self.patch() as f32).sqrt() / self.scale as f32;
        Some(ArraySpec { rows: self.filters, cols: self.columns(), half_width, vectors: self.patches() })
    }

    /// For a gradient, images, and their patches too where they are one block.
    fn sizes(&self, batch: Batch) -> Sizes {
        if !batch.training {
            return Sizes::default();
        }
        let (images, all) = (batch.vectors(), batch.vectors() * self.patches());
        let one_block = self.blocks(images, batch.threads).next() == Some(0..all);
        let work = if one_block { all * self.columns() } else { 0 };
        Sizes { inputs: images * self.inputs(), work, indices: 0 }
    }

    /// y = s·W x for every patch.
    fn forward(&self, input: LayerInput<'_>, y: &mut [f32], part: &mut Part<'_>) -> Result<()> {
        let (m, cols, workers) = (self.filters, self.columns(), part.workers);
        let images = if part.batch.training {
            let images = &mut *part.saved.inputs;
            let pixels = images.len();
            for_each_example(images, self.inputs(), pixels, workers, |k, image| input.write(k, image));
            &*images
        } else {
            input.values()
        };
        for range in self.blocks(part.batch.vectors(), workers.threads()) {
            let patches = if part.saved.work.is_empty() {
                part.scratch.resize(range.len() * cols, 0.0);
                &mut part.scratch[..]
            } else {
                &mut part.saved.work[range.start * cols..range.end * cols]
            };
            self.gather(images, range.start, patches, workers);
            part.products.forward(range.start, patches, &mut y[range.start * m..range.end * m], workers)?;
        }
        rescale(y, self.scale);
        Ok(())
    }

    /// dL/dx = s·Wᵀ δ of every patch, added up where patches overlap.
    fn backward(&self, _y: &[f32], dy: &mut [f32], dx: Option<&mut [f32]>, part: &mut Part<'_>) -> Result<()> {
        rescale(dy, self.scale);
        let Some(dx) = dx else { return Ok(()) };
        let (n, m, cols, workers) = (self.inputs(), self.filters, self.columns(), part.workers);
        let patches = self.patches();
        dx.fill(0.0);
        for range in self.blocks(part.batch.vectors(), workers.threads()) {
            let z = &mut *part.scratch;
            z.resize(range.len() * cols, 0.0);
            part.products.backward(range.start, &dy[range.start * m..range.end * m], z, workers)?;
            let images = range.start / patches..range.end.div_ceil(patches);
            let add = |k: usize, image: &mut [f32]| {
                let k = images.start + k;
                let of = range.start.max(k * patches)..range.end.min((k + 1) * patches);
                let z = &z[(of.start - range.start) * cols..(of.end - range.start) * cols];
                self.col2im(z, of.start, image);
            };
            for_each_example(&mut dx[images.start * n..images.end * n], n, z.len(), workers, add);
        }
        Ok(())
    }

    /// Learns patch after patch.
    fn learn(&self, rule: &mut dyn Rule, batch: BatchGradient<'_>) -> Result<()> {
        let BatchGradient { saved: Saved { inputs: images, work: patches, .. }, dy, lr_scale, workers } = batch;
        let m = self.filters;
        let kept = !patches.is_empty();
        for range in self.blocks(images.len() / self.inputs(), workers.threads()) {
            if !kept {
                patches.resize(range.len() * self.columns(), 0.0);
                self.gather(images, range.start, patches, workers);
            }
            rule.update(patches, &dy[range.start * m..range.end * m], lr_scale, workers)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::network::layer) fn config(stride: usize, padding: usize) -> Conv2dConfig {
        Conv2dConfig {
            channels: 2,
            height: 4,
            width: 5,
            filters: 3,
            kernel: 3,
            stride,
            padding,
            bias: true,
            scale: 1.0,
        }
    }

    #[test]
    fn a_kernel_larger_than_the_image_is_refused() {
        let large = Conv2dConfig { kernel: 5, ..config(1, 0) };
        let said = large.validate().expect_err("too large").to_string();
        assert_eq!(said, "kernel must be at most 4 (images are 4 × 5), not 5");
        Conv2dConfig { kernel: 5, ..config(1, 1) }.validate().expect("fits with its padding");
        let blind = Conv2dConfig { kernel: 2, ..config(1, 2) };
        assert!(
            blind
                .validate()
                .expect_err("sees nothing")
                .to_string()
                .contains("padding must be below the kernel (2), not 2")
        );
    }
}
