//! A training rule written in Python, as a subclass of `tikitaka.Rule`.

use super::arrays::{floats, matrix_out};
use super::config::{foreign, is_settings, map_error, settings};
use crate::Workers;
use crate::crossbar::Visible;
use crate::error::{Error, Result, check_finite, check_len};
use crate::rule::{BoxedClone, Initial, Rule, RuleConfig, State};
use numpy::PyUntypedArrayMethods;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::fmt;

/// The rule of one layer from a config, or from a copy of a Python object.
pub(super) fn build(template: &Bound<'_, PyAny>, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
    if is_settings(template).map_err(foreign)? {
        let config: Option<RuleConfig> = settings(Some(template), "rule").map_err(foreign)?;
        return config.unwrap_or_else(|| RuleConfig::DigitalSgd(Default::default())).build(at);
    }
    let make = || -> PyResult<Py<PyAny>> {
        let py = template.py();
        if !template.hasattr("build")? {
            let given = template.get_type();
            return Err(PyTypeError::new_err(format!("rule is a {given}; a rule config or a tikitaka.Rule needed")));
        }
        let object = py.import("copy")?.call_method1("deepcopy", (template,))?;
        let weights = matrix_out(py, at.weights.to_vec(), (at.rows, at.cols))?;
        object.call_method1("build", (weights, at.seed, at.layer))?;
        Ok(object.unbind())
    };
    Ok(Box::new(PyRule { object: make().map_err(foreign)?, rows: at.rows, cols: at.cols }))
}

/// Calls a Python object; the interpreter is attached for each call.
struct PyRule {
    object: Py<PyAny>,
    rows: usize,
    cols: usize,
}

impl fmt::Debug for PyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PyRule({} × {})", self.rows, self.cols)
    }
}

impl PyRule {
    /// Calls `method(batch of inputs, …)` and copies the batch that it returns.
    fn map(
        &self,
        method: &'static str,
        input: (&[f32], usize),
        draw: Option<u64>,
        out: (&mut [f32], usize),
    ) -> Result<()> {
        Python::attach(|py| {
            let (input, width) = input;
            let given = matrix_out(py, input.to_vec(), (input.len() / width, width))?;
            let object = self.object.bind(py);
            let result = match draw {
                None => object.call_method1(method, (given,))?,
                Some(draw) => object.call_method1(method, (given, draw))?,
            };
            let result = floats(&result, method)?;
            let (out, width) = out;
            let expected = [out.len() / width, width];
            if result.shape() != expected {
                return Err(PyValueError::new_err(format!(
                    "{method} returned shape {:?}; {expected:?} needed",
                    result.shape()
                )));
            }
            check_finite(method, result.as_slice()?).map_err(map_error)?;
            out.copy_from_slice(result.as_slice()?);
            Ok(())
        })
        .map_err(foreign)
    }
}

impl Visible for PyRule {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32], _workers: &Workers) -> Result<()> {
        self.map("forward", (x, self.cols), None, (y, self.rows))
    }

    fn backward(&mut self, delta: &[f32], z: &mut [f32], _workers: &Workers) -> Result<()> {
        self.map("backward", (delta, self.rows), None, (z, self.cols))
    }

    fn evaluate(&self, draw: u64, x: &[f32], y: &mut [f32], _workers: &Workers) -> Result<()> {
        self.map("evaluate", (x, self.cols), Some(draw), (y, self.rows))
    }

    fn weights(&self) -> Result<Vec<f32>> {
        let weights = Python::attach(|py| {
            let weights = self.object.bind(py).call_method0("weights")?;
            Ok::<_, PyErr>(floats(&weights, "weights")?.as_slice()?.to_vec())
        })
        .map_err(foreign)?;
        check_len("weights", weights.len(), self.rows * self.cols)?;
        Ok(weights)
    }

    fn set_weights(&mut self, _weights: &[f32]) -> Result<()> {
        Err(Error::Conflict("a rule written in Python gets its weights in build() only".to_owned()))
    }

    fn read_weights(&self, _draw: u64) -> Result<Vec<f32>> {
        self.weights()
    }
}

impl Rule for PyRule {
    fn visible(&self) -> &dyn Visible {
        self
    }

    fn visible_mut(&mut self) -> &mut dyn Visible {
        self
    }

    fn update(&mut self, x: &[f32], delta: &[f32], lr_scale: f32, _workers: &Workers) -> Result<()> {
        Python::attach(|py| {
            let batch = x.len() / self.cols;
            let x = matrix_out(py, x.to_vec(), (batch, self.cols))?;
            let delta = matrix_out(py, delta.to_vec(), (batch, self.rows))?;
            self.object.bind(py).call_method1("update", (x, delta, lr_scale)).map(|_| ())
        })
        .map_err(foreign)
    }

    fn finish_batch(&mut self, lr_scale: f32) -> Result<()> {
        Python::attach(|py| {
            let object = self.object.bind(py);
            if object.hasattr("finish_batch")? {
                object.call_method1("finish_batch", (lr_scale,))?;
            }
            Ok::<_, PyErr>(())
        })
        .map_err(foreign)
    }

    fn state(&self) -> Result<State> {
        let mut state = State::default();
        state.add_floats("c", &[self.rows, self.cols], self.weights()?);
        Ok(state)
    }

    fn restore(&mut self, _state: &State) -> Result<()> {
        Err(Error::Conflict("a rule written in Python keeps its own state; it cannot be restored here".to_owned()))
    }
}

impl BoxedClone for PyRule {
    fn boxed_clone(&self) -> Box<dyn Rule> {
        let object = Python::attach(|py| self.object.clone_ref(py));
        Box::new(Self { object, rows: self.rows, cols: self.cols })
    }
}
