//! The learning-rate rules of R24: learning rates that follow the size of the signals and the granularity of the devices.

use super::State;
use crate::error::Result;

/// Means of max|x| and max|δ| over about `memory` samples: plain means until then, exponential after.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SignalMeans {
    pub(super) x: f32,
    pub(super) delta: f32,
    /// Samples so far.
    pub(super) samples: u64,
}

impl SignalMeans {
    /// Takes the maxima of the next sample.
    pub(super) fn add(&mut self, x: f32, delta: f32, memory: f64) {
        self.samples += 1;
        let share = (1.0 / (self.samples as f64).min(memory)) as f32;
        self.x += share * (x - self.x);
        self.delta += share * (delta - self.delta);
    }

    /// Adds the means to a state.
    pub(super) fn save(&self, state: &mut State) {
        state.add_float("means.input", self.x);
        state.add_float("means.output_error", self.delta);
        state.add_count("means.samples", self.samples);
    }

    /// The means of a state.
    ///
    /// # Errors
    /// Something is missing.
    pub(super) fn restored(state: &State) -> Result<Self> {
        let (x, delta) = (state.float("means.input")?, state.float("means.output_error")?);
        Ok(Self { x, delta, samples: state.count("means.samples")? })
    }
}

/// R24: λ_A = η₀·BL_max·δ_A/(μ_x·μ_δ), so that the largest crosspoint of a typical sample needs
/// η₀·BL_max pulses. 0 while there is no signal.
pub(super) fn fast_rate(granularity: f64, max_length: u32, step: f64, means: SignalMeans) -> f64 {
    let signal = f64::from(means.x) * f64::from(means.delta);
    if signal > 0.0 { granularity * f64::from(max_length) * step / signal } else { 0.0 }
}

/// R24: λ_H = λ·ns·n/(γ₀·δ_C), γ₀ the reads to accumulate over and n the lines of a sweep.
pub(super) fn transfer_rate(learning_rate: f64, transfer_every: u32, lines: usize, reads: f64, step: f64) -> f64 {
    learning_rate * f64::from(transfer_every) * lines as f64 / (reads * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_by_hand() {
        let means = SignalMeans { x: 2.0, delta: 0.25, samples: 0 };
        assert!((fast_rate(1.5, 5, 0.1, means) - 1.5).abs() < 1e-12);
        assert_eq!(fast_rate(1.0, 5, 0.1, SignalMeans::default()), 0.0);
        assert!((transfer_rate(0.1, 5, 20, 200.0, 0.1) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn means_are_plain_then_exponential() {
        let mut means = SignalMeans::default();
        for x in [1.0, 2.0, 3.0] {
            means.add(x, 2.0 * x, 2.0);
        }
        // (1 + 2)/2 = 1.5, then 1.5 + (3 − 1.5)/2 = 2.25.
        assert_eq!(means, SignalMeans { x: 2.25, delta: 4.5, samples: 3 });
    }
}
