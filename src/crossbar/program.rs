//! Programming weights into an array.

use super::faults::PROGRAMMING_WRITES;
use super::{Crossbar, transpose};
use crate::check::{check_finite, check_len, check_range};
use crate::device::Device;
use crate::error::Result;
use crate::random::{Operation, Stream};
use serde::Serialize;

/// The most pulses that programming sends to one device.
const MAX_PULSES: f64 = 1e6;

/// The write noise of pulse p to device k: its stream and its place there.
fn written(step: u64, k: usize, p: u32, max_pulses: u32) -> (u64, u64) {
    (PROGRAMMING_WRITES | step, k as u64 * u64::from(max_pulses) + u64::from(p))
}

/// How weights are written; each device ends within its own bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
pub enum Programming {
    /// Each device takes its target, clipped to its bounds.
    Exact,
    /// Each target with an independent error N(0, σ²), then clipped.
    Error {
        /// σ, in units of weight.
        #[serde(rename = "error")]
        spread: f64,
    },
    /// Pulse after pulse towards the target, until within half a mean step or out of pulses; the
    /// verifying reads are exact (ours).
    ClosedLoop {
        /// The most pulses per device.
        max_pulses: u32,
    },
    /// As many pulses as the mean device without noise needs to come within half a mean step of the
    /// target, sent without looking (ours).
    OpenLoop {
        /// The most pulses per device.
        max_pulses: u32,
    },
}

impl<D: Device> Crossbar<D> {
    /// Sets the weights (array order), each clipped to what its device can hold.
    pub(super) fn hold(&mut self, weights: &[f32]) {
        for (k, &w) in weights.iter().enumerate() {
            if self.faults.as_ref().is_some_and(|faults| faults.is_stuck(k)) {
                continue;
            }
            if self.pairs.is_some() {
                self.hold_pair(k, w);
                continue;
            }
            let r = self.reference.get(k).copied().unwrap_or(0.0);
            let (lower, upper) = self.device.bounds(&self.points[k]);
            self.weights[k] = (w + r).max(lower).min(upper) - r;
            if let Some(persistent) = self.faults.as_mut().and_then(|faults| faults.persistent.get_mut(k)) {
                *persistent = self.weights[k];
            }
        }
    }

    /// [`Array::program`](super::Array::program).
    pub(super) fn write(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        check_len("target", target.len(), self.weights.len())?;
        check_finite("target", target)?;
        let mut target = transpose(target, self.cols, self.rows);
        if let Programming::ClosedLoop { max_pulses } | Programming::OpenLoop { max_pulses } = method {
            check_range("max_pulses", f64::from(max_pulses), 0.0, MAX_PULSES)?;
        }
        let step = self.steps.program;
        self.steps.program += 1;
        match method {
            Programming::Exact => self.hold(&target),
            Programming::Error { spread } => {
                check_range("error", spread, 0.0, 1e6)?;
                let mut xi = vec![0.0; target.len()];
                self.stream(Operation::Program, step).normals(0, &mut xi);
                target.iter_mut().zip(xi).for_each(|(w, xi)| *w += spread as f32 * xi);
                self.hold(&target);
            }
            Programming::ClosedLoop { max_pulses } => return Ok(self.approach(&target, max_pulses, step)),
            Programming::OpenLoop { max_pulses } => return Ok(self.send_blindly(&target, max_pulses, step)),
        }
        Ok(0)
    }

    /// The noise of pulse p to device k: no two pulses of one programming share a normal.
    fn programming_noise(&self, stream: &Stream, k: usize, p: u32, max_pulses: u32) -> f32 {
        let mut xi = [0.0];
        if self.device.noisy() {
            stream.normals(k as u64 * u64::from(max_pulses) + u64::from(p), &mut xi);
        }
        xi[0]
    }

    /// Program and verify.
    fn approach(&mut self, target: &[f32], max_pulses: u32, step: u64) -> u64 {
        let stream = self.stream(Operation::Program, step);
        let near = 0.5 * self.mean_step();
        let mut sent = self.reset_pairs(step);
        for (k, &w) in target.iter().enumerate() {
            for p in 0..max_pulses {
                let distance = w - self.weights[k];
                if distance.abs() <= near {
                    break;
                }
                let xi = self.programming_noise(&stream, k, p, max_pulses);
                self.pulse_one(k, distance > 0.0, xi, written(step, k, p, max_pulses));
                sent += 1;
            }
        }
        self.counts.pulses += sent;
        sent
    }

    /// Counts the pulses on the mean device, then sends as many to the real one.
    fn send_blindly(&mut self, target: &[f32], max_pulses: u32, step: u64) -> u64 {
        let stream = self.stream(Operation::Program, step);
        let near = 0.5 * self.mean_step();
        let mean = self.device.mean();
        let mut sent = self.reset_pairs(step);
        for (k, &target) in target.iter().enumerate() {
            if self.pairs.is_some() {
                let w = target + self.reference.get(k).copied().unwrap_or(0.0);
                let place = |p: u64| k as u64 * u64::from(max_pulses) + p;
                sent += self.raise(k, w, u64::from(max_pulses), |p| {
                    let mut xi = [0.0];
                    stream.normals(place(p), &mut xi);
                    xi[0]
                });
                continue;
            }
            let mut w = self.weights[k];
            let up = target > w;
            for p in 0..max_pulses {
                let distance = target - w;
                if distance.abs() <= near || (distance > 0.0) != up {
                    break;
                }
                w = self.device.pulse(&mean, w, up, 0.0);
                let xi = self.programming_noise(&stream, k, p, max_pulses);
                self.pulse_one(k, up, xi, written(step, k, p, max_pulses));
                sent += 1;
            }
        }
        self.counts.pulses += sent;
        sent
    }
}
