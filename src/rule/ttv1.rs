//! TTv1, "Tiki-Taka" (GH20, PAT1): gradients go to a fast array A, and what A holds is copied to C
//! line by line. The network sees W = γA + C.
//!
//! ```text
//! each sample:      A ← pulsed update(A, lr_A, −δ, x)
//! every ns samples: v = MVM(A − R, u_k);  C ← pulsed update(C, lr_C, v, u_k);  k ← next
//! ```

use super::transfer::{Parts, StageParts, TransferSettings, Write, train_settings};
use super::{ReadVectors, TransferLine, TransferUnit};
use crate::crossbar::Reference;

train_settings! {
    /// Settings of TTv1.
    pub struct Ttv1 {
        /// γ: share of A in the weights that the network sees.
        pub gamma: f64 = 0.0, 0.0 to 1e3;
        /// The vectors that read A.
        pub read_vectors: ReadVectors = ReadVectors::OneHot;
    }
    reference = Reference::ideal();
}

impl TransferSettings for Ttv1 {
    fn about(&self) -> (&'static str, String) {
        ("ttv1", format!("A accumulates, C takes over; the network sees {}A + C", self.gamma))
    }

    fn parts(&self) -> Parts {
        let stage = StageParts {
            vectors: self.read_vectors,
            share: self.gamma,
            ..StageParts::new(self.transfer_every, Write::Trains(0.0))
        };
        Parts::of(stage, self.rates(), TransferUnit::Sample, TransferLine::Column)
    }
}
