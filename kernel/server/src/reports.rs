//! Reports over the whole workspace, each read from the records as they are now.

use axum::Extension;
use axum::extract::State;
use kjerne_core::{Call, Reader, Role};
use kjerne_model::{Actor, Instant};
use kjerne_workspace::Runtime;
use kjerne_workspace::figures::{StageFigures, Targets, figures};
use kjerne_workspace::runtime::now;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, ok};
use crate::problem::Problem;
use crate::request::Path;

use std::collections::BTreeMap;
use std::sync::Arc;

/// The report of that name.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(actor): Who,
    Path(report): Path<String>,
) -> Answer {
    app.query(move |runtime, reader| match report.as_str() {
        "pipeline" => Ok(ok(&pipeline_of(runtime, Arc::new(reader), actor, now())?)),
        "service-levels" => Ok(ok(&service_levels_of(&reader, now())?)),
        other => Err(Problem::not_found(format!(
            "there is no report {other:?}; there are: pipeline, service-levels"
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
fn sums(by_currency: &BTreeMap<String, i64>) -> Json {
    let sums = by_currency.iter();
    Json::Object(
        sums.map(|(currency, sum)| (currency.clone(), kjerne_wire::whole(*sum)))
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
