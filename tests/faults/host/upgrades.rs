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
    assert!(
        ran.out.contains("waits") && ran.out.contains("the role guard"),
        "{}",
        ran.out
    );
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
    let waits = install(&workspace, &sealed(&program, &asks)).ok().out;
    assert!(
        waits.contains("waits") && waits.contains("read:task.subject"),
        "{waits}"
    );
    let _ = workspace.run(&["plugin", "disable", "acme.victim"]).ok();
    let _ = install(&workspace, &sealed(&program, &asks)).ok();
    let granted = words(&shown(&workspace)["grants"]);
    assert_eq!(granted, ["create:task"], "nobody gave the other again");
}

/// A version that was never switched on is not one to go back to, although its file is kept.
#[test]
fn h16_a_version_that_was_kept_and_never_in_use_is_not_live_at_once() {
    let program = built("hostile-each");
    let narrow = victim("hostile-each", "0.1.0");
    let guard = "[roles.guard]\nkinds = [\"contact\"]";
    let wide = victim("hostile-each", "0.2.0").replace(guard, "[roles.guard]");
    let (narrow, wide) = (sealed(&program, &narrow), sealed(&program, &wide));
    let workspace = Workspace::new();
    for file in [&narrow, &wide, &narrow] {
        let _ = install(&workspace, file).ok();
    }
    let enable = || {
        let grant = ["plugin", "grant", "acme.victim", "--all-declared"];
        let _ = workspace.run(&grant).ok();
        let _ = workspace.run(&["plugin", "enable", "acme.victim"]).ok();
    };
    enable();
    let installed = install(&workspace, &wide);
    let back = workspace.run(&["plugin", "rollback", "acme.victim"]);
    assert!(installed.out.contains("waits"), "{}", installed.out);
    assert!(
        back.err.contains("not gone back to without a look"),
        "{}",
        back.err
    );
    assert_eq!(shown(&workspace)["version"], "0.1.0");
    // Once somebody has switched it on, it is gone back to at once.
    let _ = workspace.run(&["plugin", "disable", "acme.victim"]).ok();
    let _ = install(&workspace, &wide).ok();
    enable();
    let _ = install(&workspace, &narrow).ok();
    let _ = workspace.run(&["plugin", "rollback", "acme.victim"]).ok();
    let row = shown(&workspace);
    assert_eq!(
        (&row["version"], &row["enabled"]),
        (&Json::from("0.2.0"), &Json::from(true))
    );
}

#[test]
fn p7_an_upgrade_that_needs_what_is_not_granted_does_not_take_the_place_of_one_in_use() {
    let workspace = in_use();
    let program = built("hostile-echo");
    let further = victim("hostile-echo", "0.2.0")
        + "\n[[grant]]\nallow = \"read:task.status\"\nreason = \"Needed.\"\n";
    let ran = install(&workspace, &sealed(&program, &further));
    assert!(
        ran.out.contains("the grant read:task.status"),
        "{}",
        ran.out
    );
    assert_eq!(shown(&workspace)["version"], "0.1.0");
    let optional = further.replace(
        "reason = \"Needed.\"",
        "reason = \"Nice.\"\noptional = true",
    );
    // What it asks for is looked at, also where it does its work without; that is not given by accepting.
    let other = install(&workspace, &sealed(&program, &optional));
    assert!(other.err.contains("reject it first"), "{}", other.err);
    let _ = workspace.run(&["plugin", "reject", "acme.victim"]).ok();
    let _ = install(&workspace, &sealed(&program, &optional)).ok();
    assert_eq!(shown(&workspace)["version"], "0.1.0");
    let _ = workspace.run(&["plugin", "accept", "acme.victim"]).ok();
    let row = shown(&workspace);
    assert_eq!(
        (&row["version"], &row["enabled"]),
        (&Json::from("0.2.0"), &Json::from(true))
    );
    assert!(!words(&row["grants"]).contains(&"read:task.status".to_owned()));
}

#[test]
fn p7_an_upgrade_that_needs_less_keeps_that_much() {
    let workspace = Workspace::new();
    let program = built("hostile-echo");
    let whole = victim("hostile-echo", "0.1.0").replace("read:task.subject", "read:task");
    let _ = install(&workspace, &sealed(&program, &whole)).ok();
    let grant = ["plugin", "grant", "acme.victim", "--all-declared"];
    let _ = workspace.run(&grant).ok();
    let _ = workspace.run(&["plugin", "enable", "acme.victim"]).ok();
    let less = sealed(&program, &victim("hostile-echo", "0.2.0"));
    let _ = install(&workspace, &less).ok();
    let row = shown(&workspace);
    assert_eq!(row["version"], "0.2.0");
    assert_eq!(words(&row["grants"]), ["create:task", "read:task.subject"]);
}
