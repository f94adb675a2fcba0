//! Mixed precision (Nandakumar et al., Front. Neurosci. 14:406, 2020; R24): gradients add up exactly in digital, and
//! whole steps of C go to the array as pulses.
//!
//! ```text
//! each sample:            χ ← χ − lr·δxᵀ
//! every B mini-batches:   N = trunc(χ/ε), ε = δ_C;  χ ← χ − N·ε;  |N| pulses of the sign of N on each device of C
//! ```

use super::arrays::{Arrays, samples};
use super::parts::TransferLine;
use super::parts::averages::{Averages, Averaging};
use super::{Description, Initial, Rule, RuleSettings, Sharing, Situation, State, TileSize};
use crate::average::Weighting;
use crate::crossbar::{Array, ExactWeights, Line, Periphery, PulseTrains, Reference, Reliability, Visible};
use crate::device::DeviceConfig;
use crate::error::Result;
use crate::ledger::{Ledger, Work};
use crate::rule::describe::short;
use crate::settings::settings;
use crate::threads::Workers;

settings! {
    /// Settings of mixed precision.
    pub struct MixedPrecision {
        /// Learning rate; the schedule multiplies it.
        pub lr: f64 = 0.2, 0.0 to 1e3;
        /// B: mini-batches per transfer of all of χ.
        pub transfer_every: u32 = 1, 1.0 to 1e9;
        /// Devices of the array.
        pub device: DeviceConfig = DeviceConfig::default(), checked;
        /// Periphery of the array.
        pub periphery: Periphery = Periphery::default(), checked;
        /// Stuck devices, wear, relaxation and write noise.
        pub reliability: Reliability = Reliability::default(), checked;
        /// What counts as weight 0.
        pub reference: Reference = Reference::default(), checked;
        /// How the reads of C that form averages are weighted.
        pub average: Weighting = Weighting::Uniform;
        /// Reads of a column that count in an exponential average.
        pub average_memory: f64 = 100.0, 1.0 to 1e9;
        /// Mini-batches per read of a column, one after the other, for its average.
        pub average_every: u32 = 1, 1.0 to 1e9;
        /// Converter range ± of the reads of C, as those that form averages, in units of weight.
        pub average_bound: f64 = 1.5, 1e-6 to 1e6;
        /// The largest physical array; larger layers are cut into tiles.
        pub tile: Option<TileSize> = None, checked;
        /// Keep a counter of pulses per crosspoint.
        pub count_pulses: bool = false;
    }
}

impl RuleSettings for MixedPrecision {
    fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
        let arrays = Arrays::new(at, &self.periphery, &self.reliability, &PulseTrains::default(), self.count_pulses);
        let c = arrays.slow(&self.device, &self.reference, Some(self.average_bound))?;
        Ok(Box::new(MixedPrecisionRule::new(c, self.clone())?))
    }

    fn tile(&self) -> Option<TileSize> {
        self.tile
    }

    fn describe(&self, at: &Situation, out: &mut Description) -> Result<()> {
        let (rows, cols) = (at.rows, at.cols);
        out.line(format_args!(
            "mp on {rows} × {cols} (outputs × inputs): χ adds gradients up in digital, C is what the network sees"
        ));
        let c = self.device.mean()?;
        out.array("C", &c, self.reference.method);
        let pulses = self.lr * at.lr_scale * at.x * at.delta / c.weight_step;
        out.line(format_args!(
            "χ: whole steps of {} become pulses every {} mini-batch(es); at max|x| = {}, mean max|δ| = {} the largest crosspoint needs {} pulses per sample",
            short(c.weight_step),
            self.transfer_every,
            at.x,
            at.delta,
            short(pulses)
        ));
        Ok(())
    }
}

/// Mixed precision of one layer.
#[derive(Clone, Debug)]
pub struct MixedPrecisionRule {
    settings: MixedPrecision,
    c: Box<dyn Array>,
    /// χ, in units of weight.
    chi: ExactWeights,
    averages: Averages,
    batches: u64,
    /// Samples of the mini-batch so far.
    samples: u64,
    work: Work,
    lines: Vec<Line>,
    pulses: Vec<i32>,
    read: Vec<f32>,
}

