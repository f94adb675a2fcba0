//! How large the signals at an array are: running means over its samples.

use crate::error::{Error, Result};
use crate::rule::State;
use crate::simd::{self, LANES};

/// The running mean of a value and of its square.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::rule) struct Moments {
    pub(in crate::rule) first: f32,
    pub(in crate::rule) second: f32,
}

impl Moments {
    fn add(&mut self, value: f32, share: f32) {
        self.first += share * (value - self.first);
        self.second += share * (value * value - self.second);
    }

    /// The mean.
    pub(in crate::rule) fn mean(self) -> f64 {
        f64::from(self.first)
    }

    /// The mean weighted by the value itself: a typical one among the large. 0 if there were none.
    pub(in crate::rule) fn peak(self) -> f64 {
        if self.first > 0.0 { f64::from(self.second) / f64::from(self.first) } else { 0.0 }
    }
}

/// Names of the sums of squares in a state.
const SQUARES: [&str; 2] = ["means.inputs_squared", "means.output_errors_squared"];

/// Gradients over the samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::rule) struct Gradient {
    /// ḡ = ⟨|x|⟩⟨|δ|⟩.
    pub(in crate::rule) mean: f64,
    /// κ² = ⟨x²⟩⟨δ²⟩/(⟨|x|⟩⟨|δ|⟩)²: 1 where all are of one size, more where few samples have most of them.
    pub(in crate::rule) spread: f64,
}

/// Means over about `memory` samples: plain means until then, exponential after.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::rule) struct Signals {
    /// max|x|.
    pub(in crate::rule) largest_x: Moments,
    /// max|δ|.
    pub(in crate::rule) largest_delta: Moments,
    /// ⟨|x|⟩ of each column; none where nobody asked.
    x: Vec<f32>,
    /// ⟨|δ|⟩ of each row.
    delta: Vec<f32>,
    /// ⟨Σ x²⟩ and ⟨Σ δ²⟩ over the lines.
    squares: [f32; 2],
    /// Samples so far.
    samples: u64,
    /// Samples of mini-batches that have ended.
    ended: u64,
}

impl Signals {
    /// Signals of this size at all samples, of which there were very many.
    pub(in crate::rule) fn constant(x: f64, delta: f64) -> Self {
        let of = |value: f64| Moments { first: value as f32, second: (value * value) as f32 };
        Self {
            largest_x: of(x),
            largest_delta: of(delta),
            x: vec![x as f32],
            delta: vec![delta as f32],
            squares: [x, delta].map(|value| (value * value) as f32),
            samples: u64::MAX / 2,
            ended: 1,
        }
    }

    /// Whether no sample was seen line by line.
    pub(in crate::rule) fn is_empty(&self) -> bool {
        self.delta.is_empty()
    }

    /// Samples so far.
    pub(in crate::rule) fn samples(&self) -> u64 {
        self.samples
    }

    /// A mini-batch ends.
    pub(in crate::rule) fn end_batch(&mut self) {
        self.ended = self.samples;
    }

    /// Samples of mini-batches that have ended: they do not depend on the parts in which a mini-batch arrives.
    pub(in crate::rule) fn ended(&self) -> u64 {
        self.ended
    }

    /// Takes the maxima of the next sample.
    pub(in crate::rule) fn add_largest(&mut self, x: &[f32], delta: &[f32], memory: f64) -> f32 {
        self.samples += 1;
        let share = (1.0 / (self.samples as f64).min(memory)) as f32;
        self.largest_x.add(simd::max_abs(x), share);
        self.largest_delta.add(simd::max_abs(delta), share);
        share
    }

    /// Takes the next sample, line by line.
    pub(in crate::rule) fn add(&mut self, x: &[f32], delta: &[f32], memory: f64) {
        let share = self.add_largest(x, delta, memory);
        for ((means, square), values) in
            [&mut self.x, &mut self.delta].into_iter().zip(&mut self.squares).zip([x, delta])
        {
            means.resize(values.len(), 0.0);
            means.iter_mut().zip(values).for_each(|(mean, value)| *mean += share * (value.abs() - *mean));
            *square += share * (sum_of_squares(values) - *square);
        }
    }

    /// max|x|·max|δ| of a sample that is large.
    pub(in crate::rule) fn largest(&self) -> f64 {
        self.largest_x.peak() * self.largest_delta.peak()
    }

    /// The gradients of a typical crosspoint: each line counts by its share in all signals, so that lines without signals
    /// do not count.
    pub(in crate::rule) fn gradient(&self) -> Gradient {
        let ([x, delta], [x_square, delta_square]) = ([sums(&self.x), sums(&self.delta)], self.squares);
        let ratio = |square: f32, of: f32| if of > 0.0 { f64::from(square) / f64::from(of) } else { 0.0 };
        Gradient {
            mean: ratio(x.1, x.0) * ratio(delta.1, delta.0),
            spread: ratio(x_square, x.1) * ratio(delta_square, delta.1),
        }
    }

