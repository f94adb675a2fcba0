//! The engine of all rules with fast arrays: gradients go into the fastest array, and what each array holds moves on,
//! line by line, to the next and at last to C. The parts say how; each named rule is a choice of parts.
//!
//! ```text
//! each sample:      A ← pulsed update(A, lr_A, −δ, c⊙x)
//! every ns samples: v = MVM(A − R, e_k);  z = c_k·(v − P^ref[:,k])
//!                   the next array gets z on its line k, by trains or by way of H
//!                   P[:,k] ← mean of v;  flip c_k, if due;  P^ref[:,k] ← P[:,k], if due;  k ← (k+1) mod n
//! ```

mod describe;
mod parts;
mod settings;
mod stage;

pub use parts::{ArraySettings, Hardware, Parts, TransferSettings};
pub(in crate::rule) use parts::{StageParts, Write};
pub(in crate::rule) use settings::{filter_settings, train_settings, transfer_settings};

use super::arrays::{Arrays, check_shapes, samples, scans};
use super::parts::averages::Averages;
use super::parts::chopper::Chopper;
use super::parts::rates::{Rates, Sweep};
use super::parts::schedule::{Due, TransferLine, TransferUnit};
use super::parts::signals::Signals;
use super::parts::tracker::Tracker;
use super::parts::visible::{FastArray, View, WeightedSum};
use super::{Initial, Rule, Sharing, State};
use crate::check::check_len;
use crate::crossbar::{Array, Visible};
use crate::error::Result;
use crate::ledger::{Ledger, Work};
use crate::origin::fingerprint;
use crate::threads::Workers;
use stage::Stage;

/// The arrays of rules by name, the fastest first: A and C; or the tiles before C, by how far they are from it.
const TILES: [&str; 9] = ["a", "tile2", "tile3", "tile4", "tile5", "tile6", "tile7", "tile8", "tile9"];

/// The most fast arrays that a rule can have.
pub(in crate::rule) const MAX_FAST_ARRAYS: usize = TILES.len();

/// A rule with fast arrays, of one layer.
#[derive(Clone, Debug)]
pub struct TransferRule {
    /// Of the settings.
    fingerprint: u64,
    rates: Rates,
    unit: TransferUnit,
    line: TransferLine,
    warm_start: u64,
    w: WeightedSum,
    /// One for each fast array.
    stages: Vec<Stage>,
    averages: Averages,
    /// lr_A of every sample of a batch, negated.
    learning_rates: Vec<f32>,
    /// The samples that transfers follow, by how many came until then, with the sample itself.
    due_after: Vec<usize>,
    /// The rates of a transfer into C after each of them: of all rows, or one.
    transfer_rates: Vec<f32>,
    /// The batch that A learns from where signs of its lines are negative.
    chopped: Vec<f32>,
    /// A read of a line of what the network sees, and of a fast array among it.
    read: Vec<f32>,
    read_of_fast: Vec<f32>,
    work: Work,
    /// Samples of the mini-batch so far.
    samples: u64,
}

impl TransferRule {
    /// The rule of a layer, on arrays of built-in devices.
    pub(in crate::rule) fn build(settings: &dyn TransferSettings, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
        let of = settings.hardware();
        let arrays = Arrays::new(at, of.periphery, of.reliability, of.pulse_trains, of.count_pulses);
        let fast = |k| arrays.fast(k, of.device, of.reference);
        let fast: Vec<_> = (0..settings.parts().stages.len() as u64).map(fast).collect::<Result<_>>()?;
        let c = arrays.slow(of.slow_device, of.slow_reference, Some(of.average_bound))?;
        Ok(Box::new(Self::new(fast, c, settings)?))
    }

