//! The state of a rule as named arrays, ready for any file format.

use crate::crossbar::{Array, Snapshot};
use crate::error::{Error, Result, check_finite};
use std::collections::BTreeMap;

/// Far more of anything than a training does, and far from where a counter would overflow.
const MOST: u64 = 1 << 62;

/// Named arrays of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Weights, buffers, averages.
    pub floats: BTreeMap<String, Vec<f32>>,
    /// Stream positions and counts.
    pub counters: BTreeMap<String, Vec<u64>>,
}

impl State {
    /// The floats of a name.
    ///
    /// # Errors
    /// There are none, or one is not finite.
    pub fn floats(&self, name: &str) -> Result<&[f32]> {
        let values = self.floats.get(name).ok_or_else(|| missing(name))?;
        check_finite("the state", values)?;
        Ok(values)
    }

    /// The counters of a name.
    ///
    /// # Errors
    /// There are none, or one is so high that it could not go on counting.
    pub fn counters(&self, name: &str) -> Result<&[u64]> {
        let values = self.counters.get(name).ok_or_else(|| missing(name))?;
        match values.iter().find(|&&count| count > MOST) {
            Some(&count) => Err(Error::range("a counter of the state", count as f64, "0 to 2^62")),
            None => Ok(values),
        }
    }

    /// Adds the snapshot of an array under `name`.
    pub fn add_array(&mut self, name: &str, array: &dyn Array) {
        let snapshot = array.snapshot();
        self.floats.insert(name.to_owned(), snapshot.weights);
        if !snapshot.reference.is_empty() {
            self.floats.insert(format!("{name}.reference"), snapshot.reference);
        }
        self.counters.insert(format!("{name}.counters"), snapshot.counters);
        if !snapshot.pulses.is_empty() {
            self.counters.insert(format!("{name}.pulses"), snapshot.pulses.into_iter().map(u64::from).collect());
        }
    }

    /// Puts what [`add_array`](State::add_array) wrote back into an array.
    pub fn restore_array(&self, name: &str, array: &mut dyn Array) -> Result<()> {
        let (reference, pulses) = (format!("{name}.reference"), format!("{name}.pulses"));
        let has_reference = self.floats.contains_key(&reference);
        let has_pulses = self.counters.contains_key(&pulses);
        let pulses = if has_pulses { self.counters(&pulses)? } else { &[] };
        array.restore(&Snapshot {
            weights: self.floats(name)?.to_vec(),
            reference: if has_reference { self.floats(&reference)?.to_vec() } else { Vec::new() },
            counters: self.counters(&format!("{name}.counters"))?.to_vec(),
            pulses: pulses.iter().map(|&n| u32::try_from(n).unwrap_or(u32::MAX)).collect(),
        })
    }
}

fn missing(name: &str) -> Error {
    Error::Conflict(format!("the state holds no {name:?}; it belongs to a network with other settings"))
}
