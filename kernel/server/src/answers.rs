//! The memory of answers that are being sent. When there is none left, the answer whose reader has stood
//! still longest gives its own to whoever waits: its connection is broken off.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use kjerne_core::limits::Limit;
use tokio::time::timeout;

use crate::limits::ANSWER_STANDING;
use crate::memory::{Memory, Room};
use crate::problem::Problem;

/// The answers of one door.
#[derive(Clone)]
pub(crate) struct Answers {
    memory: Memory,
    sending: Arc<Mutex<Sending>>,
    standing: Duration,
}

#[derive(Default)]
struct Sending {
    next: u64,
    answers: HashMap<u64, Arc<Mutex<Part>>>,
}

/// What is left of an answer.
struct Part {
    rest: Bytes,
    /// What the answer takes up, until all of it is handed on or it is broken off.
    room: Option<Room>,
    is_broken: bool,
    /// When its reader last took some of it.
    moved: Instant,
}

/// How much of an answer is handed on at a time.
const PIECE: usize = 64 << 10;

impl Answers {
    pub(crate) fn new(most: Limit) -> Self {
        Self {
            memory: Memory::new(most),
            sending: Arc::default(),
            standing: Duration::from_millis(ANSWER_STANDING.value),
        }
    }

    /// Takes room for so many bytes; where there is none, from readers who stand still.
    ///
    /// # Errors
    /// When there is none for a while.
    pub(crate) async fn take(&self, bytes: usize) -> Result<Room, Problem> {
        let mut taken = pin!(self.memory.take(bytes));
        loop {
            match timeout(self.standing / 4, taken.as_mut()).await {
                Ok(taken) => return taken,
                Err(_) => self.break_one_off(),
            }
        }
    }

    fn sending(&self) -> MutexGuard<'_, Sending> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes its room from the answer that has stood still longest, if one has for a while.
    fn break_one_off(&self) {
        let sending = self.sending();
        let answers = sending.answers.values();
        let longest = answers
            .filter(|part| lock(part).room.is_some())
            .min_by_key(|part| lock(part).moved);
        if let Some(part) = longest {
            let mut part = lock(part);
            if part.moved.elapsed() >= self.standing {
                part.rest = Bytes::new();
                part.room = None;
                part.is_broken = true;
            }
        }
    }

    /// An answer as it is sent, with the room it takes up.
    pub(crate) fn send(&self, bytes: Bytes, room: Room) -> Body {
        let part = Arc::new(Mutex::new(Part {
            rest: bytes,
            room: Some(room),
            is_broken: false,
            moved: Instant::now(),
        }));
        let mut sending = self.sending();
        let number = sending.next;
        sending.next += 1;
        sending.answers.insert(number, Arc::clone(&part));
        drop(sending);
        let sending = Arc::clone(&self.sending);
        Body::new(Sent {
            part,
            sending,
            number,
        })
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body of an answer.
struct Sent {
    part: Arc<Mutex<Part>>,
    sending: Arc<Mutex<Sending>>,
    number: u64,
}

impl Drop for Sent {
    fn drop(&mut self) {
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        sending.answers.remove(&self.number);
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut part = lock(&self.part);
        if part.is_broken {
            let why = "the answer was broken off, since its reader stood still and others waited";
            return Poll::Ready(Some(Err(axum::Error::new(std::io::Error::other(why)))));
        }
        part.moved = Instant::now();
        let most = PIECE.min(part.rest.len());
        if most == 0 {
            return Poll::Ready(None);
        }
        let piece = Bytes::copy_from_slice(&part.rest.split_to(most));
        if part.rest.is_empty() {
            part.rest = Bytes::new();
            part.room = None;
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        let part = lock(&self.part);
        !part.is_broken && part.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(lock(&self.part).rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::future::poll_fn;

    fn answers() -> Answers {
        let most = Limit {
            name: "answers-at-once",
            value: 256 << 10,
            unit: "bytes",
            reason: "a test",
        };
        Answers {
            memory: Memory::hasty(most, Duration::from_millis(400)),
            standing: Duration::from_millis(100),
            ..Answers::new(most)
        }
    }

    async fn next(body: &mut Body) -> Option<Result<Frame<Bytes>, axum::Error>> {
        poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
    }

    #[tokio::test]
    async fn a_reader_who_stands_still_gives_way_and_one_who_reads_does_not() {
        let answers = answers();
        let bytes = Bytes::from(vec![b'x'; 128 << 10]);
        let room = answers.take(128 << 10).await.unwrap();
        let mut still = answers.send(bytes.clone(), room);
        let room = answers.take(128 << 10).await.unwrap();
        let mut reads = answers.send(bytes, room);
        assert!(next(&mut still).await.unwrap().is_ok());
        let reading = async {
            let mut pieces = 0;
            while let Some(piece) = next(&mut reads).await {
                piece.unwrap();
                pieces += 1;
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            pieces
        };
        let (taken, pieces) = tokio::join!(answers.take(200 << 10), reading);
        assert!(taken.is_ok());
        assert_eq!(pieces, 2);
        assert!(
            next(&mut still).await.unwrap().is_err(),
            "no part is taken for the whole"
        );
    }

    #[tokio::test]
    async fn nobody_gives_way_while_there_is_room() {
        let answers = answers();
        let room = answers.take(1 << 10).await.unwrap();
        let mut still = answers.send(Bytes::from(vec![b'x'; 1 << 10]), room);
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(answers.take(200 << 10).await.is_ok());
        assert!(next(&mut still).await.unwrap().is_ok());
        // All of it is handed on: it takes up nothing any more.
        assert!(answers.take(256 << 10).await.is_ok());
        assert!(next(&mut still).await.is_none());
        // Room that no answer holds, of work that is not done yet, is nobody's to take.
        let _held = answers.take(250 << 10).await.unwrap();
        let problem = answers
            .take(100 << 10)
            .await
            .unwrap_err()
            .json()
            .to_string();
        assert!(problem.contains("answers-at-once"), "{problem}");
    }
}
