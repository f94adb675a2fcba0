//! Matrix-vector products through the periphery, forward and transposed.

use super::periphery::Mvm;
use crate::error::{Result, check_batch, check_len};
use crate::random::Stream;
use crate::simd;
use crate::workers::Workers;
use rayon::prelude::*;

/// Buffers of one product, kept between calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    input: Vec<f32>,
    active: Vec<u32>,
    active_values: Vec<f32>,
    noise: Vec<f32>,
    saturated: Vec<u32>,
    some: Vec<f32>,
}

/// What one product took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) mvms: u64,
    pub(crate) dac: u64,
    pub(crate) adc: u64,
}

impl Cost {
    fn add(self, other: Self) -> Self {
        Self { mvms: self.mvms + other.mvms, dac: self.dac + other.dac, adc: self.adc + other.adc }
    }
}

/// Lines of devices seen from one side: `combine` for y = W x, `project` for z = Wᵀ δ.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    Forward,
    Backward,
}

/// Multiply-adds of a part below which waking a thread costs more than it saves.
const SPLIT: usize = 1 << 22;

/// Bound management gives up after this many halvings, a factor of 1024 (ours; aihwkit's default is 1000).
const MAX_HALVINGS: u32 = 10;

/// Products of a batch with one matrix: vectors of `inputs` values in, of `outputs` values out.
#[derive(Debug)]
pub(crate) struct Products<'a> {
    pub(crate) lines: &'a [f32],
    pub(crate) direction: Direction,
    pub(crate) mvm: &'a Mvm,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Products<'_> {
    /// Every product of the batch, vector b with the noise `noise(b)`; split over the workers.
    pub(crate) fn run(
        &self,
        noise: impl Fn(u64) -> Stream + Sync,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Vec<Scratch>,
        workers: &Workers,
    ) -> Result<Cost> {
        let (n, m) = (self.inputs, self.outputs);
        let batch = check_batch("input", x.len(), n)?;
        check_len("output", y.len(), batch * m)?;
        let parts = workers.threads().min(batch.saturating_mul(self.lines.len()) / SPLIT).max(1);
        let part = batch.div_ceil(parts).max(1);
        scratch.resize_with(batch.div_ceil(part), Scratch::default);
        let one_part = |k: usize, x: &[f32], y: &mut [f32], scratch: &mut Scratch| {
            let vectors = x.chunks_exact(n).zip(y.chunks_exact_mut(m)).enumerate();
            vectors.fold(Cost::default(), |cost, (b, (x, y))| {
                let noise = noise((k * part + b) as u64);
                cost.add(product(self.lines, self.direction, self.mvm, &noise, x, y, scratch))
            })
        };
        if let [scratch] = scratch.as_mut_slice() {
            return Ok(one_part(0, x, y, scratch));
        }
        Ok(workers.run(|| {
            let vectors = x.par_chunks(part * n).zip(y.par_chunks_mut(part * m));
            let parts = vectors.zip(scratch.par_iter_mut()).enumerate();
            parts.map(|(k, ((x, y), scratch))| one_part(k, x, y, scratch)).reduce(Cost::default, Cost::add)
        }))
    }
}

