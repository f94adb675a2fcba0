//! From images to vectors.

use super::{Layer, LayerInput, Part, check_vector};
use crate::error::Result;
use crate::network::shape::Shape;
use crate::settings::settings;
use crate::simd;

settings! {
    /// Settings of the step from images to vectors.
    pub struct FlattenConfig without default {
        /// Values per pixel.
        pub channels: usize, 1.0 to 1e6;
        /// Rows of pixels.
        pub height: usize, 1.0 to 1e5;
        /// Pixels per row.
        pub width: usize, 1.0 to 1e5;
    }
    also |settings| check_vector(settings.values())
}

impl FlattenConfig {
    /// From images of (height, width, channels).
    pub fn new((height, width, channels): (usize, usize, usize)) -> Self {
        Self { channels, height, width }
    }

    /// Values per image.
    fn values(&self) -> usize {
        self.channels * self.height * self.width
    }
}

impl Layer for FlattenConfig {
    fn validate(&self) -> Result<()> {
        self.validate()
    }

    fn shapes(&self, _before: Shape) -> (Shape, Shape) {
        (Shape::Image(self.height, self.width, self.channels), Shape::Vector(self.values()))
    }

    /// Images channel by channel, the order in which other frameworks flatten them.
    fn forward(&self, x: LayerInput<'_>, y: &mut [f32], _part: &mut Part<'_>) -> Result<()> {
        transpose(x.values(), y, self.height * self.width, self.channels);
        Ok(())
    }

    /// Images pixel by pixel again.
    fn backward(&self, _y: &[f32], dy: &mut [f32], dx: Option<&mut [f32]>, _part: &mut Part<'_>) -> Result<()> {
        if let Some(dx) = dx {
            transpose(dy, dx, self.channels, self.height * self.width);
        }
        Ok(())
    }
}

/// Transposes matrices of `rows` × `cols` that lie one after another.
fn transpose(x: &[f32], y: &mut [f32], rows: usize, cols: usize) {
    let matrices = x.chunks_exact(rows * cols).zip(y.chunks_exact_mut(rows * cols));
    matrices.for_each(|(x, y)| simd::transpose(x, cols, y));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layer::tests::run;

    #[test]
    fn flattening_puts_channel_after_channel_and_back() {
        let config = FlattenConfig { channels: 2, height: 1, width: 3 };
        let x = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
        let flat = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        assert_eq!(run(&config, &x, &flat), (flat.to_vec(), x.to_vec()));
    }
}
