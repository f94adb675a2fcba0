//! Whole networks.

use super::arrays::{floats, integers, matrix, matrix_out, named_out, rows};
use super::config::{layer, map_error, programming, whole, workers};
use super::layer::{state_in, state_out};
use super::rule;
use crate::network::{Loss, Network, Progress, Targets};
use numpy::{PyArray2, PyReadonlyArrayDyn};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping};
use pythonize::pythonize;

/// A stack of layers, one rule per array; whole mini-batch steps run without the interpreter lock.
#[pyclass(name = "Network", module = "tikitaka._core")]
#[derive(Debug)]
pub(super) struct PyNetwork {
    network: Network,
    loss: Loss,
}

/// Targets as they came in.
enum Given<'py> {
    Classes(Vec<u32>),
    Values(PyReadonlyArrayDyn<'py, f32>),
}

impl Given<'_> {
    fn targets(&self) -> PyResult<Targets<'_>> {
        Ok(match self {
            Self::Classes(classes) => Targets::Classes(classes),
            Self::Values(values) => Targets::Values(values.as_slice()?),
        })
    }
}

impl PyNetwork {
    fn given<'py>(&self, targets: &Bound<'py, PyAny>) -> PyResult<Given<'py>> {
        Ok(match self.loss {
            Loss::CrossEntropy => Given::Classes(indices(targets, "targets")?),
            Loss::MeanSquare => {
                let values = floats(targets, "targets")?;
                rows(&values, "targets", self.network.outputs())?;
                Given::Values(values)
            }
        })
    }
}

