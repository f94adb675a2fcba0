//! The values of a vector other than zero: inputs of zero, most of an image, cost nothing.

use crate::simd::{self, LANES};

/// Positions and values, one after another; buffers are kept between vectors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Active {
    at: Vec<u32>,
    values: Vec<f32>,
    count: usize,
}

impl Active {
    pub(crate) fn load(&mut self, x: &[f32]) {
        if self.at.len() < x.len() + LANES {
            self.at.resize(x.len() + LANES, 0);
            self.values.resize(x.len() + LANES, 0.0);
        }
        self.count = simd::nonzero(x, &mut self.at, &mut self.values);
    }

    pub(crate) fn at(&self) -> &[u32] {
        &self.at[..self.count]
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values[..self.count]
    }
}
