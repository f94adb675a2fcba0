//! The low-level array, for your own loops and rules.

use super::arrays::{
    Values, fixed_out, integer_matrix, integers, matrix, matrix_out, named_out, products, vector, written,
};
use super::config::{programming, real, settings, whole};
use super::copies::{pickled, unpickled};
use super::one_thread::OneThread;
use super::state::{state_in, state_out};
use crate::check::check_range;
use crate::crossbar::{Array, Line, Reference, Setup, build};
use crate::device::DeviceConfig;
use crate::error::Result;
use crate::rule::State;
use numpy::{PyArray1, PyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple};
use pythonize::pythonize;
use std::sync::Arc;

/// The name of the class.
const CLASS: &str = "Crossbar";

/// The most pulses to one device of a line at once.
const MAX_PULSES: f64 = 1e6;

/// The most updates that go by at once.
const MAX_UPDATES: f64 = 1e15;

/// The most pulses of zero-shifting.
const MAX_SHIFTS: f64 = 1e7;

/// An array of `rows` × `cols` devices with its periphery; the network's view is state − reference.
///
/// `device`, `periphery`, `reliability`, `pulse_trains` and `reference` are configs of `tikitaka.config`, or dicts of
/// their fields; without them devices are 20-state soft bounds without faults, products exact, and nothing is the
/// reference. All randomness is a pure function of `seed` and the number `array` (0 to 2⁶⁴ − 1). `count_pulses` counts
/// pulses per crosspoint.
///
/// Raises ValueError for settings out of range and arrays of another shape or with values that are not finite, and
/// TypeError for anything that is not a number or an array. An array is for one thread at a time (RuntimeError
/// otherwise).
///
/// >>> import numpy as np
/// >>> import tikitaka as tt
/// >>> array = tt.Crossbar(2, 3, tt.ConstantStep(weight_step=0.1, bound=1.0), seed=1)
/// >>> array.pulse_column(1, [2, -1])  # two pulses up, one down
/// >>> print(array.weights)
/// [[ 0.   0.2  0. ]
///  [ 0.  -0.1  0. ]]
/// >>> print(array.forward(np.array([1.0, 0.5, 0.0])))
/// [ 0.1  -0.05]
#[pyclass(name = "Crossbar", module = "tikitaka", frozen)]
#[derive(Debug)]
pub(super) struct PyCrossbar {
    pub(super) array: OneThread<Box<dyn Array>>,
    pub(super) rows: usize,
    pub(super) cols: usize,
    made: Arc<Made>,
}

/// What an array was made of.
#[derive(Debug)]
struct Made {
    device: DeviceConfig,
    setup: Setup,
    reference: Reference,
}

