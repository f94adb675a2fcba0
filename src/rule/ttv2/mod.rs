//! TTv2 (the paper; PAT; R24 eq. (10)): gradients accumulate in a fast array A, reads of A pass a
//! digital filter H, and where H crosses its threshold the slow array C gets one pulse. The network
//! sees C alone.

mod describe;
mod settings;

pub use settings::{LearningRates, TransferLine, TransferUnit, Ttv2};

use super::arrays::{Arrays, check_shapes, samples};
use super::filter::Filter;
use super::learning_rates::{SignalMeans, fast_rate, transfer_rate};
use super::schedule::Schedule;
use super::{Description, Initial, Rule, RuleSettings, Sharing, Situation, State};
use crate::average::LineAverage;
use crate::crossbar::{Array, DueRead, Line, Visible, transpose};
use crate::error::Result;
use crate::ledger::Ledger;
use crate::simd;
use crate::threads::Workers;

/// Devices of lines that may wait for their pulses before these are sent.
const MAX_PENDING_DEVICES: usize = 1 << 16;

impl RuleSettings for Ttv2 {
    fn build(&self, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
        let arrays = Arrays::new(at, &self.periphery, &self.pulse_trains, self.count_pulses);
        let a = arrays.fast(&self.device, &self.reference)?;
        let c = arrays.slow(self.slow_device(), &self.slow_reference, Some(self.average_bound))?;
        Ok(Box::new(Ttv2Rule::new(a, c, self.clone())?))
    }

    fn describe(&self, at: &Situation, out: &mut Description) -> Result<()> {
        self.explain(at, out)
    }
}

/// TTv2 of one layer.
#[derive(Clone, Debug)]
pub struct Ttv2Rule {
    settings: Ttv2,
    a: Box<dyn Array>,
    c: Box<dyn Array>,
    filter: Filter,
    schedule: Schedule,
    average: LineAverage,
    averaging: bool,
    means: SignalMeans,
    digital_operations: u64,
    /// lr_A of every sample of a batch, negated.
    learning_rates: Vec<f32>,
    /// Reads of A due in a batch, and what they give.
    due: Vec<DueRead>,
    v: Vec<f32>,
    /// A read of C.
    c_line: Vec<f32>,
    /// Lines where H crossed its threshold, and their pulses, which wait to be sent to C.
    pending_lines: Vec<Line>,
    pending_pulses: Vec<i32>,
}

impl Ttv2Rule {
    /// The rule on two arrays of one shape and any kind: A at rest on its reference, C at the initial weights.
    pub fn new(a: Box<dyn Array>, c: Box<dyn Array>, settings: Ttv2) -> Result<Self> {
        settings.validate()?;
        check_shapes(a.as_ref(), c.as_ref())?;
        let s = &settings;
        let (rows, cols) = a.shape();
        let (lines, width) = match s.transfer_line {
            TransferLine::Column => (cols, rows),
            TransferLine::Row => (rows, cols),
        };
        Ok(Self {
            filter: Filter::new(lines, width, s.after_pulse, s.keep, s.max_pulses),
            schedule: Schedule::new(s.transfer_every, lines),
            average: LineAverage::new(lines, width, s.average, s.average_memory),
            settings,
            a,
            c,
            averaging: false,
            means: SignalMeans::default(),
            digital_operations: 0,
            learning_rates: Vec::new(),
            due: Vec::new(),
            v: Vec::new(),
            c_line: vec![0.0; width],
            pending_lines: Vec::new(),
            pending_pulses: Vec::new(),
        })
    }

    /// H, row-major, in units of its threshold.
    pub fn h(&self) -> Vec<f32> {
        self.by_rows(self.filter.values())
    }

    /// Row-major values from line after line.
    fn by_rows(&self, values: &[f32]) -> Vec<f32> {
        let (rows, cols) = self.c.shape();
        match self.settings.transfer_line {
            TransferLine::Column => transpose(values, rows, cols),
            TransferLine::Row => values.to_vec(),
        }
    }

