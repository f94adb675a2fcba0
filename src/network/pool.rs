//! Max-pooling, and the turn from images to vectors.

use super::conv2d::check_window;
use crate::error::{Limit, Result, check_limits};
use crate::simd;
use crate::workers::Workers;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Settings of max-pooling over images, which lie pixel after pixel, the channels of a pixel together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool2dConfig {
    /// Values per pixel.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Pixels per row.
    pub width: usize,
    /// Windows are this many pixels wide and high.
    #[serde(default = "two")]
    pub kernel: usize,
    /// Pixels from one window to the next; as many as `kernel` if not given.
    #[serde(default)]
    pub stride: Option<usize>,
}

fn two() -> usize {
    2
}

impl MaxPool2dConfig {
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = &[
        Limit { field: "channels", min: 1.0, max: 1e6, get: |s| Some(s.channels as f64) },
        Limit { field: "height", min: 1.0, max: 1e5, get: |s| Some(s.height as f64) },
        Limit { field: "width", min: 1.0, max: 1e5, get: |s| Some(s.width as f64) },
        Limit { field: "kernel", min: 1.0, max: 1e4, get: |s| Some(s.kernel as f64) },
        Limit { field: "stride", min: 1.0, max: 1e4, get: |s| s.stride.map(|n| n as f64) },
    ];

    /// Checks every field, and that a window fits the image.
    pub fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)?;
        check_window(self.kernel, self.height, self.width, 0)?;
        super::check_vector(self.inputs())
    }

    fn step(&self) -> usize {
        self.stride.unwrap_or(self.kernel)
    }

    /// Rows and columns of windows.
    pub(super) fn places(&self) -> (usize, usize) {
        let along = |pixels: usize| (pixels - self.kernel) / self.step() + 1;
        (along(self.height), along(self.width))
    }

    /// Values per image.
    pub(super) fn inputs(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Values per output image.
    pub(super) fn outputs(&self) -> usize {
        self.places().0 * self.places().1 * self.channels
    }

    /// The outputs for images, and where they came from.
    pub(super) fn pool(&self, x: &[f32], y: &mut [f32], winners: &mut [u32]) {
        let (n, m) = (self.inputs(), self.outputs());
        let sizes = [self.channels, self.width, self.kernel, self.step(), self.places().1];
        for ((x, y), winners) in x.chunks_exact(n).zip(y.chunks_exact_mut(m)).zip(winners.chunks_exact_mut(m)) {
            simd::max_pool(x, sizes, y, winners);
        }
    }

    /// dL/dx of images: each δ goes where its output came from.
    pub(super) fn spread(&self, delta: &[f32], winners: &[u32], dx: &mut [f32]) {
        let (n, m) = (self.inputs(), self.outputs());
        dx.fill(0.0);
        for ((delta, winners), dx) in delta.chunks_exact(m).zip(winners.chunks_exact(m)).zip(dx.chunks_exact_mut(n)) {
            for (d, &at) in delta.iter().zip(winners) {
                dx[at as usize] += d;
            }
        }
    }
}

/// The largest value of each channel in each window; of equal ones the first.
#[derive(Debug)]
pub(super) struct MaxPool2d {
    pub(super) config: MaxPool2dConfig,
    /// Where in its image each output of the last batch came from.
    pub(super) winners: Vec<u32>,
    spare: Vec<f32>,
}

