//! AGAD, analog gradient accumulation with dynamic reference, also TTv4 (R24 eqs. (12), (13)): c-TTv2 whose reference is
//! measured while it trains, so that A needs none in hardware.
//!
//! ```text
//! each sample:      A ← pulsed update(A, lr_A, −δ, c⊙x)
//! every ns samples: v = MVM(A, e_k);  H[:,k] ← H[:,k] + λ_H·c_k·(v − P^ref[:,k]);  P[:,k] ← (1−β)P[:,k] + βv
//!                   where |H[i,k]| ≥ 1: one pulse of sign(H[i,k]) on C[i,k], then reset H[i,k]
//!                   flip c_k, if due: then P^ref[:,k] ← P[:,k];  k ← (k+1) mod n
//! ```
//!
//! R24 prints eq. (13) with −βv; + is meant. The noise of P^ref is the same in all reads of a period p: H gets 1 + pβ/(2−β)
//! times the variance [ours], so that λ_H must be smaller than for TTv2.

use super::parts::tracker::{Adopt, Tracking};
use super::transfer::{Parts, StageParts, TransferSettings, Write, filter_settings};
use super::{AfterPulse, Chopping};
use crate::crossbar::Reference;

filter_settings! {
    /// Settings of AGAD.
    pub struct Agad {
        /// How the signs of the lines flip.
        pub chopper: Chopping = Chopping::Regular;
        /// ρ: flips of a line per read of it.
        pub flip_rate: f64 = 0.1, 0.0 to 1.0;
        /// β: share of a read in the running mean that becomes the reference.
        pub reference_rate: f64 = 0.5, 1e-6 to 1.0;
        /// Whether a line moves H only when it has a reference, after its first flip.
        pub warm_up: bool = true;
    }
    after_pulse = AfterPulse::Zero;
    reference = Reference::default();
}

impl TransferSettings for Agad {
    fn about(&self) -> (&'static str, String) {
        (
            "agad",
            "A accumulates with signs that flip, against a reference measured on the way; C is what the network sees"
                .to_owned(),
        )
    }

    fn parts(&self) -> Parts {
        let stage = StageParts {
            chopper: (self.chopper, self.flip_rate),
            tracker: Some(Tracking { share: self.reference_rate, adopt: Adopt::AtFlips, warm_up: self.warm_up }),
            ..StageParts::new(self.transfer_every, Write::Pulses(self.filtering()))
        };
        Parts::of(stage, self.rates(), self.transfer_unit, self.transfer_line)
    }
}
