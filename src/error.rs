//! Everything that can be wrong with an input: what is wrong, what is allowed, what was given.

use crate::check::number;
use crate::shown::shown;
use std::error::Error as StdError;

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A bad input, or a failure inside a rule or array written by a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice has the wrong length for the array or network it was given to.
    #[error("{what} must have {expected} values, not {}", number(*given as f64))]
    Length {
        /// The argument.
        what: &'static str,
        /// Its length.
        given: usize,
        /// What is allowed: a number of values.
        expected: String,
    },
    /// A number lies outside its allowed range.
    #[error("{what} must be {allowed}, not {}", number(*given))]
    Range {
        /// The argument or field.
        what: String,
        /// Its value.
        given: f64,
        /// What is allowed, as it follows "must be".
        allowed: String,
    },
    /// A name that is not among those that are allowed.
    #[error("{what} must be one of {allowed}, not {}", shown(given))]
    Choice {
        /// The setting.
        what: &'static str,
        /// What it names.
        given: String,
        /// The names that are allowed, separated by commas.
        allowed: String,
    },
    /// Bytes that are not those of a file of the expected format.
    #[error("not a valid safetensors file: {0}")]
    Format(String),
    /// Two or more settings contradict each other.
    #[error("{0}")]
    Conflict(String),
    /// A NaN or an infinity among the inputs.
    #[error("{what} must be finite, not {given} at position {}", number(*index as f64))]
    NotFinite {
        /// The argument, or a part of it.
        what: String,
        /// The value found.
        given: f32,
        /// Its position in that, flattened.
        index: usize,
    },
    /// More memory than there is.
    #[error("{what} needs {gigabytes:.1} GB of memory, more than is available")]
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
    /// A number outside its allowed range; `allowed` follows "must be".
    pub(crate) fn range(what: impl Into<String>, given: f64, allowed: impl Into<String>) -> Self {
        Self::Range { what: what.into(), given, allowed: allowed.into() }
    }

    /// The same error about a part of its argument, such as "example 3".
    pub(crate) fn of(mut self, part: &str) -> Self {
        if let Self::Range { what, .. } | Self::NotFinite { what, .. } = &mut self {
            *what = format!("{what} of {part}");
        }
        self
    }
}