impl MaxPool2d {
    pub(super) fn new(config: &MaxPool2dConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self { config: config.clone(), winners: Vec::new(), spare: Vec::new() })
    }

    pub(super) fn forward(&mut self, x: &[f32], y: &mut Vec<f32>, workers: &Workers) {
        let mut winners = std::mem::take(&mut self.winners);
        self.pool(x, y, &mut winners, workers);
        self.winners = winners;
    }

    /// The outputs, and where they came from.
    pub(super) fn pool(&self, x: &[f32], y: &mut Vec<f32>, winners: &mut Vec<u32>, workers: &Workers) {
        let config = &self.config;
        let (n, m) = (config.inputs(), config.outputs());
        y.resize(x.len() / n * m, 0.0);
        winners.resize(y.len(), 0);
        let some = |((x, y), winners): ((&[f32], &mut [f32]), &mut [u32])| config.pool(x, y, winners);
        let Some(each) = workers.share(x.len() / n, x.len()) else { return some(((x, y), winners)) };
        let parts = x.par_chunks(each * n).zip(y.par_chunks_mut(each * m)).zip(winners.par_chunks_mut(each * m));
        workers.split(|| parts.for_each(some));
    }

    /// dL/dx: each δ goes where its output came from.
    pub(super) fn backward(&mut self, delta: &mut Vec<f32>, workers: &Workers) {
        let (config, winners, dx) = (&self.config, &self.winners, &mut self.spare);
        let (n, m) = (config.inputs(), config.outputs());
        dx.resize(delta.len() / m * n, 0.0);
        let some = |((delta, winners), dx): ((&[f32], &[u32]), &mut [f32])| config.spread(delta, winners, dx);
        match workers.share(delta.len() / m, dx.len()) {
            Some(each) => {
                let parts =
                    delta.par_chunks(each * m).zip(winners.par_chunks(each * m)).zip(dx.par_chunks_mut(each * n));
                workers.split(|| parts.for_each(some));
            }
            None => some(((delta, winners), dx)),
        }
        std::mem::swap(delta, dx);
    }
}

/// Settings of the turn from images to vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlattenConfig {
    /// Values per pixel.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Pixels per row.
    pub width: usize,
}

impl FlattenConfig {
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = &[
        Limit { field: "channels", min: 1.0, max: 1e6, get: |s| Some(s.channels as f64) },
        Limit { field: "height", min: 1.0, max: 1e5, get: |s| Some(s.height as f64) },
        Limit { field: "width", min: 1.0, max: 1e5, get: |s| Some(s.width as f64) },
    ];

    /// Checks every field.
    pub fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)?;
        super::check_vector(self.values())
    }

    /// Values per image.
    pub(super) fn values(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Images channel after channel, the order in which other frameworks flatten them.
    pub(super) fn forward(&self, x: &[f32], y: &mut [f32]) {
        turn(x, y, self.height * self.width, self.channels);
    }

    /// Images pixel after pixel again.
    pub(super) fn backward(&self, delta: &[f32], dx: &mut [f32]) {
        turn(delta, dx, self.channels, self.height * self.width);
    }
}

/// Transposes matrices of `rows` × `cols` that lie one after another.
fn turn(x: &[f32], y: &mut [f32], rows: usize, cols: usize) {
    for (x, y) in x.chunks_exact(rows * cols).zip(y.chunks_exact_mut(rows * cols)) {
        for (r, x) in x.chunks_exact(cols).enumerate() {
            for (c, v) in x.iter().enumerate() {
                y[c * rows + r] = *v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let config = MaxPool2dConfig { channels: 2, height: 3, width: 2, kernel: 2, stride: Some(1) };
        let mut pool = MaxPool2d::new(&config).expect("valid");
        let x = [1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 3.0, -4.0, 0.0, 9.0, 1.0, -5.0];
        let mut y = Vec::new();
        pool.forward(&x, &mut y, &Workers::default());
        assert_eq!(y, [3.0, -1.0, 3.0, 9.0]);
        // Of the two threes the first; windows that overlap add up.
        let mut delta = vec![1.0, 2.0, 4.0, 8.0];
        pool.backward(&mut delta, &Workers::default());
        assert_eq!(delta, [0.0, 2.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 8.0, 0.0, 0.0]);
    }

    #[test]
    fn a_window_larger_than_the_image_is_refused() {
        let config = MaxPool2dConfig { channels: 1, height: 3, width: 2, kernel: 3, stride: None };
        assert!(config.validate().expect_err("too large").to_string().contains("at most 2, since images are 3 × 2"));
    }

    #[test]
    fn flattening_puts_channel_after_channel_and_back() {
        let config = FlattenConfig { channels: 2, height: 1, width: 3 };
        let x = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
        let (mut y, mut dx) = ([0.0; 6], [0.0; 6]);
        config.forward(&x, &mut y);
        assert_eq!(y, [1.0, 2.0, 3.0, 10.0, 20.0, 30.0]);
        config.backward(&y, &mut dx);
        assert_eq!(dx, x);
    }
}
