//! Training rules: how one layer's arrays learn. Each file reads like its pseudo-code and speaks to
//! its arrays through [`Array`](crate::crossbar::Array) alone, so a rule works with any device model.

mod analog_sgd;
mod config;
mod describe;
mod digital_sgd;
mod learning_rates;
mod state;
mod ttv1;
mod ttv2;

pub use analog_sgd::{AnalogSgd, AnalogSgdRule};
pub use config::{RuleConfig, RuleSettings};
pub use describe::{Description, describe};
pub use digital_sgd::{DigitalSgd, DigitalSgdRule};
pub use state::State;
pub use ttv1::{ReadVectors, Ttv1, Ttv1Rule};
pub use ttv2::{AfterPulse, LearningRates, TransferLine, TransferUnit, Ttv2, Ttv2Rule};

use crate::crossbar::{Direction, MvmCost, Pass, Programming};
use crate::error::{Error, Result};
use crate::ledger::Ledger;
use crate::workers::Workers;
use std::fmt::Debug;

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

/// A training rule with the arrays of one layer.
///
/// ReadVectors of a batch lie one after another: `x` has `cols` values each, `delta` and `y` have `rows`.
/// `delta` is the derivative of the loss by the layer's output; a rule descends it. Inside a batch the
/// weights stay as they are for forward and backward; `update` then takes the samples one after another, and
/// `finish_batch` says that they were all.
pub trait Rule: Debug + Send + Sync {
    /// (rows, cols): (outputs, inputs).
    fn shape(&self) -> (usize, usize);

    /// y = W x as hardware computes it.
    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()>;

    /// z = Wᵀ δ as hardware computes it.
    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()>;

    /// What threads that share a mini-batch ask for the products of [`forward`](Rule::forward) and
    /// [`backward`](Rule::backward), where the rule allows that.
    fn passes(&self) -> Option<&dyn Pass> {
        None
    }

    /// Counts the products of `vectors` vectors that [`passes`](Rule::passes) made, all of a mini-batch.
    fn passed(&mut self, _direction: Direction, _vectors: usize, _cost: MvmCost) {}

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

    /// y = W x with the noise of evaluation vector `draw`, `draw + 1`, …; no state changes.
    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()>;

    /// The weights the network sees, row after row: for inspection, no operation of hardware.
    fn weights(&self) -> Result<Vec<f32>>;

    /// Sets the weights the network sees, each clipped to what its device can hold.
    fn set_weights(&mut self, weights: &[f32]) -> Result<()>;

    /// Writes weights to the array that the network sees the way hardware does; returns the pulses sent.
    ///
    /// # Errors
    /// Weights of another length or not finite, a method that the rule has no devices for.
    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        match method {
            Programming::Exact => self.set_weights(target).map(|()| 0),
            _ => Err(Error::Conflict("this rule has no devices to program; use the method exact".to_owned())),
        }
    }

    /// The weights read line by line through the periphery (read `draw`, outside training).
    fn read_weights(&self, draw: u64) -> Result<Vec<f32>>;

    /// The average over iterates, from reads that the hardware made; lines not read yet come from
    /// [`read_weights`](Rule::read_weights). `None` if the rule keeps no average or has read nothing.
    fn average(&self) -> Result<Option<Vec<f32>>> {
        Ok(None)
    }

    /// Whether iterates are being averaged.
    fn averaging(&self) -> bool {
        false
    }

    /// Starts or pauses averaging, where the rule can.
    fn set_averaging(&mut self, _on: bool) {}

    /// Operations so far.
    fn ledger(&self) -> Ledger;

    /// Everything to go on from, bit for bit.
    fn state(&self) -> Result<State>;

    /// Puts a state of a rule of the same settings and seed back.
    fn restore(&mut self, state: &State) -> Result<()>;

    /// Device constants by name ("a.up_step", "c.symmetry_point", …), row after row.
    fn device_parameters(&self) -> Vec<(String, Vec<f32>)> {
        Vec::new()
    }
}
