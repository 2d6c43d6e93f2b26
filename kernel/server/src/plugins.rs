//! Plugins: which there are, their commands, and what comes in for them from other systems.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use kjerne_core::Ask;
use serde_json::json;

use crate::app::{Answer, App, Who, ok};
use crate::approvals;
use crate::budgets::set_aside;
use crate::chain;
use crate::headers::{key, no_precondition, single};
use crate::inspect::{Inspected, listed};
use crate::request::{InboundBody, JsonBody, Path};
use kjerne_workspace::requests;
use kjerne_workspace::runtime::now;

/// The installed plugins.
pub(crate) async fn list(State(app): State<App>) -> Answer {
    app.run(|runtime| {
        let mut plugins = listed(runtime.plugins())?;
        let aside = runtime.host.set_aside();
        for plugin in &mut plugins {
            plugin["set_aside"] = set_aside(&aside, plugin["id"].as_str().unwrap_or_default());
        }
        Ok(ok(&json!({ "plugins": plugins })))
    })
    .await
}

/// One plugin: what it is, asks for and may do.
pub(crate) async fn show(State(app): State<App>, Path(plugin): Path<String>) -> Answer {
    app.run(move |runtime| {
        let inspected = Inspected::installed(runtime.plugins(), &plugin)?;
        let mut json = inspected.json(runtime.kernel.schema());
        json["set_aside"] = set_aside(&runtime.host.set_aside(), &plugin);
        Ok(ok(&json))
    })
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
    let sent_as = single(&headers, &HeaderName::from_static("webhook-id"))?.map(str::to_owned);
    let key = key(&headers)?.or(sent_as);
    let link = chain::link(&headers)?;
    app.run(move |runtime| {
        let ask = Ask {
            link,
            actor,
            now: now(),
            key,
        };
        let InboundBody {
            content_type,
            headers,
            body,
            room: _kept_until_it_is_taken,
        } = message;
        let message = requests::Inbound {
            source,
            content_type,
            headers,
            body,
        };
        let performed = requests::inbound(runtime, &plugin, &ask, message)?;
        let reply = kjerne_wire::reply(&performed.reply);
        Ok(match &performed.waits {
            Some(waiting) => approvals::placed(waiting, &reply),
            None => ok(&reply),
        })
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
    no_precondition(&headers)?;
    let key = key(&headers)?;
    let link = chain::link(&headers)?;
    app.run(move |runtime| {
        let ask = Ask {
            link,
            actor,
            now: now(),
            key,
        };
        let done = requests::action(
            runtime,
            &plugin,
            &command,
            &ask,
            &kjerne_wire::arguments(&body)?,
        )?;
        let mut told = json!({
            "reply": kjerne_wire::reply(&done.reply),
            "commit": done.receipt.as_ref().map(kjerne_wire::receipt),
        });
        Ok(match &done.waits {
            Some(waiting) => {
                told["waits"] = kjerne_wire::waiting(waiting);
                approvals::placed(waiting, &told)
            }
            None => ok(&told),
        })
    })
    .await
}
