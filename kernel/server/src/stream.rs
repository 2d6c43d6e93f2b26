//! An answer that is sent while it is being written.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Pieces under way between the writer and the network; more would only fill the memory.
const PIECES: usize = 4;

/// Writes to whoever asked. Waits when they read slowly, and fails when they have gone.
#[derive(Clone)]
pub(crate) struct StreamWriter(Sender<io::Result<Bytes>>);

/// What is written, as the body of an answer.
pub(crate) struct StreamBody(Receiver<io::Result<Bytes>>);

/// A writer and the body that what it writes becomes.
pub(crate) fn pair() -> (StreamWriter, StreamBody) {
    let (sender, receiver) = channel(PIECES);
    (StreamWriter(sender), StreamBody(receiver))
}

impl StreamWriter {
    /// Breaks the answer off.
    pub(crate) fn fail(&self, error: io::Error) {
        // Somebody who has gone need not be told.
        let _ = self.0.blocking_send(Err(error));
    }
}

#[cfg(test)]
impl StreamWriter {
    /// Sends a piece where waiting is no matter of a thread.
    pub(crate) async fn send(&self, piece: Bytes) -> io::Result<()> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.send(Ok(piece)).await.map_err(gone)
    }
}

impl Write for StreamWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
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
        let next = self.0.poll_recv(context);
        next.map(|piece| piece.map(|bytes| bytes.map(Frame::data)))
    }
}
