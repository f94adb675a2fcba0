//! Jump tables: the whole distribution of the change of weight by a pulse, at a number of weights (CrossSim, XBTorch;
//! Burr et al., IEEE Trans. Electron Devices 62:3498, 2015).

use super::compact::CompactPoint;
use super::step::{Directed, Response, StepDevice};
use super::step_settings::step_settings;
use super::table::{MOST, Tables, check_entries, middle};
use crate::check::check_range;
use crate::error::{Error, Result};
use crate::simd::plain;
use std::sync::Arc;

/// ξ of the first and the last entry of a row.
const LAST_XI: f64 = 3.0;

/// Places of the entries of a direction.
const PLACES: usize = MOST * MOST;

step_settings! {
    /// Settings of jump-table devices:
    ///
    /// ```text
    /// up:    w ← w + α₊ q₊(w, σ_c ξ)/v
    /// down:  w ← w − α₋ q₋(w, σ_c ξ)/v     then clamped to [w_min, w_max]
    /// ```
    ///
    /// Row k of q is for the weight k of equally spaced ones from w_min to w_max of each device. Its entries are the
    /// quantiles of the step at equally spaced normals ξ from −3 to 3, so the middle one is the median; between entries
    /// and rows there are lines, and beyond ±3 the last entry counts. v is the mean step of both directions at weight 0,
    /// so δ, or `states`, gives the size of a step. σ_c = 1 takes the distributions as they are.
    pub struct JumpTable {
        states: 20.0, cycle_noise: 1.0, step_spread: 0.3, bound_spread: 0.3, asymmetry: 0.1, normal: false;
        /// q₊: 2 to 64 rows of 2 to 64 relative steps in the direction of an up pulse; below 0: backwards.
        pub up: Vec<Vec<f64>> = vec![vec![1.1, 2.9], vec![-0.9, 0.9]];
        /// q₋: 2 to 64 rows of 2 to 64 relative steps in the direction of a down pulse; below 0: backwards.
        pub down: Vec<Vec<f64>> = vec![vec![-0.9, 0.9], vec![1.1, 2.9]];
    }
    StepDevice<JumpResponse> = |s| ([0.0, 0.0], s.response()?); also |s| s.check_tables()
}

impl JumpTable {
    fn check_tables(&self) -> Result<()> {
        for (name, rows) in [("up", &self.up), ("down", &self.down)] {
            check_entries(name, rows.len())?;
            for (k, row) in rows.iter().enumerate() {
                check_entries(&format!("{name}[{k}]"), row.len())?;
                if row.len() != rows[0].len() {
                    return Err(Error::range(
                        format!("number of entries of {name}[{k}]"),
                        row.len() as f64,
                        format!("{}, as of the first row", rows[0].len()),
                    ));
                }
                for (j, &value) in row.iter().enumerate() {
                    check_range(format!("{name}[{k}][{j}]"), value, -1e6, 1e6)?;
                }
                if row.windows(2).any(|pair| pair[1] < pair[0]) {
                    return Err(Error::Conflict(format!("{name}[{k}] must not fall, since its entries are quantiles")));
                }
            }
        }
        self.middle().map(drop)
    }

    fn means(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        rows.iter().map(|row| mean(row, self.cycle_noise)).collect()
    }

    fn middle(&self) -> Result<f64> {
        middle(&self.means(&self.down), &self.means(&self.up), self.common().bounds)
    }

    fn response(&self) -> Result<JumpResponse> {
        let middle = self.middle()?;
        let means = |rows| self.means(rows).iter().map(|mean| mean / middle).collect::<Vec<_>>();
        let tables = Tables::new(&means(&self.down), &means(&self.up));
        let quantiles = [&self.down, &self.up].map(|rows| Quantiles::new(rows, middle));
        Ok(JumpResponse { means: tables, quantiles: Arc::new(quantiles) })
    }
}

/// The mean of a row over σξ, ξ ~ N(0, 1): the trapezoidal rule in steps of 0.01 up to ±6.
fn mean(row: &[f64], sigma: f64) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for k in -600..=600 {
        let xi = 0.01 * f64::from(k);
        let weight = f64::from(plain::exp((-0.5 * xi * xi) as f32));
        let place = ((sigma * xi / LAST_XI).clamp(-1.0, 1.0) + 1.0) * 0.5;
        sum += weight * super::table::interpolated(row, place);
        weights += weight;
    }
    sum / weights
}

/// The jump-table model.
pub type JumpTableDevice = StepDevice<JumpResponse>;

/// Steps drawn from a distribution that depends on the weight.
#[derive(Clone, Debug)]
pub struct JumpResponse {
    means: Tables,
    /// Down, up.
    quantiles: Arc<[Quantiles; 2]>,
}

/// Rows of quantiles of one direction.
#[derive(Clone, Debug)]
struct Quantiles {
    /// Row after row of [`MOST`] entries.
    entries: Box<[f32; PLACES]>,
    /// Intervals of a row, and of the rows.
    intervals: [f32; 2],
}

impl Quantiles {
    fn new(rows: &[Vec<f64>], unit: f64) -> Self {
        let mut entries = Box::new([0.0; PLACES]);
        for (entries, row) in entries.chunks_exact_mut(MOST).zip(rows) {
            entries.iter_mut().zip(row).for_each(|(entry, value)| *entry = (value / unit) as f32);
        }
        Self { entries, intervals: [(rows[0].len() - 1) as f32, (rows.len() - 1) as f32] }
    }

