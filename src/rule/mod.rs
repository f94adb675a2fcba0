//! Training rules: how one layer's arrays learn. Each file reads like its pseudo-code and speaks to
//! its arrays through [`Array`](crate::crossbar::Array) alone, so a rule works with any device model.

mod analog_sgd;
mod arrays;
mod config;
mod describe;
mod digital_sgd;
mod filter;
mod learning_rates;
mod schedule;
mod state;
mod ttv1;
mod ttv2;
mod weighted_sum;

pub use analog_sgd::{AnalogSgd, AnalogSgdRule};
pub use config::{RuleConfig, RuleSettings};
pub use describe::{Description, Situation};
pub use digital_sgd::{DigitalSgd, DigitalSgdRule};
pub use filter::AfterPulse;
pub use state::State;
pub use ttv1::{ReadVectors, Ttv1, Ttv1Rule};
pub use ttv2::{LearningRates, TransferLine, TransferUnit, Ttv2, Ttv2Rule};

use crate::crossbar::{Array, Direction, MvmCost, Programming, SharedProducts, Visible};
use crate::error::Result;
use crate::ledger::Ledger;
use crate::workers::Workers;
use std::any::Any;
use std::fmt::Debug;

/// What the rule of a layer is built from.
#[derive(Clone, Copy, Debug)]
pub struct Initial<'a> {
    /// Number of the layer among those with arrays.
    pub layer: u64,
    /// Outputs.
    pub rows: usize,
    /// Inputs, the bias among them.
    pub cols: usize,
    /// Initial weights, row-major.
    pub weights: &'a [f32],
    /// Seed of the network.
    pub seed: u64,
}

/// When the layers of a network may learn beside each other; the results are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sharing {
    /// Never, and all of training stays on the caller's thread.
    Never,
    /// For mini-batches. Learning from one sample changes what the next forward product reads, and what a
    /// core has in its caches it should keep.
    Batches,
    /// For single samples too.
    Samples,
}

/// A training rule with the arrays of one layer: what the network sees of it, how it learns, and what to save of it.
///
/// The rest has defaults. A boxed rule forwards, reads and programs through what the network sees (the methods of
/// `dyn Rule`), is `Clone`, and can be downcast to its own type; a rule type needs to be `Clone` itself for that.
///
/// Vectors of a batch lie one after another: `x` has `cols` values each, `delta` has `rows`. `delta` is the derivative
/// of the loss by the layer's output; a rule descends it. Inside a batch the weights stay as they are for forward and
/// backward; `update` then takes the samples one after another, and `finish_batch` ends the batch.
pub trait Rule: Any + Debug + Send + Sync + BoxedClone {
    /// What the network sees: the array C, say, or γA + C.
    fn visible(&self) -> &dyn Visible;

    /// What the network sees.
    fn visible_mut(&mut self) -> &mut dyn Visible;

    /// Learns from a batch; `lr_scale` is the schedule's factor on the rule's learning rate.
    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()>;

    /// Called after the last [`update`](Rule::update) of a mini-batch, which may reach a rule in several parts.
    fn finish_batch(&mut self, _lr_scale: f32) -> Result<()> {
        Ok(())
    }

    /// When [`update`](Rule::update) may run beside those of other layers, on another thread.
    fn sharing(&self) -> Sharing {
        Sharing::Never
    }

    /// Everything to continue from, bit for bit.
    fn state(&self) -> Result<State>;

    /// Puts back a state of a rule with the same settings and seed.
    ///
    /// # Errors
    /// Something is missing or does not fit; the rule must then be as it was.
    fn restore(&mut self, state: &State) -> Result<()>;

    /// The arrays by name, for inspection: `("a", …)`, `("c", …)`.
    fn arrays(&self) -> Vec<(&'static str, &dyn Array)> {
        Vec::new()
    }

    /// Device constants by name (`a.up_step`, `c.symmetry_point`, …), row-major.
    fn device_parameters(&self) -> Result<Vec<(String, Vec<f32>)>> {
        let named = self.arrays().into_iter().flat_map(|(array, of)| {
            of.device_parameters().into_iter().map(move |(name, values)| (format!("{array}.{name}"), values))
        });
        Ok(named.collect())
    }

    /// Operations so far.
    fn ledger(&self) -> Result<Ledger> {
        Ok(Ledger::default())
    }

    /// The average over iterates, from reads that the hardware made, row-major; lines not read yet come from
    /// [`read_weights`](Visible::read_weights). `None` if the rule keeps no average or has read nothing.
    fn average(&self) -> Result<Option<Vec<f32>>> {
        Ok(None)
    }

    /// Whether iterates are being averaged.
    fn averaging(&self) -> bool {
        false
    }

    /// Starts or pauses averaging, where the rule can.
    fn set_averaging(&mut self, _on: bool) -> Result<()> {
        Ok(())
    }
}

/// What every rule answers through what the network sees.
impl dyn Rule {
    /// (rows, cols): (outputs, inputs).
    pub fn shape(&self) -> (usize, usize) {
        self.visible().shape()
    }

    /// [`Visible::forward`].
    pub fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.visible_mut().forward(x, y, workers)
    }

    /// [`Visible::backward`].
    pub fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.visible_mut().backward(delta, z, workers)
    }

    /// [`Visible::shared`].
    pub fn shared(&self) -> Option<&dyn SharedProducts> {
        self.visible().shared()
    }

    /// [`Visible::count_shared`].
    pub fn count_shared(&mut self, direction: Direction, vectors: usize, cost: MvmCost) {
        self.visible_mut().count_shared(direction, vectors, cost);
    }

    /// [`Visible::evaluate`].
    pub fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.visible().evaluate(draw, x, y, workers)
    }

    /// [`Visible::weights`].
    pub fn weights(&self) -> Result<Vec<f32>> {
        self.visible().weights()
    }

    /// [`Visible::set_weights`].
    pub fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.visible_mut().set_weights(weights)
    }

    /// [`Visible::program`].
    pub fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        self.visible_mut().program(target, method)
    }

    /// [`Visible::read_weights`].
    pub fn read_weights(&self, draw: u64) -> Result<Vec<f32>> {
        self.visible().read_weights(draw)
    }

    /// The rule as its own type, if it is a `T`.
    pub fn downcast_ref<T: Rule>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }

    /// The rule as its own type, if it is a `T`.
    pub fn downcast_mut<T: Rule>(&mut self) -> Option<&mut T> {
        (self as &mut dyn Any).downcast_mut()
    }
}

/// A copy behind the trait, which every rule that is `Clone` has.
pub trait BoxedClone {
    /// A copy of the rule with all its state.
    fn boxed_clone(&self) -> Box<dyn Rule>;
}

impl<R: Rule + Clone> BoxedClone for R {
    fn boxed_clone(&self) -> Box<dyn Rule> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Rule> {
    fn clone(&self) -> Self {
        self.as_ref().boxed_clone()
    }
}
