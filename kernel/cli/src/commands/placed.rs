//! What an act made of a plugin, in words: what is granted, who made it, and what to do next.

use serde_json::Value as Json;

use super::cells::{text, texts};
use crate::output::Report;

/// Items not granted that are listed; inspecting the plugin shows all.
const MISSING_SHOWN: usize = 6;

/// Who made a plugin, in a sentence.
pub(super) fn made_by(placed: &Json) -> String {
    let signature = &placed["signature"];
    let Some(publisher) = signature["publisher"].as_str() else {
        return "nobody signed it; it stays marked unsigned".to_owned();
    };
    let pinned = if placed["pinned"] == true {
        "; that key is theirs from now on, so compare the fingerprint with what they say"
    } else {
        ""
    };
    format!(
        "signed by {publisher}, fingerprint {}{pinned}",
        text(signature, "fingerprint")
    )
}

/// Who made a plugin, in a word or two.
pub(super) fn signer(plugin: &Json) -> String {
    let signature = &plugin["signature"];
    match (signature["publisher"].as_str(), text(signature, "standing")) {
        (None, _) => "unsigned".to_owned(),
        (Some(publisher), "revoked") => format!("{publisher} (REVOKED)"),
        (Some(publisher), _) => publisher.to_owned(),
    }
}

/// What was done, what is not granted, and what to do next.
pub(super) fn placed_report(placed: &Json, headline: String) -> Report {
    let id = text(placed, "id");
    let missing = texts(&placed["missing"]);
    let mut lines = vec![headline];
    if !missing.is_empty() {
        let first: Vec<&str> = missing.iter().take(MISSING_SHOWN).copied().collect();
        let more = match missing.len().saturating_sub(MISSING_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        lines.push(format!(
            "it asks for, and is not granted: {}{more}",
            first.join(", ")
        ));
        lines.push(format!(
            "what for: kjerne plugin inspect {id}; grant: kjerne plugin grant {id} ITEM..., --group KIND or \
             --all-declared"
        ));
    }
    let needed = texts(&placed["needed"]);
    if !needed.is_empty() && placed["enabled"] == true {
        let first: Vec<&str> = needed.iter().take(MISSING_SHOWN).copied().collect();
        lines.push(format!(
            "it needs, and does not do its work without: {}; grant it, or switch it off",
            first.join(", ")
        ));
    }
    for unknown in texts(&placed["unknown"]) {
        lines.push(format!(
            "it names what this workspace does not have: {unknown}"
        ));
    }
    if placed["enabled"] != true {
        lines.push(format!(
            "it is off; switch it on: kjerne plugin enable {id}"
        ));
    }
    Report::of_note(lines.join("\n"), placed.clone())
}
