//! The patches of images, each a sample of a convolution's array (im2col, block by block), and the way back.

use super::Conv2dConfig;
use crate::network::tuning::PATCH_VALUES;
use crate::simd::{self, Patches};
use std::ops::Range;

/// Patches are counted over all images of a batch.
impl Conv2dConfig {
    /// The patches of some images in blocks: those that exist at a time, for all threads together.
    pub(super) fn blocks(&self, images: usize, threads: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (all, each) = (images * self.patches(), threads * (PATCH_VALUES / self.columns()).max(1));
        (0..all.div_ceil(each)).map(move |k| k * each..((k + 1) * each).min(all))
    }

    /// As many patches as there is room for, from number `first` on, each with the 1 that feeds the bias.
    pub(super) fn im2col(&self, images: &[f32], first: usize, patches: &mut [f32]) {
        let (n, cols) = (self.inputs(), self.columns());
        let mut remaining = patches;
        for (k, of) in self.by_image(first, remaining.len() / cols) {
            let (block, later) = remaining.split_at_mut(of.len() * cols);
            let image = &images[k * n..][..n];
            if self.padding == 0 {
                simd::im2col(image, &self.sizes(), of.start, cols, block);
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
    pub(super) fn col2im(&self, z: &[f32], first: usize, images: &mut [f32]) {
        let cols = self.columns();
        let mut remaining = z;
        for ((_, of), image) in self.by_image(first, z.len() / cols).zip(images.chunks_exact_mut(self.inputs())) {
            let (block, later) = remaining.split_at(of.len() * cols);
            if self.padding == 0 {
                simd::col2im(block, &self.sizes(), of.start, cols, image);
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

    /// Where patches lie in an image without padding.
    fn sizes(&self) -> Patches {
        let (c, row) = (self.channels, self.width * self.channels);
        Patches {
            piece: self.kernel * c,
            pieces: self.kernel,
            row,
            across: self.places().1,
            step: self.stride * c,
            down: self.stride * row,
        }
    }

    /// The pieces of an image that make up its patch number `p`: (where in the patch, where in the image), row by row of
    /// the kernel; what lies in the padding is left out.
    fn pieces(&self, p: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let (across, c) = (self.places().1, self.channels);
        // Coordinates with the padding, which the image starts after.
        let (top, left) = (p / across * self.stride, p % across * self.stride);
        let first = left.max(self.padding);
        let end = (left + self.kernel).min(self.padding + self.width);
        (0..self.kernel).filter_map(move |ky| {
            let row = (top + ky).checked_sub(self.padding).filter(|&row| row < self.height)?;
            let in_patch = (ky * self.kernel + first - left) * c;
            let in_image = (row * self.width + first - self.padding) * c;
            let values = (end - first) * c;
            Some((in_patch..in_patch + values, in_image..in_image + values))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layer::conv2d::tests::config;

    /// Every pixel of every patch, coordinate by coordinate.
    #[test]
    fn pieces_are_the_pixels_of_a_patch() {
        for (stride, padding) in [(1, 0), (2, 0), (1, 1), (2, 1), (3, 2), (1, 2)] {
            let config = config(stride, padding);
            config.validate().expect("valid");
            let (down, across) = config.places();
            assert_eq!(down, (4 + 2 * padding - 3) / stride + 1);
            for p in 0..config.patches() {
                let mut patch = vec![usize::MAX; config.patch()];
                for (to, from) in config.pieces(p) {
                    to.zip(from).for_each(|(to, from)| patch[to] = from);
                }
                for (k, &at) in patch.iter().enumerate() {
                    let (ky, kx, c) = (k / 6, k / 2 % 3, k % 2);
                    let (y, x) = ((p / across * stride + ky) as i64, (p % across * stride + kx) as i64);
                    let (y, x) = (y - padding as i64, x - padding as i64);
                    let inside = (0..4).contains(&y) && (0..5).contains(&x);
                    let expected = if inside { (y as usize * 5 + x as usize) * 2 + c } else { usize::MAX };
                    assert_eq!(at, expected, "patch {p}, value {k}, stride {stride}, padding {padding}");
                }
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
            let config = Conv2dConfig { channels, kernel, bias, ..config(stride, padding) };
            let (n, cols, all) = (config.inputs(), config.columns(), 3 * config.patches());
            let images: Vec<f32> = (1..=3 * n).map(|v| v as f32).collect();
            let mut expected = vec![0.0; all * cols];
            let mut counts = vec![0.0; 3 * n];
            for (p, patch) in expected.chunks_exact_mut(cols).enumerate() {
                let k = p / config.patches();
                for (to, from) in config.pieces(p % config.patches()) {
                    patch[to].copy_from_slice(&images[k * n..][from.clone()]);
                    counts[k * n..][from].iter_mut().for_each(|count| *count += 1.0);
                }
                patch[config.patch()..].fill(1.0);
            }
            for first in 0..all {
                for end in first + 1..=all {
                    let mut patches = vec![f32::NAN; (end - first) * cols];
                    config.im2col(&images, first, &mut patches);
                    assert_eq!(patches, expected[first * cols..end * cols], "{first}..{end}, {stride}, {padding}");
                }
            }
            let mut sums = vec![0.0; 3 * n];
            let first = config.patches() + 1;
            let (earlier, later) = expected.split_at(first * cols);
            config.col2im(earlier, 0, &mut sums);
            config.col2im(later, first, &mut sums[n..]);
            let times: Vec<f32> = images.iter().zip(&counts).map(|(v, n)| v * n).collect();
            assert_eq!(sums, times, "{stride}, {padding}");
        }
    }
}
