//! A training rule written in Python, as a subclass of `tikitaka.Rule`.

use super::arrays::{floats, matrix_out};
use super::config::{is_settings, settings};
use super::state::{any_state_in, any_state_out};
use crate::Workers;
use crate::check::{check_finite, check_len};
use crate::crossbar::{Programming, Visible};
use crate::error::Result;
use crate::ledger::Ledger;
use crate::origin::{check_settings, fingerprint};
use crate::rule::{BoxedClone, Initial, ORIGIN, Rule, RuleConfig, State, tiled};
use numpy::PyUntypedArrayMethods;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use pythonize::{depythonize, pythonize};
use std::collections::BTreeMap;
use std::fmt;

/// The rule of one layer from a config, or from a copy of a Python object.
pub(super) fn build(template: &Bound<'_, PyAny>, at: &Initial<'_>) -> Result<Box<dyn Rule>> {
    if is_settings(template)? {
        let config: Option<RuleConfig> = settings(Some(template), "rule")?;
        return config.unwrap_or_else(|| RuleConfig::DigitalSgd(Default::default())).build(at);
    }
    if !template.hasattr("build")? {
        let kind = template.get_type();
        let words = format!("rule must be a rule config or a tikitaka.Rule, not {kind}");
        return Err(PyTypeError::new_err(words).into());
    }
    let tile = match template.getattr_opt("tile")? {
        Some(tile) if !tile.is_none() => {
            let checked = tile.py().import("tikitaka.config.rule")?.call_method1("tile_of", (tile,))?;
            Some(depythonize(&checked).map_err(PyErr::from)?)
        }
        _ => None,
    };
    tiled(tile, at, |at| {
        let make = || -> PyResult<Py<PyAny>> {
            let object = deep_copy(template)?;
            let weights = matrix_out(template.py(), at.weights.to_vec(), (at.rows, at.cols))?;
            object.call_method1("build", (weights, at.seed, at.layer))?;
            Ok(object.unbind())
        };
        Ok(Box::new(PyRule { object: Ok(make()?), rows: at.rows, cols: at.cols, averaging: false }))
    })
}

pub(super) fn deep_copy<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    object.py().import("copy")?.call_method1("deepcopy", (object,))
}

/// The name, in a state, of the fingerprint of the class; no attribute can have it.
const CLASS: &str = "class|qualname";

/// The name of the class of a rule.
fn class(object: &Bound<'_, PyAny>) -> PyResult<String> {
    object.get_type().getattr("__qualname__")?.extract()
}

/// Calls a Python object; the interpreter is attached for each call.
struct PyRule {
    /// The object, or why it could not be copied from another: every use of such a copy raises that.
    object: PyResult<Py<PyAny>>,
    rows: usize,
    cols: usize,
    averaging: bool,
}

impl fmt::Debug for PyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PyRule({} × {})", self.rows, self.cols)
    }
}

