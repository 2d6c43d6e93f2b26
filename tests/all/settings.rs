//! Settings of plugins: checked before they are live, and what a plugin watches by them.

use kjerne_tests::{Workspace, root};

/// The settings a built-in plugin comes with, with one text in place of another.
fn defaults(plugin: &str, from: &str, to: &str) -> String {
    let path = root().join("plugins").join(plugin).join("settings.toml");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{plugin} has no {from}");
    text.replacen(from, to, 1)
}

/// A plugin is asked about its settings also where no server runs, and what that costs is its account.
#[test]
fn what_it_costs_to_be_asked_about_settings_is_booked_without_a_server() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let calls = || {
        let costs = workspace.json(&["plugin", "cost"]);
        let rows = costs["costs"].as_array().unwrap().iter();
        let prepared = rows.filter(|row| row["role"] == "prepare");
        prepared
            .map(|row| row["calls"].as_u64().unwrap())
            .sum::<u64>()
    };
    let file = workspace.beside("settings.toml");
    for (settings, is_taken) in [
        (
            defaults("sales-stages", "probability = 5\n", "probability = 6\n"),
            true,
        ),
        (
            defaults("sales-stages", "probability = 5\n", "probability = 500\n"),
            false,
        ),
    ] {
        let before = calls();
        std::fs::write(&file, settings).unwrap();
        let ran = workspace.run(&[
            "plugin",
            "settings",
            "sales-stages",
            &file.display().to_string(),
        ]);
        assert_eq!(ran.code == 0, is_taken, "{}", ran.err);
        assert!(calls() > before, "taken: {is_taken}");
    }
}

/// Each row: a plugin, its settings with a fault, and what whoever sets them is told.
#[test]
fn settings_with_a_fault_are_refused_when_they_are_set_and_those_before_stay() {
    let workspace =
        Workspace::with_plugins(&["sales-stages", "buying-process", "service-rules", "webhook"]);
    let service = |from: &str, to: &str| defaults("service-rules", from, to);
    let rows = [
        (
            "sales-stages",
            defaults("sales-stages", "probability = 5\n", "probability = 500\n"),
            "line 37: probability must be a whole number from 0 to 100",
        ),
        ("sales-stages", "colour = 1\n".to_owned(), "colour"),
        (
            "sales-stages",
            defaults(
                "sales-stages",
                "required = [\"account\"]",
                "required = [\"acount\"]",
            ),
            "acount",
        ),
        ("buying-process", "colour = 1\n".to_owned(), "colour"),
        (
            "service-rules",
            service("Europe/Oslo", "Europe/Olso"),
            ": time_zone 'Europe/Olso'",
        ),
        (
            "service-rules",
            service(
                "required_to_resolve = []",
                "required_to_resolve = [\"acount\"]",
            ),
            "'acount'",
        ),
        (
            "service-rules",
            service("priority = \"low\"", "priority = \"lowest\""),
            "'lowest'",
        ),
        (
            "service-rules",
            service("hours = {", "hours = { friday = [\"08:00-12:00\"],"),
            "friday is named twice",
        ),
        (
            "webhook",
            "[[subscription]]\nname = 'a'\n".to_owned(),
            "'url' is missing",
        ),
        ("webhook", "x = \n".to_owned(), "line 1"),
        (
            "webhook",
            defaults(
                "webhook",
                "set = { status = \"new\", channel = \"web\" }",
                "set = { status = \"newish\" }",
            ),
            "sets case.status to 'newish'",
        ),
        (
            "webhook",
            defaults(
                "webhook",
                "set = { status = \"new\", channel = \"web\" }",
                "set = { thread = 5 }",
            ),
            "sets case.thread to 5",
        ),
        (
            "sales-stages",
            defaults(
                "sales-stages",
                "required = [\"account\"]",
                "required = [\"id\"]",
            ),
            "cannot require id",
        ),
        (
            "sales-stages",
            defaults(
                "sales-stages",
                "entry = [{ related = \"stakeholder\", at_least = 1 }]",
                "entry = [{ field = \"acount\" }]",
            ),
            "line 46: stage discover looks at acount",
        ),
    ];
    let file = workspace.beside("settings.toml");
    let set = |plugin: &str, text: &str| {
        std::fs::write(&file, text).unwrap();
        workspace.run(&["plugin", "settings", plugin, &file.display().to_string()])
    };
    let check = |beside: &str| {
        for (plugin, text, told) in &rows {
            let before = workspace.run(&["plugin", "settings", plugin]).ok().out;
            let ran = set(plugin, text);
            assert_eq!(ran.code, 2, "{plugin} {told} {beside}: {}", ran.err);
            assert!(ran.err.contains(told), "{told:?} is not in: {}", ran.err);
            let after = workspace.run(&["plugin", "settings", plugin]).ok().out;
            assert_eq!(before, after, "{plugin} {beside}");
        }
        for plugin in ["sales-stages", "buying-process", "service-rules", "webhook"] {
            let _ = set(plugin, &defaults(plugin, "\n", "\n")).ok();
        }
    };
    check("without a server");
    let _server = workspace.serve();
    check("beside a server");
}

