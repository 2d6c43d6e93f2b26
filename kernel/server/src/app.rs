//! What every handler has at hand, and the forms of what it answers.

use std::io;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kjerne_core::limits::{Limit, QUERY_ROWS};
use kjerne_core::{Allowance, Reader};
use kjerne_model::Actor;
use kjerne_store::Halt;
use kjerne_workspace::runtime::now;
use kjerne_workspace::{Administration, Runtime};
use serde_json::Value as Json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answers::Answers;
use crate::connection::Kept;
use crate::hands::Hands;
use crate::limits::{
    ANSWERS, BODIES, JSON_MEMORY, PAGE_ROOM, QUERY_TIME, REQUESTS, ROOM_WAIT, SMALL_ANSWER, STREAMS,
};
use crate::memory::{Memory, Room};
use crate::problem::Problem;
use crate::stream::{self, StreamWriter};
use crate::watch::{self, Stopping};

/// What every handler has at hand: each request has several, so that one more costs next to nothing.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What all of them share.
pub(crate) struct Shared {
    pub(crate) runtime: Arc<Runtime>,
    turns: Arc<Semaphore>,
    hands: Hands,
    streams: Arc<Semaphore>,
    /// For bodies while they are read.
    pub(crate) bodies: Memory,
    /// For what JSON bodies became, while it is worked on.
    pub(crate) trees: Memory,
    answers: Answers,
    /// The kinds, as they are told: they stay what they are while the workspace is open.
    pub(crate) kinds: OnceLock<Bytes>,
    stopping: Stopping,
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

/// What says at every row whether to go on.
type GoOn = Box<dyn Fn() -> Result<(), Halt> + Send + Sync>;

impl App {
    pub(crate) fn new(runtime: Arc<Runtime>, door: Door, stopping: Stopping) -> Self {
        Self(Arc::new(Shared {
            runtime,
            turns: Arc::new(Semaphore::new(REQUESTS.count())),
            hands: Hands::new(),
            streams: Arc::new(Semaphore::new(STREAMS.count())),
            bodies: Memory::new(BODIES),
            trees: Memory::new(JSON_MEMORY),
            answers: Answers::new(ANSWERS),
            kinds: OnceLock::new(),
            stopping,
            door,
        }))
    }

    async fn turn(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = Arc::clone(of).acquire_owned();
        let turn = tokio::time::timeout(Duration::from_millis(ROOM_WAIT.value), turn).await;
        match turn {
            Ok(turn) => turn.map_err(|_| Problem::internal("the server is stopping")),
            Err(_) => Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Too much is asked at the same time",
                format!(
                    "{} requests are worked on, and none ended within {} ms (limits {} and {}); try \
                     again",
                    REQUESTS.value, ROOM_WAIT.value, REQUESTS.name, ROOM_WAIT.name
                ),
            )),
        }
    }

    /// Looks for an answer: as long as somebody waits for it, and within the time and the rows of a
    /// query. Its memory is counted before it is taken, until the answer is sent.
    pub(crate) async fn query(
        &self,
        work: impl FnOnce(&Runtime, Reader) -> Answer + Send + 'static,
    ) -> Answer {
        let mut room = self.answers.take(PAGE_ROOM.count()).await?;
        let mut response = self.look(Some((QUERY_ROWS, QUERY_TIME)), work).await?;
        let bytes = response.body().size_hint().exact().unwrap_or(0) as usize;
        if bytes > room.bytes() {
            room.join(self.answers.take(bytes - room.bytes()).await?);
        }
        room.shrink(bytes);
        response.extensions_mut().insert(Counted);
        self.send(response, room).await
    }

    /// Hands an answer on with the room it takes up.
    async fn send(&self, response: Response, room: Room) -> Answer {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await;
        let bytes = bytes.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Response::from_parts(parts, self.answers.send(bytes, room)))
    }

    /// Reads everything there is, as long as somebody waits for what comes of it.
    pub(crate) async fn sweep<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Runtime, Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.look(None, work).await
    }

    async fn look<T: Send + 'static>(
        &self,
        bounds: Option<(Limit, Limit)>,
        work: impl FnOnce(&Runtime, Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (asker, watch) = watch::pair(&self.stopping);
        let (rows, time) = bounds.unzip();
        let done = self.run(move |runtime| {
            let allowance = Allowance::new(rows, watch.begin(time));
            work(
                runtime,
                runtime.kernel.reader()?.within(Arc::new(allowance)),
            )
        });
        let done = done.await;
        drop(asker);
        done
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
        let done = self.hands.run(work).await;
        done.unwrap_or_else(|| Err(Problem::internal("the request's thread broke")))
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
    /// that nobody takes a part for the whole; an asker that reads trailers is told why. What work is
    /// given beside its writer says whether anybody still reads, which work that writes little has to ask.
    pub(crate) async fn stream(
        &self,
        content_type: &'static str,
        tells: bool,
        work: impl FnOnce(&Runtime, GoOn, StreamWriter) -> io::Result<()> + Send + 'static,
    ) -> Answer {
        let turn = Self::turn(&self.streams).await?;
        let runtime = Arc::clone(&self.runtime);
        let (writer, body) = stream::pair(tells);
        let (asker, watch) = watch::pair(&self.stopping);
        let go_on = Box::new(watch.begin(None));
        tokio::task::spawn_blocking(move || {
            let end = writer.clone();
            if let Err(error) = work(&runtime, go_on, writer) {
                end.fail(error);
            }
            drop(turn);
        });
        let form = [(header::CONTENT_TYPE, content_type)];
        let body = Body::new(Kept::new(Body::new(body), asker));
        let mut response = (form, body).into_response();
        if tells {
            let names = HeaderValue::from_static("kjerne-problem");
            response.headers_mut().insert(header::TRAILER, names);
        }
        Ok(response)
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

/// Says of a response that the memory it takes is counted already, or shared by all who read it.
#[derive(Clone)]
pub(crate) struct Counted;

/// Counts the memory of an answer until it has been sent. What only looks is told to come again when
/// there is no room; what was done is told all the same.
pub(crate) async fn hold_answer(State(app): State<App>, request: Request, next: Next) -> Answer {
    let looks = request.method().is_safe();
    let response = next.run(request).await;
    let bytes = response.body().size_hint().exact().unwrap_or(0);
    if bytes <= SMALL_ANSWER.value || response.extensions().get::<Counted>().is_some() {
        return Ok(response);
    }
    match app.answers.take(ANSWERS.value.min(bytes) as usize).await {
        Ok(room) => app.send(response, room).await,
        Err(problem) if looks => Err(problem),
        Err(_) => Ok(response),
    }
}
