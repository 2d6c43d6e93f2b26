//! Places for connections: so many at one time. When all are taken, the one that has waited longest for
//! a request gives its place to who has one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long a connection is left alone when it has nothing to do: what it was sent last is under way.
pub(crate) const GRACE: Duration = Duration::from_millis(1_000);

/// The places of one door.
pub(crate) struct Seats {
    most: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    next: u64,
    seats: HashMap<u64, Arc<Seat>>,
}

/// A place taken, until it is dropped.
pub(crate) struct Place {
    pub(crate) seat: Arc<Seat>,
    seats: Arc<Seats>,
    number: u64,
}

/// What is known of a connection.
pub(crate) struct Seat {
    state: Mutex<State>,
    leave: Notify,
}

struct State {
    /// Requests that are worked on or being answered.
    under_way: usize,
    waiting_since: Instant,
}

/// A request under way, until it is answered.
pub(crate) struct UnderWay(Arc<Seat>);

impl Seats {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
            freed: Notify::new(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, when there is one.
    pub(crate) async fn take(self: &Arc<Self>) -> Place {
        loop {
            if let Some(place) = self.try_take() {
                return place;
            }
            // Looks again as well when somebody has waited long enough to be asked to leave.
            let _ = tokio::time::timeout(GRACE / 4, self.freed.notified()).await;
        }
    }

    fn try_take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.seats.len() >= self.most {
            let waiting = taken.seats.values().filter(|seat| seat.is_waiting());
            if let Some(longest) = waiting.min_by_key(|seat| seat.state().waiting_since) {
                longest.leave.notify_one();
            }
            return None;
        }
        let number = taken.next;
        taken.next += 1;
        let seat = Arc::new(Seat {
            state: Mutex::new(State {
                under_way: 0,
                waiting_since: Instant::now(),
            }),
            leave: Notify::new(),
        });
        taken.seats.insert(number, Arc::clone(&seat));
        let seats = Arc::clone(self);
        Some(Place {
            seat,
            seats,
            number,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.seats.taken().seats.remove(&self.number);
        self.seats.freed.notify_one();
    }
}

impl Seat {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it has waited for a request for a while.
    pub(crate) fn is_waiting(&self) -> bool {
        let state = self.state();
        state.under_way == 0 && state.waiting_since.elapsed() >= GRACE
    }

    /// Comes back when the place is wanted.
    pub(crate) async fn asked_to_leave(&self) {
        self.leave.notified().await;
    }

    /// Begins to work on a request.
    pub(crate) fn work(self: &Arc<Self>) -> UnderWay {
        self.state().under_way += 1;
        UnderWay(Arc::clone(self))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        state.waiting_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_taken_to_the_number_and_given_back() {
        let seats = Seats::new(2);
        let (first, second) = (seats.try_take(), seats.try_take());
        assert!(first.is_some() && second.is_some());
        assert!(seats.try_take().is_none());
        drop(first);
        assert!(seats.try_take().is_some());
    }

    #[tokio::test]
    async fn who_waits_longest_is_asked_to_leave_and_nobody_who_works() {
        let seats = Seats::new(2);
        let (working, waiting) = (seats.take().await, seats.take().await);
        let under_way = working.seat.work();
        let leaves = tokio::spawn(async move { waiting.seat.asked_to_leave().await });
        let begun = Instant::now();
        let third = seats.take().await;
        assert!(begun.elapsed() >= GRACE && leaves.await.is_ok());
        assert!(!working.seat.is_waiting());
        drop((under_way, third));
    }
}
