//! Long short-term memory (Hochreiter & Schmidhuber, Neural Computation 9:1735, 1997; with the forget gate of
//! Gers, Schmidhuber & Cummins, 2000): the four gates of a layer are one array, every time step one sample of it.

use super::batch::{Draw, Input, Shape};
use super::initial::{self, Build, Place, rescale};
use crate::error::{Limit, Result, check_limits};
use crate::rule::Rule;
use crate::simd;
use crate::workers::Workers;
use serde::{Deserialize, Serialize};

/// Settings of an LSTM layer. Its array is (4·hidden) × (inputs + hidden + bias).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LstmConfig {
    /// n: values per input.
    pub inputs: usize,
    /// Values of the state, and per output.
    pub hidden: usize,
    /// One more column, fed with 1.
    #[serde(default = "super::yes")]
    pub bias: bool,
    /// Output scale s of the array: the gates see s·W x, so that weights fit the range of the devices.
    #[serde(default = "super::one")]
    pub scale: f64,
    /// Largest |δ| of a gate that learns and that goes back through time; 0 means no limit. δ is that of the mean over
    /// the sequences of a mini-batch.
    #[serde(default)]
    pub clip: f64,
    /// Whether a sequence starts from the state that the one at its place in the mini-batch before ended in; a place
    /// that was not there before starts from 0.
    #[serde(default)]
    pub carry: bool,
}

impl LstmConfig {
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = &[
        Limit { field: "inputs", min: 1.0, max: 1e7, get: |s| Some(s.inputs as f64) },
        Limit { field: "hidden", min: 1.0, max: 1e6, get: |s| Some(s.hidden as f64) },
        Limit { field: "scale", min: 1e-6, max: 1e6, get: |s| Some(s.scale) },
        Limit { field: "clip", min: 0.0, max: 1e6, get: |s| Some(s.clip) },
    ];

    /// Checks every field.
    pub fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)
    }

    fn columns(&self) -> usize {
        self.inputs + self.hidden + usize::from(self.bias)
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

    pub(super) fn clear(&mut self) {
        self.h.clear();
        self.c.clear();
    }
}

/// An LSTM layer with its rule.
#[derive(Debug)]
pub(super) struct Lstm {
    pub(super) config: LstmConfig,
    pub(super) rule: Box<dyn Rule>,
    pub(super) memory: Memory,
    shape: Shape,
    /// Inputs of the array in the last batch, step after step: x, h of the step before, 1.
    x: Vec<f32>,
    /// The gates i, f, g, o after their activations.
    gates: Vec<f32>,
    /// Cells before every step, and after the last.
    cells: Vec<f32>,
    /// tanh of the cells after every step.
    tanh: Vec<f32>,
    /// δ of the gates.
    delta: Vec<f32>,
    z: Vec<f32>,
    /// dL/dh and dL/dc that come back from the step after.
    dh: Vec<f32>,
    dc: Vec<f32>,
}

impl Lstm {
    /// A layer whose rule `build` makes from weights uniform in ±1/√hidden.
    pub(super) fn new(config: &LstmConfig, at: Place, build: Build<'_>) -> Result<Self> {
        config.validate()?;
        let half_width = 1.0 / (config.hidden as f32).sqrt() / config.scale as f32;
        initial::check_size(4.0 * config.hidden as f64, config.columns() as f64)?;
        let rule = initial::rule(at, (4 * config.hidden, config.columns()), half_width, build)?;
        Ok(Self {
            config: config.clone(),
            rule,
            memory: Memory::default(),
            shape: Shape { steps: 0, sequences: 0 },
            x: Vec::new(),
            gates: Vec::new(),
            cells: Vec::new(),
            tanh: Vec::new(),
            delta: Vec::new(),
            z: Vec::new(),
            dh: Vec::new(),
            dc: Vec::new(),
        })
    }

    /// Forgets what was carried.
    pub(super) fn reset(&mut self) {
        self.memory.clear();
    }

