//! c-TTv2, also TTv3: TTv2 with a chopper (R24 eq. (11); PATC). The signs of A's lines flip now and then, so that a
//! constant error of the reference cancels in H.
//!
//! ```text
//! each sample:      A ← pulsed update(A, lr_A, −δ, c⊙x)
//! every ns samples: v = MVM(A − R, e_k);  H[:,k] ← H[:,k] + λ_H·c_k·v
//!                   where |H[i,k]| ≥ 1: one pulse of sign(H[i,k]) on C[i,k], then reset H[i,k]
//!                   flip c_k, if due;  k ← (k+1) mod n
//! ```
//!
//! An error o of the reference moves H by λ_H·|o|/ρ before it turns back: false pulses come where that reaches 1 [ours].
//! With ρ = 0 the rule is TTv2.

use super::transfer::{Parts, StageParts, TransferSettings, Write, filter_settings};
use super::{AfterPulse, Chopping};
use crate::crossbar::Reference;

filter_settings! {
    /// Settings of c-TTv2.
    pub struct Cttv2 {
        /// How the signs of the lines flip; R24 flips at random, which fails at smaller errors of the reference.
        pub chopper: Chopping = Chopping::Regular;
        /// ρ: flips of a line per read of it.
        pub flip_rate: f64 = 0.1, 0.0 to 1.0;
    }
    after_pulse = AfterPulse::Zero;
    reference = Reference::ideal();
}

impl TransferSettings for Cttv2 {
    fn about(&self) -> (&'static str, String) {
        ("cttv2", "A accumulates with signs that flip, H filters, C is what the network sees".to_owned())
    }

    fn parts(&self) -> Parts {
        let stage = StageParts {
            chopper: (self.chopper, self.flip_rate),
            ..StageParts::new(self.transfer_every, Write::Pulses(self.filtering()))
        };
        Parts::of(stage, self.rates(), self.transfer_unit, self.transfer_line)
    }
}
