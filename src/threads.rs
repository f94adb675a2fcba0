//! A pool of threads of the crate's own; results never depend on how many there are.

use crate::check::check_range;
use crate::error::{Error, Result};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long steps go on without a pause.
const SLICE: Duration = Duration::from_millis(100);

/// How long a thread looks for the next piece of work before it goes to sleep.
const SPIN_TIME: Duration = Duration::from_micros(300);

/// Values from which another thread touches its part of them sooner (measured).
const MIN_SHARED_VALUES: usize = 1 << 14;

/// Threads for work that pays to split; one thread means no pool at all.
#[derive(Debug, Default)]
pub struct Workers {
    pool: Option<rayon::ThreadPool>,
    watch: Arc<Watch>,
    pause: Option<fn() -> Result<()>>,
}

/// Threads that stay awake between pieces of work. A mini-batch is split a dozen times, for some 10 µs
/// each, and waking a thread can take longer than that.
#[derive(Debug, Default)]
struct Watch {
    /// Pieces of work so far.
    pieces: AtomicUsize,
    /// Whether the threads were called, and none has gone to sleep since.
    called: AtomicBool,
}

impl Watch {
    /// Takes what work there is until there has been none for a while. A thread that waits for the pieces of
    /// its own work must get back to it, and does not join.
    fn keep(&self) {
        if let Some(_busy) = Busy::unless_busy() {
            self.look();
        }
        self.called.store(false, Relaxed);
    }

    fn look(&self) {
        let (mut seen, mut since) = (self.pieces.load(Relaxed), Instant::now());
        while since.elapsed() < SPIN_TIME {
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                for _ in 0..32 {
                    std::hint::spin_loop();
                }
                // Others may be waiting for this core.
                std::thread::yield_now();
            }
            let pieces = self.pieces.load(Relaxed);
            if pieces != seen {
                (seen, since) = (pieces, Instant::now());
            }
        }
    }
}

thread_local!(static BUSY: Cell<bool> = const { Cell::new(false) });

/// While it lives, its thread has work of its own; then it is as it was before.
struct Busy(bool);

impl Busy {
    fn mark() -> Self {
        Self(BUSY.replace(true))
    }

    fn unless_busy() -> Option<Self> {
        (!BUSY.get()).then(Self::mark)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.set(self.0);
    }
}

impl Workers {
    /// A pool of `threads` threads, at least 1.
    pub fn new(threads: usize) -> Result<Self> {
        check_range("threads", threads as f64, 1.0, 1024.0)?;
        if threads == 1 {
            return Ok(Self::default());
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|k| format!("tikitaka-{k}"))
            .build()
            .map_err(|e| Error::Foreign(Box::new(e)))?;
        Ok(Self { pool: Some(pool), ..Self::default() })
    }

    /// The same threads, in whose trainings and evaluations `pause` is called some ten times a second, between two
    /// mini-batches and on the thread that called: an error that it returns ends them. A training that has ended so is
    /// as after its last mini-batch.
    #[must_use]
    pub fn pausing(self, pause: fn() -> Result<()>) -> Self {
        Self { pause: Some(pause), ..self }
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// How many of `items` go to a thread at a time, if handing them over pays: `values` are touched in all.
    pub(crate) fn share(&self, items: usize, values: usize) -> Option<usize> {
        let each = items.div_ceil(self.threads());
        (each < items && values >= MIN_SHARED_VALUES).then_some(each)
    }

    /// Runs `work` on a thread of the pool, where rayon's parallel iterators use the pool. Whatever is
    /// split many times should run inside as a whole: handing it over from outside is slow.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(|| {
                let _busy = Busy::mark();
                work()
            }),
            None => work(),
        }
    }

    /// Calls `step` until nothing is left to do, which it says by `false`: on a thread of the pool or on this one.
    pub(crate) fn steps(&self, in_pool: bool, mut step: impl FnMut() -> Result<bool> + Send) -> Result<()> {
        // The clock is looked at after 1, 2, 4, … steps, so a slice may take twice as long.
        let mut slice = || {
            let (start, mut done) = (Instant::now(), 0_u64);
            while step()? {
                done += 1;
                if done.is_power_of_two() && start.elapsed() >= SLICE {
                    return Ok(true);
                }
            }
            Ok::<_, Error>(false)
        };
        while if in_pool { self.run(&mut slice) } else { slice() }? {
            self.pause.map_or(Ok(()), |pause| pause())?;
        }
        Ok(())
    }

    /// Runs `work`, which is split into pieces for the pool's threads.
    pub(crate) fn split<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let Some(pool) = &self.pool else { return work() };
        pool.install(|| {
            let _busy = Busy::mark();
            self.watch.pieces.fetch_add(1, Relaxed);
            if !self.watch.called.swap(true, Relaxed) {
                let (watch, caller) = (Arc::clone(&self.watch), rayon::current_thread_index());
                // On every thread but this one, which has the work to do.
                pool.spawn_broadcast(move |thread| {
                    if Some(thread.index()) != caller {
                        watch.keep();
                    }
                });
            }
            work()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;

    static PAUSES: AtomicUsize = AtomicUsize::new(0);

    fn second_pause() -> Result<()> {
        match PAUSES.fetch_add(1, Relaxed) {
            0 => Ok(()),
            _ => Err(Error::Conflict("enough".to_owned())),
        }
    }

    #[test]
    fn a_pause_ends_long_work_between_two_steps() {
        for (threads, in_pool) in [(1, false), (2, true)] {
            PAUSES.store(0, Relaxed);
            let workers = Workers::new(threads).expect("few").pausing(second_pause);
            let mut done = 0;
            let step = || {
                sleep(SLICE / 4);
                done += 1;
                Ok(done < 1000)
            };
            let ended = workers.steps(in_pool, step).expect_err("ended");
            assert_eq!((ended.to_string().as_str(), PAUSES.load(Relaxed)), ("enough", 2));
            assert!((2..=8).contains(&done), "the clock is looked at after 1, 2 and 4 steps: {done}");
        }
    }

    #[test]
    fn short_work_has_no_pause() {
        let workers = Workers::default().pausing(|| unreachable!());
        let mut left = 3;
        let step = || {
            left -= 1;
            Ok(left > 0)
        };
        workers.steps(false, step).expect("short");
        assert_eq!(left, 0);
    }
}
