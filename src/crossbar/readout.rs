//! From exact results to digital ones: output noise, then the output converter. Whatever is read from an array comes
//! through here.

use super::converter_errors::{ConverterErrors, Converters};
use super::effect::{Operands, ProductEffect};
use super::periphery::{Converter, IoSettings};
use super::tuning::READ_NORMALS_PER_DRAW;
use super::{Direction, Line};
use crate::random::Stream;
use crate::simd::{self, Isa, Kernel, LANES, kernels};
use std::sync::Arc;

/// The output side of one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Readout<'a> {
    /// σ of the output noise.
    noise: f32,
    /// σ_r of the noise of devices, over their weights.
    pub(super) read_noise: f32,
    adc: Option<Converter>,
    errors: Option<&'a ConverterErrors>,
}

impl<'a> Readout<'a> {
    pub(super) fn new(settings: &IoSettings, errors: Option<&'a ConverterErrors>) -> Self {
        let (noise, read_noise) = (settings.output_noise as f32, settings.read_noise as f32);
        Self { noise, read_noise, adc: settings.adc(), errors }
    }

    /// Whether there is any noise.
    pub(super) fn noisy(&self) -> bool {
        self.noise > 0.0 || self.read_noise > 0.0
    }

    /// Whether it leaves outputs as they are.
    fn exact(&self) -> bool {
        !self.noisy() && self.adc.is_none() && self.errors.is_none()
    }

    /// scale · ADC(g·(y + σ ξ) + o), for any ξ where there is no noise; calls `saturated` with each output beyond the range
    /// of the converter.
    #[inline(always)]
    pub(super) fn read<M: Isa>(&self, xi: &[f32], y: &mut [f32], scale: f32, mut saturated: impl FnMut(u32)) {
        let mut rest = *self;
        if let Some(errors) = self.errors {
            self.distort(errors, xi, y);
            (rest.noise, rest.read_noise) = (0.0, 0.0);
        }
        let whole = y.len() / LANES * LANES;
        let (blocks, left) = y.as_chunks_mut::<LANES>();
        for (first, y) in (0..).step_by(LANES).zip(blocks) {
            rest.block::<M>(first, xi, y, scale, &mut saturated);
        }
        if !left.is_empty() {
            rest.block::<M>(whole, xi, left, scale, &mut saturated);
        }
    }

    /// ξ of devices and of outputs together: σ ξ ← √(σ² + σ_r² Σ_j w_j² x_j²) ξ, given that sum of each output. Independent
    /// noise of each device has the same law.
    pub(super) fn spread(&self, squares: &[f32], xi: &mut [f32]) {
        if self.read_noise > 0.0 {
            let (noise, of_devices) = (self.noise * self.noise, self.read_noise * self.read_noise);
            let unit = if self.noise > 0.0 { self.noise } else { 1.0 };
            for (xi, squares) in xi.iter_mut().zip(squares) {
                *xi *= (noise + of_devices * squares).sqrt() / unit;
            }
        }
    }

    /// g·(y + σ ξ) + o of all outputs of a side.
    fn distort(&self, errors: &ConverterErrors, xi: &[f32], y: &mut [f32]) {
        let sigma = self.sigma();
        for (k, (y, (gain, offset))) in y.iter_mut().zip(errors.gain.iter().zip(&errors.offset)).enumerate() {
            let noise = if sigma > 0.0 { sigma * xi[k] } else { 0.0 };
            *y = (*y + noise) * gain + offset;
        }
    }

    /// Whether outputs differ in more than their noise.
    pub(super) fn differs(&self) -> bool {
        self.errors.is_some() || self.read_noise > 0.0
    }

    /// What ξ is multiplied by: where devices are noisy without outputs, [`spread`](Readout::spread) has all of it.
    fn sigma(&self) -> f32 {
        if self.noise > 0.0 || self.read_noise == 0.0 { self.noise } else { 1.0 }
    }

