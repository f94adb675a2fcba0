//! The state of a rule as a dict of NumPy arrays, and back.

use super::arrays::floats;
use crate::rule::State;
use crate::tensors::Tensor;
use numpy::{PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

/// Adds a state to a dict, each name after `prefix`.
pub(super) fn state_out(dict: &Bound<'_, PyDict>, prefix: &str, state: State) -> PyResult<()> {
    for (name, tensor) in state.floats {
        dict.set_item(format!("{prefix}{name}"), tensor_out(dict.py(), tensor)?)?;
    }
    for (name, tensor) in state.counters {
        dict.set_item(format!("{prefix}{name}"), tensor_out(dict.py(), tensor)?)?;
    }
    Ok(())
}

/// An array of the tensor's shape.
pub(super) fn tensor_out<T: numpy::Element>(py: Python<'_>, tensor: Tensor<T>) -> PyResult<Bound<'_, PyAny>> {
    Ok(PyArray1::from_vec(py, tensor.values).reshape(tensor.shape)?.into_any())
}

/// The names after `prefix` of a mapping of arrays: floats, or unsigned integers as counters.
pub(super) fn state_in(mapping: &Bound<'_, PyMapping>, prefix: &str) -> PyResult<State> {
    let mut state = State::default();
    for item in mapping.items()?.iter() {
        let (name, value): (String, Bound<'_, PyAny>) = item.extract()?;
        let Some(name) = name.strip_prefix(prefix) else { continue };
        let value = value.py().import("numpy")?.call_method1("asarray", (value,))?;
        let kind: String = value.getattr("dtype")?.getattr("kind")?.extract()?;
        match kind.as_str() {
            "f" => {
                let values = floats(&value, name)?;
                let (shape, values) = (values.shape().to_vec(), values.as_slice()?.to_vec());
                if let Some(value) = values.iter().find(|v| !v.is_finite()) {
                    return Err(PyValueError::new_err(format!("{name} must hold finite numbers, not {value}")));
                }
                state.floats.insert(name.to_owned(), Tensor { shape, values });
            }
            "u" => {
                let shape: Vec<usize> = value.getattr("shape")?.extract()?;
                let flat = value.call_method1("astype", ("uint64",))?.call_method0("ravel")?;
                state.counters.insert(name.to_owned(), Tensor { shape, values: flat.extract()? });
            }
            other => {
                return Err(PyTypeError::new_err(format!(
                    "{name} must be float32 or uint64, not of dtype kind {other}"
                )));
            }
        }
    }
    Ok(state)
}
