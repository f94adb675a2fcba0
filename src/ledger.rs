//! What training costs: counts of everything that a chip would have to do.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Defines a struct of counters whose names are known.
macro_rules! counters {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$doc])* pub $field: u64,)+
        }

        impl $name {
            /// The counters by name.
            pub fn fields(&mut self) -> [(&'static str, &mut u64); [$(stringify!($field)),+].len()] {
                [$((stringify!($field), &mut self.$field)),+]
            }
        }
    };
}
pub(crate) use counters;

counters! {
    /// Operations of one array. Conversions count whether or not their quantisation is simulated.
    pub struct Counts {
        /// Products W x, retries of bound management included.
        pub forward_mvms,
        /// Products Wᵀ δ.
        pub backward_mvms,
        /// Pulsed outer-product updates.
        pub updates,
        /// Pulses sent to devices, by updates and by line writes.
        pub pulses,
        /// Reads of one line (or of one vector through the read periphery).
        pub line_reads,
        /// Digital-to-analog conversions.
        pub dac_conversions,
        /// Analog-to-digital conversions.
        pub adc_conversions,
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, mut other: Self) {
        for ((_, sum), (_, count)) in self.fields().into_iter().zip(other.fields()) {
            *sum += *count;
        }
    }
}

/// Operations of a rule: its fast array A, the array C that the network sees, and digital work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// The fast array A (ttv1, ttv2).
    pub fast: Counts,
    /// The array C, or the only array of sgd.
    pub slow: Counts,
    /// Multiply-adds, comparisons and resets outside the arrays.
    pub digital_operations: u64,
}

impl AddAssign for Ledger {
    fn add_assign(&mut self, other: Self) {
        self.fast += other.fast;
        self.slow += other.slow;
        self.digital_operations += other.digital_operations;
    }
}
