//! Training rules: how one layer's arrays learn. Each rule speaks to its arrays through [`Array`] alone, so that it
//! works with any device model. Rules with fast arrays are choices among the same few parts, which one engine runs.

mod agad;
mod analog_sgd;
mod arrays;
mod boxed;
mod cttv2;
mod describe;
mod digital_sgd;
mod erider;
mod grid;
mod mixed_precision;
mod parts;
mod rider;
mod rl;
mod rlv2;
mod state;
mod tiled;
mod tiles;
mod transfer;
mod ttv1;
mod ttv2;

pub use agad::Agad;
pub use analog_sgd::{AnalogSgd, AnalogSgdRule};
pub use boxed::BoxedClone;
pub use cttv2::Cttv2;
pub use describe::{Description, Situation};
pub use digital_sgd::{DigitalSgd, DigitalSgdRule};
pub use erider::Erider;
pub use grid::TileSize;
pub use mixed_precision::{MixedPrecision, MixedPrecisionRule};
pub use parts::{AfterPulse, Chopping, LearningRates, ReadVectors, TransferLine, TransferUnit};
pub use rider::Rider;
pub use rl::Rl;
pub use rlv2::Rlv2;
pub use state::{ORIGIN, State};
pub use tiled::tiled;
pub use tiles::Tiles;
pub use transfer::{ArraySettings, Hardware, Parts, TransferRule, TransferSettings};
pub use ttv1::Ttv1;
pub use ttv2::Ttv2;

use crate::crossbar::{Array, Visible};
use crate::error::Result;
use crate::kinds::kinds;
use crate::ledger::Ledger;
use crate::settings::Settings;
use crate::threads::Workers;
use grid::Grid;
use std::any::Any;
use std::fmt::Debug;

kinds! {
    /// The settings of a built-in rule, by kind.
    pub enum RuleConfig("rule"): RuleSettings {
        /// Exact arithmetic.
        DigitalSgd(DigitalSgd) = "float",
        /// Pulsed stochastic gradient descent.
        AnalogSgd(AnalogSgd) = "sgd",
        /// Tiki-Taka.
        Ttv1(Ttv1) = "ttv1",
        /// Tiki-Taka version 2.
        Ttv2(Ttv2) = "ttv2",
        /// Tiki-Taka version 2 with a chopper.
        Cttv2(Cttv2) = "cttv2",
        /// Analog gradient accumulation with dynamic reference.
        Agad(Agad) = "agad",
        /// Mixed precision.
        MixedPrecision(MixedPrecision) = "mp",
        /// Residual learning.
        Rl(Rl) = "rl",
        /// Residual learning version 2.
        Rlv2(Rlv2) = "rlv2",
        /// Residual learning against a tracked reference.
        Rider(Rider) = "rider",
        /// The same with a chopper and a filter.
        Erider(Erider) = "erider",
        /// Multi-tile residual learning.
        Tiles(Tiles) = "tiles",
    }
}

impl RuleConfig {
    /// The rule of a layer.
    pub fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
        self.validate()?;
        tiled(self.settings().tile(), at, |at| self.settings().build(at))
    }

    /// What the settings mean for an array and its signals.
    ///
    /// # Errors
    /// Settings or signals out of range.
    pub fn describe(&self, at: &Situation) -> Result<Description> {
        self.validate()?;
        at.validate()?;
        let mut out = Description::default();
        let mut at = *at;
        if let Some(tile) = self.settings().tile() {
            let grid = Grid::new((at.rows, at.cols), tile);
            if grid.len() > 1 {
                let (down, across) = (grid.rows.len(), grid.cols.len());
                let (rows, cols) = (at.rows, at.cols);
                (at.rows, at.cols) = grid.shape_of(grid.len() - 1);
                out.line(format_args!(
                    "{rows} × {cols} (outputs × inputs) on {down} × {across} tiles, of which one is:"
                ));
            }
        }
        self.settings().describe(&at, &mut out)?;
        Ok(out.finish())
    }
}

/// The settings of a rule: what they build and what they mean.
pub trait RuleSettings: Debug + Settings {
    /// The rule of a layer.
    ///
    /// # Errors
    /// Settings out of range, or more memory than there is.
    fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>>;

    /// Adds what the settings mean for an array and its signals.
    fn describe(&self, at: &Situation, out: &mut Description) -> Result<()>;

    /// The largest physical array; `None` where a layer is one array, however large.
    fn tile(&self) -> Option<TileSize> {
        None
    }
}

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
