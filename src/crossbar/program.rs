//! Programming weights into an array.

use super::{Crossbar, transpose};
use crate::device::Device;
use crate::error::{Error, Result, check_finite, check_len};
use crate::random::Operation;

/// How weights are written; each device ends within its own bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Programming {
    /// Each device takes its target, clipped to its bounds.
    Exact,
    /// Each target with an independent error N(0, σ²), then clipped.
    Error {
        /// σ, in units of weight.
        spread: f64,
    },
    /// Pulse after pulse towards the target, until within half a mean step or out of pulses; the
    /// verifying reads are exact (ours).
    Pulses {
        /// The most pulses per device.
        max_pulses: u32,
    },
}

impl<D: Device> Crossbar<D> {
    /// Sets the weights (array order), each clipped to what its device can hold.
    pub(super) fn hold(&mut self, weights: &[f32]) {
        for (k, &w) in weights.iter().enumerate() {
            let r = self.reference.get(k).copied().unwrap_or(0.0);
            let (lower, upper) = self.device.bounds(&self.points[k]);
            self.weights[k] = (w + r).max(lower).min(upper) - r;
        }
    }

    /// Writes `target` (row after row); returns the pulses sent.
    pub fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        check_len("target", target.len(), self.weights.len())?;
        check_finite("target", target)?;
        let mut target = transpose(target, self.cols, self.rows);
        let step = self.steps.program;
        self.steps.program += 1;
        match method {
            Programming::Exact => self.hold(&target),
            Programming::Error { spread } => {
                if !(0.0..=1e6).contains(&spread) {
                    return Err(Error::range("error", spread, "0 to 1000000"));
                }
                let mut xi = vec![0.0; target.len()];
                self.stream(Operation::Program, step).normals(0, &mut xi);
                target.iter_mut().zip(xi).for_each(|(w, xi)| *w += spread as f32 * xi);
                self.hold(&target);
            }
            Programming::Pulses { max_pulses } => return Ok(self.approach(&target, max_pulses, step)),
        }
        Ok(0)
    }

    /// Program and verify: device k takes its normals from the positions k·max_pulses onwards.
    fn approach(&mut self, target: &[f32], max_pulses: u32, step: u64) -> u64 {
        let stream = self.stream(Operation::Program, step);
        let near = 0.5 * self.device.step();
        let mut sent = 0;
        for (k, &w) in target.iter().enumerate() {
            for p in 0..max_pulses {
                let distance = w - self.weights[k];
                if distance.abs() <= near {
                    break;
                }
                let mut xi = [0.0];
                if self.device.noisy() {
                    stream.normals(k as u64 * u64::from(max_pulses) + u64::from(p), &mut xi);
                }
                self.pulse_one(k, distance > 0.0, xi[0]);
                sent += 1;
            }
        }
        self.counts.pulses += sent;
        sent
    }
}
