//! What a layer's arithmetic multiplies with: the array of an `AnalogLayer`, or a `Crossbar`.

use super::crossbar::PyCrossbar;
use super::layer::PyLayer;
use crate::crossbar::{ExactWeights, Visible};
use crate::error::Result;
use crate::network::layer::Products;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// An array from Python.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand<'a> {
    Layer(&'a PyLayer),
    Crossbar(&'a PyCrossbar),
}

/// What products count as.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    /// Training: they draw its noise, and are counted.
    Training,
    /// An evaluation, the first of whose vectors has this number.
    Evaluation(u64),
    /// Arithmetic with the weights, without a periphery.
    Exact,
}

impl Mode {
    /// An evaluation where a draw is given.
    pub(super) fn of(draw: Option<u64>) -> Self {
        draw.map_or(Self::Training, Self::Evaluation)
    }
}

impl<'a> Operand<'a> {
    /// TypeError for anything else.
    pub(super) fn of(value: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(layer) = value.cast::<PyLayer>() {
            return Ok(Self::Layer(layer.get()));
        }
        match value.cast::<PyCrossbar>() {
            Ok(crossbar) => Ok(Self::Crossbar(crossbar.get())),
            Err(_) => Err(PyTypeError::new_err(format!(
                "array must be a tikitaka.AnalogLayer or Crossbar, not {}",
                value.get_type().name()?
            ))),
        }
    }

    /// (rows, columns).
    pub(super) fn shape(self) -> (usize, usize) {
        match self {
            Self::Layer(layer) => (layer.rows, layer.cols),
            Self::Crossbar(crossbar) => (crossbar.rows, crossbar.cols),
        }
    }

    /// Hands products of the array to `run`.
    pub(super) fn with(self, mode: Mode, run: impl FnOnce(&mut Products<'_>) -> Result<()>) -> Result<()> {
        match mode {
            Mode::Training => match self {
                Self::Layer(layer) => run(&mut Products::training(layer.rule.write()?.visible_mut())),
                Self::Crossbar(crossbar) => run(&mut Products::training(&mut **crossbar.array.write()?)),
            },
            Mode::Evaluation(draw) => self.look(|weights| run(&mut Products::evaluation(weights, draw))),
            Mode::Exact => {
                let (rows, cols) = self.shape();
                let mut values = vec![0.0; rows * cols];
                self.look(|weights| weights.copy_weights(&mut values))?;
                run(&mut Products::training(&mut ExactWeights::new(rows, cols, &values)?))
            }
        }
    }

    fn look(self, at: impl FnOnce(&dyn Visible) -> Result<()>) -> Result<()> {
        match self {
            Self::Layer(layer) => at(layer.rule.read()?.visible()),
            Self::Crossbar(crossbar) => at(&**crossbar.array.read()?),
        }
    }
}
