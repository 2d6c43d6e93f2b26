//! The front door: what this is, whether it is well, what its limits and kinds are.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Counted, ok};
use crate::limits as all_limits;
use crate::request::{Path, text};
use kjerne_workspace::{health, queries};

const ABOUT: &str = "\
Kjerne: a customer record kernel with plugins.

  GET   /v1/health                              whether it takes writes, and what is parked
  GET   /v1/kinds                               what records there are
  GET   /v1/records/{kind}?filter=&sort=&top=   records, page by page
  POST  /v1/records/{kind}                      make one: {\"fields\": {...}}
  GET   /v1/records/{kind}/{id}                 one; PATCH changes it, DELETE removes it
  GET   /v1/records/{kind}/{id}/history         what happened to it
  POST  /v1/commits                             several changes, all or none
  GET   /v1/journal?after=                      everything that happened, in order
  GET   /v1/approvals                           commits that wait for approval; /{id}: one, with what it would do
  POST  /v1/approvals/{id}/approve              lets it through; /reject, /withdraw end it
  GET   /v1/approvers                           who may approve
  GET   /v1/plugins                             the plugins
  GET   /v1/models/sales-stages/pipelines       the stages
  GET   /v1/records/opportunity/{id}/standing   where it stands and where it may go
  GET   /v1/records/opportunity/{id}/assessment how far the customer is
  GET   /v1/records/case/{id}/targets           its service levels; /triage: what the rules make of it
  GET   /v1/stale                               opportunities that stand still
  GET   /v1/records/{kind}/{id}/score           how good its chances are; /v1/scores/{kind}: of a page of records
  GET   /v1/panels/{kind}/{id}                  what plugins show beside a record; /v1/panels/today: on the day's page
  POST  /v1/actions/{plugin}/{command}          run a plugin's command
  POST  /v1/integrations/{plugin}/{source}      a message from another system
  GET   /v1/reports                             all reports, those of plugins too
  GET   /v1/reports/pipeline                    opportunities by stage; /service-levels: cases by priority
  GET   /v1/reports/{plugin}/{report}?name=     rows of a plugin's report, page by page
  GET   /v1/limits                              every limit, with its reason

For the owner alone, over the socket kjerne.sock in the workspace's directory:

  POST  /v1/plugins                             install a plugin's file; DELETE /v1/plugins/{plugin} removes one
                                                headers kjerne-signature (base64 of FILE.minisig),
                                                kjerne-succession, kjerne-public-key; or ?unsigned=true
  GET   /v1/plugins/{plugin}/review             what a version that waits would change; POST /accept, /reject
  GET   /v1/publishers                          whose keys are known; POST /v1/publishers/{name}/trust, /distrust
  POST  /v1/plugins/{plugin}/grant              and /revoke, /enable, /disable, /rollback, /resume
  GET   /v1/plugins/{plugin}/limits             what its calls may use; PUT sets it
  GET   /v1/plugins/{plugin}/settings           PUT sets them, DELETE brings back the first; /logs: what it logged
  GET   /v1/costs, /v1/outbox, /v1/parked       what plugins cost, what waits, what was given up
  GET   /v1/costs/recent                        what plugins cost within the last minute
  POST  /v1/parked/{plugin}/{role}/{entry}/retry    once more; /skip forgets it
  GET   /v1/jobs, /v1/plugins/{plugin}/jobs     what runs by the clock; POST .../jobs/{job}/run runs one now
  POST  /v1/approvers                           puts somebody in a role; DELETE /v1/approvers/{role}/{actor}
  GET   /v1/tokens, /v1/secrets                 names; POST and PUT make them, DELETE takes them back
  POST  /v1/import/{kind}                       a line of JSON and a file behind it
  GET   /v1/export/{kind}                       all records, as CSV or lines of JSON
  POST  /v1/verify                              check everything against everything else

Errors are application/problem+json. GET, PATCH and DELETE of a record take If-Match; POST, PATCH
and DELETE take Idempotency-Key. kjerne --help shows the same from the command line.
";

/// What this is and where to go, as text or JSON.
pub(crate) async fn about(headers: HeaderMap) -> Answer {
    let accept = text(&headers, &header::ACCEPT).unwrap_or_default();
    if !accept.contains("json") {
        let form = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((form, ABOUT).into_response());
    }
    Ok(ok(&json!({
        "name": "Kjerne",
        "version": env!("CARGO_PKG_VERSION"),
        "about": "a customer record kernel with plugins",
        "links": {
            "health": "/v1/health",
            "kinds": "/v1/kinds",
            "records": "/v1/records/{kind}",
            "commits": "/v1/commits",
            "journal": "/v1/journal",
            "approvals": "/v1/approvals",
            "plugins": "/v1/plugins",
            "pipelines": "/v1/models/sales-stages/pipelines",
            "stale": "/v1/stale",
            "reports": "/v1/reports",
            "today": "/v1/panels/today",
            "limits": "/v1/limits",
        },
    })))
}

/// How the workspace does. Anybody may ask, so that nothing is told but words and numbers; who may know
/// more reads the log, and the answer to a write.
pub(crate) async fn health(State(app): State<App>) -> Answer {
    let health = app.run(|runtime| Ok(health::look(runtime)?)).await?;
    let status = match health.refused {
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
        None => StatusCode::OK,
    };
    let body = json!({
        "status": health.status(),
        "writes": health.refused.is_none(),
        "parked": health.parked,
        "given_up": health.given_up,
        "set_aside": health.set_aside,
        "not_judged": health.not_judged,
        "version": env!("CARGO_PKG_VERSION"),
        "journal": health.journal,
    });
    Ok(crate::app::json(status, &body))
}

/// Every limit.
pub(crate) async fn limits() -> Answer {
    let limits: Vec<Json> = all_limits::everywhere()
        .iter()
        .map(|(part, limit)| kjerne_wire::limit(part, limit))
        .collect();
    Ok(ok(&json!({ "limits": limits })))
}

/// The kinds.
pub(crate) async fn kinds(State(app): State<App>) -> Answer {
    let told = app.kinds.get_or_init(|| {
        let kinds = app.runtime.kernel.schema().kinds();
        let kinds: Vec<Json> = kinds.map(|kind| kjerne_wire::kind(kind)).collect();
        json!({ "kinds": kinds }).to_string().into()
    });
    let form = [(header::CONTENT_TYPE, "application/json")];
    let mut response = (form, told.clone()).into_response();
    response.extensions_mut().insert(Counted);
    Ok(response)
}

/// One kind.
pub(crate) async fn kind(State(app): State<App>, Path(name): Path<String>) -> Answer {
    Ok(ok(&kjerne_wire::kind(queries::kind(
        app.runtime.kernel.schema(),
        &name,
    )?)))
}
