//! Multi-tile residual learning (L25 eqs. (6), (7), Alg. 1): TTv1 from tile to tile, each of which learns what the slower
//! ones have not.
//!
//! ```text
//! the network sees        W̄ = Σ γⁿ W⁽ⁿ⁾, W⁽⁰⁾ = C
//! each sample:            W⁽ᴺ⁾ ← pulsed update(W⁽ᴺ⁾, lr_A, −δ, x)
//! every T_{n+1} batches:  v = MVM(W⁽ⁿ⁺¹⁾ − R, e_k);  W⁽ⁿ⁾ ← pulsed update(W⁽ⁿ⁾, β, v, e_k);  k ← (k+1) mod n
//! ```
//!
//! T = `transfer_every` for the fastest tile, and `every_ratio` times as much for each slower one. It counts mini-batches,
//! so that the tiles of a convolution are read as often as those of other layers. L25 starts with the fastest tile writing
//! to C, then to tile 1, … until the chain runs; it moves on when the loss rises, we after `warm_start` batches [ours].
//! With one fast tile the rule is RL.

use super::parts::rates::Rates;
use super::transfer::{ArraySettings, MAX_FAST_ARRAYS, Parts, StageParts, TransferSettings, Write, transfer_settings};
use super::{TransferLine, TransferUnit};
use crate::crossbar::Reference;

transfer_settings! {
    /// Settings of multi-tile residual learning.
    pub struct Tiles {
        /// N: fast tiles; the network has one more array, C.
        pub fast_tiles: u32 = 3, 1.0 to 9.0;
        /// lr_A: learning rate of the fastest tile, by hand; otherwise from devices and signals.
        pub fast_lr: Option<f64> = None, 0.0 to 1e3;
        /// β: learning rate of the transfer to C; the schedule multiplies it.
        pub transfer_lr: f64 = 0.1, 0.0 to 1e6;
        /// The rate of the transfer from a tile over that from the next slower one.
        pub lr_ratio: f64 = 1.2, 1e-3 to 1e3;
        /// Batches (or samples) per transfer of one line of the fastest tile.
        pub transfer_every: u32 = 2, 1.0 to 1e9;
        /// The batches per transfer of a tile over those of the next faster one.
        pub every_ratio: u32 = 5, 1.0 to 1e4;
        /// What `transfer_every` counts; L25 counts mini-batches.
        pub transfer_unit: TransferUnit = TransferUnit::Batch;
        /// The lines read from a tile and written to the next.
        pub transfer_line: TransferLine = TransferLine::Column;
        /// γ: weight of a tile over that of the next slower one.
        pub gamma: f64 = 0.5, 0.0 to 1e3;
        /// Batches (or samples) for which the fastest tile writes to each slower one at first; 0: the chain runs at once.
        pub warm_start: u32 = 0, 0.0 to 1e9;
    }
    reference = Reference::ideal();
}

const _: () = assert!(MAX_FAST_ARRAYS == 9, "the limit of fast_tiles");

impl TransferSettings for Tiles {
    fn about(&self) -> (&'static str, String) {
        let (tiles, gamma) = (self.fast_tiles, self.gamma);
        ("tiles", format!("{tiles} fast tiles before C, each with {gamma} times the weight of the next"))
    }

    fn parts(&self) -> Parts {
        // Stage k goes from tile N − k to tile N − k − 1.
        let stages = (0..self.fast_tiles as i32).map(|k| {
            let (tile, ratio) = (self.fast_tiles as i32 - k, u64::from(self.every_ratio));
            let every = u64::from(self.transfer_every).saturating_mul(ratio.saturating_pow(k as u32));
            let rate = self.transfer_lr * self.lr_ratio.powi(tile - 1);
            let every = u32::try_from(every).unwrap_or(u32::MAX);
            StageParts { share: self.gamma.powi(tile), ..StageParts::new(every, Write::Trains(rate)) }
        });
        Parts {
            rates: Rates::new(0.0, self.fast_lr, Some(self.transfer_lr), &self.hardware()),
            unit: self.transfer_unit,
            line: self.transfer_line,
            stages: stages.collect(),
            warm_start: u64::from(self.warm_start),
        }
    }
}
