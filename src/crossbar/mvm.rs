//! Matrix-vector products through the periphery, forward and transposed.

use super::active::Active;
use super::pass::{Direction, MvmCost};
use super::periphery::IoSettings;
use crate::error::{Result, check_batch, check_len};
use crate::random::Stream;
use crate::simd::aligned::Aligned;
use crate::simd::{self, LANES, TOGETHER};
use crate::workers::Workers;
use rayon::prelude::*;
use std::ops::RangeInclusive;

/// Share of non-zero inputs from which vectors together are cheaper than the lines of each (measured).
const DENSE: f64 = 0.6;

/// Crosspoints of an array up to which that is so whatever the inputs.
const FEW: usize = 1 << 10;

/// Rows of an array whose transposed products are made from a transposed copy: that adds up whole rows, only those
/// of δ that are not zero, where lines so short would have to be summed across lanes one by one (measured).
const NARROW: RangeInclusive<usize> = 1..=4 * LANES;

/// Buffers of products, kept between calls.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    turned: Vec<f32>,
    inputs: [Input; TOGETHER],
    /// Inputs of a transposed product: every line meets them, so that they are worth moving to whole cache lines.
    aligned: Aligned<f32>,
    noise: Vec<f32>,
    saturated: Vec<u32>,
    some: Vec<f32>,
}

/// What the array gets of one vector.
#[derive(Clone, Debug, Default)]
struct Input {
    /// Whether it gets the vector as it is.
    plain: bool,
    converted: Vec<f32>,
    active: Active,
}

/// Multiply-adds of a part below which waking a thread costs more than it saves.
const SPLIT: usize = 1 << 15;

/// Bound management gives up after this many halvings, a factor of 1024 (ours; aihwkit's default is 1000).
const MAX_HALVINGS: u32 = 10;

