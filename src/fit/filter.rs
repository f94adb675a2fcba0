//! One pass of the filter over sweeps of reads.

use super::number::{Dual, Number};
use super::response::{Shape, step};
use crate::check::check_range;
use crate::error::{Error, Result};
use crate::threads::Workers;
use rayon::prelude::*;

/// Reads of one device: sweeps after one another, in each of which only pulses lie between two reads.
#[derive(Debug, Clone, Copy)]
pub struct Reads<'a> {
    /// What was read, in any unit; NaN if a read is missing, though its pulse counts.
    pub values: &'a [f64],
    /// The pulse before each read: +1 up, −1 down, 0 none.
    pub signs: &'a [i8],
    /// Where each sweep begins, from 0 on and rising.
    pub starts: &'a [usize],
}

/// How a device responds to a pulse.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// How the mean step depends on the state.
    pub shape: Shape,
    /// Whether the noise of a pulse is a fraction of its step (q = σ f) rather than the same for all (q = σ).
    pub multiplicative: bool,
    /// The parameters of `shape`, then σ and the read noise σ_r, both from 0 on.
    pub parameters: &'a [f64],
}

/// The negative log-likelihood of each sweep, without the constant ½ ln 2π per read, and its gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct Likelihood {
    /// For each sweep.
    pub values: Vec<f64>,
    /// For each sweep, by every parameter, sweep after sweep; empty if not asked for.
    pub gradient: Vec<f64>,
}

/// What the filter and the smoother know after each read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct States {
    /// (read − its prediction)/√S; NaN for the first read of a sweep and for missing reads.
    pub innovations: Vec<f64>,
    /// Variance S of the prediction of each read.
    pub variances: Vec<f64>,
    /// Mean of the state, given this and earlier reads of the sweep; NaN before the first one.
    pub filtered: Vec<f64>,
    /// Mean of the state, given all reads of the sweep.
    pub smoothed: Vec<f64>,
    /// Variance of the state, given all reads of the sweep.
    pub smoothed_variances: Vec<f64>,
}

impl<'a> Reads<'a> {
    fn check(&self) -> Result<()> {
        if self.signs.len() != self.values.len() {
            let expected = format!("{}, as values,", self.values.len());
            return Err(Error::Length { what: "signs", given: self.signs.len(), expected });
        }
        let rising = self.starts.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = self.starts.last().is_some_and(|&last| last < self.values.len());
        if self.starts.first() != Some(&0) || !rising || !inside {
            return Err(Error::Conflict("starts must rise from 0 and be below the number of values".to_owned()));
        }
        Ok(())
    }

    fn sweep(&self, k: usize) -> (&'a [f64], &'a [i8]) {
        let end = self.starts.get(k + 1).copied().unwrap_or(self.values.len());
        (&self.values[self.starts[k]..end], &self.signs[self.starts[k]..end])
    }
}

impl Model<'_> {
    fn check(&self) -> Result<()> {
        let count = self.parameters.len();
        if count > MOST {
            let expected = format!("at most {MOST}");
            return Err(Error::Length { what: "parameters", given: count, expected });
        }
        if let Some(&bad) = self.parameters.iter().find(|p| !p.is_finite()) {
            return Err(Error::range("parameters", bad, "finite"));
        }
        self.shape.check(&self.parameters[..count.saturating_sub(2)])?;
        check_range("pulse noise", self.parameters[count - 2], 0.0, f64::MAX)?;
        check_range("read noise", self.parameters[count - 1], 0.0, f64::MAX)
    }
}

/// The most parameters.
const MOST: usize = 32;

/// One read in the filter: prediction, its variance, state and variance after the read, and the slope F.
#[derive(Debug, Clone, Copy)]
struct Update<T> {
    predicted: T,
    predicted_variance: T,
    mean: T,
    variance: T,
    slope: T,
    error: Option<(T, T)>,
}

