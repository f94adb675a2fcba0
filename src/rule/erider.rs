//! E-RIDER (X26 Alg. 3, as its authors ran it): AGAD whose network sees a share of the fast array.
//!
//! ```text
//! the network sees  W̄ = C + γ·c⊙(A − P^ref)
//! all else as AGAD
//! ```
//!
//! The product with P^ref is made in digital: m·n multiply-adds for each product. With γ = 0 the rule is AGAD.

use super::parts::tracker::{Adopt, Tracking};
use super::transfer::{Parts, StageParts, TransferSettings, Write, filter_settings};
use super::{AfterPulse, Chopping};
use crate::crossbar::Reference;

filter_settings! {
    /// Settings of E-RIDER.
    pub struct Erider {
        /// γ: share of A in the weights that the network sees.
        pub gamma: f64 = 0.1, 0.0 to 1e3;
        /// How the signs of the lines flip.
        pub chopper: Chopping = Chopping::Regular;
        /// p: flips of a line per read of it.
        pub flip_rate: f64 = 0.1, 0.0 to 1.0;
        /// η: share of a read in the running mean that becomes the reference.
        pub reference_rate: f64 = 0.5, 1e-6 to 1.0;
        /// Whether a line moves H only when it has a reference, after its first flip.
        pub warm_up: bool = true;
    }
    after_pulse = AfterPulse::Zero;
    reference = Reference::default();
}

impl TransferSettings for Erider {
    fn about(&self) -> (&'static str, String) {
        ("erider", format!("as agad, and the network sees C + {}c⊙(A − P)", self.gamma))
    }

    fn parts(&self) -> Parts {
        let stage = StageParts {
            share: self.gamma,
            chopper: (self.chopper, self.flip_rate),
            tracker: Some(Tracking { share: self.reference_rate, adopt: Adopt::AtFlips, warm_up: self.warm_up }),
            ..StageParts::new(self.transfer_every, Write::Pulses(self.filtering()))
        };
        Parts::of(stage, self.rates(), self.transfer_unit, self.transfer_line)
    }
}
