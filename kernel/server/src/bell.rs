//! Wakes the threads that wait for something to do.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A bell that many threads listen to: each hears every ring, also one from while it was busy.
#[derive(Default)]
pub struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Default)]
struct State {
    rings: u64,
    stopped: bool,
}

impl Bell {
    /// Wakes everybody who waits.
    pub fn ring(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .rings += 1;
        self.rung.notify_all();
    }

    /// Wakes everybody for the last time.
    pub fn stop(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stopped = true;
        self.rung.notify_all();
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stopped
    }

    /// The number of rings so far; remembered before looking for work, so that a ring in the
    /// meantime is not missed.
    #[must_use]
    pub fn rings(&self) -> u64 {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .rings
    }

    /// Waits until it has rung more often than `heard`, is stopped, or the time is over.
    pub fn wait(&self, heard: u64, longest: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = |state: &mut State| state.rings == heard && !state.stopped;
        // The result says only whether the time ran out; the caller looks for work either way.
        drop(self.rung.wait_timeout_while(state, longest, quiet));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_ring_before_waiting_is_heard_and_silence_ends() {
        let bell = Bell::default();
        let heard = bell.rings();
        bell.ring();
        let began = Instant::now();
        bell.wait(heard, Duration::from_secs(60));
        assert!(began.elapsed() < Duration::from_secs(30));
        bell.wait(bell.rings(), Duration::from_millis(1));
        bell.stop();
        bell.wait(bell.rings(), Duration::from_secs(60));
        assert!(bell.is_stopped() && began.elapsed() < Duration::from_secs(30));
    }
}
