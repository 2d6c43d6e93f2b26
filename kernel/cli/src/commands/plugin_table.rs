//! What a plugin is, asks for and may do, as a table made of its JSON.

use serde_json::Value as Json;

use crate::output::Report;

/// The table of one plugin.
pub(super) fn report(plugin: Json) -> Report {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut line = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    let text = |name: &str| plugin[name].as_str().unwrap_or_default().to_owned();
    line("plugin", format!("{} {}", text("id"), text("version")));
    line("what it does", text("description"));
    line("contract", text("contract"));
    line("size", format!("{} bytes", plugin["bytes"]));
    line("state", state(&plugin));
    if !list(&plugin["kept"]).is_empty() {
        line("kept versions", list(&plugin["kept"]).join(", "));
    }
    for role in objects(&plugin["roles"]) {
        line(&format!("role {}", word(role, "role")), budget(role));
    }
    for declared in objects(&plugin["declared"]) {
        let granted = match declared["granted"].as_bool() {
            Some(true) => "granted",
            Some(false) => "not granted",
            None => "asked for",
        };
        let about = format!("{granted}: {}", word(declared, "reason"));
        line(word(declared, "allow"), about);
    }
    for (item, about) in beside_declared(&plugin) {
        line(item, about.to_owned());
    }
    for action in objects(&plugin["actions"]) {
        let name = format!("action {}", word(action, "name"));
        line(&name, word(action, "label").to_owned());
    }
    for source in list(&plugin["sources"]) {
        let address = format!("POST /v1/integrations/{}/{source}", text("id"));
        line(&format!("source {source}"), address);
    }
    line("imports", list(&plugin["imports"]).join(", "));
    Report::new(&["what", "about it"], rows, plugin).with_whole_cells()
}

fn objects(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

fn list(json: &Json) -> Vec<&str> {
    objects(json).filter_map(Json::as_str).collect()
}

fn word<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

fn state(plugin: &Json) -> String {
    let bound = list(&plugin["bound"]);
    match (plugin["installed"].as_bool(), plugin["enabled"].as_bool()) {
        (Some(false), _) => "not installed".to_owned(),
        (_, Some(true)) if bound.is_empty() => "on".to_owned(),
        (_, Some(true)) => format!("on, bound to {}", bound.join(", ")),
        _ => "off".to_owned(),
    }
}

fn budget(role: &Json) -> String {
    let kinds = list(&role["kinds"]);
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
    let declared: Vec<&str> = objects(&plugin["declared"])
        .map(|declared| word(declared, "allow"))
        .collect();
    let idle = list(&plugin["without_effect"]);
    let worth = |item| {
        if idle.contains(&item) {
            "granted to another version; this one does not ask for it, so it has no effect"
        } else {
            "granted"
        }
    };
    list(&plugin["grants"])
        .into_iter()
        .filter(|item| !declared.contains(item))
        .map(|item| (item, worth(item)))
        .collect()
}
