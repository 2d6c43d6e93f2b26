//! What a plugin is, asks for and may do, as a table made of its JSON.

use serde_json::Value as Json;

use super::cells::{list, text, texts};
use crate::output::Report;

/// The table of one plugin.
pub(super) fn report(plugin: Json) -> Report {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut line = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    let own = |name: &str| text(&plugin, name).to_owned();
    line("plugin", format!("{} {}", own("id"), own("version")));
    line("what it does", own("description"));
    line("contract", own("contract"));
    line("size", format!("{} bytes", plugin["bytes"]));
    line("state", state(&plugin));
    if !texts(&plugin["kept"]).is_empty() {
        line("kept versions", texts(&plugin["kept"]).join(", "));
    }
    for role in list(&plugin["roles"]) {
        line(&format!("role {}", text(role, "role")), budget(role));
    }
    for declared in list(&plugin["declared"]) {
        let granted = match declared["granted"].as_bool() {
            Some(true) => "granted",
            Some(false) => "not granted",
            None => "asked for",
        };
        let about = format!("{granted}: {}", text(declared, "reason"));
        line(text(declared, "allow"), about);
    }
    for (item, about) in beside_declared(&plugin) {
        line(item, about.to_owned());
    }
    for action in list(&plugin["actions"]) {
        let name = format!("action {}", text(action, "name"));
        line(&name, text(action, "label").to_owned());
    }
    for source in texts(&plugin["sources"]) {
        let address = format!("POST /v1/integrations/{}/{source}", own("id"));
        line(&format!("source {source}"), address);
    }
    line("imports", texts(&plugin["imports"]).join(", "));
    Report::new(&["what", "about it"], rows, plugin).with_whole_cells()
}

fn state(plugin: &Json) -> String {
    let bound = texts(&plugin["bound"]);
    match (plugin["installed"].as_bool(), plugin["enabled"].as_bool()) {
        (Some(false), _) => "not installed".to_owned(),
        (_, Some(true)) if bound.is_empty() => "on".to_owned(),
        (_, Some(true)) => format!("on, bound to {}", bound.join(", ")),
        _ => "off".to_owned(),
    }
}

fn budget(role: &Json) -> String {
    let kinds = texts(&role["kinds"]);
    let kinds = if kinds.is_empty() {
        "every kind".to_owned()
    } else {
        kinds.join(", ")
    };
    let limits = &role["limits"];
    let memory = limits["memory"].as_u64().unwrap_or_default() >> 20;
    format!("{kinds}; fuel {}, {memory} MiB", limits["fuel"])
}

/// What is granted and not declared word for word, with what it is worth.
fn beside_declared(plugin: &Json) -> Vec<(&str, &'static str)> {
    let declared: Vec<&str> = list(&plugin["declared"])
        .map(|declared| text(declared, "allow"))
        .collect();
    let idle = texts(&plugin["without_effect"]);
    let worth = |item| {
        if idle.contains(&item) {
            "granted to another version; this one does not ask for it, so it has no effect"
        } else {
            "granted"
        }
    };
    texts(&plugin["grants"])
        .into_iter()
        .filter(|item| !declared.contains(item))
        .map(|item| (item, worth(item)))
        .collect()
}
