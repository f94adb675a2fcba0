//! One stage of a rule: lines of a fast array are read, and what they hold is written to the next array.

use super::parts::{Parts, StageParts, Write};
use crate::crossbar::{Array, DueRead, Line};
use crate::error::Result;
use crate::ledger::Work;
use crate::rule::State;
use crate::rule::parts::filter::Filter;
use crate::rule::parts::schedule::{Due, ReadVectors, Schedule, TransferLine};
use crate::rule::parts::visible::{FastArray, View};
use crate::threads::Workers;
use std::ops::Range;

/// Devices of lines that may wait for their pulses before these are sent.
const MAX_PENDING_DEVICES: usize = 1 << 16;

/// The transfer from one array to the next.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) schedule: Schedule,
    line: TransferLine,
    vectors: ReadVectors,
    writer: Writer,
    /// Transfers due in a batch, and what their reads gave.
    pub(super) due: Vec<Due>,
    pub(super) v: Vec<f32>,
    reads: Vec<DueRead>,
    /// The vector that a line, or all of the array, is read and written with.
    u: Vec<f32>,
    /// What a read says, times the rates of its rows.
    z: Vec<f32>,
    pub(super) work: Work,
}

/// How a read is written.
#[derive(Clone, Debug)]
enum Writer {
    Trains {
        /// The rate, where it is not that of the rule.
        rate: f64,
    },
    Pulses {
        filter: Filter,
        /// Lines where H crossed its threshold, and their pulses, which wait to be sent.
        lines: Vec<Line>,
        pulses: Vec<i32>,
    },
}

impl Stage {
    pub(super) fn new(parts: &Parts, stage: &StageParts, shape: (usize, usize)) -> Self {
        let (lines, width) = parts.line.count(shape);
        let lines = match stage.vectors {
            ReadVectors::OneHot => lines,
            ReadVectors::Hadamard => lines.next_power_of_two(),
        };
        let writer = match stage.write {
            Write::Trains(rate) => Writer::Trains { rate },
            Write::Pulses(filtering) => {
                Writer::Pulses { filter: Filter::new(lines, width, filtering), lines: Vec::new(), pulses: Vec::new() }
            }
        };
        Self {
            schedule: Schedule::new(stage.every, lines),
            line: parts.line,
            vectors: stage.vectors,
            writer,
            due: Vec::new(),
            v: Vec::new(),
            reads: Vec::new(),
            u: Vec::new(),
            z: Vec::new(),
            work: Work::default(),
        }
    }

    /// H, line after line.
    pub(super) fn h(&self) -> Option<&[f32]> {
        match &self.writer {
            Writer::Pulses { filter, .. } => Some(filter.values()),
            Writer::Trains { .. } => None,
        }
    }

    /// Replaces H.
    pub(super) fn set_h(&mut self, h: &[f32]) {
        if let Writer::Pulses { filter, .. } = &mut self.writer {
            filter.set(h);
        }
    }

    /// Counts samples of a batch, or one mini-batch, and notes the transfers that fall due; `each` is told of every
    /// sample before its transfer, with the view as it is then, and says how many arrays further it is written.
    pub(super) fn plan(&mut self, samples: Range<usize>, view: &mut View, mut each: impl FnMut(usize, &View) -> usize) {
        for sample in samples {
            let further = each(sample, view);
            if let Some(mut due) = self.schedule.count(sample + 1) {
                due.further = further;
                if let Some(chopper) = &mut view.chopper {
                    due.sign = chopper.signs()[due.k];
                    due.flips = chopper.after_read(due.k, due.read);
                }
                self.due.push(due);
            }
        }
    }

