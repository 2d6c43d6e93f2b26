//! Records, commits and the journal.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kjerne_core::Receipt;
use kjerne_model::{Actor, Change, Commit, Kind, Record, Target};
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, json, ok};
use crate::limits::FEED_PAGE;
use crate::problem::Problem;
use crate::request::{Expected, JsonBody, Words, has_tag, key};
use kjerne_workspace::queries;
use kjerne_workspace::runtime::{Runtime, now};

const FILTER: &[&str] = &["filter", "$filter"];
const SORT: &[&str] = &["sort", "$orderby", "order_by"];
const TOP: &[&str] = &["top", "$top"];
const CURSOR: &[&str] = &["cursor", "$skiptoken", "after"];
const SELECT: &[&str] = &["select", "$select"];
const AFTER: &[&str] = &["after"];
const LIMIT: &[&str] = &["limit"];

/// A page of records.
pub(crate) async fn list(State(app): State<App>, Path(kind): Path<String>, words: Words) -> Answer {
    words.only(&[FILTER, SORT, TOP, CURSOR, SELECT])?;
    let query = queries::Words {
        filter: words.get(FILTER).unwrap_or_default().to_owned(),
        order: words.get(SORT).unwrap_or_default().to_owned(),
        top: words.number(TOP)?,
        after: words.get(CURSOR).map(str::to_owned),
    };
    let select = words.get(SELECT).map(str::to_owned);
    app.run(move |runtime| {
        let described = queries::kind(runtime.kernel.schema(), &kind)?;
        let only = select.map(|text| queries::select(described, &text));
        let only = only.transpose()?;
        let page = queries::page(&runtime.kernel, &kind, &query)?;
        Ok(ok(&kjerne_wire::page(&page, only.as_deref())))
    })
    .await
}

/// Makes a record.
pub(crate) async fn create(
    State(app): State<App>,
    Extension(actor): Who,
    Path(kind): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Answer {
    app.run(move |runtime| {
        let kind = queries::kind(runtime.kernel.schema(), &kind)?;
        let change = kjerne_wire::create(kind, &body)?;
        let receipt = runtime.commit(one(change, actor, &headers), false)?;
        let Some(made) = receipt.edits.first() else {
            return Err(Problem::internal("the commit made no record"));
        };
        let place = format!("/v1/records/{}/{}", made.kind, made.id);
        let mut response = after(
            runtime,
            kind,
            &made.id.to_string(),
            &receipt,
            StatusCode::CREATED,
        )?;
        if let Ok(place) = HeaderValue::from_str(&place) {
            response.headers_mut().insert(header::LOCATION, place);
        }
        Ok(response)
    })
    .await
}

/// One record, unless the asker has it already.
pub(crate) async fn show(
    State(app): State<App>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    app.run(move |runtime| {
        let record = queries::record(&runtime.kernel, &kind, &id)?;
        if has_tag(&headers, &tag(&record)) {
            return Ok(tagged(StatusCode::NOT_MODIFIED.into_response(), &record));
        }
        Ok(tagged(ok(&kjerne_wire::record(&record, None)), &record))
    })
    .await
}

/// Sets and clears fields of a record.
pub(crate) async fn update(
    State(app): State<App>,
    Extension(actor): Who,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Answer {
    let expected = Expected::read(&headers)?;
    app.run(move |runtime| {
        let kind = queries::kind(runtime.kernel.schema(), &kind)?;
        let patch = kjerne_wire::patch(kind, &body)?;
        let change = Change::Update {
            target: target(kind, &id, &expected)?,
            patch,
        };
        let receipt = commit_expecting(runtime, one(change, actor, &headers), &expected)?;
        after(runtime, kind, &id, &receipt, StatusCode::OK)
    })
    .await
}

/// Removes a record.
pub(crate) async fn remove(
    State(app): State<App>,
    Extension(actor): Who,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let expected = Expected::read(&headers)?;
    app.run(move |runtime| {
        let kind = queries::kind(runtime.kernel.schema(), &kind)?;
        let change = Change::Delete {
            target: target(kind, &id, &expected)?,
        };
        let receipt = commit_expecting(runtime, one(change, actor, &headers), &expected)?;
        Ok(told(StatusCode::NO_CONTENT.into_response(), &receipt))
    })
    .await
}

fn target(kind: &Kind, id: &str, expected: &Expected) -> Result<Target, Problem> {
    Ok(Target {
        kind: kind.name.clone(),
        id: queries::id(id)?,
        expected: expected.version(),
    })
}

fn commit_expecting(
    runtime: &Runtime,
    commit: Commit,
    expected: &Expected,
) -> Result<Receipt, Problem> {
    let receipt = runtime.commit(commit, false);
    receipt.map_err(|error| Problem::from(error).with_precondition(expected.is_some()))
}

/// A commit of one change.
fn one(change: Change, actor: Actor, headers: &HeaderMap) -> Commit {
    Commit {
        changes: vec![change],
        actor,
        key: key(headers),
        at: now(),
        cause: None,
    }
}

/// The record as it is after a commit.
fn after(
    runtime: &Runtime,
    kind: &Kind,
    id: &str,
    receipt: &Receipt,
    status: StatusCode,
) -> Answer {
    let found = runtime.kernel.get(&kind.name, queries::id(id)?)?;
    // Somebody else may have removed it by now; the commit was stored all the same.
    let Some(record) = found else {
        return Ok(told(json(status, &kjerne_wire::receipt(receipt)), receipt));
    };
    Ok(told(
        tagged(json(status, &kjerne_wire::record(&record, None)), &record),
        receipt,
    ))
}

fn tag(record: &Record) -> String {
    format!("\"{}\"", record.version)
}

fn tagged(mut response: Response, record: &Record) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&tag(record)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Adds the journal entry's number, and whether this repeats an earlier request.
fn told(mut response: Response, receipt: &Receipt) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("kjerne-entry"),
        receipt.entry.into(),
    );
    if receipt.replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        headers.insert(name, HeaderValue::from_static("true"));
    }
    response
}

