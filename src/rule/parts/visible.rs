//! The weights that the network sees: C and shares of the fast arrays.

use super::chopper::Chopper;
use super::schedule::TransferLine;
use super::tracker::Tracker;
use crate::crossbar::{Array, Direction, ExactWeights, MvmCost, Programming, SharedProducts, Visible};
use crate::error::Result;
use crate::threads::Workers;

/// A fast array and how it is seen.
#[derive(Clone, Debug)]
pub(in crate::rule) struct FastArray {
    pub(in crate::rule) array: Box<dyn Array>,
    pub(in crate::rule) view: View,
}

/// How a fast array A is seen: as c⊙(A − P^ref), the signs of its lines times what it holds against a tracked reference.
#[derive(Clone, Debug)]
pub(in crate::rule) struct View {
    shape: (usize, usize),
    /// Its share in what the network sees.
    pub(in crate::rule) share: f32,
    /// Its lines.
    pub(in crate::rule) line: TransferLine,
    /// c.
    pub(in crate::rule) chopper: Option<Chopper>,
    /// P^ref.
    pub(in crate::rule) tracker: Option<Tracker>,
    /// P^ref as a matrix, where the network sees it.
    reference: Option<ExactWeights>,
}

impl View {
    pub(in crate::rule) fn new(
        shape: (usize, usize),
        share: f32,
        line: TransferLine,
        chopper: Option<Chopper>,
        tracker: Option<Tracker>,
    ) -> Result<Self> {
        let (rows, cols) = shape;
        let reference = match &tracker {
            Some(_) if share != 0.0 => Some(ExactWeights::new(rows, cols, &vec![0.0; rows * cols])?),
            _ => None,
        };
        Ok(Self { shape, share, line, chopper, tracker, reference })
    }

    /// (rows, cols).
    pub(in crate::rule) fn shape(&self) -> (usize, usize) {
        self.shape
    }

    /// Row-major values from line after line.
    pub(in crate::rule) fn by_rows(&self, values: &[f32]) -> Vec<f32> {
        self.line.by_rows(self.shape, values)
    }

    /// Line after line from row-major values.
    pub(in crate::rule) fn by_lines(&self, values: &[f32]) -> Vec<f32> {
        self.line.by_lines(self.shape, values)
    }

    /// Takes over line k of P^ref, where the network sees it.
    pub(in crate::rule) fn see_reference(&mut self, k: usize) {
        if let (Some(matrix), Some(tracker)) = (&mut self.reference, &self.tracker) {
            let (_, width) = self.line.count(self.shape);
            matrix.set_line(self.line.line(k), &tracker.reference()[k * width..][..width]);
        }
    }

    /// Takes over all of P^ref, where the network sees it.
    pub(in crate::rule) fn see_references(&mut self) {
        (0..self.line.count(self.shape).0).for_each(|k| self.see_reference(k));
    }

    /// Whether a product in this direction multiplies its input by the signs c, rather than its output.
    fn chops_input(&self, direction: Direction) -> bool {
        (self.line == TransferLine::Column) == (direction == Direction::Forward)
    }

    /// `share`·c⊙(A − P^ref) times the vectors of `input`, added to `sum`; `multiply` is the product of A.
    fn add_product(
        &self,
        direction: Direction,
        input: &[f32],
        sum: &mut [f32],
        workers: &Workers,
        multiply: impl FnOnce(&[f32], &mut [f32]) -> Result<()>,
    ) -> Result<()> {
        let chops_input = self.chops_input(direction);
        let mut chopped = Vec::new();
        let input = match &self.chopper {
            Some(chopper) if chops_input => {
                chopped.extend_from_slice(input);
                chopper.chop(&mut chopped);
                &chopped
            }
            _ => input,
        };
        let mut product = vec![0.0; sum.len()];
        multiply(input, &mut product)?;
        if let Some(reference) = &self.reference {
            let mut of_reference = vec![0.0; sum.len()];
            reference.product(direction, 0, input, &mut of_reference, &mut Vec::new(), workers)?;
            product.iter_mut().zip(of_reference).for_each(|(a, r)| *a -= r);
        }
        if let (Some(chopper), false) = (&self.chopper, chops_input) {
            chopper.chop(&mut product);
        }
        self.add(sum, &product);
        Ok(())
    }

