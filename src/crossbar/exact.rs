//! Weights in exact (f32) arithmetic: no devices, no periphery.

use super::active::{Active, Rows};
use super::mvm::{Products, Scratch};
use super::tuning::{
    BATCH_MIN_DENSITY, BATCH_SMALL_ARRAY, LINES_PER_KERNEL, MULTIPLY_ADDS_PER_VALUE, SPARSE_MAX_DENSITY, SPARSE_ROWS,
};
use super::{Direction, IoSettings, Line, MvmCost, SharedProducts, Visible, transpose};
use crate::check::{check_batch, check_len, check_room, check_shape};
use crate::error::Result;
use crate::random::{Operation, Stream};
use crate::simd;
use crate::simd::aligned::Aligned;
use crate::threads::Workers;
use rayon::prelude::*;

/// A matrix of exact weights, which lie input line after input line, as in a crossbar.
#[derive(Clone, Debug)]
pub struct ExactWeights {
    rows: usize,
    cols: usize,
    weights: Aligned<f32>,
    scratch: Vec<Scratch>,
    active: Active,
    steps: Vec<f32>,
    nonzero: Rows,
    /// Workspace of each part of the lines.
    spare: Vec<Vec<f32>>,
}

impl ExactWeights {
    /// `rows` × `cols` weights, row-major.
    ///
    /// # Errors
    /// No rows or columns, another number of weights, more memory than there is, or what [`crate::simd::check`] refuses.
    pub fn new(rows: usize, cols: usize, weights: &[f32]) -> Result<Self> {
        simd::check()?;
        check_shape(rows, cols)?;
        check_room(format!("a layer of {rows} × {cols}"), 2 * rows * cols * size_of::<f32>())?;
        let mut exact = Self {
            rows,
            cols,
            weights: Aligned::new(std::iter::repeat_n(0.0, rows * cols)),
            scratch: Vec::new(),
            active: Active::default(),
            steps: Vec::new(),
            nonzero: Rows::default(),
            spare: Vec::new(),
        };
        exact.set_weights(weights)?;
        Ok(exact)
    }

    /// W ← W + (lr·δ)xᵀ for every sample of a batch.
    ///
    /// # Errors
    /// Samples of another length.
    pub fn add_products(&mut self, x: &[f32], delta: &[f32], lr: f32, workers: &Workers) -> Result<()> {
        let batch = check_batch("x", x.len(), self.cols)?;
        check_len("delta", delta.len(), batch * self.rows)?;
        let few = self.weights.len() <= BATCH_SMALL_ARRAY;
        let share = |values: &[f32]| simd::count_nonzero(values) as f64 / values.len() as f64;
        if batch > 1 && (few || share(x) >= BATCH_MIN_DENSITY) {
            // An input that is not finite leaves its trace where δ is zero, too.
            if !few && SPARSE_ROWS.contains(&self.rows) && share(delta) <= SPARSE_MAX_DENSITY && simd::all_finite(x) {
                self.add_by_rows(x, delta, lr, workers);
                return Ok(());
            }
            let (rows, cols) = (self.rows, self.cols);
            let share =
                workers.share(cols.div_ceil(LINES_PER_KERNEL), batch * self.weights.len() / MULTIPLY_ADDS_PER_VALUE);
            let each = share.map_or(cols, |each| each * LINES_PER_KERNEL);
            self.spare.resize_with(cols.div_ceil(each).max(self.spare.len()), Vec::new);
            let learn = |(k, (lines, spare)): (usize, (&mut [f32], &mut Vec<f32>))| {
                simd::ger_batch(lines, k * each, x, cols, lr, delta, rows, spare);
            };
            if share.is_some() {
                let parts = self.weights.par_chunks_mut(each * rows).zip(&mut self.spare).enumerate();
                workers.split(|| parts.for_each(learn));
            } else {
                learn((0, (&mut self.weights, &mut self.spare[0])));
            }
            return Ok(());
        }
        for (x, delta) in x.chunks_exact(self.cols).zip(delta.chunks_exact(self.rows)) {
            self.active.load(x);
            self.steps.clear();
            self.steps.extend(delta.iter().map(|delta| lr * delta));
            simd::ger(&mut self.weights, self.active.at(), self.active.values(), &self.steps);
        }
        Ok(())
    }

