//! Places for connections: so many at one time. When all are taken, the one that has waited longest for
//! a request gives its place to who has one; where none waits, one whose body comes too slowly does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kjerne_core::limits::Limit;
use tokio::sync::Notify;

use crate::limits::BODY_RATE;

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
    body: Body,
}

/// How the body of the request under way has come of late.
#[derive(Clone, Copy, Default)]
struct Body {
    /// Since when the next piece is waited for.
    since: Option<Instant>,
    /// How long earlier pieces were waited for.
    waited: Duration,
    /// What came in that time.
    bytes: u64,
}

/// A body is looked at in steps of so many bytes: a long one that came fast and then stands still is as
/// slow as one that never came.
const STEP: u64 = 64 << 10;

impl Body {
    fn waited(&self) -> Duration {
        self.waited + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether it is waited for, and has been for a while, and less came than the rate asks for.
    fn is_slow(&self, rate: Limit) -> bool {
        let waited = self.waited();
        let asked = u128::from(rate.value) * waited.as_millis() / 1_000;
        self.since.is_some() && waited >= GRACE && u128::from(self.bytes) < asked
    }
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
            let seats = || taken.seats.values();
            let waiting = seats().filter(|seat| seat.is_waiting());
            let longest = waiting.min_by_key(|seat| seat.state().waiting_since);
            let slow = || seats().filter(|seat| seat.is_slow());
            let slowest = || slow().max_by_key(|seat| seat.state().body.waited());
            if let Some(seat) = longest.or_else(slowest) {
                seat.leave.notify_one();
            }
            return None;
        }
        let number = taken.next;
        taken.next += 1;
        let seat = Arc::new(Seat {
            state: Mutex::new(State {
                under_way: 0,
                waiting_since: Instant::now(),
                body: Body::default(),
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

    fn is_slow(&self) -> bool {
        self.state().body.is_slow(BODY_RATE)
    }

    /// Whether it has nothing to lose but what it waits for, or keeps it waiting too long.
    pub(crate) fn gives_way(&self) -> bool {
        self.is_waiting() || self.is_slow()
    }

    /// The next piece of the body is not there yet.
    pub(crate) fn listens(&self) {
        self.state().body.since.get_or_insert_with(Instant::now);
    }

    /// A piece of the body is there.
    pub(crate) fn heard(&self, bytes: usize) {
        let mut state = self.state();
        let body = &mut state.body;
        body.waited = body.waited();
        body.since = None;
        body.bytes += bytes as u64;
        if body.bytes >= STEP {
            *body = Body::default();
        }
    }

    /// All of the body is there, or nobody wants it any more.
    pub(crate) fn heard_all(&self) {
        self.state().body = Body::default();
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

    #[tokio::test]
    async fn whose_body_comes_too_slowly_leaves_when_nobody_waits() {
        let seats = Seats::new(2);
        let (slow, steady) = (seats.take().await, seats.take().await);
        let (_slow, _steady) = (slow.seat.work(), steady.seat.work());
        slow.seat.listens();
        let leaves = Arc::clone(&slow.seat);
        let leaves = tokio::spawn(async move {
            leaves.asked_to_leave().await;
            drop(slow);
        });
        let rate = BODY_RATE.count();
        let begun = Instant::now();
        let moves = Arc::clone(&steady.seat);
        let moves = tokio::spawn(async move {
            loop {
                moves.listens();
                tokio::time::sleep(GRACE / 10).await;
                moves.heard(rate / 5);
            }
        });
        let third = seats.take().await;
        assert!(begun.elapsed() >= GRACE && leaves.await.is_ok());
        assert!(!steady.seat.gives_way());
        moves.abort();
        drop(third);
    }

    #[test]
    fn a_body_is_slow_below_the_rate_and_while_it_is_waited_for() {
        let (second, rate) = (Duration::from_secs(1), BODY_RATE.value);
        let body = |waited, bytes| Body {
            since: Some(Instant::now()),
            waited,
            bytes,
        };
        for (body, slow) in [
            (body(GRACE / 2, 0), false),
            (body(GRACE, 0), true),
            (body(10 * second, 9 * rate), true),
            (body(10 * second, 11 * rate), false),
            (
                Body {
                    since: None,
                    ..body(10 * second, 0)
                },
                false,
            ),
        ] {
            assert_eq!(
                body.is_slow(BODY_RATE),
                slow,
                "{:?} {}",
                body.waited,
                body.bytes
            );
        }
    }
}
