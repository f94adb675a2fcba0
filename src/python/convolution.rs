//! Convolutions as one call: every patch of an image is an input vector of an array.

use super::arrays::{Values, several, shaped, zeros};
use super::config::{real, whole, workers};
use super::layer::PyLayer;
use super::operand::{Mode, Operand};
use crate::check::{check_most, check_not_negative};
use crate::error::{Error, Result};
use crate::network::layer::Im2col;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The most values of a batch.
const MOST: usize = 1 << 40;

/// The geometry of a convolution over images of (height, width) pixels with `channels` values each.
///
/// Images are float32 arrays (images, height, width, channels). Pairs are (down, across), `padding` is that above,
/// below, before and after. The columns of the array are the values of a patch, pixel by pixel, and 1 for a `bias`.
///
/// Raises ValueError for numbers out of range, a kernel larger than the image, and arrays of another shape or with
/// values that are not finite; TypeError for an `array` that is neither an AnalogLayer nor a Crossbar.
#[pyclass(name = "Convolution", module = "tikitaka._core", frozen, eq, skip_from_py_object)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PyConvolution {
    im2col: Im2col,
}

#[pymethods]
impl PyConvolution {
    #[new]
    #[pyo3(signature = (image, channels, kernel, *, stride=[1, 1], dilation=[1, 1], padding=[0, 0, 0, 0], bias=false))]
    fn new(
        image: [usize; 2],
        channels: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
        padding: [usize; 4],
        bias: bool,
    ) -> PyResult<Self> {
        let named = [("image", image), ("kernel", kernel), ("stride", stride), ("dilation", dilation)];
        for (name, pair) in named.into_iter().chain([("channels", [channels; 2])]) {
            for value in pair {
                if value == 0 {
                    return Err(Error::range(name, 0.0, "at least 1").into());
                }
                check_most(name, value as f64, 1 << 20)?;
            }
        }
        padding.iter().try_for_each(|&zeros| check_most("padding", zeros as f64, 1 << 20))?;
        let mut places = [0; 2];
        for d in 0..2 {
            let (span, size) = ((kernel[d] - 1) * dilation[d] + 1, image[d] + padding[2 * d] + padding[2 * d + 1]);
            let Some(rest) = size.checked_sub(span) else {
                return Err(Error::range("kernel", span as f64, format!("at most {size}")).into());
            };
            places[d] = rest / stride[d] + 1;
        }
        check_most("kernel × channels", kernel[0] as f64 * kernel[1] as f64 * channels as f64, MOST)?;
        check_most("height × width × channels", image[0] as f64 * image[1] as f64 * channels as f64, MOST)?;
        let padding = [padding[0], padding[2]];
        Ok(Self { im2col: Im2col { channels, image, kernel, stride, dilation, padding, places, bias } })
    }

    /// Patches of an image.
    #[getter]
    fn patches(&self) -> usize {
        self.im2col.patches()
    }