#[pymethods]
impl PyCrossbar {
    #[new]
    #[pyo3(signature = (rows, cols, device=None, *, periphery=None, reliability=None, pulse_trains=None, reference=None, seed=0, array=0, count_pulses=false))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        #[pyo3(from_py_with = whole)] rows: usize,
        #[pyo3(from_py_with = whole)] cols: usize,
        device: Option<&Bound<'_, PyAny>>,
        periphery: Option<&Bound<'_, PyAny>>,
        reliability: Option<&Bound<'_, PyAny>>,
        pulse_trains: Option<&Bound<'_, PyAny>>,
        reference: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = whole)] seed: u64,
        #[pyo3(from_py_with = whole)] array: u64,
        count_pulses: bool,
    ) -> PyResult<Self> {
        let device: DeviceConfig = settings(device, "device")?.unwrap_or_default();
        let setup = Setup {
            periphery: settings(periphery, "periphery")?.unwrap_or_default(),
            reliability: settings(reliability, "reliability")?.unwrap_or_default(),
            pulse_trains: settings(pulse_trains, "pulse_trains")?.unwrap_or_default(),
            seed,
            array,
            count_pulses,
            ..Setup::default()
        };
        let reference = settings(reference, "reference")?.unwrap_or_default();
        let array = py.detach(|| build(rows, cols, &device, &setup, &reference))?;
        let array = OneThread::new(CLASS, array);
        Ok(Self { array, rows, cols, made: Arc::new(Made { device, setup, reference }) })
    }

    /// (rows, cols): (outputs, inputs).
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// δ: the mean step of the devices at w = 0, or of pairs at half their range (weight units).
    #[getter]
    fn weight_step(&self) -> PyResult<f32> {
        Ok(self.array.read()?.weight_step())
    }

    /// The weights (rows, cols), state − reference, without any periphery (weight units): a read-only copy.
    ///
    /// Setting clips each to what its device can hold; ValueError for another shape or values that are not finite.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        fixed_out(py, self.array.read()?.weights()?, self.shape())
    }

    #[setter]
    fn set_weights(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let weights = matrix(value, "weights", self.shape())?;
        Ok(self.array.write()?.set_weights(&weights)?)
    }

    /// The reference (rows, cols) that states are read against (weight units); 0 where there is none: a read-only
    /// copy.
    ///
    /// Setting all of it moves the weights, not the devices.
    #[getter]
    fn reference<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        fixed_out(py, self.array.read()?.reference(), self.shape())
    }

    #[setter]
    fn set_reference(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let reference = matrix(value, "reference", self.shape())?;
        Ok(self.array.write()?.set_reference(&reference)?)
    }

    /// The states (rows, cols) at which an up and a down step cancel on average (R24 eq. 8; weight units).
    #[getter]
    fn symmetry_point<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        fixed_out(py, self.array.read()?.symmetry_points(), self.shape())
    }

    /// Constants of each device by name, (rows, cols) each, in weight units (R24 eqs. 5, 6).
    ///
    /// up_step and down_step are α₊ and α₋, upper_bound and lower_bound w_max and w_min. Of one-sided pairs, they are
    /// the steps with both devices at half their range, and the ranges of g⁺ and of −g⁻; plus_… and minus_… are
    /// constants of each.
    #[getter]
    fn device_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        named_out(py, self.array.read()?.device_parameters(), self.shape())
    }

    /// g⁺ and g⁻ of one-sided pairs, (rows, cols) each (weight units): read-only copies; None for single devices.
    #[getter]
    fn pair<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let Some(pair) = self.array.read()?.pair() else { return Ok(None) };
        let [plus, minus] = pair.map(|g| fixed_out(py, g, self.shape()));
        (plus?, minus?).into_pyobject(py).map(Some)
    }

    /// Pulses that each crosspoint has got, (rows, cols); None unless counted.
    #[getter]
    fn pulses<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<u32>>>> {
        self.array.read()?.pulse_counters().map(|counters| fixed_out(py, counters, self.shape())).transpose()
    }

    /// Operations so far by name: products, updates, pulses, line reads, conversions.
    #[getter]
    fn ledger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.array.read()?.counts())?)
    }

    /// y = W x through the periphery (GV16), for x of shape (cols,) or (batch, cols); y is (rows,) or (batch, rows).
    ///
    /// Every call draws new noise. Raises ValueError for another shape.
    #[pyo3(signature = (x, *, threads=1))]
    fn forward<'py>(&self, x: &Bound<'py, PyAny>, #[pyo3(from_py_with = whole)] threads: usize) -> Values<'py> {
        products(x, "x", (self.cols, self.rows), threads, |x, y, workers| self.array.write()?.forward(x, y, workers))
    }

    /// z = Wᵀ δ through the periphery (GV16), for delta of shape (rows,) or (batch, rows).
    ///
    /// z is (cols,) or (batch, cols). Every call draws new noise. Raises ValueError for another shape.
    #[pyo3(signature = (delta, *, threads=1))]
    fn backward<'py>(&self, delta: &Bound<'py, PyAny>, #[pyo3(from_py_with = whole)] threads: usize) -> Values<'py> {
        products(delta, "delta", (self.rows, self.cols), threads, |delta, z, workers| {
            self.array.write()?.backward(delta, z, workers)
        })
    }

    /// y = W x as `forward`, with the noise of evaluation vector `draw`, `draw + 1`, …; nothing changes.
    ///
    /// The same `draw` gives the same noise, and counts in no ledger.
    #[pyo3(signature = (x, *, draw=0, threads=1))]
    fn evaluate<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = whole)] draw: u64,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> Values<'py> {
        products(x, "x", (self.cols, self.rows), threads, |x, y, workers| {
            self.array.read()?.evaluate(draw, x, y, workers)
        })
    }

    /// One pulsed update W ← W + lr·δxᵀ in expectation (GV16), for x of shape (cols,) and delta of shape (rows,).
    ///
    /// Raises ValueError for another shape or an lr that is not finite.
    fn update(
        &self,
        x: &Bound<'_, PyAny>,
        delta: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = real)] lr: f32,
    ) -> PyResult<()> {
        let (x, delta) = self.sample(x, delta, lr)?;
        Ok(self.array.write()?.update(&x, &delta, lr)?)
    }

    /// The pulse trains that `update` would fire next: booleans of shape (slots, rows) and (slots, cols).
    ///
    /// A device gets a pulse in each slot where its row and its column fire. Nothing changes.
    #[allow(clippy::type_complexity)]
    fn next_pulse_trains<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        delta: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = real)] lr: f32,
    ) -> PyResult<(Bound<'py, PyArray2<bool>>, Bound<'py, PyArray2<bool>>)> {
        let (x, delta) = self.sample(x, delta, lr)?;
        let (rows, cols) = self.array.read()?.next_pulse_trains(&x, &delta, lr)?;
        let slots = rows.len() / self.rows;
        Ok((matrix_out(py, rows, (slots, self.rows))?, matrix_out(py, cols, (slots, self.cols))?))
    }

    /// Tells the array that `updates` (at most 10¹⁵) have gone by: where devices relax or diffuse, they do.
    ///
    /// One-sided pairs are refreshed if a refresh is due.
    fn elapse(&self, py: Python<'_>, #[pyo3(from_py_with = whole)] updates: u64) -> PyResult<()> {
        check_range("updates", updates as f64, 0.0, MAX_UPDATES)?;
        py.detach(|| self.array.write().map(|mut array| array.elapse(updates)))
    }

    /// v = W u through the read periphery, for u of shape (cols,); v is (rows,), in weight units.
    fn read<'py>(&self, py: Python<'py>, u: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let u = vector(u, "u", self.cols)?;
        let mut v = vec![0.0; self.rows];
        self.array.write()?.read(&u, &mut v)?;
        Ok(PyArray1::from_vec(py, v))
    }

    /// v = W e_k through the read periphery: the weights (rows,) of column k; ValueError if there is none.
    fn read_column<'py>(&self, py: Python<'py>, #[pyo3(from_py_with = whole)] k: usize) -> Values<'py> {
        self.read_line(py, Line::Column(k), self.rows)
    }

    /// v = Wᵀ e_k through the read periphery: the weights (cols,) of row k; ValueError if there is none.
    fn read_row<'py>(&self, py: Python<'py>, #[pyo3(from_py_with = whole)] k: usize) -> Values<'py> {
        self.read_line(py, Line::Row(k), self.cols)
    }

    /// Sends |n| pulses of the sign of n to each device of column k, n of integer `counts` (rows,).
    ///
    /// Raises ValueError for no such column and counts beyond ±1,000,000.
    fn pulse_column(&self, #[pyo3(from_py_with = whole)] k: usize, counts: &Bound<'_, PyAny>) -> PyResult<()> {
        self.pulse_line(Line::Column(k), counts)
    }

    /// Sends |n| pulses of the sign of n to each device of row k, n of integer `counts` (cols,).
    ///
    /// Raises ValueError for no such row and counts beyond ±1,000,000.
    fn pulse_row(&self, #[pyo3(from_py_with = whole)] k: usize, counts: &Bound<'_, PyAny>) -> PyResult<()> {
        self.pulse_line(Line::Row(k), counts)
    }

    /// Sends |n| pulses of the sign of n to each device, n of integer `counts` (rows, cols): column after column,
    /// those that get none left out.
    ///
    /// Raises ValueError for another shape and counts beyond ±1,000,000.
    fn pulse(&self, py: Python<'_>, counts: &Bound<'_, PyAny>) -> PyResult<()> {
        let (rows, cols) = self.shape();
        let counts = pulses(integer_matrix(counts, "counts", (rows, cols))?)?;
        let (mut lines, mut of_lines) = (Vec::new(), Vec::new());
        for k in 0..cols {
            let column = || counts.iter().skip(k).step_by(cols).copied();
            if column().any(|n| n != 0) {
                lines.push(Line::Column(k));
                of_lines.extend(column());
            }
        }
        Ok(py.detach(|| self.array.write()?.pulse_lines(&lines, &of_lines))?)
    }

    /// Copies the weights (rows, cols) into `out`, a C-contiguous float32 array of that shape.
    ///
    /// Raises ValueError for any other.
    fn copy_weights(&self, out: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut out = written(out, "out", self.shape())?;
        Ok(self.array.read()?.copy_weights(out.as_slice_mut()?)?)
    }

    /// Writes `target` (rows, cols; weight units) onto the devices, and returns the pulses sent.
    ///
    /// `method` is "exact", "error" (adds N(0, `error`²), in weight units), "closed-loop" (pulses until a device is
    /// within half a mean step) or "open-loop" (as many as the mean device needs), at most `max_pulses` each; a device
    /// ends within its own bounds. Raises ValueError for another method and numbers out of range.
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
        Ok(py.detach(|| self.array.write()?.program(&target, method))?)
    }

    /// Alternates `pulses` up and down pulses on every device, then takes the states as reference (Kim et al. 2019).
    ///
    /// An even number ends on a pulse down, half a step below the symmetry point; an odd one as far above it. Raises
    /// ValueError for more than 10,000,000, and for one-sided pairs.
    fn zero_shift(&self, py: Python<'_>, #[pyo3(from_py_with = whole)] pulses: u32) -> PyResult<()> {
        check_range("pulses", f64::from(pulses), 0.0, MAX_SHIFTS)?;
        Ok(py.detach(|| self.array.write()?.zero_shift(pulses))?)
    }

    /// The weights (rows, cols) read column by column through the read periphery, with the noise of read `draw`.
    ///
    /// Nothing changes, and nothing counts.
    #[pyo3(signature = (*, draw=0))]
    fn read_weights<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = whole)] draw: u64,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        matrix_out(py, self.array.read()?.read_weights(draw)?, self.shape())
    }

    /// Everything to continue from, bit for bit, by name: "weights", and after "weights." the reference,
    /// positions of random streams, counts of the ledger, and pulses if they are counted.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut state = State::default();
        state.add_array("weights", self.array.read()?.as_ref());
        state_out(py, state)
    }

    /// Puts back a state of an array with the same settings, seed and number; ValueError for any other and if it
    /// does not fit, and the array is then as it was.
    fn restore(&self, state: &Bound<'_, PyMapping>) -> PyResult<()> {
        let mut array = self.array.write()?;
        let snapshot = state_in(state, "")?.array("weights", array.as_ref())?;
        Ok(array.restore(&snapshot)?)
    }

    fn __copy__(&self) -> PyResult<Self> {
        let array = OneThread::new(CLASS, self.array.read()?.clone());
        Ok(Self { array, rows: self.rows, cols: self.cols, made: self.made.clone() })
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.__copy__()
    }

    #[allow(clippy::type_complexity)]
    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<((usize, usize, Bound<'py, PyAny>), Bound<'py, PyDict>)> {
        let Made { device, setup, reference } = self.made.as_ref();
        let keywords = PyDict::new(py);
        keywords.set_item("periphery", pythonize(py, &setup.periphery)?)?;
        keywords.set_item("reliability", pythonize(py, &setup.reliability)?)?;
        keywords.set_item("pulse_trains", pythonize(py, &setup.pulse_trains)?)?;
        keywords.set_item("reference", pythonize(py, reference)?)?;
        keywords.set_item("seed", setup.seed)?;
        keywords.set_item("array", setup.array)?;
        keywords.set_item("count_pulses", setup.count_pulses)?;
        Ok(((self.rows, self.cols, pythonize(py, device)?), keywords))
    }

    fn __getstate__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        pickled(self.state(py)?)
    }

    fn __setstate__(&self, state: &Bound<'_, PyDict>) -> PyResult<()> {
        let state = unpickled(state)?;
        if state.contains("weights.reference")? {
            // It may have got one after it was made, by zero-shifting or by hand.
            let mut array = self.array.write()?;
            let reference = array.reference();
            array.set_reference(&reference)?;
        }
        self.restore(&state)
    }

    fn __repr__(&self) -> PyResult<String> {
        let Made { device, setup, .. } = self.made.as_ref();
        let (rows, cols, kind, step) = (self.rows, self.cols, device.kind(), self.weight_step()?);
        let pairs = if device.settings().pair().is_some() { "pairs of " } else { "" };
        Ok(format!("Crossbar({rows} × {cols}, {pairs}{kind}, step {step}, seed {}, array {})", setup.seed, setup.array))
    }
}