    /// The rule on arrays of one shape and any kind: fast ones at rest on their reference, the fastest first, and C at
    /// the initial weights. Automatic rates are for devices as the settings describe them: give both rates by hand on
    /// devices of your own.
    ///
    /// # Errors
    /// Settings out of range, arrays of different shapes, or another number of fast arrays than the rule has.
    pub fn new(fast: Vec<Box<dyn Array>>, c: Box<dyn Array>, settings: &dyn TransferSettings) -> Result<Self> {
        settings.validate()?;
        let (parts, averaging) = (settings.parts(), settings.hardware().averaging);
        check_len("fast", fast.len(), parts.stages.len())?;
        fast.iter().try_for_each(|a| check_shapes(a.as_ref(), c.as_ref()))?;
        let shape = c.shape();
        let (lines, width) = parts.line.count(shape);
        let stages = parts.stages.iter().map(|stage| Stage::new(&parts, stage, shape)).collect();
        let fast = fast.into_iter().zip(&parts.stages).map(|(array, of)| {
            let (chopping, rate) = of.chopper;
            let source = if rate > 0.0 { array.snapshot().origin } else { None };
            let source = source.map_or((0, 0), |origin| (origin.seed, origin.number));
            let chopper = Chopper::new(chopping, rate, source, lines);
            let tracker = of.tracker.map(|tracking| Tracker::new(tracking, lines, width));
            Ok(FastArray { view: View::new(shape, of.share as f32, parts.line, chopper, tracker)?, array })
        });
        Ok(Self {
            fingerprint: fingerprint(&settings),
            w: WeightedSum { fast: fast.collect::<Result<_>>()?, c },
            stages,
            rates: parts.rates,
            unit: parts.unit,
            line: parts.line,
            warm_start: parts.warm_start,
            averages: Averages::new(averaging, parts.line, shape),
            learning_rates: Vec::new(),
            due_after: Vec::new(),
            transfer_rates: Vec::new(),
            chopped: Vec::new(),
            read: vec![0.0; width],
            read_of_fast: Vec::new(),
            work: Work::default(),
            samples: 0,
        })
    }

    /// H, row-major, in units of its threshold; `None` for a rule without it.
    pub fn h(&self) -> Option<Vec<f32>> {
        Some(self.w.fast[0].view.by_rows(self.stages[0].h()?))
    }

    /// What rates are for at stage n.
    fn sweep(&self, n: usize) -> Sweep {
        let (stage, first) = (&self.stages[n], &self.stages[0].schedule);
        let step = if stage.h().is_some() { f64::from(self.w.c.weight_step()) } else { 1.0 };
        let samples_each = match self.unit {
            TransferUnit::Sample => 1.0,
            // Unknown in the first mini-batch, from which A does not learn at automatic rates.
            TransferUnit::Batch if first.counted() == 0 => f64::INFINITY,
            TransferUnit::Batch => self.rates.signals.ended() as f64 / first.counted() as f64,
        };
        Sweep {
            every: stage.schedule.every(),
            lines: stage.schedule.lines(),
            samples_each,
            steps: (f64::from(self.w.fast[0].array.weight_step()), step),
        }
    }

    /// Plans the transfers of a batch of samples, or after a mini-batch; A's lines change their signs on the way, which
    /// `chopped` gets if a batch is given.
    fn plan(&mut self, samples: usize, batch: Option<(&[f32], usize)>) {
        let (warm, before, fast) = (self.warm_start, self.stages[0].schedule.counted(), self.stages.len());
        // The fastest array starts with C, then with the next faster one, and so on: then all stages run.
        let (further, chopped) = (|sample: usize| phases_left(warm, before + sample as u64, fast), &mut self.chopped);
        for (n, (stage, fast)) in self.stages.iter_mut().zip(&mut self.w.fast).enumerate() {
            stage.due.clear();
            if n > 0 {
                let first = (0..samples).find(|&sample| further(sample).is_none()).unwrap_or(samples);
                stage.plan(first..samples, &mut fast.view, |_, _| 0);
                continue;
            }
            stage.plan(0..samples, &mut fast.view, |sample, view| {
                if let (Some((vectors, width)), Some(chopper)) = (batch, &view.chopper) {
                    let first = chopped.len();
                    chopped.extend_from_slice(&vectors[sample * width..][..width]);
                    chopper.chop(&mut chopped[first..]);
                }
                further(sample).unwrap_or(0)
            });
        }
    }

    /// Notes the samples that transfers follow.
    fn note_due(&mut self) {
        self.transfer_rates.clear();
        self.due_after.clear();
        self.due_after.extend(self.stages.iter().flat_map(|stage| &stage.due).map(|due| due.after));
        self.due_after.sort_unstable();
        self.due_after.dedup();
    }

