//! Which request goes to which handler.

use std::sync::Arc;

use axum::http::{Method, StatusCode, Uri};
use axum::routing::{get, post};
use axum::{Router, middleware};
use kjerne_workspace::Runtime;

use crate::app::App;
use crate::problem::Problem;
use crate::{gate, models, plugins, records, root};

/// The routes over an open workspace.
pub fn router(runtime: Arc<Runtime>, loopback: bool) -> Router {
    let app = App::new(runtime, loopback);
    Router::new()
        .route("/", get(root::about))
        .route("/v1/health", get(root::health))
        .route("/v1/limits", get(root::limits))
        .route("/v1/kinds", get(root::kinds))
        .route("/v1/kinds/{kind}", get(root::kind))
        .route(
            "/v1/records/{kind}",
            get(records::list).post(records::create),
        )
        .route(
            "/v1/records/{kind}/{id}",
            get(records::show)
                .patch(records::update)
                .delete(records::remove),
        )
        .route("/v1/records/{kind}/{id}/history", get(records::history))
        .route("/v1/records/{kind}/{id}/{question}", get(models::ask))
        .route("/v1/commits", post(records::commit))
        .route("/v1/journal", get(records::journal))
        .route("/v1/models/sales-stages/pipelines", get(models::pipelines))
        .route("/v1/models/buying-process/jobs", get(models::jobs))
        .route("/v1/stale", get(models::stale))
        .route("/v1/plugins", get(plugins::list))
        .route("/v1/plugins/{plugin}", get(plugins::show))
        .route("/v1/integrations/{plugin}/{source}", post(plugins::inbound))
        .route("/v1/actions/{plugin}/{command}", post(plugins::action))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), gate::pass))
        .with_state(app)
}

async fn unknown(uri: Uri) -> Problem {
    Problem::not_found(format!(
        "there is nothing at {}; GET / says what there is",
        uri.path()
    ))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "The method does not fit",
        format!(
            "{method} does nothing at {}; the Allow header says what does",
            uri.path()
        ),
    )
}
