//! Losses and their gradients.

use super::data::check_each;
use crate::check::{check_finite, check_index, check_len};
use crate::error::{Error, Result};
use crate::simd;

/// What a network is to give for each sample.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a> {
    /// A class per example, or per step of each sequence.
    Classes(&'a [u32]),
    /// A vector per example, or per step of each sequence, one after another.
    Values(&'a [f32]),
}

/// A loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// Cross-entropy of the softmax of the outputs, in nats; targets are classes.
    #[default]
    CrossEntropy,
    /// (1/2m) Σ (y − t)², m the outputs; targets are vectors.
    MeanSquare,
}

impl Loss {
    /// Requires targets of the right kind and values for the examples `order` of `examples`, `steps` for each.
    pub(super) fn check(
        self,
        targets: Targets<'_>,
        examples: usize,
        steps: usize,
        outputs: usize,
        order: &[u32],
    ) -> Result<()> {
        match (self, targets) {
            (Self::CrossEntropy, Targets::Classes(classes)) => {
                check_len("targets", classes.len(), examples.saturating_mul(steps))?;
                check_each(order, steps, |k| check_index("targets", classes[k] as usize, outputs))
            }
            (Self::MeanSquare, Targets::Values(values)) => {
                check_len("targets", values.len(), examples.saturating_mul(steps.saturating_mul(outputs)))?;
                check_each(order, steps, |k| check_finite("targets", &values[k * outputs..][..outputs]))
            }
            (Self::CrossEntropy, Targets::Values(_)) => Err(Error::Conflict(
                "targets must be a class per sample for the loss cross-entropy, not values".to_owned(),
            )),
            (Self::MeanSquare, Targets::Classes(_)) => {
                Err(Error::Conflict("targets must be a vector per sample for the loss mse, not classes".to_owned()))
            }
        }
    }

    /// Loss of output number `s` and whether its class came out wrong; replaces the outputs `y` by dL/dy.
    pub(super) fn gradient(self, y: &mut [f32], targets: Targets<'_>, s: usize) -> (f64, bool) {
        match targets {
            Targets::Classes(classes) => {
                let class = classes[s] as usize;
                // Put so that an output that is not a number is wrong, and its loss not a number.
                let right = (0..y.len()).all(|i| i == class || y[i] < y[class] || (y[i] == y[class] && i > class));
                let wrong = !right || y[class].is_nan();
                softmax(y);
                let p = if y[class] < f32::MIN_POSITIVE { f32::MIN_POSITIVE } else { y[class] };
                let mut log = [p];
                simd::ln(&mut log);
                let loss = if p.is_nan() { f64::NAN } else { -f64::from(log[0]) };
                y[class] -= 1.0;
                (loss, wrong)
            }
            Targets::Values(values) => {
                let m = y.len();
                let mut loss = 0.0;
                for (y, t) in y.iter_mut().zip(&values[s * m..][..m]) {
                    let error = *y - t;
                    loss += 0.5 * f64::from(error) * f64::from(error) / m as f64;
                    *y = error / m as f32;
                }
                (loss, false)
            }
        }
    }

    /// [`gradient`](Loss::gradient) of the mean over `examples` examples; the loss is that of this one.
    pub(super) fn share(self, y: &mut [f32], targets: Targets<'_>, s: usize, examples: usize) -> (f64, bool) {
        let lost = self.gradient(y, targets, s);
        if examples > 1 {
            let share = 1.0 / examples as f32;
            y.iter_mut().for_each(|d| *d *= share);
        }
        lost
    }
}

/// yᵢ ← exp(yᵢ − max y) / Σ.
pub(super) fn softmax(y: &mut [f32]) {
    if y.iter().any(|v| !v.is_finite()) {
        // A network that diverged: say so instead of inventing a distribution.
        y.fill(f32::NAN);
        return;
    }
    let top = y.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    simd::exp_below(y, top);
    let sum: f32 = y.iter().sum();
    y.iter_mut().for_each(|v| *v /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_match_central_differences() {
        let classes = Targets::Classes(&[2]);
        let values = Targets::Values(&[0.3, -0.2, 0.9]);
        for (loss, targets) in [(Loss::CrossEntropy, classes), (Loss::MeanSquare, values)] {
            let y = [0.5_f32, -1.0, 0.25];
            let mut gradient = y;
            loss.gradient(&mut gradient, targets, 0);
            for i in 0..3 {
                let at = |h: f32| {
                    let mut y = y;
                    y[i] += h;
                    loss.gradient(&mut y, targets, 0).0
                };
                let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((f64::from(gradient[i]) - numeric).abs() < 1e-4, "{loss:?}: {} {numeric}", gradient[i]);
            }
        }
    }

    #[test]
    fn outputs_that_are_not_numbers_are_wrong_and_their_loss_is_not_a_number() {
        for y in [[f32::NAN, 0.0], [0.0, f32::NAN], [f32::NAN; 2], [f32::INFINITY, f32::INFINITY]] {
            for class in [0, 1] {
                let (loss, wrong) = Loss::CrossEntropy.gradient(&mut y.clone(), Targets::Classes(&[class]), 0);
                assert!(loss.is_nan() && (wrong || y[0].is_infinite()), "{y:?} {class}");
            }
        }
    }

    #[test]
    fn by_hand() {
        let mut y = [1.0_f32.ln(), 3.0_f32.ln()];
        let (loss, wrong) = Loss::CrossEntropy.gradient(&mut y, Targets::Classes(&[0]), 0);
        assert!((loss - 4.0_f64.ln()).abs() < 1e-6 && wrong);
        assert!((y[0] + 0.75).abs() < 1e-6 && (y[1] - 0.75).abs() < 1e-6);
    }
}
