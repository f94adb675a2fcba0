//! Whole networks.

use super::arrays::{codes, floats, integers, matrix, matrix_out, named_out, rows};
use super::config::{layer, map_error, programming, whole, workers};
use super::rule;
use super::state::{state_in, state_out};
use crate::check::number;
use crate::network::{Examples, Inputs, Loss, Memory, Network, NetworkState, Progress, Targets, TrainOptions};
use crate::rule::Rule;
use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
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

/// Targets as Python gave them.
enum TargetArg<'py> {
    Classes(Vec<u32>),
    Values(PyReadonlyArrayDyn<'py, f32>),
}

impl TargetArg<'_> {
    fn targets(&self) -> PyResult<Targets<'_>> {
        Ok(match self {
            Self::Classes(classes) => Targets::Classes(classes),
            Self::Values(values) => Targets::Values(values.as_slice()?),
        })
    }
}

/// Inputs as Python gave them, and how many examples of how many time steps.
struct Data<'py> {
    inputs: InputArg<'py>,
    examples: usize,
    time_steps: usize,
}

enum InputArg<'py> {
    Codes(Vec<u32>),
    Values(PyReadonlyArrayDyn<'py, f32>),
}

impl Data<'_> {
    fn examples(&self) -> PyResult<Examples<'_>> {
        let inputs = match &self.inputs {
            InputArg::Codes(codes) => Inputs::Codes(codes),
            InputArg::Values(values) => Inputs::Values(values.as_slice()?),
        };
        Ok(Examples { inputs, time_steps: self.time_steps })
    }
}

impl PyNetwork {
    /// Inputs: (examples, inputs), or for a recurrent network (examples, steps) of codes or (examples, steps, inputs).
    fn data<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Data<'py>> {
        let n = self.network.inputs();
        if !self.network.recurrent() {
            let values = floats(x, "x")?;
            let examples = rows(&values, "x", n)?;
            return Ok(Data { inputs: InputArg::Values(values), examples, time_steps: 1 });
        }
        if let Some((codes, [examples, time_steps])) = codes(x, "x")? {
            return Ok(Data { inputs: InputArg::Codes(codes), examples, time_steps });
        }
        let values = floats(x, "x")?;
        match *values.shape() {
            [examples, time_steps, width] if width == n => {
                Ok(Data { inputs: InputArg::Values(values), examples, time_steps })
            }
            _ => Err(PyValueError::new_err(format!(
                "x must have shape (examples, steps) of integers or (examples, steps, {n}), not {:?}",
                values.shape()
            ))),
        }
    }

    fn target_arg<'py>(&self, targets: &Bound<'py, PyAny>, data: &Data<'_>) -> PyResult<TargetArg<'py>> {
        let (recurrent, m) = (self.network.recurrent(), self.network.outputs());
        Ok(match self.loss {
            Loss::CrossEntropy if recurrent => match codes(targets, "targets")? {
                Some((classes, shape)) if shape == [data.examples, data.time_steps] => TargetArg::Classes(classes),
                _ => {
                    let array = targets.py().import("numpy")?.call_method1("asarray", (targets,))?;
                    return Err(PyValueError::new_err(format!(
                        "targets must have shape ({}, {}) of integers, not {} of {}",
                        data.examples,
                        data.time_steps,
                        array.getattr("shape")?,
                        array.getattr("dtype")?
                    )));
                }
            },
            Loss::CrossEntropy => TargetArg::Classes(indices(targets, "targets")?),
            Loss::MeanSquare => {
                let values = floats(targets, "targets")?;
                if recurrent && values.shape() != [data.examples, data.time_steps, m] {
                    return Err(PyValueError::new_err(format!(
                        "targets must have shape ({}, {}, {m}), not {:?}",
                        data.examples,
                        data.time_steps,
                        values.shape()
                    )));
                }
                if !recurrent {
                    rows(&values, "targets", m)?;
                }
                TargetArg::Values(values)
            }
        })
    }
}

