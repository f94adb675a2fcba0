//! RIDER (X26 Alg. 2): residual learning against a reference that is measured at every read, so that A needs none in
//! hardware.
//!
//! ```text
//! the network sees  W̄ = C + γ(A − Q)
//! each sample:      A ← pulsed update(A, lr_A, −δ, x)
//! every ns samples: v = MVM(A, e_k);  Q[:,k] ← (1−η)Q[:,k] + ηv
//!                   C ← pulsed update(C, lr_C, v − Q[:,k], e_k);  k ← (k+1) mod n
//! ```

use super::parts::tracker::{Adopt, Tracking};
use super::transfer::{Parts, StageParts, TransferSettings, Write, train_settings};
use super::{TransferLine, TransferUnit};
use crate::crossbar::Reference;

train_settings! {
    /// Settings of RIDER.
    pub struct Rider {
        /// What `transfer_every` counts.
        pub transfer_unit: TransferUnit = TransferUnit::Sample;
        /// The lines read from A and written to C.
        pub transfer_line: TransferLine = TransferLine::Column;
        /// γ: share of A in the weights that the network sees.
        pub gamma: f64 = 0.1, 0.0 to 1e3;
        /// η: share of a read in the running mean Q.
        pub reference_rate: f64 = 0.05, 1e-6 to 1.0;
    }
    reference = Reference::default();
}

impl TransferSettings for Rider {
    fn about(&self) -> (&'static str, String) {
        ("rider", format!("A learns what C has not, against its mean Q; the network sees C + {}(A − Q)", self.gamma))
    }

    fn parts(&self) -> Parts {
        let stage = StageParts {
            share: self.gamma,
            tracker: Some(Tracking { share: self.reference_rate, adopt: Adopt::AtReads, warm_up: false }),
            ..StageParts::new(self.transfer_every, Write::Trains(0.0))
        };
        Parts::of(stage, self.rates(), self.transfer_unit, self.transfer_line)
    }
}
