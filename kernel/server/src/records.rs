//! Records, commits and the journal.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kjerne_core::{Feed, Reader, Receipt};
use kjerne_model::{Actor, Change, Commit, Instant, Kind, Record, RecordId, Target};
use kjerne_store::StoreError;
use kjerne_store::journal::Span;
use kjerne_wire::Batch;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, json, ok};
use crate::approvals;
use crate::chain;
use crate::headers::{Expected, has_tag, key, no_precondition};
use crate::limits::FEED_PAGE;
use crate::listing::{Listing, rest};
use crate::problem::Problem;
use crate::request::{JsonBody, Path, Words};
use kjerne_workspace::queries;
use kjerne_workspace::runtime::{Committed, Runtime, now};

const COSTS: &[&str] = &["costs"];
pub(crate) const FILTER: &[&str] = &["filter", "$filter"];
pub(crate) const SORT: &[&str] = &["sort", "$orderby", "order_by"];
pub(crate) const TOP: &[&str] = &["top", "$top"];
pub(crate) const CURSOR: &[&str] = &["cursor", "$skiptoken", "after"];
const SELECT: &[&str] = &["select", "$select"];
const AFTER: &[&str] = &["after"];
const BEFORE: &[&str] = &["before"];
const SINCE: &[&str] = &["since"];
const ORDER: &[&str] = &["order"];
const LIMIT: &[&str] = &["limit"];
/// What a part of the journal is asked for by.
const SPAN: &[&[&str]] = &[AFTER, BEFORE, SINCE, ORDER, LIMIT];

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
    app.query(move |_, reader| {
        let described = queries::kind(reader.schema(), &kind)?;
        let only = select.map(|text| queries::select(described, &text));
        let only = only.transpose()?;
        let page = queries::page(&reader, &kind, &query)?;
        let mut listing = Listing::new("records");
        for record in &page.records {
            listing.add(&kjerne_wire::record(record, only.as_deref()));
        }
        Ok(listing.end(rest([("next", json!(page.next))])))
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
    no_precondition(&headers)?;
    let (key, cause) = (key(&headers)?, chain::cause(&headers)?);
    app.run(move |runtime| {
        let kind = queries::kind(runtime.kernel.schema(), &kind)?;
        let change = kjerne_wire::create(kind, &body)?;
        let commit = Commit {
            cause,
            ..one(change, actor, key)
        };
        let receipt = match runtime.commit(commit, false)? {
            Committed::Stored(receipt) => receipt,
            Committed::Waits(waiting) => return Ok(approvals::waits(&waiting, false)),
        };
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
        Expected::look(&headers, record.version)?;
        if has_tag(&headers, record.version)? {
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
    let (expected, key) = (Expected::read(&headers)?, key(&headers)?);
    app.run(move |runtime| {
        let kind = queries::kind(runtime.kernel.schema(), &kind)?;
        let patch = kjerne_wire::patch(kind, &body)?;
        let target = target(kind, &id)?;
        let commit = one(Change::Update { target, patch }, actor, key);
        match commit_expecting(runtime, &commit, &expected)? {
            Committed::Stored(receipt) => after(runtime, kind, &id, &receipt, StatusCode::OK),
            Committed::Waits(waiting) => Ok(approvals::waits(&waiting, false)),
        }
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
    let (expected, key) = (Expected::read(&headers)?, key(&headers)?);
    app.run(move |runtime| {
        let kind = queries::kind(runtime.kernel.schema(), &kind)?;
        let target = target(kind, &id)?;
        let commit = one(Change::Delete { target }, actor, key);
        Ok(match commit_expecting(runtime, &commit, &expected)? {
            Committed::Stored(receipt) => told(StatusCode::NO_CONTENT.into_response(), &receipt),
            Committed::Waits(waiting) => approvals::waits(&waiting, false),
        })
    })
    .await
}

fn target(kind: &Kind, id: &str) -> Result<Target, Problem> {
    Ok(Target {
        kind: kind.name.clone(),
        id: queries::id(id)?,
        expected: None,
    })
}

/// Commits a change of one record for the first of the versions expected that it has. A key belongs to
/// the version it was used with, so that repeating the request finds what it did.
fn commit_expecting(
    runtime: &Runtime,
    commit: &Commit,
    expected: &Expected,
) -> Result<Committed, Problem> {
    let versions: Vec<Option<u64>> = match expected {
        Expected::Nothing | Expected::Any => vec![None],
        Expected::Versions(versions) => versions.iter().copied().map(Some).collect(),
    };
    let mut refused = None;
    for version in versions {
        match runtime.commit(expecting(commit, version), false) {
            Ok(committed) => return Ok(committed),
            Err(error) => {
                let problem = Problem::from(error).with_precondition(expected.is_some());
                if !problem.is_another_version() {
                    return Err(problem);
                }
                refused.get_or_insert(problem);
            }
        }
    }
    Err(refused.unwrap_or_else(Problem::no_strong_tag))
}

fn expecting(commit: &Commit, version: Option<u64>) -> Commit {
    let mut commit = commit.clone();
    for change in &mut commit.changes {
        match change {
            Change::Update { target, .. } | Change::Delete { target } => target.expected = version,
            Change::Create { .. } => {}
        }
    }
    commit
}

/// A commit of one change.
fn one(change: Change, actor: Actor, key: Option<String>) -> Commit {
    Commit {
        changes: vec![change],
        actor,
        key,
        at: now(),
        cause: None,
    }
}

/// The record as it is after a commit; where it has been removed since, as the commit left it.
fn after(
    runtime: &Runtime,
    kind: &Kind,
    id: &str,
    receipt: &Receipt,
    status: StatusCode,
) -> Answer {
    let id = queries::id(id)?;
    let response = match runtime.kernel.get(&kind.name, id)? {
        Some(record) => tagged(json(status, &kjerne_wire::record(&record, None)), &record),
        None => match as_left(runtime, kind, id, receipt)? {
            // There is nothing any more that its tag could be compared with.
            Some(record) => json(status, &kjerne_wire::record(&record, None)),
            None => json(status, &kjerne_wire::receipt(receipt)),
        },
    };
    Ok(told(response, receipt))
}

/// The record as a commit left it, from the journal.
fn as_left(
    runtime: &Runtime,
    kind: &Kind,
    id: RecordId,
    receipt: &Receipt,
) -> Result<Option<Record>, Problem> {
    let reader = runtime.kernel.reader()?;
    let Some(entry) = kjerne_store::journal::get(&reader, receipt.entry)? else {
        return Ok(None);
    };
    let history = reader.history(&kind.name, id, Span::default(), 1)?;
    let created_at = history.entries.first().map_or(entry.at, |first| first.at);
    let mut edits = entry.edits.into_iter();
    let edit = edits.find(|edit| edit.kind == kind.name && edit.id == id);
    Ok(edit.and_then(|edit| {
        Some(Record {
            kind: edit.kind,
            id,
            version: edit.version,
            created_at,
            updated_at: entry.at,
            fields: edit.after?,
        })
    }))
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

/// The most rules that advise something in the head of one answer.
const ADVICE_TOLD: usize = 16;

/// Adds the journal entry's number, the fields that plugins set to something else than was asked
/// for, the rules that advise something, and whether this repeats an earlier request.
fn told(mut response: Response, receipt: &Receipt) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("kjerne-entry"),
        receipt.entry.into(),
    );
    for one in receipt.overridden() {
        let told = format!("{};plugin={}", one.field, one.plugin);
        if let Ok(told) = HeaderValue::from_str(&told) {
            headers.append(HeaderName::from_static("kjerne-overridden"), told);
        }
    }
    // A head of an answer has room for a few; all of them stand in the receipt of POST /v1/commits and the journal.
    for one in receipt.advice.iter().take(ADVICE_TOLD) {
        let told = format!("{};plugin={}", one.code, one.plugin);
        if let Ok(told) = HeaderValue::from_str(&told) {
            headers.append(HeaderName::from_static("kjerne-advice"), told);
        }
    }
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
    words: Words,
    JsonBody(body): JsonBody,
) -> Answer {
    no_precondition(&headers)?;
    words.only(&[COSTS])?;
    let costs = words.flag(COSTS)?;
    let (key, cause) = (key(&headers)?, chain::cause(&headers)?);
    app.run(move |runtime| {
        let Batch {
            changes,
            dry_run,
            key: named,
        } = kjerne_wire::batch(runtime.kernel.schema(), &body)?;
        if let (Some(named), Some(key)) = (&named, &key)
            && named != key
        {
            return Err(Problem::bad_request(
                "the body names another idempotency key than the header; say it once",
            ));
        }
        let commit = Commit {
            changes,
            actor,
            key: named.or(key),
            at: now(),
            cause,
        };
        let receipt = match runtime.commit(commit, dry_run)? {
            Committed::Stored(receipt) => receipt,
            Committed::Waits(waiting) => return Ok(approvals::waits(&waiting, dry_run)),
        };
        let mut shown = kjerne_wire::receipt(&receipt);
        shown["dry_run"] = Json::Bool(dry_run);
        if costs {
            shown["costs"] = kjerne_wire::commit_costs(&receipt);
        }
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
    words.only(SPAN)?;
    let (asked, limit) = (Asked::read(&words)?, feed_limit(&words)?);
    app.query(move |_, reader| {
        let kind = queries::kind(reader.schema(), &kind)?;
        let id = queries::id(&id)?;
        let feed = reader.history(&kind.name, id, asked.span(&reader)?, limit)?;
        if feed.entries.is_empty() && asked == Asked::default() {
            return Err(Problem::not_found(format!(
                "there was never a {} {id}",
                kind.name
            )));
        }
        let last = feed.entries.last().map(|entry| entry.number);
        let next = last.filter(|_| feed.full);
        Ok(entries(feed).end(rest([("next", json!(next))])))
    })
    .await
}

/// Everything that happened, in order. `next` is what to ask with the next time, now or later. A page
/// has as many entries as asked for, or fewer when they are large.
pub(crate) async fn journal(State(app): State<App>, words: Words) -> Answer {
    words.only(SPAN)?;
    let (asked, limit) = (Asked::read(&words)?, feed_limit(&words)?);
    app.query(move |_, reader| {
        let span = asked.span(&reader)?;
        let feed = reader.journal_within(span, limit)?;
        let ends = feed.entries.last().map(|entry| entry.number);
        let last = kjerne_store::journal::last(&reader)?;
        let end = if span.newest_first {
            rest([("next", json!(ends.filter(|_| feed.full)))])
        } else {
            let before = span
                .before
                .map_or(u64::MAX, |before| before.saturating_sub(1));
            rest([
                ("next", json!(ends.unwrap_or(span.after))),
                ("last", json!(last.min(before))),
            ])
        };
        Ok(entries(feed).end(end))
    })
    .await
}

/// Which entries of the journal were asked for, and in which order.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Asked {
    span: Span,
    since: Option<Instant>,
}

impl Asked {
    fn read(words: &Words) -> Result<Self, Problem> {
        let since = words.get(SINCE).map(|text| {
            let expected = "expected a time such as 2026-03-02T09:00:00Z";
            let wrong = || Problem::bad_request(format!("since: {expected}, found {text:?}"));
            // A date alone does not say in which zone its day begins.
            let time = Some(text).filter(|text| text.contains(':'));
            time.and_then(Instant::read).ok_or_else(wrong)
        });
        let newest_first = match words.get(ORDER) {
            None | Some("oldest") => false,
            Some("newest") => true,
            Some(other) => {
                let detail = format!("order: expected oldest or newest, found {other:?}");
                return Err(Problem::bad_request(detail));
            }
        };
        let span = Span {
            after: words.number(AFTER)?.unwrap_or(0),
            before: words.number(BEFORE)?,
            newest_first,
        };
        let since = since.transpose()?;
        Ok(Self { span, since })
    }

    fn span(self, reader: &Reader) -> Result<Span, StoreError> {
        let Some(since) = self.since else {
            return Ok(self.span);
        };
        let after = kjerne_store::journal::last_before(reader, since)?;
        Ok(Span {
            after: self.span.after.max(after),
            ..self.span
        })
    }
}

/// Writes entries one by one, each given up as soon as it is text.
fn entries(feed: Feed) -> Listing {
    let mut listing = Listing::new("entries");
    for entry in feed.entries {
        listing.add(&kjerne_wire::entry(&entry));
    }
    listing
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
