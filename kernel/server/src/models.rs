//! Questions to the domain models. They go to whichever plugin is bound to the interface.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use kjerne_core::models::StaleItem;
use kjerne_core::{Call, Query, Role};
use kjerne_host::{AskError, Host, STALE_PAGE};
use kjerne_model::{Actor, Name, Record, Reference};
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, ok};
use crate::problem::Problem;
use crate::records::{CURSOR, FILTER, SORT, TOP};
use crate::request::{Path, Words};
use kjerne_workspace::limits::STALE_SCAN;
use kjerne_workspace::queries;
use kjerne_workspace::runtime::{Runtime, now};
use kjerne_workspace::screens::NotShown;

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let detail = error.to_string();
        match error {
            AskError::NotBound(_) => Self::new(
                StatusCode::NOT_IMPLEMENTED,
                "not-bound",
                "No plugin answers this",
                detail,
            ),
            AskError::Failed { code, .. } if code == "not-found" => Self::not_found(detail),
            AskError::Failed { code, .. } if code == "bad-argument" => Self::bad_request(detail),
            AskError::Fault(fault) if fault.is_overload() => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Too much is asked at the same time",
                detail,
            ),
            AskError::Failed { .. } | AskError::Fault(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "plugin-fault",
                "A plugin failed",
                detail,
            ),
        }
    }
}

impl From<NotShown> for Problem {
    fn from(error: NotShown) -> Self {
        match error {
            NotShown::NotAsked(error) => error.into(),
            NotShown::Unanswered(error) => error.into(),
        }
    }
}

fn call(runtime: &Runtime, actor: Actor) -> Result<Call, Problem> {
    let reader = Arc::new(runtime.kernel.reader()?);
    Ok(Call {
        now: now(),
        actor,
        depth: 0,
        reader,
    })
}

/// The pipelines.
pub(crate) async fn pipelines(State(app): State<App>, Extension(actor): Who) -> Answer {
    app.run(move |runtime| {
        let pipelines = runtime.host.pipelines(&call(runtime, actor)?)?;
        Ok(ok(&kjerne_wire::models::pipelines(&pipelines)))
    })
    .await
}

/// The jobs customers do.
pub(crate) async fn jobs(State(app): State<App>, Extension(actor): Who) -> Answer {
    app.run(move |runtime| {
        let jobs = runtime.host.jobs(&call(runtime, actor)?)?;
        Ok(ok(&kjerne_wire::models::jobs(&jobs)))
    })
    .await
}

/// A question about one record: `standing` and `assessment` of an opportunity, `targets` and
/// `triage` of a case.
pub(crate) async fn ask(
    State(app): State<App>,
    Extension(actor): Who,
    Path((kind, id, question)): Path<(String, String, String)>,
) -> Answer {
    app.run(move |runtime| {
        let about = queries::record(&runtime.kernel, &kind, &id)?.reference();
        let (host, call) = (&runtime.host, call(runtime, actor)?);
        let answer = match (kind.as_str(), question.as_str()) {
            ("opportunity", "standing") => {
                kjerne_wire::models::standing(&host.standing(&call, &about)?)
            }
            ("opportunity", "assessment") => {
                kjerne_wire::models::assessment(&host.assess(&call, &about)?)
            }
            ("case", "targets") => kjerne_wire::models::targets(&host.targets(&call, &about)?),
            ("case", "triage") => kjerne_wire::models::triage(&host.triage(&call, &about)?),
            (_, "score") => scored_one(host, &call, &about)?,
            _ => {
                let detail = format!("a {kind} has no {question:?}; GET / says what there is");
                return Err(Problem::not_found(detail));
            }
        };
        Ok(ok(&answer))
    })
    .await
}

fn scored_one(host: &Host, call: &Call, about: &Reference) -> Result<Json, Problem> {
    let scored = host.score(call, std::slice::from_ref(about))?;
    let one = scored.first().map(kjerne_wire::screens::score);
    one.ok_or_else(|| Problem::internal("the record was not scored"))
}

/// A page of records with their scores; which page the same words say that a list of records takes.
pub(crate) async fn scores(
    State(app): State<App>,
    Extension(actor): Who,
    Path(kind): Path<String>,
    words: Words,
) -> Answer {
    words.only(&[FILTER, SORT, TOP, CURSOR])?;
    let query = queries::Words {
        filter: words.get(FILTER).unwrap_or_default().to_owned(),
        order: words.get(SORT).unwrap_or_default().to_owned(),
        top: words.number(TOP)?,
        after: words.get(CURSOR).map(str::to_owned),
    };
    app.query(move |runtime, reader| {
        let page = queries::page(&reader, &kind, &query)?;
        let subjects: Vec<Reference> = page.records.iter().map(Record::reference).collect();
        let call = Call {
            now: now(),
            actor,
            depth: 0,
            reader: Arc::new(reader),
        };
        let scored = runtime.host.score(&call, &subjects)?;
        let scores = kjerne_wire::screens::scores(&scored);
        Ok(ok(&json!({ "scores": scores, "next": page.next })))
    })
    .await
}

/// The open opportunities that have stood still for too long.
pub(crate) async fn stale(State(app): State<App>, Extension(actor): Who, words: Words) -> Answer {
    words.only(&[])?;
    app.query(move |runtime, reader| {
        let call = Call {
            now: now(),
            actor,
            depth: 0,
            reader: Arc::new(reader),
        };
        let (items, whole) = find_stale(runtime, &call)?;
        Ok(ok(
            &json!({ "stale": kjerne_wire::models::stale(&items), "complete": whole }),
        ))
    })
    .await
}

/// Asks about every opportunity without a closing day, page by page, up to the limit.
fn find_stale(runtime: &Runtime, call: &Call) -> Result<(Vec<StaleItem>, bool), Problem> {
    if runtime.host.bound(Role::SalesStages).is_none() {
        return Err(AskError::NotBound(Role::SalesStages).into());
    }
    let kind = queries::kind(runtime.kernel.schema(), "opportunity")?;
    let mut query = Query {
        kind: kind.name.clone(),
        filter: queries::filter(kind, "closed_on eq null")?,
        order: Vec::new(),
        top: STALE_PAGE,
        after: None,
    };
    let mut items = Vec::new();
    for _ in 0..STALE_SCAN.value as usize / STALE_PAGE {
        let page = call.reader.query(&query).map_err(queries::of_query)?;
        let asked = page
            .records
            .iter()
            .map(|record| reference(&query.kind, record.id));
        items.extend(runtime.host.stale(call, &asked.collect::<Vec<_>>())?);
        query.after = page.next;
        if query.after.is_none() {
            return Ok((items, true));
        }
    }
    Ok((items, false))
}

fn reference(kind: &Name, id: kjerne_model::RecordId) -> Reference {
    Reference::new(kind.clone(), id)
}
