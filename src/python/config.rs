//! Settings in and out.

use super::errors::{given, shortened, unknown};
use crate::Workers;
use crate::crossbar::{IoSettings, Periphery, Programming, PulseTrains, Reference, Reliability};
use crate::device::{DeviceConfig, OneSidedPair, Spread};
use crate::error::Result;
use crate::kinds::{Family, Preset, kinds};
use crate::network::LayerConfig;
use crate::rule::{RuleConfig, Situation};
use crate::settings::{Limit, Settings};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyType};
use pythonize::{depythonize, pythonize};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Settings from a config dataclass or a dict; `None` gives the defaults.
pub(super) fn settings<T: DeserializeOwned>(value: Option<&Bound<'_, PyAny>>, what: &str) -> PyResult<Option<T>> {
    let Some(value) = value.filter(|value| !value.is_none()) else {
        return Ok(None);
    };
    let dict = as_dict(value)?;
    depythonize(&dict).map(Some).map_err(|e| PyValueError::new_err(shortened(format!("{what}: {e}"))))
}

fn as_dict<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if value.is_instance_of::<PyDict>() {
        return Ok(value.clone());
    }
    if value.is_instance_of::<PyType>() || !value.hasattr("__dataclass_fields__")? {
        let given = given(value);
        return Err(PyTypeError::new_err(format!("expected a config of tikitaka.config or a dict, got {given}")));
    }
    value.py().import("dataclasses")?.call_method1("asdict", (value,))
}

/// A whole number that fits its type: a negative or too large one is a TypeError, to which PyO3 adds the argument.
pub(super) fn whole<'py, T: for<'a> FromPyObject<'a, 'py>>(value: &Bound<'py, PyAny>) -> PyResult<T> {
    numeric(value, "a whole number from 0 to 2^64 - 1")
}

/// A number.
pub(super) fn real<'py, T: for<'a> FromPyObject<'a, 'py>>(value: &Bound<'py, PyAny>) -> PyResult<T> {
    numeric(value, "a number")
}

fn numeric<'py, T: for<'a> FromPyObject<'a, 'py>>(value: &Bound<'py, PyAny>, expected: &str) -> PyResult<T> {
    let number = if value.is_instance_of::<PyBool>() { None } else { value.extract().ok() };
    number.ok_or_else(|| PyTypeError::new_err(format!("expected {expected}, got {}", given(value))))
}

/// Whether a value is settings rather than an object with behaviour of its own.
pub(super) fn is_settings(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.is_instance_of::<PyDict>() || value.hasattr("__dataclass_fields__")?)
}

/// Pools by process and number of threads.
type Pools = HashMap<(u32, usize), Arc<Workers>>;

/// The pool of a number of threads, made once per process: the threads of a parent do not live in a forked child.
pub(super) fn workers(threads: usize) -> PyResult<Arc<Workers>> {
    static POOLS: OnceLock<Mutex<Pools>> = OnceLock::new();
    let mut pools = POOLS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let key = (std::process::id(), threads);
    if let Some(pool) = pools.get(&key) {
        return Ok(pool.clone());
    }
    let pool = Arc::new(Workers::new(threads)?.pausing(check_signals));
    pools.insert(key, pool.clone());
    Ok(pool)
}

/// Ctrl-C: what Python makes of it, on its main thread.
fn check_signals() -> Result<()> {
    Ok(Python::try_attach(|py| py.check_signals()).unwrap_or(Ok(()))?)
}

kinds! {
    /// What an array has besides its devices. In files these have no key "kind": each stands where nothing else can.
    enum PartConfig("part"): Settings {
        /// Converters, noise and managements of one direction.
        IoSettings(IoSettings) = "iosettings",
        /// Those of all directions.
        Periphery(Periphery) = "periphery",
        /// Stuck devices, wear, relaxation, write noise.
        Reliability(Reliability) = "reliability",
        /// Pulse trains.
        PulseTrains(PulseTrains) = "pulsetrains",
        /// The reference.
        Reference(Reference) = "reference",
        /// Spreads between devices.
        Spread(Spread) = "spread",
        /// Two devices per crosspoint.
        OneSidedPair(OneSidedPair) = "onesidedpair",
    }
}

