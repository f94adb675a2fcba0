//! The weights γA + C of two arrays, as one.

use crate::crossbar::{Array, Direction, MvmCost, Programming, SharedProducts, Visible};
use crate::error::Result;
use crate::threads::Workers;

/// W = γA + C: both arrays multiply, and the products add up in digital. With γ = 0 the network sees C alone.
#[derive(Clone, Debug)]
pub(super) struct WeightedSum {
    pub(super) a: Box<dyn Array>,
    pub(super) c: Box<dyn Array>,
    gamma: f32,
    of_a: Vec<f32>,
}

impl WeightedSum {
    /// γA + C for two arrays of one shape.
    pub(super) fn new(a: Box<dyn Array>, c: Box<dyn Array>, gamma: f64) -> Self {
        Self { a, c, gamma: gamma as f32, of_a: Vec::new() }
    }

    /// Whether the network sees C alone.
    pub(super) fn is_single(&self) -> bool {
        self.gamma == 0.0
    }

    fn add(&self, sum: &mut [f32], of_a: &[f32]) {
        sum.iter_mut().zip(of_a).for_each(|(sum, a)| *sum += self.gamma * a);
    }

    /// Adds γ times a product of A, unless the network sees C alone.
    fn add_product(
        &mut self,
        sum: &mut [f32],
        multiply: impl FnOnce(&mut dyn Array, &mut [f32]) -> Result<()>,
    ) -> Result<()> {
        if !self.is_single() {
            let mut of_a = std::mem::take(&mut self.of_a);
            of_a.resize(sum.len(), 0.0);
            multiply(self.a.as_mut(), &mut of_a)?;
            self.add(sum, &of_a);
            self.of_a = of_a;
        }
        Ok(())
    }
}

impl Visible for WeightedSum {
    fn shape(&self) -> (usize, usize) {
        self.c.shape()
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.forward(x, y, workers)?;
        self.add_product(y, |a, of_a| a.forward(x, of_a, workers))
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.backward(delta, z, workers)?;
        self.add_product(z, |a, of_a| a.backward(delta, of_a, workers))
    }

    fn shared(&self) -> Option<&dyn SharedProducts> {
        if self.is_single() { self.c.shared() } else { None }
    }

    fn count_shared(&mut self, direction: Direction, vectors: usize, cost: MvmCost) {
        self.c.count_shared(direction, vectors, cost);
    }

    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.evaluate(draw, x, y, workers)?;
        if !self.is_single() {
            let mut partial = vec![0.0; y.len()];
            self.a.evaluate(draw, x, &mut partial, workers)?;
            self.add(y, &partial);
        }
        Ok(())
    }

    fn weights(&self) -> Result<Vec<f32>> {
        let mut weights = self.c.weights()?;
        if !self.is_single() {
            self.add(&mut weights, &self.a.weights()?);
        }
        Ok(weights)
    }

    /// Sets C; A keeps what it holds.
    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.c.set_weights(weights)
    }

    /// Writes to C; A keeps what it holds.
    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        self.c.program(target, method)
    }

    fn read_weights(&self, draw: u64) -> Result<Vec<f32>> {
        let mut weights = self.c.read_weights(draw)?;
        if !self.is_single() {
            self.add(&mut weights, &self.a.read_weights(draw)?);
        }
        Ok(weights)
    }
}
