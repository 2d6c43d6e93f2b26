//! What a plugin's calls may use, on the command line.

use anyhow::Result;
use axum::http::Method;
use serde_json::{Map, Value as Json, json};

use super::cells::{cells, list as members, text};
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Report;
use crate::path::path;

pub(crate) fn limits(context: &Context, plugin: &str, set: &[(String, String)]) -> Result<Exit> {
    let place = path(&["plugins", plugin, "limits"]);
    let mut connection = context.connect(Needs::Data)?;
    if !set.is_empty() {
        let named: Map<String, Json> = set
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        connection.give(Method::PUT, &place, &json!({ "set": named }))?;
    }
    let answer = connection.get(&place)?;
    let columns = ["name", "holds", "usual", "most", "asked", "set", "unit"];
    let rows = members(&answer["limits"]).map(|row| cells(row, &columns));
    let faults = text(&answer, "faults.guard");
    let note = format!(
        "without the growth with the input; a commit whose guard breaks: {faults}; set one: --set fuel.guard=NUMBER"
    );
    let report = Report::new(&columns, rows.collect(), answer.clone());
    context.print(&report.with_numbers(1..6).with_note(note))
}

/// The state of a plugin, with where it is set aside.
pub(super) fn state(on: &str, plugin: &Json) -> String {
    let aside = members(&plugin["set_aside"]);
    let aside = aside.map(|one| {
        format!(
            "; {} set aside until {}",
            text(one, "role"),
            text(one, "until")
        )
    });
    let passes = match plugin["lets_pass"] == true {
        true => "; lets pass when its guard breaks",
        false => "",
    };
    format!("{on}{passes}{}", aside.collect::<String>())
}