/// A family of kinds as Python sees it.
struct Table {
    name: &'static str,
    kinds: fn() -> Vec<&'static str>,
    defaults: DefaultsOf,
    limits: fn(&str) -> Option<&'static [Limit]>,
    validate: fn(&Bound<'_, PyDict>, &str) -> PyResult<()>,
}

/// The default settings of a kind, as a dict.
type DefaultsOf = for<'py> fn(Python<'py>, &str) -> PyResult<Bound<'py, PyAny>>;

const FAMILIES: &[Table] =
    &[table::<DeviceConfig>(), table::<PartConfig>(), table::<RuleConfig>(), table::<LayerConfig>()];

const fn table<F: Family + Serialize + DeserializeOwned>() -> Table {
    Table {
        name: F::NAME,
        kinds: || F::KINDS.iter().map(|kind| kind.name).collect(),
        defaults: |py, name| {
            let default = F::KINDS.iter().find(|kind| kind.name == name).and_then(|kind| kind.default);
            let make = default.ok_or_else(|| PyValueError::new_err(format!("{name} has no defaults")))?;
            Ok(pythonize(py, &make())?)
        },
        limits: |name| F::KINDS.iter().find(|kind| kind.name == name).map(|kind| kind.limits),
        validate: |dict, name| {
            let settings: F =
                depythonize(dict).map_err(|e| PyValueError::new_err(shortened(format!("{name}: {e}"))))?;
            Ok(settings.validate()?)
        },
    }
}

/// The family that has a kind.
fn family_of(kind: &str) -> PyResult<&'static Table> {
    FAMILIES.iter().find(|table| (table.kinds)().contains(&kind)).ok_or_else(|| {
        let kinds: Vec<_> = FAMILIES.iter().flat_map(|table| (table.kinds)()).collect();
        unknown("kind", kind, &kinds)
    })
}

/// The kinds of a family ("device", "part", "rule" or "layer"), in order.
#[pyfunction]
pub(super) fn kinds(family: &str) -> PyResult<Vec<&'static str>> {
    FAMILIES.iter().find(|table| table.name == family).map(|table| (table.kinds)()).ok_or_else(|| {
        let families: Vec<_> = FAMILIES.iter().map(|table| table.name).collect();
        unknown("family", family, &families)
    })
}

/// The settings that have a name, of a "device", a "periphery" or a "reliability", as dicts by name.
#[pyfunction]
pub(super) fn presets<'py>(py: Python<'py>, family: &str) -> PyResult<Bound<'py, PyDict>> {
    fn listed<'py, T: Serialize>(py: Python<'py>, presets: &[Preset<T>]) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for preset in presets {
            dict.set_item(preset.name, pythonize(py, &(preset.make)())?)?;
        }
        Ok(dict)
    }
    match family {
        "device" => listed(py, DeviceConfig::PRESETS),
        "periphery" => listed(py, Periphery::PRESETS),
        "reliability" => listed(py, Reliability::PRESETS),
        other => Err(unknown("family", other, &["device", "periphery", "reliability"])),
    }
}

/// What the presets of a "device", a "periphery" or a "reliability" describe and where their numbers are from: (about, source) by name.
#[pyfunction]
pub(super) fn preset_sources(family: &str) -> PyResult<HashMap<&'static str, (&'static str, &'static str)>> {
    fn listed<T>(presets: &[Preset<T>]) -> HashMap<&'static str, (&'static str, &'static str)> {
        presets.iter().map(|preset| (preset.name, (preset.about, preset.source))).collect()
    }
    match family {
        "device" => Ok(listed(DeviceConfig::PRESETS)),
        "periphery" => Ok(listed(Periphery::PRESETS)),
        "reliability" => Ok(listed(Reliability::PRESETS)),
        other => Err(unknown("family", other, &["device", "periphery", "reliability"])),
    }
}

