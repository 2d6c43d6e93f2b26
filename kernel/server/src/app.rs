//! What every handler has at hand, and the forms of what it answers.

use std::io;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kjerne_model::Actor;
use kjerne_workspace::runtime::now;
use kjerne_workspace::{Administration, Runtime};
use serde_json::Value as Json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{REQUESTS, STREAMS};
use crate::problem::Problem;
use crate::stream::{self, StreamWriter};

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) runtime: Arc<Runtime>,
    turns: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    /// The way in that this app stands behind.
    pub(crate) door: Door,
}

/// A way in to the workspace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Door {
    /// The workspace's own socket, or no socket at all: who comes in here owns the workspace.
    Owner,
    /// The network: who comes in here has a token, or is on this machine while there are none.
    Network {
        /// Whether the server listens on loopback only.
        loopback: bool,
    },
}

/// Who asks, as the gate found out.
pub(crate) type Who = Extension<Actor>;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Problem>;

impl App {
    pub(crate) fn new(runtime: Arc<Runtime>, door: Door) -> Self {
        Self {
            runtime,
            turns: Arc::new(Semaphore::new(REQUESTS.count())),
            streams: Arc::new(Semaphore::new(STREAMS.count())),
            door,
        }
    }

    async fn turn(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = Arc::clone(of).acquire_owned().await;
        turn.map_err(|_| Problem::internal("the server is stopping"))
    }

    /// Runs work on a thread where it may block, when it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Runtime) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Self::turn(&self.turns).await?;
        let runtime = Arc::clone(&self.runtime);
        let work = move || {
            let done = work(&runtime);
            drop(turn);
            done
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Problem::internal(format!("the request's thread broke: {error}")))?
    }

    /// Has an administrator act, and answers with what the act says.
    pub(crate) async fn act(
        &self,
        actor: Actor,
        act: impl FnOnce(&Administration<'_>) -> Result<Json, Problem> + Send + 'static,
    ) -> Answer {
        self.run(move |runtime| Ok(ok(&act(&Administration::new(runtime, actor, now()))?)))
            .await
    }

    /// Answers with what work writes, as it is written. Work that fails breaks the answer off, so
    /// that nobody takes a part for the whole.
    pub(crate) async fn stream(
        &self,
        content_type: &'static str,
        work: impl FnOnce(&Runtime, StreamWriter) -> io::Result<()> + Send + 'static,
    ) -> Answer {
        let turn = Self::turn(&self.streams).await?;
        let runtime = Arc::clone(&self.runtime);
        let (writer, body) = stream::pair();
        tokio::task::spawn_blocking(move || {
            let end = writer.clone();
            if let Err(error) = work(&runtime, writer) {
                end.fail(error);
            }
            drop(turn);
        });
        let form = [(header::CONTENT_TYPE, content_type)];
        Ok((form, Body::new(body)).into_response())
    }
}

/// JSON with a status.
pub(crate) fn json(status: StatusCode, body: &Json) -> Response {
    let form = [(header::CONTENT_TYPE, "application/json")];
    (status, form, body.to_string()).into_response()
}

/// JSON, and all is well.
pub(crate) fn ok(body: &Json) -> Response {
    json(StatusCode::OK, body)
}
