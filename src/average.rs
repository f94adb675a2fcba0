//! Running averages formed from line reads: nothing here ever sees a weight, only reads of it.

use crate::error::{Error, Result, check_len};

/// A uniform running mean per line: mean ← mean + (v − mean)/n over the n reads v of that line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineAverage {
    width: usize,
    mean: Vec<f32>,
    reads: Vec<u64>,
}

impl LineAverage {
    /// Averages of `lines` lines of `width` values, none read yet.
    pub fn new(lines: usize, width: usize) -> Self {
        Self { width, mean: vec![0.0; lines * width], reads: vec![0; lines] }
    }

    /// Takes one read of line `k`.
    ///
    /// # Errors
    /// No such line, or a read of another length.
    pub fn add(&mut self, k: usize, read: &[f32]) -> Result<()> {
        check_len("read", read.len(), self.width)?;
        let most = self.reads.len();
        let Some(reads) = self.reads.get_mut(k) else {
            return Err(Error::range("line", k as f64, format!("below {most}")));
        };
        *reads += 1;
        let share = 1.0 / *reads as f32;
        for (mean, v) in self.mean[k * self.width..][..self.width].iter_mut().zip(read) {
            *mean += share * (v - *mean);
        }
        Ok(())
    }

    /// The mean of line `k` and its number of reads.
    pub fn line(&self, k: usize) -> (&[f32], u64) {
        (&self.mean[k * self.width..][..self.width], self.reads[k])
    }

    /// All means, line after line.
    pub fn means(&self) -> &[f32] {
        &self.mean
    }

    /// Reads per line.
    pub fn reads(&self) -> &[u64] {
        &self.reads
    }

    /// Puts means and numbers of reads back.
    pub fn restore(&mut self, means: &[f32], reads: &[u64]) -> Result<()> {
        check_len("average", means.len(), self.mean.len())?;
        check_len("average_reads", reads.len(), self.reads.len())?;
        self.mean.copy_from_slice(means);
        self.reads.copy_from_slice(reads);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 2×3 array, read by columns, by hand.
    #[test]
    fn by_hand() {
        let mut average = LineAverage::new(3, 2);
        average.add(0, &[1.0, 2.0]).expect("line 0");
        average.add(0, &[3.0, -2.0]).expect("line 0");
        average.add(2, &[0.5, 0.25]).expect("line 2");
        assert_eq!(average.means(), [2.0, 0.0, 0.0, 0.0, 0.5, 0.25]);
        assert_eq!(average.reads(), [2, 0, 1]);
        assert!(average.add(3, &[0.0, 0.0]).is_err());
        assert!(average.add(0, &[0.0]).is_err());
    }
}
