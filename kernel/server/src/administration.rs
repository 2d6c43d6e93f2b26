//! Plugins installed, granted, switched on and set.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use kjerne_host::grants::Grant;
use kjerne_model::Actor;
use kjerne_store::registry::PluginRow;
use kjerne_workspace::Runtime;
use kjerne_workspace::administration::{Administration, Placed};
use kjerne_workspace::runtime::now;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, json, ok};
use crate::problem::Problem;
use crate::request::{JsonBody, PackageBody, SettingsBody};

fn acts(runtime: &Runtime, actor: Actor) -> Administration<'_> {
    Administration::new(runtime, actor, now())
}

fn placed(placed: &Placed) -> Json {
    let missing: Vec<String> = placed.missing.iter().map(Grant::to_string).collect();
    let mut json = kjerne_wire::plugin_row(&placed.row);
    json["before"] = json!(placed.before);
    json["missing"] = json!(missing);
    json
}

fn settings_of(row: &PluginRow) -> Json {
    json!({ "plugin": row.id, "revision": row.revision, "settings": row.settings })
}

/// Installs a plugin's file, or upgrades to it.
pub(crate) async fn install(
    State(app): State<App>,
    Extension(actor): Who,
    PackageBody(bytes): PackageBody,
) -> Answer {
    app.run(move |runtime| {
        let done = acts(runtime, actor).install(&bytes)?;
        Ok(json(StatusCode::CREATED, &placed(&done)))
    })
    .await
}

/// Takes an earlier version back: `{"to"?: VERSION}`.
pub(crate) async fn roll_back(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.run(move |runtime| {
        let to = kjerne_wire::optional_text(kjerne_wire::object(&body, &["to"])?, "to")?;
        let done = acts(runtime, actor).roll_back(&plugin, to)?;
        Ok(ok(&placed(&done)))
    })
    .await
}

/// Grants items: `{"items"?: [...], "all_declared"?: true}`.
pub(crate) async fn grant(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.run(move |runtime| {
        let body = kjerne_wire::object(&body, &["items", "all_declared"])?;
        let items = kjerne_wire::optional_texts(body, "items")?;
        let all = kjerne_wire::optional_flag(body, "all_declared")?;
        if items.is_empty() && !all {
            return Err(Problem::bad_request(format!(
                "what? Name items, or say --all-declared; kjerne plugin inspect {plugin} shows \
                 what it asks for"
            )));
        }
        let done = acts(runtime, actor).grant(&plugin, &items, all)?;
        Ok(ok(&placed(&done)))
    })
    .await
}

/// Takes grants back: `{"items"?: [...], "all"?: true}`.
pub(crate) async fn revoke(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.run(move |runtime| {
        let body = kjerne_wire::object(&body, &["items", "all"])?;
        let items = kjerne_wire::optional_texts(body, "items")?;
        let all = kjerne_wire::optional_flag(body, "all")?;
        if items.is_empty() && !all {
            return Err(Problem::bad_request("what? Name items, or say --all"));
        }
        let done = acts(runtime, actor).revoke(&plugin, &items, all)?;
        Ok(ok(&placed(&done)))
    })
    .await
}

/// Switches a plugin on: `{"bind"?: true, "from_start"?: true}`.
pub(crate) async fn enable(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.run(move |runtime| {
        let body = kjerne_wire::object(&body, &["bind", "from_start"])?;
        let bind = kjerne_wire::optional_flag(body, "bind")?;
        let from_start = kjerne_wire::optional_flag(body, "from_start")?;
        let done = acts(runtime, actor).enable(&plugin, bind, from_start)?;
        Ok(ok(&placed(&done)))
    })
    .await
}

/// Switches a plugin off.
pub(crate) async fn disable(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
) -> Answer {
    app.run(move |runtime| {
        let row = acts(runtime, actor).disable(&plugin)?;
        Ok(ok(&kjerne_wire::plugin_row(&row)))
    })
    .await
}

/// Removes a plugin with its state and its files.
pub(crate) async fn remove(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
) -> Answer {
    app.run(move |runtime| {
        let row = acts(runtime, actor).remove(&plugin)?;
        Ok(ok(&kjerne_wire::plugin_row(&row)))
    })
    .await
}

/// A plugin's settings.
pub(crate) async fn settings(State(app): State<App>, Path(plugin): Path<String>) -> Answer {
    app.run(move |runtime| Ok(ok(&settings_of(&runtime.plugins().row(&plugin)?))))
        .await
}

/// Sets a plugin's settings from the text of a TOML file.
pub(crate) async fn set_settings(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
    SettingsBody(text): SettingsBody,
) -> Answer {
    app.run(move |runtime| {
        let row = acts(runtime, actor).set_settings(&plugin, Some(text))?;
        Ok(ok(&settings_of(&row)))
    })
    .await
}

/// Brings back the settings a plugin was delivered with.
pub(crate) async fn reset_settings(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
) -> Answer {
    app.run(move |runtime| {
        let row = acts(runtime, actor).set_settings(&plugin, None)?;
        Ok(ok(&settings_of(&row)))
    })
    .await
}
