//! Activations, each forward step beside its gradient.

use crate::simd;
use crate::workers::Workers;
use rayon::prelude::*;

/// Values below which another thread is no faster.
const SPLIT: usize = 1 << 12;

/// An elementwise activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// tanh x.
    Tanh,
    /// max(x, 0).
    ReLU,
}

impl Activation {
    /// y = f(x), in place.
    pub fn forward(self, values: &mut [f32]) {
        match self {
            Self::Sigmoid => simd::sigmoid(values),
            Self::Tanh => simd::tanh(values),
            // What is not a number stays so.
            Self::ReLU => values.iter_mut().for_each(|v| *v = if *v < 0.0 { 0.0 } else { *v }),
        }
    }

    /// [`forward`](Activation::forward), shared among threads where that pays.
    pub(super) fn forward_split(self, values: &mut [f32], workers: &Workers) {
        if workers.threads() > 1 && values.len() >= SPLIT {
            let part = values.len().div_ceil(workers.threads()).next_multiple_of(16);
            workers.split(|| values.par_chunks_mut(part).for_each(|values| self.forward(values)));
        } else {
            self.forward(values);
        }
    }

    /// [`backward`](Activation::backward), shared among threads where that pays.
    pub(super) fn backward_split(self, y: &[f32], delta: &mut [f32], workers: &Workers) {
        match workers.share(delta.len(), delta.len()) {
            Some(each) => {
                let parts = y.par_chunks(each).zip(delta.par_chunks_mut(each));
                workers.split(|| parts.for_each(|(y, delta)| self.backward(y, delta)));
            }
            None => self.backward(y, delta),
        }
    }

    /// δ ← δ·f′(x), from the outputs y = f(x).
    pub fn backward(self, y: &[f32], delta: &mut [f32]) {
        match self {
            Self::Sigmoid => simd::sigmoid_slopes(y, delta),
            Self::Tanh => simd::tanh_slopes(y, delta),
            Self::ReLU => delta.iter_mut().zip(y).for_each(|(d, y)| *d = if *y > 0.0 { *d } else { 0.0 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_match_central_differences() {
        for f in [Activation::Sigmoid, Activation::Tanh, Activation::ReLU] {
            for x in [-2.0_f32, -0.3, 0.4, 1.7] {
                let at = |x: f32| {
                    let mut v = [x];
                    f.forward(&mut v);
                    v[0]
                };
                let numeric = (at(x + 1e-2) - at(x - 1e-2)) / 2e-2;
                let mut delta = [1.0];
                f.backward(&[at(x)], &mut delta);
                assert!((delta[0] - numeric).abs() < 1e-4, "{f:?} at {x}: {} {numeric}", delta[0]);
            }
        }
    }
}
