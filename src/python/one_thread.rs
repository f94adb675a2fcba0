//! Objects for one thread at a time, which refuse another in words.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

/// What an object of the class `name` holds. Nobody waits for it: a second thread, or a callback of a call that is
/// under way, gets an error.
#[derive(Debug)]
pub(super) struct OneThread<T> {
    name: &'static str,
    held: RwLock<T>,
}

impl<T> OneThread<T> {
    pub(super) fn new(name: &'static str, held: T) -> Self {
        Self { name, held: RwLock::new(held) }
    }

    /// To look at, which several threads may do at once.
    pub(super) fn read(&self) -> PyResult<RwLockReadGuard<'_, T>> {
        self.free(self.held.try_read())
    }

    /// To change.
    pub(super) fn write(&self) -> PyResult<RwLockWriteGuard<'_, T>> {
        self.free(self.held.try_write())
    }

    fn free<G>(&self, held: Result<G, TryLockError<G>>) -> PyResult<G> {
        match held {
            Ok(held) => Ok(held),
            // A panic has reached Python as an exception; what is held is as the panic left it.
            Err(TryLockError::Poisoned(held)) => Ok(held.into_inner()),
            Err(TryLockError::WouldBlock) => Err(PyRuntimeError::new_err(format!(
                "this {} is in use by another thread, or by the call that called back: give each thread its own, and \
                 use it between calls",
                self.name
            ))),
        }
    }
}
