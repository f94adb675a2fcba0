//! Pickling: what makes an object again, and its state with the version of this format.

use super::errors::given;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

/// The version of the format.
const VERSION: u64 = 1;

/// Its name in a pickled state; no array can have it.
const FORMAT: &str = "format";

/// A state to pickle.
pub(super) fn pickled<'py>(state: Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    state.set_item(FORMAT, VERSION)?;
    Ok(state)
}

/// The state that [`pickled`] made, without the version.
pub(super) fn unpickled<'py>(pickled: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyMapping>> {
    let version = pickled.get_item(FORMAT)?.map(|version| version.extract::<u64>()).transpose();
    if !matches!(version, Ok(Some(VERSION))) {
        let given = pickled.get_item(FORMAT)?.map_or("none".to_owned(), |version| given(&version));
        return Err(PyValueError::new_err(format!("the pickle must be of format version {VERSION}, not {given}")));
    }
    let state = pickled.copy()?;
    state.del_item(FORMAT)?;
    Ok(state.into_mapping())
}
