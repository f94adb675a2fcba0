//! The reference array: what counts as weight 0.

use super::{Crossbar, transpose};
use crate::check::{check_finite, check_len};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::random::Operation;
use crate::settings::settings;
use crate::simd::aligned::Aligned;
use serde::{Deserialize, Serialize};

/// Where a reference comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceMethod {
    /// No reference: weight 0 is state 0.
    #[default]
    None,
    /// The exact symmetry points, plus an error N(mean, spread²).
    Ideal,
    /// The states that alternating pulses leave behind (Kim et al., arXiv 1907.10228).
    ZeroShift,
}

settings! {
    /// Settings of a reference array.
    pub struct Reference {
        /// Where the reference comes from.
        pub method: ReferenceMethod = ReferenceMethod::None;
        /// μ_R: mean error of an ideal reference, in units of weight.
        pub mean: f64 = 0.0, -1e6 to 1e6;
        /// σ_R: spread of the error of an ideal reference, in units of weight.
        pub spread: f64 = 0.0, 0.0 to 1e6;
        /// N: pulses of zero-shifting per device.
        pub pulses: u32 = 2000, 1.0 to 1e7;
    }
    also |s| s.check_error()
}

impl Reference {
    /// The exact symmetry points.
    pub fn ideal() -> Self {
        Self { method: ReferenceMethod::Ideal, ..Self::default() }
    }

    /// Only an ideal reference is given an error.
    fn check_error(&self) -> Result<()> {
        let allowed = "0 unless the method of the reference is ideal, whose error it is";
        for (name, value) in [("mean", self.mean), ("spread", self.spread)] {
            if value != 0.0 && self.method != ReferenceMethod::Ideal {
                return Err(Error::range(name, value, allowed));
            }
        }
        Ok(())
    }
}

impl<D: Device> Crossbar<D> {
    /// Gives the array its reference and rests it there: W = 0 except where a device cannot hold its reference.
    pub fn refer(&mut self, settings: &Reference) -> Result<()> {
        settings.validate()?;
        match settings.method {
            ReferenceMethod::None => {}
            ReferenceMethod::Ideal => {
                let mut error = vec![0.0; self.points.len()];
                if settings.spread > 0.0 {
                    self.stream(Operation::Reference, 0).normals(0, &mut error);
                }
                let symmetry = (0..self.points.len()).map(|k| self.symmetry_point(k));
                let (mean, spread) = (settings.mean as f32, settings.spread as f32);
                let reference = Aligned::new(symmetry.zip(error).map(|(w, xi)| w + (mean + spread * xi)));
                self.rebase(reference);
                self.hold(&vec![0.0; self.points.len()]);
            }
            ReferenceMethod::ZeroShift => return self.zero_shift(settings.pulses),
        }
        Ok(())
    }

    /// Alternates up and down pulses, then takes the state reached as reference: W = 0 after it
    /// (Kim et al.; the error after N pulses is O(1/(Nδ)) + Θ(δ), X26). An even number of pulses ends on
    /// a down pulse, so half a step below the symmetry point; an odd number as far above it.
    ///
    /// # Errors
    /// One-sided pairs.
    pub fn zero_shift(&mut self, pulses: u32) -> Result<()> {
        if self.pairs.is_some() {
            return Err(Error::Conflict(
                "zero-shifting needs devices that step up and down; one-sided pairs cancel at weight 0".to_owned(),
            ));
        }
        let weights = match self.persistent() {
            [] => &*self.weights,
            persistent => persistent,
        };
        let state: Vec<f32> = match &*self.reference {
            [] => weights.to_vec(),
            reference => weights.iter().zip(reference).map(|(w, r)| w + r).collect(),
        };
        let mut xi = vec![0.0; self.rows];
        let mut settled = state;
        // Another call is another step of the counter, so it draws other noise.
        let call = self.steps.program << 32;
        self.steps.program += 1;
        for (column, states) in settled.chunks_exact_mut(self.rows).enumerate() {
            let stream = self.stream(Operation::ZeroShift, call + column as u64);
            let devices = column * self.rows..(column + 1) * self.rows;
            let points = &self.points[devices.clone()];
            let left = self.faults.as_ref().map(|faults| {
                let had = |k| self.pulse_counters.as_ref().map_or(0, |counters: &Vec<u32>| counters[k]);
                devices.map(|k| faults.pulses_left(k, had(k))).collect::<Vec<_>>()
            });
            for pulse in 0..pulses {
                if self.device.noisy() {
                    stream.normals(u64::from(pulse) * self.rows as u64, &mut xi);
                }
                for (row, ((w, point), &xi)) in states.iter_mut().zip(points).zip(&xi).enumerate() {
                    if left.as_ref().is_none_or(|left| pulse < left[row]) {
                        *w = self.device.pulse(point, *w, pulse % 2 == 0, xi);
                    }
                }
            }
        }
        self.counts.pulses += u64::from(pulses) * self.points.len() as u64;
        if let Some(counters) = &mut self.pulse_counters {
            counters.iter_mut().for_each(|n| *n = n.saturating_add(pulses));
        }
        self.reference = settled.into();
        self.weights.fill(0.0);
        if let Some(faults) = &mut self.faults {
            faults.persistent.fill(0.0);
            faults.hold_stuck(&self.weights, self.pulse_counters.as_deref());
        }
        Ok(())
    }

    /// Where up and down steps of a device cancel; of a pair, at weight 0.
    pub(super) fn symmetry_point(&self, k: usize) -> f32 {
        if self.pairs.is_some() { 0.0 } else { self.device.symmetry_point(&self.points[k]) }
    }

    /// Takes another reference; states stay, so the weights move by the difference.
    fn rebase(&mut self, reference: Aligned<f32>) {
        for (k, (w, r)) in self.weights.iter_mut().zip(&*reference).enumerate() {
            let before = *w;
            *w += self.reference.get(k).copied().unwrap_or(0.0) - r;
            if let Some(faults) = &mut self.faults {
                faults.rebase(k, before, *w);
            }
        }
        self.reference = reference;
        if self.pairs.is_some() {
            (0..self.weights.len()).for_each(|k| self.settle_pair(k));
        }
    }

    /// Sets the reference (row-major); the states stay, so the weights move by the difference.
    pub fn set_reference(&mut self, reference: &[f32]) -> Result<()> {
        check_len("reference", reference.len(), self.points.len())?;
        check_finite("reference", reference)?;
        self.rebase(transpose(reference, self.cols, self.rows).into());
        Ok(())
    }
}
