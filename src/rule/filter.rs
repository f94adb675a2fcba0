//! The digital filter H between a fast and a slow array.

use crate::simd;
use serde::{Deserialize, Serialize};

/// What remains in H after a pulse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterPulse {
    /// Nothing (R24).
    #[default]
    Zero,
    /// H minus the pulses sent: nothing is lost.
    Subtract,
    /// A fixed fraction of H.
    Keep,
}

/// H: what the lines of A were read as adds up, until it crosses a threshold and becomes pulses on C (R24 eq. (10)).
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// H, line after line, in units of its threshold.
    h: Vec<f32>,
    width: usize,
    after_pulse: AfterPulse,
    keep: f32,
    max_pulses: f32,
}

impl Filter {
    /// H = 0 for `lines` lines of `width` values.
    pub(super) fn new(lines: usize, width: usize, after_pulse: AfterPulse, keep: f64, max_pulses: u32) -> Self {
        Self { h: vec![0.0; lines * width], width, after_pulse, keep: keep as f32, max_pulses: max_pulses as f32 }
    }

    /// H, line after line.
    pub(super) fn values(&self) -> &[f32] {
        &self.h
    }

    /// Replaces H.
    ///
    /// # Panics
    /// Another number of values.
    pub(super) fn set(&mut self, h: &[f32]) {
        self.h.copy_from_slice(h);
    }

    /// Adds a read v of line k, and appends to `pulses` those that are due on the line, if any:
    ///
    /// ```text
    /// H[:,k] ← H[:,k] + λ_H·v
    /// where |H[i,k]| ≥ 1: pulses of sign(H[i,k]) on C[i,k], then reset H[i,k]
    /// ```
    ///
    /// Returns how many values crossed, `None` if none did.
    pub(super) fn add(&mut self, k: usize, lambda: f32, v: &[f32], pulses: &mut Vec<i32>) -> Option<u64> {
        let h = &mut self.h[k * self.width..][..self.width];
        if !simd::accumulate(h, lambda, v) {
            return None;
        }
        let first = pulses.len();
        pulses.resize(first + self.width, 0);
        let mut crossings = 0;
        for (h, pulses) in h.iter_mut().zip(&mut pulses[first..]) {
            if h.abs() >= 1.0 {
                // Towards zero, as trunc, which older processors have no instruction for.
                let n = h.clamp(-self.max_pulses, self.max_pulses) as i32;
                *pulses = n;
                crossings += 1;
                *h = match self.after_pulse {
                    AfterPulse::Zero => 0.0,
                    AfterPulse::Subtract => *h - n as f32,
                    AfterPulse::Keep => *h * self.keep,
                };
            }
        }
        Some(crossings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// λ_H 0.5 and a read of 2.6 on an empty H: 1.3 crosses; 2 of 4 values stay below.
    #[test]
    fn by_hand() {
        for (after_pulse, left) in [(AfterPulse::Zero, 0.0), (AfterPulse::Subtract, 0.3), (AfterPulse::Keep, 0.65)] {
            let mut filter = Filter::new(2, 4, after_pulse, 0.5, 1);
            let mut pulses = Vec::new();
            assert_eq!(filter.add(0, 0.5, &[0.5, -0.5, 0.0, 1.0], &mut pulses), None);
            assert!(pulses.is_empty());
            assert_eq!(filter.add(1, 0.5, &[2.6, -4.2, 1.0, 0.0], &mut pulses), Some(2));
            assert_eq!(pulses, [1, -1, 0, 0]);
            assert_eq!(filter.values()[..4], [0.25, -0.25, 0.0, 0.5]);
            assert!((filter.values()[4] - left).abs() < 1e-6, "{:?}", filter.values());
        }
    }
}
