//! The patches of images, each a sample of a convolution's array (im2col, block by block), and the way back.

use super::{Products, for_each_example};
use crate::error::Result;
use crate::network::tuning::PATCH_VALUES;
use crate::rule::Rule;
use crate::simd::{self, Patches};
use crate::threads::Workers;
use rayon::prelude::*;
use std::ops::Range;

/// Where the patches of an image lie. Pairs are (down, across), in pixels.
///
/// Images lie pixel by pixel, row-major, the channels of a pixel together; so do the values of a patch. Patches are
/// counted over all images of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Im2col {
    /// Values per pixel.
    pub(crate) channels: usize,
    /// Pixels of an image.
    pub(crate) image: [usize; 2],
    /// Pixels of a patch.
    pub(crate) kernel: [usize; 2],
    /// From one patch to the next.
    pub(crate) stride: [usize; 2],
    /// From one pixel of a patch to the next.
    pub(crate) dilation: [usize; 2],
    /// Zeros before the first pixels. Whatever `places` need after the last ones is zeros too.
    pub(crate) padding: [usize; 2],
    /// Patches of an image.
    pub(crate) places: [usize; 2],
    /// Whether each patch ends with the 1 that feeds a bias.
    pub(crate) bias: bool,
}

impl Im2col {
    /// Patches per image.
    pub(crate) fn patches(&self) -> usize {
        self.places[0] * self.places[1]
    }

    /// Values per image.
    pub(crate) fn inputs(&self) -> usize {
        self.image[0] * self.image[1] * self.channels
    }

    /// Values per patch, without the 1 of a bias.
    pub(super) fn patch(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.channels
    }

    /// Columns of the array.
    pub(crate) fn columns(&self) -> usize {
        self.patch() + usize::from(self.bias)
    }

    /// The patches of some images in blocks: those that exist at a time, for all threads together.
    pub(super) fn blocks(&self, images: usize, threads: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (all, each) = (images * self.patches(), threads * (PATCH_VALUES / self.columns()).max(1));
        (0..all.div_ceil(each)).map(move |k| k * each..((k + 1) * each).min(all))
    }

    /// y = W x for every patch x of `images`; y has `rows` values for each. `kept` takes the patches if it has room for
    /// all of them, `scratch` those of a block otherwise.
    pub(crate) fn forward(
        &self,
        images: &[f32],
        rows: usize,
        y: &mut [f32],
        products: &mut Products<'_>,
        (kept, scratch): (&mut [f32], &mut Vec<f32>),
        workers: &Workers,
    ) -> Result<()> {
        if self.patches_are_pixels() {
            return products.forward(0, images, y, workers);
        }
        let cols = self.columns();
        for range in self.blocks(images.len() / self.inputs(), workers.threads()) {
            let patches = if kept.is_empty() {
                scratch.resize(range.len() * cols, 0.0);
                &mut scratch[..]
            } else {
                &mut kept[range.start * cols..range.end * cols]
            };
            self.gather(images, range.start, patches, workers);
            products.forward(range.start, patches, &mut y[range.start * rows..range.end * rows], workers)?;
        }
        Ok(())
    }

    /// dL/d`images` = Wᵀ δ of every patch, added up where patches overlap; `delta` has `rows` values for each.
    pub(crate) fn backward(
        &self,
        delta: &[f32],
        rows: usize,
        images: &mut [f32],
        products: &mut Products<'_>,
        z: &mut Vec<f32>,
        workers: &Workers,
    ) -> Result<()> {
        if self.patches_are_pixels() {
            return products.backward(0, delta, images, workers);
        }
        let cols = self.columns();
        images.fill(0.0);
        for range in self.blocks(images.len() / self.inputs(), workers.threads()) {
            z.resize(range.len() * cols, 0.0);
            products.backward(range.start, &delta[range.start * rows..range.end * rows], z, workers)?;
            self.scatter(z, range.start, images, workers);
        }
        Ok(())
    }

