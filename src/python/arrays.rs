//! NumPy arrays in and out.

use super::config::workers;
use super::errors::shortened;
use crate::Workers;
use crate::check::{check_finite, check_room, number};
use crate::error::{Error, Result};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

/// An array of floats for Python.
pub(super) type Values<'py> = PyResult<Bound<'py, PyAny>>;

/// A C-contiguous float32 array of any shape; float64 and integers are converted, other types refused.
pub(super) fn floats<'py>(value: &Bound<'py, PyAny>, what: &str) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    Ok(converted(value, what, "fiub", "float32")?.extract()?)
}

/// A one-dimensional array of integers or booleans, copied.
pub(super) fn integers(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<i64>> {
    let array = whole_numbers(value, what)?;
    if array.ndim() != 1 {
        return Err(PyValueError::new_err(format!("{what} must have one dimension, not shape {:?}", array.shape())));
    }
    Ok(array.as_slice()?.to_vec())
}

/// A matrix of whole numbers of a given shape, copied, row by row.
pub(super) fn integer_matrix(value: &Bound<'_, PyAny>, what: &str, shape: (usize, usize)) -> PyResult<Vec<i64>> {
    let array = whole_numbers(value, what)?;
    if array.shape() != [shape.0, shape.1] {
        return Err(PyValueError::new_err(format!("{what} must have shape {shape:?}, not {:?}", array.shape())));
    }
    Ok(array.as_slice()?.to_vec())
}

/// A two-dimensional array of codes among `count`, copied, with its shape; `None` for what is no such array.
pub(super) fn codes(value: &Bound<'_, PyAny>, what: &str, count: usize) -> PyResult<Option<(Vec<u32>, [usize; 2])>> {
    let given = as_array(value, what)?;
    if !"iu".contains(&kind(&given)?) || given.getattr("ndim")?.extract::<usize>()? != 2 {
        return Ok(None);
    }
    let array = whole_numbers(value, what)?;
    let codes = array.as_slice()?.iter().map(|&n| index(what, n, count)).collect::<PyResult<_>>()?;
    Ok(Some((codes, [array.shape()[0], array.shape()[1]])))
}

/// An integer from 0 on. The core refuses those that are not below `count`, and names the example.
pub(super) fn index(what: &str, n: i64, count: usize) -> PyResult<u32> {
    let most = count.saturating_sub(1) as f64;
    u32::try_from(n).map_err(|_| Error::range(what, n as f64, format!("from 0 to {}", number(most))).into())
}

/// Positions of examples, or codes, among `count`: integers, since booleans are a choice among examples, not positions.
pub(super) fn positions(value: &Bound<'_, PyAny>, what: &str, count: usize) -> PyResult<Vec<u32>> {
    let given = as_array(value, what)?;
    if kind(&given)? == "b" {
        return Err(PyTypeError::new_err(format!(
            "{what} must be integers, not booleans: np.flatnonzero({what}) has the positions of those that are true"
        )));
    }
    integers(value, what)?.into_iter().map(|n| index(what, n, count)).collect()
}

/// What NumPy takes a value for; it refuses lists of lists of different lengths.
fn as_array<'py>(value: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    py.import("numpy")?.call_method1("asarray", (value,)).map_err(|e| match e.is_instance_of::<PyValueError>(py) {
        true => PyValueError::new_err(shortened(format!("{what} must be an array of numbers: {}", e.value(py)))),
        false => e,
    })
}

/// What NumPy calls the kind of a type: "f", "i", "u", "b", …
pub(super) fn kind(array: &Bound<'_, PyAny>) -> PyResult<String> {
    array.getattr("dtype")?.getattr("kind")?.extract()
}

