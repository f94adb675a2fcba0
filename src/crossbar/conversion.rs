//! Products through a periphery that is not exact: converted inputs, noise, converted outputs, and both managements.

use super::mvm::{MvmCost, Products, Scratch};
use super::periphery::{Converter, IoSettings};
use super::product::Matrix;
use super::readout::Readout;
use crate::random::{ScatteredNumbers, Stream};
use crate::simd::{self, Isa, Kernel, LANES, MaxAbs};

/// Bound management gives up after this many halvings, a factor of 1024 (ours; aihwkit's default is 1000).
const MAX_HALVINGS: u32 = 10;

/// Outputs up to which bound management computes all of a vector again.
const WHOLE_OUTPUTS: usize = 64;

/// The output noise of numbered vectors.
#[derive(Clone, Copy)]
pub(super) struct Noise<'a> {
    /// The stream of a number.
    pub(super) stream: &'a (dyn Fn(u64) -> Stream + Sync),
    /// So many vectors in a row share a stream: words are made in groups, which few outputs would not use up.
    pub(super) vectors_per_stream: u64,
}

impl Noise<'_> {
    /// Where the noise of a vector with `outputs` outputs begins, after so many halvings.
    fn start(self, vector: u64, outputs: usize, halvings: u32) -> u64 {
        let shared = self.vectors_per_stream;
        (u64::from(halvings) * shared + vector % shared) * outputs as u64
    }

    fn of(self, vector: u64) -> Stream {
        (self.stream)(vector / self.vectors_per_stream)
    }
}

/// Buffers of conversions, kept between calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Conversion {
    /// What the array gets.
    inputs: Vec<f32>,
    /// s of each vector.
    scales: Vec<f32>,
    xi: Vec<f32>,
    drawn: ScatteredNumbers,
    /// Outputs beyond the range of the converter: (vector, output). Positions among them that are so again.
    saturated: Vec<(u32, u32)>,
    again: Vec<u32>,
    /// Their products, of whole vectors and at the outputs.
    products: Vec<f32>,
    values: Vec<f32>,
}

