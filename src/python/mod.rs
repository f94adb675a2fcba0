//! The Python binding, the only place that names pyo3 or numpy: check, view, detach, call, map, return.

mod arrays;
mod config;
mod convolution;
mod copies;
mod crossbar;
mod data;
mod errors;
mod files;
mod fit;
mod layer;
mod lstm;
mod network;
mod one_thread;
mod operand;
mod rule;
mod state;

use pyo3::prelude::*;

/// The compiled core of the Python package. It asks for the interpreter lock: it is not tested without.
#[pymodule(gil_used = true)]
mod _core {
    #[pymodule_export]
    use super::config::{bounds, defaults, describe, kinds, mean_device, preset_sources, presets, validate};
    #[pymodule_export]
    use super::convolution::PyConvolution;
    #[pymodule_export]
    use super::crossbar::PyCrossbar;
    #[pymodule_export]
    use super::files::{load_tensors, save_tensors, to_toml};
    #[pymodule_export]
    use super::fit::{likelihood_of_sweeps, states_of_sweeps};
    #[pymodule_export]
    use super::layer::PyLayer;
    #[pymodule_export]
    use super::lstm::{lstm_backward, lstm_forward};
    #[pymodule_export]
    use super::network::PyNetwork;
    #[pymodule_export]
    use super::{normals, simd};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// `n` standard normals of the stream that `seed` names, which no array shares.
#[pyfunction]
fn normals(py: Python<'_>, seed: u64, n: usize) -> PyResult<Bound<'_, numpy::PyArray1<f32>>> {
    use crate::random::{Operation, Stream};
    crate::check::check_most("n", n as f64, crate::crossbar::MAX_CROSSPOINTS)?;
    let out = py.detach(|| {
        let mut out = vec![0.0; n];
        Stream::new(seed, 0, Operation::Numbers, 0).normals(0, &mut out);
        out
    });
    Ok(numpy::PyArray1::from_vec(py, out))
}

/// The instruction set that the kernels use: the best of the processor, or the one that `TIKITAKA_SIMD` names.
#[pyfunction]
fn simd() -> PyResult<&'static str> {
    Ok(crate::simd::check().map(crate::simd::Path::name)?)
}
