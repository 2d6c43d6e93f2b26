//! Memory that requests take, counted by the byte before it is taken: what has no room waits a little,
//! and is then told to come again.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use kjerne_core::limits::Limit;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::limits::ROOM_WAIT;
use crate::problem::Problem;

/// What is counted at a time, in bytes.
const UNIT: usize = 1_024;

/// Room for so many bytes at one time.
#[derive(Clone)]
pub(crate) struct Memory {
    free: Arc<Semaphore>,
    most: Limit,
    patience: Duration,
}

/// Room taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct Room(OwnedSemaphorePermit);

/// Something and the room it takes.
#[derive(Debug)]
pub(crate) struct Held<T> {
    pub(crate) value: T,
    /// Dropped with the value, which gives it back.
    pub(crate) room: Room,
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Memory {
    /// Room for as many bytes as the limit says.
    pub(crate) fn new(most: Limit) -> Self {
        Self {
            free: Arc::new(Semaphore::new(units(most.count()))),
            most,
            patience: Duration::from_millis(ROOM_WAIT.value),
        }
    }

    /// The same for a test that does not wait long.
    #[cfg(test)]
    pub(crate) fn hasty(most: Limit, patience: Duration) -> Self {
        Self {
            patience,
            ..Self::new(most)
        }
    }

    /// Takes room for so many bytes more, and does not wait: who has room and waits for more keeps others
    /// from ever giving theirs back.
    ///
    /// # Errors
    /// When there is none now.
    pub(crate) fn take_now(&self, bytes: usize) -> Result<Room, Problem> {
        let wanted = u32::try_from(units(bytes)).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.free).try_acquire_many_owned(wanted);
        taken.map(Room).map_err(|_| self.full())
    }

    fn full(&self) -> Problem {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Too much is asked at the same time",
            format!(
                "the requests under way take up all of {} bytes (limit {}); try again",
                self.most.value, self.most.name
            ),
        )
    }

    /// Takes room for so many bytes, of which no request may need more than there are in all. Waits for
    /// it no longer than a limit, so that requests which wait for each other come to an end.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn take(&self, bytes: usize) -> Result<Room, Problem> {
        let wanted = u32::try_from(units(bytes)).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.free).acquire_many_owned(wanted);
        match timeout(self.patience, taken).await {
            Ok(Ok(room)) => Ok(Room(room)),
            Ok(Err(_)) | Err(_) => Err(self.full()),
        }
    }
}

impl Room {
    /// Adds another room of the same memory to this one.
    pub(crate) fn join(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    /// Gives back what is more than so many bytes need.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let more = self.0.num_permits().saturating_sub(units(bytes));
        drop(self.0.split(more));
    }

    /// How many bytes it has at least.
    pub(crate) fn bytes(&self) -> usize {
        self.0.num_permits() * UNIT
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MOST: Limit = Limit {
        name: "bodies-at-once",
        value: 64 << 10,
        unit: "bytes",
        reason: "a test",
    };

    fn hasty() -> Memory {
        Memory::hasty(MOST, Duration::from_millis(50))
    }

    #[tokio::test]
    async fn room_is_given_to_the_number_and_given_back() {
        let memory = hasty();
        let mut first = memory.take(1).await.unwrap();
        assert_eq!(first.bytes(), UNIT);
        let rest = memory.take(63 << 10).await.unwrap();
        let problem = memory.take(1).await.unwrap_err().json().to_string();
        assert!(problem.contains("65536") && problem.contains("bodies-at-once"));
        assert!(problem.contains("503"), "{problem}");
        first.join(rest);
        first.shrink(3 * UNIT - 1);
        assert_eq!(first.bytes(), 3 * UNIT);
        first.shrink(5 * UNIT);
        assert_eq!(first.bytes(), 3 * UNIT);
        assert!(memory.take(61 << 10).await.is_ok());
        // Who has room already is not kept waiting for more.
        assert!(memory.take_now(61 << 10).is_ok());
        let problem = memory.take_now(62 << 10).unwrap_err().json().to_string();
        assert!(problem.contains("503") && problem.contains("bodies-at-once"));
        drop(first);
        assert!(memory.take(64 << 10).await.is_ok());
    }

    #[tokio::test]
    async fn who_waits_gets_the_room_that_becomes_free() {
        let memory = hasty();
        let all = memory.take(64 << 10).await.unwrap();
        let again = memory.clone();
        let waiting = tokio::spawn(async move { again.take(64 << 10).await.is_ok() });
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(all);
        assert!(waiting.await.unwrap());
    }
}