    /// The fastest array learns from a batch, and is read where transfers are due.
    pub(super) fn learn(
        &mut self,
        a: &mut dyn Array,
        (x, delta): (&[f32], &[f32]),
        lr: &[f32],
        workers: &Workers,
    ) -> Result<()> {
        let (rows, cols) = a.shape();
        let width = self.line.count((rows, cols)).1;
        self.v.resize(self.due.len() * width, 0.0);
        if self.vectors == ReadVectors::OneHot {
            self.reads.clear();
            self.reads.extend(self.due.iter().map(|due| DueRead { after: due.after, line: self.line.line(due.k) }));
            return a.update_batch(x, delta, lr, &self.reads, &mut self.v, workers);
        }
        let mut done = 0;
        for due in 0..=self.due.len() {
            let until = self.due.get(due).map_or(lr.len(), |due| due.after);
            let samples = done..until;
            if !samples.is_empty() {
                let (x, delta) = (&x[done * cols..until * cols], &delta[done * rows..until * rows]);
                a.update_batch(x, delta, &lr[samples], &[], &mut [], workers)?;
            }
            if due < self.due.len() {
                self.read(a, due, workers)?;
            }
            done = until;
        }
        Ok(())
    }

    /// Makes read number `due` of those that are due.
    pub(super) fn read(&mut self, source: &mut dyn Array, due: usize, workers: &Workers) -> Result<()> {
        let width = self.line.count(source.shape()).1;
        self.v.resize(self.due.len() * width, 0.0);
        let (k, v) = (self.due[due].k, due * width..(due + 1) * width);
        match self.vectors {
            ReadVectors::OneHot => source.read_line(self.line.line(k), &mut self.v[v]),
            ReadVectors::Hadamard => {
                point(&mut self.u, self.vectors, k, self.line.count(source.shape()).0);
                source.forward(&self.u, &mut self.v[v], workers)
            }
        }
    }

    /// What read number `due` of the source says of it: z = c_k·(v − P^ref[:,k]), in the place of v.
    pub(super) fn measure(&mut self, source: &mut FastArray, due: usize) {
        let Due { k, sign, flips, .. } = self.due[due];
        let width = self.line.count(source.array.shape()).1;
        let v = &mut self.v[due * width..][..width];
        if let Some(tracker) = &mut source.view.tracker {
            self.work += tracker.work(width, flips);
            if tracker.take(k, v, flips) {
                source.view.see_reference(k);
            }
        }
        if sign < 0.0 {
            v.iter_mut().for_each(|v| *v = -*v);
        }
    }

    /// Whether reads are those of single lines.
    pub(super) fn reads_lines(&self) -> bool {
        self.vectors == ReadVectors::OneHot
    }

    /// What read number `due` said, after [`measure`](Stage::measure).
    pub(super) fn measured(&self, due: usize) -> &[f32] {
        let width = self.v.len() / self.due.len();
        &self.v[due * width..][..width]
    }

