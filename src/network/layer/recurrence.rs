//! The recurrent half of an LSTM: whole sequences at an array that sees the outputs of the step before, where another
//! array has made the products with all inputs already.

use super::lstm::{step, step_back};
use super::{Memory, Products, rescale};
use crate::error::Result;
use crate::threads::Workers;

/// Sequences at an array of (4·hidden) × (hidden + bias). Values lie time step by time step, those of one sequence after
/// another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recurrence {
    /// Values of the state of a sequence.
    pub(crate) hidden: usize,
    /// Sequences beside each other.
    pub(crate) sequences: usize,
    /// Whether the array has a column that is fed with 1.
    pub(crate) bias: bool,
    /// What the gates see of the products of the array: so many times as much.
    pub(crate) scale: f64,
}

/// What the way back needs of the way forward, for every time step.
#[derive(Debug)]
pub(crate) struct Kept<'a> {
    /// i, f, g, o after their activations.
    pub(crate) gates: &'a mut [f32],
    /// c of the step before.
    pub(crate) cells: &'a mut [f32],
    /// tanh c.
    pub(crate) tanh: &'a mut [f32],
}

impl Recurrence {
    /// Inputs of the array.
    pub(crate) fn columns(&self) -> usize {
        self.hidden + usize::from(self.bias)
    }

    /// Values of all states.
    fn state(&self) -> usize {
        self.sequences * self.hidden
    }

    /// The outputs of every step; `memory` goes from the state before the first step to that after the last. `kept.gates`
    /// holds the products with the inputs at first; everything else of it is written only, as are the `inputs` of the
    /// array: h of the step before, and 1 for a bias.
    ///
    /// # Errors
    /// Those of the array.
    pub(crate) fn forward(
        &self,
        kept: &mut Kept<'_>,
        memory: &mut Memory,
        inputs: &mut [f32],
        outputs: &mut [f32],
        products: &mut Products<'_>,
        workers: &Workers,
    ) -> Result<()> {
        let (state, cols) = (self.state(), self.columns());
        let mut y = vec![0.0; 4 * state];
        for (t, outputs) in outputs.chunks_exact_mut(state).enumerate() {
            let x = &mut inputs[t * self.sequences * cols..][..self.sequences * cols];
            for (x, h) in x.chunks_exact_mut(cols).zip(memory.h.chunks_exact(self.hidden)) {
                x[..self.hidden].copy_from_slice(h);
                x[self.hidden..].fill(1.0);
            }
            products.forward(t * self.sequences, x, &mut y, workers)?;
            rescale(&mut y, self.scale);
            let gates = &mut kept.gates[4 * t * state..][..4 * state];
            gates.iter_mut().zip(&y).for_each(|(gate, y)| *gate += y);
            kept.cells[t * state..][..state].copy_from_slice(&memory.c);
            step(self.hidden, gates, memory, &mut kept.tanh[t * state..][..state]);
            outputs.copy_from_slice(&memory.h);
        }
        Ok(())
    }

