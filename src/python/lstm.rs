//! Whole sequences of an LSTM as one call each way.

use super::arrays::{floats, several, shaped, zeros};
use super::config::{real, whole, workers};
use super::operand::{Mode, Operand};
use crate::check::{check_finite, check_range};
use crate::network::Memory;
use crate::network::layer::{Kept, Recurrence};
use numpy::PyUntypedArrayMethods;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// An array from Python, and what the way back needs of the way forward.
type Arrays<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

/// The outputs (steps, sequences, hidden) of an LSTM, its last c (sequences, hidden), and what the way back needs.
///
/// `array` (4 hidden, hidden) sees h of the step before, and 1 if it has a column more; the gates i, f, g, o see
/// `scale` times its products. `inputs` (steps, sequences, 4 hidden) are added to them; `h` and `c` (sequences, hidden)
/// are the state before the first step. What is kept is (gates, inputs of the array, c before, tanh c), step by step.
/// Draws the noise of training, or with a `draw` that of the evaluation vectors from there on.
///
/// Raises ValueError for arrays of another shape or with values that are not finite, TypeError for an `array` that is
/// neither an AnalogLayer nor a Crossbar.
#[pyfunction]
#[pyo3(signature = (array, inputs, h, c, *, scale=1.0, draw=None, threads=1))]
#[allow(clippy::too_many_arguments, clippy::type_complexity)]
pub(super) fn lstm_forward<'py>(
    array: &Bound<'py, PyAny>,
    inputs: &Bound<'py, PyAny>,
    h: &Bound<'py, PyAny>,
    c: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = real)] scale: f64,
    draw: Option<u64>,
    #[pyo3(from_py_with = whole)] threads: usize,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, Arrays<'py>)> {
    let (py, of) = (array.py(), Operand::of(array)?);
    let inputs = floats(inputs, "inputs")?;
    let [steps, sequences, width] = *inputs.shape() else { return Err(other_shape("inputs", inputs.shape())) };
    let recurrence = recurrence(of, sequences, width, scale)?;
    let (hidden, cols) = (recurrence.hidden, recurrence.columns());
    let mut memory = Memory { h: state(h, "h", sequences, hidden)?, c: state(c, "c", sequences, hidden)? };
    let mut gates = inputs.as_slice()?.to_vec();
    check_finite("inputs", &gates)?;
    let mut seen = zeros("inputs of the array", &[steps, sequences, cols])?;
    let state_of_steps = || zeros("the state of every step", &[steps, sequences, hidden]);
    let (mut outputs, mut cells, mut tanh) = (state_of_steps()?, state_of_steps()?, state_of_steps()?);
    let workers = workers(threads)?;
    if sequences > 0 {
        py.detach(|| {
            let mut kept = Kept { gates: &mut gates, cells: &mut cells, tanh: &mut tanh };
            of.with(Mode::of(draw), |products| {
                recurrence.forward(&mut kept, &mut memory, &mut seen, &mut outputs, products, &workers)
            })
        })?;
    }
    let states = [steps, sequences, hidden];
    let kept = (
        shaped(py, gates, &[steps, sequences, width])?,
        shaped(py, seen, &[steps, sequences, cols])?,
        shaped(py, cells, &states)?,
        shaped(py, tanh, &states)?,
    );
    Ok((shaped(py, outputs, &states)?, shaped(py, memory.c, &[sequences, hidden])?, kept))
}

/// The δ (steps, sequences, 4 hidden) of the gates of every step, and dL/dh and dL/dc (sequences, hidden) before it.
///
/// `kept` is what `lstm_forward` returned, `dy` (steps, sequences, hidden) the gradient of its outputs, `dc`
/// (sequences, hidden) that of the last c. Draws the noise of training; `exact` products have no periphery. Raises as
/// `lstm_forward`.
#[pyfunction]
#[pyo3(signature = (array, kept, dy, dc, *, scale=1.0, exact=false, threads=1))]
#[allow(clippy::type_complexity)]
pub(super) fn lstm_backward<'py>(
    array: &Bound<'py, PyAny>,
    kept: Arrays<'py>,
    dy: &Bound<'py, PyAny>,
    dc: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = real)] scale: f64,
    exact: bool,
    #[pyo3(from_py_with = whole)] threads: usize,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let (py, of) = (array.py(), Operand::of(array)?);
    let gates = floats(&kept.0, "gates")?;
    let [steps, sequences, width] = *gates.shape() else { return Err(other_shape("gates", gates.shape())) };
    let recurrence = recurrence(of, sequences, width, scale)?;
    let hidden = recurrence.hidden;
    let mut gates = gates.as_slice()?.to_vec();
    check_finite("gates", &gates)?;
    let of_steps = |value: &Bound<'_, PyAny>, what: &'static str, each: usize| {
        let (given, values) = several(value, what, &[sequences, each])?;
        if given == steps { Ok(values) } else { Err(other_shape(what, &[given, sequences, each])) }
    };
    let mut cells = of_steps(&kept.2, "cells", hidden)?;
    let mut tanh = of_steps(&kept.3, "tanh", hidden)?;
    let dy = of_steps(dy, "dy", hidden)?;
    let (mut dh, mut dc) = (vec![0.0; sequences * hidden], state(dc, "dc", sequences, hidden)?);
    let mut errors = zeros("delta", &[steps, sequences, width])?;
    let workers = workers(threads)?;
    let mode = if exact { Mode::Exact } else { Mode::Training };
    if sequences > 0 {
        py.detach(|| {
            let kept = Kept { gates: &mut gates, cells: &mut cells, tanh: &mut tanh };
            of.with(mode, |products| {
                recurrence.backward(&kept, &dy, (&mut dh, &mut dc), &mut errors, products, &workers)
            })
        })?;
    }
    let states = [sequences, hidden];
    Ok((shaped(py, errors, &[steps, sequences, width])?, shaped(py, dh, &states)?, shaped(py, dc, &states)?))
}

/// Sequences at an array, if gates of this width are its outputs.
fn recurrence(of: Operand<'_>, sequences: usize, width: usize, scale: f64) -> PyResult<Recurrence> {
    let (rows, cols) = of.shape();
    let hidden = rows / 4;
    if rows % 4 != 0 || cols.wrapping_sub(hidden) > 1 {
        return Err(PyValueError::new_err(format!(
            "array must have shape (4 hidden, hidden) or one column more, not ({rows}, {cols})"
        )));
    }
    if width != rows {
        return Err(PyValueError::new_err(format!("inputs must have {rows} values for each sequence, not {width}")));
    }
    check_range("scale", scale, 1e-30, 1e30)?;
    Ok(Recurrence { hidden, sequences, bias: cols > hidden, scale })
}

fn state(value: &Bound<'_, PyAny>, what: &'static str, sequences: usize, hidden: usize) -> PyResult<Vec<f32>> {
    let (given, values) = several(value, what, &[hidden])?;
    if given == sequences { Ok(values) } else { Err(other_shape(what, &[given, hidden])) }
}

fn other_shape(what: &str, given: &[usize]) -> PyErr {
    PyValueError::new_err(format!("{what} must fit the steps, sequences and gates, not have shape {given:?}"))
}