/// The mean device of a device config, as a dict of numbers in units of weight.
#[pyfunction]
pub(super) fn mean_device<'py>(py: Python<'py>, device: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let device: DeviceConfig = settings(Some(device), "device")?.unwrap_or_default();
    let mean = device.mean()?;
    let dict = PyDict::new(py);
    for (name, value) in [
        ("weight_step", mean.weight_step),
        ("lower_bound", mean.bounds.0),
        ("upper_bound", mean.bounds.1),
        ("up_step", mean.steps.0),
        ("down_step", mean.steps.1),
        ("symmetry_point", mean.symmetry_point),
        ("step_at_symmetry_point", mean.step_at_symmetry_point),
        ("noise_at_symmetry_point", mean.noise_at_symmetry_point),
    ] {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}

/// The default settings of a kind, as a dict.
#[pyfunction]
pub(super) fn defaults<'py>(py: Python<'py>, kind: &str) -> PyResult<Bound<'py, PyAny>> {
    let table = family_of(kind)?;
    let defaults = (table.defaults)(py, kind)?;
    if table.name == PartConfig::NAME {
        defaults.del_item("kind")?;
    }
    Ok(defaults)
}

/// The least and the largest value of every number of a kind.
#[pyfunction]
pub(super) fn bounds(kind: &str) -> PyResult<HashMap<&'static str, (f64, f64)>> {
    let limits = (family_of(kind)?.limits)(kind).unwrap_or_default();
    Ok(limits.iter().map(|limit| (limit.field, (limit.min, limit.max))).collect())
}

/// Raises a ValueError naming the field, its value and what is allowed, if the settings are not valid.
#[pyfunction]
pub(super) fn validate(kind: &str, config: &Bound<'_, PyAny>) -> PyResult<()> {
    let dict = as_dict(config)?.cast_into::<PyDict>()?.copy()?;
    dict.set_item("kind", kind)?;
    (family_of(kind)?.validate)(&dict, kind)
}

/// A way to write weights, by name.
pub(super) fn programming(method: &str, error: f64, max_pulses: u32) -> PyResult<Programming> {
    match method {
        "exact" => Ok(Programming::Exact),
        "error" => Ok(Programming::Error { spread: error }),
        "closed-loop" => Ok(Programming::ClosedLoop { max_pulses }),
        "open-loop" => Ok(Programming::OpenLoop { max_pulses }),
        other => Err(unknown("method", other, &["exact", "error", "closed-loop", "open-loop"])),
    }
}

/// A layer's settings.
pub(super) fn layer(value: &Bound<'_, PyAny>) -> PyResult<LayerConfig> {
    settings(Some(value), "layer")?.ok_or_else(|| PyValueError::new_err("a layer must be a layer config, not None"))
}

/// What the settings of a rule mean on a rows × cols array: (text, warnings).
#[pyfunction]
#[pyo3(signature = (rule, rows, cols, *, x=1.0, delta=0.1, samples=None, lr_scale=1.0))]
pub(super) fn describe(
    rule: &Bound<'_, PyAny>,
    #[pyo3(from_py_with = whole)] rows: usize,
    #[pyo3(from_py_with = whole)] cols: usize,
    #[pyo3(from_py_with = real)] x: f64,
    #[pyo3(from_py_with = real)] delta: f64,
    #[pyo3(from_py_with = whole)] samples: Option<u64>,
    #[pyo3(from_py_with = real)] lr_scale: f64,
) -> PyResult<(String, Vec<String>)> {
    let rule: RuleConfig =
        settings(Some(rule), "rule")?.ok_or_else(|| PyValueError::new_err("rule must be a rule, not None"))?;
    let described = rule.describe(&Situation { rows, cols, x, delta, samples, lr_scale });
    Ok(described.map(|d| (d.text, d.warnings))?)
}