    /// Lets a rule learn patch after patch from all `images`; `patches` are theirs, or room for those of a block.
    pub(crate) fn learn(
        &self,
        images: &[f32],
        delta: &[f32],
        rule: &mut dyn Rule,
        lr_scale: f32,
        patches: &mut Vec<f32>,
        workers: &Workers,
    ) -> Result<()> {
        if self.patches_are_pixels() {
            return rule.update(images, delta, lr_scale, workers);
        }
        let (rows, kept) = (rule.visible().shape().0, !patches.is_empty());
        for range in self.blocks(images.len() / self.inputs(), workers.threads()) {
            if !kept {
                patches.resize(range.len() * self.columns(), 0.0);
                self.gather(images, range.start, patches, workers);
            }
            rule.update(patches, &delta[range.start * rows..range.end * rows], lr_scale, workers)?;
        }
        Ok(())
    }

    /// The patches of images from number `first` on, each with the 1 that feeds the bias.
    pub(crate) fn gather(&self, images: &[f32], first: usize, patches: &mut [f32], workers: &Workers) {
        let cols = self.columns();
        match workers.share(patches.len() / cols, patches.len()) {
            Some(each) => {
                let parts = patches.par_chunks_mut(each * cols).enumerate();
                workers.split(|| parts.for_each(|(k, to)| self.im2col(images, first + k * each, to)));
            }
            None => self.im2col(images, first, patches),
        }
    }

    /// Adds values `z` of the patches from number `first` on to the pixels of all `images`.
    pub(crate) fn scatter(&self, z: &[f32], first: usize, images: &mut [f32], workers: &Workers) {
        let (n, cols, patches) = (self.inputs(), self.columns(), self.patches());
        let range = first..first + z.len() / cols;
        let touched = range.start / patches..range.end.div_ceil(patches);
        let add = |k: usize, image: &mut [f32]| {
            let k = touched.start + k;
            let of = range.start.max(k * patches)..range.end.min((k + 1) * patches);
            self.col2im(&z[(of.start - range.start) * cols..(of.end - range.start) * cols], of.start, image);
        };
        for_each_example(&mut images[touched.start * n..touched.end * n], n, z.len(), workers, add);
    }

    /// As many patches as there is room for, from number `first` on, each with the 1 that feeds the bias.
    fn im2col(&self, images: &[f32], first: usize, patches: &mut [f32]) {
        let (n, cols) = (self.inputs(), self.columns());
        let mut remaining = patches;
        for (k, of) in self.by_image(first, remaining.len() / cols) {
            let (block, later) = remaining.split_at_mut(of.len() * cols);
            let image = &images[k * n..][..n];
            if let Some(sizes) = self.inside() {
                simd::im2col(image, &sizes, of.start, cols, block);
            } else {
                block.fill(0.0);
                for (p, to) in of.zip(block.chunks_exact_mut(cols)) {
                    for (in_patch, in_image) in self.pieces(p) {
                        to[in_patch].copy_from_slice(&image[in_image]);
                    }
                    to[self.patch()..].fill(1.0);
                }
            }
            remaining = later;
        }
    }

    /// Adds the outputs `z` of a transposed product, for the patches from number `first` on, to the pixels of those
    /// patches; `images` start with the one of the first patch.
    fn col2im(&self, z: &[f32], first: usize, images: &mut [f32]) {
        let cols = self.columns();
        let mut remaining = z;
        for ((_, of), image) in self.by_image(first, z.len() / cols).zip(images.chunks_exact_mut(self.inputs())) {
            let (block, later) = remaining.split_at(of.len() * cols);
            if let Some(sizes) = self.inside() {
                simd::col2im(block, &sizes, of.start, cols, image);
            } else {
                for (p, z) in of.zip(block.chunks_exact(cols)) {
                    for (in_patch, in_image) in self.pieces(p) {
                        simd::add_scaled(&mut image[in_image], 1.0, &z[in_patch]);
                    }
                }
            }
            remaining = later;
        }
    }

