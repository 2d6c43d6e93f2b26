//! What plugins do by the clock, on the command line.

use anyhow::Result;
use axum::body::Body;
use axum::http::Method;
use serde_json::Value as Json;

use super::cells::{cell, list as members, text};
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Report;
use crate::path::path;

/// The jobs of one plugin, or of all.
pub(super) fn list(context: &Context, plugin: Option<&str>) -> Result<Exit> {
    let place = match plugin {
        Some(plugin) => path(&["plugins", plugin, "jobs"]),
        None => path(&["jobs"]),
    };
    let answer = context.connect(Needs::Data)?.get(&place)?;
    let rows = members(&answer["jobs"]).map(row).collect();
    let columns = [
        "plugin", "job", "when", "last run", "next run", "state", "missed", "about it",
    ];
    context.print(&Report::new(&columns, rows, answer.clone()).with_whole_cells())
}

fn row(job: &Json) -> Vec<String> {
    let about = match job["parked"]["due"].as_str() {
        _ if job["error"].is_string() => text(job, "error").to_owned(),
        Some(due) => format!("the run of {due} is parked"),
        None => text(job, "label").to_owned(),
    };
    vec![
        text(job, "plugin").to_owned(),
        text(job, "name").to_owned(),
        format!("{} {}", text(job, "cron"), text(job, "zone")),
        cell(&job["last"]["at"]),
        cell(&job["next"]),
        text(job, "state").to_owned(),
        missed(job).to_string(),
        about,
    ]
}

/// What the next run will be told of, or what the last was.
fn missed(job: &Json) -> u64 {
    let next = job["missed"].as_u64().unwrap_or_default();
    let last = job["last"]["missed"].as_u64().unwrap_or_default();
    if next > 0 { next } else { last }
}

/// Runs a job now.
pub(super) fn run(context: &Context, plugin: &str, job: &str) -> Result<Exit> {
    let place = path(&["plugins", plugin, "jobs", job, "run"]);
    let mut connection = context.connect(Needs::Plugins)?;
    let sent = connection.send(Method::POST, &place, &[], Body::empty());
    let answer = sent?.json()?;
    connection.finish()?;
    let note = match answer["commit"]["entry"].as_u64() {
        Some(entry) => format!("{job} has run; journal entry {entry}"),
        None => format!("{job} has run; nothing changed"),
    };
    context.print(&Report::of_note(note, answer))
}
