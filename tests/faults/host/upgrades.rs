//! What an upgrade brings along: roles and grants nobody has agreed to.

use kjerne_tests::Workspace;
use serde_json::Value as Json;

use super::package::{built, install, manifest, sealed};

/// The manifest of a built plugin, as version `version` of `acme.victim`.
fn victim(id: &str, version: &str) -> String {
    manifest(&built(id))
        .replace(&format!("id = \"{id}\""), "id = \"acme.victim\"")
        .replace(
            "version = \"0.1.0\"\nc",
            &format!("version = \"{version}\"\nc"),
        )
}

/// `acme.victim` 0.1.0, which answers tasks, in use with all it declares.
fn in_use() -> Workspace {
    let workspace = Workspace::new();
    let first = sealed(&built("hostile-echo"), &victim("hostile-echo", "0.1.0"));
    let _ = install(&workspace, &first).ok();
    let _ = workspace
        .run(&["plugin", "grant", "acme.victim", "--all-declared"])
        .ok();
    let _ = workspace.run(&["plugin", "enable", "acme.victim"]).ok();
    workspace
}

fn shown(workspace: &Workspace) -> Json {
    workspace.json(&["plugin", "list"])["plugins"][0].clone()
}

fn words(list: &Json) -> Vec<String> {
    let items = list.as_array().cloned().unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

#[test]
fn h16_an_upgrade_with_further_roles_is_not_live_at_once() {
    let workspace = in_use();
    let other = sealed(&built("hostile-each"), &victim("hostile-each", "0.2.0"));
    let ran = install(&workspace, &other);
    let row = shown(&workspace);
    let live = row["version"] == "0.2.0" && row["enabled"] == true;
    assert!(!live, "{row}");
    assert!(ran.code != 0 && ran.err.contains("guard"), "{}", ran.err);
    // Who agrees switches it off, takes the version, looks at it and switches it on.
    let _ = workspace.run(&["plugin", "disable", "acme.victim"]).ok();
    let _ = install(&workspace, &other).ok();
    assert_eq!(shown(&workspace)["enabled"], false);
}

/// A guard stands in the way of every kind it watches.
#[test]
fn h16_an_upgrade_that_watches_further_kinds_is_not_live_at_once() {
    let program = built("hostile-each");
    let narrow = victim("hostile-each", "0.1.0");
    let guard = "[roles.guard]\nkinds = [\"contact\"]";
    assert!(narrow.contains(guard), "{narrow}");
    for wider in [
        "[roles.guard]\nkinds = [\"contact\", \"lead\"]",
        "[roles.guard]",
    ] {
        let workspace = Workspace::new();
        let _ = install(&workspace, &sealed(&program, &narrow)).ok();
        let grant = ["plugin", "grant", "acme.victim", "--all-declared"];
        let _ = workspace.run(&grant).ok();
        let _ = workspace.run(&["plugin", "enable", "acme.victim"]).ok();
        let next = victim("hostile-each", "0.2.0").replace(guard, wider);
        let ran = install(&workspace, &sealed(&program, &next));
        assert_eq!(
            shown(&workspace)["version"],
            "0.1.0",
            "{wider}: {}",
            ran.err
        );
        // The lead it has never been asked about is taken as before.
        let _ = workspace.run(&["create", "lead", "name=Ola Demo"]).ok();
        let same = narrow.replace("\"0.1.0\"\nc", "\"0.3.0\"\nc");
        let _ = install(&workspace, &sealed(&program, &same)).ok();
    }
}

#[test]
fn h16_an_upgrade_brings_no_grant_along() {
    let workspace = in_use();
    let _ = workspace.run(&["plugin", "disable", "acme.victim"]).ok();
    let other = sealed(&built("hostile-each"), &victim("hostile-each", "0.2.0"));
    let _ = install(&workspace, &other).ok();
    let granted = words(&shown(&workspace)["grants"]);
    let newly: Vec<_> = granted
        .iter()
        .filter(|grant| !["create:task", "read:task.subject"].contains(&grant.as_str()))
        .collect();
    assert!(newly.is_empty(), "{newly:?}");
    let gone = !granted.contains(&"read:task.subject".to_owned());
    assert!(gone, "what it asks for no longer: {granted:?}");
}

#[test]
fn h17_a_grant_once_dropped_is_given_anew() {
    let workspace = in_use();
    let asks = victim("hostile-echo", "0.3.0");
    let (head, grants) = asks.split_once("[[grant]]").unwrap();
    let (_, other) = grants.split_once("[[grant]]").unwrap();
    let silent = format!("{head}[[grant]]{other}").replace("0.3.0", "0.2.0");
    let program = built("hostile-echo");
    let _ = install(&workspace, &sealed(&program, &silent)).ok();
    // It needs what it asks for, and would refuse every commit without.
    let refused = install(&workspace, &sealed(&program, &asks));
    assert!(
        refused.code != 0 && refused.err.contains("read:task.subject"),
        "{}",
        refused.err
    );
    let _ = workspace.run(&["plugin", "disable", "acme.victim"]).ok();
    let _ = install(&workspace, &sealed(&program, &asks)).ok();
    let granted = words(&shown(&workspace)["grants"]);
    assert_eq!(granted, ["create:task"], "nobody gave the other again");
}
