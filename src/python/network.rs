//! Whole networks.

use super::arrays::{fixed_out, matrix, matrix_out, named_out, positions};
use super::config::{layer, programming, real, whole, workers};
use super::data::Data;
use super::errors::{given, unknown};
use super::one_thread::OneThread;
use super::rule;
use super::state::{add_state, state_in, state_out};
use crate::error::Result;
use crate::network::{Loss, Memory, Network, NetworkState, Progress, TrainOptions};
use crate::rule::Rule;
use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping};
use pythonize::pythonize;

/// A stack of layers, one rule per array; whole mini-batch steps run without the interpreter lock.
#[pyclass(name = "Network", module = "tikitaka._core", frozen)]
#[derive(Debug)]
pub(super) struct PyNetwork {
    network: OneThread<Network>,
    loss: Loss,
}

/// The name of the class.
const CLASS: &str = "Network";

#[pymethods]
impl PyNetwork {
    #[new]
    #[pyo3(signature = (layers, rules, *, loss="cross-entropy", seed=0))]
    fn new(
        layers: Vec<Bound<'_, PyAny>>,
        rules: &Bound<'_, PyAny>,
        loss: &str,
        #[pyo3(from_py_with = whole)] seed: u64,
    ) -> PyResult<Self> {
        let layers = layers.iter().map(layer).collect::<PyResult<Vec<_>>>()?;
        let loss = match loss {
            "cross-entropy" => Loss::CrossEntropy,
            "mse" => Loss::MeanSquare,
            other => return Err(unknown("loss", other, &["cross-entropy", "mse"])),
        };
        let each = rules.cast::<PyList>().ok();
        let arrays = layers.iter().filter(|layer| layer.has_array()).count();
        if let Some(list) = each
            && list.len() != arrays
        {
            return Err(PyValueError::new_err(format!("rules must be one rule or {arrays}, not {}", list.len())));
        }
        let network = Network::builder().layers(&layers).loss(loss).seed(seed).build_with(&mut |at| match each {
            Some(list) => rule::build(&list.get_item(at.layer as usize)?, &at),
            None => rule::build(rules, &at),
        })?;
        Ok(Self { network: OneThread::new(CLASS, network), loss })
    }

    /// Values per input.
    #[getter]
    fn inputs(&self) -> PyResult<usize> {
        Ok(self.network.read()?.inputs())
    }

    /// Values per output.
    #[getter]
    fn outputs(&self) -> PyResult<usize> {
        Ok(self.network.read()?.outputs())
    }

