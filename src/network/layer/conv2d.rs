//! A convolution: every patch of an image is one sample of one array (im2col, block by block).

use super::{
    ArraySpec, Batch, BatchGradient, Im2col, Layer, LayerInput, Part, Saved, Sizes, check_vector, check_window,
    for_each_example, rescale,
};
use crate::error::{Error, Result};
use crate::network::shape::Shape;
use crate::rule::Rule;
use crate::settings::settings;

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
        let im2col = self.im2col();
        check_vector(im2col.inputs())?;
        check_vector(im2col.patches() * self.filters)
    }

    /// Where its patches lie.
    pub(super) fn im2col(&self) -> Im2col {
        let along = |pixels: usize| (pixels + 2 * self.padding - self.kernel) / self.stride + 1;
        Im2col {
            channels: self.channels,
            image: [self.height, self.width],
            kernel: [self.kernel; 2],
            stride: [self.stride; 2],
            dilation: [1; 2],
            padding: [self.padding; 2],
            places: [along(self.height), along(self.width)],
            bias: self.bias,
        }
    }
}

impl Layer for Conv2dConfig {
    fn validate(&self) -> Result<()> {
        self.validate()
    }

    fn shapes(&self, _before: Shape) -> (Shape, Shape) {
        let [height, width] = self.im2col().places;
        (Shape::Image(self.height, self.width, self.channels), Shape::Image(height, width, self.filters))
    }

    /// Weights uniform in ±1/√n, n the values of a patch.
    fn array(&self) -> Option<ArraySpec> {
        let im2col = self.im2col();
        let half_width = 1.0 / (im2col.patch() as f32).sqrt() / self.scale as f32;
        Some(ArraySpec { rows: self.filters, cols: im2col.columns(), half_width, vectors: im2col.patches() })
    }

    /// For a gradient, images, and their patches too where they are one block.
    fn sizes(&self, batch: Batch) -> Sizes {
        if !batch.training {
            return Sizes::default();
        }
        let im2col = self.im2col();
        let (images, all) = (batch.vectors(), batch.vectors() * im2col.patches());
        let one_block = im2col.blocks(images, batch.threads).next() == Some(0..all);
        let work = if one_block { all * im2col.columns() } else { 0 };
        Sizes { inputs: images * im2col.inputs(), work, indices: 0 }
    }

    /// y = s·W x for every patch.
    fn forward(&self, input: LayerInput<'_>, y: &mut [f32], part: &mut Part<'_>) -> Result<()> {
        let (im2col, workers) = (self.im2col(), part.workers);
        let images = if part.batch.training {
            let images = &mut *part.saved.inputs;
            let pixels = images.len();
            for_each_example(images, im2col.inputs(), pixels, workers, |k, image| input.write(k, image));
            &*images
        } else {
            input.values()
        };
        let room = (&mut *part.saved.work, &mut *part.scratch);
        im2col.forward(images, self.filters, y, &mut part.products, room, workers)?;
        rescale(y, self.scale);
        Ok(())
    }

    /// dL/dx = s·Wᵀ δ of every patch, added up where patches overlap.
    fn backward(&self, _y: &[f32], dy: &mut [f32], dx: Option<&mut [f32]>, part: &mut Part<'_>) -> Result<()> {
        rescale(dy, self.scale);
        let Some(dx) = dx else { return Ok(()) };
        self.im2col().backward(dy, self.filters, dx, &mut part.products, part.scratch, part.workers)
    }

    /// Learns patch after patch.
    fn learn(&self, rule: &mut dyn Rule, batch: BatchGradient<'_>) -> Result<()> {
        let BatchGradient { saved: Saved { inputs: images, work: patches, .. }, dy, lr_scale, workers } = batch;
        self.im2col().learn(images, dy, rule, lr_scale, patches, workers)
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