    /// Makes the transfers that are due, one sample after another, each from the fastest array, which was read, to C; then a
    /// line of what the network sees is read for its average.
    fn transfer(&mut self, workers: &Workers) -> Result<()> {
        let mut made = [0; MAX_FAST_ARRAYS];
        for noted in 0..self.due_after.len() {
            let after = self.due_after[noted];
            for n in 0..self.stages.len() {
                let due = made[n];
                let Some(&Due { further, .. }) = self.stages[n].due.get(due).filter(|due| due.after == after) else {
                    continue;
                };
                made[n] += 1;
                let (fast, slower) = self.w.fast.split_at_mut(n + 1);
                let (stage, source) = (&mut self.stages[n], &mut fast[n]);
                if n > 0 {
                    // Nothing waits to be sent to it: only the transfer into C filters.
                    stage.read(source.array.as_mut(), due, workers)?;
                }
                stage.measure(source, due);
                let last = further == slower.len();
                let target = slower.get_mut(further).map_or(&mut self.w.c, |fast| &mut fast.array).as_mut();
                let into_c = last.then(|| {
                    let each = self.transfer_rates.len() / self.due_after.len();
                    &self.transfer_rates[noted * each..][..each]
                });
                stage.write(target, due, into_c)?;
            }
            // A line of the fastest array was read after this sample, or none.
            let read = made[0].checked_sub(1).filter(|&due| self.stages[0].due[due].after == after);
            if let Some(due) = read {
                self.average(due)?;
            }
        }
        for (n, stage) in self.stages.iter_mut().enumerate() {
            stage.send(self.w.fast.get_mut(n + 1).map_or(&mut self.w.c, |fast| &mut fast.array).as_mut())?;
        }
        Ok(())
    }

    /// Reads the line of transfer number `due` of the fastest array from what the network sees, if it is due: from C, and
    /// from the fast arrays that it sees, of which the fastest was read just now.
    fn average(&mut self, due: usize) -> Result<()> {
        let stage = &mut self.stages[0];
        let Due { k, read: sweep, .. } = stage.due[due];
        if !self.averages.due(k, sweep) {
            return Ok(());
        }
        stage.send(self.w.fast.get_mut(1).map_or(&mut self.w.c, |fast| &mut fast.array).as_mut())?;
        let (line, read, of_fast) = (self.line.line(k), &mut self.read, &mut self.read_of_fast);
        let width = read.len() as u64;
        self.work += Work { operations: 2 * width, accesses: 2 * width };
        self.w.c.read_line(line, read)?;
        for (n, FastArray { array, view }) in self.w.fast.iter_mut().enumerate() {
            if view.share == 0.0 {
                continue;
            }
            let z = if n == 0 && stage.reads_lines() {
                stage.measured(due)
            } else {
                of_fast.resize(width as usize, 0.0);
                array.read_line(line, of_fast)?;
                &*of_fast
            };
            read.iter_mut().zip(z).for_each(|(read, z)| *read += view.share * z);
            self.work.operations += width;
        }
        self.averages.add(k, &self.read)
    }

    /// Digital work so far, that of the pulse trains aside.
    fn work(&self) -> Work {
        let mut work = self.work;
        self.stages.iter().for_each(|stage| work += stage.work);
        work
    }

    /// The arrays by name, the fastest first.
    fn named(&self) -> impl Iterator<Item = (&'static str, &dyn Array)> {
        let names = TILES[..self.w.fast.len()].iter().rev();
        let fast = names.zip(&self.w.fast).map(|(&name, fast)| (name, fast.array.as_ref()));
        fast.chain([("c", self.w.c.as_ref())])
    }
}

/// While the fastest of `fast` arrays writes to slower ones first: how many arrays further than the next, for a sample
/// that comes after `before` others. `None` when all stages run.
fn phases_left(warm_start: u64, before: u64, fast: usize) -> Option<usize> {
    let phase = before.checked_div(warm_start)?;
    (phase < fast as u64).then(|| fast - 1 - phase as usize)
}

/// What names in a state begin with, of stage n.
fn prefix(n: usize) -> String {
    if n == 0 { String::new() } else { format!("stage{n}.") }
}

impl Rule for TransferRule {
    fn visible(&self) -> &dyn Visible {
        &self.w
    }

    fn visible_mut(&mut self) -> &mut dyn Visible {
        &mut self.w
    }