/// Several changes, all or none.
pub(crate) async fn commit(
    State(app): State<App>,
    Extension(actor): Who,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Answer {
    app.run(move |runtime| {
        let (changes, dry_run) = kjerne_wire::batch(runtime.kernel.schema(), &body)?;
        let commit = Commit {
            changes,
            actor,
            key: key(&headers),
            at: now(),
            cause: None,
        };
        let receipt = runtime.commit(commit, dry_run)?;
        let mut shown = kjerne_wire::receipt(&receipt);
        shown["dry_run"] = Json::Bool(dry_run);
        Ok(told(ok(&shown), &receipt))
    })
    .await
}

/// What happened to a record.
pub(crate) async fn history(
    State(app): State<App>,
    Path((kind, id)): Path<(String, String)>,
    words: Words,
) -> Answer {
    words.only(&[AFTER, LIMIT])?;
    let (from, limit) = (words.number(AFTER)?.unwrap_or(0), feed_limit(&words)?);
    app.run(move |runtime| {
        let kind = queries::kind(runtime.kernel.schema(), &kind)?;
        let id = queries::id(&id)?;
        let entries = runtime.kernel.history(&kind.name, id, from, limit)?;
        if entries.is_empty() && from == 0 {
            return Err(Problem::not_found(format!(
                "there was never a {} {id}",
                kind.name
            )));
        }
        let next = (entries.len() == limit).then(|| entries.last().map(|entry| entry.number));
        let entries: Vec<Json> = entries.iter().map(kjerne_wire::entry).collect();
        Ok(ok(&json!({ "entries": entries, "next": next.flatten() })))
    })
    .await
}

/// Everything that happened, in order. `next` is what to ask with the next time, now or later.
pub(crate) async fn journal(State(app): State<App>, words: Words) -> Answer {
    words.only(&[AFTER, LIMIT])?;
    let (from, limit) = (words.number(AFTER)?.unwrap_or(0), feed_limit(&words)?);
    app.run(move |runtime| {
        let entries = runtime.kernel.journal(from, limit)?;
        let next = entries.last().map_or(from, |entry| entry.number);
        let last = kjerne_store::journal::last(&*runtime.store.snapshot()?)?;
        let entries: Vec<Json> = entries.iter().map(kjerne_wire::entry).collect();
        Ok(ok(
            &json!({ "entries": entries, "next": next, "last": last }),
        ))
    })
    .await
}

fn feed_limit(words: &Words) -> Result<usize, Problem> {
    let most = FEED_PAGE.value as usize;
    match words.number(LIMIT)?.unwrap_or(100) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        limit => Err(Problem::bad_request(format!(
            "limit is {limit}; it may be 1 to {most}"
        ))),
    }
}
