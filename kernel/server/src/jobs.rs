//! Jobs: what plugins do by the clock, how far each has come, and running one now.

use axum::Extension;
use axum::extract::State;
use kjerne_host::Job;
use kjerne_workspace::jobs::Standing;
use kjerne_workspace::runtime::now;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, ok};
use crate::request::Path;

/// The jobs of all plugins.
pub(crate) async fn list_all(State(app): State<App>) -> Answer {
    app.run(|runtime| Ok(ok(&listed(&runtime.jobs(None, now())?))))
        .await
}

/// The jobs of one plugin.
pub(crate) async fn list(State(app): State<App>, Path(plugin): Path<String>) -> Answer {
    app.run(move |runtime| Ok(ok(&listed(&runtime.jobs(Some(&plugin), now())?))))
        .await
}

/// Runs a job now, out of its turn.
pub(crate) async fn run(
    State(app): State<App>,
    Extension(actor): Who,
    Path((plugin, job)): Path<(String, String)>,
) -> Answer {
    app.run(move |runtime| {
        let receipt = runtime.run_job_now(&plugin, &job, &actor, now())?;
        Ok(ok(&json!({
            "plugin": plugin,
            "job": job,
            "commit": receipt.as_ref().map(kjerne_wire::receipt),
        })))
    })
    .await
}

fn listed(standings: &[Standing]) -> Json {
    json!({ "jobs": standings.iter().map(standing).collect::<Vec<_>>() })
}

/// A job as its manifest has it.
pub(crate) fn declared(job: &Job) -> Json {
    json!({
        "name": job.name,
        "label": job.label,
        "cron": job.timetable.line(),
        "zone": job.timetable.zone(),
    })
}

fn standing(standing: &Standing) -> Json {
    let mut shown = declared(&standing.job);
    let row = standing.row.as_ref();
    let last = row.and_then(|row| row.last.as_ref());
    shown["plugin"] = json!(standing.plugin);
    shown["state"] = json!(standing.state.name());
    shown["next"] = json!(standing.next.map(|next| next.to_string()));
    shown["missed"] = json!(standing.missed);
    shown["last"] = match last {
        Some(last) => json!({
            "at": last.at.to_string(),
            "due": last.due.at.to_string(),
            "missed": last.due.missed,
        }),
        None => Json::Null,
    };
    shown["tries"] = json!(row.map_or(0, |row| row.tries));
    shown["error"] = json!(row.and_then(|row| row.error.as_deref()));
    shown["parked"] = match row.and_then(|row| row.parked) {
        Some(parked) => json!({ "due": parked.at.to_string(), "missed": parked.missed }),
        None => Json::Null,
    };
    shown
}