    /// W x for every patch x of `images`: (images, down, across, rows).
    ///
    /// Draws the noise of training, or with a `draw` that of the evaluation vectors from there on.
    #[pyo3(signature = (array, images, *, draw=None, threads=1))]
    fn forward<'py>(
        &self,
        array: &Bound<'py, PyAny>,
        images: &Bound<'py, PyAny>,
        draw: Option<u64>,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> Values<'py> {
        let (py, of) = (array.py(), self.fitting(array)?);
        let ((count, images), workers) = (self.images(images)?, workers(threads)?);
        let (rows, im2col) = (of.shape().0, self.im2col);
        let mut y = zeros("y", &[count, im2col.patches(), rows])?;
        py.detach(|| {
            of.with(Mode::of(draw), |products| {
                im2col.forward(&images, rows, &mut y, products, (&mut [], &mut Vec::new()), &workers)
            })
        })?;
        let [down, across] = im2col.places;
        shaped(py, y, &[count, down, across, rows])
    }

    /// Wᵀ δ of every patch, added up where patches overlap: (images, height, width, channels).
    ///
    /// `delta` is (images, down, across, rows). Draws the noise of training; `exact` products have no periphery.
    #[pyo3(signature = (array, delta, *, exact=false, threads=1))]
    fn backward<'py>(
        &self,
        array: &Bound<'py, PyAny>,
        delta: &Bound<'py, PyAny>,
        exact: bool,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> Values<'py> {
        let (py, of) = (array.py(), self.fitting(array)?);
        let rows = of.shape().0;
        let ((count, delta), workers) = (self.deltas(delta, rows)?, workers(threads)?);
        let im2col = self.im2col;
        let mut images = zeros("images", &[count, im2col.inputs()])?;
        let mode = if exact { Mode::Exact } else { Mode::Training };
        py.detach(|| {
            of.with(mode, |products| im2col.backward(&delta, rows, &mut images, products, &mut Vec::new(), &workers))
        })?;
        let [height, width] = im2col.image;
        shaped(py, images, &[count, height, width, im2col.channels])
    }

    /// Lets a layer learn from every patch of `images` and its δ in turn, as `AnalogLayer.update` from vectors.
    ///
    /// `last` tells whether they end a mini-batch.
    #[pyo3(signature = (layer, images, delta, *, lr_scale=1.0, last=true, threads=1))]
    #[allow(clippy::too_many_arguments)]
    fn update(
        &self,
        layer: &Bound<'_, PyLayer>,
        images: &Bound<'_, PyAny>,
        delta: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = real)] lr_scale: f32,
        last: bool,
        #[pyo3(from_py_with = whole)] threads: usize,
    ) -> PyResult<()> {
        check_not_negative("lr_scale", f64::from(lr_scale))?;
        let rows = self.fitting(layer.as_any())?.shape().0;
        let ((count, images), (deltas, delta)) = (self.images(images)?, self.deltas(delta, rows)?);
        if count != deltas {
            return Err(PyValueError::new_err(format!("delta must be of {count} images, not {deltas}")));
        }
        let (workers, im2col, held) = (workers(threads)?, self.im2col, &layer.get().rule);
        let learned: Result<()> = layer.py().detach(|| {
            let mut rule = held.write()?;
            im2col.learn(&images, &delta, &mut **rule, lr_scale, &mut Vec::new(), &workers)?;
            if last && count > 0 { rule.finish_batch(lr_scale) } else { Ok(()) }
        });
        Ok(learned?)
    }

    /// The patches of `images`, each an input vector of the array: (images × down × across, columns).
    fn gather<'py>(&self, images: &Bound<'py, PyAny>) -> Values<'py> {
        let (py, im2col) = (images.py(), self.im2col);
        let (count, images) = self.images(images)?;
        let workers = workers(1)?;
        let mut patches = zeros("patches", &[count, im2col.patches(), im2col.columns()])?;
        py.detach(|| im2col.gather(&images, 0, &mut patches, &workers));
        shaped(py, patches, &[count * im2col.patches(), im2col.columns()])
    }

    fn __repr__(&self) -> String {
        let Im2col { channels, image: [h, w], kernel: [down, across], .. } = self.im2col;
        format!("Convolution({down} × {across} over {h} × {w} × {channels})")
    }
}

impl PyConvolution {
    /// The array, if patches are its inputs.
    fn fitting<'a>(&self, array: &'a Bound<'_, PyAny>) -> PyResult<Operand<'a>> {
        let of = Operand::of(array)?;
        let (given, cols) = (of.shape().1, self.im2col.columns());
        if given != cols {
            return Err(PyValueError::new_err(format!("array must have {cols} columns, not {given}")));
        }
        Ok(of)
    }

    fn images(&self, images: &Bound<'_, PyAny>) -> PyResult<(usize, Vec<f32>)> {
        let [height, width] = self.im2col.image;
        several(images, "images", &[height, width, self.im2col.channels])
    }

    fn deltas(&self, delta: &Bound<'_, PyAny>, rows: usize) -> PyResult<(usize, Vec<f32>)> {
        let [down, across] = self.im2col.places;
        several(delta, "delta", &[down, across, rows])
    }
}
