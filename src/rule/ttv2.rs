//! TTv2 (the paper; PAT; R24 eq. (10)): gradients accumulate in a fast array A, reads of A pass a
//! digital filter H, and where H crosses its threshold the slow array C gets one pulse. The network
//! sees C alone.
//!
//! ```text
//! each sample:      A ← pulsed update(A, lr_A, −δ, x)
//! every ns samples: v = MVM(A − R, e_k);  H[:,k] ← H[:,k] + λ_H·v
//!                   where |H[i,k]| ≥ 1: one pulse of sign(H[i,k]) on C[i,k], then reset H[i,k]
//!                   k ← (k+1) mod n
//! ```

use super::AfterPulse;
use super::transfer::{Parts, StageParts, TransferSettings, Write, filter_settings};
use crate::crossbar::Reference;

filter_settings! {
    /// Settings of TTv2; where sources differ, each choice is an option, the default first.
    pub struct Ttv2 {}
    after_pulse = AfterPulse::Zero;
    reference = Reference::ideal();
}

impl TransferSettings for Ttv2 {
    fn about(&self) -> (&'static str, String) {
        ("ttv2", "A accumulates, H filters, C is what the network sees".to_owned())
    }

    fn parts(&self) -> Parts {
        let stage = StageParts::new(self.transfer_every, Write::Pulses(self.filtering()));
        Parts::of(stage, self.rates(), self.transfer_unit, self.transfer_line)
    }
}