    /// The weights of every array as the network sees them, without any periphery.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyArray2<f32>>>> {
        let network = self.network.read()?;
        network.weights()?.into_iter().zip(network.rules()).map(|(w, rule)| fixed_out(py, w, rule.shape())).collect()
    }

    #[setter]
    fn set_weights(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let weights = self.per_array(value, "weights")?;
        Ok(self.network.write()?.set_weights(&weights)?)
    }

    /// Writes weights to every array by "exact", "error" (adds N(0, error²), in units of weight; one σ, by default 0, or
    /// one for each array), "closed-loop" or "open-loop" pulses; returns the pulses sent to each.
    #[pyo3(signature = (targets, method="exact", *, error=None, max_pulses=1000))]
    fn program(
        &self,
        py: Python<'_>,
        targets: &Bound<'_, PyAny>,
        method: &str,
        error: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = whole)] max_pulses: u32,
    ) -> PyResult<Vec<u64>> {
        let targets = self.per_array(targets, "targets")?;
        let errors = match error {
            None => vec![0.0; targets.len()],
            Some(error) => match (real(error), error.extract()) {
                (Ok(one), _) => vec![one; targets.len()],
                (_, Ok(each)) => each,
                _ => return Err(PyTypeError::new_err(format!("error must be numbers, not {}", given(error)))),
            },
        };
        if errors.len() != targets.len() {
            let (expected, given) = (targets.len(), errors.len());
            return Err(PyValueError::new_err(format!("error must be one number or {expected}, not {given}")));
        }
        let methods: Vec<_> =
            errors.iter().map(|&error| programming(method, error, max_pulses)).collect::<PyResult<_>>()?;
        let mut network = self.network.write()?;
        let arrays = network.rules_mut().zip(targets.iter().zip(methods));
        let program = |(rule, (target, method)): (&mut Box<dyn Rule>, (&Vec<f32>, _))| rule.program(target, method);
        let sent: Result<_> = py.detach(|| arrays.map(program).collect());
        Ok(sent?)
    }

    /// The averages over iterates of every array; None if a rule keeps none or has read nothing.
    #[getter]
    fn averages<'py>(&self, py: Python<'py>) -> PyResult<Option<Vec<Bound<'py, PyArray2<f32>>>>> {
        let out = |rule: &dyn Rule| rule.average()?.map(|average| fixed_out(py, average, rule.shape())).transpose();
        self.network.read()?.rules().map(out).collect()
    }

    /// Whether iterates are being averaged.
    #[getter]
    fn averaging(&self) -> PyResult<bool> {
        Ok(self.network.read()?.rules().any(|rule| rule.averaging()))
    }

    #[setter]
    fn set_averaging(&self, on: bool) -> PyResult<()> {
        Ok(self.network.write()?.rules_mut().try_for_each(|rule| rule.set_averaging(on))?)
    }

    /// Operations so far, of all layers.
    #[getter]
    fn ledger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.network.read()?.ledger()?)?)
    }

    /// Operations so far, of each layer with an array.
    #[getter]
    fn ledgers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let network = self.network.read()?;
        network.rules().map(|rule| Ok(pythonize(py, &rule.ledger()?)?)).collect()
    }

    /// Trains on the samples `order` of `x` (all, in order, by default): (sum of losses, number of wrong classes).
    #[pyo3(signature = (x, targets, *, order=None, batch=1, lr_scale=1.0, threads=1))]
    #[allow(clippy::too_many_arguments)]
    fn train(
        &self,
        py: Python<'_>,
        x: &Bound<'_, PyAny>,
        targets: &Bound<'_, PyAny>,
        order: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = whole)] batch: usize,
        #[pyo3(from_py_with = real)] lr_scale: f32,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<(f64, u64)> {
        let network = &mut *self.network.write()?;
        let data = Data::new(network, x)?;
        let targets = data.targets(network, self.loss, targets)?;
        let order = order.filter(|order| !order.is_none());
        let order = order.map(|order| positions(order, "order", data.examples)).transpose()?;
        let workers = workers(threads)?;
        let (x, targets) = (data.examples()?, targets.targets()?);
        let options = TrainOptions { order: order.as_deref(), batch, lr_scale };
        let progress = py.detach(|| network.train(x, targets, options, &workers));
        Ok(progress.map(summary)?)
    }

    /// (sum of losses, number of wrong classes) with the noise of evaluation `draw`; no state changes.
    #[pyo3(signature = (x, targets, *, draw=0, threads=1))]
    fn evaluate(
        &self,
        py: Python<'_>,
        x: &Bound<'_, PyAny>,
        targets: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = whole)] draw: u64,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<(f64, u64)> {
        let network = &*self.network.read()?;
        let data = Data::new(network, x)?;
        let targets = data.targets(network, self.loss, targets)?;
        let workers = workers(threads)?;
        let (x, targets) = (data.examples()?, targets.targets()?);
        Ok(py.detach(|| network.evaluate(x, targets, draw, &workers)).map(summary)?)
    }

    /// The outputs for every sample, with the noise of evaluation `draw`; no state changes.
    #[pyo3(signature = (x, *, draw=0, threads=1))]
    fn forward<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = whole)] draw: u64,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let network = &*self.network.read()?;
        let (data, workers) = (Data::new(network, x)?, workers(threads)?);
        let (x, m) = (data.examples()?, network.outputs());
        let outputs = PyArray1::from_vec(py, py.detach(|| network.forward(x, draw, &workers))?);
        let shape = if network.recurrent() { vec![data.examples, data.time_steps, m] } else { vec![data.examples, m] };
        outputs.reshape(shape)
    }

    /// Whether it takes sequences.
    #[getter]
    fn recurrent(&self) -> PyResult<bool> {
        Ok(self.network.read()?.recurrent())
    }

    /// Whether a sequence goes on where the one before it, at its place in the mini-batch, ended.
    #[getter]
    fn carries(&self) -> PyResult<bool> {
        Ok(self.network.read()?.carries())
    }

    /// Forgets what sequences carried over.
    fn reset(&self) -> PyResult<()> {
        self.network.write()?.reset();
        Ok(())
    }

    /// `count` codes that go on from the codes `prime`; nothing changes.
    #[pyo3(signature = (prime, count, *, temperature=1.0, seed=0, draw=0, threads=1))]
    #[allow(clippy::too_many_arguments)]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        prime: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = whole)] count: usize,
        #[pyo3(from_py_with = real)] temperature: f32,
        #[pyo3(from_py_with = whole)] seed: u64,
        #[pyo3(from_py_with = whole)] draw: u64,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let network = &*self.network.read()?;
        let prime = positions(prime, "prime", network.inputs())?;
        let workers = workers(threads)?;
        let codes = py.detach(|| network.sample(&prime, count, temperature, seed, draw, &workers))?;
        Ok(PyArray1::from_vec(py, codes.into_iter().map(i64::from).collect()))
    }

    /// The weights of every array, read column by column through the periphery; nothing changes.
    #[pyo3(signature = (*, draw=0))]
    fn read_weights<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] draw: u64,
    ) -> PyResult<Vec<Bound<'py, PyArray2<f32>>>> {
        let network = self.network.read()?;
        network.rules().map(|rule| matrix_out(py, rule.read_weights(draw)?, rule.shape())).collect()
    }

    /// Everything to continue from, bit for bit, by name ("0.c", "0.a", "0.h", …).
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (dict, state) = (PyDict::new(py), self.network.read()?.state()?);
        for (k, state) in state.rules.into_iter().enumerate() {
            add_state(&dict, &format!("{k}."), state)?;
        }
        for (k, memory) in state.memories.into_iter().enumerate() {
            dict.set_item(format!("carried.{k}.h"), PyArray1::from_vec(py, memory.h))?;
            dict.set_item(format!("carried.{k}.c"), PyArray1::from_vec(py, memory.c))?;
        }
        Ok(dict)
    }

    /// Puts a state of a network with the same layers, rules, loss and seed back, or leaves all as it was: ValueError if
    /// it does not fit.
    fn restore(&self, state: &Bound<'_, PyMapping>) -> PyResult<()> {
        let mut network = self.network.write()?;
        let rules = (0..network.rules().count()).map(|k| state_in(state, &format!("{k}.")));
        let memories = (0..network.carrying_layers()).map(|k| {
            let carried = state_in(state, &format!("carried.{k}."))?;
            Ok(Memory { h: carried.floats("h")?.to_vec(), c: carried.floats("c")?.to_vec() })
        });
        let state =
            NetworkState { rules: rules.collect::<PyResult<_>>()?, memories: memories.collect::<PyResult<_>>()? };
        Ok(network.restore(&state)?)
    }

    /// The state of one array's rule by name ("c", "a", "h", …).
    fn layer_state<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] array: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        state_out(py, self.rule(array, |rule| rule.state())?)
    }

    /// Device constants of one array's rule by name ("a.up_step", …).
    fn device_parameters<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] array: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (parameters, shape) = self.rule(array, |rule| Ok((rule.device_parameters()?, rule.shape())))?;
        named_out(py, parameters, shape)
    }

    fn __copy__(&self) -> PyResult<Self> {
        Ok(Self { network: OneThread::new(CLASS, self.network.read()?.clone()), loss: self.loss })
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.__copy__()
    }
}