/// Numbers of classes or samples.
fn indices(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<u32>> {
    let number = |n: i64| {
        u32::try_from(n).map_err(|_| {
            PyValueError::new_err(format!("{what} must be from 0 to {}, not {n}", number(f64::from(u32::MAX))))
        })
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
            other => {
                return Err(PyValueError::new_err(format!("loss must be one of cross-entropy, mse, not {other:?}")));
            }
        };
        let each = rules.cast::<PyList>().ok();
        let arrays = layers.iter().filter(|layer| layer.has_array()).count();
        if let Some(list) = each
            && list.len() != arrays
        {
            return Err(PyValueError::new_err(format!("rules must be one rule or {arrays}, not {}", list.len())));
        }
        let network = Network::builder()
            .layers(&layers)
            .loss(loss)
            .seed(seed)
            .build_with(&mut |at| match each {
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
        let weights = self.network.weights().map_err(map_error)?;
        weights.into_iter().zip(self.network.rules()).map(|(w, rule)| matrix_out(py, w, rule.shape())).collect()
    }

    #[setter]
    fn set_weights(&mut self, value: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let weights = self.per_array(&value, "weights")?;
        self.network.set_weights(&weights).map_err(map_error)
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
        let arrays = self.network.rules_mut().zip(&targets);
        py.detach(|| arrays.map(|(rule, target)| rule.program(target, method)).collect::<Result<Vec<_>, _>>())
            .map_err(map_error)
    }

    /// The averages over iterates of every array; None if a rule keeps none or has read nothing.
    #[getter]
    fn averages<'py>(&self, py: Python<'py>) -> PyResult<Option<Vec<Bound<'py, PyArray2<f32>>>>> {
        let rules = self.network.rules();
        rules
            .map(|rule| match rule.average().map_err(map_error)? {
                Some(average) => matrix_out(py, average, rule.shape()).map(Some),
                None => Ok(None),
            })
            .collect()
    }

    /// Whether iterates are being averaged.
    #[getter]
    fn averaging(&self) -> bool {
        self.network.rules().any(|rule| rule.averaging())
    }

    #[setter]
    fn set_averaging(&mut self, on: bool) -> PyResult<()> {
        self.network.rules_mut().try_for_each(|rule| rule.set_averaging(on)).map_err(map_error)
    }

    /// Operations so far, of all layers.
    #[getter]
    fn ledger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        pythonize(py, &self.network.ledger().map_err(map_error)?).map_err(PyErr::from)
    }

    /// Trains on the samples `order` of `x` (all, in order, by default): (sum of losses, number of wrong classes).
    #[pyo3(signature = (x, targets, *, order=None, batch=1, lr_scale=1.0, threads=1))]
    #[allow(clippy::too_many_arguments)]
    fn train(
        &mut self,
        py: Python<'_>,
        x: &Bound<'_, PyAny>,
        targets: &Bound<'_, PyAny>,
        order: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = whole)] batch: usize,
        lr_scale: f32,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<(f64, u64)> {
        let data = self.data(x)?;
        let target_arg = self.target_arg(targets, &data)?;
        let order = order.filter(|order| !order.is_none()).map(|order| indices(order, "order")).transpose()?;
        let workers = workers(threads)?;
        let (x, targets) = (data.examples()?, target_arg.targets()?);
        let options = TrainOptions { order: order.as_deref(), batch, lr_scale };
        let progress = py.detach(|| self.network.train(x, targets, options, &workers));
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
        let data = self.data(x)?;
        let target_arg = self.target_arg(targets, &data)?;
        let workers = workers(threads)?;
        let (x, targets) = (data.examples()?, target_arg.targets()?);
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
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let data = self.data(x)?;
        let workers = workers(threads)?;
        let x = data.examples()?;
        let outputs = py.detach(|| self.network.forward(x, draw, &workers)).map_err(map_error)?;
        let m = self.network.outputs();
        let outputs = PyArray1::from_vec(py, outputs);
        if self.network.recurrent() {
            return outputs.reshape([data.examples, data.time_steps, m])?.cast_into().map_err(PyErr::from);
        }
        outputs.reshape([data.examples, m])?.cast_into().map_err(PyErr::from)
    }

    /// Whether it takes sequences.
    #[getter]
    fn recurrent(&self) -> bool {
        self.network.recurrent()
    }

    /// Whether a sequence goes on where the one before it, at its place in the mini-batch, ended.
    #[getter]
    fn carries(&self) -> bool {
        self.network.carries()
    }

    /// Forgets what sequences carried over.
    fn reset(&mut self) {
        self.network.reset();
    }

    /// `count` codes that go on from the codes `prime`; nothing changes.
    #[pyo3(signature = (prime, count, *, temperature=1.0, seed=0, draw=0, threads=1))]
    #[allow(clippy::too_many_arguments)]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        prime: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = whole)] count: usize,
        temperature: f32,
        #[pyo3(from_py_with = whole)] seed: u64,
        #[pyo3(from_py_with = whole)] draw: u64,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let prime = indices(prime, "prime")?;
        let workers = workers(threads)?;
        let codes =
            py.detach(|| self.network.sample(&prime, count, temperature, seed, draw, &workers)).map_err(map_error)?;
        Ok(PyArray1::from_vec(py, codes.into_iter().map(i64::from).collect()))
    }

    /// The weights of every array, read column by column through the periphery; nothing changes.
    #[pyo3(signature = (*, draw=0))]
    fn read_weights<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] draw: u64,
    ) -> PyResult<Vec<Bound<'py, PyArray2<f32>>>> {
        let rules = self.network.rules();
        rules.map(|rule| matrix_out(py, rule.read_weights(draw).map_err(map_error)?, rule.shape())).collect()
    }

    /// Everything to continue from, bit for bit, by name ("0.c", "0.a", "0.h", …).
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        let state = self.network.state().map_err(map_error)?;
        for (k, state) in state.rules.into_iter().enumerate() {
            state_out(&dict, &format!("{k}."), state)?;
        }
        for (k, memory) in state.memories.into_iter().enumerate() {
            dict.set_item(format!("carried.{k}.h"), PyArray1::from_vec(py, memory.h))?;
            dict.set_item(format!("carried.{k}.c"), PyArray1::from_vec(py, memory.c))?;
        }
        Ok(dict)
    }

    /// Puts a state of an equally configured network back, or leaves all as it was: ValueError if it does not fit.
    fn restore(&mut self, state: &Bound<'_, PyMapping>) -> PyResult<()> {
        let rules = (0..self.network.rules().count()).map(|k| state_in(state, &format!("{k}.")));
        let memories = (0..self.network.carrying_layers()).map(|k| {
            let carried = state_in(state, &format!("carried.{k}."))?;
            let part = |name| carried.floats(name).map(<[f32]>::to_vec).map_err(map_error);
            Ok(Memory { h: part("h")?, c: part("c")? })
        });
        let state =
            NetworkState { rules: rules.collect::<PyResult<_>>()?, memories: memories.collect::<PyResult<_>>()? };
        self.network.restore(&state).map_err(map_error)
    }

    /// The state of one array's rule by name ("c", "a", "h", …).
    fn layer_state<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] array: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        state_out(&dict, "", self.rule(array)?.state().map_err(map_error)?)?;
        Ok(dict)
    }

    /// Device constants of one array's rule by name ("a.up_step", …).
    fn device_parameters<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] array: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let rule = self.rule(array)?;
        named_out(py, rule.device_parameters().map_err(map_error)?, rule.shape())
    }
}

impl PyNetwork {
    /// A matrix for each array.
    fn per_array(&self, given: &[Bound<'_, PyAny>], what: &'static str) -> PyResult<Vec<Vec<f32>>> {
        let shapes: Vec<_> = self.network.rules().map(|rule| rule.shape()).collect();
        if given.len() != shapes.len() {
            return Err(PyValueError::new_err(format!(
                "{what} must have {} arrays, not {}",
                shapes.len(),
                given.len()
            )));
        }
        given.iter().zip(shapes).map(|(values, shape)| matrix(values, what, shape)).collect()
    }

    fn rule(&self, array: usize) -> PyResult<&dyn Rule> {
        let count = self.network.rules().count();
        let found = self.network.rules().nth(array);
        found.ok_or_else(|| PyValueError::new_err(format!("array must be from 0 to {}, not {array}", count - 1)))
    }
}

fn summary(progress: Progress) -> (f64, u64) {
    (progress.loss, progress.errors)
}
