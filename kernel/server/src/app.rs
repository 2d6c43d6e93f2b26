//! What every handler has at hand, and the forms of what it answers.

use std::sync::Arc;

use axum::Extension;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kjerne_model::Actor;
use kjerne_workspace::Runtime;
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use crate::limits::REQUESTS;
use crate::problem::Problem;

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) runtime: Arc<Runtime>,
    turns: Arc<Semaphore>,
    /// Whether the server listens on loopback only.
    pub(crate) loopback: bool,
}

/// Who asks, as the gate found out.
pub(crate) type Who = Extension<Actor>;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Problem>;

impl App {
    pub(crate) fn new(runtime: Arc<Runtime>, loopback: bool) -> Self {
        Self {
            runtime,
            turns: Arc::new(Semaphore::new(REQUESTS.value as usize)),
            loopback,
        }
    }

    /// Runs work on a thread where it may block, when it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Runtime) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| Problem::internal("the server is stopping"))?;
        let runtime = Arc::clone(&self.runtime);
        let work = move || {
            let done = work(&runtime);
            drop(turn);
            done
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Problem::internal(format!("the request's thread broke: {error}")))?
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