    /// The patches `first`, `first + 1`, … as (image, range of its patches).
    fn by_image(&self, first: usize, count: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
        let (each, end) = (self.patches(), first + count);
        (first / each..end.div_ceil(each))
            .map(move |k| (k, first.max(k * each) - k * each..end.min((k + 1) * each) - k * each))
    }

    /// Whether the patches are the images as they lie.
    fn patches_are_pixels(&self) -> bool {
        self.kernel == [1, 1]
            && self.stride == [1, 1]
            && self.padding == [0, 0]
            && self.places == self.image
            && !self.bias
    }

    /// Where patches lie in an image, if all of them lie inside and their rows in one piece.
    fn inside(&self) -> Option<Patches> {
        let ends =
            |d: usize| (self.places[d] - 1) * self.stride[d] + (self.kernel[d] - 1) * self.dilation[d] < self.image[d];
        if self.padding != [0, 0] || self.dilation[1] != 1 || !ends(0) || !ends(1) {
            return None;
        }
        let (c, row) = (self.channels, self.image[1] * self.channels);
        Some(Patches {
            piece: self.kernel[1] * c,
            pieces: self.kernel[0],
            row: self.dilation[0] * row,
            across: self.places[1],
            step: self.stride[1] * c,
            down: self.stride[0] * row,
        })
    }

