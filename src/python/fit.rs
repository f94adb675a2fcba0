//! The filter of measured pulses.

use super::arrays::matrix_out;
use super::config::workers;
use crate::fit::{Model, Reads, Shape, likelihood, states};
use numpy::{PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

type F64<'py> = Bound<'py, PyArray1<f64>>;

/// Sweeps as arrays: values, signs, and where each sweep begins.
type Arrays<'py> = (PyReadonlyArray1<'py, f64>, PyReadonlyArray1<'py, i8>, PyReadonlyArray1<'py, i64>);

fn begins(starts: &PyReadonlyArray1<'_, i64>) -> PyResult<Vec<usize>> {
    Ok(starts.as_slice()?.iter().map(|&start| usize::try_from(start).unwrap_or(usize::MAX)).collect())
}

/// The negative log-likelihood of each sweep, and its gradient if asked for.
#[pyfunction]
#[pyo3(signature = (shape, multiplicative, parameters, sweeps, *, gradient = true, threads = 1))]
pub(super) fn likelihood_of_sweeps<'py>(
    py: Python<'py>,
    shape: &str,
    multiplicative: bool,
    parameters: PyReadonlyArray1<'py, f64>,
    sweeps: Arrays<'py>,
    gradient: bool,
    threads: usize,
) -> PyResult<(F64<'py>, Option<Bound<'py, PyArray2<f64>>>)> {
    let (values, signs, starts) = (sweeps.0.as_slice()?, sweeps.1.as_slice()?, begins(&sweeps.2)?);
    let model = Model { shape: Shape::named(shape)?, multiplicative, parameters: parameters.as_slice()? };
    let reads = Reads { values, signs, starts: &starts };
    let workers = workers(threads)?;
    let found = py.detach(|| likelihood(&model, &reads, gradient, &workers))?;
    let shape = (starts.len(), model.parameters.len());
    let slopes = if gradient { Some(matrix_out(py, found.gradient, shape)?) } else { None };
    Ok((PyArray1::from_vec(py, found.values), slopes))
}

/// Innovations, their variances, filtered and smoothed states, and the variances of the latter.
#[pyfunction]
pub(super) fn states_of_sweeps<'py>(
    py: Python<'py>,
    shape: &str,
    multiplicative: bool,
    parameters: PyReadonlyArray1<'py, f64>,
    sweeps: Arrays<'py>,
) -> PyResult<[F64<'py>; 5]> {
    let (values, signs, starts) = (sweeps.0.as_slice()?, sweeps.1.as_slice()?, begins(&sweeps.2)?);
    let model = Model { shape: Shape::named(shape)?, multiplicative, parameters: parameters.as_slice()? };
    let reads = Reads { values, signs, starts: &starts };
    let found = py.detach(|| states(&model, &reads))?;
    let out = [found.innovations, found.variances, found.filtered, found.smoothed, found.smoothed_variances];
    Ok(out.map(|values| PyArray1::from_vec(py, values)))
}
