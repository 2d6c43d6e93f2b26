//! How a command reaches the workspace: through the server that holds it, or, when none does, by
//! opening it here. Either way it speaks the HTTP interface, so that a command does the same beside a
//! running server as without one.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use kjerne_server::{Door, router};
use kjerne_store::StoreError;
use kjerne_workspace::limits::{COMMAND_ANSWER, HELD_WAIT};
use kjerne_workspace::runtime::now;
use kjerne_workspace::stderr::tell;
use kjerne_workspace::{Error, Runtime, Workspace};
use percent_encoding::percent_decode;
use serde_json::Value as Json;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::timeout;
use tower_service::Service as _;

use crate::exit::{Told, usage};
use crate::path;

/// How often a workspace that is held is tried again.
const AGAIN: Duration = Duration::from_millis(25);

/// What is told when nobody knows whether a request was carried out.
const BROKE_OFF: &str = "the answer broke off; what was asked may have been done: kjerne journal shows \
                         it, and an import can be repeated";

/// What a command does with the workspace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Needs {
    /// Looks at it or administers it, which goes without its plugins.
    Data,
    /// The same, after a check of every page of the data file.
    CheckedData,
    /// Changes records or asks plugins.
    Plugins,
}

/// A way to the workspace.
pub(crate) struct Connection {
    engine: tokio::runtime::Runtime,
    headers: HeaderMap,
    to: To,
}

enum To {
    Server(SendRequest<Body>),
    Here(Router, Arc<Runtime>),
}

/// What came back.
pub(crate) struct Answer<'a> {
    engine: &'a tokio::runtime::Runtime,
    response: Response<Body>,
}

impl Connection {
    /// Reaches the workspace. Where another command holds it, waits for its end, up to a limit.
    pub(crate) fn open(
        workspace: &Workspace,
        who: &str,
        needs: Needs,
        actor: &str,
    ) -> Result<Self> {
        let engine = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let headers = HeaderMap::from_iter([
            (
                kjerne_server::ACTOR,
                HeaderValue::from_str(&path::encoded(actor))?,
            ),
            (header::HOST, HeaderValue::from_static("localhost")),
        ]);
        let until = Instant::now() + Duration::from_millis(HELD_WAIT.value);
        let to = loop {
            if let Some(server) = engine.block_on(reach(workspace))? {
                break To::Server(server);
            }
            match open_here(workspace, who, needs) {
                Err(error) if is_held(&error) && Instant::now() < until => thread::sleep(AGAIN),
                Err(error) => return Err(error.into()),
                Ok(runtime) => {
                    let runtime = Arc::new(runtime);
                    break To::Here(router(Arc::clone(&runtime), Door::Owner), runtime);
                }
            }
        };
        Ok(Self {
            engine,
            headers,
            to,
        })
    }

    /// Whether the workspace is open in this process, and not held by a server.
    pub(crate) fn is_here(&self) -> bool {
        matches!(self.to, To::Here(..))
    }

    /// Sends a request and answers when the answer begins; a problem is an error.
    pub(crate) fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, String)],
        body: Body,
    ) -> Result<Answer<'_>> {
        let request = Request::builder().method(method).uri(path).body(body);
        let mut request = request.map_err(|_| {
            usage("what was typed is too long for an address; shorten the filter or the name")
        })?;
        *request.headers_mut() = self.headers.clone();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes())
                .with_context(|| format!("{name} cannot be {value:?}"))?;
            request.headers_mut().insert(name, value);
        }
        let response = match &mut self.to {
            To::Here(router, _) => self.engine.block_on(router.call(request))?,
            To::Server(server) => {
                let answer = self.engine.block_on(server.send_request(request));
                let answer = answer.context(BROKE_OFF)?;
                answer.map(Body::new)
            }
        };
        let answer = Answer {
            engine: &self.engine,
            response,
        };
        answer.or_problem()
    }

    /// What is at a path.
    pub(crate) fn get(&mut self, path: &str) -> Result<Json> {
        self.send(Method::GET, path, &[], Body::empty())?.json()
    }

    /// Sends JSON with a method.
    pub(crate) fn give(&mut self, method: Method, path: &str, body: &Json) -> Result<Json> {
        let headers = [(header::CONTENT_TYPE, "application/json".to_owned())];
        self.send(method, path, &headers, Body::from(body.to_string()))?
            .json()
    }

    /// Runs the reactions a command has caused, so that it leaves the workspace as a server would, and
    /// says what is left to do. Where a server holds the workspace, it does that itself.
    pub(crate) fn finish(&self) -> Result<()> {
        let To::Here(_, runtime) = &self.to else {
            return Ok(());
        };
        let settled = runtime.settle(now())?;
        for failure in &settled.failed {
            tell(format_args!(
                "note: reaction failed, and will be tried again: {failure}"
            ));
        }
        if settled.cut {
            tell(format_args!(
                "note: reactions are still answering each other; kjerne serve goes on with them"
            ));
        }
        if settled.messages > 0 {
            let count = settled.messages;
            let words = if count == 1 {
                "message waits"
            } else {
                "messages wait"
            };
            tell(format_args!(
                "note: {count} {words} to be delivered by kjerne serve"
            ));
        }
        Ok(runtime.flush_costs()?)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let To::Here(_, runtime) = &self.to {
            // What a refused commit cost, or a plugin that was asked about its settings where plugins do not
            // run, is known when the next command asks; nothing else is lost.
            let _ = runtime.flush_costs();
        }
    }
}

