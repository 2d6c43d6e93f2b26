//! Publishers: whose keys are known here, and what they are worth.

use axum::Extension;
use axum::extract::State;
use kjerne_store::PublisherRow;
use kjerne_store::registry::PluginRow;
use kjerne_workspace::Result;
use kjerne_workspace::plugin_registry::PluginRegistry;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, ok};
use crate::inspect::{fingerprint, standing_name};
use crate::problem::Problem;
use crate::request::{JsonBody, Path};

fn shown(row: &PublisherRow) -> Json {
    let keys = row.keys.iter().map(|known| {
        json!({
            "key": known.key,
            "fingerprint": fingerprint(&known.key),
            "standing": standing_name(known.standing),
            "since": known.since.to_string(),
        })
    });
    json!({ "name": row.name, "keys": keys.collect::<Vec<_>>() })
}

/// The plugins a publisher has signed.
fn signed_by<'a>(
    plugins: PluginRegistry<'_>,
    rows: &'a [PluginRow],
    name: &str,
) -> Result<Vec<&'a str>> {
    let mut found = Vec::new();
    for row in rows {
        let signer = plugins.origin(row)?.signer;
        if signer.is_some_and(|signer| signer.publisher == name) {
            found.push(row.id.as_str());
        }
    }
    Ok(found)
}

/// Every publisher that is known, with their keys and plugins.
pub(crate) async fn list(State(app): State<App>) -> Answer {
    app.run(|runtime| {
        let plugins = runtime.plugins();
        let rows = plugins.rows()?;
        let mut publishers = Vec::new();
        for publisher in plugins.publishers()? {
            let mut json = shown(&publisher);
            json["plugins"] = json!(signed_by(plugins, &rows, &publisher.name)?);
            publishers.push(json);
        }
        Ok(ok(&json!({ "publishers": publishers })))
    })
    .await
}

/// Pins a key to a publisher: `{"public_key": KEY}`.
pub(crate) async fn trust(
    State(app): State<App>,
    Extension(actor): Who,
    Path(publisher): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.act(actor, move |acts| {
        let body = kjerne_wire::object(&body, &["public_key"])?;
        let key = kjerne_wire::optional_text(body, "public_key")?;
        let key =
            key.ok_or_else(|| Problem::bad_request("which key? Send {\"public_key\": KEY}"))?;
        Ok(shown(&acts.trust(&publisher, key)?))
    })
    .await
}

/// Revokes every key of a publisher.
pub(crate) async fn distrust(
    State(app): State<App>,
    Extension(actor): Who,
    Path(publisher): Path<String>,
) -> Answer {
    app.act(actor, move |acts| Ok(shown(&acts.distrust(&publisher)?)))
        .await
}
