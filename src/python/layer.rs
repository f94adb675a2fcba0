//! One rule with its arrays, for your own training loop.

use super::arrays::{Values, batch, fixed_out, floats, matrix, matrix_out, named_out, products, written};
use super::config::{programming, real, whole, workers};
use super::copies::{pickled, unpickled};
use super::one_thread::OneThread;
use super::rule;
use super::state::{state_in, state_out};
use crate::check::{check_finite, check_not_negative};
use crate::error::Result;
use crate::origin::Origin;
use crate::rule::{Initial, ORIGIN, Rule};
use numpy::{PyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use pythonize::pythonize;

/// The name of the class.
const CLASS: &str = "AnalogLayer";

/// One rule with its arrays, for your own training loop.
///
/// `rule` is a config of `tikitaka.config` or a `tikitaka.Rule`; `weights` (outputs, inputs) are what it starts from,
/// clipped to each device; all randomness is a pure function of `seed` and the number `layer`.
///
/// Raises ValueError for settings out of range and arrays of another shape or with values that are not finite, and
/// TypeError for anything that is not a rule, a number or an array. A layer is for one thread at a time (RuntimeError
/// otherwise).
///
/// >>> import numpy as np
/// >>> import tikitaka as tt
/// >>> layer = tt.AnalogLayer(tt.DigitalSgd(lr=0.1), np.zeros((1, 2)))
/// >>> x, target = np.array([1.0, 2.0]), 1.0
/// >>> for _ in range(20):
/// ...     layer.update(x, layer.forward(x) - target)  # delta = dL/dy of L = (y − target)²/2
/// >>> print(layer.forward(x).round(3))
/// [1.]
#[pyclass(name = "AnalogLayer", module = "tikitaka", frozen)]
#[derive(Debug)]
pub(super) struct PyLayer {
    pub(super) rule: OneThread<Box<dyn Rule>>,
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// What the rule was made of, as it was then.
    template: Py<PyAny>,
    seed: u64,
    layer: u64,
}

#[pymethods]
impl PyLayer {
    #[new]
    #[pyo3(signature = (rule, weights, *, seed=0, layer=0))]
    fn new(
        rule: &Bound<'_, PyAny>,
        weights: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = whole)] seed: u64,
        #[pyo3(from_py_with = whole)] layer: u64,
    ) -> PyResult<Self> {
        let weights = floats(weights, "weights")?;
        let [rows, cols] = *weights.shape() else {
            let shape = weights.shape();
            return Err(PyValueError::new_err(format!("weights must have shape (outputs, inputs), not {shape:?}")));
        };
        let weights = weights.as_slice()?;
        check_finite("weights", weights)?;
        let template = rule::deep_copy(rule)?.unbind();
        let rule = rule::build(rule, &Initial { layer, rows, cols, weights, seed })?;
        Ok(Self { rule: OneThread::new(CLASS, rule), rows, cols, template, seed, layer })
    }

    /// (outputs, inputs).
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// The weights (outputs, inputs) that the network sees, without any periphery (weight units): a read-only copy.
    ///
    /// Setting clips each to what its device can hold; ValueError for another shape or values that are not finite.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        fixed_out(py, self.rule.read()?.weights()?, self.shape())
    }

    #[setter]
    fn set_weights(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let weights = matrix(value, "weights", self.shape())?;
        Ok(self.rule.write()?.set_weights(&weights)?)
    }

    /// Copies the weights (outputs, inputs) into `out`, a C-contiguous float32 array of that shape.
    ///
    /// Raises ValueError for any other.
    fn copy_weights(&self, out: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut out = written(out, "out", self.shape())?;
        Ok(self.rule.read()?.copy_weights(out.as_slice_mut()?)?)
    }

    /// Writes `target` (outputs, inputs; weight units) onto the devices of the array that the network sees.
    ///
    /// `method`, `error` and `max_pulses` are those of `Crossbar.program`. Returns the pulses sent. Raises ValueError
    /// for another method, numbers out of range, and a rule without devices unless `method` is "exact".
    #[pyo3(signature = (target, method="exact", *, error=0.0, max_pulses=1000))]
    fn program(
        &self,
        py: Python<'_>,
        target: &Bound<'_, PyAny>,
        method: &str,
        #[pyo3(from_py_with = real)] error: f64,
        #[pyo3(from_py_with = whole)] max_pulses: u32,
    ) -> PyResult<u64> {
        let target = matrix(target, "target", self.shape())?;
        let method = programming(method, error, max_pulses)?;
        Ok(py.detach(|| self.rule.write()?.program(&target, method))?)
    }

    /// The average (outputs, inputs) of reads of the iterates (weight units); None if there is none.
    #[getter]
    fn average<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<f32>>>> {
        let average = self.rule.read()?.average()?;
        average.map(|average| fixed_out(py, average, self.shape())).transpose()
    }

    /// Operations so far: those of the fast and the slow array, and digital ones.
    #[getter]
    fn ledger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.rule.read()?.ledger()?)?)
    }

    /// Whether iterates are being averaged.
    #[getter]
    fn averaging(&self) -> PyResult<bool> {
        Ok(self.rule.read()?.averaging())
    }

    #[setter]
    fn set_averaging(&self, on: bool) -> PyResult<()> {
        let mut rule = self.rule.write()?;
        rule.set_averaging(on)?;
        if on && !rule.averaging() {
            return Err(PyValueError::new_err("averaging must be False: the rule keeps no average, as ttv2 does"));
        }
        Ok(())
    }

    /// y = W x for x of shape (inputs,) or (batch, inputs); y is (outputs,) or (batch, outputs).
    ///
    /// Every call draws new noise. Raises ValueError for another shape.
    #[pyo3(signature = (x, *, threads=1))]
    fn forward<'py>(&self, x: &Bound<'py, PyAny>, #[pyo3(from_py_with = whole)] threads: usize) -> Values<'py> {
        products(x, "x", (self.cols, self.rows), threads, |x, y, workers| self.rule.write()?.forward(x, y, workers))
    }

    /// z = Wᵀ δ for delta of shape (outputs,) or (batch, outputs); z is (inputs,) or (batch, inputs).
    #[pyo3(signature = (delta, *, threads=1))]
    fn backward<'py>(&self, delta: &Bound<'py, PyAny>, #[pyo3(from_py_with = whole)] threads: usize) -> Values<'py> {
        products(delta, "delta", (self.rows, self.cols), threads, |delta, z, workers| {
            self.rule.write()?.backward(delta, z, workers)
        })
    }

    /// Learns from a sample or a batch: descends along delta = dL/dy of shape (outputs,) or (batch, outputs).
    ///
    /// x has shape (inputs,) or (batch, inputs); `lr_scale` multiplies the scheduled learning rate of the rule. The
    /// samples of a batch are applied one after another. Raises ValueError for another shape or an lr_scale below 0.
    #[pyo3(signature = (x, delta, *, lr_scale=1.0, threads=1))]
    fn update(
        &self,
        py: Python<'_>,
        x: &Bound<'_, PyAny>,
        delta: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = real)] lr_scale: f32,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<()> {
        check_not_negative("lr_scale", f64::from(lr_scale))?;
        let (x, _) = batch(x, "x", self.cols)?;
        let (delta, _) = batch(delta, "delta", self.rows)?;
        let workers = workers(threads)?;
        let learned: Result<()> = py.detach(|| {
            let mut rule = self.rule.write()?;
            rule.update(&x, &delta, lr_scale, &workers)?;
            if x.is_empty() { Ok(()) } else { rule.finish_batch(lr_scale) }
        });
        Ok(learned?)
    }

    /// y = W x as `forward`, with the noise of evaluation vector `draw`, `draw + 1`, …; nothing changes.
    #[pyo3(signature = (x, *, draw=0, threads=1))]
    fn evaluate<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = whole)] draw: u64,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> Values<'py> {
        products(x, "x", (self.cols, self.rows), threads, |x, y, workers| {
            self.rule.read()?.evaluate(draw, x, y, workers)
        })
    }

    /// The weights (outputs, inputs) read column by column through the read periphery, with the noise of `draw`.
    ///
    /// Nothing changes.
    #[pyo3(signature = (*, draw=0))]
    fn read_weights<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] draw: u64,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        matrix_out(py, self.rule.read()?.read_weights(draw)?, self.shape())
    }

    /// Everything to continue from, bit for bit, by name: arrays (outputs, inputs) where they are per crosspoint.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut state = self.rule.read()?.state()?;
        state.add_origin(ORIGIN, self.origin());
        state_out(py, state)
    }

    /// Puts back a state of a layer with the same settings, seed and number; for any other and if it does not fit,
    /// ValueError, no change.
    fn restore(&self, state: &Bound<'_, PyMapping>) -> PyResult<()> {
        let state = state_in(state, "")?;
        if let Some(origin) = state.origin(ORIGIN)? {
            self.origin().check("a layer", origin)?;
        }
        Ok(self.rule.write()?.restore(&state)?)
    }

    fn __copy__(&self, py: Python<'_>) -> PyResult<Self> {
        let (rule, template) = (OneThread::new(CLASS, self.rule.read()?.clone()), self.template.clone_ref(py));
        Ok(Self { rule, rows: self.rows, cols: self.cols, template, seed: self.seed, layer: self.layer })
    }

    fn __deepcopy__(&self, memo: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.__copy__(memo.py())
    }

    #[allow(clippy::type_complexity)]
    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<((Bound<'py, PyAny>, Bound<'py, PyArray2<f32>>), Bound<'py, PyDict>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("seed", self.seed)?;
        keywords.set_item("layer", self.layer)?;
        Ok(((self.template.bind(py).clone(), self.weights(py)?), keywords))
    }

    fn __getstate__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        pickled(self.state(py)?)
    }

    fn __setstate__(&self, state: &Bound<'_, PyDict>) -> PyResult<()> {
        self.restore(&unpickled(state)?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (rows, cols, rule) = (self.rows, self.cols, self.template.bind(py).repr()?);
        Ok(format!("AnalogLayer({rows} × {cols}, {rule}, seed {}, layer {})", self.seed, self.layer))
    }

    /// Constants of each device by name ("a.up_step", …), (outputs, inputs) each, in weight units.
    fn device_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        named_out(py, self.rule.read()?.device_parameters()?, self.shape())
    }
}

impl PyLayer {
    fn origin(&self) -> Origin {
        Origin { seed: self.seed, number: self.layer, settings: 0 }
    }
}
