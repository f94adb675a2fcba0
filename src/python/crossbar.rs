//! The low-level array for loops of one's own.

use super::arrays::{batch, batch_out, integers, matrix, matrix_out, named_out, vector};
use super::config::{map_error, programming, settings, whole, workers};
use crate::crossbar::{Array, Crossbar, Line, Setup};
use crate::device::{ConstantStepDevice, DeviceConfig, SoftBoundsDevice};
use numpy::{PyArray1, PyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pythonize::pythonize;

#[derive(Debug)]
enum Kind {
    SoftBounds(Box<Crossbar<SoftBoundsDevice>>),
    ConstantStep(Box<Crossbar<ConstantStepDevice>>),
}

/// Calls one method of the crossbar inside, whatever its devices.
macro_rules! inside {
    ($kind:expr, $crossbar:ident => $call:expr) => {
        match $kind {
            Kind::SoftBounds($crossbar) => $call,
            Kind::ConstantStep($crossbar) => $call,
        }
    };
}

/// An array of `rows` × `cols` devices with its periphery; the network's view is state − reference.
#[pyclass(name = "Crossbar", module = "tikitaka")]
#[derive(Debug)]
pub(super) struct PyCrossbar {
    kind: Kind,
    rows: usize,
    cols: usize,
}

impl PyCrossbar {
    fn array(&self) -> &dyn Array {
        inside!(&self.kind, crossbar => crossbar.as_ref())
    }

    fn array_mut(&mut self) -> &mut dyn Array {
        inside!(&mut self.kind, crossbar => crossbar.as_mut())
    }
}

#[pymethods]
impl PyCrossbar {
    #[new]
    #[pyo3(signature = (rows, cols, device=None, *, periphery=None, trains=None, reference=None, seed=0, array=0, count_pulses=false))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        #[pyo3(from_py_with = whole)] rows: usize,
        #[pyo3(from_py_with = whole)] cols: usize,
        device: Option<&Bound<'_, PyAny>>,
        periphery: Option<&Bound<'_, PyAny>>,
        trains: Option<&Bound<'_, PyAny>>,
        reference: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = whole)] seed: u64,
        #[pyo3(from_py_with = whole)] array: u64,
        count_pulses: bool,
    ) -> PyResult<Self> {
        let device: DeviceConfig = settings(device, "device")?.unwrap_or_default();
        let setup = Setup {
            periphery: settings(periphery, "periphery")?.unwrap_or_default(),
            trains: settings(trains, "trains")?.unwrap_or_default(),
            seed,
            array,
            count_pulses,
        };
        let reference = settings(reference, "reference")?.unwrap_or_default();
        let kind = py
            .detach(|| {
                Ok(match device {
                    DeviceConfig::SoftBounds(s) => {
                        let mut crossbar = Crossbar::new(rows, cols, s.build()?, &setup)?;
                        crossbar.refer(&reference)?;
                        Kind::SoftBounds(Box::new(crossbar))
                    }
                    DeviceConfig::ConstantStep(s) => {
                        let mut crossbar = Crossbar::new(rows, cols, s.build()?, &setup)?;
                        crossbar.refer(&reference)?;
                        Kind::ConstantStep(Box::new(crossbar))
                    }
                })
            })
            .map_err(map_error)?;
        Ok(Self { kind, rows, cols })
    }

    /// (rows, cols): (outputs, inputs).
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// δ: the mean step of the devices at w = 0.
    #[getter]
    fn step(&self) -> f32 {
        self.array().step()
    }

    /// The weights, state − reference, without any periphery; setting clips each to what its device can hold.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        matrix_out(py, self.array().weights(), self.shape())
    }

    #[setter]
    fn set_weights(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let weights = matrix(value, "weights", self.shape())?;
        self.array_mut().set_weights(&weights).map_err(map_error)
    }

    /// The reference array; setting it moves the weights, not the devices.
    #[getter]
    fn reference<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        matrix_out(py, self.array().reference(), self.shape())
    }

    #[setter]
    fn set_reference(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let reference = matrix(value, "reference", self.shape())?;
        inside!(&mut self.kind, crossbar => crossbar.set_reference(&reference)).map_err(map_error)
    }

    /// The states at which an up and a down step cancel on average (R24 eq. 8).
    #[getter]
    fn symmetry_point<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        matrix_out(py, inside!(&self.kind, crossbar => crossbar.symmetry_points()), self.shape())
    }

    /// Device constants by name.
    #[getter]
    fn device_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        named_out(py, self.array().device_parameters(), self.shape())
    }

    /// Pulses that each crosspoint has got; None unless counted.
    #[getter]
    fn pulses<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<u32>>>> {
        let counters = inside!(&self.kind, crossbar => crossbar.pulse_counters());
        counters.map(|counters| matrix_out(py, counters, self.shape())).transpose()
    }

    /// Operations so far.
    #[getter]
    fn ledger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        pythonize(py, &self.array().counts()).map_err(PyErr::from)
    }

    /// y = W x through the periphery, for x of shape (cols,) or (batch, cols).
    #[pyo3(signature = (x, *, threads=1))]
    fn forward<'py>(
        &mut self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (x, batched) = batch(x, "x", self.cols)?;
        let workers = workers(threads)?;
        let mut y = vec![0.0; x.len() / self.cols * self.rows];
        py.detach(|| self.array_mut().forward(&x, &mut y, &workers)).map_err(map_error)?;
        batch_out(py, y, self.rows, batched)
    }

    /// z = Wᵀ δ through the periphery, for delta of shape (rows,) or (batch, rows).
    #[pyo3(signature = (delta, *, threads=1))]
    fn backward<'py>(
        &mut self,
        py: Python<'py>,
        delta: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (delta, batched) = batch(delta, "delta", self.rows)?;
        let workers = workers(threads)?;
        let mut z = vec![0.0; delta.len() / self.rows * self.cols];
        py.detach(|| self.array_mut().backward(&delta, &mut z, &workers)).map_err(map_error)?;
        batch_out(py, z, self.cols, batched)
    }

    /// y = W x with the noise of evaluation vector `draw`, `draw + 1`, …; nothing changes.
    #[pyo3(signature = (x, *, draw=0, threads=1))]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = whole)] draw: u64,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (x, batched) = batch(x, "x", self.cols)?;
        let workers = workers(threads)?;
        let mut y = vec![0.0; x.len() / self.cols * self.rows];
        py.detach(|| self.array().evaluate(draw, &x, &mut y, &workers)).map_err(map_error)?;
        batch_out(py, y, self.rows, batched)
    }

    /// One pulsed update W ← W + lr·δxᵀ in expectation.
    fn update(&mut self, x: &Bound<'_, PyAny>, delta: &Bound<'_, PyAny>, lr: f32) -> PyResult<()> {
        let (x, delta) = self.sample(x, delta, lr)?;
        self.array_mut().update(&x, &delta, lr).map_err(map_error)
    }

    /// The trains that `update` would fire next: booleans of shape (slots, rows) and (slots, cols).
    #[allow(clippy::type_complexity)]
    fn trains<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        delta: &Bound<'py, PyAny>,
        lr: f32,
    ) -> PyResult<(Bound<'py, PyArray2<bool>>, Bound<'py, PyArray2<bool>>)> {
        let (x, delta) = self.sample(x, delta, lr)?;
        let (rows, cols) = inside!(&self.kind, crossbar => crossbar.next_trains(&x, &delta, lr));
        let slots = rows.len() / self.rows;
        Ok((matrix_out(py, rows, (slots, self.rows))?, matrix_out(py, cols, (slots, self.cols))?))
    }

    /// v = W u through the read periphery.
    fn read<'py>(&mut self, py: Python<'py>, u: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let u = vector(u, "u", self.cols)?;
        let mut v = vec![0.0; self.rows];
        self.array_mut().read(&u, &mut v).map_err(map_error)?;
        Ok(PyArray1::from_vec(py, v))
    }

    /// v = W e_k through the read periphery: `rows` values.
    fn read_column<'py>(
        &mut self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] k: usize,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let mut v = vec![0.0; self.rows];
        self.array_mut().read_line(Line::Column(k), &mut v).map_err(map_error)?;
        Ok(PyArray1::from_vec(py, v))
    }

    /// v = Wᵀ e_k through the read periphery: `cols` values.
    fn read_row<'py>(
        &mut self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] k: usize,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let mut v = vec![0.0; self.cols];
        self.array_mut().read_line(Line::Row(k), &mut v).map_err(map_error)?;
        Ok(PyArray1::from_vec(py, v))
    }

    /// Sends |n| pulses of the sign of n to each of the `rows` devices of column k.
    fn pulse_column(&mut self, #[pyo3(from_py_with = whole)] k: usize, counts: &Bound<'_, PyAny>) -> PyResult<()> {
        self.pulse(Line::Column(k), counts)
    }

    /// Sends |n| pulses of the sign of n to each of the `cols` devices of row k.
    fn pulse_row(&mut self, #[pyo3(from_py_with = whole)] k: usize, counts: &Bound<'_, PyAny>) -> PyResult<()> {
        self.pulse(Line::Row(k), counts)
    }

    /// Writes `target` by "exact", "error" (adds N(0, error²)), "closed-loop" or "open-loop" pulses;
    /// returns the pulses sent.
    #[pyo3(signature = (target, method="exact", *, error=0.0, max_pulses=1000))]
    fn program(
        &mut self,
        py: Python<'_>,
        target: &Bound<'_, PyAny>,
        method: &str,
        error: f64,
        #[pyo3(from_py_with = whole)] max_pulses: u32,
    ) -> PyResult<u64> {
        let target = matrix(target, "target", self.shape())?;
        let method = programming(method, error, max_pulses)?;
        py.detach(|| self.array_mut().program(&target, method)).map_err(map_error)
    }

    /// Alternates `pulses` up and down pulses on every device, then takes the states as reference.
    fn zero_shift(&mut self, py: Python<'_>, #[pyo3(from_py_with = whole)] pulses: u32) -> PyResult<()> {
        const MOST: u32 = 10_000_000;
        if pulses > MOST {
            return Err(PyValueError::new_err(format!("pulses is {pulses}; allowed: 0 to {MOST}")));
        }
        py.detach(|| inside!(&mut self.kind, crossbar => crossbar.zero_shift(pulses)));
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("Crossbar({}, {}, step={})", self.rows, self.cols, self.step())
    }
}

impl PyCrossbar {
    fn sample(&self, x: &Bound<'_, PyAny>, delta: &Bound<'_, PyAny>, lr: f32) -> PyResult<(Vec<f32>, Vec<f32>)> {
        if !lr.is_finite() {
            return Err(PyValueError::new_err(format!("lr is {lr}; a finite number needed")));
        }
        Ok((vector(x, "x", self.cols)?, vector(delta, "delta", self.rows)?))
    }

    fn pulse(&mut self, line: Line, counts: &Bound<'_, PyAny>) -> PyResult<()> {
        const MOST: i64 = 1_000_000;
        let counts = integers(counts, "counts")?;
        if let Some(n) = counts.iter().find(|n| n.unsigned_abs() > MOST as u64) {
            return Err(PyValueError::new_err(format!("counts holds {n}; allowed: {} to {MOST}", -MOST)));
        }
        let counts: Vec<i32> = counts.into_iter().map(|n| n as i32).collect();
        self.array_mut().pulse_line(line, &counts).map_err(map_error)
    }
}
