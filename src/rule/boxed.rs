//! What a boxed rule can do besides: forward and read through what the network sees, be copied and downcast.

use super::Rule;
use crate::boxed::boxed_clone;
use crate::crossbar::{Direction, MvmCost, Programming, SharedProducts};
use crate::error::Result;
use crate::threads::Workers;
use std::any::Any;

/// What every rule answers through what the network sees.
impl dyn Rule {
    /// (rows, cols): (outputs, inputs).
    pub fn shape(&self) -> (usize, usize) {
        self.visible().shape()
    }

    /// [`Visible::forward`](crate::crossbar::Visible::forward).
    pub fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.visible_mut().forward(x, y, workers)
    }

    /// [`Visible::backward`](crate::crossbar::Visible::backward).
    pub fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.visible_mut().backward(delta, z, workers)
    }

    /// [`Visible::shared`](crate::crossbar::Visible::shared).
    pub fn shared(&self) -> Option<&dyn SharedProducts> {
        self.visible().shared()
    }

    /// [`Visible::count_shared`](crate::crossbar::Visible::count_shared).
    pub fn count_shared(&mut self, direction: Direction, vectors: usize, cost: MvmCost) {
        self.visible_mut().count_shared(direction, vectors, cost);
    }

    /// [`Visible::evaluate`](crate::crossbar::Visible::evaluate).
    pub fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.visible().evaluate(draw, x, y, workers)
    }

    /// [`Visible::weights`](crate::crossbar::Visible::weights).
    pub fn weights(&self) -> Result<Vec<f32>> {
        self.visible().weights()
    }

    /// [`Visible::copy_weights`](crate::crossbar::Visible::copy_weights).
    pub fn copy_weights(&self, out: &mut [f32]) -> Result<()> {
        self.visible().copy_weights(out)
    }

    /// [`Visible::set_weights`](crate::crossbar::Visible::set_weights).
    pub fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.visible_mut().set_weights(weights)
    }

    /// [`Visible::program`](crate::crossbar::Visible::program).
    pub fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        self.visible_mut().program(target, method)
    }

    /// [`Visible::read_weights`](crate::crossbar::Visible::read_weights).
    pub fn read_weights(&self, draw: u64) -> Result<Vec<f32>> {
        self.visible().read_weights(draw)
    }

    /// The rule as its own type, if it is a `T`.
    pub fn downcast_ref<T: Rule>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

boxed_clone!(BoxedClone of Rule);