    /// Bilinear at a place among the rows and a normal.
    #[inline(always)]
    fn at(&self, height: f32, xi: f32) -> f32 {
        let (column, along) =
            within(xi * (0.5 / LAST_XI as f32 * self.intervals[0]) + 0.5 * self.intervals[0], self.intervals[0]);
        let (row, across) = within(height, self.intervals[1]);
        let at = row * MOST + column;
        let along = |at: usize| {
            let (low, high) = (self.entries[at % PLACES], self.entries[(at + 1) % PLACES]);
            low + along * (high - low)
        };
        let (low, high) = (along(at), along(at + MOST));
        low + across * (high - low)
    }
}

/// The entry below a place among entries, which is taken to the nearest one where there is none, and how far it is from it.
#[inline(always)]
fn within(place: f32, intervals: f32) -> (usize, f32) {
    let place = if place > 0.0 { place } else { 0.0 };
    let place = if place < intervals { place } else { intervals };
    let below = place as i32 as f32;
    let below = if below < intervals { below } else { intervals - 1.0 };
    (below as i32 as usize, place - below)
}

impl Response for JumpResponse {
    type Constants = CompactPoint;

    const LOOKUP: bool = true;

    #[inline(always)]
    fn prepare(&self, device: &Directed) -> f32 {
        self.means.prepare(device)
    }

    #[inline(always)]
    fn share(&self, device: &Directed, w: f32) -> f32 {
        self.means.at(device, w)
    }

    #[inline(always)]
    fn noisy_share(&self, device: &Directed, w: f32, xi: f32) -> Option<f32> {
        let height = (w - device.lower) * device.prepared;
        Some(self.quantiles[usize::from(device.up())].at(height, xi))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Device, DeviceSettings, NORMALS, Point};
    use crate::random::{Operation, Stream};

    #[test]
    fn one_step_by_hand() {
        // At weight 0 the mean steps are 2 up and 2 down, so v = 2.
        let settings = JumpTable {
            up: vec![vec![1.0, 3.0, 5.0], vec![0.0, 1.0, 2.0]],
            down: vec![vec![2.0, 2.0], vec![2.0, 2.0]],
            ..Default::default()
        };
        let device = settings.build().expect("valid settings");
        let point = Point { step: [0.1, 0.12], bound: [-0.5, 0.5], shape: [0.0, 0.0] };
        let close = |got: f32, expected: f32| assert!((got - expected).abs() < 1e-6, "{got}, {expected} expected");
        close(device.answer(&point, 0.0, true, 0.0), 0.12 * 2.0 / 2.0);
        close(device.answer(&point, 0.25, true, 3.0), 0.25 + 0.12 * (2.0 + 0.25 * 3.0) / 2.0);
        close(device.answer(&point, -0.5, true, 1.5), -0.5 + 0.12 * 4.0 / 2.0);
        close(device.answer(&point, 0.0, true, 9.0), 0.12 * 3.5 / 2.0);
        close(device.answer(&point, 0.2, false, -2.0), 0.2 - 0.1);
    }

    /// Mean and variance of 200,000 pulses of the default table against N(μ, 0.3²) cut at ±3, within 5 standard errors
    /// (the seed is fixed).
    #[test]
    fn noise_has_the_stated_moments() {
        const N: usize = 200_000;
        let device = JumpTable::default().build().expect("valid settings");
        let point = Point { step: [0.1, 0.12], bound: [-0.5, 0.5], shape: [0.0, 0.0] };
        let mut xi = vec![0.0; N];
        Stream::new(2, 0, Operation::Update, 0).normals(0, &mut xi);
        let steps: Vec<f64> = xi.iter().map(|&xi| f64::from(device.answer(&point, 0.1, true, xi)) - 0.1).collect();
        let mean = steps.iter().sum::<f64>() / N as f64;
        let sd = (steps.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / N as f64).sqrt();
        assert!((mean - 0.12 * 0.8).abs() < 5.0 * 0.036 / (N as f64).sqrt(), "{mean}");
        // Var of a normal clamped at ±3 is 0.99806.
        assert!((sd / (0.12 * 0.3 * 0.999_03) - 1.0).abs() < 5.0 / (2.0 * N as f64).sqrt(), "{sd}");
    }

    #[test]
    fn means_cancel_at_the_symmetry_point() {
        let device = JumpTable::default().build().expect("valid settings");
        let mean = device.sample(&[0.0; NORMALS]);
        assert!(device.symmetry_point(&mean).abs() < 1e-6);
        assert!((device.weight_step() - 0.06).abs() < 1e-7 && device.noisy());
        let medians = JumpTable { cycle_noise: 0.0, ..Default::default() }.build().expect("valid settings");
        assert!(!medians.noisy());
        assert!((medians.pulse(&mean, 0.0, true, 0.0) - 0.06).abs() < 1e-6);
    }

    #[test]
    fn tables_are_checked() {
        let message =
            |up: Vec<Vec<f64>>| JumpTable { up, ..Default::default() }.validate().expect_err("not valid").to_string();
        assert_eq!(message(vec![vec![1.0, 2.0]]), "number of entries of up must be from 2 to 64, not 1");
        assert_eq!(
            message(vec![vec![1.0, 2.0], vec![1.0, 2.0, 3.0]]),
            "number of entries of up[1] must be 2, as of the first row, not 3"
        );
        assert!(message(vec![vec![1.0, 2.0], vec![2.0, 1.0]]).contains("up[1] must not fall"));
        assert!(message(vec![vec![-9.0, -8.0]; 2]).contains("at weight 0 must be positive"));
    }
}
