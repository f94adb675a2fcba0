//! A convolution: one array, which every patch of an image meets as one sample (im2col, block by block).

use super::batch::{Draw, Input};
use super::initial::{self, Build, Place, rescale};
use crate::error::{Error, Limit, Result, check_limits};
use crate::rule::Rule;
use crate::workers::Workers;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Settings of a convolution.
///
/// Images lie pixel after pixel, row after row, the channels of a pixel together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2dConfig {
    /// c: values per pixel.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Pixels per row.
    pub width: usize,
    /// m: values per output pixel.
    pub filters: usize,
    /// k: patches are k × k pixels.
    pub kernel: usize,
    /// Pixels from one patch to the next.
    #[serde(default = "super::unit")]
    pub stride: usize,
    /// Pixels of zeros around an image.
    #[serde(default)]
    pub padding: usize,
    /// One more column, fed with 1.
    #[serde(default = "super::yes")]
    pub bias: bool,
    /// Output scale s: y = s·W x, so that weights fit the range of the devices.
    #[serde(default = "super::one")]
    pub scale: f64,
}

impl Conv2dConfig {
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = &[
        Limit { field: "channels", min: 1.0, max: 1e6, get: |s| Some(s.channels as f64) },
        Limit { field: "height", min: 1.0, max: 1e5, get: |s| Some(s.height as f64) },
        Limit { field: "width", min: 1.0, max: 1e5, get: |s| Some(s.width as f64) },
        Limit { field: "filters", min: 1.0, max: 1e6, get: |s| Some(s.filters as f64) },
        Limit { field: "kernel", min: 1.0, max: 1e4, get: |s| Some(s.kernel as f64) },
        Limit { field: "stride", min: 1.0, max: 1e4, get: |s| Some(s.stride as f64) },
        Limit { field: "padding", min: 0.0, max: 1e4, get: |s| Some(s.padding as f64) },
        Limit { field: "scale", min: 1e-6, max: 1e6, get: |s| Some(s.scale) },
    ];

    /// Checks every field, and that a patch fits the image.
    pub fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)?;
        check_window(self.kernel, self.height, self.width, self.padding)?;
        if self.padding >= self.kernel {
            let allowed = format!("below the kernel, {}: some patches would see nothing", self.kernel);
            return Err(Error::range("padding", self.padding as f64, allowed));
        }
        super::check_vector(self.inputs())?;
        super::check_vector(self.outputs())
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
}

/// Requires a `kernel` no larger than the image with its padding.
pub(super) fn check_window(kernel: usize, height: usize, width: usize, padding: usize) -> Result<()> {
    let most = height.min(width) + 2 * padding;
    if kernel > most {
        let allowed = match padding {
            0 => format!("at most {most}, since images are {height} × {width}"),
            _ => format!("at most {most}, since images are {height} × {width} with {padding} around them"),
        };
        return Err(Error::range("kernel", kernel as f64, allowed));
    }
    Ok(())
}

/// A convolution with its rule.
#[derive(Debug)]
pub(super) struct Conv2d {
    pub(super) config: Conv2dConfig,
    pub(super) rule: Box<dyn Rule>,
    /// Images of the last batch.
    pub(super) images: Vec<f32>,
    /// δ of the last batch, patch after patch.
    pub(super) delta: Vec<f32>,
    /// A block of patches, or what the array answers to them.
    pub(super) block: Vec<f32>,
    z: Vec<f32>,
    /// The patches that `block` holds, counted over the images of the last batch.
    held: Range<usize>,
}

impl Conv2d {
    /// A layer whose rule `build` makes from weights uniform in ±1/√n, n the values of a patch.
    pub(super) fn new(config: &Conv2dConfig, at: Place, build: Build<'_>) -> Result<Self> {
        config.validate()?;
        let half_width = 1.0 / (config.patch() as f32).sqrt() / config.scale as f32;
        let rule = initial::rule(at, (config.filters, config.columns()), half_width, build)?;
        let (images, delta, block, z) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(Self { config: config.clone(), rule, images, delta, block, z, held: 0..0 })
    }

    /// Samples that one image gives.
    pub(super) fn patches(&self) -> usize {
        self.config.patches()
    }

    /// Makes room for a batch of images whose products others make; for its patches too where they are one block, which
    /// is kept to learn from.
    pub(super) fn make_room(&mut self, count: usize, workers: &Workers) {
        self.images.resize(count * self.config.inputs(), 0.0);
        self.delta.resize(count * self.config.outputs(), 0.0);
        let all = 0..count * self.config.patches();
        let one_block = self.config.blocks(count, workers.threads()).next() == Some(all.clone());
        self.held = if one_block { all } else { 0..0 };
        self.block.resize(self.held.len() * self.config.columns(), 0.0);
    }

    /// The patches `range` of images, each with the 1 that feeds the bias.
    fn gather(&self, images: &[f32], range: Range<usize>, block: &mut Vec<f32>, workers: &Workers) {
        let cols = self.config.columns();
        block.resize(range.len() * cols, 0.0);
        match workers.share(range.len(), block.len()) {
            Some(each) => {
                let parts = block.par_chunks_mut(each * cols).enumerate();
                workers.split(|| parts.for_each(|(k, to)| self.config.unfold(images, range.start + k * each, to)));
            }
            None => self.config.unfold(images, range.start, block),
        }
    }

