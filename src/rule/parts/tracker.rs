//! A reference that is measured while training goes on (R24 eqs. (12), (13)): the running mean of what each crosspoint
//! of a fast array was read as.

use crate::error::{Error, Result};
use crate::ledger::Work;
use crate::rule::State;

/// When the mean becomes the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rule) enum Adopt {
    /// When the sign of its line flips (AGAD, E-RIDER).
    AtFlips,
    /// At every read, before it is subtracted (RIDER).
    AtReads,
}

/// What a tracker is made of.
#[derive(Clone, Copy, Debug)]
pub(in crate::rule) struct Tracking {
    /// β: share of a read in the mean.
    pub(in crate::rule) share: f64,
    pub(in crate::rule) adopt: Adopt,
    /// Whether reads count as 0 until their line has a reference.
    pub(in crate::rule) warm_up: bool,
}

/// P, the running mean of reads, and P^ref, what of it serves as reference; line after line.
#[derive(Clone, Debug)]
pub(in crate::rule) struct Tracker {
    settings: Tracking,
    width: usize,
    mean: Vec<f32>,
    reference: Vec<f32>,
    /// Lines that have a reference.
    adopted: Vec<bool>,
}

impl Tracker {
    /// P = P^ref = 0 for `lines` lines of `width` values.
    pub(in crate::rule) fn new(settings: Tracking, lines: usize, width: usize) -> Self {
        let zeros = vec![0.0; lines * width];
        Self { settings, width, mean: zeros.clone(), reference: zeros, adopted: vec![false; lines] }
    }

    /// P^ref, line after line.
    pub(in crate::rule) fn reference(&self) -> &[f32] {
        &self.reference
    }

    /// Takes a read v of line k, and leaves in v what it is against the reference:
    ///
    /// ```text
    /// AGAD:   v ← v − P^ref[:,k];  P[:,k] ← (1−β)P[:,k] + βv;  if the line flips: P^ref[:,k] ← P[:,k]
    /// RIDER:  P[:,k] ← (1−β)P[:,k] + βv;  v ← v − P[:,k]
    /// ```
    ///
    /// Whether the reference changed.
    pub(in crate::rule) fn take(&mut self, k: usize, v: &mut [f32], flips: bool) -> bool {
        let Tracking { share, adopt, warm_up } = self.settings;
        let at = k * self.width..(k + 1) * self.width;
        let (mean, reference) = (&mut self.mean[at.clone()], &mut self.reference[at]);
        let (share, at_reads) = (share as f32, adopt == Adopt::AtReads);
        let counts = at_reads || self.adopted[k] || !warm_up;
        for ((v, mean), reference) in v.iter_mut().zip(&mut *mean).zip(&mut *reference) {
            let read = *v;
            if at_reads {
                *mean = (1.0 - share) * *mean + share * read;
                *reference = *mean;
                *v = read - *reference;
            } else {
                *v = if counts { read - *reference } else { 0.0 };
                *mean = (1.0 - share) * *mean + share * read;
            }
        }
        if !at_reads && flips {
            reference.copy_from_slice(mean);
        }
        self.adopted[k] |= at_reads || flips;
        at_reads || flips
    }

    /// The work of taking a read of `width` values: a mean (2 operations, or none where it is the read itself) and a
    /// difference; P is read, where it does not begin anew, and written, P^ref read, and written where it changes.
    pub(in crate::rule) fn work(&self, width: usize, flips: bool) -> Work {
        let (fresh, at_reads) = (self.settings.share == 1.0, self.settings.adopt == Adopt::AtReads);
        let operations = if fresh { 1 } else { 3 };
        let accesses = if fresh { 1 } else { 2 } + u64::from(!at_reads) + u64::from(!at_reads && flips);
        Work { operations: operations * width as u64, accesses: accesses * width as u64 }
    }

    /// Adds the means to a state, each turned by `by_rows` from line after line to row after row.
    pub(in crate::rule) fn save(
        &self,
        state: &mut State,
        name: &str,
        (rows, cols): (usize, usize),
        by_rows: impl Fn(&[f32]) -> Vec<f32>,
    ) {
        state.add_floats(&format!("{name}.mean"), &[rows, cols], by_rows(&self.mean));
        state.add_floats(&format!("{name}.reference"), &[rows, cols], by_rows(&self.reference));
        let adopted = self.adopted.iter().map(|&adopted| u64::from(adopted)).collect();
        state.add_counters(&format!("{name}.adopted"), &[self.adopted.len()], adopted);
    }

    /// The tracker with the means of a state.
    ///
    /// # Errors
    /// Something is missing, or of another shape.
    pub(in crate::rule) fn restored(
        &self,
        state: &State,
        name: &str,
        shape: (usize, usize),
        by_lines: impl Fn(&[f32]) -> Vec<f32>,
    ) -> Result<Self> {
        let mean = by_lines(state.matrix(&format!("{name}.mean"), shape)?);
        let reference = by_lines(state.matrix(&format!("{name}.reference"), shape)?);
        let adopted: Vec<bool> = state.counters(&format!("{name}.adopted"))?.iter().map(|&n| n != 0).collect();
        if adopted.len() != self.adopted.len() {
            let lines = self.adopted.len();
            return Err(Error::Conflict(format!("{name}.adopted of the state must be {lines} counts")));
        }
        Ok(Self { mean, reference, adopted, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(values: &[f32], expected: &[f32]) {
        assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{values:?} for {expected:?}");
    }

    /// β = ½, reads 0.2, 0.4, 0.6, then a flip: P = 0.1, 0.25, 0.425; the next read, 0.225, is −0.2 against it.
    #[test]
    fn agad_by_hand() {
        let tracking = Tracking { share: 0.5, adopt: Adopt::AtFlips, warm_up: false };
        let mut tracker = Tracker::new(tracking, 2, 1);
        for (read, flips, mean) in [(0.2, false, 0.1), (0.4, false, 0.25), (0.6, true, 0.425)] {
            let mut v = [read];
            assert_eq!(tracker.take(1, &mut v, flips), flips);
            close(&v, &[read]);
            close(&tracker.mean, &[0.0, mean]);
        }
        let mut v = [0.225];
        tracker.take(1, &mut v, false);
        close(&v, &[-0.2]);
        close(tracker.reference(), &[0.0, 0.425]);
    }

    /// A line that has no reference yet counts as 0, if asked for.
    #[test]
    fn the_first_period_only_measures() {
        let mut tracker = Tracker::new(Tracking { share: 1.0, adopt: Adopt::AtFlips, warm_up: true }, 1, 2);
        for (flips, expected) in [(false, [0.0, 0.0]), (true, [0.0, 0.0]), (false, [0.1, 0.0])] {
            let mut v = if expected[0] == 0.0 { [0.3, -0.2] } else { [0.4, -0.2] };
            tracker.take(0, &mut v, flips);
            close(&v, &expected);
        }
    }

    /// η = 1: the reference is the read itself, so that nothing is left of it; η = ¼ leaves ¾ of the difference.
    #[test]
    fn rider_by_hand() {
        let of = |share| Tracker::new(Tracking { share, adopt: Adopt::AtReads, warm_up: false }, 1, 1);
        let mut v = [0.7];
        of(1.0).take(0, &mut v, false);
        close(&v, &[0.0]);
        let (mut v, mut tracker) = ([0.8], of(0.25));
        assert!(tracker.take(0, &mut v, false));
        close(&v, &[0.6]);
        close(tracker.reference(), &[0.2]);
    }
}
