//! Signs of the lines of a fast array (R24 eq. (11)): a constant error of its reference changes sign with them, and
//! cancels in H.

use crate::error::{Error, Result};
use crate::random::{Operation, Stream};
use crate::rule::State;
use serde::{Deserialize, Serialize};

/// When the signs of the lines flip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chopping {
    /// Each line at every ⌈1/ρ⌉-th of its reads.
    #[default]
    Regular,
    /// Each line after each of its reads with probability ρ.
    Random,
}

/// One sign per line, +1 at first.
#[derive(Clone, Debug)]
pub(in crate::rule) struct Chopper {
    chopping: Chopping,
    /// ρ: flips per read of a line.
    rate: f64,
    /// Where random flips are drawn from: seed, array.
    source: (u64, u64),
    signs: Vec<f32>,
}

impl Chopper {
    /// `lines` lines that flip at `rate`; `None` if they never do.
    pub(in crate::rule) fn new(chopping: Chopping, rate: f64, source: (u64, u64), lines: usize) -> Option<Self> {
        (rate > 0.0).then(|| Self { chopping, rate, source, signs: vec![1.0; lines] })
    }

    /// One sign per line.
    pub(in crate::rule) fn signs(&self) -> &[f32] {
        &self.signs
    }

    /// Flips line k, if that is due after its read number `read` (0, 1, …); whether it was.
    pub(in crate::rule) fn after_read(&mut self, k: usize, read: u64) -> bool {
        let flips = match self.chopping {
            Chopping::Regular => (read + 1).is_multiple_of(period(self.rate)),
            Chopping::Random => {
                let (seed, array) = self.source;
                let mut uniform = [0.0];
                Stream::new(seed, array, Operation::Chop, read).uniforms(k as u64, &mut uniform);
                f64::from(uniform[0]) < self.rate
            }
        };
        if flips {
            self.signs[k] = -self.signs[k];
        }
        flips
    }

    /// Multiplies the line's element of every vector by its sign: c⊙x.
    pub(in crate::rule) fn chop(&self, vectors: &mut [f32]) {
        for vector in vectors.chunks_exact_mut(self.signs.len()) {
            vector.iter_mut().zip(&self.signs).for_each(|(x, c)| *x *= c);
        }
    }

    /// Adds the signs to a state.
    pub(in crate::rule) fn save(&self, state: &mut State, name: &str) {
        state.add_floats(name, &[self.signs.len()], self.signs.clone());
    }

    /// The chopper with the signs of a state.
    ///
    /// # Errors
    /// Something is missing, or is no sign.
    pub(in crate::rule) fn restored(&self, state: &State, name: &str) -> Result<Self> {
        let signs = state.floats(name)?;
        if signs.len() != self.signs.len() || signs.iter().any(|c| c.abs() != 1.0) {
            let lines = self.signs.len();
            return Err(Error::Conflict(format!("{name} of the state must be {lines} signs, each 1 or -1")));
        }
        Ok(Self { signs: signs.to_vec(), ..self.clone() })
    }
}

/// ⌈1/ρ⌉: reads of a line from flip to flip, on average where they are random.
pub(in crate::rule) fn period(rate: f64) -> u64 {
    // 1/0.1 is 10, not the next number above it.
    (1.0 / rate * (1.0 - 1e-12)).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_flips_come_at_every_period() {
        let mut chopper = Chopper::new(Chopping::Regular, 0.3, (1, 0), 3).expect("it flips");
        let flips: Vec<_> = (0..9).map(|read| chopper.after_read(1, read)).collect();
        assert_eq!(flips, [false, false, false, true, false, false, false, true, false]);
        assert_eq!((period(0.1), period(0.01), period(1.0), period(0.02)), (10, 100, 1, 50));
    }

    /// 20,000 reads at ρ = 0.1: 2,000 ± 4·√(n·ρ·(1−ρ)) = 170 flips; false in 6·10⁻⁵ of seeds. A line's flips do not
    /// depend on which other lines are read.
    #[test]
    fn random_flips_have_their_rate_and_belong_to_the_read() {
        let of = |lines: &[usize]| {
            let mut chopper = Chopper::new(Chopping::Random, 0.1, (5, 2), 20).expect("it flips");
            let each = |read| lines.iter().map(|&k| chopper.after_read(k, read)).collect::<Vec<_>>();
            (0..1000).map(each).collect::<Vec<_>>()
        };
        let all = of(&(0..20).collect::<Vec<_>>());
        let flips = all.iter().flatten().filter(|flip| **flip).count();
        assert!(flips.abs_diff(2000) < 170, "{flips}");
        assert!(all.iter().zip(of(&[7])).all(|(all, one)| all[7] == one[0]));
    }

    #[test]
    fn elements_of_lines_take_their_sign() {
        let mut chopper = Chopper::new(Chopping::Regular, 1.0, (0, 0), 3).expect("it flips");
        assert!(chopper.after_read(1, 0));
        let mut x = [1.0, 2.0, 0.0, -1.0, -2.0, 3.0];
        chopper.chop(&mut x);
        assert_eq!(x, [1.0, -2.0, 0.0, -1.0, 2.0, 3.0]);
        assert!(Chopper::new(Chopping::Random, 0.0, (0, 0), 3).is_none());
    }
}
