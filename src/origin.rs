//! What a state belongs to: a seed, a place and settings. A state means nothing anywhere else.

use crate::error::{Error, Result};
use std::fmt::{self, Debug, Write};

/// What the state of an array or a network belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Seed of everything random.
    pub seed: u64,
    /// Number of the array; 0 for a network.
    pub number: u64,
    /// A fingerprint of the settings, the devices among them.
    pub settings: u64,
}

impl Origin {
    /// Requires that a state of `what` belongs here.
    ///
    /// # Errors
    /// Another seed, number or other settings, in this order.
    pub(crate) fn check(self, what: &str, given: Self) -> Result<()> {
        for (name, here, there) in [("seed", self.seed, given.seed), ("number", self.number, given.number)] {
            if here != there {
                return Err(Error::Conflict(format!(
                    "the state must be of {what} with the {name} {here}, not {there}"
                )));
            }
        }
        check_settings(what, self.settings, given.settings)
    }

    /// As in a state.
    pub(crate) fn values(self) -> Vec<u64> {
        vec![self.seed, self.number, self.settings]
    }

    /// From what [`values`](Origin::values) gave; `None` for anything else.
    pub(crate) fn of(values: &[u64]) -> Option<Self> {
        let &[seed, number, settings] = values else { return None };
        Some(Self { seed, number, settings })
    }
}

/// Requires the fingerprint `here` of a state of `what`.
pub(crate) fn check_settings(what: &str, here: u64, given: u64) -> Result<()> {
    if here == given {
        return Ok(());
    }
    Err(Error::Conflict(format!("the state must be of {what} with the same devices and settings, not with others")))
}

/// FNV-1a over how settings print, which says every field: equal settings have equal ones on every machine.
pub(crate) fn fingerprint(settings: &dyn Debug) -> u64 {
    let mut hash = Fingerprint(0xcbf2_9ce4_8422_2325);
    write!(hash, "{settings:?}").expect("hashing cannot fail");
    hash.0
}

struct Fingerprint(u64);

impl Write for Fingerprint {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.0 = text.bytes().fold(self.0, add);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::SoftBounds;

    #[test]
    fn other_seeds_numbers_and_settings_are_named() {
        let here = Origin { seed: 1, number: 2, settings: fingerprint(&SoftBounds::default()) };
        here.check("c", here).expect("its own");
        assert_eq!(Origin::of(&here.values()), Some(here));
        let other = fingerprint(&SoftBounds { cycle_noise: 0.25, ..SoftBounds::default() });
        for (given, words) in [
            (Origin { seed: 3, ..here }, "the state must be of c with the seed 1, not 3"),
            (Origin { number: 3, ..here }, "the state must be of c with the number 2, not 3"),
            (Origin { settings: other, ..here }, "the state must be of c with the same devices and settings"),
        ] {
            let message = here.check("c", given).expect_err("another").to_string();
            assert!(message.starts_with(words), "{message}");
        }
    }
}
