//! Commits that wait for approval, and who may approve.

use std::ops::ControlFlow;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use kjerne_core::{Waiting, pending_commit};
use kjerne_model::{Actor, Refusal};
use kjerne_store::{approvers as rows, pending, records};
use kjerne_workspace::queries;
use kjerne_workspace::runtime::{Committed, now};
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, json as answer, ok};
use crate::listing::{Listing, rest};
use crate::problem::Problem;
use crate::request::{JsonBody, Path};

/// The answer to a commit that waits: where it is found, and who may approve.
pub(crate) fn waits(waiting: &Waiting, dry_run: bool) -> Response {
    let body = json!({ "waits": kjerne_wire::waiting(waiting), "dry_run": dry_run });
    placed(waiting, &body)
}

/// The same with another body. A dry run waits nowhere, and is no request that was taken on.
pub(crate) fn placed(waiting: &Waiting, body: &Json) -> Response {
    let Some(id) = waiting.id else {
        return ok(body);
    };
    let mut response = answer(StatusCode::ACCEPTED, body);
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/approvals/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// What waits, the oldest first.
pub(crate) async fn list(State(app): State<App>) -> Answer {
    app.query(|_, reader| {
        let mut ids = Vec::new();
        pending::list(&reader, &mut |row| {
            ids.push(row.id);
            ControlFlow::Continue(())
        })?;
        let mut listing = Listing::new("approvals");
        for id in ids {
            if let Some((row, told)) = pending_commit(&reader, id)? {
                listing.add(&kjerne_wire::pending(&row, &told, false));
            }
        }
        Ok(listing.end(rest([])))
    })
    .await
}

/// One commit that waits, with what it would do.
pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>) -> Answer {
    app.run(move |runtime| {
        let id = queries::id(&id)?;
        let reader = runtime.kernel.reader()?;
        let Some((row, told)) = pending_commit(&reader, id)? else {
            return Err(Problem::not_found(format!(
                "no commit {id} waits for approval; the journal tells what became of it, if there was one"
            )));
        };
        let mut shown = kjerne_wire::pending(&row, &told, true);
        let mut changed = false;
        for edit in &row.edits {
            let now = records::get(&reader, &edit.kind, edit.id)?;
            changed |= now.map_or(1, |record| record.version + 1) != edit.version;
        }
        shown["changed_since"] = Json::Bool(changed);
        Ok(ok(&shown))
    })
    .await
}

/// Has a commit that waits approved (`{"role"?}`), rejected (`{"why"?}`) or withdrawn.
pub(crate) async fn decide(
    State(app): State<App>,
    Extension(actor): Who,
    Path((id, what)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.run(move |runtime| {
        let id = queries::id(&id)?;
        let one_of = |known: &[&str], name: &str| -> Result<Option<String>, Problem> {
            let body = kjerne_wire::object(&body, known)?;
            Ok(kjerne_wire::optional_text(body, name)?.map(str::to_owned))
        };
        let ended = match what.as_str() {
            "approve" => {
                let role = one_of(&["role"], "role")?;
                return approved(runtime.approve(id, &actor, role.as_deref())?);
            }
            "reject" => {
                let why = one_of(&["why"], "why")?.unwrap_or_default();
                runtime.kernel.reject(id, &actor, &why, now())?
            }
            "withdraw" => {
                one_of(&[], "")?;
                runtime.kernel.withdraw(id, &actor, now())?
            }
            other => {
                let detail = format!("what waits takes approve, reject or withdraw, not {other:?}");
                return Err(Problem::not_found(detail));
            }
        };
        let refused = |refusal: Box<Refusal>| Problem::refused(&[*refusal]);
        let entry = ended.map_err(refused)?;
        runtime.notifier.notify();
        let became = if what == "reject" {
            "rejected"
        } else {
            "withdrawn"
        };
        Ok(ok(
            &json!({ "id": id.to_string(), "became": became, "entry": entry }),
        ))
    })
    .await
}

fn approved(committed: Committed) -> Answer {
    match committed {
        Committed::Stored(receipt) => {
            let commit = kjerne_wire::receipt(&receipt);
            Ok(ok(
                &json!({ "became": "stored", "entry": receipt.entry, "commit": commit }),
            ))
        }
        Committed::Waits(waiting) if waiting.renewed => Err(Problem::new(
            StatusCode::CONFLICT,
            "changed-since",
            "What waits has changed since it was asked for",
            "records it is about, or the rules that ask, have changed since; nothing was approved, and what \
             was approved before counts no longer: look at it as it is now, and approve again",
        )),
        Committed::Waits(waiting) => Ok(waits(&waiting, false)),
    }
}

/// Who may approve, by role.
pub(crate) async fn approvers(State(app): State<App>) -> Answer {
    app.run(|runtime| {
        let all = rows::list(&*runtime.store.snapshot()?)?;
        let row = |(role, who): &(String, Actor)| json!({ "role": role, "actor": who.to_string() });
        Ok(ok(
            &json!({ "approvers": all.iter().map(row).collect::<Vec<_>>() }),
        ))
    })
    .await
}

/// Puts somebody in a role: `{"role": ROLE, "actor": "user:NAME"}`.
pub(crate) async fn add_approver(
    State(app): State<App>,
    Extension(actor): Who,
    JsonBody(body): JsonBody,
) -> Answer {
    app.act(actor, move |acts| {
        let body = kjerne_wire::object(&body, &["role", "actor"])?;
        let role = kjerne_wire::optional_text(body, "role")?;
        let who = kjerne_wire::optional_text(body, "actor")?;
        let (Some(role), Some(who)) = (role, who) else {
            let detail = "who, and in which role? Say {\"role\": ROLE, \"actor\": \"user:NAME\"}";
            return Err(Problem::bad_request(detail));
        };
        acts.add_approver(role, who)?;
        Ok(json!({ "role": role, "actor": who }))
    })
    .await
}

/// Takes somebody out of a role.
pub(crate) async fn remove_approver(
    State(app): State<App>,
    Extension(actor): Who,
    Path((role, who)): Path<(String, String)>,
) -> Answer {
    app.act(actor, move |acts| {
        acts.remove_approver(&role, &who)?;
        Ok(json!({ "role": role, "actor": who }))
    })
    .await
}