/// One product of the input-major `lines` with `x` through `mvm`, noise from `noise`:
///
/// ```text
/// y = s·2^r · ADC( W DAC(x / (s·2^r)) + σ ξ )
/// ```
///
/// s = max|x| under noise management (else 1); r counts the halvings of bound management, which
/// converts again only the outputs that saturated. A zero vector under noise management gives zero.
pub(super) fn product(
    lines: &[f32],
    direction: Direction,
    mvm: &Mvm,
    noise: &Stream,
    x: &[f32],
    y: &mut [f32],
    scratch: &mut Scratch,
) -> Cost {
    let mut cost = Cost { mvms: 1, dac: x.len() as u64, adc: y.len() as u64 };
    let mut scale = 1.0;
    if mvm.noise_management {
        scale = simd::max_abs(x);
        // A subnormal scale has no finite inverse; such a vector is as good as zero.
        if scale < f32::MIN_POSITIVE {
            y.fill(0.0);
            return cost;
        }
    }
    scratch.load(direction, mvm, x, scale);
    scratch.multiply(lines, direction, y);
    if mvm.output_noise > 0.0 {
        scratch.noise.resize(y.len(), 0.0);
        noise.normals(0, &mut scratch.noise);
        simd::add_scaled(y, mvm.output_noise as f32, &scratch.noise);
    }
    let Some(adc) = mvm.adc() else {
        rescale(y, scale);
        return cost;
    };
    let mut saturated = std::mem::take(&mut scratch.saturated);
    saturated.clear();
    if mvm.bound_management {
        saturated.extend((0_u32..).zip(&*y).filter(|(_, y)| y.abs() > adc.bound).map(|(i, _)| i));
    }
    adc.apply(y);
    for r in 1..=MAX_HALVINGS {
        if saturated.is_empty() {
            break;
        }
        let factor = (1_u32 << r) as f32;
        scratch.load(direction, mvm, x, scale * factor);
        scratch.multiply_some(lines, direction, y.len(), &saturated);
        cost.mvms += 1;
        cost.dac += x.len() as u64;
        cost.adc += saturated.len() as u64;
        let mut values = scratch.some.iter();
        saturated.retain(|&i| {
            let mut value = [*values.next().expect("a value per saturated output")];
            if mvm.output_noise > 0.0 {
                let mut xi = [0.0];
                noise.normals(u64::from(r) * y.len() as u64 + u64::from(i), &mut xi);
                value[0] += mvm.output_noise as f32 * xi[0];
            }
            let still = value[0].abs() > adc.bound;
            adc.apply(&mut value);
            y[i as usize] = value[0] * factor;
            still
        });
    }
    scratch.saturated = saturated;
    rescale(y, scale);
    cost
}

impl Scratch {
    /// Takes DAC(x / divisor).
    fn load(&mut self, direction: Direction, mvm: &Mvm, x: &[f32], divisor: f32) {
        self.input.clear();
        self.input.extend_from_slice(x);
        rescale(&mut self.input, 1.0 / divisor);
        if let Some(dac) = mvm.dac() {
            dac.apply(&mut self.input);
        }
        if let Direction::Forward = direction {
            // Inputs of zero, most of an image, cost nothing.
            self.active.resize(x.len() + 1, 0);
            self.active_values.resize(x.len() + 1, 0.0);
            let n = simd::nonzero(&self.input, &mut self.active, &mut self.active_values);
            self.active.truncate(n);
            self.active_values.truncate(n);
        }
    }

    /// The exact product with what was loaded.
    fn multiply(&self, lines: &[f32], direction: Direction, y: &mut [f32]) {
        match direction {
            Direction::Forward => simd::combine(lines, &self.active, &self.active_values, y),
            Direction::Backward => simd::project(lines, &self.input, y),
        }
    }

    /// Some of the `m` outputs of [`multiply`](Scratch::multiply), to the same bits, into `some`.
    fn multiply_some(&mut self, lines: &[f32], direction: Direction, m: usize, outputs: &[u32]) {
        self.some.clear();
        self.some.resize(outputs.len(), 0.0);
        match direction {
            Direction::Forward => {
                for (&k, &x) in self.active.iter().zip(&self.active_values) {
                    let line = &lines[k as usize * m..][..m];
                    for (sum, &i) in self.some.iter_mut().zip(outputs) {
                        *sum += x * line[i as usize];
                    }
                }
            }
            Direction::Backward => {
                let n = self.input.len();
                for (z, &i) in self.some.chunks_mut(1).zip(outputs) {
                    simd::project(&lines[i as usize * n..][..n], &self.input, z);
                }
            }
        }
    }
}

fn rescale(values: &mut [f32], factor: f32) {
    if factor != 1.0 {
        values.iter_mut().for_each(|v| *v *= factor);
    }
}