    fn add(&self, sum: &mut [f32], values: &[f32]) {
        sum.iter_mut().zip(values).for_each(|(sum, a)| *sum += self.share * a);
    }

    /// Adds `share`·c⊙(A − P^ref) to weights, for A as `a`, row-major.
    fn add_weights(&self, weights: &mut [f32], mut a: Vec<f32>) {
        let cols = self.shape.1;
        if let Some(tracker) = self.tracker.as_ref().filter(|_| self.reference.is_some()) {
            let reference = self.by_rows(tracker.reference());
            a.iter_mut().zip(reference).for_each(|(a, r)| *a -= r);
        }
        if let Some(chopper) = &self.chopper {
            for (at, a) in a.iter_mut().enumerate() {
                *a *= chopper.signs()[if self.line == TransferLine::Column { at % cols } else { at / cols }];
            }
        }
        self.add(weights, &a);
    }
}

/// W = C + Σ γ·c⊙(A − P^ref): all arrays multiply, and the products add up in digital. Where no fast array has a share
/// the network sees C alone.
#[derive(Clone, Debug)]
pub(in crate::rule) struct WeightedSum {
    /// The fastest first.
    pub(in crate::rule) fast: Vec<FastArray>,
    pub(in crate::rule) c: Box<dyn Array>,
}

impl WeightedSum {
    /// Whether the network sees C alone.
    pub(in crate::rule) fn is_single(&self) -> bool {
        self.fast.iter().all(|fast| fast.view.share == 0.0)
    }

    /// The fast arrays that the network sees.
    fn seen(&self) -> impl Iterator<Item = &FastArray> {
        self.fast.iter().filter(|fast| fast.view.share != 0.0)
    }

    /// A product of all arrays.
    fn multiply(&mut self, direction: Direction, input: &[f32], output: &mut [f32], workers: &Workers) -> Result<()> {
        let product = |array: &mut dyn Array, input: &[f32], output: &mut [f32]| match direction {
            Direction::Forward => array.forward(input, output, workers),
            Direction::Backward => array.backward(input, output, workers),
        };
        product(self.c.as_mut(), input, output)?;
        for FastArray { array, view } in self.fast.iter_mut().filter(|fast| fast.view.share != 0.0) {
            view.add_product(direction, input, output, workers, |x, y| product(array.as_mut(), x, y))?;
        }
        Ok(())
    }
}

impl Visible for WeightedSum {
    fn shape(&self) -> (usize, usize) {
        self.c.shape()
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.multiply(Direction::Forward, x, y, workers)
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.multiply(Direction::Backward, delta, z, workers)
    }

    fn shared(&self) -> Option<&dyn SharedProducts> {
        if self.is_single() { self.c.shared() } else { None }
    }

    fn count_shared(&mut self, direction: Direction, vectors: usize, cost: MvmCost) {
        self.c.count_shared(direction, vectors, cost);
    }

    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.evaluate(draw, x, y, workers)?;
        for FastArray { array, view } in self.seen() {
            view.add_product(Direction::Forward, x, y, workers, |x, y| array.evaluate(draw, x, y, workers))?;
        }
        Ok(())
    }

    fn copy_weights(&self, out: &mut [f32]) -> Result<()> {
        self.c.copy_weights(out)?;
        for FastArray { array, view } in self.seen() {
            view.add_weights(out, array.weights()?);
        }
        Ok(())
    }

    /// Sets C; fast arrays keep what they hold.
    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.c.set_weights(weights)
    }

    /// Writes to C; fast arrays keep what they hold.
    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        self.c.program(target, method)
    }

    fn read_weights(&self, draw: u64) -> Result<Vec<f32>> {
        let mut weights = self.c.read_weights(draw)?;
        for FastArray { array, view } in self.seen() {
            view.add_weights(&mut weights, array.read_weights(draw)?);
        }
        Ok(weights)
    }
}
