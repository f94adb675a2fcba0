//! Values that start on a cache line, so that no load of a block touches two.

use std::fmt::{Debug, Formatter};
use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest register.
const CACHE_LINE_BYTES: usize = 64;

/// As many values as it was made with.
pub(crate) struct Aligned<T> {
    values: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Copy> Aligned<T> {
    /// The values of an iterator that knows how many it has, without another copy of them.
    pub(crate) fn new(values: impl ExactSizeIterator<Item = T>) -> Self {
        let len = values.len();
        let spare = CACHE_LINE_BYTES.checked_div(size_of::<T>()).unwrap_or(0);
        let mut all: Vec<T> = Vec::with_capacity(len + spare);
        // Where no number of values reaches a line, no place is better than another.
        let start = all.as_ptr().align_offset(CACHE_LINE_BYTES).min(spare);
        for value in values {
            if all.is_empty() {
                all.resize(start, value);
            }
            all.push(value);
        }
        Self { start: start.min(all.len()), values: all, len }
    }
}

/// So many values of a buffer, from a cache line on.
pub(crate) fn room(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    let spare = CACHE_LINE_BYTES / size_of::<f32>();
    if buffer.len() < len + spare {
        buffer.resize(len + spare, 0.0);
    }
    let start = buffer.as_ptr().align_offset(CACHE_LINE_BYTES).min(spare);
    &mut buffer[start..start + len]
}

impl<T: Copy> From<Vec<T>> for Aligned<T> {
    fn from(values: Vec<T>) -> Self {
        Self::new(values.into_iter())
    }
}

impl<T: Copy> Default for Aligned<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[self.start..][..self.len]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..][..self.len]
    }
}

impl<T: Copy> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        Self::new(self.iter().copied())
    }
}

impl<T: Debug> Debug for Aligned<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}
