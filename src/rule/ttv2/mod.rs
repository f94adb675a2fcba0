//! TTv2 (the paper; PAT; R24 eq. (10)): gradients accumulate in a fast array A, reads of A pass a
//! digital filter H, and where H crosses its threshold the slow array C gets one pulse. The network
//! sees C alone.

mod settings;

pub use settings::{AfterPulse, LearningRates, TransferLine, TransferUnit, Ttv2};

use super::analog_sgd::{named, peek_columns, samples};
use super::config::Arrays;
use super::learning_rates::{SignalMeans, fast_rate, transfer_rate};
use super::{Rule, Sharing, State};
use crate::average::LineAverage;
use crate::crossbar::{Array, Direction, DueRead, Line, MvmCost, Pass, Programming, transpose};
use crate::error::{Error, Result, check_len};
use crate::ledger::Ledger;
use crate::simd;
use crate::workers::Workers;

/// Devices of lines from which pulses due on C are sent.
const TOGETHER: usize = 1 << 16;

/// TTv2 of one layer.
#[derive(Debug)]
pub struct Ttv2Rule {
    settings: Ttv2,
    a: Box<dyn Array>,
    c: Box<dyn Array>,
    /// H, line after line, in units of its threshold.
    h: Vec<f32>,
    average: LineAverage,
    averaging: bool,
    means: SignalMeans,
    /// Samples learned so far.
    count: u64,
    /// Batches learned so far.
    batches: u64,
    /// The line due next.
    k: u64,
    /// Times that every line was due.
    sweeps: u64,
    digital_operations: u64,
    /// lr_A of every sample of a batch, negated.
    rates: Vec<f32>,
    /// Reads of A due in a batch, and what they give.
    due: Vec<DueRead>,
    v: Vec<f32>,
    /// A read of C.
    read: Vec<f32>,
    /// Lines where H crossed its threshold, and their pulses, which are due on C.
    crossed: Vec<Line>,
    pulses: Vec<i32>,
}

impl Ttv2Rule {
    /// The rule on two arrays of one shape and any kind: A at rest on its reference, C at the initial weights.
    pub fn new(a: Box<dyn Array>, c: Box<dyn Array>, settings: Ttv2) -> Result<Self> {
        settings.validate()?;
        if a.shape() != c.shape() {
            return Err(Error::Conflict(format!("A is {:?} but C is {:?}; they must be alike", a.shape(), c.shape())));
        }
        let (rows, cols) = a.shape();
        let (lines, width) = match settings.transfer_line {
            TransferLine::Column => (cols, rows),
            TransferLine::Row => (rows, cols),
        };
        let average = LineAverage::new(lines, width, settings.average, settings.average_memory);
        Ok(Self {
            settings,
            a,
            c,
            h: vec![0.0; lines * width],
            average,
            averaging: false,
            means: SignalMeans::default(),
            count: 0,
            batches: 0,
            k: 0,
            sweeps: 0,
            digital_operations: 0,
            rates: Vec::new(),
            due: Vec::new(),
            v: Vec::new(),
            read: vec![0.0; width],
            crossed: Vec::new(),
            pulses: Vec::new(),
        })
    }

    /// The rule with arrays of built-in devices.
    pub fn build(rows: usize, cols: usize, weights: &[f32], s: Ttv2, seed: u64, layer: u64) -> Result<Self> {
        let (periphery, pulse_trains, count_pulses) = (&s.periphery, &s.pulse_trains, s.count_pulses);
        let arrays = Arrays { rows, cols, periphery, pulse_trains, count_pulses, seed, layer };
        let a = arrays.fast(&s.device, &s.reference)?;
        let c = arrays.slow(s.slow_device(), &s.slow_reference, weights, Some(s.average_bound))?;
        Self::new(a, c, s)
    }

    /// H, row after row, in units of its threshold.
    pub fn h(&self) -> Vec<f32> {
        self.by_rows(&self.h)
    }

    /// Row after row from line after line.
    fn by_rows(&self, values: &[f32]) -> Vec<f32> {
        let (rows, cols) = self.c.shape();
        match self.settings.transfer_line {
            TransferLine::Column => transpose(values, rows, cols),
            TransferLine::Row => values.to_vec(),
        }
    }

    fn lines(&self) -> usize {
        self.h.len() / self.read.len()
    }

    /// The line that is read some reads from now.
    fn line(&self, reads: usize) -> Line {
        let k = (self.k as usize + reads) % self.lines();
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
                self.means.add(simd::max_abs(x), simd::max_abs(delta), self.count, s.memory);
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
                transfer_rate(s.learning_rate, s.transfer_every, self.lines(), s.reads, f64::from(self.c.weight_step()))
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
        let (line, width) = (self.line(0), v.len());
        let h = &mut self.h[self.k as usize * width..][..width];
        let crossed = simd::accumulate(h, lambda, v);
        // A multiply-add and a comparison per value, a reset per crossing.
        self.digital_operations += 2 * width as u64;
        if crossed {
            let due = self.pulses.len();
            self.pulses.resize(due + width, 0);
            self.digital_operations += cross(&self.settings, h, &mut self.pulses[due..]);
            self.crossed.push(line);
            if self.pulses.len() >= TOGETHER {
                self.send()?;
            }
        }
        if self.averaging && self.sweeps.is_multiple_of(u64::from(self.settings.average_every)) {
            self.send()?;
            self.c.read_line(line, &mut self.read)?;
            self.average.add(self.k as usize, &self.read)?;
            self.digital_operations += 2 * width as u64;
        }
        self.k = (self.k + 1) % self.lines() as u64;
        self.sweeps += u64::from(self.k == 0);
        Ok(())
    }

