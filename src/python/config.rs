//! Settings in and out, and errors out.

use crate::Workers;
use crate::crossbar::{IoSettings, Periphery, Programming, PulseTrains, Reference};
use crate::device::{ConstantStep, DeviceConfig, SoftBounds};
use crate::error::{Error, Limit, Result};
use crate::network::LayerConfig;
use crate::rule::{AnalogSgd, DigitalSgd, RuleConfig, Ttv1, Ttv2};
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use pythonize::{depythonize, pythonize};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Bad inputs become a ValueError; what user code raised comes back as it was.
pub(super) fn map_error(error: Error) -> PyErr {
    match error {
        Error::Foreign(inner) => match inner.downcast::<PyErr>() {
            Ok(raised) => *raised,
            Err(other) => PyValueError::new_err(other.to_string()),
        },
        error @ Error::Memory { .. } => PyMemoryError::new_err(error.to_string()),
        error => PyValueError::new_err(error.to_string()),
    }
}

/// An exception of Python code inside a rule.
pub(super) fn foreign(raised: PyErr) -> Error {
    Error::Foreign(Box::new(raised))
}

/// Settings from a config dataclass or a dict; `None` gives the defaults.
pub(super) fn settings<T: DeserializeOwned>(value: Option<&Bound<'_, PyAny>>, what: &str) -> PyResult<Option<T>> {
    let Some(value) = value.filter(|value| !value.is_none()) else {
        return Ok(None);
    };
    let dict = as_dict(value)?;
    depythonize(&dict).map(Some).map_err(|e| PyValueError::new_err(format!("{what}: {e}")))
}

fn as_dict<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if value.is_instance_of::<PyDict>() {
        return Ok(value.clone());
    }
    if value.is_instance_of::<PyType>() || !value.hasattr("__dataclass_fields__")? {
        let given = value.repr()?;
        return Err(PyTypeError::new_err(format!(
            "{given} is no config; one of tikitaka's config classes or a dict needed"
        )));
    }
    value.py().import("dataclasses")?.call_method1("asdict", (value,))
}

/// A whole number that fits its type: a negative or too large one is a TypeError, which names its argument.
pub(super) fn whole<'py, T: for<'a> FromPyObject<'a, 'py>>(value: &Bound<'py, PyAny>) -> PyResult<T> {
    value.extract().map_err(|_| {
        let given = value.repr().map_or_else(|_| "?".to_owned(), |r| r.to_string());
        PyTypeError::new_err(format!("{given}; a whole number of 0 or more needed, not beyond 64 bits"))
    })
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
    let pool = Arc::new(Workers::new(threads).map_err(map_error)?);
    pools.insert(key, pool.clone());
    Ok(pool)
}

/// The built-in settings structs, one arm per kind.
macro_rules! by_kind {
    ($kind:expr, $call:ident) => {
        match $kind {
            "soft-bounds" => $call!(SoftBounds, DeviceConfig::SoftBounds, SoftBounds::LIMITS),
            "constant-step" => $call!(ConstantStep, DeviceConfig::ConstantStep, ConstantStep::LIMITS),
            "float" => $call!(DigitalSgd, RuleConfig::DigitalSgd, DigitalSgd::LIMITS),
            "sgd" => $call!(AnalogSgd, RuleConfig::AnalogSgd, AnalogSgd::LIMITS),
            "ttv1" => $call!(Ttv1, RuleConfig::Ttv1, Ttv1::LIMITS),
            "ttv2" => $call!(Ttv2, RuleConfig::Ttv2, Ttv2::LIMITS),
            "iosettings" => $call!(IoSettings, std::convert::identity, IoSettings::LIMITS),
            "periphery" => $call!(Periphery, std::convert::identity, NO_LIMITS),
            "pulsetrains" => $call!(PulseTrains, std::convert::identity, PulseTrains::LIMITS),
            "reference" => $call!(Reference, std::convert::identity, Reference::LIMITS),
            other => Err(PyValueError::new_err(format!(
                "kind is {other:?}; allowed: soft-bounds, constant-step, iosettings, periphery, pulsetrains, reference, float, sgd, ttv1, ttv2"
            ))),
        }
    };
}

const NO_LIMITS: &[Limit<Periphery>] = &[];

/// The default settings of a kind, as a dict.
#[pyfunction]
pub(super) fn defaults<'py>(py: Python<'py>, kind: &str) -> PyResult<Bound<'py, PyAny>> {
    macro_rules! call {
        ($settings:ty, $wrap:path, $limits:expr) => {
            pythonize(py, &$wrap(<$settings>::default())).map_err(PyErr::from)
        };
    }
    by_kind!(kind, call)
}

/// The least and the largest value of every number of a kind.
#[pyfunction]
pub(super) fn bounds(kind: &str) -> PyResult<HashMap<&'static str, (f64, f64)>> {
    macro_rules! call {
        ($settings:ty, $wrap:path, $limits:expr) => {
            Ok($limits.iter().map(|limit| (limit.field, (limit.min, limit.max))).collect())
        };
    }
    by_kind!(kind, call)
}

/// Raises a ValueError naming the field, its value and what is allowed, if the settings are not valid.
#[pyfunction]
pub(super) fn validate(kind: &str, config: &Bound<'_, PyAny>) -> PyResult<()> {
    if ["linear", "conv2d", "lstm", "max-pool2d", "flatten"].contains(&kind) {
        return layer(config)?.validate().map_err(map_error);
    }
    let dict = as_dict(config)?.cast_into::<PyDict>()?.copy()?;
    if dict.contains("kind")? {
        dict.del_item("kind")?;
    }
    macro_rules! call {
        ($settings:ty, $wrap:path, $limits:expr) => {{
            let settings: $settings = depythonize(&dict).map_err(|e| PyValueError::new_err(format!("{kind}: {e}")))?;
            settings.validate().map_err(map_error)
        }};
    }
    by_kind!(kind, call)
}

/// A way to write weights, by name.
pub(super) fn programming(method: &str, error: f64, max_pulses: u32) -> PyResult<Programming> {
    match method {
        "exact" => Ok(Programming::Exact),
        "error" => Ok(Programming::Error { spread: error }),
        "closed-loop" => Ok(Programming::ClosedLoop { max_pulses }),
        "open-loop" => Ok(Programming::OpenLoop { max_pulses }),
        other => {
            Err(PyValueError::new_err(format!("method is {other:?}; allowed: exact, error, closed-loop, open-loop")))
        }
    }
}

/// A layer's settings.
pub(super) fn layer(value: &Bound<'_, PyAny>) -> PyResult<LayerConfig> {
    settings(Some(value), "layer")?.ok_or_else(|| PyValueError::new_err("a layer is None"))
}

/// What the settings of a rule mean on a rows × cols array: (text, warnings).
#[pyfunction]
#[pyo3(signature = (rule, rows, cols, *, x=1.0, delta=0.1, samples=None, lr_scale=1.0))]
pub(super) fn describe(
    rule: &Bound<'_, PyAny>,
    #[pyo3(from_py_with = whole)] rows: usize,
    #[pyo3(from_py_with = whole)] cols: usize,
    x: f64,
    delta: f64,
    #[pyo3(from_py_with = whole)] samples: Option<u64>,
    lr_scale: f64,
) -> PyResult<(String, Vec<String>)> {
    let rule: RuleConfig =
        settings(Some(rule), "rule")?.ok_or_else(|| PyValueError::new_err("rule is None; a rule needed"))?;
    let described: Result<_> = crate::rule::describe(&rule, rows, cols, x, delta, samples, lr_scale);
    described.map(|d| (d.text, d.warnings)).map_err(map_error)
}
