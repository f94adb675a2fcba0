//! A pool of threads of the crate's own; results never depend on how many there are.

use crate::error::{Error, Result};

/// Threads for work that pays to split; one thread means no pool at all.
#[derive(Debug, Default)]
pub struct Workers {
    pool: Option<rayon::ThreadPool>,
}

impl Workers {
    /// A pool of `threads` threads, at least 1.
    pub fn new(threads: usize) -> Result<Self> {
        if !(1..=1024).contains(&threads) {
            return Err(Error::range("threads", threads as f64, "1 to 1024"));
        }
        if threads == 1 {
            return Ok(Self::default());
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|k| format!("tikitaka-{k}"))
            .build()
            .map_err(|e| Error::Foreign(Box::new(e)))?;
        Ok(Self { pool: Some(pool) })
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Runs `work` where rayon's parallel iterators use this pool.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}
