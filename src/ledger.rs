//! What training costs: counts of everything that a chip would have to do.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Operations of one array. Conversions count whether or not their quantisation is simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Products W x, retries of bound management included.
    pub forward_mvms: u64,
    /// Products Wᵀ δ.
    pub backward_mvms: u64,
    /// Pulsed outer-product updates.
    pub updates: u64,
    /// Pulses sent to devices, by updates and by line writes.
    pub pulses: u64,
    /// Reads of one line (or of one vector through the read periphery).
    pub line_reads: u64,
    /// Digital-to-analog conversions.
    pub dac_conversions: u64,
    /// Analog-to-digital conversions.
    pub adc_conversions: u64,
}

impl Counts {
    /// The counts by name.
    pub fn fields(&mut self) -> [(&'static str, &mut u64); 7] {
        [
            ("forward_mvms", &mut self.forward_mvms),
            ("backward_mvms", &mut self.backward_mvms),
            ("updates", &mut self.updates),
            ("pulses", &mut self.pulses),
            ("line_reads", &mut self.line_reads),
            ("dac_conversions", &mut self.dac_conversions),
            ("adc_conversions", &mut self.adc_conversions),
        ]
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