fn whole_numbers<'py>(value: &Bound<'py, PyAny>, what: &str) -> PyResult<PyReadonlyArrayDyn<'py, i64>> {
    let array = converted(value, what, "iub", "int64")?;
    let given = as_array(value, what)?;
    let wrapped = kind(&given)? == "u" && !array.call_method1("__eq__", (&given,))?.call_method0("all")?.is_truthy()?;
    if wrapped {
        return Err(PyValueError::new_err(format!("{what} must be at most {}", i64::MAX)));
    }
    Ok(array.extract()?)
}

fn converted<'py>(value: &Bound<'py, PyAny>, what: &str, kinds: &str, dtype: &str) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    if value.hasattr("mask")? && value.hasattr("filled")? {
        return Err(PyTypeError::new_err(format!(
            "{what} must not be a masked array: drop or fill masked values, as by {what}.filled(0)"
        )));
    }
    let numpy = py.import("numpy")?;
    let array = as_array(value, what)?;
    let kind = kind(&array)?;
    let empty = kind == "f" && array.getattr("size")?.extract::<usize>()? == 0; // what NumPy makes of []
    if !kinds.contains(kind.as_str()) && !empty {
        let given = shortened(array.getattr("dtype")?.str()?.to_string());
        let wanted = if dtype == "int64" { "integers" } else { "real numbers" };
        return Err(PyTypeError::new_err(format!("{what} must be {wanted}, not of dtype {given}")));
    }
    let (options, ignore) = ([("dtype", dtype)].into_py_dict(py)?, [("all", "ignore")].into_py_dict(py)?);
    let shape = array.getattr("shape")?;
    // Numbers beyond float32 become infinite, which is refused elsewhere: NumPy need not warn.
    let quiet = numpy.call_method("errstate", (), Some(&ignore))?;
    quiet.call_method0("__enter__")?;
    let contiguous = numpy.call_method("ascontiguousarray", (array,), Some(&options));
    quiet.call_method1("__exit__", (py.None(), py.None(), py.None()))?;
    // ascontiguousarray makes scalars one-dimensional; the shape as given is what gets checked.
    contiguous?.call_method1("reshape", (shape,))
}

/// A vector of finite numbers.
pub(super) fn vector(value: &Bound<'_, PyAny>, what: &'static str, len: usize) -> PyResult<Vec<f32>> {
    let array = floats(value, what)?;
    if array.shape() != [len] {
        return Err(PyValueError::new_err(format!("{what} must have shape ({len},), not {:?}", array.shape())));
    }
    finite(what, array.as_slice()?)
}

/// A matrix of finite numbers of the shape (rows, cols), row after row.
pub(super) fn matrix(value: &Bound<'_, PyAny>, what: &'static str, shape: (usize, usize)) -> PyResult<Vec<f32>> {
    let array = floats(value, what)?;
    if array.shape() != [shape.0, shape.1] {
        return Err(PyValueError::new_err(format!("{what} must have shape {shape:?}, not {:?}", array.shape())));
    }
    finite(what, array.as_slice()?)
}

/// A C-contiguous float32 matrix of a given shape, to be written to.
pub(super) fn written<'py>(
    out: &Bound<'py, PyAny>,
    what: &str,
    shape: (usize, usize),
) -> PyResult<PyReadwriteArray2<'py, f32>> {
    let refused =
        || PyValueError::new_err(format!("{what} must be a writable C-contiguous float32 array of shape {shape:?}"));
    let array = out.cast::<PyArray2<f32>>().map_err(|_| refused())?;
    if array.shape() != [shape.0, shape.1] || !array.is_c_contiguous() {
        return Err(refused());
    }
    array.try_readwrite().map_err(|_| refused())
}

/// A vector or a batch of vectors of `width` finite numbers; returns them and whether it was a batch.
pub(super) fn batch(value: &Bound<'_, PyAny>, what: &'static str, width: usize) -> PyResult<(Vec<f32>, bool)> {
    let array = floats(value, what)?;
    let batched = match *array.shape() {
        [w] if w == width => false,
        [_, w] if w == width => true,
        _ => {
            return Err(PyValueError::new_err(format!(
                "{what} must have shape ({width},) or (batch, {width}), not {:?}",
                array.shape()
            )));
        }
    };
    Ok((finite(what, array.as_slice()?)?, batched))
}

