//! The data that networks are fed with, as Python gives them.

use super::arrays::{codes, floats, index, integers, rows};
use crate::network::{Examples, Inputs, Loss, Network, Targets};
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Inputs or targets.
pub(super) enum DataArg<'py> {
    Codes(Vec<u32>),
    Values(PyReadonlyArrayDyn<'py, f32>),
}

impl DataArg<'_> {
    pub(super) fn targets(&self) -> PyResult<Targets<'_>> {
        Ok(match self {
            Self::Codes(classes) => Targets::Classes(classes),
            Self::Values(values) => Targets::Values(values.as_slice()?),
        })
    }
}

/// Inputs, and how many examples of how many time steps they are.
pub(super) struct Data<'py> {
    inputs: DataArg<'py>,
    pub(super) examples: usize,
    pub(super) time_steps: usize,
}

impl<'py> Data<'py> {
    /// Inputs: (examples, inputs), or for a recurrent network (examples, steps) of codes or (examples, steps, inputs).
    pub(super) fn new(network: &Network, x: &Bound<'py, PyAny>) -> PyResult<Self> {
        let n = network.inputs();
        if network.recurrent()
            && let Some((codes, [examples, time_steps])) = codes(x, "x", n)?
        {
            return Ok(Self { inputs: DataArg::Codes(codes), examples, time_steps });
        }
        let values = floats(x, "x")?;
        let (examples, time_steps) = match *values.shape() {
            [examples, time_steps, width] if network.recurrent() && width == n => (examples, time_steps),
            ref shape if network.recurrent() => {
                return Err(PyValueError::new_err(format!(
                    "x must have shape (examples, steps) of integers or (examples, steps, {n}), not {shape:?}"
                )));
            }
            _ => (rows(&values, "x", n)?, 1),
        };
        Ok(Self { inputs: DataArg::Values(values), examples, time_steps })
    }

    pub(super) fn examples(&self) -> PyResult<Examples<'_>> {
        let inputs = match &self.inputs {
            DataArg::Codes(codes) => Inputs::Codes(codes),
            DataArg::Values(values) => Inputs::Values(values.as_slice()?),
        };
        Ok(Examples { inputs, time_steps: self.time_steps })
    }

    /// Targets for these inputs: classes or vectors, one for each example, or for each time step of it.
    pub(super) fn targets<'t>(
        &self,
        network: &Network,
        loss: Loss,
        targets: &Bound<'t, PyAny>,
    ) -> PyResult<DataArg<'t>> {
        let (examples, steps, m) = (self.examples, self.time_steps, network.outputs());
        match loss {
            Loss::CrossEntropy if network.recurrent() => match codes(targets, "targets", m)? {
                Some((classes, shape)) if shape == [examples, steps] => Ok(DataArg::Codes(classes)),
                _ => {
                    let array = targets.py().import("numpy")?.call_method1("asarray", (targets,))?;
                    let (shape, dtype) = (array.getattr("shape")?, array.getattr("dtype")?);
                    Err(PyValueError::new_err(format!(
                        "targets must have shape ({examples}, {steps}) of integers, not {shape} of {dtype}"
                    )))
                }
            },
            Loss::CrossEntropy => {
                let classes = integers(targets, "targets")?.into_iter().map(|n| index("targets", n, m));
                Ok(DataArg::Codes(classes.collect::<PyResult<_>>()?))
            }
            Loss::MeanSquare => {
                let values = floats(targets, "targets")?;
                let one_each = if network.recurrent() { vec![examples, steps] } else { vec![examples] };
                if m == 1 && values.shape() == one_each {
                    // A plain number for each output.
                } else if !network.recurrent() {
                    rows(&values, "targets", m)?;
                } else if values.shape() != [examples, steps, m] {
                    let shape = values.shape();
                    return Err(PyValueError::new_err(format!(
                        "targets must have shape ({examples}, {steps}, {m}), not {shape:?}"
                    )));
                }
                Ok(DataArg::Values(values))
            }
        }
    }
}
