//! The state of a rule as named arrays, ready for any file format.

use crate::check::check_finite;
use crate::crossbar::{Array, PAIR, Snapshot};
use crate::error::{Error, Result};
use crate::ledger::Work;
use crate::origin::{Origin, check_settings, fingerprint};
use crate::tensors::Tensor;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Far more of anything than a training does, and far from where a counter would overflow.
const MAX_COUNT: u64 = 1 << 62;

/// The name, in the state of a rule, of the network or layer that it belongs to. Rules may ignore it.
pub const ORIGIN: &str = "from";

/// The name of the fingerprint of a rule's settings.
const SETTINGS: &str = "settings";

/// Named arrays of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Weights, buffers, averages.
    pub floats: BTreeMap<String, Tensor<f32>>,
    /// Stream positions and counts.
    pub counters: BTreeMap<String, Tensor<u64>>,
}

impl State {
    /// Adds floats of a shape.
    pub fn add_floats(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        self.floats.insert(name.to_owned(), Tensor { shape: shape.to_vec(), values });
    }

    /// Adds counters of a shape.
    pub fn add_counters(&mut self, name: &str, shape: &[usize], values: Vec<u64>) {
        self.counters.insert(name.to_owned(), Tensor { shape: shape.to_vec(), values });
    }

    /// Adds one float.
    pub fn add_float(&mut self, name: &str, value: f32) {
        self.add_floats(name, &[], vec![value]);
    }

    /// Adds one counter.
    pub fn add_count(&mut self, name: &str, count: u64) {
        self.add_counters(name, &[], vec![count]);
    }

    /// The floats of a name.
    ///
    /// # Errors
    /// There are none, or one is not finite.
    pub fn floats(&self, name: &str) -> Result<&[f32]> {
        let values = &self.floats.get(name).ok_or_else(|| missing(name))?.values;
        check_finite("the state", values)?;
        Ok(values)
    }

    /// The floats of a name, one per crosspoint of `rows` × `cols`.
    ///
    /// # Errors
    /// Those of [`floats`](State::floats), or another shape.
    pub fn matrix(&self, name: &str, (rows, cols): (usize, usize)) -> Result<&[f32]> {
        let values = self.floats(name)?;
        check_tensor(name, &self.floats[name], (rows, cols))?;
        Ok(values)
    }

    /// The counters of a name.
    ///
    /// # Errors
    /// There are none, or one is so high that counting could overflow.
    pub fn counters(&self, name: &str) -> Result<&[u64]> {
        let values = &self.counters.get(name).ok_or_else(|| missing(name))?.values;
        match values.iter().find(|&&count| count > MAX_COUNT) {
            Some(&count) => Err(Error::range(name, count as f64, "from 0 to 2^62")),
            None => Ok(values),
        }
    }

    /// The one float of a name.
    ///
    /// # Errors
    /// Those of [`floats`](State::floats), or more or less than one.
    pub fn float(&self, name: &str) -> Result<f32> {
        one(name, self.floats(name)?)
    }

    /// The one counter of a name.
    ///
    /// # Errors
    /// Those of [`counters`](State::counters), or more or less than one.
    pub fn count(&self, name: &str) -> Result<u64> {
        one(name, self.counters(name)?)
    }

    /// Adds what the state belongs to, as `name`.
    pub fn add_origin(&mut self, name: &str, origin: Origin) {
        self.add_counters(name, &[3], origin.values());
    }

