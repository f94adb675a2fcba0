//! What flows between the layers of a network.

use super::LayerConfig;
use std::fmt;

/// The values that a layer takes or gives for one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// So many values in no particular order.
    Vector(usize),
    /// An image of so many rows of pixels, pixels per row, and values per pixel.
    Image(usize, usize, usize),
}

impl Values {
    pub(super) fn count(self) -> usize {
        match self {
            Self::Vector(n) => n,
            Self::Image(height, width, channels) => height * width * channels,
        }
    }

    /// Whether a layer that takes these can take what is `given`: images only of the same shape, everything else by
    /// the number of values.
    pub(super) fn fits(self, given: Self) -> bool {
        match (self, given) {
            (Self::Image(..), Self::Image(..)) => self == given,
            _ => self.count() == given.count(),
        }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vector(n) => write!(f, "{n} values"),
            Self::Image(height, width, channels) => write!(f, "images of {height} × {width} × {channels}"),
        }
    }
}

impl LayerConfig {
    /// What the layer takes and what it gives, where the layer before it gives `given`.
    pub(super) fn values(&self, given: Values) -> (Values, Values) {
        match self {
            Self::Linear(c) => (Values::Vector(c.inputs), Values::Vector(c.outputs)),
            Self::Lstm(c) => (Values::Vector(c.inputs), Values::Vector(c.hidden)),
            Self::Conv2d(c) => {
                let (height, width) = c.places();
                (Values::Image(c.height, c.width, c.channels), Values::Image(height, width, c.filters))
            }
            Self::MaxPool2d(c) => {
                let (height, width) = c.places();
                (Values::Image(c.height, c.width, c.channels), Values::Image(height, width, c.channels))
            }
            Self::Flatten(c) => (Values::Image(c.height, c.width, c.channels), Values::Vector(c.values())),
            Self::Sigmoid | Self::Tanh | Self::ReLU => (given, given),
        }
    }
}
