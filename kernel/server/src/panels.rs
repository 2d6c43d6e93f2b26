//! Panels: what plugins show beside a record, or on the day's page. One that fails stands beside the others.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use kjerne_core::{Call, Reader};
use kjerne_model::{Actor, Reference};
use kjerne_workspace::Runtime;
use kjerne_workspace::queries;
use kjerne_workspace::runtime::now;
use kjerne_workspace::screens::{self, Shown};
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, ok};
use crate::problem::Problem;
use crate::request::Path;

/// The panels of the day.
pub(crate) async fn today(State(app): State<App>, Extension(actor): Who) -> Answer {
    app.query(move |runtime, reader| Ok(ok(&all(runtime, reader, actor, None)?)))
        .await
}

/// The panels beside a record.
pub(crate) async fn about(
    State(app): State<App>,
    Extension(actor): Who,
    Path((kind, id)): Path<(String, String)>,
) -> Answer {
    app.query(move |runtime, reader| {
        let about = queries::record(&runtime.kernel, &kind, &id)?.reference();
        Ok(ok(&all(runtime, reader, actor, Some(&about))?))
    })
    .await
}

fn all(
    runtime: &Runtime,
    reader: Reader,
    actor: Actor,
    about: Option<&Reference>,
) -> Result<Json, Problem> {
    let call = Call {
        now: now(),
        actor,
        depth: 0,
        reader: Arc::new(reader),
    };
    let (shown, complete) = screens::panels(runtime, &call, about)?;
    let panels: Vec<Json> = shown.into_iter().map(panel).collect();
    Ok(json!({ "panels": panels, "complete": complete }))
}

fn panel(shown: Shown) -> Json {
    let (card, fault) = match shown.card {
        Ok(card) => (kjerne_wire::screens::card(&card), Json::Null),
        Err(error) => (Json::Null, Problem::from(error).json()),
    };
    json!({
        "plugin": shown.plugin,
        "panel": shown.panel.name,
        "label": shown.panel.label,
        "card": card,
        "fault": fault,
    })
}
