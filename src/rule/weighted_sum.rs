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
    partial: Vec<f32>,
}

impl WeightedSum {
    /// γA + C for two arrays of one shape.
    pub(super) fn new(a: Box<dyn Array>, c: Box<dyn Array>, gamma: f64) -> Self {
        Self { a, c, gamma: gamma as f32, partial: Vec::new() }
    }

    /// Whether the network sees C alone.
    pub(super) fn is_single(&self) -> bool {
        self.gamma == 0.0
    }

    fn add(&self, sum: &mut [f32], of_a: &[f32]) {
        sum.iter_mut().zip(of_a).for_each(|(sum, a)| *sum += self.gamma * a);
    }
}

impl Visible for WeightedSum {
    fn shape(&self) -> (usize, usize) {
        self.c.shape()
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.forward(x, y, workers)?;
        if !self.is_single() {
            let mut partial = std::mem::take(&mut self.partial);
            partial.resize(y.len(), 0.0);
            self.a.forward(x, &mut partial, workers)?;
            self.add(y, &partial);
            self.partial = partial;
        }
        Ok(())
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.backward(delta, z, workers)?;
        if !self.is_single() {
            let mut partial = std::mem::take(&mut self.partial);
            partial.resize(z.len(), 0.0);
            self.a.backward(delta, &mut partial, workers)?;
            self.add(z, &partial);
            self.partial = partial;
        }
        Ok(())
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
