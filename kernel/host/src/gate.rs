//! The queue in front of the pool: so many calls at a time, and the rest wait, but not for ever.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A counting gate. The pool answers exhaustion with an error; the gate turns it into waiting.
pub struct Gate {
    free: Mutex<usize>,
    freed: Condvar,
    size: usize,
}

/// A place in the pool, given back when dropped.
pub struct Place<'a>(&'a Gate);

impl Gate {
    /// A gate with so many places.
    pub fn new(size: usize) -> Self {
        Self {
            free: Mutex::new(size),
            freed: Condvar::new(),
            size,
        }
    }

    /// How many places there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Waits for a place, at most so long.
    pub fn enter(&self, patience: Duration) -> Option<Place<'_>> {
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
        Some(Place(self))
    }

    /// The number behind the lock is valid after every statement, so a panic elsewhere while it
    /// was held harms nothing.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
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
    fn a_full_gate_makes_wait_and_then_gives_up() {
        let gate = Gate::new(1);
        let place = gate.enter(Duration::ZERO).unwrap();
        assert!(gate.enter(Duration::from_millis(5)).is_none());
        drop(place);
        assert!(gate.enter(Duration::ZERO).is_some());
    }

    #[test]
    fn who_waits_gets_the_place_that_is_freed() {
        let gate = Gate::new(1);
        let place = gate.enter(Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter(Duration::from_secs(60)).is_some());
            drop(place);
            assert!(waiting.join().unwrap());
        });
    }
}
