//! Arrays and settings on disk, written whole or not at all.

use super::state::{state_in, state_out};
use crate::rule::State;
use crate::tensors::{Arrays, decode, encode};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use pythonize::depythonize;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes float32 and uint64 arrays with string metadata as safetensors: to a temporary file beside
/// `path`, synced, then renamed.
#[pyfunction]
pub(super) fn save_tensors(
    path: PathBuf,
    tensors: &Bound<'_, PyMapping>,
    metadata: HashMap<String, String>,
) -> PyResult<()> {
    let state = state_in(tensors, "")?;
    let arrays = Arrays { floats: state.floats, counters: state.counters, metadata };
    let bytes = encode(&arrays)?;
    replace(&path, &bytes).map_err(|e| PyOSError::new_err((e.raw_os_error(), e.to_string(), path)))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        // What is left of a failed write is no use to anyone.
        let _ = fs::remove_file(&temporary);
    }
    done
}

/// Reads what `save_tensors` wrote: (arrays by name, metadata).
#[pyfunction]
pub(super) fn load_tensors(py: Python<'_>, path: PathBuf) -> PyResult<(Bound<'_, PyDict>, HashMap<String, String>)> {
    let bytes = fs::read(&path).map_err(|e| PyOSError::new_err((e.raw_os_error(), e.to_string(), path.clone())))?;
    let arrays = decode(&bytes).map_err(|e| PyValueError::new_err(format!("{} is {e}", path.display())))?;
    Ok((state_out(py, State { floats: arrays.floats, counters: arrays.counters })?, arrays.metadata))
}

/// A nested dict as TOML; None is left out.
#[pyfunction]
pub(super) fn to_toml(config: &Bound<'_, PyMapping>) -> PyResult<String> {
    let bad = |e: String| PyValueError::new_err(format!("config: {e}"));
    let table: toml::Table = depythonize(&without_none(config.as_any())?).map_err(|e| bad(e.to_string()))?;
    toml::to_string(&table).map_err(|e| bad(e.to_string()))
}

fn without_none<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let Ok(mapping) = value.cast::<PyMapping>() else {
        return Ok(value.clone());
    };
    let dict = PyDict::new(value.py());
    for item in mapping.items()?.iter() {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        if !value.is_none() {
            dict.set_item(name, without_none(&value)?)?;
        }
    }
    Ok(dict.into_any())
}
