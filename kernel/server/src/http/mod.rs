//! The HTTP interface, under `/v1`. A handler reads the request into the model, makes one call, and
//! writes the answer; calls of the kernel run on threads of their own.

mod gate;
mod models;
mod plugins;
mod problem;
mod records;
mod request;
mod root;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use kjerne_model::Actor;
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::exit::usage;
use crate::limits::{REQUESTS, SHUTDOWN_TIME};
use crate::runtime::Runtime;
use crate::workers::Workers;
use problem::Problem;

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct App {
    runtime: Arc<Runtime>,
    turns: Arc<Semaphore>,
    /// Whether the server listens on loopback only.
    loopback: bool,
}

/// Who asks, as the gate found out.
pub(crate) type Who = Extension<Actor>;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Problem>;

impl App {
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

/// The routes over an open workspace.
pub fn router(runtime: Arc<Runtime>, loopback: bool) -> Router {
    let turns = Arc::new(Semaphore::new(REQUESTS.value as usize));
    let app = App {
        runtime,
        turns,
        loopback,
    };
    Router::new()
        .route("/", get(root::about))
        .route("/v1/health", get(root::health))
        .route("/v1/limits", get(root::limits))
        .route("/v1/kinds", get(root::kinds))
        .route("/v1/kinds/{kind}", get(root::kind))
        .route(
            "/v1/records/{kind}",
            get(records::list).post(records::create),
        )
        .route(
            "/v1/records/{kind}/{id}",
            get(records::show)
                .patch(records::update)
                .delete(records::remove),
        )
        .route("/v1/records/{kind}/{id}/history", get(records::history))
        .route("/v1/records/{kind}/{id}/{question}", get(models::ask))
        .route("/v1/commits", post(records::commit))
        .route("/v1/journal", get(records::journal))
        .route("/v1/models/sales-stages/pipelines", get(models::pipelines))
        .route("/v1/models/buying-process/jobs", get(models::jobs))
        .route("/v1/stale", get(models::stale))
        .route("/v1/plugins", get(plugins::list))
        .route("/v1/plugins/{plugin}", get(plugins::show))
        .route("/v1/integrations/{plugin}/{source}", post(plugins::inbound))
        .route("/v1/actions/{plugin}/{command}", post(plugins::action))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), gate::pass))
        .with_state(app)
}

async fn unknown(uri: Uri) -> Problem {
    Problem::not_found(format!(
        "there is nothing at {}; GET / says what there is",
        uri.path()
    ))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "The method does not fit",
        format!(
            "{method} does nothing at {}; the Allow header says what does",
            uri.path()
        ),
    )
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

/// Serves an open workspace until the process is asked to stop, then lets requests under way and
/// workers finish.
///
/// # Errors
/// When the address cannot be had, or may not be without a token.
pub fn serve(runtime: Runtime, listen: Option<&str>) -> Result<()> {
    let listen = listen
        .unwrap_or(&runtime.workspace.settings().serve.listen)
        .to_owned();
    let address = check_listen(&listen, !runtime.secrets.tokens.is_empty())?;
    let runtime = Arc::new(runtime);
    let engine = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    engine.block_on(async {
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        let workers = Workers::start(&runtime)?;
        let name = &runtime.workspace.settings().name;
        eprintln!("{name}: http://{address}/ (stop with ctrl-c)");
        let served = run(
            listener,
            router(Arc::clone(&runtime), address.ip().is_loopback()),
        )
        .await;
        tokio::task::spawn_blocking(move || workers.stop()).await?;
        served
    })
}

async fn run(listener: TcpListener, router: Router) -> Result<()> {
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        asked_to_stop().await;
        // Nobody may be listening any more, which is the end all the same.
        let _ = stop.send(true);
    });
    let patience = async {
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(Duration::from_millis(SHUTDOWN_TIME.value)).await;
    };
    tokio::select! {
        served = server => Ok(served?),
        () = patience => Ok(()),
    }
}

/// Another address than loopback is open to others, who then need a token.
fn check_listen(listen: &str, has_token: bool) -> Result<SocketAddr> {
    let text = listen.replace("localhost:", "127.0.0.1:");
    let address: SocketAddr = text.parse().map_err(|_| {
        usage(format!(
            "cannot listen on {listen:?}: expected an address and a port such as 127.0.0.1:7380"
        ))
    })?;
    if address.ip().is_loopback() || has_token {
        return Ok(address);
    }
    Err(usage(format!(
        "{address} can be reached by others, and the workspace has no token; make one with: kjerne \
         token NAME, or listen on 127.0.0.1"
    )))
}

#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupted().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        () = interrupted() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    interrupted().await;
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system's own takes the process down.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_than_loopback_needs_a_token() {
        for (listen, token, expected) in [
            ("127.0.0.1:7380", false, Ok("127.0.0.1:7380")),
            ("localhost:1", false, Ok("127.0.0.1:1")),
            ("[::1]:7380", false, Ok("[::1]:7380")),
            ("0.0.0.0:7380", true, Ok("0.0.0.0:7380")),
            ("0.0.0.0:7380", false, Err("the workspace has no token")),
            ("7380", false, Err("expected an address and a port")),
        ] {
            match (check_listen(listen, token), expected) {
                (Ok(address), Ok(expected)) => assert_eq!(address.to_string(), expected),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                }
                (found, expected) => panic!("{listen}: {found:?} instead of {expected:?}"),
            }
        }
    }
}
