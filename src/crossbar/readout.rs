//! From exact results to digital ones: output noise, then the output converter. Whatever is read from an array comes
//! through here.

use super::effect::{Operands, ProductEffect};
use super::periphery::{Converter, IoSettings};
use super::tuning::READ_NORMALS_PER_DRAW;
use super::{Direction, Line};
use crate::random::Stream;
use crate::simd::{self, Isa, Kernel, LANES, kernels};
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

    /// scale · ADC(y + σ ξ), for any ξ where there is no noise; calls `saturated` with each output beyond the range of
    /// the converter.
    #[inline(always)]
    pub(super) fn read<M: Isa>(&self, xi: &[f32], y: &mut [f32], scale: f32, mut saturated: impl FnMut(u32)) {
        let whole = y.len() / LANES * LANES;
        let (blocks, left) = y.as_chunks_mut::<LANES>();
        for (first, y) in (0..).step_by(LANES).zip(blocks) {
            self.block::<M>(first, xi, y, scale, &mut saturated);
        }
        if !left.is_empty() {
            self.block::<M>(whole, xi, left, scale, &mut saturated);
        }
    }

    /// [`read`](Readout::read) of the outputs from number `first` on, a block or fewer.
    #[inline(always)]
    fn block<M: Isa>(&self, first: usize, xi: &[f32], y: &mut [f32], scale: f32, saturated: &mut impl FnMut(u32)) {
        let mut values = M::load(y);
        if self.noise > 0.0 {
            values = M::multiply_add_block(&[self.noise; LANES], &M::load(&xi[first..first + y.len()]), &values);
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
}

impl LineReadout<'_> {
    /// The reads of lines of one length, whose weights are `v`, one line after another. Line k has the noise of
    /// `stream(k)`. A device costs one operation, since only one input is on.
    pub(super) fn read(
        &self,
        lines: impl ExactSizeIterator<Item = Line>,
        stream: &(dyn Fn(usize) -> Stream + Sync),
        v: &mut [f32],
    ) {
        if lines.len() == 0 {
            return;
        }
        let width = v.len() / lines.len();
        if !self.effects.is_empty() {
            for (line, weights) in lines.zip(v.chunks_exact_mut(width)) {
                let (direction, rows, cols) = match line {
                    Line::Column(k) => (Direction::Forward, 0..width, k..k + 1),
                    Line::Row(k) => (Direction::Backward, k..k + 1, 0..width),
                };
                for effect in self.effects {
                    let (rows, cols) = (rows.clone(), cols.clone());
                    effect.apply(&mut Operands { direction, rows, cols, weights, x: &[1.0] });
                }
            }
        }
        simd::run(ReadLines { readout: Readout::new(self.settings), stream, width, v });
    }
}

/// In one kernel, so that a processor draws the noise of some lines at a time.
struct ReadLines<'a> {
    readout: Readout,
    stream: &'a (dyn Fn(usize) -> Stream + Sync),
    width: usize,
    v: &'a mut [f32],
}

impl Kernel for ReadLines<'_> {
    type Out = ();

    #[inline(always)]
    fn run<M: Isa>(self) {
        let mut xi = [0.0; READ_NORMALS_PER_DRAW];
        for (k, line) in self.v.chunks_exact_mut(self.width).enumerate() {
            let stream = (self.stream)(k);
            for (at, v) in (0..).step_by(READ_NORMALS_PER_DRAW).zip(line.chunks_mut(READ_NORMALS_PER_DRAW)) {
                let xi = &mut xi[..v.len()];
                if self.readout.noise > 0.0 {
                    stream.kernel(at, xi).run::<M>();
                }
                self.readout.read::<M>(xi, v, 1.0, |_| {});
            }
        }
    }
}