impl PyCrossbar {
    fn sample(&self, x: &Bound<'_, PyAny>, delta: &Bound<'_, PyAny>, lr: f32) -> PyResult<(Vec<f32>, Vec<f32>)> {
        if !lr.is_finite() {
            return Err(PyValueError::new_err(format!("lr must be finite, not {lr}")));
        }
        Ok((vector(x, "x", self.cols)?, vector(delta, "delta", self.rows)?))
    }

    fn read_line<'py>(&self, py: Python<'py>, line: Line, devices: usize) -> Values<'py> {
        let mut v = vec![0.0; devices];
        self.array.write()?.read_line(line, &mut v)?;
        Ok(PyArray1::from_vec(py, v).into_any())
    }

    fn pulse_line(&self, line: Line, counts: &Bound<'_, PyAny>) -> PyResult<()> {
        let counts = pulses(integers(counts, "counts")?)?;
        Ok(self.array.write()?.pulse_line(line, &counts)?)
    }
}

/// Counts of pulses, none of them beyond what a line accepts.
fn pulses(counts: Vec<i64>) -> Result<Vec<i32>> {
    let count = |n| check_range("counts", n as f64, -MAX_PULSES, MAX_PULSES).map(|()| n as i32);
    counts.into_iter().map(count).collect()
}