/// Numbers of classes or samples.
fn indices(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<u32>> {
    let number = |n: i64| {
        u32::try_from(n).map_err(|_| PyValueError::new_err(format!("{what} holds {n}; allowed: 0 to {}", u32::MAX)))
    };
    integers(value, what)?.into_iter().map(number).collect()
}

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
            other => return Err(PyValueError::new_err(format!("loss is {other:?}; allowed: cross-entropy, mse"))),
        };
        let each = rules.cast::<PyList>().ok();
        let arrays = layers.iter().filter(|layer| matches!(layer, crate::network::LayerConfig::Linear(_))).count();
        if let Some(list) = each
            && list.len() != arrays
        {
            return Err(PyValueError::new_err(format!("rules holds {}; one rule, or {arrays} needed", list.len())));
        }
        let network = Network::with_rules(&layers, loss, seed, &mut |at| match each {
            Some(list) => rule::build(&list.get_item(at.layer as usize).map_err(super::config::foreign)?, &at),
            None => rule::build(rules, &at),
        })
        .map_err(map_error)?;
        Ok(Self { network, loss })
    }

    /// Values per input.
    #[getter]
    fn inputs(&self) -> usize {
        self.network.inputs()
    }

    /// Values per output.
    #[getter]
    fn outputs(&self) -> usize {
        self.network.outputs()
    }

    /// The weights of every array as the network sees them, without any periphery.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyArray2<f32>>>> {
        let layers = self.network.linear_layers();
        layers.map(|l| matrix_out(py, l.rule().weights().map_err(map_error)?, l.rule().shape())).collect()
    }

    #[setter]
    fn set_weights(&mut self, value: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let weights = self.per_array(&value, "weights")?;
        for (linear, weights) in self.network.linear_layers_mut().zip(weights) {
            linear.rule_mut().set_weights(&weights).map_err(map_error)?;
        }
        Ok(())
    }

    /// Writes weights to every array by "exact", "error" (adds N(0, error²), in units of weight),
    /// "closed-loop" or "open-loop" pulses; returns the pulses sent to each.
    #[pyo3(signature = (targets, method="exact", *, error=0.0, max_pulses=1000))]
    fn program(
        &mut self,
        py: Python<'_>,
        targets: Vec<Bound<'_, PyAny>>,
        method: &str,
        error: f64,
        #[pyo3(from_py_with = whole)] max_pulses: u32,
    ) -> PyResult<Vec<u64>> {
        let targets = self.per_array(&targets, "targets")?;
        let method = programming(method, error, max_pulses)?;
        let arrays = self.network.linear_layers_mut().zip(&targets);
        py.detach(|| {
            arrays.map(|(linear, target)| linear.rule_mut().program(target, method)).collect::<Result<Vec<_>, _>>()
        })
        .map_err(map_error)
    }

    /// The averages over iterates of every array; None if a rule keeps none or has read nothing.
    #[getter]
    fn averages<'py>(&self, py: Python<'py>) -> PyResult<Option<Vec<Bound<'py, PyArray2<f32>>>>> {
        let layers = self.network.linear_layers();
        layers
            .map(|l| match l.rule().average().map_err(map_error)? {
                Some(average) => matrix_out(py, average, l.rule().shape()).map(Some),
                None => Ok(None),
            })
            .collect()
    }

    /// Whether iterates are being averaged.
    #[getter]
    fn averaging(&self) -> bool {
        self.network.linear_layers().any(|linear| linear.rule().averaging())
    }

    #[setter]
    fn set_averaging(&mut self, on: bool) {
        self.network.linear_layers_mut().for_each(|linear| linear.rule_mut().set_averaging(on));
    }

    /// Operations so far, of all layers.
    #[getter]
    fn ledger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        pythonize(py, &self.network.ledger()).map_err(PyErr::from)
    }

    /// Trains on the samples `order` of `x` (all, in order, by default): (sum of losses, number of wrong classes).
    #[pyo3(signature = (x, targets, *, order=None, batch=1, rate=1.0, threads=1))]
    #[allow(clippy::too_many_arguments)]
    fn train(
        &mut self,
        py: Python<'_>,
        x: &Bound<'_, PyAny>,
        targets: &Bound<'_, PyAny>,
        order: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = whole)] batch: usize,
        rate: f32,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<(f64, u64)> {
        let x = floats(x, "x")?;
        let samples = rows(&x, "x", self.network.inputs())?;
        let given = self.given(targets)?;
        let order = match order.filter(|order| !order.is_none()) {
            Some(order) => indices(order, "order")?,
            None => (0..samples as u32).collect(),
        };
        let workers = workers(threads)?;
        let (x, targets) = (x.as_slice()?, given.targets()?);
        let progress = py.detach(|| self.network.train(x, targets, &order, batch, rate, &workers));
        progress.map(summary).map_err(map_error)
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
        let x = floats(x, "x")?;
        rows(&x, "x", self.network.inputs())?;
        let given = self.given(targets)?;
        let workers = workers(threads)?;
        let (x, targets) = (x.as_slice()?, given.targets()?);
        py.detach(|| self.network.evaluate(x, targets, draw, &workers)).map(summary).map_err(map_error)
    }

    /// The outputs for every sample, with the noise of evaluation `draw`; no state changes.
    #[pyo3(signature = (x, *, draw=0, threads=1))]
    fn forward<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = whole)] draw: u64,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let x = floats(x, "x")?;
        let samples = rows(&x, "x", self.network.inputs())?;
        let workers = workers(threads)?;
        let x = x.as_slice()?;
        let outputs = py.detach(|| self.network.forward(x, draw, &workers)).map_err(map_error)?;
        matrix_out(py, outputs, (samples, self.network.outputs()))
    }

    /// The weights of every array, read column by column through the periphery; nothing changes.
    #[pyo3(signature = (*, draw=0))]
    fn read_weights<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] draw: u64,
    ) -> PyResult<Vec<Bound<'py, PyArray2<f32>>>> {
        let layers = self.network.linear_layers();
        layers.map(|l| matrix_out(py, l.rule().read_weights(draw).map_err(map_error)?, l.rule().shape())).collect()
    }

    /// Everything to go on from, bit for bit, by name ("0.c", "0.a", "0.h", …).
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (k, linear) in self.network.linear_layers().enumerate() {
            state_out(&dict, &format!("{k}."), linear.rule())?;
        }
        Ok(dict)
    }

    /// Puts a state of an equally configured network back.
    fn restore(&mut self, state: &Bound<'_, PyMapping>) -> PyResult<()> {
        let arrays = self.network.linear_layers().count();
        let states: Vec<_> = (0..arrays).map(|k| state_in(state, &format!("{k}."))).collect::<PyResult<_>>()?;
        let before: Result<Vec<_>, _> = self.network.linear_layers().map(|linear| linear.rule().state()).collect();
        let before = before.map_err(map_error)?;
        let restored = {
            let mut layers = self.network.linear_layers_mut().zip(&states);
            layers.try_for_each(|(linear, state)| linear.rule_mut().restore(state))
        };
        if restored.is_err() {
            // All or nothing.
            for (linear, state) in self.network.linear_layers_mut().zip(&before) {
                linear.rule_mut().restore(state).map_err(map_error)?;
            }
        }
        restored.map_err(map_error)
    }

    /// The state of one array's rule by name ("c", "a", "h", …).
    fn layer_state<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] array: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        state_out(&dict, "", self.linear(array)?.rule())?;
        Ok(dict)
    }

    /// Device constants of one array's rule by name ("a.up_step", …).
    fn device_parameters<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] array: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let rule = self.linear(array)?.rule();
        named_out(py, rule.device_parameters(), rule.shape())
    }
}

impl PyNetwork {
    /// A matrix for each array.
    fn per_array(&self, given: &[Bound<'_, PyAny>], what: &'static str) -> PyResult<Vec<Vec<f32>>> {
        let shapes: Vec<_> = self.network.linear_layers().map(|l| l.rule().shape()).collect();
        if given.len() != shapes.len() {
            return Err(PyValueError::new_err(format!("{what} holds {} arrays; {} needed", given.len(), shapes.len())));
        }
        given.iter().zip(shapes).map(|(values, shape)| matrix(values, what, shape)).collect()
    }

    fn linear(&self, array: usize) -> PyResult<&crate::network::Linear> {
        let count = self.network.linear_layers().count();
        let found = self.network.linear_layers().nth(array);
        found.ok_or_else(|| PyValueError::new_err(format!("array is {array}; allowed: 0 to {}", count - 1)))
    }
}

fn summary(progress: Progress) -> (f64, u64) {
    (progress.loss, progress.errors)
}
