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
        let xi = if self.noise > 0.0 { &xi[..y.len()] } else { &[] };
        let whole = y.len() / LANES * LANES;
        let (y, y_left) = y.split_at_mut(whole);
        let (xi, xi_left) = xi.split_at(whole.min(xi.len()));
        for (k, y) in y.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let xi = xi.as_chunks::<LANES>().0.get(k).map(|xi| M::load(xi));
            let values = self.block::<M>(M::load(y), xi, scale, |l| saturated((k * LANES) as u32 + l));
            M::store(&values, y);
        }
        if !y_left.is_empty() {
            let xi = (self.noise > 0.0).then(|| M::load(xi_left));
            let values = self.block::<M>(M::load(y_left), xi, scale, |l| saturated(whole as u32 + l));
            M::store(&values, y_left);
        }
    }

    /// [`read`](Readout::read) of a block, where there is noise with ξ.
    #[inline(always)]
    fn block<M: Isa>(
        &self,
        mut y: [f32; LANES],
        xi: Option<[f32; LANES]>,
        scale: f32,
        mut saturated: impl FnMut(u32),
    ) -> [f32; LANES] {
        if let Some(xi) = xi {
            y = M::multiply_add_block(&[self.noise; LANES], &xi, &y);
        }
        if let Some(adc) = self.adc {
            let mut beyond = kernels::beyond::<M>(&y, adc.bound);
            while beyond != 0 {
                saturated(beyond.trailing_zeros());
                beyond &= beyond - 1;
            }
            adc.apply(&mut y);
        }
        y.map(|y| y * scale)
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
