//! Reading and writing one line: what a transfer does to A and to C.

use super::faults::LINE_WRITES;
use super::readout::LineReadout;
use super::tuning::LINE_NORMALS_PER_DRAW;
use super::{Array, Crossbar, Line};
use crate::check::check_len;
use crate::device::Device;
use crate::error::Result;
use crate::random::{Operation, ScatteredNumbers, Stream};
use crate::simd::LANES;

/// Buffers of pulses to lines, kept between calls.
#[derive(Clone, Debug, Default)]
pub(super) struct LineScratch {
    few: ScatteredNumbers,
    xi: Vec<f32>,
    /// Of each line: its pulses, and where its normals are among those drawn for many lines at once, if they are few.
    sent: Vec<(u64, Option<usize>)>,
}

impl<D: Device> Crossbar<D> {
    /// Positions of a line's devices in the array's order: first, stride, count.
    fn line(&self, line: Line) -> Result<(usize, usize, usize)> {
        let count = line.values((self.rows, self.cols))?;
        Ok(match line {
            Line::Column(k) => (k * self.rows, 1, count),
            Line::Row(k) => (k, self.rows, count),
        })
    }

    /// Reads of lines.
    pub(super) fn line_readout(&self) -> LineReadout<'_> {
        LineReadout {
            settings: &self.setup.periphery.read,
            effects: &self.setup.effects,
            converters: self.converters.as_deref(),
            shape: (self.rows, self.cols),
        }
    }

    /// v = ADC(W e_k + σ ξ) with the read periphery: O(devices of the line), since only one input is on.
    pub(super) fn line_through_periphery(&self, noise: Stream, line: Line, v: &mut [f32]) -> Result<()> {
        let (first, stride, count) = self.line(line)?;
        check_len("v", v.len(), count)?;
        for (k, v) in v.iter_mut().enumerate() {
            *v = self.weights[first + k * stride];
        }
        self.line_readout().read([line].into_iter(), &|_| noise, v);
        Ok(())
    }

    /// Sends |n| pulses of the sign of n to each device of each line, one line and one pulse after another, each with its
    /// own ξ, and counts them.
    pub(super) fn send_to_lines(&mut self, lines: &[Line], counts: &[i32]) -> Result<()> {
        let all = lines.iter().map(|line| line.values((self.rows, self.cols))).sum::<Result<usize>>()?;
        check_len("counts", counts.len(), all)?;
        let mut scratch = std::mem::take(&mut self.line_scratch);
        scratch.few.clear();
        scratch.sent.clear();
        let noisy = self.device.noisy();
        let mut remaining = counts;
        for (&line, step) in lines.iter().zip(self.steps.line_pulse..) {
            let line_counts = remaining.split_off(..self.line(line)?.2).expect("as many as the lines have devices");
            let sent: u64 = line_counts.iter().map(|n| u64::from(n.unsigned_abs())).sum();
            let few = noisy && sent <= ScatteredNumbers::FEW as u64;
            let stream = || self.stream(Operation::LinePulse, step);
            scratch.sent.push((sent, few.then(|| scratch.few.push(&stream(), 0..sent))));
            self.count_line(line, sent, line_counts.iter().fold(0, |most, n| most.max(n.unsigned_abs())));
        }
        scratch.few.normals(&self.stream(Operation::LinePulse, 0), &mut scratch.xi);
        let mut remaining = counts;
        for (&line, &(sent, few)) in lines.iter().zip(&scratch.sent) {
            let line_counts = remaining.split_off(..self.line(line)?.2).expect("as many as the lines have devices");
            let stream = self.stream(Operation::LinePulse, self.steps.line_pulse);
            self.steps.line_pulse += 1;
            match few {
                Some(at) => self.send_to_line(line, line_counts, |position| scratch.xi[at + position])?,
                None => {
                    let mut drawn = [0.0; LINE_NORMALS_PER_DRAW];
                    self.send_to_line(line, line_counts, |position| {
                        if noisy && position % LINE_NORMALS_PER_DRAW == 0 {
                            let count = (sent - position as u64).min(LINE_NORMALS_PER_DRAW as u64);
                            stream.normals(position as u64, &mut drawn[..count as usize]);
                        }
                        drawn[position % LINE_NORMALS_PER_DRAW]
                    })?;
                }
            }
        }
        self.line_scratch = scratch;
        Ok(())
    }

    /// Counts a write of `sent` pulses to a line whose devices get up to `slots`: in each slot the line fires, and across
    /// it the lines of the devices that still get pulses.
    pub(super) fn count_line(&mut self, line: Line, sent: u64, slots: u32) {
        let slots = u64::from(slots);
        let (row_firings, column_firings) = match line {
            Line::Column(_) => (sent, slots),
            Line::Row(_) => (slots, sent),
        };
        self.counts.pulses += sent;
        self.counts.line_slots += slots;
        self.counts.row_firings += row_firings;
        self.counts.column_firings += column_firings;
    }

    /// The pulses of one line; each takes the `xi` of its number.
    fn send_to_line(&mut self, line: Line, counts: &[i32], mut xi: impl FnMut(usize) -> f32) -> Result<()> {
        let (first, stride, _) = self.line(line)?;
        let (mut position, step) = (0, LINE_WRITES | (self.steps.line_pulse - 1));
        for (block, counts) in counts.chunks(LANES).enumerate() {
            // A transfer sends few pulses: most blocks have none.
            if counts.iter().fold(0, |any, n| any | n) == 0 {
                continue;
            }
            for (l, &n) in counts.iter().enumerate() {
                for _ in 0..n.unsigned_abs() {
                    let k = first + (block * LANES + l) * stride;
                    self.pulse_one(k, n > 0, xi(position), (step, position as u64));
                    position += 1;
                }
            }
        }
        Ok(())
    }

    /// One pulse to the device at position k of the array's order; `written` says where its write noise is.
    pub(super) fn pulse_one(&mut self, k: usize, up: bool, xi: f32, written: (u64, u64)) {
        if let Some(counters) = &mut self.pulse_counters {
            counters[k] = counters[k].saturating_add(1);
        }
        if self.faults.is_some() {
            return self.pulse_faulty(k, up, xi, written);
        }
        if self.pairs.is_some() {
            return self.pulse_pair(k, up, xi);
        }
        let r = self.reference.get(k).copied().unwrap_or(0.0);
        self.weights[k] = self.device.pulse(&self.points[k], self.weights[k] + r, up, xi) - r;
    }
}

/// All columns of an array as read `draw` outside training, row-major.
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
