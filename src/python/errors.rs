//! Errors out: in which class of Python, and in how many words.

use crate::error::Error;
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;

/// Bad inputs become a ValueError; what user code raised comes back as it was.
impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::Foreign(inner) => match inner.downcast::<PyErr>() {
                Ok(raised) => *raised,
                Err(other) => PyValueError::new_err(other.to_string()),
            },
            error @ Error::Memory { .. } => PyMemoryError::new_err(error.to_string()),
            error => PyValueError::new_err(shortened(error.to_string())),
        }
    }
}

/// An exception of Python code inside a rule.
impl From<PyErr> for Error {
    fn from(raised: PyErr) -> Self {
        Self::Foreign(Box::new(raised))
    }
}

/// The error of a name that is not among those that are allowed.
pub(super) fn unknown(what: &'static str, given: &str, allowed: &[&str]) -> PyErr {
    Error::Choice { what, given: given.to_owned(), allowed: allowed.join(", ") }.into()
}

/// The most characters of a value in a message.
const VALUE: usize = 120;

/// The most characters of a message: less than a screen of 80 × 24.
const MESSAGE: usize = 1500;

/// A message without its middle, if it is longer than a screen.
pub(super) fn shortened(message: String) -> String {
    let characters: Vec<_> = message.chars().collect();
    if characters.len() <= MESSAGE {
        return message;
    }
    let half = |characters: &[char]| characters.iter().collect::<String>();
    format!("{} … {}", half(&characters[..MESSAGE / 2]), half(&characters[characters.len() - MESSAGE / 2..]))
}

/// A value in the words of Python, or their beginning.
pub(super) fn given(value: &Bound<'_, PyAny>) -> String {
    let words = value.repr().map_or_else(|_| format!("a {}", value.get_type()), |repr| repr.to_string());
    match words.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}
