//! Tokens of people and signing secrets of messages. A token is shown once, when it is made.

use axum::Extension;
use axum::extract::State;
use serde_json::json;

use crate::app::{Answer, App, Who, ok};
use crate::problem::Problem;
use crate::request::{JsonBody, Path};

/// Whose tokens there are.
pub(crate) async fn tokens(State(app): State<App>) -> Answer {
    let secrets = app.runtime.secrets();
    let names: Vec<&String> = secrets.tokens.keys().collect();
    Ok(ok(&json!({ "tokens": names })))
}

/// Makes a token: `{"name": NAME}`.
pub(crate) async fn add_token(
    State(app): State<App>,
    Extension(actor): Who,
    JsonBody(body): JsonBody,
) -> Answer {
    app.act(actor, move |acts| {
        let body = kjerne_wire::object(&body, &["name"])?;
        let Some(name) = kjerne_wire::optional_text(body, "name")? else {
            return Err(Problem::bad_request("whose token? Say {\"name\": NAME}"));
        };
        let token = acts.add_token(name)?;
        Ok(json!({ "name": name, "token": token }))
    })
    .await
}

/// Takes a token back.
pub(crate) async fn remove_token(
    State(app): State<App>,
    Extension(actor): Who,
    Path(name): Path<String>,
) -> Answer {
    app.act(actor, move |acts| {
        acts.remove_token(&name)?;
        Ok(json!({ "name": name }))
    })
    .await
}

/// Which signing secrets there are.
pub(crate) async fn secrets(State(app): State<App>) -> Answer {
    let secrets = app.runtime.secrets();
    let names: Vec<&String> = secrets.secrets.keys().collect();
    Ok(ok(&json!({ "secrets": names })))
}

/// Keeps a signing secret: `{"secret"?: TEXT}`; without one it is made and shown.
pub(crate) async fn set_secret(
    State(app): State<App>,
    Extension(actor): Who,
    Path(name): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.act(actor, move |acts| {
        let body = kjerne_wire::object(&body, &["secret"])?;
        let given = kjerne_wire::optional_text(body, "secret")?.map(str::to_owned);
        let brought = given.is_some();
        let secret = acts.set_secret(&name, given)?;
        let shown = if brought { "kept".to_owned() } else { secret };
        Ok(json!({ "name": name, "secret": shown }))
    })
    .await
}

/// Forgets a signing secret.
pub(crate) async fn remove_secret(
    State(app): State<App>,
    Extension(actor): Who,
    Path(name): Path<String>,
) -> Answer {
    app.act(actor, move |acts| {
        acts.remove_secret(&name)?;
        Ok(json!({ "name": name }))
    })
    .await
}
