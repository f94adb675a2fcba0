//! Arrays with their shapes, and named ones as the bytes of a safetensors file (feature `files`).
//!
//! Reading runs no code and never takes more memory than the bytes themselves: sizes that they promise and do not hold
//! are refused.

#[cfg(feature = "files")]
mod file;

#[cfg(feature = "files")]
pub use file::{Arrays, decode, encode};

/// An array with its shape; the values are row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor<T> {
    /// Sizes of its dimensions; none for a single number.
    pub shape: Vec<usize>,
    /// As many values as the shape says.
    pub values: Vec<T>,
}