impl MixedPrecisionRule {
    /// The rule on an array of any kind, which already holds its initial weights.
    ///
    /// # Errors
    /// Settings out of range, or more memory than there is.
    pub fn new(c: Box<dyn Array>, settings: MixedPrecision) -> Result<Self> {
        settings.validate()?;
        let (rows, cols) = c.shape();
        let chi = ExactWeights::new(rows, cols, &vec![0.0; rows * cols])?;
        let averaging =
            Averaging { weighting: settings.average, memory: settings.average_memory, every: settings.average_every };
        Ok(Self {
            settings,
            c,
            chi,
            averages: Averages::new(averaging, TransferLine::Column, (rows, cols)),
            batches: 0,
            samples: 0,
            work: Work::default(),
            lines: Vec::new(),
            pulses: Vec::new(),
            read: vec![0.0; rows],
        })
    }

    /// N = trunc(χ/ε);  χ ← χ − N·ε;  |N| pulses of the sign of N on each device of C.
    fn transfer(&mut self) -> Result<()> {
        let (step, rows) = (self.c.weight_step(), self.c.shape().0);
        self.lines.clear();
        self.pulses.clear();
        for (k, chi) in self.chi.lines_mut().enumerate() {
            if chi.iter().fold(0, |any, chi| any | u32::from(chi.abs() >= step)) == 0 {
                continue;
            }
            self.lines.push(Line::Column(k));
            self.pulses.extend(chi.iter_mut().map(|chi| {
                // Towards zero, as trunc.
                let n = (*chi / step) as i32;
                *chi -= n as f32 * step;
                n
            }));
        }
        // A division, and a product and a difference where there are pulses.
        let (all, written) = ((self.chi.shape().0 * self.chi.shape().1) as u64, (rows * self.lines.len()) as u64);
        self.work += Work { operations: all + 2 * written, accesses: all + written };
        self.c.pulse_lines(&self.lines, &self.pulses)
    }

    /// Reads the next column of C into its average, if one is due.
    fn average_next(&mut self) -> Result<()> {
        let Some(k) = self.averages.in_turn(self.batches) else { return Ok(()) };
        self.c.read_line(Line::Column(k), &mut self.read)?;
        self.averages.add(k, &self.read)?;
        let rows = self.read.len() as u64;
        self.work += Work { operations: 2 * rows, accesses: 2 * rows };
        Ok(())
    }
}

impl Rule for MixedPrecisionRule {
    fn visible(&self) -> &dyn Visible {
        self.c.as_ref()
    }

    fn visible_mut(&mut self) -> &mut dyn Visible {
        self.c.as_mut()
    }

    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        let (rows, cols) = self.c.shape();
        let batch = samples((rows, cols), x, delta)?.len();
        self.samples += batch as u64;
        let all = (batch * rows * cols) as u64;
        self.work += Work { operations: 2 * all, accesses: 2 * all };
        self.chi.add_products(x, delta, -(self.settings.lr as f32 * lr_scale), workers)
    }

    fn finish_batch(&mut self, _lr_scale: f32) -> Result<()> {
        self.batches += 1;
        if self.batches.is_multiple_of(u64::from(self.settings.transfer_every)) {
            self.transfer()?;
        }
        self.average_next()?;
        self.c.elapse(std::mem::take(&mut self.samples));
        Ok(())
    }

    fn sharing(&self) -> Sharing {
        Sharing::Batches
    }

    fn arrays(&self) -> Vec<(&'static str, &dyn Array)> {
        vec![("c", self.c.as_ref())]
    }

    fn average(&self) -> Result<Option<Vec<f32>>> {
        self.averages.whole(self.c.as_ref())
    }

    fn averaging(&self) -> bool {
        self.averages.on
    }

    fn set_averaging(&mut self, on: bool) -> Result<()> {
        self.averages.on = on;
        Ok(())
    }

    fn ledger(&self) -> Result<Ledger> {
        let mut ledger = Ledger { slow: self.c.counts(), ..Ledger::default() };
        ledger.add_work(self.work);
        Ok(ledger)
    }

    fn state(&self) -> Result<State> {
        let (mut state, (rows, cols)) = (State::default(), self.c.shape());
        state.add_array("c", self.c.as_ref());
        state.add_settings(&self.settings);
        state.add_floats("chi", &[rows, cols], self.chi.weights()?);
        state.add_count("batches", self.batches);
        self.averages.save(&mut state);
        state.add_work(self.work);
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        state.check_settings("a rule", &self.settings)?;
        let (c, chi) = (state.array("c", self.c.as_ref())?, state.matrix("chi", self.c.shape())?);
        let (batches, work) = (state.count("batches")?, state.work()?);
        let averages = self.averages.restored(state)?;
        self.chi.set_weights(chi)?;
        (self.averages, self.batches, self.work) = (averages, batches, work);
        self.c.restore(&c)
    }
}
