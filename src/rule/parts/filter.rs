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
pub(in crate::rule) struct Filter {
    /// H, line after line, in units of its threshold.
    h: Vec<f32>,
    width: usize,
    settings: Filtering,
}

/// What a filter is made of.
#[derive(Clone, Copy, Debug)]
pub(in crate::rule) struct Filtering {
    /// What remains after a pulse.
    pub(in crate::rule) after_pulse: AfterPulse,
    /// The fraction that [`AfterPulse::Keep`] keeps.
    pub(in crate::rule) keep: f32,
    /// The most pulses per crossing.
    pub(in crate::rule) max_pulses: u32,
    /// The fraction of H that each read takes from its line before it adds to it.
    pub(in crate::rule) leak: f32,
}

impl Filter {
    /// H = 0 for `lines` lines of `width` values.
    pub(in crate::rule) fn new(lines: usize, width: usize, settings: Filtering) -> Self {
        Self { h: vec![0.0; lines * width], width, settings }
    }

    /// H, line after line.
    pub(in crate::rule) fn values(&self) -> &[f32] {
        &self.h
    }

    /// Replaces H.
    ///
    /// # Panics
    /// Another number of values.
    pub(in crate::rule) fn set(&mut self, h: &[f32]) {
        self.h.copy_from_slice(h);
    }

    /// Adds a read v of line k, and appends to `pulses` those that are due on the line, if any:
    ///
    /// ```text
    /// H[:,k] ← (1 − leak)·H[:,k] + λ_H·v
    /// where |H[i,k]| ≥ 1: pulses of sign(H[i,k]) on C[i,k], then reset H[i,k]
    /// ```
    ///
    /// Returns how many values crossed, `None` if none did.
    pub(in crate::rule) fn add(&mut self, k: usize, lambda: f32, v: &[f32], pulses: &mut Vec<i32>) -> Option<u64> {
        let h = &mut self.h[k * self.width..][..self.width];
        let Filtering { after_pulse, keep, max_pulses, leak } = self.settings;
        if leak > 0.0 {
            h.iter_mut().for_each(|h| *h *= 1.0 - leak);
        }
        if !simd::accumulate(h, lambda, v) {
            return None;
        }
        let first = pulses.len();
        pulses.resize(first + self.width, 0);
        let mut crossings = 0;
        for (h, pulses) in h.iter_mut().zip(&mut pulses[first..]) {
            if h.abs() >= 1.0 {
                // Towards zero, as trunc, which older processors have no instruction for.
                let n = h.clamp(-(max_pulses as f32), max_pulses as f32) as i32;
                *pulses = n;
                crossings += 1;
                *h = match after_pulse {
                    AfterPulse::Zero => 0.0,
                    AfterPulse::Subtract => *h - n as f32,
                    AfterPulse::Keep => *h * keep,
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
            let mut filter = Filter::new(2, 4, Filtering { after_pulse, keep: 0.5, max_pulses: 1, leak: 0.0 });
            let mut pulses = Vec::new();
            assert_eq!(filter.add(0, 0.5, &[0.5, -0.5, 0.0, 1.0], &mut pulses), None);
            assert!(pulses.is_empty());
            assert_eq!(filter.add(1, 0.5, &[2.6, -4.2, 1.0, 0.0], &mut pulses), Some(2));
            assert_eq!(pulses, [1, -1, 0, 0]);
            assert_eq!(filter.values()[..4], [0.25, -0.25, 0.0, 0.5]);
            assert!((filter.values()[4] - left).abs() < 1e-6, "{:?}", filter.values());
        }
    }

    /// RLv2 with a leak of ½ and λ_H = 2: reads of 0.3 leave 0.6, 0.9, 1.05, which is a pulse and 0.05. With λ_H·v/leak
    /// below 1, none ever comes.
    #[test]
    fn leaks_by_hand() {
        let filtering = Filtering { after_pulse: AfterPulse::Subtract, keep: 0.0, max_pulses: 1, leak: 0.5 };
        let (mut filter, mut pulses) = (Filter::new(1, 1, filtering), Vec::new());
        for (left, crossings) in [(0.6, None), (0.9, None), (0.05, Some(1))] {
            assert_eq!(filter.add(0, 2.0, &[0.3], &mut pulses), crossings);
            assert!((filter.values()[0] - left).abs() < 1e-6, "{:?}", filter.values());
        }
        assert!((0..1000).all(|_| filter.add(0, 2.0, &[0.249], &mut pulses).is_none()));
        assert_eq!(pulses, [1]);
    }
}
