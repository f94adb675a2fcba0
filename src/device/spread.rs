//! Spreads between devices with their correlations, as a fit of measured devices gives them.

use crate::error::{Error, Result};
use crate::settings::settings;
use serde::{Deserialize, Serialize};

/// The distribution of the steps of devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepDistribution {
    /// exp(σξ).
    #[default]
    LogNormal,
    /// 1 + σξ, steps below 0 being 0.
    Normal,
}

settings! {
    /// Settings of spreads between devices, with a joint covariance.
    pub struct Spread {
        /// Spread of the up step: of its logarithm, or relative if normal.
        pub up_step: f64 = 0.0, 0.0 to 3.0;
        /// Spread of the down step: of its logarithm, or relative if normal.
        pub down_step: f64 = 0.0, 0.0 to 3.0;
        /// Spread of the upper bound, relative to its mean.
        pub upper_bound: f64 = 0.0, 0.0 to 3.0;
        /// Spread of the lower bound, relative to its mean.
        pub lower_bound: f64 = 0.0, 0.0 to 3.0;
        /// Spread of the slope or power of up steps.
        pub up_slope: f64 = 0.0, 0.0 to 10.0;
        /// Spread of the slope or power of down steps.
        pub down_slope: f64 = 0.0, 0.0 to 10.0;
        /// The distribution of the steps.
        pub distribution: StepDistribution = StepDistribution::LogNormal;
        /// Whether steps are in proportion to the bound that they lead to: their spreads are then those of α₊/w_max and
        /// α₋/w_min, the rates of soft bounds.
        pub proportional: bool = false;
        /// Correlations of the six, in the order of these fields: six rows of six numbers, or none.
        pub correlation: Vec<Vec<f64>> = Vec::new();
    }
    also |s| s.factor()
}

impl Spread {
    pub(super) fn normal(&self) -> bool {
        self.distribution == StepDistribution::Normal
    }

    /// The lower Cholesky factor L of the correlations, LLᵀ; where a direction has no variance left, its column is 0.
    pub(super) fn factor(&self) -> Result<[[f32; 6]; 6]> {
        let mut factor = [[0.0_f64; 6]; 6];
        let rows = &self.correlation;
        if rows.is_empty() {
            (0..6).for_each(|k| factor[k][k] = 1.0);
        } else {
            let wrong = |why: String| Error::Conflict(format!("correlation must be {why}"));
            if rows.len() != 6 || rows.iter().any(|row| row.len() != 6) {
                let widths: Vec<String> = rows.iter().take(8).map(|row| row.len().to_string()).collect();
                return Err(wrong(format!("6 rows of 6 numbers, not rows of {}", widths.join(", "))));
            }
            for (i, j) in (0..6).flat_map(|i| (0..=i).map(move |j| (i, j))) {
                let (value, mirrored) = (rows[i][j], rows[j][i]);
                let allowed = if i == j { 1.0..=1.0 } else { -1.0..=1.0 };
                if !allowed.contains(&value) || value != mirrored {
                    return Err(wrong(format!(
                        "symmetric, 1 on its diagonal and from -1 to 1 elsewhere; rows {} and {} have {value} and {mirrored}",
                        i + 1,
                        j + 1
                    )));
                }
                let sum: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
                let left = value - sum;
                factor[i][j] = if i == j {
                    if left < -1e-9 {
                        return Err(wrong(format!("positive semidefinite; row {} contradicts those above it", i + 1)));
                    }
                    left.max(0.0).sqrt()
                } else if factor[j][j] > 1e-6 {
                    left / factor[j][j]
                } else if left.abs() < 1e-6 {
                    0.0
                } else {
                    return Err(wrong(format!("positive semidefinite; row {} contradicts those above it", i + 1)));
                };
            }
        }
        Ok(factor.map(|row| row.map(|value| value as f32)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(entries: &[(usize, usize, f64)]) -> Spread {
        let mut correlation = vec![vec![0.0; 6]; 6];
        (0..6).for_each(|k| correlation[k][k] = 1.0);
        for &(i, j, c) in entries {
            (correlation[i][j], correlation[j][i]) = (c, c);
        }
        Spread { correlation, ..Spread::default() }
    }

    #[test]
    fn the_factor_times_its_transpose_are_the_correlations() {
        for spread in [with(&[]), with(&[(0, 1, -0.5), (1, 2, 0.3), (3, 5, 0.9)]), with(&[(0, 1, 1.0), (4, 5, -1.0)])] {
            let l = spread.factor().expect("valid");
            for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
                let product: f32 = (0..6).map(|k| l[i][k] * l[j][k]).sum();
                assert!((f64::from(product) - spread.correlation[i][j]).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn impossible_correlations_are_refused() {
        let message = |spread: Spread| spread.validate().expect_err("not valid").to_string();
        assert!(message(with(&[(0, 1, 0.9), (0, 2, 0.9), (1, 2, -0.9)])).contains("positive semidefinite; row 3"));
        assert!(message(with(&[(0, 1, 1.0), (0, 2, 0.5)])).contains("positive semidefinite; row 3"));
        assert!(message(with(&[(3, 2, 1.5)])).contains("rows 4 and 3 have 1.5 and 1.5"));
        assert!(message(with(&[(3, 3, f64::NAN)])).contains("NaN"));
        let ragged = Spread { correlation: vec![vec![1.0; 6], vec![1.0; 5]], ..Spread::default() };
        assert_eq!(message(ragged), "correlation must be 6 rows of 6 numbers, not rows of 6, 5");
    }
}
