//! A look into an array that no hardware allows: for experiments and tests.

use super::{Crossbar, transpose};
use crate::check::check_len;
use crate::device::Device;
use crate::error::{Error, Result};

/// Pulse trains: whether each row and each column fires, slot after slot.
pub type TrainSlots = (Vec<bool>, Vec<bool>);

/// Inspection of an array. Values per crosspoint are row-major, in units of weight.
///
/// An array without devices of its own needs none of it: by default there is nothing to see and nothing to set.
pub trait Inspect {
    /// The reference that states are read against; zeros, or no values at all, if there is none.
    fn reference(&self) -> Vec<f32> {
        Vec::new()
    }

    /// Sets the reference; the states stay, so the weights move by the difference.
    ///
    /// # Errors
    /// A reference of another length or not finite, or an array that has none.
    fn set_reference(&mut self, _reference: &[f32]) -> Result<()> {
        Err(missing("no reference to set"))
    }

    /// Alternates up and down pulses, then takes the states reached as reference.
    ///
    /// # Errors
    /// An array that has no reference.
    fn zero_shift(&mut self, _pulses: u32) -> Result<()> {
        Err(missing("no reference to find"))
    }

    /// The states at which an up and a down step cancel on average; empty if there are none.
    fn symmetry_points(&self) -> Vec<f32> {
        Vec::new()
    }

    /// Device constants by name, symmetry points among them.
    fn device_parameters(&self) -> Vec<(String, Vec<f32>)> {
        Vec::new()
    }

    /// g⁺ and g⁻ of one-sided pairs; `None` for an array of single devices.
    fn pair(&self) -> Option<[Vec<f32>; 2]> {
        None
    }

    /// Pulses that each crosspoint has received, if they are counted.
    fn pulse_counters(&self) -> Option<Vec<u32>> {
        None
    }

    /// The pulse trains that the next update with these signals would send; no state changes.
    ///
    /// # Errors
    /// Signals of another length, or an array that sends none.
    fn next_pulse_trains(&self, _x: &[f32], _delta: &[f32], _lr: f32) -> Result<TrainSlots> {
        Err(missing("no pulse trains"))
    }
}

fn missing(what: &str) -> Error {
    Error::Conflict(format!("the array has {what}"))
}

impl<D: Device> Inspect for Crossbar<D> {
    fn reference(&self) -> Vec<f32> {
        if self.reference.is_empty() {
            return vec![0.0; self.weights.len()];
        }
        transpose(&self.reference, self.rows, self.cols)
    }

    fn set_reference(&mut self, reference: &[f32]) -> Result<()> {
        Self::set_reference(self, reference)
    }

    fn zero_shift(&mut self, pulses: u32) -> Result<()> {
        Self::zero_shift(self, pulses)
    }

    fn symmetry_points(&self) -> Vec<f32> {
        self.by_rows(|k| self.symmetry_point(k))
    }

    fn device_parameters(&self) -> Vec<(String, Vec<f32>)> {
        let names: Vec<_> = self.device.parameters(&self.points[0]).into_iter().map(|(name, _)| name).collect();
        let of = |points: &[D::Point], prefix: &str| {
            let named = |(p, name): (usize, &&str)| {
                (format!("{prefix}{name}"), self.by_rows(|k| self.device.parameters(&points[k])[p].1))
            };
            names.iter().enumerate().map(named).collect::<Vec<_>>()
        };
        let mut all = match &self.pairs {
            None => of(&self.points, ""),
            Some(pairs) => {
                let both = pairs.with(&self.device, &self.points);
                let whole = [
                    ("up_step".to_owned(), self.by_rows(|k| both.steps(k)[0])),
                    ("down_step".to_owned(), self.by_rows(|k| both.steps(k)[1])),
                    ("upper_bound".to_owned(), self.by_rows(|k| both.ranges(k)[0])),
                    ("lower_bound".to_owned(), self.by_rows(|k| -both.ranges(k)[1])),
                ];
                [whole.to_vec(), of(&self.points, "plus_"), of(pairs.points(), "minus_")].concat()
            }
        };
        all.push(("symmetry_point".to_owned(), self.symmetry_points()));
        all
    }

    fn pair(&self) -> Option<[Vec<f32>; 2]> {
        let pairs = self.pairs.as_ref()?;
        Some([&pairs.plus, &pairs.minus].map(|g| self.by_rows(|k| g[k])))
    }

    fn pulse_counters(&self) -> Option<Vec<u32>> {
        self.pulse_counters.as_ref().map(|counters| transpose(counters, self.rows, self.cols))
    }

    fn next_pulse_trains(&self, x: &[f32], delta: &[f32], lr: f32) -> Result<TrainSlots> {
        check_len("x", x.len(), self.cols)?;
        check_len("delta", delta.len(), self.rows)?;
        Ok(Self::next_pulse_trains(self, x, delta, lr))
    }
}
