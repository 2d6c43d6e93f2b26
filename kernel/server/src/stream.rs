//! An answer that is sent while it is being written.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;
use kjerne_workspace::Error;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::limits::STREAM_STALL;
use crate::problem::Problem;

/// Behind an answer that is not whole: why, as a problem document, percent-encoded. It is sent to those who
/// say that they read it; for all others the answer breaks off.
pub const PROBLEM: HeaderName = HeaderName::from_static("kjerne-problem");

/// Pieces under way between the writer and the network; more would only fill the memory.
const PIECES: usize = 4;

/// Writes to whoever asked, from a thread where it may block. Waits for a while when they read slowly,
/// and fails when they have gone: what is being read would be kept for them for ever.
#[derive(Clone)]
pub(crate) struct StreamWriter {
    pieces: Sender<Bytes>,
    broken: Broken,
    patience: Duration,
}

/// Why the answer is not whole, beside the pieces: it is told also when nobody reads those.
type Broken = Arc<Mutex<Option<io::Error>>>;

/// What is written, as the body of an answer.
pub(crate) struct StreamBody {
    pieces: Receiver<Bytes>,
    broken: Broken,
    tells: bool,
}

/// A writer and the body that what it writes becomes.
pub(crate) fn pair(tells: bool) -> (StreamWriter, StreamBody) {
    pair_with(Duration::from_millis(STREAM_STALL.value), tells)
}

fn pair_with(patience: Duration, tells: bool) -> (StreamWriter, StreamBody) {
    let (sender, receiver) = channel(PIECES);
    let broken = Broken::default();
    let writer = StreamWriter {
        pieces: sender,
        broken: Arc::clone(&broken),
        patience,
    };
    let body = StreamBody {
        pieces: receiver,
        broken,
        tells,
    };
    (writer, body)
}

impl StreamWriter {
    /// Breaks the answer off.
    pub(crate) fn fail(&self, error: io::Error) {
        *locked(&self.broken) = Some(error);
    }
}

#[cfg(test)]
impl StreamWriter {
    /// Sends a piece where waiting is no matter of a thread.
    pub(crate) async fn send(&self, piece: Bytes) -> io::Result<()> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.pieces.send(piece).await.map_err(gone)
    }
}

impl Write for StreamWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        let sent = Handle::current().block_on(timeout(self.patience, self.pieces.send(piece)));
        match sent {
            Ok(Ok(())) => Ok(bytes.len()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl HttpBody for StreamBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(bytes) => Some(Ok(Frame::data(bytes))),
            // The writer is gone: at the end of what it had to say, or before.
            None => locked(&self.broken).take().map(|error| {
                if self.tells {
                    Ok(Frame::trailers(behind(error)))
                } else {
                    Err(error)
                }
            }),
        })
    }
}

/// What is said behind an answer that is not whole.
fn behind(error: io::Error) -> HeaderMap {
    let problem = match error.downcast::<Error>() {
        Ok(error) => Problem::from(error),
        Err(error) => Problem::internal(error.to_string()),
    };
    let text = problem.json().to_string();
    let text = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
    let value = HeaderValue::try_from(text).ok();
    value.map(|value| (PROBLEM, value)).into_iter().collect()
}

fn locked(broken: &Broken) -> MutexGuard<'_, Option<io::Error>> {
    broken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(patience: Duration, reader: impl FnOnce(StreamBody)) -> Vec<io::ErrorKind> {
        let mut engine = tokio::runtime::Builder::new_current_thread();
        let engine = engine.enable_all().build().unwrap();
        let (mut writer, body) = pair_with(patience, false);
        reader(body);
        let work = engine.spawn_blocking(move || {
            let wrote = (0..PIECES + 2).map(|_| writer.write(b"piece"));
            wrote
                .filter_map(|wrote| wrote.err().map(|error| error.kind()))
                .collect()
        });
        engine.block_on(work).unwrap()
    }

    #[test]
    fn a_reader_that_stands_still_is_waited_for_and_one_that_has_gone_is_not() {
        let keep = std::cell::RefCell::new(None);
        let short = Duration::from_millis(20);
        let stalled = written(short, |body| *keep.borrow_mut() = Some(body));
        assert_eq!(stalled, [io::ErrorKind::TimedOut; 2]);
        let gone = written(Duration::from_secs(60), drop);
        assert_eq!(gone, [io::ErrorKind::BrokenPipe; PIECES + 2]);
    }

    #[test]
    fn an_answer_that_broke_off_ends_with_an_error_however_full_its_way_is() {
        let engine = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for breaks in [false, true] {
            let (writer, mut body) = pair(false);
            let pieces = (0..PIECES).map(|_| writer.pieces.try_send(Bytes::from_static(b"x")));
            assert!(pieces.into_iter().all(|sent| sent.is_ok()));
            if breaks {
                writer.fail(io::ErrorKind::TimedOut.into());
            }
            drop(writer);
            let mut next = || {
                let frame = std::future::poll_fn(|c| Pin::new(&mut body).poll_frame(c));
                engine.block_on(frame).map(|frame| frame.is_ok())
            };
            for _ in 0..PIECES {
                assert_eq!(next(), Some(true));
            }
            assert_eq!(next(), breaks.then_some(false));
        }
    }
}
