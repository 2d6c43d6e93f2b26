//! Tokens of people and signing secrets of messages. A token is shown once, when it is made.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use kjerne_workspace::administration::Administration;
use kjerne_workspace::runtime::now;
use serde_json::json;

use crate::app::{Answer, App, Who, json, ok};
use crate::problem::Problem;
use crate::request::JsonBody;

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
    app.run(move |runtime| {
        let body = kjerne_wire::object(&body, &["name"])?;
        let Some(name) = kjerne_wire::optional_text(body, "name")? else {
            return Err(Problem::bad_request("whose token? Say {\"name\": NAME}"));
        };
        let token = Administration::new(runtime, actor, now()).add_token(name)?;
        let made = json!({ "name": name, "token": token });
        Ok(json(StatusCode::CREATED, &made))
    })
    .await
}

/// Takes a token back.
pub(crate) async fn remove_token(
    State(app): State<App>,
    Extension(actor): Who,
    Path(name): Path<String>,
) -> Answer {
    app.run(move |runtime| {
        Administration::new(runtime, actor, now()).remove_token(&name)?;
        Ok(StatusCode::NO_CONTENT.into_response())
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
    app.run(move |runtime| {
        let body = kjerne_wire::object(&body, &["secret"])?;
        let given = kjerne_wire::optional_text(body, "secret")?.map(str::to_owned);
        let brought = given.is_some();
        let secret = Administration::new(runtime, actor, now()).set_secret(&name, given)?;
        let shown = if brought { "kept".to_owned() } else { secret };
        Ok(ok(&json!({ "name": name, "secret": shown })))
    })
    .await
}

/// Forgets a signing secret.
pub(crate) async fn remove_secret(
    State(app): State<App>,
    Extension(actor): Who,
    Path(name): Path<String>,
) -> Answer {
    app.run(move |runtime| {
        Administration::new(runtime, actor, now()).remove_secret(&name)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}
