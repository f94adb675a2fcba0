//! Activations: elementwise functions in the place of their inputs, each beside its gradient from the outputs.

use super::{Layer, LayerInput, Part};
use crate::error::Result;
use crate::network::shape::Shape;
use crate::network::tuning::ACTIVATED_VALUES;
use crate::simd;
use crate::threads::Workers;
use rayon::prelude::*;

/// Writes an activation as a layer: its function in place, and its gradient δ ← δ·f′(x) from y = f(x).
macro_rules! activation {
    ($(#[$doc:meta])* $name:ident, $forward:expr, $backward:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl Layer for $name {
            fn shapes(&self, before: Shape) -> (Shape, Shape) {
                (before, before)
            }

            fn in_place(&self) -> bool {
                true
            }

            fn forward(&self, _x: LayerInput<'_>, y: &mut [f32], part: &mut Part<'_>) -> Result<()> {
                share_forward($forward, y, part.workers);
                Ok(())
            }

            fn backward(&self, y: &[f32], dy: &mut [f32], _dx: Option<&mut [f32]>, part: &mut Part<'_>) -> Result<()> {
                share_backward($backward, y, dy, part.workers);
                Ok(())
            }
        }
    };
}

activation!(
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    simd::sigmoid,
    simd::sigmoid_slopes
);

activation!(
    /// tanh x.
    Tanh,
    simd::tanh,
    simd::tanh_slopes
);

activation!(
    /// max(x, 0).
    ReLU,
    // What is not a number stays so.
    |y: &mut [f32]| y.iter_mut().for_each(|y| *y = if *y < 0.0 { 0.0 } else { *y }),
    |y: &[f32], dy: &mut [f32]| dy.iter_mut().zip(y).for_each(|(d, y)| *d = if *y > 0.0 { *d } else { 0.0 })
);

fn share_forward(f: impl Fn(&mut [f32]) + Send + Sync, y: &mut [f32], workers: &Workers) {
    if workers.threads() > 1 && y.len() >= ACTIVATED_VALUES {
        let each = y.len().div_ceil(workers.threads()).next_multiple_of(16);
        workers.split(|| y.par_chunks_mut(each).for_each(f));
    } else {
        f(y);
    }
}

fn share_backward(f: impl Fn(&[f32], &mut [f32]) + Send + Sync, y: &[f32], dy: &mut [f32], workers: &Workers) {
    match workers.share(dy.len(), dy.len()) {
        Some(each) => {
            let parts = y.par_chunks(each).zip(dy.par_chunks_mut(each));
            workers.split(|| parts.for_each(|(y, dy)| f(y, dy)));
        }
        None => f(y, dy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layer::tests::run;

    #[test]
    fn gradients_match_central_differences() {
        let layers: [&dyn Layer; 3] = [&Sigmoid, &Tanh, &ReLU];
        for f in layers {
            for x in [-2.0_f32, -0.3, 0.4, 1.7] {
                let y = |x: f32| run(f, &[x], &[1.0]).0[0];
                let numeric = (y(x + 1e-2) - y(x - 1e-2)) / 2e-2;
                let slope = run(f, &[x], &[1.0]).1[0];
                assert!((slope - numeric).abs() < 1e-4, "{f:?} at {x}: {slope} {numeric}");
            }
        }
    }
}
