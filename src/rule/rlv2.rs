//! RLv2, residual learning version 2 (W25 App. D): TTv2 whose network sees a share of A, with an H that leaks.
//!
//! ```text
//! the network sees  W̄ = C + γ(A − R)
//! each sample:      A ← pulsed update(A, lr_A, −δ, x)
//! every ns samples: v = MVM(A − R, e_k);  H[:,k] ← (1−β)H[:,k] + λ_H·v
//!                   where |H[i,k]| ≥ 1: one pulse of sign(H[i,k]) on C[i,k], H[i,k] ← H[i,k] − sign(H[i,k])
//!                   k ← (k+1) mod n
//! ```
//!
//! W25 counts H in weights, with λ_H = β and a threshold of one step of C: that is λ_H = β/δ_C here. Reads below β/λ_H never
//! write; they stay in A and act through γ.

use super::AfterPulse;
use super::transfer::{Parts, StageParts, TransferSettings, Write, filter_settings};
use crate::crossbar::Reference;

filter_settings! {
    /// Settings of RLv2.
    pub struct Rlv2 {
        /// γ: share of A in the weights that the network sees.
        pub gamma: f64 = 0.1, 0.0 to 1e3;
        /// β: the fraction of H that each read takes from its line.
        pub leak: f64 = 0.01, 0.0 to 1.0;
    }
    after_pulse = AfterPulse::Subtract;
    reference = Reference::ideal();
}

impl TransferSettings for Rlv2 {
    fn about(&self) -> (&'static str, String) {
        ("rlv2", format!("A accumulates, H filters and leaks, the network sees {}A + C", self.gamma))
    }

    fn parts(&self) -> Parts {
        let filtering = super::parts::filter::Filtering { leak: self.leak as f32, ..self.filtering() };
        let stage = StageParts { share: self.gamma, ..StageParts::new(self.transfer_every, Write::Pulses(filtering)) };
        Parts::of(stage, self.rates(), self.transfer_unit, self.transfer_line)
    }
}