    /// What the state says under `name` that it belongs to; `None` for a state that does not say.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn origin(&self, name: &str) -> Result<Option<Origin>> {
        let Some(values) = self.counters.get(name) else { return Ok(None) };
        let odd = || Error::Conflict(format!("{name} of the state must be three numbers, not {}", values.values.len()));
        Origin::of(&values.values).map(Some).ok_or_else(odd)
    }

    /// Adds the fingerprint of the settings that the state belongs to.
    pub fn add_settings(&mut self, settings: &dyn Debug) {
        self.add_fingerprint(fingerprint(settings));
    }

    /// Requires that the state belongs to these settings of `what`, or does not say.
    ///
    /// # Errors
    /// Other settings.
    pub fn check_settings(&self, what: &str, settings: &dyn Debug) -> Result<()> {
        self.check_fingerprint(what, fingerprint(settings))
    }

    pub(super) fn add_fingerprint(&mut self, fingerprint: u64) {
        self.add_count(SETTINGS, fingerprint);
    }

    pub(super) fn check_fingerprint(&self, what: &str, fingerprint: u64) -> Result<()> {
        match self.counters.get(SETTINGS) {
            Some(given) => check_settings(what, fingerprint, one(SETTINGS, &given.values)?),
            None => Ok(()),
        }
    }

    /// Adds digital work.
    pub(super) fn add_work(&mut self, work: Work) {
        self.add_count("digital_operations", work.operations);
        self.add_count("buffer_accesses", work.accesses);
    }

    /// The work that [`add_work`](State::add_work) added.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn work(&self) -> Result<Work> {
        Ok(Work { operations: self.count("digital_operations")?, accesses: self.count("buffer_accesses")? })
    }

    /// Adds the snapshot of an array: weights as `name`, the rest as `name.origin`, `name.reference`,
    /// `name.positions.forward`, …, `name.counts.pulses`, …, `name.pulses`.
    pub fn add_array(&mut self, name: &str, array: &dyn Array) {
        let (rows, cols) = array.shape();
        let mut snapshot = array.snapshot();
        self.add_floats(name, &[rows, cols], snapshot.weights);
        if let Some(origin) = snapshot.origin {
            self.add_origin(&format!("{name}.origin"), origin);
        }
        if !snapshot.reference.is_empty() {
            self.add_floats(&format!("{name}.reference"), &[rows, cols], snapshot.reference);
        }
        if !snapshot.persistent.is_empty() {
            self.add_floats(&format!("{name}.persistent"), &[rows, cols], snapshot.persistent);
        }
        for (which, states) in PAIR.into_iter().zip(snapshot.pairs.into_iter().flatten()) {
            self.add_floats(&format!("{name}.{which}"), &[rows, cols], states);
        }
        for (field, &mut position) in snapshot.positions.fields() {
            self.add_count(&format!("{name}.positions.{field}"), position);
        }
        for (field, &mut count) in snapshot.counts.fields() {
            self.add_count(&format!("{name}.counts.{field}"), count);
        }
        if !snapshot.pulses.is_empty() {
            let pulses = snapshot.pulses.into_iter().map(u64::from).collect();
            self.add_counters(&format!("{name}.pulses"), &[rows, cols], pulses);
        }
    }

    /// The snapshot that [`add_array`](State::add_array) added, which `array` will accept.
    ///
    /// # Errors
    /// Something is missing or does not fit the array.
    pub fn array(&self, name: &str, array: &dyn Array) -> Result<Snapshot> {
        let mut snapshot = Snapshot {
            origin: self.origin(&format!("{name}.origin"))?,
            weights: self.matrix(name, array.shape())?.to_vec(),
            ..Snapshot::default()
        };
        let (reference, pulses) = (format!("{name}.reference"), format!("{name}.pulses"));
        let persistent = format!("{name}.persistent");
        if self.floats.contains_key(&persistent) {
            snapshot.persistent = self.matrix(&persistent, array.shape())?.to_vec();
        }
        let [plus, minus] = PAIR.map(|which| format!("{name}.{which}"));
        if self.floats.contains_key(&plus) {
            let states = |name: &str| Ok::<_, Error>(self.matrix(name, array.shape())?.to_vec());
            snapshot.pairs = Some([states(&plus)?, states(&minus)?]);
        }
        if self.floats.contains_key(&reference) {
            snapshot.reference = self.matrix(&reference, array.shape())?.to_vec();
        }
        if self.counters.contains_key(&pulses) {
            let pulses = self.counters(&pulses)?.iter();
            snapshot.pulses = pulses.map(|&n| u32::try_from(n).unwrap_or(u32::MAX)).collect();
        }
        for (field, position) in snapshot.positions.fields() {
            *position = self.count(&format!("{name}.positions.{field}"))?;
        }
        for (field, count) in snapshot.counts.fields() {
            *count = self.count(&format!("{name}.counts.{field}"))?;
        }
        array.check(&snapshot)?;
        Ok(snapshot)
    }
}

/// Requires one value per crosspoint of `rows` × `cols`.
pub(super) fn check_tensor<T>(name: &str, tensor: &Tensor<T>, (rows, cols): (usize, usize)) -> Result<()> {
    let Tensor { shape, values } = tensor;
    if *shape == [rows, cols] && values.len() == rows * cols {
        return Ok(());
    }
    Err(Error::Conflict(format!("{name} of the state must have shape [{rows}, {cols}], not {shape:?}")))
}

fn one<T: Copy>(name: &str, values: &[T]) -> Result<T> {
    match values {
        &[value] => Ok(value),
        _ => Err(Error::Conflict(format!("{name} of the state must be one number, not {}", values.len()))),
    }
}

fn missing(name: &str) -> Error {
    Error::Conflict(format!("the state must contain {name:?}, which a network with these settings has"))
}
