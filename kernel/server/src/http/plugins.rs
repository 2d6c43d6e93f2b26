//! Plugins: which there are, their commands, and what comes in for them from other systems.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName};
use kjerne_core::Ask;
use serde_json::json;

use super::request::{InboundBody, JsonBody, key, text};
use super::{Answer, App, Who, ok};
use crate::runtime::now;
use crate::{tasks, wire};

/// The installed plugins.
pub(crate) async fn list(State(app): State<App>) -> Answer {
    app.run(|runtime| {
        let listed = tasks::plugins(runtime.shelf())?;
        Ok(ok(&json!({ "plugins": wire::plugins(&listed) })))
    })
    .await
}

/// One plugin: what it is, asks for and may do.
pub(crate) async fn show(State(app): State<App>, Path(plugin): Path<String>) -> Answer {
    app.run(move |runtime| Ok(ok(&tasks::inspect_installed(runtime.shelf(), &plugin)?.json)))
        .await
}

/// A message from another system. Its own id keeps a repeated delivery from being taken twice.
pub(crate) async fn inbound(
    State(app): State<App>,
    Extension(actor): Who,
    Path((plugin, source)): Path<(String, String)>,
    headers: HeaderMap,
    message: InboundBody,
) -> Answer {
    let sent_as = text(&headers, &HeaderName::from_static("webhook-id")).map(str::to_owned);
    let key = key(&headers).or(sent_as);
    app.run(move |runtime| {
        let ask = Ask {
            actor,
            now: now(),
            key,
        };
        let InboundBody {
            content_type,
            headers,
            body,
        } = message;
        let message = tasks::Inbound {
            source,
            content_type,
            headers,
            body,
        };
        let performed = tasks::inbound(runtime, &plugin, &ask, message)?;
        Ok(ok(&wire::reply(&performed.reply)))
    })
    .await
}

/// A plugin's command: `{"arguments": {...}}`.
pub(crate) async fn action(
    State(app): State<App>,
    Extension(actor): Who,
    Path((plugin, command)): Path<(String, String)>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Answer {
    app.run(move |runtime| {
        let ask = Ask {
            actor,
            now: now(),
            key: key(&headers),
        };
        let done = tasks::action(runtime, &plugin, &command, &ask, &wire::arguments(&body)?)?;
        Ok(ok(&json!({
            "reply": wire::reply(&done.reply),
            "commit": done.receipt.as_ref().map(wire::receipt),
        })))
    })
    .await
}
