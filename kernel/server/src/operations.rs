//! How the workspace does: costs, logs, what waits and what is parked, and whether it is sound.

use std::ops::ControlFlow;

use axum::Extension;
use axum::extract::State;
use kjerne_core::Progress;
use kjerne_model::Date;
use kjerne_store::costs::CostRow;
use kjerne_store::{costs as cost_rows, outbox as messages};
use kjerne_workspace::cost_report::{By, together};
use kjerne_workspace::plugin_log;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, ok};
use crate::problem::Problem;
use crate::request::{Path, Words};

const PLUGIN: &[&str] = &["plugin"];
const SINCE: &[&str] = &["since"];
const BY: &[&str] = &["by"];

/// What plugins cost, from a day on, brought together by what is asked for.
pub(crate) async fn costs(State(app): State<App>, words: Words) -> Answer {
    words.only(&[PLUGIN, SINCE, BY])?;
    let since = words.get(SINCE).map(|text| {
        Date::parse(text).map_err(|error| {
            Problem::bad_request(format!("since: {error}; name a day: 2026-03-02"))
        })
    });
    let since = since.transpose()?;
    let by = words.get(BY).unwrap_or("day");
    let by = By::read(by).ok_or_else(|| {
        let names = By::ALL.map(By::name).join(", ");
        Problem::bad_request(format!("by: {by:?} is none of {names}"))
    })?;
    app.run(move |runtime| {
        runtime.flush_costs()?;
        let rows = cost_rows::list(&*runtime.store.snapshot()?, since)?;
        let wanted = words.get(PLUGIN);
        let rows = rows
            .into_iter()
            .filter(|row| wanted.is_none_or(|plugin| row.plugin == plugin));
        let shown = |row: &CostRow| match by {
            By::Day => kjerne_wire::dated_cost(row),
            _ => kjerne_wire::cost(row),
        };
        let costs: Vec<Json> = together(rows, by).iter().map(shown).collect();
        Ok(ok(&json!({ "costs": costs, "by": by.name() })))
    })
    .await
}

/// What plugins cost within the last minute, what took the most time first.
pub(crate) async fn recent_costs(State(app): State<App>, words: Words) -> Answer {
    words.only(&[PLUGIN])?;
    app.run(move |runtime| {
        let mut rows = runtime.recent_costs();
        rows.retain(|row| words.get(PLUGIN).is_none_or(|plugin| row.plugin == plugin));
        rows.sort_by_key(|row| std::cmp::Reverse(row.spent.micros));
        let costs: Vec<Json> = rows.iter().map(kjerne_wire::cost).collect();
        Ok(ok(&json!({ "costs": costs, "seconds": 60 })))
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

/// The journal entries plugins gave up on, and those that are aside: tried again, or behind such a one.
pub(crate) async fn parked(State(app): State<App>, words: Words) -> Answer {
    words.only(&[PLUGIN])?;
    app.run(move |runtime| {
        let rows = runtime.kernel.parked()?;
        let wanted = words.get(PLUGIN);
        let rows = rows
            .iter()
            .filter(|row| wanted.is_none_or(|plugin| row.plugin == plugin));
        let parked: Vec<Json> = rows.map(kjerne_wire::parked).collect();
        let aside = runtime.kernel.aside()?;
        let aside = aside
            .iter()
            .filter(|(plugin, ..)| wanted.is_none_or(|wanted| plugin == wanted));
        let aside = aside.flat_map(|(plugin, role, rows)| {
            rows.iter().map(|row| kjerne_wire::aside(plugin, role, row))
        });
        let aside: Vec<Json> = aside.collect();
        Ok(ok(&json!({ "parked": parked, "aside": aside })))
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
