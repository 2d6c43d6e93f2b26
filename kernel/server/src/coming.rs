//! The body of a request as it comes in, with note of how long its sender was waited for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use http_body::{Frame, SizeHint};

use crate::seats::Seat;

/// A body that tells its connection's seat of what is waited for and what comes. Time in which nobody
/// asks for a piece is no time of the sender's.
pub(crate) struct Coming<B> {
    body: B,
    seat: Arc<Seat>,
}

impl<B> Coming<B> {
    pub(crate) fn new(body: B, seat: Arc<Seat>) -> Self {
        Self { body, seat }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Coming<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Pending => self.seat.listens(),
            Poll::Ready(Some(Ok(frame))) => {
                let piece = frame.data_ref();
                self.seat.heard(piece.map_or(0, Bytes::len));
            }
            Poll::Ready(_) => self.seat.heard_all(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Coming<B> {
    fn drop(&mut self) {
        self.seat.heard_all();
    }
}
