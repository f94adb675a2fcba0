//! From exact results to digital ones: output noise, then the output converter. Whatever is read from an array comes
//! through here.

use super::effect::{Operands, ProductEffect};
use super::periphery::{Converter, IoSettings};
use super::tuning::READ_NORMALS_PER_DRAW;
use super::{Direction, Line};
use crate::random::Stream;
use crate::simd::{self, Isa, Kernel, MaxAbs, kernels};
use std::sync::Arc;

/// The output side of one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Readout {
    /// σ of the output noise.
    pub(super) noise: f32,
    adc: Option<Converter>,
}

impl Readout {
    pub(super) fn new(settings: &IoSettings) -> Self {
        Self { noise: settings.output_noise as f32, adc: settings.adc() }
    }

    /// y + σ ξ; whether an output is then beyond the range of the converter.
    #[inline(always)]
    pub(super) fn read<M: Isa>(&self, xi: &[f32], y: &mut [f32]) -> bool {
        if self.noise > 0.0 {
            kernels::add_scaled::<M>(y, self.noise, xi);
        }
        self.adc.is_some_and(|adc| MaxAbs(y).run::<M>() > adc.bound)
    }

    /// The outputs beyond the range of the converter.
    pub(super) fn beyond(&self, y: &[f32]) -> impl Iterator<Item = u32> {
        let bound = self.adc.map_or(f32::INFINITY, |adc| adc.bound);
        (0..).zip(y).filter_map(move |(i, y)| (y.abs() > bound).then_some(i))
    }

    /// ADC(y).
    #[inline(always)]
    pub(super) fn quantise(&self, y: &mut [f32]) {
        if let Some(adc) = self.adc {
            adc.apply(y);
        }
    }
}

/// Reads of single lines: v = ADC(W e_k + σ ξ), or Wᵀ e_k for a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineReadout<'a> {
    pub(super) settings: &'a IoSettings,
    pub(super) effects: &'a [Arc<dyn ProductEffect>],
}

impl LineReadout<'_> {
    /// The read of a line of weights `v`, whose devices cost one operation each, since only one input is on.
    pub(super) fn read(&self, line: Line, stream: &Stream, v: &mut [f32]) {
        let (direction, rows, cols) = match line {
            Line::Column(k) => (Direction::Forward, 0..v.len(), k..k + 1),
            Line::Row(k) => (Direction::Backward, k..k + 1, 0..v.len()),
        };
        for effect in self.effects {
            effect.apply(&mut Operands { direction, rows: rows.clone(), cols: cols.clone(), weights: v, x: &[1.0] });
        }
        simd::run(ReadLine { readout: Readout::new(self.settings), stream: *stream, v });
    }
}

struct ReadLine<'a> {
    readout: Readout,
    stream: Stream,
    v: &'a mut [f32],
}

impl Kernel for ReadLine<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let mut xi = [0.0; READ_NORMALS_PER_DRAW];
        for (k, v) in self.v.chunks_mut(READ_NORMALS_PER_DRAW).enumerate() {
            let xi = &mut xi[..v.len()];
            if self.readout.noise > 0.0 {
                self.stream.kernel((k * READ_NORMALS_PER_DRAW) as u64, xi).run::<M>();
            }
            self.readout.read::<M>(xi, v);
            self.readout.quantise(v);
        }
    }
}