    /// Writes what read number `due` says to the target (TTv1 by a pulsed update, GH20; TTv2 by way of H, R24 eq. (10)):
    ///
    /// ```text
    /// trains:  target ← pulsed update(target, rate, z, u_k)
    /// pulses:  H[:,k] ← H[:,k] + rate·z
    ///          where |H[i,k]| ≥ 1: one pulse of sign(H[i,k]) on target[i,k], then reset H[i,k]
    /// ```
    ///
    /// Pulses wait for [`send`](Stage::send). `into_c` are the rates of the rule, if the target is C: of its rows, or one for
    /// all.
    pub(super) fn write(&mut self, target: &mut dyn Array, due: usize, into_c: Option<&[f32]>) -> Result<()> {
        let shape = target.shape();
        let (k, width) = (self.due[due].k, self.line.count(shape).1);
        let mut z = &self.v[due * width..][..width];
        let (mut rate, mut of_rows) = (None, &[][..]);
        match into_c {
            None => {}
            Some(&[one]) => rate = Some(one),
            Some(rates) if self.line == TransferLine::Row => (rate, of_rows) = (Some(1.0), rates),
            Some(rates) => {
                self.z.clear();
                self.z.extend(z.iter().zip(rates).map(|(z, rate)| z * rate));
                (rate, z) = (Some(1.0), &self.z);
            }
        }
        match &mut self.writer {
            Writer::Trains { rate: own } => {
                let mut rate = rate.unwrap_or(*own as f32);
                if self.vectors == ReadVectors::Hadamard {
                    // One sweep adds the order of the matrix times A; the rate is divided by it, so that rates mean the
                    // same for both kinds of vectors [ours].
                    rate /= self.schedule.lines() as f32;
                }
                point(&mut self.u, self.vectors, k, self.line.count(shape).0);
                self.u.iter_mut().zip(of_rows).for_each(|(u, of_row)| *u *= of_row);
                match self.line {
                    TransferLine::Column => target.update(&self.u, z, rate),
                    TransferLine::Row => target.update(z, &self.u, rate),
                }
            }
            Writer::Pulses { filter, lines, pulses } => {
                // A multiply-add and a comparison per value, which is read and written; a reset per crossing.
                self.work += Work { operations: 2 * width as u64, accesses: 2 * width as u64 };
                let rate = of_rows.get(k).copied().or(rate).unwrap_or(1.0);
                let Some(crossings) = filter.add(k, rate, z, pulses) else { return Ok(()) };
                self.work.operations += crossings;
                lines.push(self.line.line(k));
                if pulses.len() >= MAX_PENDING_DEVICES { self.send(target) } else { Ok(()) }
            }
        }
    }

    /// Sends the pulses that wait: nothing looks at the target in between, so that they are drawn together.
    pub(super) fn send(&mut self, target: &mut dyn Array) -> Result<()> {
        let Writer::Pulses { lines, pulses, .. } = &mut self.writer else { return Ok(()) };
        let sent = target.pulse_lines(lines, pulses);
        lines.clear();
        pulses.clear();
        sent
    }

    /// Adds where the stage is to a state, under names that begin with `prefix`.
    pub(super) fn save(&self, state: &mut State, prefix: &str, view: &View) {
        self.schedule.save(state, &format!("{prefix}schedule"));
        let (rows, cols) = view.shape();
        if let Some(h) = self.h() {
            state.add_floats(&format!("{prefix}h"), &[rows, cols], view.by_rows(h));
        }
        if let Some(chopper) = &view.chopper {
            chopper.save(state, &format!("{prefix}chopper"));
        }
        if let Some(tracker) = &view.tracker {
            tracker.save(state, &format!("{prefix}tracker"), (rows, cols), |values| view.by_rows(values));
        }
    }

    /// The stage and the view where a state has them.
    ///
    /// # Errors
    /// Something is missing or does not fit.
    pub(super) fn restored(&self, state: &State, prefix: &str, view: &View) -> Result<(Self, View)> {
        let (mut stage, mut view, shape) = (self.clone(), view.clone(), view.shape());
        stage.schedule = self.schedule.restored(state, &format!("{prefix}schedule"))?;
        if self.h().is_some() {
            stage.set_h(&view.by_lines(state.matrix(&format!("{prefix}h"), shape)?));
        }
        if let Some(chopper) = &view.chopper {
            view.chopper = Some(chopper.restored(state, &format!("{prefix}chopper"))?);
        }
        if let Some(tracker) = &view.tracker {
            let name = format!("{prefix}tracker");
            view.tracker = Some(tracker.restored(state, &name, shape, |values| view.by_lines(values))?);
            view.see_references();
        }
        Ok((stage, view))
    }
}

/// Sets u to vector k of `lines`.
fn point(u: &mut Vec<f32>, vectors: ReadVectors, k: usize, lines: usize) {
    u.resize(lines, 0.0);
    match vectors {
        ReadVectors::OneHot => {
            u.fill(0.0);
            u[k] = 1.0;
        }
        ReadVectors::Hadamard => {
            for (j, u) in u.iter_mut().enumerate() {
                let odd = (j & k).count_ones() % 2 == 1;
                *u = if odd { -1.0 } else { 1.0 };
            }
        }
    }
}
