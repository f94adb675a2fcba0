//! Max-pooling: the largest value of each channel in each window of an image.

use super::{Batch, Layer, LayerInput, Part, Sizes, check_vector, check_window};
use crate::error::Result;
use crate::network::shape::Shape;
use crate::settings::settings;
use crate::simd;
use rayon::prelude::*;

settings! {
    /// Settings of max-pooling over images, which lie pixel by pixel, row-major, the channels of a pixel together.
    pub struct MaxPool2dConfig without default {
        /// Values per pixel.
        pub channels: usize, 1.0 to 1e6;
        /// Rows of pixels.
        pub height: usize, 1.0 to 1e5;
        /// Pixels per row.
        pub width: usize, 1.0 to 1e5;
        /// Windows are this many pixels wide and high.
        #[serde(default = "two")]
        pub kernel: usize, 1.0 to 1e4;
        /// Pixels from one window to the next; as many as `kernel` if not given.
        #[serde(default)]
        pub stride: Option<usize>, 1.0 to 1e4;
    }
    also |s| check_window(s.kernel, s.height, s.width, 0).and(check_vector(s.inputs()))
}

fn two() -> usize {
    2
}

impl MaxPool2dConfig {
    /// Windows side by side in images of (height, width, channels).
    pub fn new((height, width, channels): (usize, usize, usize), kernel: usize) -> Self {
        Self { channels, height, width, kernel, stride: None }
    }

    fn step(&self) -> usize {
        self.stride.unwrap_or(self.kernel)
    }

    /// Rows and columns of windows.
    fn places(&self) -> (usize, usize) {
        let along = |pixels: usize| (pixels - self.kernel) / self.step() + 1;
        (along(self.height), along(self.width))
    }

    /// Values per image.
    fn inputs(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Values per output image.
    fn outputs(&self) -> usize {
        self.places().0 * self.places().1 * self.channels
    }
}

impl Layer for MaxPool2dConfig {
    fn validate(&self) -> Result<()> {
        self.validate()
    }

    fn shapes(&self, _before: Shape) -> (Shape, Shape) {
        let (height, width) = self.places();
        (Shape::Image(self.height, self.width, self.channels), Shape::Image(height, width, self.channels))
    }

    /// Where in its image each output came from.
    fn sizes(&self, batch: Batch) -> Sizes {
        Sizes { indices: batch.vectors() * self.outputs(), ..Sizes::default() }
    }

    /// The largest value of each window; of equal ones the first.
    fn forward(&self, x: LayerInput<'_>, y: &mut [f32], part: &mut Part<'_>) -> Result<()> {
        let (x, argmax, workers) = (x.values(), &mut *part.saved.indices, part.workers);
        let (n, m) = (self.inputs(), self.outputs());
        let sizes = [self.channels, self.width, self.kernel, self.step(), self.places().1];
        let pool = |((x, y), argmax): ((&[f32], &mut [f32]), &mut [u32])| {
            for ((x, y), argmax) in x.chunks_exact(n).zip(y.chunks_exact_mut(m)).zip(argmax.chunks_exact_mut(m)) {
                simd::max_pool(x, sizes, y, argmax);
            }
        };
        match workers.share(x.len() / n, x.len()) {
            Some(each) => {
                let images = x.par_chunks(each * n).zip(y.par_chunks_mut(each * m));
                workers.split(|| images.zip(argmax.par_chunks_mut(each * m)).for_each(pool));
            }
            None => pool(((x, y), argmax)),
        }
        Ok(())
    }

    /// Each δ goes where its output came from; windows that overlap add up.
    fn backward(&self, _y: &[f32], dy: &mut [f32], dx: Option<&mut [f32]>, part: &mut Part<'_>) -> Result<()> {
        let Some(dx) = dx else { return Ok(()) };
        let (argmax, workers) = (&*part.saved.indices, part.workers);
        let (n, m) = (self.inputs(), self.outputs());
        let scatter = |((dy, argmax), dx): ((&[f32], &[u32]), &mut [f32])| {
            dx.fill(0.0);
            for ((dy, argmax), dx) in dy.chunks_exact(m).zip(argmax.chunks_exact(m)).zip(dx.chunks_exact_mut(n)) {
                for (d, &at) in dy.iter().zip(argmax) {
                    dx[at as usize] += d;
                }
            }
        };
        match workers.share(dy.len() / m, dx.len()) {
            Some(each) => {
                let images = dy.par_chunks(each * m).zip(argmax.par_chunks(each * m));
                workers.split(|| images.zip(dx.par_chunks_mut(each * n)).for_each(scatter));
            }
            None => scatter(((dy, argmax), dx)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layer::tests::run;

    #[test]
    fn by_hand() {
        let config = MaxPool2dConfig { channels: 2, height: 3, width: 2, kernel: 2, stride: Some(1) };
        let x = [1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 3.0, -4.0, 0.0, 9.0, 1.0, -5.0];
        // Of the two threes the first; windows that overlap add up.
        let (y, dx) = run(&config, &x, &[1.0, 2.0, 4.0, 8.0]);
        assert_eq!(y, [3.0, -1.0, 3.0, 9.0]);
        assert_eq!(dx, [0.0, 2.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.0, 0.0]);
    }

    #[test]
    fn a_window_larger_than_the_image_is_refused() {
        let config = MaxPool2dConfig { channels: 1, height: 3, width: 2, kernel: 3, stride: None };
        assert!(config.validate().expect_err("too large").to_string().contains("at most 2 (images are 3 × 2)"));
    }
}