/// A connection to the server that holds the workspace, if there is one. A server that does not
/// answer is told before anything is asked of it.
#[cfg(unix)]
async fn reach(workspace: &Workspace) -> Result<Option<SendRequest<Body>>> {
    let stream = match kjerne_server::connect(workspace).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let socket = workspace.socket();
            return Err(Error::refused(format!(
                "{} belongs to somebody else; run the command as the workspace's owner",
                socket.display()
            ))
            .into());
        }
        Err(_) => return Ok(None),
    };
    let silent = || StoreError::Held {
        by: format!(
            "a server that does not answer ({})",
            workspace.dir().display()
        ),
    };
    let greeted = timeout(Duration::from_millis(HELD_WAIT.value), greet(stream)).await;
    greeted.map_err(|_| Error::from(silent()))?
}

/// Begins to speak HTTP and has a first answer; none where the other end is gone at once.
#[cfg(unix)]
async fn greet(stream: UnixStream) -> Result<Option<SendRequest<Body>>> {
    let Ok((mut sender, connection)) = handshake(TokioIo::new(stream)).await else {
        return Ok(None);
    };
    // How the connection ends, the request on it is told.
    tokio::spawn(connection);
    let hello = Request::get("/").header(header::HOST, "localhost");
    let answer = sender.send_request(hello.body(Body::empty())?).await;
    let Ok(answer) = answer else {
        return Ok(None);
    };
    // Read to its end, so that the connection is free for what follows.
    axum::body::to_bytes(Body::new(answer.into_body()), 1 << 20).await?;
    Ok(Some(sender))
}

#[cfg(not(unix))]
async fn reach(_: &Workspace) -> Result<Option<SendRequest<Body>>> {
    Ok(None)
}

fn open_here(workspace: &Workspace, who: &str, needs: Needs) -> Result<Runtime, Error> {
    let workspace = workspace.clone();
    match needs {
        Needs::Data => Runtime::open_without_plugins(workspace, who),
        Needs::CheckedData => Runtime::open_checked(workspace, who),
        Needs::Plugins => Runtime::open(workspace, who),
    }
}

/// An answer that broke off: with the error it broke off with, where that is one of this process.
fn broken_off(error: axum::Error) -> anyhow::Error {
    let mut inner = error.into_inner();
    while inner.is::<axum::Error>() {
        // Each layer of a body wraps the error of the one below it.
        inner = match inner.downcast::<axum::Error>() {
            Ok(layer) => layer.into_inner(),
            Err(other) => other,
        };
    }
    let error = match inner.downcast::<io::Error>() {
        Ok(error) => match error.downcast::<Error>() {
            Ok(own) => own.into(),
            Err(error) => error.into(),
        },
        Err(other) => anyhow::Error::from_boxed(other),
    };
    error.context(BROKE_OFF)
}

/// What stands behind an answer that broke off at its other end: why it did.
fn not_whole(behind: &HeaderMap) -> Result<()> {
    let Some(problem) = behind.get(kjerne_server::PROBLEM) else {
        return Ok(());
    };
    let text = percent_decode(problem.as_bytes()).decode_utf8_lossy();
    let problem: Json = serde_json::from_str(&text).context("the end of the answer is no JSON")?;
    Err(anyhow::Error::from(Told::of_problem(&problem)).context("the answer is not whole"))
}

/// Whether another process holds the workspace.
pub(crate) fn is_held(error: &Error) -> bool {
    matches!(error.root(), Error::Store(StoreError::Held { .. }))
}

impl Answer<'_> {
    /// The whole answer, read as JSON; nothing is null.
    pub(crate) fn json(self) -> Result<Json> {
        let bytes = self.bytes()?;
        if bytes.is_empty() {
            return Ok(Json::Null);
        }
        serde_json::from_slice(&bytes).context("the answer is no JSON")
    }

    fn bytes(self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.pieces(&mut |piece| {
            if bytes.len() + piece.len() > COMMAND_ANSWER.count() {
                let most = COMMAND_ANSWER.value;
                return Err(Error::failed(format!(
                    "the answer has more than {most} bytes (limit {}); ask for less",
                    COMMAND_ANSWER.name
                ))
                .into());
            }
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Hands over the answer as it comes.
    pub(crate) fn pieces(self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut body = self.response.into_body();
        let mut next = || {
            self.engine
                .block_on(std::future::poll_fn(|c| Pin::new(&mut body).poll_frame(c)))
        };
        while let Some(frame) = next() {
            let frame = frame.map_err(broken_off)?;
            if let Some(behind) = frame.trailers_ref() {
                not_whole(behind)?;
            }
            if let Some(piece) = frame.data_ref() {
                take(piece)?;
            }
        }
        Ok(())
    }

    /// Writes the answer out as it comes, and says how many bytes it had.
    pub(crate) fn write_to(self, out: &mut dyn Write) -> Result<u64> {
        let mut count = 0;
        self.pieces(&mut |piece| {
            count += piece.len() as u64;
            Ok(out.write_all(piece)?)
        })?;
        out.flush()?;
        Ok(count)
    }

    fn or_problem(self) -> Result<Self> {
        let status = self.response.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(self);
        }
        let problem = self.json().unwrap_or(Json::Null);
        Err(Told::of_problem(&problem).into())
    }
}
