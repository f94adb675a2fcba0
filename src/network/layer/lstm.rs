//! Long short-term memory (Hochreiter & Schmidhuber, Neural Computation 9:1735, 1997; with the forget gate of
//! Gers, Schmidhuber & Cummins, 2000): the four gates of a layer are one array, every time step one sample of it.

use super::{ArraySpec, Batch, BatchGradient, Layer, LayerInput, Part, Saved, Sizes, rescale};
use crate::error::Result;
use crate::network::shape::Shape;
use crate::rule::Rule;
use crate::settings::settings;
use crate::simd;

settings! {
    /// Settings of an LSTM layer. Its array is (4·hidden) × (inputs + hidden + bias).
    pub struct LstmConfig without default {
        /// n: values per input.
        pub inputs: usize, 1.0 to 1e7;
        /// Values of the state, and per output.
        pub hidden: usize, 1.0 to 1e6;
        /// One more column, fed with 1.
        #[serde(default = "super::yes")]
        pub bias: bool;
        /// Output scale s of the array: the gates see s·W x, so that weights fit the range of the devices.
        #[serde(default = "super::one")]
        pub scale: f64, 1e-6 to 1e6;
        /// Largest |δ| of a gate that learns and that goes back through time; 0 means no limit. δ is that of the mean over
        /// the sequences of a mini-batch.
        #[serde(default)]
        pub clip: f64, 0.0 to 1e6;
        /// Whether a sequence starts from the state that the one at its place in the mini-batch before ended in; a place
        /// that was not there before starts from 0.
        #[serde(default)]
        pub carry: bool;
    }
}

impl LstmConfig {
    /// A layer with a bias and scale 1 that neither clips nor carries.
    pub fn new(inputs: usize, hidden: usize) -> Self {
        Self { inputs, hidden, bias: true, scale: 1.0, clip: 0.0, carry: false }
    }

    fn columns(&self) -> usize {
        self.inputs + self.hidden + usize::from(self.bias)
    }

    /// Inputs of the array in one time step: x, h of the step before, 1.
    fn gather(&self, input: LayerInput<'_>, first: usize, h: &[f32], to: &mut [f32]) {
        let sequences = to.chunks_exact_mut(self.columns()).zip(h.chunks_exact(self.hidden));
        for (b, (to, h)) in sequences.enumerate() {
            let (x, to) = to.split_at_mut(self.inputs);
            let (before, one) = to.split_at_mut(self.hidden);
            input.write(first + b, x);
            before.copy_from_slice(h);
            one.fill(1.0);
        }
    }
}

/// What a sequence has seen so far, for every sequence of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// h, the outputs of the last step.
    pub h: Vec<f32>,
    /// c, the cells.
    pub c: Vec<f32>,
}

impl Memory {
    fn resize(&mut self, values: usize) {
        self.h.resize(values, 0.0);
        self.c.resize(values, 0.0);
    }

    pub(in crate::network) fn clear(&mut self) {
        self.h.clear();
        self.c.clear();
    }
}

/// What is kept of so many states, time step by time step: the gates i, f, g, o after their activations, the cells
/// before and their tanh after every step, and in training the δ of the gates.
struct Steps<'a> {
    gates: &'a mut [f32],
    cells: &'a mut [f32],
    tanh: &'a mut [f32],
    errors: &'a mut [f32],
}

impl<'a> Steps<'a> {
    const EVALUATION_VALUES: usize = 4 + 1 + 1;
    const TRAINING_VALUES: usize = Self::EVALUATION_VALUES + 4;

    fn of(work: &'a mut [f32], states: usize) -> Self {
        let (gates, work) = work.split_at_mut(4 * states);
        let (cells, work) = work.split_at_mut(states);
        let (tanh, errors) = work.split_at_mut(states);
        Self { gates, cells, tanh, errors }
    }
}

impl Layer for LstmConfig {
    fn validate(&self) -> Result<()> {
        self.validate()
    }

    fn shapes(&self, _before: Shape) -> (Shape, Shape) {
        (Shape::Vector(self.inputs), Shape::Vector(self.hidden))
    }

    /// Weights uniform in ±1/√hidden.
    fn array(&self) -> Option<ArraySpec> {
        let half_width = 1.0 / (self.hidden as f32).sqrt() / self.scale as f32;
        Some(ArraySpec { rows: 4 * self.hidden, cols: self.columns(), half_width, vectors: 1 })
    }

