//! Reports over the whole workspace, each read from the records as they are now: the two that are built in, and
//! those of plugins.

use crate::figures::{StageFigures, Targets, figures};
use axum::Extension;
use axum::extract::State;
use kjerne_core::{Call, Reader, Role};
use kjerne_model::{Actor, Instant};
use kjerne_workspace::Runtime;
use kjerne_workspace::runtime::now;
use kjerne_workspace::screens;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, ok};
use crate::inspect;
use crate::listing::{Listing, rest};
use crate::problem::Problem;
use crate::request::{Path, Words};

use std::collections::BTreeMap;
use std::sync::Arc;

/// The reports that are built in, with what people call them.
const BUILT_IN: [(&str, &str); 2] = [
    ("pipeline", "Opportunities by stage"),
    ("service-levels", "Service targets by priority"),
];

/// The word behind the `?` that is no argument of a report.
const CURSOR: &[&str] = &["cursor"];

/// All reports: the built-in ones, and those of the plugins that run.
pub(crate) async fn list(State(app): State<App>, words: Words) -> Answer {
    words.only(&[])?;
    app.run(|runtime| {
        let mut reports: Vec<Json> = BUILT_IN
            .iter()
            .map(|(name, label)| json!({ "plugin": null, "name": name, "label": label }))
            .collect();
        let plugins = screens::reports(runtime);
        reports.extend(
            plugins
                .iter()
                .map(|(plugin, report)| inspect::report(plugin, report)),
        );
        Ok(ok(&json!({ "reports": reports })))
    })
    .await
}

/// A page of a plugin's report; the words behind the `?` are its arguments.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(actor): Who,
    Path((plugin, name)): Path<(String, String)>,
    words: Words,
) -> Answer {
    let (arguments, cursor) = (words.all_but(CURSOR)?, words.get(CURSOR).map(str::to_owned));
    app.query(move |runtime, reader| {
        let call = call(actor, reader);
        let of = (plugin.as_str(), name.as_str());
        let read = screens::page(runtime, &call, of, &arguments, cursor.as_deref())?;
        let columns: Vec<&str> = read
            .report
            .columns
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        let mut listing = Listing::new("rows");
        for row in kjerne_wire::screens::rows(&columns, &read.page.rows) {
            listing.add(&row);
        }
        let report = inspect::report(&plugin, &read.report);
        Ok(listing.end(rest([
            ("columns", report["columns"].clone()),
            ("chart", report["chart"].clone()),
            ("next", json!(read.next)),
            ("journal", json!(read.journal)),
            ("moved", json!(read.moved)),
            ("more", kjerne_wire::reply(&read.page.more)),
        ])))
    })
    .await
}

fn call(actor: Actor, reader: Reader) -> Call {
    Call {
        now: now(),
        actor,
        depth: 0,
        reader: Arc::new(reader),
    }
}

/// The built-in report of that name.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(actor): Who,
    Path(report): Path<String>,
) -> Answer {
    app.query(move |runtime, reader| match report.as_str() {
        "pipeline" => Ok(ok(&pipeline_of(runtime, Arc::new(reader), actor, now())?)),
        "service-levels" => Ok(ok(&service_levels_of(&reader, now())?)),
        other => Err(Problem::not_found(format!(
            "there is no report {other:?}; there are pipeline and service-levels, and those of plugins at \
             /v1/reports"
        ))),
    })
    .await
}

/// The opportunities by stage, with how far the customers are with their own jobs.
///
/// # Errors
/// When the records cannot be read or the model of the stages fails.
pub fn pipeline(runtime: &Runtime, actor: Actor, at: Instant) -> Result<Json, Problem> {
    pipeline_of(runtime, Arc::new(runtime.kernel.reader()?), actor, at)
}

fn pipeline_of(
    runtime: &Runtime,
    reader: Arc<Reader>,
    actor: Actor,
    at: Instant,
) -> Result<Json, Problem> {
    let figures = figures(&reader, &["opportunity"], at)?;
    let mut rest = figures.stages;
    let mut rows = Vec::new();
    for (name, label) in stages(runtime, reader, actor, at)? {
        if let Some(stage) = rest.remove(&name) {
            rows.push(stage_json(&name, &label, &stage));
        }
    }
    // Those no pipeline has stand behind, under their own names.
    rows.extend(
        rest.iter()
            .map(|(name, stage)| stage_json(name, name, stage)),
    );
    Ok(json!({ "pipeline": rows, "complete": !figures.cut }))
}

fn stage_json(name: &str, label: &str, stage: &StageFigures) -> Json {
    json!({
        "stage": name,
        "label": label,
        "count": stage.count,
        "value_minor": sums(&stage.value),
        "weighted_minor": sums(&stage.weighted),
        "buying_progress_percent": stage.mean(stage.progress),
        "gap_points": stage.mean(stage.gap),
        "no_decision_at_risk": stage.at_risk,
        "assessed": stage.assessed,
    })
}

/// Amounts in minor units, by currency.
/// Sums of amounts are larger than amounts can be; a number that readers would round is told as text.
fn sums(by_currency: &BTreeMap<String, i128>) -> Json {
    let told = |sum: i128| match i64::try_from(sum) {
        Ok(sum) => kjerne_wire::whole(sum),
        Err(_) => Json::String(sum.to_string()),
    };
    let sums = by_currency.iter();
    Json::Object(
        sums.map(|(currency, sum)| (currency.clone(), told(*sum)))
            .collect(),
    )
}

/// The stages in the order of the bound model's pipelines, each once; none when no model is bound.
fn stages(
    runtime: &Runtime,
    reader: Arc<Reader>,
    actor: Actor,
    now: Instant,
) -> Result<Vec<(String, String)>, Problem> {
    if runtime.host.bound(Role::SalesStages).is_none() {
        return Ok(Vec::new());
    }
    let call = Call {
        now,
        actor,
        depth: 0,
        reader,
    };
    let mut stages: Vec<(String, String)> = Vec::new();
    for stage in runtime
        .host
        .pipelines(&call)?
        .into_iter()
        .flat_map(|one| one.stages)
    {
        if !stages.iter().any(|(name, _)| *name == stage.name) {
            stages.push((stage.name, stage.label));
        }
    }
    Ok(stages)
}

/// The targets of cases, by priority: met, missed, running.
///
/// # Errors
/// When the records cannot be read.
pub fn service_levels(runtime: &Runtime, at: Instant) -> Result<Json, Problem> {
    service_levels_of(&runtime.kernel.reader()?, at)
}

fn service_levels_of(reader: &Reader, at: Instant) -> Result<Json, Problem> {
    let figures = figures(reader, &["case"], at)?;
    Ok(json!({
        "first_response": targets(&figures.first_response),
        "resolution": targets(&figures.resolution),
        "escalations": figures.escalations,
        "complete": !figures.cut,
    }))
}

fn targets(by_priority: &BTreeMap<String, Targets>) -> Json {
    let rows = by_priority.iter().map(|(priority, t)| {
        let figures = json!({ "met": t.met, "missed": t.missed, "running": t.running });
        (priority.clone(), figures)
    });
    Json::Object(rows.collect())
}
