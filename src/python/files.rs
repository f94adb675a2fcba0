//! Arrays and settings on disk, written whole or not at all.

use super::layer::state_in;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use pythonize::depythonize;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, serialize};
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
    let mut arrays: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (name, shape, dtype, bytes) in contents(tensors)? {
        arrays.push((name, dtype, shape, bytes));
    }
    let views = arrays.iter().map(|(name, dtype, shape, bytes)| {
        TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(|e| PyValueError::new_err(e.to_string()))?;
    let bytes = serialize(views, Some(metadata)).map_err(|e| PyValueError::new_err(e.to_string()))?;
    replace(&path, &bytes).map_err(|e| PyOSError::new_err((e.raw_os_error(), e.to_string(), path)))
}

type Content = (String, Vec<usize>, Dtype, Vec<u8>);

fn contents(tensors: &Bound<'_, PyMapping>) -> PyResult<Vec<Content>> {
    let state = state_in(tensors, "")?;
    let shape = |name: &str| -> PyResult<Vec<usize>> {
        let array = tensors.py().import("numpy")?.call_method1("asarray", (tensors.get_item(name)?,))?;
        array.getattr("shape")?.extract()
    };
    let mut all = Vec::new();
    for (name, values) in &state.floats {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        all.push((name.clone(), shape(name)?, Dtype::F32, bytes));
    }
    for (name, values) in &state.counters {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        all.push((name.clone(), shape(name)?, Dtype::U64, bytes));
    }
    Ok(all)
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
    let bad =
        |e: &dyn std::fmt::Display| PyValueError::new_err(format!("{} is no safetensors file: {e}", path.display()));
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| bad(&e))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| bad(&e))?;
    let dict = PyDict::new(py);
    for (name, view) in tensors.iter() {
        let array = match view.dtype() {
            Dtype::F32 => {
                let values = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
                PyArray1::<f32>::from_vec(py, values).reshape(view.shape().to_vec())?.into_any()
            }
            Dtype::U64 => {
                let values = view.data().as_chunks::<8>().0.iter().map(|&b| u64::from_le_bytes(b)).collect();
                PyArray1::<u64>::from_vec(py, values).reshape(view.shape().to_vec())?.into_any()
            }
            other => return Err(bad(&format!("{name} is {other:?}; F32 or U64 needed"))),
        };
        dict.set_item(name, array)?;
    }
    Ok((dict, header.metadata().clone().unwrap_or_default()))
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
