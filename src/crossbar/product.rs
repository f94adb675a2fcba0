//! The exact product: a kernel chosen for the weights as they are when it begins.

use super::Direction;
use super::active::Active;
use super::periphery::IoSettings;
use super::tuning::{GEMM_MIN_DENSITY, GEMM_SMALL_ARRAY, TRANSPOSED_COPY_ROWS};
use crate::simd::aligned::Aligned;
use crate::simd::{self, GEMM_VECTORS};

/// How the lines of a matrix are combined.
#[derive(Clone, Copy, Debug)]
enum Kernel {
    /// A line per input: those of the inputs that are not zero are added up.
    LinePerInput,
    /// A line per output: the dot product of each with the inputs.
    LinePerOutput,
}

/// Weights with the kernel that multiplies them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix<'a> {
    lines: &'a [f32],
    kernel: Kernel,
    inputs: usize,
    outputs: usize,
}

/// Inputs of at most [`GEMM_VECTORS`] vectors as the array gets them.
#[derive(Clone, Debug, Default)]
pub(super) struct Inputs {
    vectors: [Input; GEMM_VECTORS],
    /// Inputs of a transposed product: they are used with every line, so that it pays to move them to cache lines.
    aligned: Aligned<f32>,
}

/// What the array gets of one vector.
#[derive(Clone, Debug, Default)]
struct Input {
    /// Whether it gets the vector as it is.
    plain: bool,
    converted: Vec<f32>,
    active: Active,
}

impl<'a> Matrix<'a> {
    /// The matrix of `inputs` inputs whose weights are `lines`, columns one after another. Where the kernel needs it,
    /// `transposed` takes a transposed copy.
    pub(super) fn new(direction: Direction, lines: &'a [f32], inputs: usize, transposed: &'a mut Vec<f32>) -> Self {
        let outputs = lines.len() / inputs;
        match direction {
            Direction::Forward => Self { lines, kernel: Kernel::LinePerInput, inputs, outputs },
            Direction::Backward if TRANSPOSED_COPY_ROWS.contains(&inputs) => {
                transposed.resize(lines.len(), 0.0);
                simd::transpose(lines, inputs, transposed);
                Self { lines: transposed, kernel: Kernel::LinePerInput, inputs, outputs }
            }
            Direction::Backward => Self { lines, kernel: Kernel::LinePerOutput, inputs, outputs },
        }
    }

    /// The products of the vectors `x`, at most [`GEMM_VECTORS`], as they were loaded.
    pub(super) fn multiply(&self, x: &[f32], y: &mut [f32], loaded: &mut Inputs) {
        let (n, m) = (self.inputs, self.outputs);
        let Inputs { vectors, aligned } = loaded;
        let full = x.len() == GEMM_VECTORS * n;
        match self.kernel {
            Kernel::LinePerInput => {
                if full {
                    let values: [&[f32]; GEMM_VECTORS] = std::array::from_fn(|b| vectors[b].values(&x[b * n..][..n]));
                    let dense = |values: &[f32]| simd::count_nonzero(values) as f64 >= GEMM_MIN_DENSITY * n as f64;
                    if self.lines.len() <= GEMM_SMALL_ARRAY || values.iter().all(|values| dense(values)) {
                        simd::gemm(self.lines, values, y);
                        return;
                    }
                }
                for (x, input) in x.chunks_exact(n).zip(&mut *vectors) {
                    let Input { plain, converted, active } = input;
                    active.load(if *plain { x } else { converted });
                }
                for (y, input) in y.chunks_exact_mut(m).zip(vectors) {
                    simd::gemv(self.lines, input.active.at(), input.active.values(), y);
                }
            }
            Kernel::LinePerOutput => {
                if aligned.len() < GEMM_VECTORS * n {
                    *aligned = Aligned::from(vec![0.0; GEMM_VECTORS * n]);
                }
                let aligned = &mut aligned[..x.len()];
                for ((x, input), to) in x.chunks_exact(n).zip(vectors).zip(aligned.chunks_exact_mut(n)) {
                    to.copy_from_slice(input.values(x));
                }
                if full {
                    simd::gemm_t(self.lines, std::array::from_fn(|b| &aligned[b * n..][..n]), y);
                } else {
                    for (x, y) in aligned.chunks_exact(n).zip(y.chunks_exact_mut(m)) {
                        simd::gemv_t(self.lines, x, y);
                    }
                }
            }
        }
    }

    /// The outputs at `positions` of the product with `x`, to the same bits.
    pub(super) fn multiply_at(&self, x: &[f32], positions: &[u32], y: &mut [f32]) {
        match self.kernel {
            Kernel::LinePerInput => {
                y.fill(0.0);
                let lines = self.lines.chunks_exact(self.outputs);
                for (line, x) in lines.zip(x).filter(|(_, x)| **x != 0.0) {
                    for (sum, &i) in y.iter_mut().zip(positions) {
                        *sum += x * line[i as usize];
                    }
                }
            }
            Kernel::LinePerOutput => {
                for (y, &i) in y.chunks_mut(1).zip(positions) {
                    simd::gemv_t(&self.lines[i as usize * x.len()..][..x.len()], x, y);
                }
            }
        }
    }
}

impl Inputs {
    /// Takes vector `b` as DAC(x / divisor).
    pub(super) fn load(&mut self, b: usize, settings: &IoSettings, x: &[f32], divisor: f32) {
        let (dac, input) = (settings.dac(), &mut self.vectors[b]);
        input.plain = divisor == 1.0 && dac.is_none();
        if !input.plain {
            input.converted.clear();
            input.converted.extend_from_slice(x);
            rescale(&mut input.converted, 1.0 / divisor);
            if let Some(dac) = dac {
                dac.apply(&mut input.converted);
            }
        }
    }

    /// Takes all vectors as they are.
    pub(super) fn load_plain(&mut self) {
        self.vectors.iter_mut().for_each(|input| input.plain = true);
    }

    /// What was loaded of vector `b`, which is x.
    pub(super) fn values<'a>(&'a self, b: usize, x: &'a [f32]) -> &'a [f32] {
        self.vectors[b].values(x)
    }
}

impl Input {
    fn values<'a>(&'a self, x: &'a [f32]) -> &'a [f32] {
        if self.plain { x } else { &self.converted }
    }
}

pub(super) fn rescale(values: &mut [f32], factor: f32) {
    if factor != 1.0 {
        values.iter_mut().for_each(|v| *v *= factor);
    }
}
