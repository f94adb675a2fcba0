//! Running averages formed from line reads: nothing here ever sees a weight, only reads of it.

use crate::check::{check_index, check_len};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// How reads are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// All alike.
    #[default]
    Uniform,
    /// Exponentially, over about a given number of reads.
    Exponential,
}

/// A running mean per line, mean ← mean + s·(v − mean) for its n-th read v: uniform, s = 1/n, or
/// exponential, s = 1/min(n, memory), which is uniform until there are `memory` reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineAverage {
    /// Reads that count; infinite for a uniform mean.
    memory: f64,
    width: usize,
    mean: Vec<f32>,
    reads: Vec<u64>,
}

impl LineAverage {
    /// Averages of `lines` lines of `width` values, none read yet, over `memory` reads (1 or more) if
    /// `weighting` is exponential.
    pub fn new(lines: usize, width: usize, weighting: Weighting, memory: f64) -> Self {
        let memory = match weighting {
            Weighting::Uniform => f64::INFINITY,
            Weighting::Exponential => memory,
        };
        Self { memory, width, mean: vec![0.0; lines * width], reads: vec![0; lines] }
    }

    /// Takes one read of line `k`.
    ///
    /// # Errors
    /// No such line, or a read of another length.
    pub fn add(&mut self, k: usize, read: &[f32]) -> Result<()> {
        check_len("read", read.len(), self.width)?;
        check_index("line", k, self.reads.len())?;
        self.reads[k] += 1;
        let share = (1.0 / (self.reads[k] as f64).min(self.memory)) as f32;
        for (mean, v) in self.mean[k * self.width..][..self.width].iter_mut().zip(read) {
            *mean += share * (v - *mean);
        }
        Ok(())
    }

    /// All means, line after line.
    pub fn means(&self) -> &[f32] {
        &self.mean
    }

    /// Reads per line.
    pub fn reads(&self) -> &[u64] {
        &self.reads
    }

    /// The average with other means and numbers of reads.
    ///
    /// # Errors
    /// Another number of either.
    pub fn restored(&self, means: &[f32], reads: &[u64]) -> Result<Self> {
        check_len("average", means.len(), self.mean.len())?;
        check_len("average_reads", reads.len(), self.reads.len())?;
        Ok(Self { memory: self.memory, width: self.width, mean: means.to_vec(), reads: reads.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 2×3 array, read by columns, by hand.
    #[test]
    fn by_hand() {
        let mut average = LineAverage::new(3, 2, Weighting::Uniform, 1.0);
        average.add(0, &[1.0, 2.0]).expect("line 0");
        average.add(0, &[3.0, -2.0]).expect("line 0");
        average.add(2, &[0.5, 0.25]).expect("line 2");
        assert_eq!(average.means(), [2.0, 0.0, 0.0, 0.0, 0.5, 0.25]);
        assert_eq!(average.reads(), [2, 0, 1]);
        assert!(average.add(3, &[0.0, 0.0]).is_err());
        assert!(average.add(0, &[0.0]).is_err());
    }

    /// Two reads that count: means of 1, then (1, 2), then half of the new read.
    #[test]
    fn exponential_by_hand() {
        let mut average = LineAverage::new(1, 1, Weighting::Exponential, 2.0);
        for (v, mean) in [(1.0, 1.0), (2.0, 1.5), (4.0, 2.75), (0.75, 1.75)] {
            average.add(0, &[v]).expect("line 0");
            assert_eq!(average.means(), [mean]);
        }
    }
}