    /// [`gather`](Conv2d::gather) from the last batch, unless the block is there still.
    fn hold(&mut self, range: Range<usize>, workers: &Workers) {
        if self.held != range {
            let mut block = std::mem::take(&mut self.block);
            self.gather(&self.images, range.clone(), &mut block, workers);
            self.block = block;
            self.held = range;
        }
    }

    /// y = s·W x for every patch of a batch of images.
    pub(super) fn forward(
        &mut self,
        count: usize,
        input: Input<'_>,
        y: &mut Vec<f32>,
        workers: &Workers,
    ) -> Result<()> {
        let (n, m) = (self.config.inputs(), self.config.filters);
        self.images.resize(count * n, 0.0);
        match workers.share(count, self.images.len()) {
            Some(each) => {
                let parts = self.images.par_chunks_mut(n).enumerate().with_min_len(each);
                workers.split(|| parts.for_each(|(b, image)| input(b, image)));
            }
            None => self.images.chunks_exact_mut(n).enumerate().for_each(|(b, image)| input(b, image)),
        }
        self.held = 0..0;
        y.resize(count * self.config.outputs(), 0.0);
        for range in self.config.blocks(count, workers.threads()) {
            self.hold(range.clone(), workers);
            self.rule.forward(&self.block, &mut y[range.start * m..range.end * m], workers)?;
        }
        rescale(y, self.config.scale);
        Ok(())
    }

    /// Takes δ = dL/dy of the last batch and leaves dL/dx in its place where it is `wanted`: the answers of the
    /// array to every patch, added up where patches overlap.
    pub(super) fn backward(&mut self, delta: &mut Vec<f32>, wanted: bool, workers: &Workers) -> Result<()> {
        rescale(delta, self.config.scale);
        std::mem::swap(&mut self.delta, delta);
        if !wanted {
            return Ok(());
        }
        let (n, m, cols) = (self.config.inputs(), self.config.filters, self.config.columns());
        let (images, patches) = (self.images.len() / n, self.config.patches());
        delta.clear();
        delta.resize(self.images.len(), 0.0);
        for range in self.config.blocks(images, workers.threads()) {
            self.z.resize(range.len() * cols, 0.0);
            self.rule.backward(&self.delta[range.start * m..range.end * m], &mut self.z, workers)?;
            let (config, z) = (&self.config, &self.z);
            let add = |(k, image): (usize, &mut [f32])| {
                let of = range.start.max(k * patches)..range.end.min((k + 1) * patches);
                let z = &z[(of.start - range.start) * cols..(of.end - range.start) * cols];
                config.fold(z, of.start, image);
            };
            let met = range.start / patches..range.end.div_ceil(patches);
            let some = &mut delta[met.start * n..met.end * n];
            match workers.share(met.len(), z.len()) {
                Some(each) => {
                    let parts = some.par_chunks_mut(n).enumerate().with_min_len(each);
                    workers.split(|| parts.for_each(|(k, image)| add((met.start + k, image))));
                }
                None => some.chunks_exact_mut(n).zip(met.clone()).for_each(|(image, k)| add((k, image))),
            }
        }
        Ok(())
    }

    /// Learns from the last batch, patch after patch.
    pub(super) fn learn(&mut self, lr_scale: f32, workers: &Workers) -> Result<()> {
        let m = self.config.filters;
        for range in self.config.blocks(self.images.len() / self.config.inputs(), workers.threads()) {
            self.hold(range.clone(), workers);
            self.rule.update(&self.block, &self.delta[range.start * m..range.end * m], lr_scale, workers)?;
        }
        self.rule.finish_batch(lr_scale)
    }

    /// y = s·W x with the noise of an evaluation.
    pub(super) fn evaluate(&self, draw: Draw, input: &[f32], y: &mut Vec<f32>, workers: &Workers) -> Result<()> {
        let (count, m) = (input.len() / self.config.inputs(), self.config.filters);
        let first = draw.product(self.config.patches());
        let mut block = Vec::new();
        y.resize(count * self.config.outputs(), 0.0);
        for range in self.config.blocks(count, workers.threads()) {
            self.gather(input, range.clone(), &mut block, workers);
            let y = &mut y[range.start * m..range.end * m];
            self.rule.evaluate(first.wrapping_add(range.start as u64), &block, y, workers)?;
        }
        rescale(y, self.config.scale);
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::network) fn config(stride: usize, padding: usize) -> Conv2dConfig {
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
        assert_eq!(said, "kernel is 5; allowed: at most 4, since images are 4 × 5");
        Conv2dConfig { kernel: 5, ..config(1, 1) }.validate().expect("fits with its padding");
        let blind = Conv2dConfig { kernel: 2, ..config(1, 2) };
        assert!(blind.validate().expect_err("sees nothing").to_string().contains("padding is 2"));
    }
}
