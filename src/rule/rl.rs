//! RL, residual learning (W25 eqs. (10) to (13)): TTv1 whose network sees a share of A, so that A learns what C has not.
//!
//! ```text
//! the network sees  W̄ = C + γ(A − R)
//! each sample:      A ← pulsed update(A, lr_A, −δ, x)
//! every ns samples: v = MVM(A − R, e_k);  C ← pulsed update(C, lr_C, v, e_k);  k ← (k+1) mod n
//! ```
//!
//! With γ = 0 the rule is TTv1.

use super::transfer::{Parts, StageParts, TransferSettings, Write, train_settings};
use super::{TransferLine, TransferUnit};
use crate::crossbar::Reference;

train_settings! {
    /// Settings of RL.
    pub struct Rl {
        /// What `transfer_every` counts.
        pub transfer_unit: TransferUnit = TransferUnit::Sample;
        /// The lines read from A and written to C.
        pub transfer_line: TransferLine = TransferLine::Column;
        /// γ: share of A in the weights that the network sees.
        pub gamma: f64 = 0.1, 0.0 to 1e3;
    }
    reference = Reference::ideal();
}

impl TransferSettings for Rl {
    fn about(&self) -> (&'static str, String) {
        ("rl", format!("A learns what C has not; the network sees {}A + C", self.gamma))
    }

    fn parts(&self) -> Parts {
        let stage = StageParts { share: self.gamma, ..StageParts::new(self.transfer_every, Write::Trains(0.0)) };
        Parts::of(stage, self.rates(), self.transfer_unit, self.transfer_line)
    }
}
