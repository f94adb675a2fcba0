//! The state of a rule as a dict of NumPy arrays, and back.

use super::arrays::{floats, kind};
use super::errors::shortened;
use crate::rule::State;
use crate::tensors::Tensor;
use numpy::{PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

/// A state as a dict.
pub(super) fn state_out(py: Python<'_>, state: State) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    add_state(&dict, "", state)?;
    Ok(dict)
}

/// Adds a state to a dict, each name after `prefix`.
pub(super) fn add_state(dict: &Bound<'_, PyDict>, prefix: &str, state: State) -> PyResult<()> {
    for (name, tensor) in state.floats {
        dict.set_item(format!("{prefix}{name}"), tensor_out(dict.py(), tensor)?)?;
    }
    for (name, tensor) in state.counters {
        dict.set_item(format!("{prefix}{name}"), tensor_out(dict.py(), tensor)?)?;
    }
    Ok(())
}

/// An array of the tensor's shape.
fn tensor_out<T: numpy::Element>(py: Python<'_>, tensor: Tensor<T>) -> PyResult<Bound<'_, PyAny>> {
    Ok(PyArray1::from_vec(py, tensor.values).reshape(tensor.shape)?.into_any())
}

/// The names after `prefix` of a mapping of arrays: floats, or unsigned integers as counters.
pub(super) fn state_in(mapping: &Bound<'_, PyMapping>, prefix: &str) -> PyResult<State> {
    let mut state = State::default();
    for item in mapping.items()?.iter() {
        let (name, value): (String, Bound<'_, PyAny>) = item.extract()?;
        let Some(name) = name.strip_prefix(prefix) else { continue };
        let value = value.py().import("numpy")?.call_method1("asarray", (value,))?;
        match kind(&value)?.as_str() {
            "f" => {
                let values = floats(&value, name)?;
                let (shape, values) = (values.shape().to_vec(), values.as_slice()?.to_vec());
                if let Some(value) = values.iter().find(|v| !v.is_finite()) {
                    let words = format!("{name} must hold finite numbers, not {value}");
                    return Err(PyValueError::new_err(shortened(words)));
                }
                state.floats.insert(name.to_owned(), Tensor { shape, values });
            }
            "u" => {
                let shape: Vec<usize> = value.getattr("shape")?.extract()?;
                let flat = value.call_method1("astype", ("uint64",))?.call_method0("ravel")?;
                state.counters.insert(name.to_owned(), Tensor { shape, values: flat.extract()? });
            }
            other => {
                let words = format!("{name} must be float32 or uint64, not of dtype kind {other}");
                return Err(PyTypeError::new_err(shortened(words)));
            }
        }
    }
    Ok(state)
}

/// Between the name of an array and its type, where that is another than states have: float32 or uint64.
const TYPE_SEPARATOR: char = '|';

/// A state of arrays of any real numbers, to the bit: what is not float32 or uint64 is stored as either, with its type
/// in its name.
pub(super) fn any_state_in(mapping: &Bound<'_, PyMapping>) -> PyResult<State> {
    let py = mapping.py();
    let (numpy, stored) = (py.import("numpy")?, PyDict::new(py));
    for item in mapping.items()?.iter() {
        let (name, value): (String, Bound<'_, PyAny>) = item.extract()?;
        let value = numpy.call_method1("array", (value,))?;
        let (kind, of): (_, String) = (kind(&value)?, value.getattr("dtype")?.getattr("name")?.extract()?);
        let typed = format!("{name}{TYPE_SEPARATOR}{of}");
        match (kind.as_str(), of.as_str()) {
            (_, "float32" | "uint64") => stored.set_item(name, value)?,
            (_, "float16") => stored.set_item(typed, value.call_method1("astype", ("float32",))?)?,
            (_, "float64") => stored.set_item(typed, value.call_method1("view", ("uint64",))?)?,
            ("b" | "i" | "u", _) => {
                let whole = value.call_method1("astype", ("int64",))?;
                stored.set_item(typed, whole.call_method1("view", ("uint64",))?)?;
            }
            _ => {
                let words = format!("{name} of a rule's state must hold real numbers, not {of}");
                return Err(PyTypeError::new_err(shortened(words)));
            }
        }
    }
    state_in(stored.as_mapping(), "")
}

/// The arrays that [`any_state_in`] took.
pub(super) fn any_state_out<'py>(py: Python<'py>, state: &State) -> PyResult<Bound<'py, PyDict>> {
    let arrays = PyDict::new(py);
    for (name, value) in state_out(py, state.clone())? {
        let name: String = name.extract()?;
        match name.split_once(TYPE_SEPARATOR) {
            None => arrays.set_item(name, value)?,
            Some((name, "float64")) => arrays.set_item(name, value.call_method1("view", ("float64",))?)?,
            Some((name, "float16")) => arrays.set_item(name, value.call_method1("astype", ("float16",))?)?,
            Some((name, of)) => {
                let whole = value.call_method1("view", ("int64",))?;
                arrays.set_item(name, whole.call_method1("astype", (of,))?)?;
            }
        }
    }
    Ok(arrays)
}
