//! Numbers at equally spaced weights from the lower to the upper bound of a device, with lines between them.

use super::step::Directed;
use crate::error::{Error, Result};

/// Most entries of a table.
pub(super) const MOST: usize = 64;

/// A table for each direction; index 0 is down, 1 is up.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    values: [[f32; MOST]; 2],
    /// What each entry lacks to the next one.
    rises: [[f32; MOST]; 2],
    /// Intervals of each table.
    intervals: [f32; 2],
}

impl Tables {
    /// Of 2 to [`MOST`] entries in each direction.
    pub(super) fn new(down: &[f64], up: &[f64]) -> Self {
        let mut tables = Self { values: [[0.0; MOST]; 2], rises: [[0.0; MOST]; 2], intervals: [0.0; 2] };
        for (d, entries) in [down, up].into_iter().enumerate() {
            tables.intervals[d] = (entries.len() - 1) as f32;
            for (k, pair) in entries.windows(2).enumerate() {
                tables.values[d][k] = pair[0] as f32;
                tables.rises[d][k] = (pair[1] - pair[0]) as f32;
            }
        }
        tables
    }

    /// Entries per unit of weight.
    #[inline(always)]
    pub(super) fn prepare(&self, device: &Directed) -> f32 {
        let intervals = if device.up() { self.intervals[1] } else { self.intervals[0] };
        intervals / (device.upper - device.lower)
    }

    /// The table of the direction at weight `w`.
    #[inline(always)]
    pub(super) fn at(&self, device: &Directed, w: f32) -> f32 {
        let d = usize::from(device.up());
        let place = (w - device.lower) * device.prepared;
        let last = self.intervals[d] - 1.0;
        let k = place as i32 as f32;
        let k = if k > 0.0 { k } else { 0.0 };
        let k = if k < last { k } else { last };
        let entry = k as i32 as usize % MOST;
        self.values[d][entry] + (place - k) * self.rises[d][entry]
    }
}

/// The value of a table at the share `place` of the range from the lower to the upper bound.
pub(super) fn interpolated(entries: &[f64], place: f64) -> f64 {
    let place = place * (entries.len() - 1) as f64;
    let k = (place as usize).min(entries.len() - 2);
    entries[k] + (place - k as f64) * (entries[k + 1] - entries[k])
}

/// The mean of both tables at weight 0, which must be positive: what they are divided by.
pub(super) fn middle(down: &[f64], up: &[f64], (lower, upper): (f64, f64)) -> Result<f64> {
    let place = -lower / (upper - lower);
    let middle = 0.5 * (interpolated(down, place) + interpolated(up, place));
    if middle.is_finite() && middle > 0.0 {
        return Ok(middle);
    }
    Err(Error::range("the mean of up and down at weight 0", middle, "positive"))
}

/// Requires a table of 2 to [`MOST`] entries.
pub(super) fn check_entries(what: &str, count: usize) -> Result<()> {
    crate::check::check_range(format!("number of entries of {what}"), count as f64, 2.0, MOST as f64)
}