    /// All time steps for a gradient, one at a time for an evaluation.
    fn sizes(&self, batch: Batch) -> Sizes {
        let (vectors, values) = if batch.training {
            (batch.vectors(), Steps::TRAINING_VALUES)
        } else {
            (batch.sequences, Steps::EVALUATION_VALUES)
        };
        Sizes { inputs: vectors * self.columns(), work: vectors * values * self.hidden, indices: 0 }
    }

    fn recurrent(&self) -> bool {
        true
    }

    fn carries(&self) -> bool {
        self.carry
    }

    /// The hidden states of every time step, in the order of the inputs.
    fn forward(&self, input: LayerInput<'_>, y: &mut [f32], part: &mut Part<'_>) -> Result<()> {
        let Batch { sequences, time_steps, training, .. } = part.batch;
        let (cols, state) = (self.columns(), sequences * self.hidden);
        // A copy, so that a rule that fails leaves what was carried as it was.
        let mut memory = part.memory.clone();
        memory.resize(state);
        let saved = if training { time_steps } else { 1 };
        let steps = Steps::of(part.saved.work, saved * state);
        for (t, y) in y.chunks_exact_mut(state).enumerate() {
            let k = if training { t } else { 0 };
            let x = &mut part.saved.inputs[k * sequences * cols..][..sequences * cols];
            self.gather(input, t * sequences, &memory.h, x);
            let gates = &mut steps.gates[4 * k * state..][..4 * state];
            part.products.forward(t * sequences, x, gates, part.workers)?;
            rescale(gates, self.scale);
            steps.cells[k * state..][..state].copy_from_slice(&memory.c);
            step(self.hidden, gates, &mut memory, &mut steps.tanh[k * state..][..state]);
            y.copy_from_slice(&memory.h);
        }
        *part.memory = memory;
        Ok(())
    }

    /// From dL/dh of every time step back through time. The start of a sequence is where the gradient ends (truncated
    /// back-propagation).
    fn backward(&self, _y: &[f32], dy: &mut [f32], mut dx: Option<&mut [f32]>, part: &mut Part<'_>) -> Result<()> {
        let (n, hidden, cols) = (self.inputs, self.hidden, self.columns());
        let Batch { sequences, time_steps, .. } = part.batch;
        let state = sequences * hidden;
        let steps = Steps::of(part.saved.work, time_steps * state);
        // dL/dh and dL/dc that come back from the step after.
        part.scratch.clear();
        part.scratch.resize(2 * state + sequences * cols, 0.0);
        let (dh, scratch) = part.scratch.split_at_mut(state);
        let (dc, z) = scratch.split_at_mut(state);
        for t in (0..time_steps).rev() {
            for (dh, d) in dh.iter_mut().zip(&dy[t * state..][..state]) {
                *dh += d;
            }
            let gates = &steps.gates[4 * t * state..][..4 * state];
            let errors = &mut steps.errors[4 * t * state..][..4 * state];
            let (before, tanh) = (&steps.cells[t * state..][..state], &steps.tanh[t * state..][..state]);
            step_back(hidden, (gates, before, tanh), dh, dc, errors);
            if self.clip > 0.0 {
                let limit = self.clip as f32;
                errors.iter_mut().for_each(|d| *d = d.clamp(-limit, limit));
            }
            rescale(errors, self.scale);
            if t == 0 && dx.is_none() {
                break;
            }
            part.products.backward(t * sequences, errors, z, part.workers)?;
            for (b, z) in z.chunks_exact(cols).enumerate() {
                dh[b * hidden..][..hidden].copy_from_slice(&z[n..n + hidden]);
                if let Some(dx) = &mut dx {
                    dx[(t * sequences + b) * n..][..n].copy_from_slice(&z[..n]);
                }
            }
        }
        Ok(())
    }

    /// Learns time step by time step.
    fn learn(&self, rule: &mut dyn Rule, batch: BatchGradient<'_>) -> Result<()> {
        let BatchGradient { saved: Saved { inputs, work, .. }, lr_scale, workers, .. } = batch;
        let states = work.len() / Steps::TRAINING_VALUES;
        rule.update(inputs, Steps::of(work, states).errors, lr_scale, workers)
    }
}

