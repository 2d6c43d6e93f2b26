//! A body as it comes, piece by piece: who sends nothing for a while is not waited for.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::StatusCode;
use kjerne_core::limits::Limit;
use tokio::time::{Instant, timeout_at};

use crate::limits::{BODY_IDLE, BODY_TIME};
use crate::problem::Problem;

/// The pieces of a body.
pub(crate) struct Pieces {
    body: Body,
    idle: Limit,
    /// When the last one has to be there, and by which limit.
    end: Option<(Instant, Limit)>,
}

impl Pieces {
    /// Of a body that is put aside as it comes, and may take as long as it moves on.
    pub(crate) fn long(body: Body) -> Self {
        Self {
            body,
            idle: BODY_IDLE,
            end: None,
        }
    }

    /// Of a body that takes up memory until it is there, and so has a time for all of it.
    pub(crate) fn short(body: Body) -> Self {
        Self::within(body, BODY_IDLE, BODY_TIME)
    }

    fn within(body: Body, idle: Limit, time: Limit) -> Self {
        let end = Some((after(&time), time));
        Self { body, idle, end }
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// When it does not come in time, or the body breaks off.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let idle = after(&self.idle);
            let (until, most) = match self.end {
                Some((end, most)) if end < idle => (end, most),
                _ => (idle, self.idle),
            };
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
            let frame = timeout_at(until, frame).await;
            let Some(frame) = frame.map_err(|_| too_slow(&most))? else {
                return Ok(None);
            };
            let broken = |error| Problem::bad_request(format!("the body broke off: {error}"));
            if let Ok(piece) = frame.map_err(broken)?.into_data() {
                return Ok(Some(piece));
            }
        }
    }
}

fn after(time: &Limit) -> Instant {
    Instant::now() + Duration::from_millis(time.value)
}

fn too_slow(most: &Limit) -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "too-slow",
        "The body came too slowly",
        format!(
            "the body did not come within {} ms (limit {})",
            most.value, most.name
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::stream;

    const IDLE: Limit = Limit {
        value: 100,
        ..BODY_IDLE
    };
    const TIME: Limit = Limit {
        value: 300,
        ..BODY_TIME
    };

    /// Reads a body of which a byte comes every so many milliseconds, and says how it ended.
    async fn drip(pause: u64, body: fn(Body) -> Pieces) -> String {
        let (writer, coming) = stream::pair(false);
        let sending = tokio::spawn(async move {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                if writer.send(Bytes::from_static(b" ")).await.is_err() {
                    return;
                }
            }
        });
        let mut pieces = body(Body::new(coming));
        let ended = loop {
            match pieces.next().await {
                Ok(Some(_)) => {}
                Ok(None) => break "whole".to_owned(),
                Err(problem) => break problem.json().to_string(),
            }
        };
        sending.abort();
        ended
    }

    fn short(body: Body) -> Pieces {
        Pieces::within(body, IDLE, TIME)
    }

    fn long(body: Body) -> Pieces {
        let idle = IDLE;
        Pieces {
            idle,
            ..Pieces::long(body)
        }
    }

    #[tokio::test]
    async fn a_body_that_stands_still_is_not_waited_for() {
        for body in [short, long] {
            let ended = drip(2 * IDLE.value, body).await;
            assert!(
                ended.contains("408") && ended.contains("body-idle"),
                "{ended}"
            );
        }
    }

    #[tokio::test]
    async fn a_body_byte_by_byte_has_a_time_unless_it_is_put_aside() {
        let ended = drip(IDLE.value / 4, short).await;
        assert!(
            ended.contains("408") && ended.contains("body-time"),
            "{ended}"
        );
        assert_eq!(drip(IDLE.value / 4, long).await, "whole");
        assert_eq!(drip(1, short).await, "whole");
    }
}