impl PyNetwork {
    /// A matrix for each array.
    fn per_array(&self, value: &Bound<'_, PyAny>, what: &'static str) -> PyResult<Vec<Vec<f32>>> {
        let Ok(each) = value.extract::<Vec<Bound<'_, PyAny>>>() else {
            return Err(PyTypeError::new_err(format!("{what} must be a list of arrays, not {}", given(value))));
        };
        let shapes: Vec<_> = self.network.read()?.rules().map(|rule| rule.shape()).collect();
        if each.len() != shapes.len() {
            let (expected, given) = (shapes.len(), each.len());
            return Err(PyValueError::new_err(format!("{what} must have {expected} arrays, not {given}")));
        }
        each.iter().zip(shapes).map(|(values, shape)| matrix(values, what, shape)).collect()
    }

    /// What `look` finds in the rule of an array.
    fn rule<T>(&self, array: usize, look: impl FnOnce(&dyn Rule) -> Result<T>) -> PyResult<T> {
        let network = self.network.read()?;
        let Some(rule) = network.rules().nth(array) else {
            let most = network.rules().count() - 1;
            return Err(PyValueError::new_err(format!("array must be from 0 to {most}, not {array}")));
        };
        Ok(look(rule)?)
    }
}

fn summary(progress: Progress) -> (f64, u64) {
    (progress.loss, progress.errors)
}
