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
    retry: Vec<f32>,
    saturated: Vec<u32>,
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
        let part = batch.div_ceil(workers.threads()).max(1);
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
        if scale == 0.0 {
            y.fill(0.0);
            return cost;
        }
    }
    analog(lines, direction, mvm, noise, 0, scale, x, y, scratch);
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
    if !saturated.is_empty() {
        let mut retry = std::mem::take(&mut scratch.retry);
        retry.resize(y.len(), 0.0);
        for r in 1..=MAX_HALVINGS {
            let factor = (1_u32 << r) as f32;
            analog(lines, direction, mvm, noise, r, scale * factor, x, &mut retry, scratch);
            cost.mvms += 1;
            cost.dac += x.len() as u64;
            cost.adc += saturated.len() as u64;
            saturated.retain(|&i| {
                let mut value = [retry[i as usize]];
                let still = value[0].abs() > adc.bound;
                adc.apply(&mut value);
                y[i as usize] = value[0] * factor;
                still
            });
            if saturated.is_empty() {
                break;
            }
        }
        scratch.retry = retry;
    }
    scratch.saturated = saturated;
    rescale(y, scale);
    cost
}

/// The analog part: W DAC(x / divisor) + σ ξ, attempt `r`.
#[allow(clippy::too_many_arguments)]
fn analog(
    lines: &[f32],
    direction: Direction,
    mvm: &Mvm,
    noise: &Stream,
    r: u32,
    divisor: f32,
    x: &[f32],
    y: &mut [f32],
    scratch: &mut Scratch,
) {
    let Scratch { input, active, active_values, noise: xi, .. } = scratch;
    input.clear();
    input.extend_from_slice(x);
    rescale(input, 1.0 / divisor);
    if let Some(dac) = mvm.dac() {
        dac.apply(input);
    }
    match direction {
        Direction::Forward => {
            // Inputs of zero, most of an image, cost nothing.
            active.resize(input.len() + 1, 0);
            active_values.resize(input.len() + 1, 0.0);
            let n = simd::nonzero(input, active, active_values);
            let (active, active_values) = (&active[..n], &active_values[..n]);
            simd::combine(lines, active, active_values, y);
        }
        Direction::Backward => simd::project(lines, input, y),
    }
    if mvm.output_noise > 0.0 {
        xi.resize(y.len(), 0.0);
        noise.normals(u64::from(r) * y.len() as u64, xi);
        simd::add_scaled(y, mvm.output_noise as f32, xi);
    }
}

fn rescale(values: &mut [f32], factor: f32) {
    if factor != 1.0 {
        values.iter_mut().for_each(|v| *v *= factor);
    }
}