    /// Line after line from row-major values.
    fn by_lines(&self, values: &[f32]) -> Vec<f32> {
        let (rows, cols) = self.c.shape();
        match self.settings.transfer_line {
            TransferLine::Column => transpose(values, cols, rows),
            TransferLine::Row => values.to_vec(),
        }
    }

    /// The line that is read after `ahead` more reads.
    fn line(&self, ahead: usize) -> Line {
        let k = self.schedule.line(ahead);
        match self.settings.transfer_line {
            TransferLine::Column => Line::Column(k),
            TransferLine::Row => Line::Row(k),
        }
    }

    /// lr_A for this sample.
    fn fast_lr(&mut self, x: &[f32], delta: &[f32]) -> f32 {
        let s = &self.settings;
        match s.rates {
            LearningRates::Manual => s.fast_lr as f32,
            LearningRates::R24 => {
                self.means.add(simd::max_abs(x), simd::max_abs(delta), s.memory);
                fast_rate(s.granularity, s.pulse_trains.max_length, f64::from(self.a.weight_step()), self.means) as f32
            }
        }
    }

    /// λ_H.
    fn transfer_lr(&self, lr_scale: f32) -> f32 {
        let s = &self.settings;
        let lr = match s.rates {
            LearningRates::Manual => s.transfer_lr,
            LearningRates::R24 => {
                let (lines, step) = (self.schedule.lines(), f64::from(self.c.weight_step()));
                transfer_rate(s.learning_rate, s.transfer_every, lines, s.reads, step)
            }
        };
        lr as f32 * lr_scale
    }

    /// One line of A that was read (R24 eq. (10)):
    ///
    /// ```text
    /// v = MVM(A − R, e_k);  H[:,k] ← H[:,k] + λ_H·v
    /// where |H[i,k]| ≥ 1: one pulse of sign(H[i,k]) on C[i,k], then reset H[i,k]
    /// k ← (k+1) mod n
    /// ```
    ///
    /// Its pulses wait for [`send`](Ttv2Rule::send).
    fn transfer(&mut self, v: &[f32], lambda: f32) -> Result<()> {
        let (k, line, width) = (self.schedule.line(0), self.line(0), v.len());
        // A multiply-add and a comparison per value, a reset per crossing.
        self.digital_operations += 2 * width as u64;
        if let Some(crossings) = self.filter.add(k, lambda, v, &mut self.pending_pulses) {
            self.digital_operations += crossings;
            self.pending_lines.push(line);
            if self.pending_pulses.len() >= MAX_PENDING_DEVICES {
                self.send()?;
            }
        }
        if self.averaging && self.schedule.sweeps().is_multiple_of(u64::from(self.settings.average_every)) {
            self.send()?;
            self.c.read_line(line, &mut self.c_line)?;
            self.average.add(k, &self.c_line)?;
            self.digital_operations += 2 * width as u64;
        }
        self.schedule.advance();
        Ok(())
    }

    /// Sends the pending pulses to C: nothing looks at it in between, so that they are drawn together.
    fn send(&mut self) -> Result<()> {
        let sent = self.c.pulse_lines(&self.pending_lines, &self.pending_pulses);
        self.pending_lines.clear();
        self.pending_pulses.clear();
        sent
    }
}

impl Rule for Ttv2Rule {
    fn visible(&self) -> &dyn Visible {
        self.c.as_ref()
    }

    fn visible_mut(&mut self) -> &mut dyn Visible {
        self.c.as_mut()
    }

