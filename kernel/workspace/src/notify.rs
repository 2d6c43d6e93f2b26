//! Wakes the threads that wait for something to do.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Tells many threads that something happened: each hears of it, also when it was busy meanwhile.
#[derive(Default)]
pub struct Notifier {
    state: Mutex<State>,
    told: Condvar,
    /// Is told of the end alone, for those who sleep whatever happens.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    count: u64,
    stopped: bool,
}

impl Notifier {
    /// Wakes everybody who waits.
    pub fn notify(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count += 1;
        self.told.notify_all();
    }

    /// Wakes everybody for the last time.
    pub fn stop(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stopped = true;
        self.told.notify_all();
        self.ended.notify_all();
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stopped
    }

    /// How often it was notified so far; remembered before looking for work, so that what comes in
    /// the meantime is not missed.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count
    }

    /// Waits until it was notified more often than `heard`, is stopped, or the time is over.
    pub fn wait(&self, heard: u64, longest: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = |state: &mut State| state.count == heard && !state.stopped;
        // The result says only whether the time ran out; the caller looks for work either way.
        drop(self.told.wait_timeout_while(state, longest, quiet));
    }

    /// Sleeps whatever it is notified of, but not past the end.
    pub fn sleep(&self, time: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |state: &mut State| !state.stopped;
        // The result says only whether the time ran out.
        drop(self.ended.wait_timeout_while(state, time, goes_on));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_ring_before_waiting_is_heard_and_silence_ends() {
        let notifier = Notifier::default();
        let heard = notifier.count();
        notifier.notify();
        let began = Instant::now();
        notifier.wait(heard, Duration::from_secs(60));
        assert!(began.elapsed() < Duration::from_secs(30));
        notifier.wait(notifier.count(), Duration::from_millis(1));
        notifier.stop();
        notifier.wait(notifier.count(), Duration::from_secs(60));
        assert!(notifier.is_stopped() && began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn who_sleeps_is_woken_by_the_end_alone() {
        let notifier = Notifier::default();
        let time = Duration::from_millis(50);
        std::thread::scope(|scope| {
            let asleep = scope.spawn(|| {
                let began = Instant::now();
                notifier.sleep(time);
                began.elapsed()
            });
            while !asleep.is_finished() {
                notifier.notify();
            }
            assert!(asleep.join().is_ok_and(|slept| slept >= time));
            let began = Instant::now();
            let asleep = scope.spawn(|| notifier.sleep(Duration::from_secs(60)));
            notifier.stop();
            assert!(asleep.join().is_ok() && began.elapsed() < Duration::from_secs(30));
        });
    }
}
