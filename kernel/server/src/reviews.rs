//! A version of a plugin that waits: what it would change, and whether it takes its place.

use axum::Extension;
use axum::extract::State;
use kjerne_core::Role;
use kjerne_host::limits::Budget;
use kjerne_host::{Change, Declared, Difference, Manifest};
use kjerne_model::Name;
use kjerne_workspace::administration::review::Review;
use serde_json::{Value as Json, json};

use crate::administration::placed;
use crate::app::{Answer, App, Who, ok};
use crate::inspect::signature;
use crate::request::{JsonBody, Path};

/// Both sides of a difference, each item shown in one way.
fn both<T>(change: &Change<T>, show: impl Fn(&T) -> Json) -> Json {
    let shown = |items: &[T]| items.iter().map(&show).collect::<Vec<_>>();
    json!({ "added": shown(&change.added), "dropped": shown(&change.dropped) })
}

fn declared(one: &Declared) -> Json {
    json!({ "allow": one.allow.to_string(), "reason": one.reason, "optional": one.optional })
}

/// A role with the most one of its calls may use.
fn role(role: &Role) -> Json {
    let budget = Budget::of(*role, 1, 20);
    json!({
        "role": role.name(),
        "limits": {
            "fuel": budget.fuel,
            "wall_ms": budget.wall_ms,
            "memory": budget.memory,
            "host_calls": budget.host_calls,
        },
    })
}

fn watch((role, kind): &(Role, Option<Name>)) -> Json {
    json!({ "role": role.name(), "kind": kind.as_ref().map(Name::as_str) })
}

fn difference(difference: &Difference) -> Json {
    json!({
        "grants": both(&difference.grants, declared),
        "roles": both(&difference.roles, role),
        "watches": both(&difference.watches, watch),
        "sources": both(&difference.sources, |text| json!(text)),
        "jobs": both(&difference.jobs, |text| json!(text)),
        "actions": both(&difference.actions, |text| json!(text)),
        "settings": both(&difference.settings, |text| json!(text)),
    })
}

/// What the new version would keep of what was granted.
fn kept(manifest: &Manifest, granted: &[String]) -> Vec<String> {
    let asked = |item: &&String| {
        let declared = manifest.declared();
        let parsed = kjerne_host::grants::Grant::parse(item);
        parsed.is_ok_and(|item| declared.iter().any(|one| one.covers(&item)))
    };
    granted.iter().filter(asked).cloned().collect()
}

/// A file's hash as other tools write it.
fn hex(digest: &[u8]) -> String {
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// What a version that waits would change, item by item.
pub(crate) async fn show(State(app): State<App>, Path(plugin): Path<String>) -> Answer {
    app.run(move |runtime| {
        let review = Review::of(runtime.plugins(), &plugin)?;
        let manifest = &review.package.manifest;
        let made = runtime.plugins().made(&review.row)?;
        Ok(ok(&json!({
            "plugin": plugin,
            "present": {
                "version": review.row.version,
                "enabled": review.row.enabled,
                "signature": signature(made.signer.as_ref(), made.standing),
            },
            "next": {
                "version": manifest.version,
                "description": manifest.description,
                "signature": signature(review.waiting.origin.signer.as_ref(), None),
                "bytes": review.package.bytes().len(),
                "hash": hex(&review.package.digest),
            },
            "since": review.waiting.since.to_string(),
            "granted": kept(manifest, &review.row.grants),
            "difference": review.difference.as_ref().map(difference),
        })))
    })
    .await
}

/// Has it take its place: `{"version"?: VERSION, "items"?: [...], "all_declared"?: true}`.
pub(crate) async fn accept(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.act(actor, move |acts| {
        let body = kjerne_wire::object(&body, &["version", "items", "all_declared"])?;
        let version = kjerne_wire::optional_text(body, "version")?;
        let items = kjerne_wire::optional_texts(body, "items")?;
        let all = kjerne_wire::optional_flag(body, "all_declared")?;
        Ok(placed(&acts.accept(&plugin, version, &items, all)?))
    })
    .await
}

/// Forgets it; the version in use stays.
pub(crate) async fn reject(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
) -> Answer {
    app.act(actor, move |acts| Ok(placed(&acts.reject(&plugin)?)))
        .await
}