    /// What one step of the array is fed with.
    fn feed(&self, x: &mut [f32], first: usize, input: Input<'_>, h: &[f32]) {
        let (n, hidden) = (self.config.inputs, self.config.hidden);
        let sequences = x.chunks_exact_mut(self.config.columns()).zip(h.chunks_exact(hidden));
        for (b, (x, h)) in sequences.enumerate() {
            let (x, rest) = x.split_at_mut(n);
            let (before, one) = rest.split_at_mut(hidden);
            input(first + b, x);
            before.copy_from_slice(h);
            one.fill(1.0);
        }
    }

    /// The hidden states of every step, in the order of the inputs.
    pub(super) fn forward(
        &mut self,
        shape: Shape,
        input: Input<'_>,
        y: &mut Vec<f32>,
        workers: &Workers,
    ) -> Result<()> {
        let (sequences, cols, hidden) = (shape.sequences, self.config.columns(), self.config.hidden);
        let state = sequences * hidden;
        // A copy, so that a rule that fails leaves what was carried as it was.
        let mut memory = if self.config.carry { self.memory.clone() } else { Memory::default() };
        memory.resize(state);
        self.shape = shape;
        let mut x = std::mem::take(&mut self.x);
        x.resize(shape.vectors() * cols, 0.0);
        self.gates.resize(4 * shape.steps * state, 0.0);
        self.tanh.resize(shape.steps * state, 0.0);
        self.cells.clear();
        self.cells.extend_from_slice(&memory.c);
        y.resize(shape.steps * state, 0.0);
        for t in 0..shape.steps {
            let x = &mut x[t * sequences * cols..][..sequences * cols];
            self.feed(x, t * sequences, input, &memory.h);
            let gates = &mut self.gates[4 * t * state..][..4 * state];
            self.rule.forward(x, gates, workers)?;
            rescale(gates, self.config.scale);
            let tanh = &mut self.tanh[t * state..][..state];
            step(hidden, gates, &mut memory, tanh);
            self.cells.extend_from_slice(&memory.c);
            y[t * state..][..state].copy_from_slice(&memory.h);
        }
        self.x = x;
        self.memory = memory;
        Ok(())
    }

    /// Takes dL/dh of every step of the last batch, goes back through time, and leaves dL/dx in its place where it is
    /// `wanted`. The start of a sequence is where the gradient ends (truncated back-propagation).
    pub(super) fn backward(&mut self, delta: &mut Vec<f32>, wanted: bool, workers: &Workers) -> Result<()> {
        let (n, hidden, cols) = (self.config.inputs, self.config.hidden, self.config.columns());
        let (steps, sequences) = (self.shape.steps, self.shape.sequences);
        let state = sequences * hidden;
        self.delta.resize(4 * steps * state, 0.0);
        self.z.resize(sequences * cols, 0.0);
        for d in [&mut self.dh, &mut self.dc] {
            d.clear();
            d.resize(state, 0.0);
        }
        let mut dx = if wanted { vec![0.0; steps * sequences * n] } else { Vec::new() };
        for t in (0..steps).rev() {
            for (dh, d) in self.dh.iter_mut().zip(&delta[t * state..][..state]) {
                *dh += d;
            }
            let gates = &self.gates[4 * t * state..][..4 * state];
            let errors = &mut self.delta[4 * t * state..][..4 * state];
            let (before, tanh) = (&self.cells[t * state..][..state], &self.tanh[t * state..][..state]);
            for b in 0..sequences {
                let (four, one) = (b * 4 * hidden..(b + 1) * 4 * hidden, b * hidden..(b + 1) * hidden);
                step_back(
                    &gates[four.clone()],
                    &before[one.clone()],
                    &tanh[one.clone()],
                    &self.dh[one.clone()],
                    &mut self.dc[one],
                    &mut errors[four],
                );
            }
            if self.config.clip > 0.0 {
                let most = self.config.clip as f32;
                errors.iter_mut().for_each(|d| *d = d.clamp(-most, most));
            }
            rescale(errors, self.config.scale);
            if t == 0 && !wanted {
                break;
            }
            self.rule.backward(errors, &mut self.z, workers)?;
            for (b, z) in self.z.chunks_exact(cols).enumerate() {
                self.dh[b * hidden..][..hidden].copy_from_slice(&z[n..n + hidden]);
                if wanted {
                    dx[(t * sequences + b) * n..][..n].copy_from_slice(&z[..n]);
                }
            }
        }
        *delta = dx;
        Ok(())
    }