impl PyRule {
    /// What `action` makes of the object.
    fn with<T>(&self, action: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> Result<T> {
        Python::attach(|py| match &self.object {
            Ok(object) => action(object.bind(py)),
            Err(error) => Err(error.clone_ref(py)),
        })
        .map_err(Into::into)
    }

    /// Calls `method(batch of inputs, …)` and copies the batch that it returns.
    fn map(
        &self,
        method: &'static str,
        (input, width): (&[f32], usize),
        draw: Option<u64>,
        (out, height): (&mut [f32], usize),
    ) -> Result<()> {
        self.with(|object| {
            let input = matrix_out(object.py(), input.to_vec(), (input.len() / width, width))?;
            let result = match draw {
                None => object.call_method1(method, (input,))?,
                Some(draw) => object.call_method1(method, (input, draw))?,
            };
            let result = floats(&result, method)?;
            let expected = [out.len() / height, height];
            if result.shape() != expected {
                let shape = result.shape();
                return Err(PyValueError::new_err(format!("{method} must return shape {expected:?}, not {shape:?}")));
            }
            check_finite(method, result.as_slice()?)?;
            out.copy_from_slice(result.as_slice()?);
            Ok(())
        })
    }

    fn matrix<'py>(&self, py: Python<'py>, values: &[f32]) -> PyResult<Bound<'py, PyAny>> {
        check_len("weights", values.len(), self.rows * self.cols)?;
        Ok(matrix_out(py, values.to_vec(), (self.rows, self.cols))?.into_any())
    }

    /// The weights that a method returned.
    fn weights_from(&self, result: &Bound<'_, PyAny>, method: &'static str) -> PyResult<Vec<f32>> {
        let weights = floats(result, method)?;
        let (shape, expected) = (weights.shape(), [self.rows, self.cols]);
        if shape != expected {
            return Err(PyValueError::new_err(format!("{method} must return shape {expected:?}, not {shape:?}")));
        }
        Ok(weights.as_slice()?.to_vec())
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

    fn copy_weights(&self, out: &mut [f32]) -> Result<()> {
        let weights = self.with(|object| self.weights_from(&object.call_method0("weights")?, "weights"))?;
        check_len("weights", out.len(), weights.len())?;
        out.copy_from_slice(&weights);
        Ok(())
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        self.with(|object| object.call_method1("set_weights", (self.matrix(object.py(), weights)?,)).map(|_| ()))
    }

    fn program(&mut self, target: &[f32], method: Programming) -> Result<u64> {
        self.with(|object| {
            let options = pythonize(object.py(), &method)?.cast_into::<PyDict>()?;
            let name = options.call_method1("pop", ("method",))?;
            let target = self.matrix(object.py(), target)?;
            object.call_method("program", (target, name), Some(&options))?.extract()
        })
    }

    fn read_weights(&self, draw: u64) -> Result<Vec<f32>> {
        self.with(|object| self.weights_from(&object.call_method1("read_weights", (draw,))?, "read_weights"))
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
        self.with(|object| {
            let (py, batch) = (object.py(), x.len() / self.cols);
            let x = matrix_out(py, x.to_vec(), (batch, self.cols))?;
            let delta = matrix_out(py, delta.to_vec(), (batch, self.rows))?;
            object.call_method1("update", (x, delta, lr_scale)).map(|_| ())
        })
    }

    fn finish_batch(&mut self, lr_scale: f32) -> Result<()> {
        self.with(|object| object.call_method1("finish_batch", (lr_scale,)).map(|_| ()))
    }

    fn state(&self) -> Result<State> {
        self.with(|object| {
            let mut state = any_state_in(object.call_method0("state")?.cast::<PyMapping>()?)?;
            state.add_count(CLASS, fingerprint(&class(object)?));
            Ok(state)
        })
    }

    /// Restores a copy, which then takes the place of the object: whole or not at all.
    fn restore(&mut self, state: &State) -> Result<()> {
        let (object, averaging) = self.with(|object| {
            let mut state = state.clone();
            state.counters.remove(ORIGIN);
            if let Some(given) = state.counters.remove(CLASS) {
                let class = class(object)?;
                check_settings(
                    &format!("a rule {class}"),
                    fingerprint(&class),
                    given.values.first().copied().unwrap_or(0),
                )?;
            }
            let copy = deep_copy(object)?;
            copy.call_method1("restore", (any_state_out(object.py(), &state)?,))?;
            let averaging = copy.getattr("averaging")?.is_truthy()?;
            Ok((copy.unbind(), averaging))
        })?;
        (self.object, self.averaging) = (Ok(object), averaging);
        Ok(())
    }

    fn device_parameters(&self) -> Result<Vec<(String, Vec<f32>)>> {
        self.with(|object| {
            let named: BTreeMap<String, Bound<'_, PyAny>> = object.call_method0("device_parameters")?.extract()?;
            let named = named.into_iter().map(|(name, of)| Ok((name, self.weights_from(&of, "device_parameters")?)));
            named.collect()
        })
    }

    fn ledger(&self) -> Result<Ledger> {
        self.with(|object| Ok(depythonize(&object.call_method0("ledger")?)?))
    }

    fn average(&self) -> Result<Option<Vec<f32>>> {
        self.with(|object| {
            let average = object.call_method0("average")?;
            if average.is_none() { Ok(None) } else { self.weights_from(&average, "average").map(Some) }
        })
    }

    fn averaging(&self) -> bool {
        self.averaging
    }

    fn set_averaging(&mut self, on: bool) -> Result<()> {
        self.with(|object| object.setattr("averaging", on))?;
        self.averaging = on;
        Ok(())
    }
}

/// By `copy.deepcopy`. If that raises, so does every use of the copy.
impl BoxedClone for PyRule {
    fn boxed_clone(&self) -> Box<dyn Rule> {
        let object = Python::attach(|py| match &self.object {
            Ok(object) => deep_copy(object.bind(py)).map(Bound::unbind),
            Err(error) => Err(error.clone_ref(py)),
        });
        Box::new(Self { object, rows: self.rows, cols: self.cols, averaging: self.averaging })
    }
}
