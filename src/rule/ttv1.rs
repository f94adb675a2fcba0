//! TTv1, "Tiki-Taka" (GH20, PAT1): gradients go to a fast array A, and what A holds is copied to C
//! line by line. The network sees W = γA + C.

use super::arrays::{Arrays, check_shapes, samples};
use super::describe::short;
use super::schedule::Schedule;
use super::weighted_sum::WeightedSum;
use super::{Description, Initial, Rule, RuleSettings, Sharing, Situation, State};
use crate::crossbar::{Array, Line, Periphery, PulseTrains, Reference, Visible};
use crate::device::DeviceConfig;
use crate::error::Result;
use crate::ledger::Ledger;
use crate::settings::settings;
use crate::threads::Workers;
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

settings! {
    /// Settings of TTv1.
    pub struct Ttv1 {
        /// lr_A: learning rate of A.
        pub fast_lr: f64 = 0.5, 0.0 to 1e3;
        /// lr_C: learning rate of the transfer from A to C; the schedule multiplies it.
        pub transfer_lr: f64 = 0.1, 0.0 to 1e6;
        /// ns: samples per transfer of one line.
        pub transfer_every: u32 = 2, 1.0 to 1e9;
        /// γ: share of A in the weights that the network sees.
        pub gamma: f64 = 0.0, 0.0 to 1e3;
        /// The vectors that read A.
        pub read_vectors: ReadVectors = ReadVectors::OneHot;
        /// Devices of A, and of C unless `slow_device` is given.
        pub device: DeviceConfig = DeviceConfig::default(), checked;
        /// Devices of C.
        pub slow_device: Option<DeviceConfig> = None, checked;
        /// Periphery of both arrays.
        pub periphery: Periphery = Periphery::default(), checked;
        /// Pulse trains of both arrays.
        pub pulse_trains: PulseTrains = PulseTrains::default(), checked;
        /// R: what counts as 0 on A.
        pub reference: Reference = Reference::ideal(), checked;
        /// What counts as weight 0 on C.
        pub slow_reference: Reference = Reference::default(), checked;
        /// Keep a counter of pulses per crosspoint.
        pub count_pulses: bool = false;
    }
}

impl Ttv1 {
    /// Devices of C.
    pub fn slow_device(&self) -> &DeviceConfig {
        self.slow_device.as_ref().unwrap_or(&self.device)
    }
}

impl RuleSettings for Ttv1 {
    fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
        let arrays = Arrays::new(at, &self.periphery, &self.pulse_trains, self.count_pulses);
        let a = arrays.fast(&self.device, &self.reference)?;
        let c = arrays.slow(self.slow_device(), &self.slow_reference, None)?;
        Ok(Box::new(Ttv1Rule::new(a, c, self.clone())?))
    }

    fn describe(&self, at: &Situation, out: &mut Description) -> Result<()> {
        let (rows, cols, gamma, every) = (at.rows, at.cols, self.gamma, self.transfer_every);
        out.line(format_args!(
            "ttv1 on {rows} × {cols} (outputs × inputs): A accumulates, C takes over; the network sees {gamma}A + C"
        ));
        let (a, c) = (self.device.mean()?, self.slow_device().mean()?);
        out.array("A", &a, self.reference.method);
        out.array("C", &c, self.slow_reference.method);
        out.pulse_trains("A", &self.pulse_trains, &a, self.fast_lr, at);
        let sweep = cols as u64 * u64::from(every);
        let lr = self.transfer_lr * at.lr_scale;
        out.line(format_args!(
            "transfer: one column every {every} samples, so every crosspoint once per {sweep} samples; C moves by {} per sample and unit of A",
            short(lr / sweep as f64)
        ));
        let pulses = lr * a.bounds.1 / c.weight_step;
        out.line(format_args!("transfer: A at its bound sends {} pulses to C per read", short(pulses)));
        if pulses > f64::from(self.pulse_trains.max_length) {
            out.warn("a transfer from A at its bound saturates its train on C; lower transfer_lr");
        }
        out.leak(&a);
        Ok(())
    }
}