/// Products of a batch with one matrix: vectors of `inputs` values in, of `outputs` values out.
#[derive(Debug)]
pub(crate) struct Products<'a> {
    pub(crate) lines: &'a [f32],
    pub(crate) direction: Direction,
    pub(crate) mvm: &'a IoSettings,
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
    ) -> Result<MvmCost> {
        let (n, m) = (self.inputs, self.outputs);
        let batch = check_batch("input", x.len(), n)?;
        check_len("output", y.len(), batch * m)?;
        if batch == 0 {
            return Ok(MvmCost::default());
        }
        if matches!(self.direction, Direction::Backward) && NARROW.contains(&n) {
            scratch.resize_with(scratch.len().max(1), Scratch::default);
            let mut turned = std::mem::take(&mut scratch[0].turned);
            turned.resize(self.lines.len(), 0.0);
            simd::turn(self.lines, n, &mut turned);
            let done =
                Products { lines: &turned, direction: Direction::Forward, ..*self }.run(noise, x, y, scratch, workers);
            scratch[0].turned = turned;
            return done;
        }
        let threads = workers.threads();
        let parts =
            if threads > 1 { (2 * threads).min(batch.saturating_mul(self.lines.len()) / SPLIT).max(1) } else { 1 };
        let part = batch.div_ceil(parts).max(1).next_multiple_of(TOGETHER);
        scratch.resize_with(batch.div_ceil(part), Scratch::default);
        let one_part = |k: usize, x: &[f32], y: &mut [f32], scratch: &mut Scratch| {
            let groups = x.chunks(TOGETHER * n).zip(y.chunks_mut(TOGETHER * m)).enumerate();
            groups.fold(MvmCost::default(), |cost, (g, (x, y))| {
                cost.add(self.group(|b| noise((k * part + g * TOGETHER + b) as u64), x, y, scratch))
            })
        };
        if let [scratch] = scratch.as_mut_slice() {
            return Ok(one_part(0, x, y, scratch));
        }
        Ok(workers.split(|| {
            let vectors = x.par_chunks(part * n).zip(y.par_chunks_mut(part * m));
            let parts = vectors.zip(scratch.par_iter_mut()).enumerate();
            parts.map(|(k, ((x, y), scratch))| one_part(k, x, y, scratch)).reduce(MvmCost::default, MvmCost::add)
        }))
    }

    /// At most [`TOGETHER`] products, vector b with the noise `noise(b)`:
    ///
    /// ```text
    /// y = s·2^r · ADC( W DAC(x / (s·2^r)) + σ ξ )
    /// ```
    ///
    /// s = max|x| under noise management (else 1); r counts the halvings of bound management, which
    /// converts again only the outputs that saturated. A zero vector under noise management gives zero.
    pub(super) fn group(
        &self,
        noise: impl Fn(usize) -> Stream,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut Scratch,
    ) -> MvmCost {
        let (n, m) = (self.inputs, self.outputs);
        if self.mvm.is_exact() {
            scratch.inputs.iter_mut().for_each(|input| input.plain = true);
            self.multiply(x, y, scratch);
            return MvmCost { mvms: (x.len() / n) as u64, dac: x.len() as u64, adc: y.len() as u64 };
        }
        let mut scales = [1.0; TOGETHER];
        for ((x, scale), input) in x.chunks_exact(n).zip(&mut scales).zip(&mut scratch.inputs) {
            if self.mvm.noise_management {
                // A subnormal scale has no finite inverse; such a vector is as good as zero.
                *scale = Some(simd::max_abs(x)).filter(|&s| s >= f32::MIN_POSITIVE).unwrap_or(0.0);
            }
            input.load(self.mvm, x, if *scale == 0.0 { 1.0 } else { *scale });
        }
        self.multiply(x, y, scratch);
        let vectors = x.chunks_exact(n).zip(y.chunks_exact_mut(m)).zip(scales).enumerate();
        vectors.fold(MvmCost::default(), |cost, (b, ((x, y), scale))| {
            cost.add(self.convert(&noise(b), x, scale, y, b, scratch))
        })
    }

    /// The exact products with what was loaded.
    fn multiply(&self, x: &[f32], y: &mut [f32], scratch: &mut Scratch) {
        let (n, m) = (self.inputs, self.outputs);
        let Scratch { inputs, aligned, .. } = scratch;
        let full = x.len() == TOGETHER * n;
        if let Direction::Forward = self.direction {
            if full {
                let values: [&[f32]; TOGETHER] = std::array::from_fn(|b| inputs[b].values(&x[b * n..][..n]));
                let dense = |values: &[f32]| simd::count_nonzero(values) as f64 >= DENSE * n as f64;
                if self.lines.len() <= FEW || values.iter().all(|values| dense(values)) {
                    simd::combine_together(self.lines, values, y);
                    return;
                }
            }
            for (x, input) in x.chunks_exact(n).zip(&mut *inputs) {
                let Input { plain, converted, active } = input;
                active.load(if *plain { x } else { converted });
            }
            for (y, input) in y.chunks_exact_mut(m).zip(inputs) {
                simd::combine(self.lines, input.active.at(), input.active.values(), y);
            }
        } else {
            if aligned.len() < TOGETHER * n {
                *aligned = Aligned::from(vec![0.0; TOGETHER * n]);
            }
            let aligned = &mut aligned[..x.len()];
            for ((x, input), to) in x.chunks_exact(n).zip(inputs).zip(aligned.chunks_exact_mut(n)) {
                to.copy_from_slice(input.values(x));
            }
            if full {
                simd::project_together(self.lines, std::array::from_fn(|b| &aligned[b * n..][..n]), y);
            } else {
                for (x, y) in aligned.chunks_exact(n).zip(y.chunks_exact_mut(m)) {
                    simd::project(self.lines, x, y);
                }
            }
        }
    }

    /// Noise, output converter and managements of vector b of the group, whose exact product is `y`.
    fn convert(
        &self,
        noise: &Stream,
        x: &[f32],
        scale: f32,
        y: &mut [f32],
        b: usize,
        scratch: &mut Scratch,
    ) -> MvmCost {
        let mvm = self.mvm;
        let mut cost = MvmCost { mvms: 1, dac: x.len() as u64, adc: y.len() as u64 };
        if scale == 0.0 {
            y.fill(0.0);
            return cost;
        }
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
        if mvm.bound_management && simd::max_abs(y) > adc.bound {
            saturated.extend((0_u32..).zip(&*y).filter(|(_, y)| y.abs() > adc.bound).map(|(i, _)| i));
        }
        adc.apply(y);
        for r in 1..=MAX_HALVINGS {
            if saturated.is_empty() {
                break;
            }
            let factor = (1_u32 << r) as f32;
            let input = &mut scratch.inputs[b];
            input.load(mvm, x, scale * factor);
            scratch.some.clear();
            scratch.some.resize(saturated.len(), 0.0);
            self.multiply_some(input.values(x), &saturated, &mut scratch.some);
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

    /// Some outputs of the exact product, to the same bits.
    fn multiply_some(&self, x: &[f32], outputs: &[u32], some: &mut [f32]) {
        match self.direction {
            Direction::Forward => {
                let lines = self.lines.chunks_exact(self.outputs);
                for (line, x) in lines.zip(x).filter(|(_, x)| **x != 0.0) {
                    for (sum, &i) in some.iter_mut().zip(outputs) {
                        *sum += x * line[i as usize];
                    }
                }
            }
            Direction::Backward => {
                for (z, &i) in some.chunks_mut(1).zip(outputs) {
                    simd::project(&self.lines[i as usize * x.len()..][..x.len()], x, z);
                }
            }
        }
    }
}

impl Input {
    /// Takes DAC(x / divisor).
    fn load(&mut self, mvm: &IoSettings, x: &[f32], divisor: f32) {
        let dac = mvm.dac();
        self.plain = divisor == 1.0 && dac.is_none();
        if !self.plain {
            self.converted.clear();
            self.converted.extend_from_slice(x);
            rescale(&mut self.converted, 1.0 / divisor);
            if let Some(dac) = dac {
                dac.apply(&mut self.converted);
            }
        }
    }

    /// What was taken of x.
    fn values<'a>(&'a self, x: &'a [f32]) -> &'a [f32] {
        if self.plain { x } else { &self.converted }
    }
}

fn rescale(values: &mut [f32], factor: f32) {
    if factor != 1.0 {
        values.iter_mut().for_each(|v| *v *= factor);
    }
}
