//! Which request goes to which handler.

use std::sync::Arc;

use axum::http::{Method, StatusCode, Uri};
use axum::routing::{delete, get, post, put};
use axum::{Router, middleware};
use kjerne_workspace::Runtime;

use crate::app::{App, Door};
use crate::problem::Problem;
use crate::watch::Stopping;
use crate::{
    administration, app, approvals, budgets, exchange, gate, headers, jobs, models, operations,
    panels, plugins, publishers, records, reports, request, reviews, root, secrets,
};

/// The routes over an open workspace.
pub fn router(runtime: Arc<Runtime>, door: Door) -> Router {
    router_until(runtime, door, Stopping::default())
}

/// The same, of a server that may be asked to stop.
pub(crate) fn router_until(runtime: Arc<Runtime>, door: Door, stopping: Stopping) -> Router {
    let app = App::new(runtime, door, stopping);
    Router::new()
        .merge(with_words())
        .merge(without_words())
        .merge(administration(&app))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(request::bodies_where_they_are_read))
        .layer(middleware::from_fn(
            headers::conditions_where_they_are_looked_at,
        ))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            app::hold_answer,
        ))
        .layer(middleware::from_fn_with_state(app.clone(), gate::pass))
        .with_state(app)
}

/// What looks at the words behind the `?`, or leaves them to whoever sent them: a sender's own words in the
/// address of an integration are no matter of ours, and health is asked with all kinds of them.
fn with_words() -> Router<App> {
    Router::new()
        .route("/", get(root::about))
        .route("/v1/health", get(root::health))
        .route("/v1/records/{kind}", get(records::list))
        .route("/v1/records/{kind}/{id}/history", get(records::history))
        .route("/v1/journal", get(records::journal))
        .route("/v1/commits", post(records::commit))
        .route("/v1/stale", get(models::stale))
        .route("/v1/scores/{kind}", get(models::scores))
        .route("/v1/reports", get(reports::list))
        .route("/v1/reports/{name}/{report}", get(reports::page))
        .route("/v1/integrations/{plugin}/{source}", post(plugins::inbound))
}

/// What takes no words.
fn without_words() -> Router<App> {
    Router::new()
        .route("/v1/limits", get(root::limits))
        .route("/v1/kinds", get(root::kinds))
        .route("/v1/kinds/{kind}", get(root::kind))
        .route("/v1/records/{kind}", post(records::create))
        .route(
            "/v1/records/{kind}/{id}",
            get(records::show)
                .patch(records::update)
                .delete(records::remove),
        )
        .route("/v1/records/{kind}/{id}/{question}", get(models::ask))
        .route("/v1/models/sales-stages/pipelines", get(models::pipelines))
        .route("/v1/models/buying-process/jobs", get(models::jobs))
        .route("/v1/plugins", get(plugins::list))
        .route("/v1/plugins/{plugin}", get(plugins::show))
        .route("/v1/actions/{plugin}/{command}", post(plugins::action))
        .route("/v1/reports/{name}", get(reports::show))
        .route("/v1/panels/today", get(panels::today))
        .route("/v1/panels/{kind}/{id}", get(panels::about))
        .route("/v1/approvals", get(approvals::list))
        .route("/v1/approvals/{id}", get(approvals::show))
        .route("/v1/approvals/{id}/{what}", post(approvals::decide))
        .route("/v1/approvers", get(approvals::approvers))
        .route_layer(middleware::from_fn(request::no_words_here))
}

/// What only the workspace's owner may do.
fn administration(app: &App) -> Router<App> {
    let words = Router::new()
        .route("/v1/costs", get(operations::costs))
        .route("/v1/costs/recent", get(operations::recent_costs))
        .route("/v1/outbox", get(operations::outbox))
        .route("/v1/parked", get(operations::parked))
        .route("/v1/plugins", post(administration::install))
        .route("/v1/import/{kind}", post(exchange::import))
        .route("/v1/export/{kind}", get(exchange::export));
    let no_words = acts().route_layer(middleware::from_fn(request::no_words_here));
    words
        .merge(no_words)
        .route_layer(middleware::from_fn_with_state(
            app.clone(),
            gate::owner_only,
        ))
}

/// Acts of administration, and what takes no words beside them.
fn acts() -> Router<App> {
    let bare = || middleware::from_fn(request::no_body_here);
    Router::new()
        .route("/v1/plugins/{plugin}", delete(administration::remove))
        .route("/v1/plugins/{plugin}/grant", post(administration::grant))
        .route("/v1/plugins/{plugin}/revoke", post(administration::revoke))
        .route("/v1/plugins/{plugin}/enable", post(administration::enable))
        .route(
            "/v1/plugins/{plugin}/disable",
            post(administration::disable).layer(bare()),
        )
        .route(
            "/v1/plugins/{plugin}/rollback",
            post(administration::roll_back),
        )
        .route(
            "/v1/plugins/{plugin}/settings",
            get(administration::settings)
                .put(administration::set_settings)
                .delete(administration::reset_settings),
        )
        .route(
            "/v1/plugins/{plugin}/limits",
            get(budgets::limits).put(budgets::set_limits),
        )
        .route(
            "/v1/plugins/{plugin}/resume",
            post(budgets::resume).layer(bare()),
        )
        .route("/v1/plugins/{plugin}/logs", get(operations::logs))
        .route("/v1/jobs", get(jobs::list_all))
        .route("/v1/plugins/{plugin}/jobs", get(jobs::list))
        .route(
            "/v1/plugins/{plugin}/jobs/{job}/run",
            post(jobs::run).layer(bare()),
        )
        .route("/v1/plugins/{plugin}/review", get(reviews::show))
        .route("/v1/plugins/{plugin}/accept", post(reviews::accept))
        .route(
            "/v1/plugins/{plugin}/reject",
            post(reviews::reject).layer(bare()),
        )
        .route("/v1/publishers", get(publishers::list))
        .route("/v1/publishers/{publisher}/trust", post(publishers::trust))
        .route(
            "/v1/publishers/{publisher}/distrust",
            post(publishers::distrust).layer(bare()),
        )
        .route(
            "/v1/parked/{plugin}/{role}/{entry}/{what}",
            post(operations::unpark).layer(bare()),
        )
        .route("/v1/verify", post(operations::verify).layer(bare()))
        .route("/v1/approvers", post(approvals::add_approver))
        .route(
            "/v1/approvers/{role}/{actor}",
            delete(approvals::remove_approver),
        )
        .route("/v1/tokens", get(secrets::tokens).post(secrets::add_token))
        .route("/v1/tokens/{name}", delete(secrets::remove_token))
        .route("/v1/secrets", get(secrets::secrets))
        .route(
            "/v1/secrets/{name}",
            put(secrets::set_secret).delete(secrets::remove_secret),
        )
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