    /// A ← pulsed update(A, lr_A, −δ, x); a transfer every ns samples. The network does not
    /// look at C inside a batch, and A never does: so A learns and is read first, C follows.
    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        let batch = samples(self.a.shape(), x, delta)?;
        if x.is_empty() {
            return Ok(());
        }
        self.learning_rates.clear();
        self.due.clear();
        for (x, delta) in batch {
            let lr = self.fast_lr(x, delta);
            self.learning_rates.push(-lr);
            if self.settings.transfer_unit == TransferUnit::Sample && self.schedule.count() {
                self.due.push(DueRead { after: self.learning_rates.len(), line: self.line(self.due.len()) });
            }
        }
        let width = self.c_line.len();
        let mut v = std::mem::take(&mut self.v);
        v.resize(self.due.len() * width, 0.0);
        self.a.update_batch(x, delta, &self.learning_rates, &self.due, &mut v, workers)?;
        let lambda = self.transfer_lr(lr_scale);
        v.chunks_exact(width).try_for_each(|v| self.transfer(v, lambda))?;
        self.send()?;
        self.v = v;
        Ok(())
    }

    /// Where mini-batches are counted, a transfer after every ns of them.
    fn finish_batch(&mut self, lr_scale: f32) -> Result<()> {
        if self.settings.transfer_unit == TransferUnit::Batch && self.schedule.count() {
            let (line, mut v) = (self.line(0), std::mem::take(&mut self.v));
            v.resize(self.c_line.len(), 0.0);
            self.a.read_line(line, &mut v)?;
            self.transfer(&v, self.transfer_lr(lr_scale))?;
            self.send()?;
            self.v = v;
        }
        Ok(())
    }

    fn sharing(&self) -> Sharing {
        Sharing::Samples
    }

    fn arrays(&self) -> Vec<(&'static str, &dyn Array)> {
        vec![("a", self.a.as_ref()), ("c", self.c.as_ref())]
    }

    fn average(&self) -> Result<Option<Vec<f32>>> {
        let reads = self.average.reads();
        if reads.iter().all(|&n| n == 0) {
            return Ok(None);
        }
        let mut average = self.by_rows(self.average.means());
        if reads.contains(&0) {
            let (cols, read) = (self.c.shape().1, self.c.read_weights(0)?);
            for (at, (mean, read)) in average.iter_mut().zip(read).enumerate() {
                let line = match self.settings.transfer_line {
                    TransferLine::Column => at % cols,
                    TransferLine::Row => at / cols,
                };
                if reads[line] == 0 {
                    *mean = read;
                }
            }
        }
        Ok(Some(average))
    }

    fn averaging(&self) -> bool {
        self.averaging
    }

    fn set_averaging(&mut self, on: bool) -> Result<()> {
        self.averaging = on;
        Ok(())
    }

    fn ledger(&self) -> Result<Ledger> {
        let digital_operations = self.digital_operations;
        Ok(Ledger { fast: self.a.counts(), slow: self.c.counts(), digital_operations })
    }

    fn state(&self) -> Result<State> {
        let (mut state, (rows, cols)) = (State::default(), self.c.shape());
        state.add_array("a", self.a.as_ref());
        state.add_array("c", self.c.as_ref());
        state.add_settings(&self.settings);
        state.add_floats("h", &[rows, cols], self.h());
        state.add_floats("average", &[rows, cols], self.by_rows(self.average.means()));
        state.add_counters("average_reads", &[self.average.reads().len()], self.average.reads().to_vec());
        state.add_count("averaging", u64::from(self.averaging));
        self.schedule.save(&mut state);
        self.means.save(&mut state);
        state.add_count("digital_operations", self.digital_operations);
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        state.check_settings("a rule", &self.settings)?;
        let (a, c) = (state.array("a", self.a.as_ref())?, state.array("c", self.c.as_ref())?);
        let (h, average) = (state.matrix("h", self.c.shape())?, state.matrix("average", self.c.shape())?);
        let average = self.average.restored(&self.by_lines(average), state.counters("average_reads")?)?;
        let (schedule, means) = (self.schedule.restored(state)?, SignalMeans::restored(state)?);
        let (averaging, digital_operations) = (state.count("averaging")? != 0, state.count("digital_operations")?);
        self.filter.set(&self.by_lines(h));
        (self.average, self.averaging) = (average, averaging);
        (self.schedule, self.means, self.digital_operations) = (schedule, means, digital_operations);
        self.a.restore(&a)?;
        self.c.restore(&c)
    }
}
