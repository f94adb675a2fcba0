//! Everything that can be wrong with an input, with the values in the message.

use std::error::Error as StdError;

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A bad input, or a failure inside a rule or array written by a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice has the wrong length for the array or network it was given to.
    #[error("{what} has {given} values; {expected} needed")]
    Length {
        /// The argument.
        what: &'static str,
        /// Its length.
        given: usize,
        /// What is allowed.
        expected: String,
    },
    /// A number lies outside its allowed range.
    #[error("{what} is {given}; allowed: {allowed}")]
    Range {
        /// The argument or field.
        what: String,
        /// Its value.
        given: f64,
        /// What is allowed.
        allowed: String,
    },
    /// A name is none of those that are allowed.
    #[error("{what} is {given:?}; allowed: {allowed}")]
    Choice {
        /// The setting.
        what: &'static str,
        /// What it names.
        given: String,
        /// What is allowed.
        allowed: String,
    },
    /// Bytes that are not what a file should hold.
    #[error("no safetensors file: {0}")]
    Format(String),
    /// Two or more settings contradict each other.
    #[error("{0}")]
    Conflict(String),
    /// A NaN or an infinity among the inputs.
    #[error("{what} holds {given} at position {index}; only finite numbers are allowed")]
    NotFinite {
        /// The argument.
        what: &'static str,
        /// The value found.
        given: f32,
        /// Its position in the flattened argument.
        index: usize,
    },
    /// More memory than there is.
    #[error("{what} needs {gigabytes:.1} GB of memory, more than there is")]
    Memory {
        /// What is to be made.
        what: String,
        /// Its size.
        gigabytes: f64,
    },
    /// A failure reported by a rule or an array from outside this crate.
    #[error(transparent)]
    Foreign(Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// A number outside its allowed range.
    pub(crate) fn range(what: impl Into<String>, given: f64, allowed: impl Into<String>) -> Self {
        Self::Range { what: what.into(), given, allowed: allowed.into() }
    }
}

/// Requires that `bytes` can be had at once for `what`, where running out of memory later would abort.
pub(crate) fn check_room(what: impl Into<String>, bytes: usize) -> Result<()> {
    match Vec::<u8>::new().try_reserve_exact(bytes) {
        Ok(()) => Ok(()),
        Err(_) => Err(Error::Memory { what: what.into(), gigabytes: bytes as f64 / 1e9 }),
    }
}

/// Requires exactly `expected` values.
pub(crate) fn check_len(what: &'static str, given: usize, expected: usize) -> Result<()> {
    if given == expected {
        return Ok(());
    }
    Err(Error::Length { what, given, expected: expected.to_string() })
}

/// Requires a whole number of vectors of `width` values; returns how many there are.
pub(crate) fn check_batch(what: &'static str, given: usize, width: usize) -> Result<usize> {
    if width > 0 && given.is_multiple_of(width) {
        return Ok(given / width);
    }
    Err(Error::Length { what, given, expected: format!("a multiple of {width}") })
}

/// Requires finite numbers.
pub(crate) fn check_finite(what: &'static str, values: &[f32]) -> Result<()> {
    if crate::simd::all_finite(values) {
        return Ok(());
    }
    let index = values.iter().position(|v| !v.is_finite()).unwrap_or(0);
    Err(Error::NotFinite { what, given: values[index], index })
}

/// The allowed range of one number of a settings struct.
#[derive(Clone, Copy, Debug)]
pub struct Limit<T> {
    /// The field's name.
    pub field: &'static str,
    /// The least value allowed.
    pub min: f64,
    /// The largest value allowed.
    pub max: f64,
    /// Reads the field; `None` where an optional field is not set.
    pub get: fn(&T) -> Option<f64>,
}

/// Checks every limit; the first violation is the error.
pub(crate) fn check_limits<T>(settings: &T, limits: &[Limit<T>]) -> Result<()> {
    for limit in limits {
        if let Some(value) = (limit.get)(settings)
            && !(limit.min..=limit.max).contains(&value)
        {
            return Err(Error::range(limit.field, value, format!("{} to {}", limit.min, limit.max)));
        }
    }
    Ok(())
}