    /// The weights, column after column.
    pub(crate) fn lines_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.weights.chunks_exact_mut(self.rows)
    }

    /// Replaces the weights of a line.
    ///
    /// # Panics
    /// No such line, or another number of values.
    pub(crate) fn set_line(&mut self, line: Line, values: &[f32]) {
        match line {
            Line::Column(k) => self.weights[k * self.rows..][..self.rows].copy_from_slice(values),
            Line::Row(k) => {
                assert_eq!(values.len(), self.cols, "a value per column");
                self.weights.iter_mut().skip(k).step_by(self.rows).zip(values).for_each(|(w, v)| *w = *v);
            }
        }
    }

    /// [`add_products`](ExactWeights::add_products) row by row, from the samples whose δ is not zero there.
    fn add_by_rows(&mut self, x: &[f32], delta: &[f32], lr: f32, workers: &Workers) {
        let (rows, cols, batch) = (self.rows, self.cols, delta.len() / self.rows);
        self.steps.resize(delta.len(), 0.0);
        simd::transpose(delta, rows, &mut self.steps);
        self.steps.iter_mut().for_each(|step| *step *= lr);
        self.nonzero.load(&self.steps, batch);
        let nonzero = self.nonzero.get();
        let share =
            workers.share(cols.div_ceil(LINES_PER_KERNEL), self.nonzero.len() * cols / (4 * MULTIPLY_ADDS_PER_VALUE));
        let each = share.map_or(cols, |each| each * LINES_PER_KERNEL);
        self.spare.resize_with(cols.div_ceil(each).max(self.spare.len()), Vec::new);
        let learn = |(k, (lines, spare)): (usize, (&mut [f32], &mut Vec<f32>))| {
            simd::ger_sparse(lines, k * each, x, cols, nonzero, spare);
        };
        if share.is_some() {
            let parts = self.weights.par_chunks_mut(each * rows).zip(&mut self.spare).enumerate();
            workers.split(|| parts.for_each(learn));
        } else {
            learn((0, (&mut self.weights, &mut self.spare[0])));
        }
    }

    fn multiply(&mut self, direction: Direction, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let done = self.product(direction, 0, x, y, &mut scratch, workers);
        self.scratch = scratch;
        done.map(|_| ())
    }
}

/// The periphery is off, so no stream is ever read.
impl SharedProducts for ExactWeights {
    fn product(
        &self,
        direction: Direction,
        _first: usize,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Vec<Scratch>,
        workers: &Workers,
    ) -> Result<MvmCost> {
        let (inputs, outputs) = match direction {
            Direction::Forward => (self.cols, self.rows),
            Direction::Backward => (self.rows, self.cols),
        };
        let products = Products {
            lines: &self.weights,
            direction,
            mvm: &IoSettings::default(),
            effects: &[],
            errors: None,
            inputs,
            outputs,
        };
        products.run(|k| Stream::new(0, 0, Operation::Forward, k), 0, x, y, scratch, workers)
    }
}

impl Visible for ExactWeights {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.multiply(Direction::Forward, x, y, workers)
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.multiply(Direction::Backward, delta, z, workers)
    }

    fn shared(&self) -> Option<&dyn SharedProducts> {
        Some(self)
    }

    fn evaluate(&self, _draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.product(Direction::Forward, 0, x, y, &mut Vec::new(), workers).map(|_| ())
    }

    fn copy_weights(&self, out: &mut [f32]) -> Result<()> {
        check_len("weights", out.len(), self.weights.len())?;
        simd::transpose(&self.weights, self.rows, out);
        Ok(())
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        check_len("weights", weights.len(), self.weights.len())?;
        self.weights.copy_from_slice(&transpose(weights, self.cols, self.rows));
        Ok(())
    }

    fn read_weights(&self, _draw: u64) -> Result<Vec<f32>> {
        self.weights()
    }
}