    /// ⟨|δ_i|⟩/⟨|δ|⟩ of each row i: its share of a typical error; 1 before there were any.
    pub(in crate::rule) fn row_shares(&self) -> impl Iterator<Item = f32> {
        let (sum, square) = sums(&self.delta);
        let typical = if sum > 0.0 { square / sum } else { 0.0 };
        self.delta.iter().map(move |&mean| if typical > 0.0 { mean / typical } else { 1.0 })
    }

    /// Adds the means to a state.
    pub(in crate::rule) fn save(&self, state: &mut State) {
        for (name, of) in [("input", self.largest_x), ("output_error", self.largest_delta)] {
            state.add_float(&format!("means.{name}"), of.first);
            state.add_float(&format!("means.{name}_square"), of.second);
        }
        for (name, square) in SQUARES.into_iter().zip(self.squares) {
            state.add_float(name, square);
        }
        state.add_floats("means.inputs", &[self.x.len()], self.x.clone());
        state.add_floats("means.output_errors", &[self.delta.len()], self.delta.clone());
        state.add_count("means.samples", self.samples);
        state.add_count("means.ended", self.ended);
    }

    /// The means of a state, at an array of (rows, cols).
    ///
    /// # Errors
    /// Something is missing or does not fit.
    pub(in crate::rule) fn restored(state: &State, (rows, cols): (usize, usize)) -> Result<Self> {
        let of = |name: &str| {
            let second = state.float(&format!("means.{name}_square"))?;
            Ok::<_, Error>(Moments { first: state.float(&format!("means.{name}"))?, second })
        };
        let lines = |name: &str, count: usize| {
            let means = state.floats(name)?;
            if means.is_empty() || means.len() == count {
                return Ok(means.to_vec());
            }
            Err(Error::Conflict(format!("{name} of the state must be {count} means or none, not {}", means.len())))
        };
        Ok(Self {
            largest_x: of("input")?,
            largest_delta: of("output_error")?,
            x: lines("means.inputs", cols)?,
            delta: lines("means.output_errors", rows)?,
            squares: [state.float(SQUARES[0])?, state.float(SQUARES[1])?],
            samples: state.count("means.samples")?,
            ended: state.count("means.ended")?,
        })
    }
}

/// Σv and Σv².
fn sums(values: &[f32]) -> (f32, f32) {
    (sum(values, |v| v), sum_of_squares(values))
}

fn sum_of_squares(values: &[f32]) -> f32 {
    sum(values, |v| v * v)
}

/// Σf(v), in lanes.
fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, &v)| *sum += f(v));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, &v)| *sum += f(v));
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_plain_then_exponential() {
        let mut signals = Signals::default();
        for x in [1.0, 2.0, 3.0] {
            signals.add_largest(&[x, -0.5], &[-2.0 * x], 2.0);
        }
        // (1 + 2)/2 = 1.5, then 1.5 + (3 − 1.5)/2 = 2.25; squares (1 + 4)/2 = 2.5, then 2.5 + (9 − 2.5)/2.
        assert_eq!((signals.largest_x.first, signals.largest_delta.first, signals.samples), (2.25, 4.5, 3));
        assert!((signals.largest_x.peak() - 5.75 / 2.25).abs() < 1e-6);
    }

    /// Lines that never carry a signal do not lower the mean.
    #[test]
    fn gradients_are_those_of_active_lines() {
        let of = |silent: usize| {
            let (mut signals, mut x) = (Signals::default(), vec![0.0; silent]);
            x.extend([0.5, -0.5]);
            (0..10).for_each(|_| signals.add(&x, &[0.2, 0.0], 5.0));
            signals.gradient().mean
        };
        assert!((of(0) - 0.1).abs() < 1e-6 && (of(50) - 0.1).abs() < 1e-6);
        assert_eq!(Signals::default().gradient(), Gradient { mean: 0.0, spread: 0.0 });
    }

    /// Every fourth sample has an error: ⟨δ²⟩/⟨|δ|⟩² = 4. Inputs of 1 and 3 in turns: ⟨x²⟩/⟨|x|⟩² = 5/4.
    #[test]
    fn gradients_of_few_samples_spread() {
        let mut signals = Signals::default();
        for n in 0..8 {
            signals.add(&[[1.0, 3.0][n % 2], 0.0], &[0.0, if n % 4 == 0 { -0.2 } else { 0.0 }], 8.0);
        }
        assert!((signals.gradient().spread - 4.0 * 1.25).abs() < 1e-5);
        let even = Signals::constant(2.0, 0.1).gradient();
        assert!((even.mean - 0.2).abs() < 1e-6 && (even.spread - 1.0).abs() < 1e-6);
    }

    /// Errors of 0.3 and 0.1: (0.09 + 0.01)/0.4 = 0.25 is typical.
    #[test]
    fn shares_of_rows() {
        let mut signals = Signals::default();
        (0..10).for_each(|_| signals.add(&[1.0], &[0.3, -0.1, 0.0], 5.0));
        assert!(signals.row_shares().zip([1.2, 0.4, 0.0]).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