    /// The δ of the gates of every step from `dy` = dL/dh of its outputs; `dh` and `dc` go from the gradients that reach
    /// the state after the last step by another way to those of the state before the first.
    ///
    /// # Errors
    /// Those of the array.
    pub(crate) fn backward(
        &self,
        kept: &Kept<'_>,
        dy: &[f32],
        (dh, dc): (&mut [f32], &mut [f32]),
        errors: &mut [f32],
        products: &mut Products<'_>,
        workers: &Workers,
    ) -> Result<()> {
        let (hidden, state, cols) = (self.hidden, self.state(), self.columns());
        let mut z = vec![0.0; self.sequences * cols];
        for (t, errors) in errors.chunks_exact_mut(4 * state).enumerate().rev() {
            dh.iter_mut().zip(&dy[t * state..][..state]).for_each(|(dh, dy)| *dh += dy);
            let (gates, before) = (&kept.gates[4 * t * state..][..4 * state], &kept.cells[t * state..][..state]);
            let tanh = &kept.tanh[t * state..][..state];
            step_back(hidden, (gates, before, tanh), dh, dc, errors);
            products.backward(t * self.sequences, errors, &mut z, workers)?;
            rescale(&mut z, self.scale);
            for (dh, z) in dh.chunks_exact_mut(hidden).zip(z.chunks_exact(cols)) {
                dh.copy_from_slice(&z[..hidden]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crossbar::ExactWeights;

    const HIDDEN: usize = 2;
    const SEQUENCES: usize = 2;
    const STEPS: usize = 3;
    const STATES: usize = STEPS * SEQUENCES * HIDDEN;

    /// Σ outputs·k + Σ last h + 2 Σ last c, and what was kept.
    fn loss(recurrence: Recurrence, weights: &[f32], inputs: &[f32], state: &[f32]) -> (f64, [Vec<f32>; 4]) {
        let mut exact = ExactWeights::new(4 * HIDDEN, recurrence.columns(), weights).expect("small");
        let sizes = [4 * STATES, STEPS * SEQUENCES * recurrence.columns(), STATES, STATES];
        let mut room = sizes.map(|values| vec![f32::NAN; values]);
        room[0].copy_from_slice(inputs);
        let [gates, seen, cells, tanh] = room.each_mut();
        let mut kept = Kept { gates, cells, tanh };
        let mut memory = Memory { h: state.to_vec(), c: state.iter().map(|v| -v).collect() };
        let (mut outputs, workers) = (vec![0.0; STATES], Workers::default());
        let products = &mut Products::training(&mut exact);
        recurrence.forward(&mut kept, &mut memory, seen, &mut outputs, products, &workers).expect("fits");
        let sum = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>();
        let weighted: f64 = outputs.iter().enumerate().map(|(k, &y)| k as f64 * f64::from(y)).sum();
        (weighted + sum(&memory.h) + 2.0 * sum(&memory.c), room)
    }

    /// Every δ, and the gradient of the first state, against differences.
    #[test]
    fn gradients_are_slopes() {
        for (bias, scale) in [(false, 1.0), (true, 1.0), (true, 2.0)] {
            let recurrence = Recurrence { hidden: HIDDEN, sequences: SEQUENCES, bias, scale };
            let numbers = |count: usize, seed: usize| -> Vec<f32> {
                (0..count).map(|k| ((k * 7919 + seed * 104_729) % 1009) as f32 / 1009.0 - 0.5).collect()
            };
            let weights = numbers(4 * HIDDEN * recurrence.columns(), 1);
            let (inputs, state) = (numbers(4 * STATES, 2), numbers(SEQUENCES * HIDDEN, 3));
            let (_, mut room) = loss(recurrence, &weights, &inputs, &state);
            let [gates, _, cells, tanh] = room.each_mut();
            let kept = Kept { gates, cells, tanh };
            let dy: Vec<f32> = (0..STATES).map(|k| k as f32).collect();
            let (mut dh, mut dc) = (vec![1.0; SEQUENCES * HIDDEN], vec![2.0; SEQUENCES * HIDDEN]);
            let mut errors = vec![f32::NAN; 4 * STATES];
            let mut exact = ExactWeights::new(4 * HIDDEN, recurrence.columns(), &weights).expect("small");
            let (products, workers) = (&mut Products::training(&mut exact), Workers::default());
            recurrence.backward(&kept, &dy, (&mut dh, &mut dc), &mut errors, products, &workers).expect("fits");
            let slope = |inputs: &[f32], at: usize| {
                let [up, down] = [1e-2, -1e-2].map(|d: f32| {
                    let mut moved = inputs.to_vec();
                    moved[at] += d;
                    moved
                });
                (up, down)
            };
            for (at, &given) in errors.iter().enumerate() {
                let (up, down) = slope(&inputs, at);
                let [up, down] = [up, down].map(|inputs| loss(recurrence, &weights, &inputs, &state).0);
                let expected = (up - down) / 2e-2;
                assert!((f64::from(given) - expected).abs() < 5e-3, "{at}: {given} {expected}");
            }
            for at in 0..SEQUENCES * HIDDEN {
                let (up, down) = slope(&state, at);
                let [up, down] = [up, down].map(|state| loss(recurrence, &weights, &inputs, &state).0);
                let (expected, given) = ((up - down) / 2e-2, f64::from(dh[at] - dc[at])); // c starts at −h
                assert!((given - expected).abs() < 5e-3, "{at}: {given} {expected}");
            }
        }
    }
}
