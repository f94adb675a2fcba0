//! Output converters that differ from one another: each has a gain and an offset of its own, drawn once.

use super::Line;
use super::mvm::Direction;
use super::periphery::{IoSettings, Periphery};
use crate::random::Stream;

/// The errors of the converters at one side of an array as one direction sees them; empty where there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct ConverterErrors {
    /// 1 + the error of the gain of each.
    pub(super) gain: Vec<f32>,
    /// The offset of each, in units of output.
    pub(super) offset: Vec<f32>,
}

impl ConverterErrors {
    /// Those of some outputs.
    pub(super) fn at(&self, outputs: impl Iterator<Item = u32> + Clone) -> Self {
        Self {
            gain: outputs.clone().map(|i| self.gain[i as usize]).collect(),
            offset: outputs.map(|i| self.offset[i as usize]).collect(),
        }
    }
}

/// The converters of an array. Those at its rows take forward products and reads of columns, those at its columns the
/// others; a converter errs to the same side in both, by the standard deviations of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Converters {
    forward: ConverterErrors,
    backward: ConverterErrors,
    columns: ConverterErrors,
    rows: ConverterErrors,
}

impl Converters {
    /// `None` where all are alike.
    pub(super) fn new((rows, cols): (usize, usize), periphery: &Periphery, stream: &Stream) -> Option<Box<Self>> {
        let Periphery { forward, backward, read, .. } = periphery;
        if [forward, backward, read].iter().all(|io| io.adc_gain_error == 0.0 && io.adc_offset_error == 0.0) {
            return None;
        }
        let mut xi = vec![0.0; 2 * (rows + cols)];
        stream.normals(0, &mut xi);
        let (at_rows, at_cols) = xi.as_chunks::<2>().0.split_at(rows);
        let of = |xi: &[[f32; 2]], io: &IoSettings| ConverterErrors {
            gain: xi.iter().map(|xi| 1.0 + io.adc_gain_error as f32 * xi[0]).collect(),
            offset: xi.iter().map(|xi| io.adc_offset_error as f32 * xi[1]).collect(),
        };
        Some(Box::new(Self {
            forward: of(at_rows, forward),
            backward: of(at_cols, backward),
            columns: of(at_rows, read),
            rows: of(at_cols, read),
        }))
    }

    /// Those that take the products of a direction.
    pub(super) fn of(&self, direction: Direction) -> &ConverterErrors {
        match direction {
            Direction::Forward => &self.forward,
            Direction::Backward => &self.backward,
        }
    }

    /// Those that take the reads of lines such as this.
    pub(super) fn of_line(&self, line: Line) -> &ConverterErrors {
        match line {
            Line::Column(_) => &self.columns,
            Line::Row(_) => &self.rows,
        }
    }

    /// Those that take products through the read periphery.
    pub(super) fn of_reads(&self) -> &ConverterErrors {
        &self.columns
    }
}
