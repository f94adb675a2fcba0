//! From images to vectors.

use super::{Layer, LayerInput, Part, check_vector};
use crate::check::{Limit, check_limits};
use crate::error::Result;
use crate::network::shape::Shape;
use serde::{Deserialize, Serialize};

/// Settings of the step from images to vectors.
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
    /// From images of (height, width, channels).
    pub fn new((height, width, channels): (usize, usize, usize)) -> Self {
        Self { channels, height, width }
    }

    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = &[
        Limit { field: "channels", min: 1.0, max: 1e6, get: |s| Some(s.channels as f64) },
        Limit { field: "height", min: 1.0, max: 1e5, get: |s| Some(s.height as f64) },
        Limit { field: "width", min: 1.0, max: 1e5, get: |s| Some(s.width as f64) },
    ];

    /// Values per image.
    fn values(&self) -> usize {
        self.channels * self.height * self.width
    }
}

impl Layer for FlattenConfig {
    fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)?;
        check_vector(self.values())
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
    use crate::network::layer::tests::run;

    #[test]
    fn flattening_puts_channel_after_channel_and_back() {
        let config = FlattenConfig { channels: 2, height: 1, width: 3 };
        let x = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
        let flat = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        assert_eq!(run(&config, &x, &flat), (flat.to_vec(), x.to_vec()));
    }
}
