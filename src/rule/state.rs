//! The state of a rule as named arrays, ready for any file format.

use crate::crossbar::{Array, Snapshot};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

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
    pub fn floats(&self, name: &str) -> Result<&[f32]> {
        self.floats.get(name).map(Vec::as_slice).ok_or_else(|| missing(name))
    }

    /// The counters of a name.
    pub fn counters(&self, name: &str) -> Result<&[u64]> {
        self.counters.get(name).map(Vec::as_slice).ok_or_else(|| missing(name))
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
        let pulses = self.counters.get(&format!("{name}.pulses"));
        array.restore(&Snapshot {
            weights: self.floats(name)?.to_vec(),
            reference: self.floats.get(&format!("{name}.reference")).cloned().unwrap_or_default(),
            counters: self.counters(&format!("{name}.counters"))?.to_vec(),
            pulses: pulses.map(|p| p.iter().map(|&n| n as u32).collect()).unwrap_or_default(),
        })
    }
}

fn missing(name: &str) -> Error {
    Error::Conflict(format!("the state holds no {name:?}; it belongs to a network with other settings"))
}