    /// [`read`](Readout::read) of the outputs from number `first` on, a block or fewer.
    #[inline(always)]
    fn block<M: Isa>(&self, first: usize, xi: &[f32], y: &mut [f32], scale: f32, saturated: &mut impl FnMut(u32)) {
        let mut values = M::load(y);
        let sigma = self.sigma();
        if sigma > 0.0 {
            values = M::multiply_add_block(&[sigma; LANES], &M::load(&xi[first..first + y.len()]), &values);
        }
        if let Some(adc) = self.adc {
            let mut beyond = kernels::beyond::<M>(&values, adc.bound);
            while beyond != 0 {
                saturated(first as u32 + beyond.trailing_zeros());
                beyond &= beyond - 1;
            }
            adc.apply(&mut values);
        }
        M::store(&values.map(|v| v * scale), y);
    }
}

/// Reads of single lines: v = ADC(W e_k + σ ξ), or Wᵀ e_k for a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineReadout<'a> {
    pub(super) settings: &'a IoSettings,
    pub(super) effects: &'a [Arc<dyn ProductEffect>],
    pub(super) converters: Option<&'a Converters>,
    /// (rows, columns) of the array.
    pub(super) shape: (usize, usize),
}

impl LineReadout<'_> {
    /// The reads of columns, or of rows, whose weights are `v`, one line after another. Line k has the noise of
    /// `stream(k)`. A device costs one operation, since only one input is on.
    pub(super) fn read(
        &self,
        lines: impl ExactSizeIterator<Item = Line> + Clone,
        stream: &(dyn Fn(usize) -> Stream + Sync),
        v: &mut [f32],
    ) {
        if lines.len() == 0 {
            return;
        }
        let width = v.len() / lines.len();
        if !self.effects.is_empty() {
            for (line, weights) in lines.clone().zip(v.chunks_exact_mut(width)) {
                let (direction, rows, cols) = match line {
                    Line::Column(k) => (Direction::Forward, 0..width, k..k + 1),
                    Line::Row(k) => (Direction::Backward, k..k + 1, 0..width),
                };
                for effect in self.effects {
                    let (rows, cols) = (rows.clone(), cols.clone());
                    effect.apply(&mut Operands { direction, shape: self.shape, rows, cols, weights, x: &[1.0] });
                }
            }
        }
        let line = lines.clone().next().expect("there are lines");
        let errors = self.converters.map(|converters| converters.of_line(line));
        let readout = Readout::new(self.settings, errors);
        if !readout.exact() {
            simd::run(ReadLines { readout, stream, width, v });
        }
    }
}

/// In one kernel, so that a processor draws the noise of some lines at a time.
struct ReadLines<'a> {
    readout: Readout<'a>,
    stream: &'a (dyn Fn(usize) -> Stream + Sync),
    width: usize,
    v: &'a mut [f32],
}

impl Kernel for ReadLines<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        if self.readout.differs() {
            return self.run_whole::<M>();
        }
        let mut xi = [0.0; READ_NORMALS_PER_DRAW];
        for (k, line) in self.v.chunks_exact_mut(self.width).enumerate() {
            let stream = (self.stream)(k);
            for (at, v) in (0..).step_by(READ_NORMALS_PER_DRAW).zip(line.chunks_mut(READ_NORMALS_PER_DRAW)) {
                let xi = &mut xi[..v.len()];
                if self.readout.noisy() {
                    stream.kernel(at, xi).run::<M>();
                }
                self.readout.read::<M>(xi, v, 1.0, |_| {});
            }
        }
    }
}

impl ReadLines<'_> {
    /// The same where outputs or devices differ: line by line.
    #[inline(always)]
    fn run_whole<M: Isa>(self) {
        let (mut xi, mut squares) = (vec![0.0; self.width], Vec::new());
        for (k, v) in self.v.chunks_exact_mut(self.width).enumerate() {
            if self.readout.noisy() {
                (self.stream)(k).kernel(0, &mut xi).run::<M>();
            }
            squares.clear();
            squares.extend(v.iter().map(|w| w * w));
            self.readout.spread(&squares, &mut xi);
            self.readout.read::<M>(&xi, v, 1.0, |_| {});
        }
    }
}