    /// The network does not look at any array inside a batch, and A never looks at C: so A learns and is read first,
    /// the others follow.
    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, workers: &Workers) -> Result<()> {
        let shape @ (rows, cols) = self.w.shape();
        let batch = samples(shape, x, delta)?;
        if x.is_empty() {
            return Ok(());
        }
        self.samples += batch.len() as u64;
        self.learning_rates.clear();
        let (sweep, last) = (self.sweep(0), self.sweep(self.stages.len() - 1));
        self.chopped.clear();
        let chops = match self.line {
            TransferLine::Column => (x, cols),
            TransferLine::Row => (delta, rows),
        };
        match self.unit {
            TransferUnit::Sample => self.plan(batch.len(), Some(chops)),
            TransferUnit::Batch => {
                self.stages.iter_mut().for_each(|stage| stage.due.clear());
                if let Some(chopper) = &self.w.fast[0].view.chopper {
                    self.chopped.extend_from_slice(chops.0);
                    chopper.chop(&mut self.chopped);
                }
            }
        }
        self.note_due();
        let mut noted = 0;
        for (sample, (x, delta)) in batch.enumerate() {
            self.rates.watch(x, delta, sweep);
            let fast = self.rates.fast(sweep);
            self.learning_rates.push(-(fast as f32));
            if self.due_after.get(noted) == Some(&(sample + 1)) {
                self.rates.transfers(last, fast, lr_scale, &mut self.transfer_rates);
                noted += 1;
            }
        }
        let batch = match self.line {
            _ if self.chopped.is_empty() => (x, delta),
            TransferLine::Column => (&*self.chopped, delta),
            TransferLine::Row => (x, &*self.chopped),
        };
        self.stages[0].learn(self.w.fast[0].array.as_mut(), batch, &self.learning_rates, workers)?;
        self.transfer(workers)
    }

    /// Where mini-batches are counted, the transfers after one; states relax.
    fn finish_batch(&mut self, lr_scale: f32) -> Result<()> {
        self.rates.signals.end_batch();
        if self.unit == TransferUnit::Batch {
            self.plan(1, None);
            self.note_due();
            if !self.due_after.is_empty() {
                let fast = self.rates.fast(self.sweep(0));
                self.rates.transfers(self.sweep(self.stages.len() - 1), fast, lr_scale, &mut self.transfer_rates);
            }
            let workers = Workers::default();
            for due in 0..self.stages[0].due.len() {
                self.stages[0].read(self.w.fast[0].array.as_mut(), due, &workers)?;
            }
            self.transfer(&workers)?;
        }
        let samples = std::mem::take(&mut self.samples);
        self.w.fast.iter_mut().for_each(|fast| fast.array.elapse(samples));
        self.w.c.elapse(samples);
        Ok(())
    }

    fn sharing(&self) -> Sharing {
        if self.w.is_single() { Sharing::Samples } else { Sharing::Batches }
    }

    fn arrays(&self) -> Vec<(&'static str, &dyn Array)> {
        self.named().collect()
    }

    fn average(&self) -> Result<Option<Vec<f32>>> {
        self.averages.whole(&self.w)
    }

    fn averaging(&self) -> bool {
        self.averages.on
    }

    fn set_averaging(&mut self, on: bool) -> Result<()> {
        self.averages.on = on;
        Ok(())
    }

    fn ledger(&self) -> Result<Ledger> {
        let mut ledger = Ledger { slow: self.w.c.counts(), ..Ledger::default() };
        self.w.fast.iter().for_each(|fast| ledger.fast += fast.array.counts());
        ledger.add_work(self.work());
        self.named().for_each(|(_, array)| ledger.add_work(scans(array)));
        Ok(ledger)
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        for (name, array) in self.named() {
            state.add_array(name, array);
        }
        state.add_fingerprint(self.fingerprint);
        self.averages.save(&mut state);
        for (n, (stage, fast)) in self.stages.iter().zip(&self.w.fast).enumerate() {
            stage.save(&mut state, &prefix(n), &fast.view);
        }
        self.rates.signals.save(&mut state);
        state.add_work(self.work());
        Ok(state)
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        state.check_fingerprint("a rule", self.fingerprint)?;
        let arrays: Vec<_> = self.named().map(|(name, array)| state.array(name, array)).collect::<Result<_>>()?;
        let averages = self.averages.restored(state)?;
        let stages = self.stages.iter().zip(&self.w.fast).enumerate();
        let stages = stages.map(|(n, (stage, fast))| stage.restored(state, &prefix(n), &fast.view));
        let stages: Vec<(Stage, View)> = stages.collect::<Result<_>>()?;
        let signals = Signals::restored(state, self.w.shape())?;
        let work = state.work()?;
        (self.averages, self.rates.signals) = (averages, signals);
        (self.stages, self.work) = (Vec::with_capacity(stages.len()), work);
        let mut snapshots = arrays.iter();
        for ((mut stage, view), fast) in stages.into_iter().zip(&mut self.w.fast) {
            stage.work = Work::default();
            self.stages.push(stage);
            fast.view = view;
            fast.array.restore(snapshots.next().expect("one each"))?;
        }
        self.w.c.restore(snapshots.next().expect("and that of C"))
    }
}
