//! Connections: each has a place, a time in which to say what it wants, and an end.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
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

use crate::coming::Coming;
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
        .max_header_size(HEAD_BYTES.count())
        .max_buf_size(HEAD_BYTES.count())
        .serve_connection(TokioIo::new(Timed::new(io)), service);
    let mut connection = pin!(connection);
    let mut last = false;
    loop {
        tokio::select! {
            // How it ended concerns nobody but the other end.
            _ = connection.as_mut() => return,
            () = seat.asked_to_leave() => {
                if seat.gives_way() {
                    return;
                }
            }
            () = asked(&mut stopping), if !last => {
                last = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(GRACE), if last => {}
        }
        if last && seat.is_waiting() {
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
    let answered = router
        .clone()
        .call(request.map(|body| Body::new(Coming::new(body, Arc::clone(seat)))));
    async move {
        let response = answered.await?;
        Ok(response.map(|body| Kept::new(body, under_way)))
    }
}

/// A body that keeps something until all but its last pieces have been sent. It is handed on in pieces,
/// each a copy: a whole answer handed on at once would be gone from here, and still in memory, for as long
/// as its reader takes.
pub(crate) struct Kept {
    body: Body,
    rest: Bytes,
    _kept: Box<dyn Send + Sync>,
}

/// How much of an answer is handed on at a time.
const PIECE: usize = 64 << 10;

impl Kept {
    pub(crate) fn new(body: Body, kept: impl Send + Sync + 'static) -> Self {
        let _kept = Box::new(kept);
        let rest = Bytes::new();
        Self { body, rest, _kept }
    }
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) if frame.data_ref().is_some_and(|data| data.len() > PIECE) => {
                    self.rest = frame.into_data().unwrap_or_default();
                }
                other => return Poll::Ready(other),
            }
        }
        let most = PIECE.min(self.rest.len());
        let piece = Bytes::copy_from_slice(&self.rest.split_to(most));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    use axum::routing::{get, post};
    use tokio::net::TcpListener;
    use tokio::task::{JoinHandle, spawn_blocking};

    const HEAD: u64 = 400;

    /// A server with two places and little patience.
    async fn serve(router: Router) -> (SocketAddr, watch::Sender<bool>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let limit = |value| Limit {
            value,
            ..CONNECTIONS
        };
        let allows = Allows {
            connections: limit(2),
            head_time: limit(HEAD),
        };
        let served = async move { run(listener, router, allows, stopping).await.unwrap() };
        (address, stop, tokio::spawn(served))
    }

    fn greeting() -> Router {
        Router::new().route("/", get(|| async { "well" }))
    }

    /// Sends something, and says what came back until the connection was closed and after how long.
    fn sent(address: SocketAddr, text: &str) -> (String, Duration) {
        let (mut stream, begun) = (TcpStream::connect(address).unwrap(), Instant::now());
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        (answer, begun.elapsed())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_head_that_does_not_come_and_a_connection_without_requests_are_ended() {
        let (address, _stop, _) = serve(greeting()).await;
        for (text, answered) in [
            ("", false),
            ("GET / HT", false),
            ("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", true),
        ] {
            let (answer, after) = spawn_blocking(move || sent(address, text)).await.unwrap();
            assert_eq!(
                answer.starts_with("HTTP/1.1 200"),
                answered,
                "{text}: {answer}"
            );
            let head = Duration::from_millis(HEAD);
            assert!((head / 2..10 * head).contains(&after), "{text}: {after:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_is_asked_to_stop_ends_idle_connections_and_waits_for_answers() {
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            "late"
        };
        let (address, stop, served) = serve(greeting().route("/slow", get(slow))).await;
        let asked = "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let asked = spawn_blocking(move || sent(address, asked));
        let _idle = TcpStream::connect(address).unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.send(true).unwrap();
        let begun = Instant::now();
        served.await.unwrap();
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
        let (answer, _) = asked.await.unwrap();
        assert!(answer.ends_with("late"), "{answer}");
        assert!(TcpStream::connect(address).is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn bodies_that_trickle_make_room_and_those_that_come_do_not() {
        let whole = |body: Bytes| async move { body.len().to_string() };
        let (address, _stop, _) = serve(greeting().route("/", post(whole))).await;
        let post = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n";
        // Sends a piece of the body every so often, and says how it was answered.
        let send = move |piece: usize| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(post.as_bytes()).unwrap();
            let mut left = 100_000;
            while left > 0 {
                let piece = piece.min(left);
                if stream.write_all(&vec![b'x'; piece]).is_err() {
                    return String::new();
                }
                left -= piece;
                std::thread::sleep(Duration::from_millis(100));
            }
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            answer
        };
        let trickles = spawn_blocking(move || send(1));
        let comes = spawn_blocking(move || send(4_000));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let asked = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let (answer, after) = spawn_blocking(move || sent(address, asked)).await.unwrap();
        assert!(answer.ends_with("well"), "{answer}");
        assert!(after < Duration::from_secs(3), "{after:?}");
        assert_eq!(trickles.await.unwrap(), "");
        let answer = comes.await.unwrap();
        assert!(answer.ends_with("100000"), "{answer}");
    }

    #[tokio::test]
    async fn a_long_answer_is_kept_until_it_is_handed_on_piece_by_piece() {
        let text: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
        let kept = Arc::new(());
        let mut body = Box::pin(Kept::new(Body::from(text.clone()), Arc::clone(&kept)));
        let mut read = Vec::new();
        while !body.is_end_stream() {
            let left = (text.len() - read.len()) as u64;
            assert_eq!(body.size_hint().exact(), Some(left));
            let frame = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await;
            let piece = frame.unwrap().unwrap().into_data().unwrap();
            assert!(piece.len() <= PIECE && Arc::strong_count(&kept) == 2);
            read.extend_from_slice(&piece);
        }
        assert_eq!(read, text);
        drop(body);
        assert_eq!(Arc::strong_count(&kept), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_done_for_a_client_is_given_up_when_it_goes() {
        struct Told(Arc<AtomicBool>);
        impl Drop for Told {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let given_up = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&given_up);
        let handler = move || {
            let told = Told(Arc::clone(&told));
            async move {
                std::future::pending::<()>().await;
                drop(told);
            }
        };
        let (address, _stop, _) = serve(Router::new().route("/", get(handler))).await;
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!given_up.load(Ordering::SeqCst));
        drop(stream);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(given_up.load(Ordering::SeqCst));
    }
}
