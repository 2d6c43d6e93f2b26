//! How the workspace does: costs, logs, what waits and what is parked, and whether it is sound.

use std::ops::ControlFlow;

use axum::Extension;
use axum::extract::State;
use kjerne_core::Progress;
use kjerne_store::{costs as cost_rows, outbox as messages};
use kjerne_workspace::plugin_log;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, ok};
use crate::problem::Problem;
use crate::request::{Path, Words};

const PLUGIN: &[&str] = &["plugin"];

/// What plugins cost, by day, version and role.
pub(crate) async fn costs(State(app): State<App>, words: Words) -> Answer {
    words.only(&[PLUGIN])?;
    app.run(move |runtime| {
        runtime.flush_costs()?;
        let rows = cost_rows::list(&*runtime.store.snapshot()?, None)?;
        let wanted = words.get(PLUGIN);
        let rows = rows
            .iter()
            .filter(|row| wanted.is_none_or(|plugin| row.plugin == plugin));
        let costs: Vec<Json> = rows.map(kjerne_wire::cost).collect();
        Ok(ok(&json!({ "costs": costs })))
    })
    .await
}

/// What a plugin has logged.
pub(crate) async fn logs(State(app): State<App>, Path(plugin): Path<String>) -> Answer {
    app.run(move |runtime| {
        runtime.plugins().row(&plugin)?;
        runtime.flush_costs()?;
        let text = plugin_log::read(&runtime.workspace, &plugin)?;
        let lines: Vec<&str> = text.lines().collect();
        Ok(ok(&json!({ "plugin": plugin, "lines": lines })))
    })
    .await
}

/// The messages that wait to be delivered, and those given up.
pub(crate) async fn outbox(State(app): State<App>, words: Words) -> Answer {
    words.only(&[])?;
    app.run(|runtime| {
        let on = runtime.plugins().rows()?.into_iter();
        let on: Vec<String> = on.filter(|row| row.enabled).map(|row| row.id).collect();
        let mut rows = Vec::new();
        messages::list(&*runtime.store.snapshot()?, 0, &mut |row| {
            let mut shown = kjerne_wire::message(&row);
            let waits = !row.gave_up && !on.contains(&row.plugin);
            shown["plugin_off"] = Json::Bool(waits);
            rows.push(shown);
            ControlFlow::Continue(())
        })?;
        Ok(ok(&json!({ "messages": rows })))
    })
    .await
}

/// The journal entries plugins gave up on.
pub(crate) async fn parked(State(app): State<App>, words: Words) -> Answer {
    words.only(&[PLUGIN])?;
    app.run(move |runtime| {
        let rows = runtime.kernel.parked()?;
        let wanted = words.get(PLUGIN);
        let rows = rows
            .iter()
            .filter(|row| wanted.is_none_or(|plugin| row.plugin == plugin));
        let parked: Vec<Json> = rows.map(kjerne_wire::parked).collect();
        Ok(ok(&json!({ "parked": parked })))
    })
    .await
}

/// Has a parked entry tried again (`retry`), or forgotten (`skip`).
pub(crate) async fn unpark(
    State(app): State<App>,
    Extension(actor): Who,
    Path((plugin, role, entry, what)): Path<(String, String, u64, String)>,
) -> Answer {
    app.act(actor, move |acts| {
        let (became, why) = match what.as_str() {
            "skip" => {
                acts.skip_parked(&plugin, &role, entry)?;
                ("skipped", None)
            }
            "retry" => match acts.retry_parked(&plugin, &role, entry)? {
                Progress::Moved { .. } | Progress::Idle => ("done", None),
                Progress::Waiting { .. } => ("busy", None),
                Progress::Busy { error, .. } => ("busy", Some(error)),
                Progress::Failed { error, .. } | Progress::Parked { error, .. } => {
                    ("parked", Some(error))
                }
            },
            other => {
                let detail = format!("a parked entry takes retry or skip, not {other:?}");
                return Err(Problem::not_found(detail));
            }
        };
        Ok(json!({
            "plugin": plugin, "role": role, "entry": entry, "became": became, "error": why,
        }))
    })
    .await
}

/// Checks records, indexes and journal against each other, as of one moment.
pub(crate) async fn verify(State(app): State<App>) -> Answer {
    app.sweep(|runtime, reader| {
        let report = kjerne_store::verify(&reader, runtime.kernel.schema())?;
        Ok(ok(&json!({
            "records": report.records,
            "index_entries": report.index_entries,
            "unique_entries": report.unique_entries,
            "journal_entries": report.entries,
            "history_rows": report.history_rows,
            "faults": report.faults.len() as u64 + report.more_faults,
            "first_faults": report.faults,
        })))
    })
    .await
}
