//! Reads that fall due inside a batch of updates.

use super::{Array, Line};
use crate::check::{check_len, check_range};
use crate::error::Result;

/// A read of a line that falls due inside a batch of updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueRead {
    /// Updates of the batch that come before it: 1 or more.
    pub after: usize,
    /// The line to read.
    pub line: Line,
}

/// Requires reads in order, after one of `updates` updates each, of lines that an array of `shape` has, and a `v` that
/// holds them all.
pub(super) fn check_due(reads: &[DueRead], updates: usize, shape: (usize, usize), v: &[f32]) -> Result<()> {
    let (mut least, mut values) = (1, 0);
    for read in reads {
        check_range("after", read.after as f64, least as f64, updates as f64)?;
        least = read.after;
        values += read.line.values(shape)?;
    }
    check_len("v", v.len(), values)
}

/// Updates and reads one after another.
pub(super) fn one_by_one<A: Array + ?Sized>(
    array: &mut A,
    x: &[f32],
    delta: &[f32],
    lr: &[f32],
    reads: &[DueRead],
    v: &mut [f32],
) -> Result<()> {
    let (rows, cols) = array.shape();
    check_len("x", x.len(), lr.len() * cols)?;
    check_len("delta", delta.len(), lr.len() * rows)?;
    check_due(reads, lr.len(), (rows, cols), v)?;
    let (mut reads, mut v) = (reads.iter().peekable(), v);
    for (b, ((x, delta), &lr)) in x.chunks_exact(cols).zip(delta.chunks_exact(rows)).zip(lr).enumerate() {
        array.update(x, delta, lr)?;
        while let Some(read) = reads.next_if(|read| read.after <= b + 1) {
            let line = v.split_off_mut(..read.line.values((rows, cols))?).expect("as many values as lines");
            array.read_line(read.line, line)?;
        }
    }
    Ok(())
}