    /// The pieces of an image that make up its patch number `p`: (where in the patch, where in the image); what lies in
    /// the padding is left out.
    fn pieces(&self, p: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let Self {
            channels: c, image: [height, width], kernel: [_, across], dilation, padding: [above, before], ..
        } = *self;
        // Coordinates with the padding, which the image starts after.
        let (top, left) = (p / self.places[1] * self.stride[0], p % self.places[1] * self.stride[1]);
        let (each, length) = if dilation[1] == 1 { (1, across) } else { (across, 1) };
        (0..self.kernel[0] * each).filter_map(move |piece| {
            let (ky, kx) = (piece / each, piece % each);
            let row = (top + ky * dilation[0]).checked_sub(above).filter(|&row| row < height)?;
            let left = left + kx * dilation[1];
            let (first, end) = (left.max(before), (left + length).min(before + width));
            let values = end.checked_sub(first).filter(|&pixels| pixels > 0)? * c;
            let in_patch = (ky * across + kx + first - left) * c;
            let in_image = (row * width + first - before) * c;
            Some((in_patch..in_patch + values, in_image..in_image + values))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layer::Conv2dConfig;
    use crate::network::layer::conv2d::tests::config;

    /// Every pixel of every patch, coordinate by coordinate.
    #[test]
    fn pieces_are_the_pixels_of_a_patch() {
        // (kernel, stride, dilation, padding before, padding after)
        let square = [(1, 0), (2, 0), (1, 1), (2, 1), (3, 2), (1, 2)]
            .map(|(stride, padding)| ([3, 3], [stride; 2], [1; 2], [padding; 2], [padding; 2]));
        let other = [
            ([2, 3], [1, 2], [1, 1], [0, 1], [1, 0]),
            ([2, 3], [1, 1], [2, 2], [0, 0], [0, 0]),
            ([3, 2], [2, 1], [1, 3], [1, 2], [0, 1]),
            ([1, 4], [1, 1], [1, 2], [0, 4], [0, 4]),
        ];
        for (kernel, stride, dilation, padding, after) in square.into_iter().chain(other) {
            let (image, channels) = ([4, 5], 2);
            let places =
                [0, 1].map(|d| (image[d] + padding[d] + after[d] - (kernel[d] - 1) * dilation[d] - 1) / stride[d] + 1);
            let im2col = Im2col { channels, image, kernel, stride, dilation, padding, places, bias: false };
            for p in 0..im2col.patches() {
                let mut patch = vec![usize::MAX; im2col.patch()];
                for (to, from) in im2col.pieces(p) {
                    to.zip(from).for_each(|(to, from)| patch[to] = from);
                }
                for (k, &at) in patch.iter().enumerate() {
                    let (place, c) = ([k / 2 / kernel[1], k / 2 % kernel[1]], k % 2);
                    let corner = [p / places[1], p % places[1]];
                    let [y, x] =
                        [0, 1].map(|d| (corner[d] * stride[d] + place[d] * dilation[d]) as i64 - padding[d] as i64);
                    let inside = (0..4).contains(&y) && (0..5).contains(&x);
                    let expected = if inside { (y as usize * 5 + x as usize) * 2 + c } else { usize::MAX };
                    assert_eq!(at, expected, "{im2col:?}, patch {p}, value {k}");
                }
            }
            let images: Vec<f32> = (1..=2 * im2col.inputs()).map(|v| v as f32).collect();
            let mut patches = vec![f32::NAN; 2 * im2col.patches() * im2col.columns()];
            im2col.gather(&images, 0, &mut patches, &Workers::default());
            for (p, patch) in patches.chunks_exact(im2col.columns()).enumerate() {
                let image = &images[p / im2col.patches() * im2col.inputs()..];
                let mut expected = vec![0.0; im2col.patch()];
                for (to, from) in im2col.pieces(p % im2col.patches()) {
                    expected[to].copy_from_slice(&image[from]);
                }
                assert_eq!(patch, expected, "{im2col:?}, patch {p}");
            }
        }
    }

    /// Any number of patches from any on, over images; with and without padding the same as the pieces.
    #[test]
    fn patches_go_out_and_come_back() {
        let sizes = [(2, 3, 1, 0), (2, 3, 2, 0), (2, 3, 1, 1), (2, 3, 2, 1), (2, 3, 3, 2)];
        // Pieces of 1, 3, 9, 12, 18 and 40 values: copied one way or another.
        let pieces = [(1, 1, 1, 0), (1, 3, 1, 0), (3, 3, 1, 0), (6, 2, 1, 0), (6, 3, 1, 0), (10, 4, 1, 0)];
        for ((channels, kernel, stride, padding), bias) in
            sizes.into_iter().chain(pieces).flat_map(|s| [(s, true), (s, false)])
        {
            let im2col = Conv2dConfig { channels, kernel, bias, ..config(stride, padding) }.im2col();
            let (n, cols, all) = (im2col.inputs(), im2col.columns(), 3 * im2col.patches());
            let images: Vec<f32> = (1..=3 * n).map(|v| v as f32).collect();
            let mut expected = vec![0.0; all * cols];
            let mut counts = vec![0.0; 3 * n];
            for (p, patch) in expected.chunks_exact_mut(cols).enumerate() {
                let k = p / im2col.patches();
                for (to, from) in im2col.pieces(p % im2col.patches()) {
                    patch[to].copy_from_slice(&images[k * n..][from.clone()]);
                    counts[k * n..][from].iter_mut().for_each(|count| *count += 1.0);
                }
                patch[im2col.patch()..].fill(1.0);
            }
            for first in 0..all {
                for end in first + 1..=all {
                    let mut patches = vec![f32::NAN; (end - first) * cols];
                    im2col.im2col(&images, first, &mut patches);
                    assert_eq!(patches, expected[first * cols..end * cols], "{first}..{end}, {stride}, {padding}");
                }
            }
            let mut sums = vec![0.0; 3 * n];
            let first = im2col.patches() + 1;
            let (earlier, later) = expected.split_at(first * cols);
            im2col.col2im(earlier, 0, &mut sums);
            im2col.col2im(later, first, &mut sums[n..]);
            let times: Vec<f32> = images.iter().zip(&counts).map(|(v, n)| v * n).collect();
            assert_eq!(sums, times, "{stride}, {padding}");
        }
    }
}
