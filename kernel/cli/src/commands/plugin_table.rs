//! What a plugin is, asks for and may do, as a table made of its JSON.

use serde_json::Value as Json;

use super::budgets;
use super::cells::{list, text, texts};
use crate::output::Report;

/// Fields a sentence names; `--items` shows all.
const NAMES_SHOWN: usize = 8;

/// The table of one plugin, with a line for each group of what it asks for, or for each item.
pub(super) fn report(plugin: Json, items: bool) -> Report {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut line = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    let own = |name: &str| text(&plugin, name).to_owned();
    line("plugin", format!("{} {}", own("id"), own("version")));
    line("what it does", own("description"));
    if plugin["signature"].is_object() {
        line("signed by", signed(&plugin["signature"]));
    } else {
        line("says it is by", own("publisher"));
    }
    if let Some(waits) = plugin["waiting"].as_str() {
        let look = format!("{waits}; look: kjerne plugin review {}", own("id"));
        line("waits for review", look);
    }
    line("contract", own("contract"));
    line("size", format!("{} bytes", plugin["bytes"]));
    line("state", state(&plugin));
    if !texts(&plugin["kept"]).is_empty() {
        line("kept versions", texts(&plugin["kept"]).join(", "));
    }
    for role in list(&plugin["roles"]) {
        line(&format!("role {}", text(role, "role")), budget(role));
    }
    if items {
        for declared in list(&plugin["declared"]) {
            line(text(declared, "allow"), item(declared));
        }
    } else {
        for (name, about) in groups(&plugin) {
            line(&format!("asks for {name}"), about);
        }
    }
    for unknown in texts(&plugin["unknown"]) {
        line("not in this workspace", unknown.to_owned());
    }
    for (item, about) in beside_declared(&plugin) {
        line(item, about.to_owned());
    }
    for (what, list_of) in [
        ("action", "actions"),
        ("report", "reports"),
        ("panel", "panels"),
    ] {
        for one in list(&plugin[list_of]) {
            let name = format!("{what} {}", text(one, "name"));
            line(&name, text(one, "label").to_owned());
        }
    }
    for job in list(&plugin["jobs"]) {
        let about = format!(
            "{} {}, {}",
            text(job, "cron"),
            text(job, "zone"),
            text(job, "label")
        );
        line(&format!("job {}", text(job, "name")), about);
    }
    for source in texts(&plugin["sources"]) {
        let address = format!("POST /v1/integrations/{}/{source}", own("id"));
        line(&format!("source {source}"), address);
    }
    line("imports", texts(&plugin["imports"]).join(", "));
    let report = Report::new(&["what", "about it"], rows, plugin).with_whole_cells();
    if items {
        report
    } else {
        report.with_note("item by item, with the reasons: --items; grant a group: --group KIND")
    }
}

/// Who signed it, and what that is worth.
fn signed(signature: &Json) -> String {
    let Some(publisher) = signature["publisher"].as_str() else {
        return "nobody (unsigned)".to_owned();
    };
    let worth = match text(signature, "standing") {
        "revoked" => ", which was REVOKED",
        "succeeded" => ", which another one has succeeded",
        _ => "",
    };
    let fingerprint = text(signature, "fingerprint");
    format!("{publisher}, key {fingerprint}{worth}")
}

fn item(declared: &Json) -> String {
    let granted = match declared["granted"].as_bool() {
        Some(true) => "granted",
        Some(false) => "not granted",
        None => "asked for",
    };
    let optional = if declared["optional"] == true {
        ", optional"
    } else {
        ""
    };
    format!("{granted}{optional}: {}", text(declared, "reason"))
}

/// What it asks for by kind, each with a sentence.
fn groups(plugin: &Json) -> Vec<(&str, String)> {
    let mut names: Vec<&str> = Vec::new();
    for declared in list(&plugin["declared"]) {
        let name = text(declared, "group");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let of = |name: &str| -> Vec<&Json> {
        let declared = list(&plugin["declared"]);
        declared.filter(|one| text(one, "group") == name).collect()
    };
    names
        .into_iter()
        .map(|name| (name, sentence(&of(name))))
        .collect()
}

/// `granted 3 of 12: reads status, priority; sets queue (personal: subject)`.
fn sentence(items: &[&Json]) -> String {
    let granted = items.iter().filter(|one| one["granted"] == true).count();
    let needed = items.iter().filter(|one| one["optional"] != true).count();
    let held = match (items[0]["granted"].as_bool(), granted) {
        (None, _) => "asked for".to_owned(),
        (_, 0) => "not granted".to_owned(),
        (_, all) if all == items.len() => "granted".to_owned(),
        (_, some) => format!("granted {some} of {}", items.len()),
    };
    let need = match needed {
        0 => ", optional".to_owned(),
        all if all == items.len() => String::new(),
        some => format!(", {some} of {} needed", items.len()),
    };
    let does = [
        "read", "set", "create", "update", "delete", "state", "send", "secret",
    ]
    .into_iter()
    .filter_map(|verb| does(verb, items));
    let does = does.collect::<Vec<_>>().join("; ");
    format!("{held}{need}: {does}{}", personal(items))
}

/// What of a group is asked for with one verb, in words.
fn does(verb: &str, items: &[&Json]) -> Option<String> {
    let texts = items.iter().map(|one| text(one, "allow"));
    let with = texts.filter(|allow| allow.split(':').next() == Some(verb));
    let names: Vec<&str> = with
        .map(|allow| match verb {
            "send" | "secret" => allow.split_once(':').map_or(allow, |(_, name)| name),
            _ => allow.split_once('.').map_or("", |(_, field)| field),
        })
        .collect();
    let first = *names.first()?;
    let word = match verb {
        "read" => "reads",
        "set" => "sets while a change is made:",
        "create" => return Some("creates them".to_owned()),
        "update" => "changes",
        "delete" => return Some("deletes them".to_owned()),
        "state" => return Some("keeps rows of its own".to_owned()),
        "send" => "sends messages to",
        _ => "has messages signed with",
    };
    Some(match first {
        "" => format!("{word} all of it"),
        "*" => format!("{word} what the settings name"),
        _ if names.len() > NAMES_SHOWN => {
            let shown = names[..NAMES_SHOWN].join(", ");
            format!("{word} {} fields such as {shown}", names.len())
        }
        _ => format!("{word} {}", names.join(", ")),
    })
}

/// The personal data among what is read, the sensitive first.
fn personal(items: &[&Json]) -> String {
    let all = items.iter().flat_map(|one| list(&one["personal"]));
    let mut fields: Vec<(&str, &str)> = all
        .map(|field| (text(field, "class"), text(field, "field")))
        .collect();
    fields.sort_by_key(|(class, _)| (*class != "sensitive", *class != "identifying"));
    if fields.is_empty() {
        return String::new();
    }
    let named: Vec<String> = fields
        .iter()
        .map(|(class, field)| match *class {
            "sensitive" => format!("{field} (SENSITIVE)"),
            _ => (*field).to_owned(),
        })
        .collect();
    format!(". Personal data: {}", named.join(", "))
}

fn state(plugin: &Json) -> String {
    let bound = texts(&plugin["bound"]);
    match (plugin["installed"].as_bool(), plugin["enabled"].as_bool()) {
        (Some(false), _) => "not installed".to_owned(),
        (_, Some(true)) if bound.is_empty() => budgets::state("on", plugin),
        (_, Some(true)) => budgets::state(&format!("on, bound to {}", bound.join(", ")), plugin),
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