/// An array of finite numbers of the shape (count, *`of`); returns the count and the values.
pub(super) fn several(value: &Bound<'_, PyAny>, what: &'static str, of: &[usize]) -> PyResult<(usize, Vec<f32>)> {
    let array = floats(value, what)?;
    match *array.shape() {
        [count, ref each @ ..] if each == of => Ok((count, finite(what, array.as_slice()?)?)),
        ref given => {
            let of = of.iter().map(|n| format!(", {n}")).collect::<String>();
            Err(PyValueError::new_err(format!("{what} must have shape (count{of}), not {given:?}")))
        }
    }
}

/// Room for values of a shape, 0 each; MemoryError where there is none.
pub(super) fn zeros(what: &str, shape: &[usize]) -> PyResult<Vec<f32>> {
    let values = shape.iter().try_fold(size_of::<f32>(), |all, &n| all.checked_mul(n)).unwrap_or(usize::MAX);
    check_room(what, values.min(isize::MAX as usize))?;
    Ok(vec![0.0; values / size_of::<f32>()])
}

/// An array of a shape from its values.
pub(super) fn shaped<'py>(py: Python<'py>, values: Vec<f32>, shape: &[usize]) -> Values<'py> {
    Ok(PyArray1::from_vec(py, values).reshape(shape)?.into_any())
}

fn finite(what: &'static str, values: &[f32]) -> PyResult<Vec<f32>> {
    check_finite(what, values)?;
    Ok(values.to_vec())
}

/// Requires a two-dimensional array with `width` columns; returns its rows.
pub(super) fn rows(array: &PyReadonlyArrayDyn<'_, f32>, what: &str, width: usize) -> PyResult<usize> {
    match *array.shape() {
        [rows, w] if w == width => Ok(rows),
        _ => Err(PyValueError::new_err(format!("{what} must have shape (samples, {width}), not {:?}", array.shape()))),
    }
}

/// A (rows, cols) array from values row after row.
pub(super) fn matrix_out<T: numpy::Element>(
    py: Python<'_>,
    values: Vec<T>,
    shape: (usize, usize),
) -> PyResult<Bound<'_, PyArray2<T>>> {
    PyArray1::from_vec(py, values).reshape([shape.0, shape.1])
}

/// [`matrix_out`] that cannot be written to: what is assigned to its elements would be lost.
pub(super) fn fixed_out<T: numpy::Element>(
    py: Python<'_>,
    values: Vec<T>,
    shape: (usize, usize),
) -> PyResult<Bound<'_, PyArray2<T>>> {
    let array = matrix_out(py, values, shape)?;
    array.readwrite().make_nonwriteable();
    Ok(array)
}

/// `multiply` of a vector or a batch of vectors of `width` finite numbers: `height` values of each. Python may do
/// something else meanwhile.
pub(super) fn products<'py>(
    x: &Bound<'py, PyAny>,
    what: &'static str,
    (width, height): (usize, usize),
    threads: usize,
    multiply: impl FnOnce(&[f32], &mut [f32], &Workers) -> Result<()> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let ((x, batched), workers, py) = (batch(x, what, width)?, workers(threads)?, x.py());
    let count = x.len() / width;
    let mut y = vec![0.0; count * height];
    py.detach(|| multiply(&x, &mut y, &workers))?;
    let y = PyArray1::from_vec(py, y);
    Ok(if batched { y.reshape([count, height])?.into_any() } else { y.into_any() })
}

/// A dict of (rows, cols) arrays that cannot be written to.
pub(super) fn named_out(
    py: Python<'_>,
    arrays: Vec<(String, Vec<f32>)>,
    shape: (usize, usize),
) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (name, values) in arrays {
        dict.set_item(name, fixed_out(py, values, shape)?)?;
    }
    Ok(dict)
}
