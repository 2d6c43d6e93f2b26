//! Concurrency: so many calls at a time, each in a slot of the pool; the rest wait, but not for ever.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The slots of the pool, counted. The pool answers exhaustion with an error; counting turns it into
/// waiting.
pub struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
    size: usize,
}

/// A slot of the pool, given back when dropped.
pub struct Slot<'a>(&'a Slots);

impl Slots {
    /// So many slots, all free.
    pub fn new(size: usize) -> Self {
        Self {
            free: Mutex::new(size),
            freed: Condvar::new(),
            size,
        }
    }

    /// How many there are, free or taken.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Waits for a free slot, at most so long.
    pub fn take(&self, patience: Duration) -> Option<Slot<'_>> {
        let mut free = self.lock();
        if *free == 0 {
            let until = Instant::now() + patience;
            while *free == 0 {
                let left = until.checked_duration_since(Instant::now())?;
                let waited = self.freed.wait_timeout(free, left);
                free = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        *free -= 1;
        Some(Slot(self))
    }

    /// The number behind the lock is valid after every statement, so a panic elsewhere while it
    /// was held harms nothing.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.lock() += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_full_pool_makes_wait_and_then_gives_up() {
        let slots = Slots::new(1);
        let slot = slots.take(Duration::ZERO).unwrap();
        assert!(slots.take(Duration::from_millis(5)).is_none());
        drop(slot);
        assert!(slots.take(Duration::ZERO).is_some());
    }

    #[test]
    fn who_waits_gets_the_slot_that_is_freed() {
        let slots = Slots::new(1);
        let slot = slots.take(Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| slots.take(Duration::from_secs(60)).is_some());
            drop(slot);
            assert!(waiting.join().unwrap());
        });
    }
}
