//! What changes a product itself, such as the resistance of wires: the stage before a kernel is chosen.

use super::Direction;
use std::fmt::Debug;
use std::ops::Range;

/// A product that is about to be computed.
///
/// A whole product has all rows and columns; the read of a line has the one row or column that is driven. The inputs
/// are what the array gets, after the input converter.
#[derive(Debug)]
pub struct Operands<'a> {
    /// The side from which the array is driven.
    pub direction: Direction,
    /// (rows, columns) of the whole array.
    pub shape: (usize, usize),
    /// Rows that take part: they are the outputs forward, the inputs backward.
    pub rows: Range<usize>,
    /// Columns that take part: they are the inputs forward, the outputs backward.
    pub cols: Range<usize>,
    /// The weights of those rows and columns, column-major: the product uses what is left here.
    pub weights: &'a mut [f32],
    /// One value per input that takes part.
    pub x: &'a [f32],
}

/// An effect on products, forward and backward, and on reads of lines.
///
/// Effects of a [`Setup`](super::Setup) apply in their order to a copy of the weights, once for each vector, and again
/// for each repetition of bound management, whose inputs are smaller. Stored weights stay as they are.
///
/// ```
/// use std::sync::Arc;
/// use tikitaka::crossbar::{Crossbar, Direction, Operands, ProductEffect, Setup, Visible};
/// use tikitaka::device::{ConstantStep, DeviceSettings};
///
/// /// Forward, the far end of each row loses a tenth.
/// #[derive(Debug)]
/// struct FarEnd;
///
/// impl ProductEffect for FarEnd {
///     fn apply(&self, operands: &mut Operands<'_>) {
///         if operands.direction == Direction::Forward {
///             let rows = operands.rows.len();
///             for (col, column) in operands.cols.clone().zip(operands.weights.chunks_exact_mut(rows)) {
///                 if col == 2 {
///                     column.iter_mut().for_each(|w| *w *= 0.9);
///                 }
///             }
///         }
///     }
/// }
///
/// # fn main() -> tikitaka::Result<()> {
/// let setup = Setup { effects: vec![Arc::new(FarEnd)], ..Setup::default() };
/// let mut array = Crossbar::new(1, 3, ConstantStep::default().build()?, &setup)?;
/// array.set_weights(&[0.5, 0.5, 0.5])?;
/// let mut y = [0.0];
/// array.forward(&[0.0, 0.0, 1.0], &mut y, &Default::default())?;
/// assert_eq!(y, [0.45]);
/// # Ok(())
/// # }
/// ```
pub trait ProductEffect: Debug + Send + Sync {
    /// Changes the weights that a product uses.
    fn apply(&self, operands: &mut Operands<'_>);
}
