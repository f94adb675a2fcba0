//! TTv1, "Tiki-Taka" (GH20, PAT1): gradients go to a fast array A, and what A holds is copied to C
//! line by line. The network sees W = γA + C.

use super::analog_sgd::{named, peek_columns, samples};
use super::config::{Arrays, check_devices, check_surroundings};
use super::{Rule, Sharing, State};
use crate::crossbar::{Array, Direction, Line, MvmCost, Pass, Periphery, Programming, PulseTrains, Reference};
use crate::device::DeviceConfig;
use crate::error::{Error, Limit, Result, check_limits};
use crate::ledger::Ledger;
use crate::workers::Workers;
use serde::{Deserialize, Serialize};

/// The vectors u_k that read A and write C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadVectors {
    /// One column at a time.
    #[default]
    OneHot,
    /// Columns of a Hadamard matrix (PAT1): every device takes part in each read, which goes through
    /// the periphery of the forward product.
    Hadamard,
}

/// Settings of TTv1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ttv1 {
    /// lr_A: learning rate of A.
    pub fast_lr: f64,
    /// lr_C: learning rate of the transfer from A to C; the schedule multiplies it.
    pub transfer_lr: f64,
    /// ns: samples per transfer of one line.
    pub transfer_every: u32,
    /// γ: share of A in the weights that the network sees.
    pub gamma: f64,
    /// The vectors that read A.
    pub read_vectors: ReadVectors,
    /// Devices of A, and of C unless `slow_device` is given.
    pub device: DeviceConfig,
    /// Devices of C.
    pub slow_device: Option<DeviceConfig>,
    /// Periphery of both arrays.
    pub periphery: Periphery,
    /// Pulse trains of both arrays.
    pub pulse_trains: PulseTrains,
    /// R: what counts as 0 on A.
    pub reference: Reference,
    /// What counts as weight 0 on C.
    pub slow_reference: Reference,
    /// Keep a counter of pulses per crosspoint.
    pub count_pulses: bool,
}

impl Default for Ttv1 {
    fn default() -> Self {
        Self {
            fast_lr: 0.5,
            transfer_lr: 0.1,
            transfer_every: 2,
            gamma: 0.0,
            read_vectors: ReadVectors::OneHot,
            device: DeviceConfig::default(),
            slow_device: None,
            periphery: Periphery::default(),
            pulse_trains: PulseTrains::default(),
            reference: Reference::ideal(),
            slow_reference: Reference::default(),
            count_pulses: false,
        }
    }
}

impl Ttv1 {
    /// The allowed range of every number.
    pub const LIMITS: &[Limit<Self>] = &[
        Limit { field: "fast_lr", min: 0.0, max: 1e3, get: |s| Some(s.fast_lr) },
        Limit { field: "transfer_lr", min: 0.0, max: 1e6, get: |s| Some(s.transfer_lr) },
        Limit { field: "transfer_every", min: 1.0, max: 1e9, get: |s| Some(f64::from(s.transfer_every)) },
        Limit { field: "gamma", min: 0.0, max: 1e3, get: |s| Some(s.gamma) },
    ];

    /// Checks every field.
    pub fn validate(&self) -> Result<()> {
        check_limits(self, Self::LIMITS)?;
        check_devices([Some(&self.device), self.slow_device.as_ref()])?;
        check_surroundings(&self.periphery, &self.pulse_trains, [&self.reference, &self.slow_reference])
    }

    /// Devices of C.
    pub fn slow_device(&self) -> &DeviceConfig {
        self.slow_device.as_ref().unwrap_or(&self.device)
    }
}

/// TTv1 of one layer.
#[derive(Debug)]
pub struct Ttv1Rule {
    settings: Ttv1,
    a: Box<dyn Array>,
    c: Box<dyn Array>,
    /// Samples learned so far.
    count: u64,
    /// The line due next.
    k: u64,
    u: Vec<f32>,
    v: Vec<f32>,
    partial: Vec<f32>,
}

impl Ttv1Rule {
    /// The rule on two arrays of one shape and any kind: A at rest on its reference, C at the initial weights.
    pub fn new(a: Box<dyn Array>, c: Box<dyn Array>, settings: Ttv1) -> Result<Self> {
        settings.validate()?;
        if a.shape() != c.shape() {
            return Err(Error::Conflict(format!("A is {:?} but C is {:?}; they must be alike", a.shape(), c.shape())));
        }
        let (rows, cols) = a.shape();
        Ok(Self { settings, a, c, count: 0, k: 0, u: vec![0.0; cols], v: vec![0.0; rows], partial: Vec::new() })
    }

    /// The rule with arrays of built-in devices.
    pub fn build(rows: usize, cols: usize, weights: &[f32], s: Ttv1, seed: u64, layer: u64) -> Result<Self> {
        let (periphery, pulse_trains, count_pulses) = (&s.periphery, &s.pulse_trains, s.count_pulses);
        let arrays = Arrays { rows, cols, periphery, pulse_trains, count_pulses, seed, layer };
        let a = arrays.fast(&s.device, &s.reference)?;
        let c = arrays.slow(s.slow_device(), &s.slow_reference, weights, None)?;
        Self::new(a, c, s)
    }

