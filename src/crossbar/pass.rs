//! Products for threads that share a mini-batch: each takes some of its vectors through a whole network.

use super::mvm::Scratch;
use crate::error::Result;
use crate::threads::Workers;

/// The side from which an array is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// y = W x: lines of devices are added up.
    Forward,
    /// z = Wᵀ δ: each line is multiplied.
    Backward,
}

/// What products took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MvmCost {
    /// Products of the array, those of bound management among them.
    pub mvms: u64,
    /// Conversions of inputs.
    pub dac: u64,
    /// Conversions of outputs.
    pub adc: u64,
}

impl MvmCost {
    pub(crate) fn add(self, other: Self) -> Self {
        Self { mvms: self.mvms + other.mvms, dac: self.dac + other.dac, adc: self.adc + other.adc }
    }
}

/// Products with weights that stay as they are.
pub trait SharedProducts: Sync {
    /// The products of the vectors `x`, of which the first is number `first` of the mini-batch, into `y`, and what they
    /// took. Only `scratch` changes, and each thread has its own.
    ///
    /// # Errors
    /// Lengths that do not fit.
    fn product(
        &self,
        direction: Direction,
        first: usize,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Vec<Scratch>,
        workers: &Workers,
    ) -> Result<MvmCost>;
}
