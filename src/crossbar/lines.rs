//! Reading and writing one line: what a transfer does to A and to C.

use super::{Crossbar, Line};
use crate::device::Device;
use crate::error::{Result, check_len};
use crate::random::{Operation, Stream};
use crate::simd::LANES;

impl<D: Device> Crossbar<D> {
    /// Positions of a line's devices in the array's order: first, stride, count.
    fn line(&self, line: Line) -> Result<(usize, usize, usize)> {
        let count = line.values((self.rows, self.cols))?;
        Ok(match line {
            Line::Column(k) => (k * self.rows, 1, count),
            Line::Row(k) => (k, self.rows, count),
        })
    }

    /// v = ADC(W e_k + σ ξ) with the read periphery: O(devices of the line), since only one input is on.
    pub(super) fn line_through_periphery(&self, noise: Stream, line: Line, v: &mut [f32]) -> Result<()> {
        let (first, stride, count) = self.line(line)?;
        check_len("v", v.len(), count)?;
        for (k, v) in v.iter_mut().enumerate() {
            *v = self.weights[first + k * stride];
        }
        self.periphery.read.convert_line(&noise, v);
        Ok(())
    }

    /// Sends |n| pulses of the sign of n to each device of a line, one after another, each with its own
    /// ξ; returns how many.
    pub(super) fn send_to_line(&mut self, line: Line, counts: &[i32]) -> Result<u64> {
        let (first, stride, count) = self.line(line)?;
        check_len("counts", counts.len(), count)?;
        let sent: u64 = counts.iter().map(|n| u64::from(n.unsigned_abs())).sum();
        let stream = self.stream(Operation::LinePulse, self.steps.line_pulse);
        self.steps.line_pulse += 1;
        if sent == 0 {
            return Ok(0);
        }
        const BLOCK: usize = 64;
        let mut xi = [0.0; BLOCK];
        let mut position = 0;
        for (block, counts) in counts.chunks(LANES).enumerate() {
            // A transfer sends few pulses: most blocks have none.
            if counts.iter().fold(0, |any, n| any | n) == 0 {
                continue;
            }
            for (l, &n) in counts.iter().enumerate() {
                for _ in 0..n.unsigned_abs() {
                    if self.device.noisy() && position % BLOCK == 0 {
                        let rest = (sent - position as u64).min(BLOCK as u64);
                        stream.normals(position as u64, &mut xi[..rest as usize]);
                    }
                    self.pulse_one(first + (block * LANES + l) * stride, n > 0, xi[position % BLOCK]);
                    position += 1;
                }
            }
        }
        Ok(sent)
    }

    /// One pulse to the device at position k of the array's order.
    pub(super) fn pulse_one(&mut self, k: usize, up: bool, xi: f32) {
        let r = self.reference.get(k).copied().unwrap_or(0.0);
        self.weights[k] = self.device.pulse(&self.points[k], self.weights[k] + r, up, xi) - r;
        if let Some(counters) = &mut self.pulse_counters {
            counters[k] = counters[k].saturating_add(1);
        }
    }
}