/// One step of every sequence:
///
/// ```text
/// i, f, o = σ(a_i), σ(a_f), σ(a_o);  g = tanh(a_g);  c ← f·c + i·g;  h = o·tanh(c)
/// ```
///
/// `gates` holds a_i, a_f, a_g, a_o of each sequence and is left with i, f, g, o.
pub(super) fn step(hidden: usize, gates: &mut [f32], memory: &mut Memory, tanh: &mut [f32]) {
    let states = memory.c.chunks_exact_mut(hidden).zip(tanh.chunks_exact_mut(hidden));
    for (gates, (c, tanh)) in gates.chunks_exact_mut(4 * hidden).zip(states) {
        simd::sigmoid(&mut gates[..2 * hidden]);
        simd::tanh(&mut gates[2 * hidden..3 * hidden]);
        simd::sigmoid(&mut gates[3 * hidden..]);
        let [i, f, g, _] = quarters(gates);
        for k in 0..hidden {
            c[k] = f[k] * c[k] + i[k] * g[k];
        }
        tanh.copy_from_slice(c);
        simd::tanh(tanh);
    }
    for (gates, (h, tanh)) in
        gates.chunks_exact(4 * hidden).zip(memory.h.chunks_exact_mut(hidden).zip(tanh.chunks_exact(hidden)))
    {
        let [.., o] = quarters(gates);
        for k in 0..hidden {
            h[k] = o[k] * tanh[k];
        }
    }
}

/// The gradient of one step of every sequence: from dL/dh and dL/dc after it, δ of the gates before their activations
/// and dL/dc before it. `kept` are the gates after their activations, the cells before and their tanh after the step.
pub(super) fn step_back(hidden: usize, kept: (&[f32], &[f32], &[f32]), dh: &[f32], dc: &mut [f32], errors: &mut [f32]) {
    let (gates, before, tanh) = kept;
    let states = before.chunks_exact(hidden).zip(tanh.chunks_exact(hidden));
    let gradients = dh.chunks_exact(hidden).zip(dc.chunks_exact_mut(hidden));
    let sequences = gates.chunks_exact(4 * hidden).zip(errors.chunks_exact_mut(4 * hidden)).zip(states.zip(gradients));
    for ((gates, errors), ((before, tanh), (dh, dc))) in sequences {
        let [i, f, g, o] = quarters(gates);
        let (first, second) = errors.split_at_mut(2 * hidden);
        let ((di, df), (dg, d_o)) = (first.split_at_mut(hidden), second.split_at_mut(hidden));
        let (before, tanh, dh, dc) = (&before[..hidden], &tanh[..hidden], &dh[..hidden], &mut dc[..hidden]);
        for k in 0..hidden {
            d_o[k] = dh[k] * tanh[k] * o[k] * (1.0 - o[k]);
            let d = dc[k] + dh[k] * o[k] * (1.0 - tanh[k] * tanh[k]);
            di[k] = d * g[k] * i[k] * (1.0 - i[k]);
            df[k] = d * before[k] * f[k] * (1.0 - f[k]);
            dg[k] = d * i[k] * (1.0 - g[k] * g[k]);
            dc[k] = d * f[k];
        }
    }
}

fn quarters(gates: &[f32]) -> [&[f32]; 4] {
    let hidden = gates.len() / 4;
    [0, 1, 2, 3].map(|q| &gates[q * hidden..][..hidden])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One step by hand, one unit: i = σ(0) = 1/2, f = σ(ln 3) = 3/4, g = tanh(1), o = σ(−ln 3) = 1/4.
    #[test]
    fn a_step_by_hand() {
        let third = 3.0_f32.ln();
        let mut gates = vec![0.0, third, 1.0, -third];
        let mut memory = Memory { h: vec![0.0], c: vec![2.0] };
        let mut tanh = [0.0];
        step(1, &mut gates, &mut memory, &mut tanh);
        let c = 0.75 * 2.0 + 0.5 * 1.0_f32.tanh();
        assert!((memory.c[0] - c).abs() < 1e-6, "{memory:?}");
        assert!((memory.h[0] - 0.25 * c.tanh()).abs() < 1e-6, "{memory:?}");
        let (mut dc, mut errors) = ([0.5], [0.0; 4]);
        step_back(1, (&gates, &[2.0], &tanh), &[2.0], &mut dc, &mut errors);
        let d = 0.5 + 2.0 * 0.25 * (1.0 - c.tanh().powi(2));
        let (g, slope) = (1.0_f32.tanh(), 1.0 - 1.0_f32.tanh().powi(2));
        let expected = [d * g * 0.25, d * 2.0 * 0.1875, d * 0.5 * slope, 2.0 * c.tanh() * 0.1875];
        for (given, expected) in errors.iter().zip(expected) {
            assert!((given - expected).abs() < 1e-6, "{errors:?} {expected:?}");
        }
        assert!((dc[0] - 0.75 * d).abs() < 1e-6);
    }
}