#[test]
fn a_plugin_with_faulty_settings_is_not_switched_on() {
    let workspace = Workspace::with_plugins(&["service-rules"]);
    let _ = workspace.run(&["plugin", "disable", "service-rules"]).ok();
    let file = workspace.beside("settings.toml");
    std::fs::write(
        &file,
        defaults("service-rules", "Europe/Oslo", "Europe/Olso"),
    )
    .unwrap();
    let file = file.display().to_string();
    let ran = workspace.run(&["plugin", "settings", "service-rules", &file]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let _ = workspace.run(&["plugin", "enable", "service-rules"]).ok();
}

#[test]
fn an_integration_without_a_subscription_is_not_run() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let calls = || {
        let costs = workspace.json(&["plugin", "cost"]);
        let rows = costs["costs"].as_array().cloned().unwrap_or_default();
        let of = rows
            .iter()
            .filter(|row| row["plugin"] == "webhook" && row["role"] == "integration");
        of.map(|row| row["calls"].as_u64().unwrap()).sum::<u64>()
    };
    let before = calls();
    let create = || {
        let _ = workspace
            .run(&["create", "account", "name=Granholt AS"])
            .ok();
    };
    create();
    assert_eq!(calls(), before, "nobody asked for anything");
    let file = workspace.beside("settings.toml");
    let text = "[[subscription]]\nname = \"all\"\nurl = \"http://127.0.0.1:9/in\"\nkinds = [\"account\"]\n";
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let _ = workspace
        .run(&["plugin", "settings", "webhook", &file])
        .ok();
    let granted = "send:http://127.0.0.1:9";
    let _ = workspace.run(&["plugin", "grant", "webhook", granted]).ok();
    let queued = || {
        let outbox = workspace.json(&["plugin", "outbox"]);
        outbox["messages"].as_array().map_or(0, Vec::len)
    };
    create();
    assert_eq!(queued(), 1, "what comes, and not what has been");
}

#[test]
fn what_a_plugin_makes_of_a_value_is_told_on_the_command_line_and_over_http() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let made = workspace.json(&["create", "opportunity", "name=Fleet", "pipeline=standard"]);
    let id = made["id"].as_str().unwrap().to_owned();
    let ran = workspace
        .run(&["set", "opportunity", &id, "probability=99"])
        .ok();
    let told = "plugin sales-stages set probability to 5";
    assert!(ran.out.contains(told), "{}", ran.out);
    let receipt = workspace.json(&["set", "opportunity", &id, "probability=99"]);
    assert_eq!(
        receipt["overridden"][0]["field"], "probability",
        "{receipt}"
    );
    assert_eq!(receipt["overridden"][0]["value"], 5, "{receipt}");
    let agreed = workspace.json(&["set", "opportunity", &id, "probability=5"]);
    assert!(agreed["overridden"].is_null(), "{agreed}");
}

#[test]
fn an_activity_is_noted_on_its_opportunity_also_when_it_is_imported() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let made = workspace.json(&["create", "opportunity", "name=Fleet", "external_id=F1"]);
    let id = made["id"].as_str().unwrap().to_owned();
    let noted =
        || workspace.json(&["get", "opportunity", &id])["fields"]["last_activity_at"].clone();
    assert!(noted().is_null());
    let about = format!("opportunity={id}");
    let at = "at=2026-03-01T09:00:00Z";
    let _ = workspace
        .run(&[
            "create",
            "activity",
            "subject=Call",
            "channel=call",
            at,
            &about,
        ])
        .ok();
    assert_eq!(noted(), "2026-03-01T09:00:00Z");
    let (rows, map) = (workspace.beside("rows.csv"), workspace.beside("map.toml"));
    std::fs::write(
        &rows,
        "id,what,when,deal\n1,Mail,2026-03-02T09:00:00Z,F1\n2,Old,2020-01-01T00:00:00Z,F1\n",
    )
    .unwrap();
    let text = "kind = 'activity'\nkey = 'external_id'\n[fields]\nexternal_id = 'id'\nsubject = 'what'\nchannel = { constant = 'email' }\nat = 'when'\nopportunity = { column = 'deal', lookup = 'opportunity.external_id' }\n";
    std::fs::write(&map, text).unwrap();
    let (rows, map) = (rows.display().to_string(), map.display().to_string());
    let _ = workspace
        .run(&["import", &rows, "--as", "activity", "--map", &map])
        .ok();
    assert_eq!(noted(), "2026-03-02T09:00:00Z");
}

/// Where no server runs, an act that would leave a plugin that cannot be prepared is refused as well: the
/// workspace would take no commit any more.
#[test]
fn an_act_that_leaves_a_plugin_that_cannot_be_prepared_is_refused_without_a_server() {
    let workspace = Workspace::with_plugins(&["webhook", "hostile-ready"]);
    let file = workspace.beside("settings.toml");
    let set = |plugin: &str, text: &str| {
        std::fs::write(&file, text).unwrap();
        workspace.run(&["plugin", "settings", plugin, &file.display().to_string()])
    };
    let _ = workspace
        .run(&["plugin", "revoke", "webhook", "read:account"])
        .ok();
    let unseen = "[[subscription]]\nname = 'a'\nurl = 'https://hooks.example.com/'\nkinds = ['account']\n\
                  fields = ['nosuch']\n";
    let _ = set("webhook", unseen).ok();
    let granted = workspace.run(&["plugin", "grant", "webhook", "read:account"]);
    assert_eq!(granted.code, 2, "{}", granted.out);
    assert!(granted.err.contains("nosuch"), "{}", granted.err);
    let refused = set("hostile-ready", "behaviour = \"panic\"");
    assert_ne!(refused.code, 0, "{}", refused.out);
    assert!(
        refused.err.contains("breaks while it is prepared"),
        "{}",
        refused.err
    );
    let created = workspace.run(&["create", "account", "name=x"]);
    // Its guard refuses every account, but the workspace opens.
    assert!(created.err.contains("call-2"), "{}", created.err);
}