/// TTv1 of one layer.
#[derive(Clone, Debug)]
pub struct Ttv1Rule {
    settings: Ttv1,
    /// A and C.
    w: WeightedSum,
    schedule: Schedule,
    u: Vec<f32>,
    v: Vec<f32>,
}

impl Ttv1Rule {
    /// The rule on two arrays of one shape and any kind: A at rest on its reference, C at the initial weights.
    pub fn new(a: Box<dyn Array>, c: Box<dyn Array>, settings: Ttv1) -> Result<Self> {
        settings.validate()?;
        check_shapes(a.as_ref(), c.as_ref())?;
        let (rows, cols) = a.shape();
        let lines = match settings.read_vectors {
            ReadVectors::OneHot => cols,
            ReadVectors::Hadamard => cols.next_power_of_two(),
        };
        let schedule = Schedule::new(settings.transfer_every, lines);
        let w = WeightedSum::new(a, c, settings.gamma);
        Ok(Self { settings, w, schedule, u: vec![0.0; cols], v: vec![0.0; rows] })
    }

    /// v = MVM(A − R, u_k);  C ← pulsed update(C, lr_C, v, u_k);  k ← next.
    fn transfer(&mut self, lr_scale: f32, workers: &Workers) -> Result<()> {
        let mut lr = self.settings.transfer_lr as f32 * lr_scale;
        let k = self.schedule.line(0);
        match self.settings.read_vectors {
            ReadVectors::OneHot => {
                self.u.fill(0.0);
                self.u[k] = 1.0;
                self.w.a.read_line(Line::Column(k), &mut self.v)?;
            }
            ReadVectors::Hadamard => {
                // One sweep adds the order of the matrix times A; lr is divided by it, so that rates
                // mean the same for both kinds of vectors [ours].
                for (j, u) in self.u.iter_mut().enumerate() {
                    let odd = (j & k).count_ones() % 2 == 1;
                    *u = if odd { -1.0 } else { 1.0 };
                }
                lr /= self.schedule.lines() as f32;
                self.w.a.forward(&self.u, &mut self.v, workers)?;
            }
        }
        self.w.c.update(&self.u, &self.v, lr)?;
        self.schedule.advance();
        Ok(())
    }
}

impl Rule for Ttv1Rule {
    fn visible(&self) -> &dyn Visible {
        &self.w
    }

    fn visible_mut(&mut self) -> &mut dyn Visible {
        &mut self.w
    }

    /// A ← pulsed update(A, lr_A, −δ, x); a transfer every ns samples.
    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        for (x, delta) in samples(self.w.shape(), x, delta)? {
            self.w.a.update(x, delta, -(self.settings.fast_lr as f32))?;
            if self.schedule.count() {
                self.transfer(lr_scale, workers)?;
            }
        }
        Ok(())
    }

    fn sharing(&self) -> Sharing {
        if self.w.is_single() { Sharing::Samples } else { Sharing::Batches }
    }

    fn arrays(&self) -> Vec<(&'static str, &dyn Array)> {
        vec![("a", self.w.a.as_ref()), ("c", self.w.c.as_ref())]
    }

    fn ledger(&self) -> Result<Ledger> {
        Ok(Ledger { fast: self.w.a.counts(), slow: self.w.c.counts(), digital_operations: 0 })
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.add_array("a", self.w.a.as_ref());
        state.add_array("c", self.w.c.as_ref());
        state.add_settings(&self.settings);
        self.schedule.save(&mut state);
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        state.check_settings("a rule", &self.settings)?;
        let (a, c) = (state.array("a", self.w.a.as_ref())?, state.array("c", self.w.c.as_ref())?);
        self.schedule = self.schedule.restored(state)?;
        self.w.a.restore(&a)?;
        self.w.c.restore(&c)
    }
}
