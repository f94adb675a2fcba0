//! Stochastic gradient descent by pulsed updates (GV16).

use super::config::{Arrays, check_devices, check_surroundings};
use super::{Rule, Sharing, State};
use crate::crossbar::{Array, Direction, Line, MvmCost, Pass, Periphery, Programming, PulseTrains, Reference};
use crate::device::DeviceConfig;
use crate::error::{Limit, Result, check_batch, check_len, check_limits};
use crate::ledger::Ledger;
use crate::workers::Workers;
use serde::{Deserialize, Serialize};

/// Settings of pulsed SGD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnalogSgd {
    /// Learning rate; the schedule multiplies it.
    pub lr: f64,
    /// Devices of the array.
    pub device: DeviceConfig,
    /// Periphery of the array.
    pub periphery: Periphery,
    /// Pulse trains of the update.
    pub pulse_trains: PulseTrains,
    /// What counts as weight 0.
    pub reference: Reference,
    /// Keep a counter of pulses per crosspoint.
    pub count_pulses: bool,
}

impl Default for AnalogSgd {
    fn default() -> Self {
        Self {
            lr: 0.003,
            device: DeviceConfig::default(),
            periphery: Periphery::default(),
            pulse_trains: PulseTrains::default(),
            reference: Reference::default(),
            count_pulses: false,
        }
    }
}

impl AnalogSgd {
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = &[Limit { field: "lr", min: 0.0, max: 1e3, get: |s| Some(s.lr) }];

    /// Checks every field.
    pub fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)?;
        check_devices([Some(&self.device)])?;
        check_surroundings(&self.periphery, &self.pulse_trains, [&self.reference])
    }
}

/// Pulsed SGD of one layer.
#[derive(Debug)]
pub struct AnalogSgdRule {
    lr: f64,
    c: Box<dyn Array>,
    rates: Vec<f32>,
}

impl AnalogSgdRule {
    /// The rule on an array of any kind, which already holds its initial weights.
    pub fn new(c: Box<dyn Array>, lr: f64) -> Self {
        Self { lr, c, rates: Vec::new() }
    }

    /// The rule with an array of built-in devices.
    pub fn build(rows: usize, cols: usize, weights: &[f32], s: AnalogSgd, seed: u64, layer: u64) -> Result<Self> {
        let (periphery, pulse_trains, count_pulses) = (&s.periphery, &s.pulse_trains, s.count_pulses);
        let arrays = Arrays { rows, cols, periphery, pulse_trains, count_pulses, seed, layer };
        Ok(Self::new(arrays.slow(&s.device, &s.reference, weights, None)?, s.lr))
    }
}

impl Rule for AnalogSgdRule {
    fn shape(&self) -> (usize, usize) {
        self.c.shape()
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.forward(x, y, workers)
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.backward(delta, z, workers)
    }

    fn passes(&self) -> Option<&dyn Pass> {
        self.c.passes()
    }

    fn passed(&mut self, direction: Direction, vectors: usize, cost: MvmCost) {
        self.c.passed(direction, vectors, cost);
    }

    /// C ← pulsed update(C, lr, −δ, x).
    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        let batch = samples(self.c.shape(), x, delta)?.len();
        self.rates.clear();
        self.rates.resize(batch, -(self.lr as f32 * lr_scale));
        self.c.update_batch(x, delta, &self.rates, &[], &mut [], workers)
    }

    fn sharing(&self) -> Sharing {
        Sharing::Batches
    }

    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.evaluate(draw, x, y, workers)
    }

    fn weights(&self) -> Result<Vec<f32>> {
        Ok(self.c.weights())
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.c.set_weights(weights)
    }

    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        self.c.program(target, method)
    }

    fn read_weights(&self, draw: u64) -> Result<Vec<f32>> {
        peek_columns(self.c.as_ref(), draw)
    }

    fn ledger(&self) -> Ledger {
        Ledger { slow: self.c.counts(), ..Ledger::default() }
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.add_array("c", self.c.as_ref());
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        state.restore_array("c", self.c.as_mut())
    }

    fn device_parameters(&self) -> Vec<(String, Vec<f32>)> {
        named("c", self.c.as_ref())
    }
}

/// The (x, δ) of every sample of a batch at an array of `shape`.
pub(super) fn samples<'a>(
    shape: (usize, usize),
    x: &'a [f32],
    delta: &'a [f32],
) -> Result<impl ExactSizeIterator<Item = (&'a [f32], &'a [f32])>> {
    let (rows, cols) = shape;
    let batch = check_batch("x", x.len(), cols)?;
    check_len("delta", delta.len(), batch * rows)?;
    Ok(x.chunks_exact(cols).zip(delta.chunks_exact(rows)))
}

/// All columns of an array as read `draw` outside training, row after row.
pub(super) fn peek_columns(array: &dyn Array, draw: u64) -> Result<Vec<f32>> {
    let (rows, cols) = array.shape();
    let mut weights = vec![0.0; rows * cols];
    let mut v = vec![0.0; rows];
    for k in 0..cols {
        array.peek_line(draw.wrapping_mul(cols as u64).wrapping_add(k as u64), Line::Column(k), &mut v)?;
        v.iter().enumerate().for_each(|(i, v)| weights[i * cols + k] = *v);
    }
    Ok(weights)
}

/// Device constants with the array's letter before each name.
pub(super) fn named(letter: &str, array: &dyn Array) -> Vec<(String, Vec<f32>)> {
    array.device_parameters().into_iter().map(|(name, values)| (format!("{letter}.{name}"), values)).collect()
}
