//! From exact results to digital ones: output noise, then the output converter. Whatever is read from an array comes
//! through here.

use super::effect::{Operands, ProductEffect};
use super::periphery::{Converter, IoSettings};
use super::tuning::READ_NORMALS_PER_DRAW;
use super::{Direction, Line};
use crate::random::Stream;
use crate::simd;
use std::sync::Arc;

/// The output side of one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Readout {
    /// σ of the output noise.
    noise: f32,
    pub(super) adc: Option<Converter>,
}

/// Which outputs of an array are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outputs<'a> {
    /// All, in order: output k takes normal k.
    All,
    /// Those at these positions, once more: output k takes the normal `noise_start` + k.
    Repeated { positions: &'a [u32], noise_start: u64 },
}

impl Readout {
    pub(super) fn new(settings: &IoSettings) -> Self {
        Self { noise: settings.output_noise as f32, adc: settings.adc() }
    }

    /// y = ADC(y + σ ξ). The noise is drawn in pieces of `buffer`, which is not empty. The positions of outputs beyond
    /// the range of the converter are appended to `saturated`, if given.
    pub(super) fn read(
        &self,
        stream: &Stream,
        outputs: Outputs<'_>,
        y: &mut [f32],
        buffer: &mut [f32],
        saturated: Option<&mut Vec<u32>>,
    ) {
        if self.noise > 0.0 {
            match outputs {
                Outputs::All => {
                    let width = buffer.len();
                    for (k, y) in y.chunks_mut(width).enumerate() {
                        let xi = &mut buffer[..y.len()];
                        stream.normals((k * width) as u64, xi);
                        simd::add_scaled(y, self.noise, xi);
                    }
                }
                Outputs::Repeated { positions, noise_start } => {
                    for (y, &position) in y.iter_mut().zip(positions) {
                        let mut xi = [0.0];
                        stream.normals(noise_start + u64::from(position), &mut xi);
                        *y += self.noise * xi[0];
                    }
                }
            }
        }
        let Some(adc) = self.adc else { return };
        if let Some(saturated) = saturated
            && simd::max_abs(y) > adc.bound
        {
            let beyond = |(position, y): (u32, &f32)| (y.abs() > adc.bound).then_some(position);
            match outputs {
                Outputs::All => saturated.extend((0..).zip(&*y).filter_map(beyond)),
                Outputs::Repeated { positions, .. } => {
                    saturated.extend(positions.iter().copied().zip(&*y).filter_map(beyond));
                }
            }
        }
        adc.apply(y);
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
        Readout::new(self.settings).read(stream, Outputs::All, v, &mut [0.0; READ_NORMALS_PER_DRAW], None);
    }
}