    /// The pulses on C that are due: nothing looks at it in between, so that they are drawn together.
    fn send(&mut self) -> Result<()> {
        let sent = self.c.pulse_lines(&self.crossed, &self.pulses);
        self.crossed.clear();
        self.pulses.clear();
        sent
    }
}

/// The pulses due where |H| ≥ 1, and what they leave of H; returns how many crossed.
fn cross(s: &Ttv2, h: &mut [f32], pulses: &mut [i32]) -> u64 {
    let mut crossings = 0;
    for (h, pulses) in h.iter_mut().zip(pulses) {
        *pulses = 0;
        if h.abs() >= 1.0 {
            // Towards zero, as trunc, which older processors have no instruction for.
            let n = h.clamp(-(s.max_pulses as f32), s.max_pulses as f32) as i32;
            *pulses = n;
            crossings += 1;
            *h = match s.after_pulse {
                AfterPulse::Zero => 0.0,
                AfterPulse::Subtract => *h - n as f32,
                AfterPulse::Keep => *h * s.keep as f32,
            };
        }
    }
    crossings
}

impl Rule for Ttv2Rule {
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

    /// A ← pulsed update(A, lr_A, −δ, x); a transfer every ns samples. The network does not
    /// look at C inside a batch, and A never does: so A learns and is read first, C follows.
    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        let every = u64::from(self.settings.transfer_every);
        let batch = samples(self.a.shape(), x, delta)?;
        if x.is_empty() {
            return Ok(());
        }
        self.rates.clear();
        self.due.clear();
        for (x, delta) in batch {
            self.count += 1;
            let lr = self.fast_lr(x, delta);
            self.rates.push(-lr);
            if self.settings.transfer_unit == TransferUnit::Sample && self.count.is_multiple_of(every) {
                self.due.push(DueRead { after: self.rates.len(), line: self.line(self.due.len()) });
            }
        }
        let width = self.read.len();
        let mut v = std::mem::take(&mut self.v);
        v.resize(self.due.len() * width, 0.0);
        self.a.update_batch(x, delta, &self.rates, &self.due, &mut v, workers)?;
        let lambda = self.transfer_lr(lr_scale);
        v.chunks_exact(width).try_for_each(|v| self.transfer(v, lambda))?;
        self.send()?;
        self.v = v;
        Ok(())
    }

    /// Where mini-batches are counted, a transfer after every ns of them.
    fn finish_batch(&mut self, lr_scale: f32) -> Result<()> {
        self.batches += 1;
        if self.settings.transfer_unit == TransferUnit::Batch
            && self.batches.is_multiple_of(u64::from(self.settings.transfer_every))
        {
            let (line, mut v) = (self.line(0), std::mem::take(&mut self.v));
            v.resize(self.read.len(), 0.0);
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

    fn average(&self) -> Result<Option<Vec<f32>>> {
        let reads = self.average.reads();
        if reads.iter().all(|&n| n == 0) {
            return Ok(None);
        }
        let mut average = self.by_rows(self.average.means());
        if reads.contains(&0) {
            let (cols, read) = (self.c.shape().1, self.read_weights(0)?);
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

    fn set_averaging(&mut self, on: bool) {
        self.averaging = on;
    }

    fn ledger(&self) -> Ledger {
        Ledger { fast: self.a.counts(), slow: self.c.counts(), digital_operations: self.digital_operations }
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.add_array("a", self.a.as_ref());
        state.add_array("c", self.c.as_ref());
        state.floats.insert("h".to_owned(), self.h());
        state.floats.insert("average".to_owned(), self.by_rows(self.average.means()));
        state.floats.insert("means".to_owned(), vec![self.means.x, self.means.delta]);
        state.counters.insert("average_reads".to_owned(), self.average.reads().to_vec());
        let averaging = u64::from(self.averaging);
        let progress = vec![self.count, self.batches, self.k, self.sweeps, self.digital_operations, averaging];
        state.counters.insert("progress".to_owned(), progress);
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let &[count, batches, k, sweeps, digital_operations, averaging] = state.counters("progress")? else {
            return Err(Error::Conflict("progress must hold 6 counters".to_owned()));
        };
        let &[x, delta] = state.floats("means")? else {
            return Err(Error::Conflict("means must hold 2 values".to_owned()));
        };
        let (h, average) = (state.floats("h")?, state.floats("average")?);
        if k >= self.lines() as u64 {
            return Err(Error::range("progress", k as f64, format!("a line below {}", self.lines())));
        }
        check_len("h", h.len(), self.h.len())?;
        check_len("average", average.len(), self.h.len())?;
        state.restore_array("a", self.a.as_mut())?;
        state.restore_array("c", self.c.as_mut())?;
        self.h = self.by_lines(h);
        let average = self.by_lines(average);
        self.average.restore(&average, state.counters("average_reads")?)?;
        self.means = SignalMeans { x, delta };
        (self.count, self.batches, self.k, self.sweeps) = (count, batches, k, sweeps);
        (self.digital_operations, self.averaging) = (digital_operations, averaging != 0);
        Ok(())
    }

    fn device_parameters(&self) -> Vec<(String, Vec<f32>)> {
        let mut all = named("a", self.a.as_ref());
        all.extend(named("c", self.c.as_ref()));
        all
    }
}

impl Ttv2Rule {
    /// Line after line from row after row.
    fn by_lines(&self, values: &[f32]) -> Vec<f32> {
        let (rows, cols) = self.c.shape();
        match self.settings.transfer_line {
            TransferLine::Column => transpose(values, cols, rows),
            TransferLine::Row => values.to_vec(),
        }
    }
}
