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
        /// Products Wᵀ δ, retries included.
        pub backward_mvms,
        /// Products that bound management repeated.
        pub retries,
        /// Pulsed outer-product updates.
        pub updates,
        /// Σ BL: slots of the pulse trains of updates; a slot takes its time whether or not anything fires.
        pub slots,
        /// Firings of rows, by updates and by line writes: a device on a line that fires is half-selected.
        pub row_firings,
        /// Firings of columns; an update in which no row fires drives no column.
        pub column_firings,
        /// Slots of writes to single lines: as many as the device with the most pulses gets.
        pub line_slots,
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

/// Digital work of a part of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// [`Ledger::digital_operations`].
    pub(crate) operations: u64,
    /// [`Ledger::buffer_accesses`].
    pub(crate) accesses: u64,
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.accesses += other.accesses;
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
    /// Multiply-adds, comparisons and resets outside the arrays; the largest |x| and |δ| of each pulsed update take a
    /// comparison per line.
    pub digital_operations: u64,
    /// Values read from and written to digital memories with a value per crosspoint: H, χ, tracked references, averages.
    pub buffer_accesses: u64,
}

impl Ledger {
    /// Adds digital work.
    pub(crate) fn add_work(&mut self, work: Work) {
        self.digital_operations += work.operations;
        self.buffer_accesses += work.accesses;
    }
}

impl AddAssign for Ledger {
    fn add_assign(&mut self, other: Self) {
        self.fast += other.fast;
        self.slow += other.slow;
        self.digital_operations += other.digital_operations;
        self.buffer_accesses += other.buffer_accesses;
    }
}
