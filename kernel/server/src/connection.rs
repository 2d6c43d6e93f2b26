//! Connections: each has a place, a time in which to say what it wants, and an end.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::serve::Listener;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use kjerne_core::limits::Limit;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service as _;

use crate::limits::{
    CONNECTIONS, HEAD_BYTES, HEAD_TIME, OWNER_CONNECTIONS, OWNER_HEAD_TIME, SHUTDOWN_TIME,
};
use crate::seats::{GRACE, Place, Seat, Seats};
use crate::timed::Timed;

/// What a listener allows its connections.
#[derive(Clone, Copy)]
pub(crate) struct Allows {
    connections: Limit,
    head_time: Limit,
}

impl Allows {
    /// To everybody.
    pub(crate) const NETWORK: Self = Self {
        connections: CONNECTIONS,
        head_time: HEAD_TIME,
    };
    /// To the owner's commands.
    pub(crate) const OWNER: Self = Self {
        connections: OWNER_CONNECTIONS,
        head_time: OWNER_HEAD_TIME,
    };
}

/// Serves what a listener lets in until told to stop, and then requests under way for a while.
pub(crate) async fn run<L: Listener>(
    mut listener: L,
    router: Router,
    allows: Allows,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let seats = Seats::new(allows.connections.count());
    let mut connections = JoinSet::new();
    let told = stopping.clone();
    let accept = async {
        loop {
            let (io, _) = listener.accept().await;
            let place = seats.take().await;
            let hold = hold(io, router.clone(), allows, place, told.clone());
            connections.spawn(hold);
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = accept => {}
        () = asked(&mut stopping) => {}
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    // Whoever has not ended by then is cut off with the set.
    let _ = tokio::time::timeout(Duration::from_millis(SHUTDOWN_TIME.value), ended).await;
    Ok(())
}

/// Comes back when the server is asked to stop; a sender that is gone says the same.
async fn asked(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// One connection, to its end.
async fn hold<IO: AsyncRead + AsyncWrite + Unpin>(
    io: IO,
    router: Router,
    allows: Allows,
    place: Place,
    mut stopping: watch::Receiver<bool>,
) {
    let seat = Arc::clone(&place.seat);
    let service = service_fn(|request: Request<Incoming>| answer(&seat, &router, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(allows.head_time.value))
        .max_buf_size(HEAD_BYTES.count())
        .serve_connection(TokioIo::new(Timed::new(io)), service);
    let mut connection = pin!(connection);
    let mut last = false;
    loop {
        tokio::select! {
            // How it ended concerns nobody but the other end.
            _ = connection.as_mut() => return,
            () = seat.asked_to_leave() => {}
            () = asked(&mut stopping), if !last => {
                last = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(GRACE), if last => {}
        }
        if seat.is_waiting() {
            return;
        }
    }
}

fn answer(
    seat: &Arc<Seat>,
    router: &Router,
    request: Request<Incoming>,
) -> impl Future<Output = Result<axum::http::Response<Kept>, std::convert::Infallible>> + use<> {
    let under_way = seat.work();
    let answered = router.clone().call(request.map(Body::new));
    async move {
        let response = answered.await?;
        Ok(response.map(|body| Kept::new(body, under_way)))
    }
}

/// A body that keeps something until it has been sent.
pub(crate) struct Kept {
    body: Body,
    _kept: Box<dyn Send + Sync>,
}

impl Kept {
    pub(crate) fn new(body: Body, kept: impl Send + Sync + 'static) -> Self {
        let _kept = Box::new(kept);
        Self { body, _kept }
    }
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
