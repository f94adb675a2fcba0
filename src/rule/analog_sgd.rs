//! Stochastic gradient descent by pulsed updates (GV16).

use super::arrays::{Arrays, samples, scans};
use super::{Description, Initial, Rule, RuleSettings, Sharing, Situation, State, TileSize};
use crate::crossbar::{Array, Periphery, PulseTrains, Reference, Reliability, Visible};
use crate::device::DeviceConfig;
use crate::error::Result;
use crate::ledger::Ledger;
use crate::settings::settings;
use crate::threads::Workers;

settings! {
    /// Settings of pulsed SGD.
    pub struct AnalogSgd {
        /// Learning rate; the schedule multiplies it.
        pub lr: f64 = 0.003, 0.0 to 1e3;
        /// Devices of the array.
        pub device: DeviceConfig = DeviceConfig::default(), checked;
        /// Periphery of the array.
        pub periphery: Periphery = Periphery::default(), checked;
        /// Stuck devices, wear, relaxation and write noise.
        pub reliability: Reliability = Reliability::default(), checked;
        /// Pulse trains of the update.
        pub pulse_trains: PulseTrains = PulseTrains::default(), checked;
        /// What counts as weight 0.
        pub reference: Reference = Reference::default(), checked;
        /// The largest physical array; larger layers are cut into tiles.
        pub tile: Option<TileSize> = None, checked;
        /// Keep a counter of pulses per crosspoint.
        pub count_pulses: bool = false;
    }
}

impl RuleSettings for AnalogSgd {
    fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
        let arrays = Arrays::new(at, &self.periphery, &self.reliability, &self.pulse_trains, self.count_pulses);
        Ok(Box::new(AnalogSgdRule::new(arrays.slow(&self.device, &self.reference, None)?, self.lr)))
    }

    fn tile(&self) -> Option<TileSize> {
        self.tile
    }

    fn describe(&self, at: &Situation, out: &mut Description) -> Result<()> {
        out.line(format_args!("sgd on {} × {} (outputs × inputs), one array C", at.rows, at.cols));
        let c = self.device.mean()?;
        out.array("C", &c, self.reference.method);
        out.pulse_trains("C", &self.pulse_trains, &c, self.lr * at.lr_scale, false, at);
        Ok(())
    }
}

/// Pulsed SGD of one layer.
#[derive(Clone, Debug)]
pub struct AnalogSgdRule {
    lr: f64,
    c: Box<dyn Array>,
    learning_rates: Vec<f32>,
    /// Samples of the mini-batch so far.
    samples: u64,
}

impl AnalogSgdRule {
    /// The rule on an array of any kind, which already holds its initial weights.
    pub fn new(c: Box<dyn Array>, lr: f64) -> Self {
        Self { lr, c, learning_rates: Vec::new(), samples: 0 }
    }
}

impl Rule for AnalogSgdRule {
    fn visible(&self) -> &dyn Visible {
        self.c.as_ref()
    }

    fn visible_mut(&mut self) -> &mut dyn Visible {
        self.c.as_mut()
    }

    /// C ← pulsed update(C, lr, −δ, x).
    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        let batch = samples(self.c.shape(), x, delta)?.len();
        self.samples += batch as u64;
        self.learning_rates.clear();
        self.learning_rates.resize(batch, -(self.lr as f32 * lr_scale));
        self.c.update_batch(x, delta, &self.learning_rates, &[], &mut [], workers)
    }

    fn finish_batch(&mut self, _lr_scale: f32) -> Result<()> {
        self.c.elapse(std::mem::take(&mut self.samples));
        Ok(())
    }

    fn sharing(&self) -> Sharing {
        Sharing::Batches
    }

    fn arrays(&self) -> Vec<(&'static str, &dyn Array)> {
        vec![("c", self.c.as_ref())]
    }

    fn ledger(&self) -> Result<Ledger> {
        let mut ledger = Ledger { slow: self.c.counts(), ..Ledger::default() };
        ledger.add_work(scans(self.c.as_ref()));
        Ok(ledger)
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.add_array("c", self.c.as_ref());
        state.add_settings(&("sgd", self.lr));
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        state.check_settings("a rule", &("sgd", self.lr))?;
        let c = state.array("c", self.c.as_ref())?;
        self.c.restore(&c)
    }
}
