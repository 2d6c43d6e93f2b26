//! What a plugin's calls may use, as it is and as the administrator sets it; and asking one again.

use axum::Extension;
use axum::extract::State;
use kjerne_host::knobs::{Knob, Knobs, named, range};
use kjerne_host::{Package, SetAside};
use kjerne_store::registry::PluginRow;
use kjerne_workspace::administration::budgets::{GUARD_FAULTS, LET_PASS, REFUSE};
use kjerne_workspace::plugin_registry::set_limits as numbers;
use serde_json::{Value as Json, json};

use crate::app::{Answer, App, Who, ok};
use crate::request::{JsonBody, Path};

/// Each limit of each role: what holds, the usual, the most there is, what was asked for and set.
fn told(row: &PluginRow, package: &Package) -> Json {
    let (asked, set) = (&package.manifest.limits, numbers(&row.limits));
    let holds = Knobs::of(asked, &set);
    let roles = package.manifest.roles.keys();
    let all = roles.flat_map(|role| Knob::ALL.map(|knob| (*role, knob)));
    let limits = all.filter_map(|(role, knob)| {
        let range = range(role, knob)?;
        let known = |number: u64| (number < u64::MAX).then_some(number);
        Some(json!({
            "name": named(role, knob),
            "role": role.name(),
            "limit": knob.name(),
            "unit": knob.unit(),
            "holds": known(holds.get(role, knob).unwrap_or(range.usual)),
            "usual": known(range.usual),
            "most": known(range.most),
            "asked": asked.get(&(role, knob)),
            "set": set.get(&(role, knob)),
        }))
    });
    json!({
        "plugin": row.id,
        "limits": limits.collect::<Vec<_>>(),
        GUARD_FAULTS: if row.lets_pass { LET_PASS } else { REFUSE },
    })
}

/// A plugin's limits.
pub(crate) async fn limits(State(app): State<App>, Path(plugin): Path<String>) -> Answer {
    app.run(move |runtime| {
        let row = runtime.plugins().row(&plugin)?;
        let package = runtime.plugins().package(&row)?;
        Ok(ok(&told(&row, &package)))
    })
    .await
}

/// Sets limits: `{"set": {"fuel.guard": "30000000", "rows.guard": "usual", "faults.guard": "let-pass"}}`.
pub(crate) async fn set_limits(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    app.act(actor, move |acts| {
        let body = kjerne_wire::object(&body, &["set"])?;
        let set = kjerne_wire::named_texts(body, "set")?;
        let row = acts.set_limits(&plugin, &set)?;
        Ok(json!({
            "plugin": row.id,
            "set": row.limits.iter().map(|(name, number)| json!({ "name": name, "number": number })).collect::<Vec<_>>(),
            GUARD_FAULTS: if row.lets_pass { LET_PASS } else { REFUSE },
        }))
    })
    .await
}

/// Has a plugin asked again that is set aside.
pub(crate) async fn resume(
    State(app): State<App>,
    Extension(actor): Who,
    Path(plugin): Path<String>,
) -> Answer {
    app.act(actor, move |acts| {
        Ok(kjerne_wire::plugin_row(&acts.resume(&plugin)?))
    })
    .await
}

/// Where a plugin is set aside, and why.
pub(crate) fn set_aside(all: &[SetAside], plugin: &str) -> Json {
    let own = all.iter().filter(|aside| aside.plugin == plugin);
    let told = own.map(|aside| {
        json!({
            "role": aside.role.name(),
            "until": aside.until.to_string(),
            "breaks": aside.breaks,
            "why": aside.why,
        })
    });
    told.collect()
}
