//! The shapes of what flows between the layers of a network.

use std::fmt;

/// The values that a layer takes or gives for one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// So many values in no particular order.
    Vector(usize),
    /// An image: rows of pixels, pixels per row, channels. Values lie pixel by pixel, row-major, the channels of a pixel
    /// together.
    Image(usize, usize, usize),
}

impl Shape {
    /// The number of values.
    pub fn count(self) -> usize {
        match self {
            Self::Vector(n) => n,
            Self::Image(height, width, channels) => height * width * channels,
        }
    }

    /// Whether a layer that takes this shape can take the other: images only of the same shape, everything else by the
    /// number of values.
    pub(super) fn fits(self, other: Self) -> bool {
        match (self, other) {
            (Self::Image(..), Self::Image(..)) => self == other,
            _ => self.count() == other.count(),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vector(n) => write!(f, "{n} values"),
            Self::Image(height, width, channels) => write!(f, "images of {height} × {width} × {channels}"),
        }
    }
}
