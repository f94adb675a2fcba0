//! The values of a vector other than zero: inputs of zero, most of an image, cost nothing.

use crate::simd::{self, Isa, Kernel, LANES, Nonzero, NonzeroRows};

/// Positions and values, one after another; buffers are kept between vectors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Active {
    at: Vec<u32>,
    values: Vec<f32>,
    count: usize,
}

impl Active {
    pub(crate) fn load(&mut self, x: &[f32]) {
        self.count = simd::run(self.kernel(x));
    }

    /// [`load`](Active::load) within a kernel.
    #[inline(always)]
    pub(super) fn load_on<M: Isa>(&mut self, x: &[f32]) {
        self.count = self.kernel(x).run::<M>();
    }

    #[inline(always)]
    fn kernel<'a>(&'a mut self, x: &'a [f32]) -> Nonzero<'a> {
        if self.at.len() < x.len() + LANES {
            self.at.resize(x.len() + LANES, 0);
            self.values.resize(x.len() + LANES, 0.0);
        }
        Nonzero { values: x, at: &mut self.at, kept: &mut self.values }
    }

    pub(crate) fn at(&self) -> &[u32] {
        &self.at[..self.count]
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values[..self.count]
    }
}

/// The same for each of several rows of values, one row after another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    starts: Vec<usize>,
    at: Vec<u32>,
    values: Vec<f32>,
}

impl Rows {
    /// Takes rows of `width` values.
    pub(crate) fn load(&mut self, rows: &[f32], width: usize) {
        if self.at.len() < rows.len() + LANES {
            self.at.resize(rows.len() + LANES, 0);
            self.values.resize(rows.len() + LANES, 0.0);
        }
        self.starts.clear();
        self.starts.push(0);
        let mut n = 0;
        for row in rows.chunks_exact(width) {
            n += simd::run(Nonzero { values: row, at: &mut self.at[n..], kept: &mut self.values[n..] });
            self.starts.push(n);
        }
    }

    /// How many values there are in all.
    pub(crate) fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    pub(crate) fn get(&self) -> NonzeroRows<'_> {
        NonzeroRows { starts: &self.starts, at: &self.at, values: &self.values }
    }
}