    /// ReadVectors of a sweep.
    fn lines(&self) -> usize {
        match self.settings.read_vectors {
            ReadVectors::OneHot => self.u.len(),
            ReadVectors::Hadamard => self.u.len().next_power_of_two(),
        }
    }

    /// v = MVM(A − R, u_k);  C ← pulsed update(C, lr_C, v, u_k);  k ← next.
    fn transfer(&mut self, lr_scale: f32, workers: &Workers) -> Result<()> {
        let lines = self.lines();
        let mut lr = self.settings.transfer_lr as f32 * lr_scale;
        match self.settings.read_vectors {
            ReadVectors::OneHot => {
                let k = self.k as usize;
                self.u.fill(0.0);
                self.u[k] = 1.0;
                self.a.read_line(Line::Column(k), &mut self.v)?;
            }
            ReadVectors::Hadamard => {
                // One sweep adds the order of the matrix times A; lr is divided by it, so that rates
                // mean the same for both kinds of vectors [ours].
                for (j, u) in self.u.iter_mut().enumerate() {
                    let odd = (j as u64 & self.k).count_ones() % 2 == 1;
                    *u = if odd { -1.0 } else { 1.0 };
                }
                lr /= lines as f32;
                self.a.forward(&self.u, &mut self.v, workers)?;
            }
        }
        self.c.update(&self.u, &self.v, lr)?;
        self.k = (self.k + 1) % lines as u64;
        Ok(())
    }
}

impl Rule for Ttv1Rule {
    fn shape(&self) -> (usize, usize) {
        self.c.shape()
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.forward(x, y, workers)?;
        if self.settings.gamma > 0.0 {
            self.partial.resize(y.len(), 0.0);
            self.a.forward(x, &mut self.partial, workers)?;
            add_share(y, &self.partial, self.settings.gamma);
        }
        Ok(())
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.backward(delta, z, workers)?;
        if self.settings.gamma > 0.0 {
            self.partial.resize(z.len(), 0.0);
            self.a.backward(delta, &mut self.partial, workers)?;
            add_share(z, &self.partial, self.settings.gamma);
        }
        Ok(())
    }

    fn passes(&self) -> Option<&dyn Pass> {
        if self.settings.gamma > 0.0 { None } else { self.c.passes() }
    }

    fn passed(&mut self, direction: Direction, vectors: usize, cost: MvmCost) {
        self.c.passed(direction, vectors, cost);
    }

    /// A ← pulsed update(A, lr_A, −δ, x); a transfer every ns samples.
    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        for (x, delta) in samples(self.a.shape(), x, delta)? {
            self.a.update(x, delta, -(self.settings.fast_lr as f32))?;
            self.count += 1;
            if self.count.is_multiple_of(u64::from(self.settings.transfer_every)) {
                self.transfer(lr_scale, workers)?;
            }
        }
        Ok(())
    }

    fn sharing(&self) -> Sharing {
        if self.settings.gamma == 0.0 { Sharing::Samples } else { Sharing::Batches }
    }

    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], workers: &Workers) -> Result<()> {
        self.c.evaluate(draw, x, y, workers)?;
        if self.settings.gamma > 0.0 {
            let mut partial = vec![0.0; y.len()];
            self.a.evaluate(draw, x, &mut partial, workers)?;
            add_share(y, &partial, self.settings.gamma);
        }
        Ok(())
    }

    fn weights(&self) -> Result<Vec<f32>> {
        let mut weights = self.c.weights();
        if self.settings.gamma > 0.0 {
            add_share(&mut weights, &self.a.weights(), self.settings.gamma);
        }
        Ok(weights)
    }

    /// Sets C; A keeps what it holds.
    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.c.set_weights(weights)
    }

    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        self.c.program(target, method)
    }

    fn read_weights(&self, draw: u64) -> Result<Vec<f32>> {
        let mut weights = peek_columns(self.c.as_ref(), draw)?;
        if self.settings.gamma > 0.0 {
            add_share(&mut weights, &peek_columns(self.a.as_ref(), draw)?, self.settings.gamma);
        }
        Ok(weights)
    }

    fn ledger(&self) -> Ledger {
        Ledger { fast: self.a.counts(), slow: self.c.counts(), digital_operations: 0 }
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.add_array("a", self.a.as_ref());
        state.add_array("c", self.c.as_ref());
        state.counters.insert("progress".to_owned(), vec![self.count, self.k]);
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let &[count, k] = state.counters("progress")? else {
            return Err(Error::Conflict("progress must hold 2 counters".to_owned()));
        };
        if k >= self.lines() as u64 {
            return Err(Error::range("progress", k as f64, format!("a line below {}", self.lines())));
        }
        state.restore_array("a", self.a.as_mut())?;
        state.restore_array("c", self.c.as_mut())?;
        (self.count, self.k) = (count, k);
        Ok(())
    }

    fn device_parameters(&self) -> Vec<(String, Vec<f32>)> {
        let mut all = named("a", self.a.as_ref());
        all.extend(named("c", self.c.as_ref()));
        all
    }
}

/// W = γA + C.
fn add_share(c: &mut [f32], a: &[f32], gamma: f64) {
    c.iter_mut().zip(a).for_each(|(c, a)| *c += gamma as f32 * a);
}