impl Products<'_> {
    /// Some products, only one where there is no matrix; the first is vector number `first`:
    ///
    /// ```text
    /// y = s·2^r · ADC( W DAC(x / (s·2^r)) + σ ξ )
    /// ```
    ///
    /// s = max|x| under noise management (else 1); r counts the halvings of bound management, which
    /// converts again only the outputs that saturated. A zero vector under noise management gives zero.
    pub(super) fn convert(
        &self,
        matrix: Option<Matrix<'_>>,
        noise: Noise<'_>,
        first: u64,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Scratch,
    ) -> MvmCost {
        let (n, m) = (self.inputs, self.outputs);
        let mut cost = MvmCost::of(x.len() / n, n, m);
        let mut buffers = std::mem::take(&mut scratch.conversion);
        let Conversion { inputs, scales, xi, saturated, .. } = &mut buffers;
        simd::run(Load { settings: self.mvm, x, n, inputs, scales });
        self.multiply(matrix, inputs, y, scratch);
        saturated.clear();
        let readout = Readout::new(self.mvm, self.errors);
        let spreads = if readout.read_noise > 0.0 { self.squares(matrix, inputs, scratch) } else { Vec::new() };
        let managed = self.mvm.bound_management.then_some(&mut *saturated);
        simd::run(Read { readout, noise, first, y, m, scales, xi, squares: &spreads, saturated: managed });
        cost = cost.add(self.halve(matrix, noise, first, x, y, &mut buffers, scratch));
        scratch.conversion = buffers;
        cost
    }

    /// Halves the inputs of vectors with outputs beyond the range of the converter, and converts those outputs again,
    /// until all fit.
    #[allow(clippy::too_many_arguments)]
    fn halve(
        &self,
        matrix: Option<Matrix<'_>>,
        noise: Noise<'_>,
        first: u64,
        x: &[f32],
        y: &mut [f32],
        buffers: &mut Conversion,
        scratch: &mut Scratch,
    ) -> MvmCost {
        let (n, m, readout) = (self.inputs, self.outputs, Readout::new(self.mvm, self.errors));
        let (dac, noisy) = (self.mvm.dac(), readout.noisy());
        let Conversion { inputs, scales, xi, drawn, saturated, again, products, values } = buffers;
        let mut cost = MvmCost::default();
        for halvings in 1..=MAX_HALVINGS {
            if saturated.is_empty() {
                break;
            }
            let factor = (1_u32 << halvings) as f32;
            let vectors = || saturated.chunk_by(|a, b| a.0 == b.0);
            let count = vectors().count();
            inputs.resize(count * n, 0.0);
            for (outputs, inputs) in vectors().zip(inputs.chunks_exact_mut(n)) {
                let b = outputs[0].0 as usize;
                simd::run(Convert { x: &x[b * n..][..n], divisor: scales[b] * factor, dac, inputs });
            }
            // Where outputs are few, all of many vectors at once are cheaper than some of each.
            let whole = m <= WHOLE_OUTPUTS;
            if whole {
                products.resize(count * m, 0.0);
                self.multiply(matrix, inputs, products, scratch);
            }
            values.clear();
            drawn.clear();
            for (k, outputs) in vectors().enumerate() {
                let vector = first + u64::from(outputs[0].0);
                let (stream, start) = (noise.of(vector), noise.start(vector, m, halvings));
                if !whole {
                    let Scratch { weights, transposed, product, .. } = &mut *scratch;
                    let inputs = &inputs[k * n..][..n];
                    let matrix = matrix.unwrap_or_else(|| self.affected(inputs, weights, transposed));
                    products.resize(outputs.len().max(products.len()), 0.0);
                    matrix.multiply_at(inputs, outputs.iter().map(|one| one.1), products, product);
                }
                for (l, &(_, i)) in outputs.iter().enumerate() {
                    let i = i as usize;
                    values.push(if whole { products[k * m + i] } else { products[l] });
                    if noisy {
                        drawn.push(&stream, start + i as u64..start + i as u64 + 1);
                    }
                }
            }
            drawn.normals(&noise.of(first), xi);
            if readout.read_noise > 0.0 {
                let squares = self.squares(matrix, inputs, scratch);
                let each = vectors().enumerate().flat_map(|(k, of)| of.iter().map(move |&(_, i)| k * m + i as usize));
                readout.spread(&each.map(|at| squares[at]).collect::<Vec<_>>(), xi);
            }
            let errors = self.errors.map(|errors| errors.at(saturated.iter().map(|one| one.1)));
            let readout = Readout::new(self.mvm, errors.as_ref());
            let repeated = saturated.len() as u64;
            cost =
                cost.add(MvmCost { mvms: count as u64, retries: count as u64, dac: (count * n) as u64, adc: repeated });
            again.clear();
            simd::run(ReadAgain { readout, xi, values, saturated: again });
            for (&(b, i), value) in saturated.iter().zip(&*values) {
                y[b as usize * m + i as usize] = value * factor * scales[b as usize];
            }
            for (l, &k) in again.iter().enumerate() {
                saturated[l] = saturated[k as usize];
            }
            saturated.truncate(again.len());
        }
        cost
    }
}

impl Products<'_> {
    /// Σ_j w_ij² x_j² of every output.
    fn squares(&self, matrix: Option<Matrix<'_>>, inputs: &[f32], scratch: &mut Scratch) -> Vec<f32> {
        let square = |values: &[f32]| values.iter().map(|v| v * v).collect::<Vec<f32>>();
        let mut sums = vec![0.0; inputs.len() / self.inputs * self.outputs];
        let Scratch { product, weights, .. } = scratch;
        // Without a matrix, the weights after all effects are those of the product just made.
        let (squared, mut transposed) = (square(if matrix.is_some() { self.lines } else { weights }), Vec::new());
        Matrix::new(self.direction, &squared, self.inputs, &mut transposed).multiply(
            &square(inputs),
            &mut sums,
            product,
        );
        sums
    }
}