    /// Learns from the last batch, step after step.
    pub(super) fn learn(&mut self, lr_scale: f32, workers: &Workers) -> Result<()> {
        self.rule.update(&self.x, &self.delta, lr_scale, workers)?;
        self.rule.finish_batch(lr_scale)
    }

    /// The hidden states of every step with the noise of an evaluation, on from `memory`.
    pub(super) fn evaluate(
        &self,
        draw: Draw,
        shape: Shape,
        input: &[f32],
        y: &mut Vec<f32>,
        memory: &mut Memory,
        workers: &Workers,
    ) -> Result<()> {
        let (n, sequences, hidden) = (self.config.inputs, shape.sequences, self.config.hidden);
        let state = sequences * hidden;
        memory.resize(state);
        let (mut x, mut gates) = (vec![0.0; sequences * self.config.columns()], vec![0.0; 4 * state]);
        let mut tanh = vec![0.0; state];
        y.clear();
        for t in 0..shape.steps {
            let input = |k: usize, x: &mut [f32]| x.copy_from_slice(&input[k * n..][..n]);
            self.feed(&mut x, t * sequences, &input, &memory.h);
            self.rule.evaluate(draw.after(t * sequences).product(1), &x, &mut gates, workers)?;
            rescale(&mut gates, self.config.scale);
            step(hidden, &mut gates, memory, &mut tanh);
            y.extend_from_slice(&memory.h);
        }
        Ok(())
    }
}

/// One step of every sequence:
///
/// ```text
/// i, f, o = σ(a_i), σ(a_f), σ(a_o);  g = tanh(a_g);  c ← f·c + i·g;  h = o·tanh(c)
/// ```
///
/// `gates` holds a_i, a_f, a_g, a_o of each sequence and is left with i, f, g, o.
fn step(hidden: usize, gates: &mut [f32], memory: &mut Memory, tanh: &mut [f32]) {
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

/// The gradient of one step of one sequence: from dL/dh and dL/dc after it, δ of the gates before their activations
/// and dL/dc before it.
fn step_back(gates: &[f32], before: &[f32], tanh: &[f32], dh: &[f32], dc: &mut [f32], errors: &mut [f32]) {
    let hidden = dh.len();
    let [i, f, g, o] = quarters(gates);
    let (first, second) = errors.split_at_mut(2 * hidden);
    let ((di, df), (dg, d_o)) = (first.split_at_mut(hidden), second.split_at_mut(hidden));
    let (before, tanh, dc) = (&before[..hidden], &tanh[..hidden], &mut dc[..hidden]);
    for k in 0..hidden {
        d_o[k] = dh[k] * tanh[k] * o[k] * (1.0 - o[k]);
        let d = dc[k] + dh[k] * o[k] * (1.0 - tanh[k] * tanh[k]);
        di[k] = d * g[k] * i[k] * (1.0 - i[k]);
        df[k] = d * before[k] * f[k] * (1.0 - f[k]);
        dg[k] = d * i[k] * (1.0 - g[k] * g[k]);
        dc[k] = d * f[k];
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
        step_back(&gates, &[2.0], &tanh, &[2.0], &mut dc, &mut errors);
        let d = 0.5 + 2.0 * 0.25 * (1.0 - c.tanh().powi(2));
        let (g, slope) = (1.0_f32.tanh(), 1.0 - 1.0_f32.tanh().powi(2));
        let expected = [d * g * 0.25, d * 2.0 * 0.1875, d * 0.5 * slope, 2.0 * c.tanh() * 0.1875];
        for (given, expected) in errors.iter().zip(expected) {
            assert!((given - expected).abs() < 1e-6, "{errors:?} {expected:?}");
        }
        assert!((dc[0] - 0.75 * d).abs() < 1e-6);
    }
}
