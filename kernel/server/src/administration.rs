//! Plugins installed, granted, switched on and set.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use kjerne_host::grants::Grant;
use kjerne_store::registry::PluginRow;
use kjerne_workspace::administration::Placed;
use kjerne_workspace::runtime::now;
use kjerne_workspace::{Administration, Offer};
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, json as json_with, ok};
use crate::inspect::made;
use crate::problem::Problem;
use crate::request::{JsonBody, PackageBody, Path, SettingsBody, Words};

pub(crate) fn placed(placed: &Placed) -> Json {
    let texts = |items: &[Grant]| items.iter().map(Grant::to_string).collect::<Vec<_>>();
    let mut json = kjerne_wire::plugin_row(&placed.row);
    made(&mut json, &placed.made);
    json["pinned"] = json!(placed.pinned.is_some());
    if let Some((version, reasons)) = &placed.waits {
        json["waits"] = json!({ "version": version, "for": reasons });
    }
    json["before"] = json!(placed.before);
    json["missing"] = json!(texts(&placed.missing));
    json["needed"] = json!(texts(&placed.needed));
    json["unknown"] = json!(placed.unknown);
    json
}

fn settings_of(row: &PluginRow) -> Json {
    json!({ "plugin": row.id, "revision": row.revision, "settings": row.settings })
}

/// Installs a plugin's file, or upgrades to it; an upgrade that waits to be looked at answers 202.
pub(crate) async fn install(
    State(app): State<App>,
    Extension(actor): Who,
    words: Words,
    body: PackageBody,
) -> Answer {
    words.only(&[&["unsigned"]])?;
    let unsigned = words.flag(&["unsigned"])?;
    app.run(move |runtime| {
        let offer = Offer {
            bytes: &body.bytes,
            signature: body.signature.as_deref(),
            succession: body.succession.as_deref(),
            public_key: body.public_key.as_deref(),
            unsigned,
        };
        let done = Administration::new(runtime, actor, now()).install(&offer)?;
        let status = match done.waits {
            Some(_) => StatusCode::ACCEPTED,
            None => StatusCode::OK,
        };
        Ok(json_with(status, &placed(&done)))
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
    app.act(actor, move |acts| {
        let to = kjerne_wire::optional_text(kjerne_wire::object(&body, &["to"])?, "to")?;
        Ok(placed(&acts.roll_back(&plugin, to)?))
    })
    .await
}

/// Grants items: `{"items"?: [...], "groups"?: [...], "all_declared"?: true}`.
pub(crate) async fn grant(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.act(actor, move |acts| {
        let body = kjerne_wire::object(&body, &["items", "groups", "all_declared"])?;
        let items = kjerne_wire::optional_texts(body, "items")?;
        let groups = kjerne_wire::optional_texts(body, "groups")?;
        let all = kjerne_wire::optional_flag(body, "all_declared")?;
        if items.is_empty() && groups.is_empty() && !all {
            return Err(Problem::bad_request(format!(
                "what? Name items, or say --group or --all-declared; kjerne plugin inspect {plugin} shows \
                 what it asks for"
            )));
        }
        Ok(placed(&acts.grant(&plugin, &items, &groups, all)?))
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
    app.act(actor, move |acts| {
        let body = kjerne_wire::object(&body, &["items", "all"])?;
        let items = kjerne_wire::optional_texts(body, "items")?;
        let all = kjerne_wire::optional_flag(body, "all")?;
        if items.is_empty() && !all {
            return Err(Problem::bad_request("what? Name items, or say --all"));
        }
        Ok(placed(&acts.revoke(&plugin, &items, all)?))
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
    app.act(actor, move |acts| {
        let body = kjerne_wire::object(&body, &["bind", "from_start"])?;
        let bind = kjerne_wire::optional_flag(body, "bind")?;
        let from_start = kjerne_wire::optional_flag(body, "from_start")?;
        Ok(placed(&acts.enable(&plugin, bind, from_start)?))
    })
    .await
}

/// Switches a plugin off.
pub(crate) async fn disable(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
) -> Answer {
    app.act(actor, move |acts| {
        Ok(kjerne_wire::plugin_row(&acts.disable(&plugin)?))
    })
    .await
}

/// Removes a plugin with its state and its files.
pub(crate) async fn remove(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
) -> Answer {
    app.act(actor, move |acts| {
        Ok(kjerne_wire::plugin_row(&acts.remove(&plugin)?))
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
    app.act(actor, move |acts| {
        Ok(settings_of(&acts.set_settings(&plugin, Some(text))?))
    })
    .await
}

/// Brings back the settings a plugin was delivered with.
pub(crate) async fn reset_settings(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
) -> Answer {
    app.act(actor, move |acts| {
        Ok(settings_of(&acts.set_settings(&plugin, None)?))
    })
    .await
}