/// Vectors as the array gets them, each divided by its scale.
struct Load<'a> {
    settings: &'a IoSettings,
    x: &'a [f32],
    n: usize,
    inputs: &'a mut Vec<f32>,
    scales: &'a mut Vec<f32>,
}

impl Kernel for Load<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let dac = self.settings.dac();
        self.inputs.resize(self.x.len(), 0.0);
        self.scales.clear();
        for (x, inputs) in self.x.chunks_exact(self.n).zip(self.inputs.chunks_exact_mut(self.n)) {
            let scale = if self.settings.noise_management {
                // A subnormal scale has no finite inverse; such a vector is as good as zero.
                Some(MaxAbs(x).run::<M>()).filter(|&s| s >= f32::MIN_POSITIVE).unwrap_or(0.0)
            } else {
                1.0
            };
            self.scales.push(scale);
            Convert { x, divisor: if scale == 0.0 { 1.0 } else { scale }, dac, inputs }.run::<M>();
        }
    }
}

/// inputs = DAC(x / divisor).
struct Convert<'a> {
    x: &'a [f32],
    divisor: f32,
    dac: Option<Converter>,
    inputs: &'a mut [f32],
}

impl Kernel for Convert<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let (x, x_left) = self.x.as_chunks::<LANES>();
        let (to, to_left) = self.inputs.as_chunks_mut::<LANES>();
        let factor = 1.0 / self.divisor;
        for (to, x) in to.iter_mut().zip(x) {
            M::store(&Self::block(M::load(x), factor, self.dac), to);
        }
        M::store(&Self::block(M::load(x_left), factor, self.dac), to_left);
    }
}

impl Convert<'_> {
    #[inline(always)]
    fn block(x: [f32; LANES], factor: f32, dac: Option<Converter>) -> [f32; LANES] {
        let mut values = x.map(|x| x * factor);
        if let Some(dac) = dac {
            dac.apply(&mut values);
        }
        values
    }
}

/// Digital outputs of vectors from exact ones.
struct Read<'a> {
    readout: Readout<'a>,
    noise: Noise<'a>,
    /// The number of the first vector.
    first: u64,
    y: &'a mut [f32],
    m: usize,
    scales: &'a [f32],
    xi: &'a mut Vec<f32>,
    /// Σ_j w_ij² x_j² of every output, where devices are noisy.
    squares: &'a [f32],
    saturated: Option<&'a mut Vec<(u32, u32)>>,
}

impl Kernel for Read<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(mut self) {
        let (m, shared) = (self.m, self.noise.vectors_per_stream);
        self.xi.resize(self.xi.len().max(shared as usize * m), 0.0);
        let count = self.scales.len();
        let mut b = 0;
        while b < count {
            let vector = self.first + b as u64;
            let together = ((shared - vector % shared) as usize).min(count - b);
            if self.readout.noisy() {
                let xi = &mut self.xi[..together * m];
                self.noise.of(vector).kernel(self.noise.start(vector, m, 0), xi).run::<M>();
                self.readout.spread(self.squares.get(b * m..).unwrap_or_default(), xi);
            }
            let vectors = self.y[b * m..].chunks_exact_mut(m).zip(self.xi.chunks_exact(m)).take(together);
            for (y, xi) in vectors {
                let scale = self.scales[b];
                if scale == 0.0 {
                    y.fill(0.0);
                } else {
                    self.readout.read::<M>(xi, y, scale, |i| {
                        if let Some(saturated) = &mut self.saturated {
                            saturated.push((b as u32, i));
                        }
                    });
                }
                b += 1;
            }
        }
    }
}

/// Digital outputs from exact ones, once more.
struct ReadAgain<'a> {
    readout: Readout<'a>,
    xi: &'a [f32],
    values: &'a mut [f32],
    saturated: &'a mut Vec<u32>,
}

impl Kernel for ReadAgain<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        self.readout.read::<M>(self.xi, self.values, 1.0, |k| self.saturated.push(k));
    }
}