/// The filter over one sweep: `visit` sees every read from the first on; returns the negative log-likelihood.
///
/// m⁻ = m + s f(m), P⁻ = F²P + q², e = y − m⁻, S = P⁻ + σ_r², L += ½(ln S + e²/S), K = P⁻/S, m = m⁻ + Ke,
/// P = (1 − K)P⁻. Multiplicative noise has q² = σ²(f² + f′²P), the mean of σ²f(x)² over the state to second order, and
/// exactly on a line. The first read starts it: m = y, P = σ_r². A missing read leaves m⁻ and P⁻.
fn filter<T: Number>(
    shape: Shape,
    multiplicative: bool,
    p: &[T],
    (values, signs): (&[f64], &[i8]),
    mut visit: impl FnMut(usize, &Update<T>),
) -> T {
    let (p, noise) = p.split_at(p.len() - 2);
    let (zero, one, half) = (T::constant(0.0), T::constant(1.0), T::constant(0.5));
    let (pulse_noise, read_variance) = (noise[0], noise[1] * noise[1]);
    let added = pulse_noise * pulse_noise;
    let mut total = zero;
    let Some(first) = values.iter().position(|y| !y.is_nan()) else { return total };
    let (mut mean, mut variance) = (T::constant(values[first]), read_variance);
    let start = Update { predicted: mean, predicted_variance: variance, mean, variance, slope: one, error: None };
    visit(first, &start);
    for k in first + 1..values.len() {
        let mut slope = one;
        if signs[k] != 0 {
            let (f, rise) = step(shape, p, signs[k] > 0, mean);
            let s = T::constant(f64::from(signs[k]));
            slope = one + s * rise;
            mean = mean + s * f;
            let noise = if multiplicative { added * (f * f + rise * rise * variance) } else { added };
            variance = slope * slope * variance + noise;
        }
        let (predicted, predicted_variance) = (mean, variance);
        let mut error = None;
        if !values[k].is_nan() {
            let e = T::constant(values[k]) - mean;
            let s = variance + read_variance;
            total = total + half * (s.ln() + e * e / s);
            let gain = variance / s;
            mean = mean + gain * e;
            variance = (one - gain) * variance;
            error = Some((e, s));
        }
        visit(k, &Update { predicted, predicted_variance, mean, variance, slope, error });
    }
    total
}

/// The negative log-likelihood of each sweep, with its gradient if `gradient`. Results do not depend on `workers`.
///
/// Raises an error that names the argument for lengths that do not fit, and for parameters that are not finite or not
/// those of the shape.
pub fn likelihood(model: &Model<'_>, reads: &Reads<'_>, gradient: bool, workers: &Workers) -> Result<Likelihood> {
    model.check()?;
    reads.check()?;
    if !gradient {
        let one = |k| filter(model.shape, model.multiplicative, model.parameters, reads.sweep(k), |_, _| ());
        return Ok(Likelihood { values: each_sweep(reads, workers, one), gradient: Vec::new() });
    }
    Ok(match model.parameters.len() {
        ..=4 => with_gradient::<4>(model, reads, workers),
        5..=6 => with_gradient::<6>(model, reads, workers),
        7..=8 => with_gradient::<8>(model, reads, workers),
        9..=14 => with_gradient::<14>(model, reads, workers),
        _ => with_gradient::<MOST>(model, reads, workers),
    })
}

fn with_gradient<const N: usize>(model: &Model<'_>, reads: &Reads<'_>, workers: &Workers) -> Likelihood {
    let parameters: Vec<_> = model.parameters.iter().enumerate().map(|(k, &p)| Dual::<N>::parameter(p, k)).collect();
    let one = |k| filter(model.shape, model.multiplicative, &parameters, reads.sweep(k), |_, _| ());
    let sweeps = each_sweep(reads, workers, one);
    Likelihood {
        values: sweeps.iter().map(|each| each.value()).collect(),
        gradient: sweeps.iter().flat_map(|each| &each.slopes()[..parameters.len()]).copied().collect(),
    }
}

/// `one` of every sweep, in order.
fn each_sweep<T: Send>(reads: &Reads<'_>, workers: &Workers, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let count = reads.starts.len();
    match workers.share(count, 8 * reads.values.len()) {
        Some(share) => workers.split(|| (0..count).into_par_iter().with_min_len(share).map(&one).collect()),
        None => (0..count).map(one).collect(),
    }
}

/// Innovations and states at every read.
///
/// The smoother goes back: C = P·F/P⁻ of the next read, x = m + C(x_next − m⁻_next), V = P + C²(V_next − P⁻_next).
///
/// Raises the errors of [`likelihood`].
pub fn states(model: &Model<'_>, reads: &Reads<'_>) -> Result<States> {
    model.check()?;
    reads.check()?;
    let count = reads.values.len();
    let missing = || vec![f64::NAN; count];
    let mut found = States {
        innovations: missing(),
        variances: missing(),
        filtered: missing(),
        smoothed: missing(),
        smoothed_variances: missing(),
    };
    for (sweep, &start) in reads.starts.iter().enumerate() {
        let mut updates = Vec::new();
        filter(model.shape, model.multiplicative, model.parameters, reads.sweep(sweep), |k, update| {
            updates.push((start + k, *update));
        });
        for (k, update) in &updates {
            found.filtered[*k] = update.mean;
            if let Some((e, s)) = update.error {
                found.innovations[*k] = e / s.sqrt();
                found.variances[*k] = s;
            }
        }
        let mut next: Option<(Update<f64>, f64, f64)> = None;
        for (k, update) in updates.into_iter().rev() {
            let (mut x, mut v) = (update.mean, update.variance);
            if let Some((after, x_after, v_after)) = next
                && after.predicted_variance > 0.0
            {
                let c = update.variance * after.slope / after.predicted_variance;
                x += c * (x_after - after.predicted);
                v += c * c * (v_after - after.predicted_variance);
            }
            found.smoothed[k] = x;
            found.smoothed_variances[k] = v;
            next = Some((update, x, v));
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
