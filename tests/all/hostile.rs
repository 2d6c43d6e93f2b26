//! Promise 7: plugins that misbehave in every way there is a limit for. What the person is told, what
//! is stored (nothing), and that nobody else notices.

use std::time::Instant as Clock;

use kjerne_core::{Outcome, Progress, Role};
use kjerne_host::{Host, Installed, Package, PackageError, limits};
use kjerne_model::{Code, Refusal};
use kjerne_store::cursors;
use kjerne_tests::Workspace;
use serde_json::json;

use crate::stage::{Stage, apart, at, built, host, hostile, installed, manifest};

const TASK: &[(&str, &str)] = &[("subject", "Call back"), ("status", "open")];

/// A second guard of accounts that has nothing to do with the first, and refuses.
fn neighbour() -> Installed {
    installed(
        &apart("acme.neighbour", "0.1.0"),
        "behaviour = \"refuse\"",
        2,
    )
}

fn refusals(outcome: Outcome) -> Vec<Refusal> {
    match outcome {
        Outcome::Refused(refusals) => refusals,
        other => panic!("it was not refused: {other:?}"),
    }
}

/// The kind whose commits meet one role of the hostile plugin alone.
fn kind_of(role: Role) -> &'static str {
    if role == Role::Shape {
        "contact"
    } else {
        "account"
    }
}

/// Has the plugin misbehave in a role, and demands that the plugin, the limit and the number are
/// told and nothing is stored. A number of 0 stands for the call's own budget of fuel, 1 for that of
/// memory.
fn check(host: &std::sync::Arc<Host>, role: Role, behaviour: &str, limit: &str, told: &[u64]) {
    let stage = Stage::on(host.clone(), vec![hostile(behaviour)]);
    let started = Clock::now();
    let refusals = refusals(stage.create(kind_of(role), 1, &[("name", "Granholt AS")]));
    let used = stage.used();
    let refusal = &refusals[0];
    assert_eq!(
        (
            refusal.code,
            refusal.plugin.as_deref(),
            refusal.reason.as_deref()
        ),
        (Code::PluginFault, Some("hostile"), Some(limit)),
        "{behaviour}: {refusal}"
    );
    assert_eq!(
        used[0].fault.as_deref(),
        Some(limit),
        "the ledger tells it too"
    );
    let message = &refusal.message;
    for number in told.iter().map(|number| match number {
        0 => used[0].fuel_limit,
        1 => used[0].memory_limit,
        number => *number,
    }) {
        assert!(
            message.contains(&number.to_string()),
            "{number} is not told: {message}"
        );
    }
    for part in [
        "plugin hostile",
        role.name(),
        if told.is_empty() { "author" } else { limit },
    ] {
        assert!(message.contains(part), "{part} is not told: {message}");
    }
    assert!(stage.journal().is_empty(), "{behaviour}: nothing is stored");
    assert!(
        started.elapsed().as_secs() < 5,
        "{behaviour} took {:?}",
        started.elapsed()
    );
}

#[test]
fn promise_7_every_misbehaviour_in_a_commit_is_told_with_plugin_limit_and_number() {
    let host = host(true);
    let calls = limits::HOST_CALLS.value + limits::HOST_CALLS_CHANGE.value;
    let everywhere: [(&str, &str, &[u64]); 8] = [
        ("loop", "fuel", &[0]),
        ("bulk", "fuel", &[0]),
        ("memory", "memory", &[1]),
        ("log-flood", "log-lines", &[limits::LOG_LINES.value]),
        ("host-flood", "host-calls", &[calls]),
        ("panic", "panic", &[]),
        ("trap", "trap", &[]),
        // A Rust guest's own stack, in its memory, is smaller than the host's and ends first.
        ("recursion", "trap", &[]),
    ];
    for (behaviour, limit, told) in everywhere {
        for role in [Role::Shape, Role::Guard] {
            check(&host, role, behaviour, limit, told);
        }
    }
    let guards: [(&str, &str, &[u64]); 3] = [
        ("huge-message", "memory", &[1]),
        (
            "findings-flood",
            "output-items",
            &[limits::OUTPUT_ITEMS.value],
        ),
        ("bad-change", "panic", &[]),
    ];
    for (behaviour, limit, told) in guards {
        check(&host, Role::Guard, behaviour, limit, told);
    }
}

#[test]
fn promise_7_a_panic_is_told_in_the_plugins_own_words() {
    let stage = Stage::new(vec![hostile("panic")]);
    let refusals = refusals(stage.create("account", 1, &[("name", "Granholt AS")]));
    assert!(
        refusals[0].message.contains("as the settings say"),
        "{}",
        refusals[0]
    );
}

/// What a forbidden attempt in a guard comes to: a failure the plugin can handle, with this code.
#[test]
fn promise_7_what_a_guard_may_not_do_is_refused_at_the_operation() {
    let host = host(true);
    for (behaviour, code) in [
        ("read", "not-granted"),
        ("query", "not-granted"),
        ("bad-filter", "bad-filter"),
        ("state", "not-now"),
    ] {
        let stage = Stage::on(host.clone(), vec![hostile(behaviour)]);
        let refusals = refusals(stage.create("account", 1, &[("name", "Granholt AS")]));
        let told = (refusals[0].code, refusals[0].reason.as_deref());
        assert_eq!(
            told,
            (Code::Guard, Some(code)),
            "{behaviour}: {}",
            refusals[0]
        );
    }
}

/// A shape that tries what it may not is told so, and the commit goes on without it.
#[test]
fn promise_7_a_field_that_is_not_granted_or_of_another_type_is_not_set() {
    let host = host(true);
    for (behaviour, code) in [
        ("set", "not-granted"),
        ("bad-set", "wrong-type"),
        ("state", "not-now"),
    ] {
        let package = built("hostile");
        let settings = format!("behaviour = \"{behaviour}\"");
        let stage = Stage::on(host.clone(), vec![installed(&package, &settings, 1)]);
        let outcome = stage.create("account", 1, &[("name", "Granholt AS")]);
        if behaviour != "state" {
            assert!(outcome.receipt().is_some(), "{behaviour}: {outcome:?}");
            let after = stage.journal()[0].edits[0].after.clone().unwrap();
            assert_eq!(after, stage.fields("account", &[("name", "Granholt AS")]));
        }
        let last = stage.host.logs("hostile").pop().unwrap();
        assert!(last.message.contains(code), "{behaviour}: {}", last.message);
    }
}

#[test]
fn promise_7_a_call_that_traps_does_not_spoil_the_next() {
    let stage = Stage::new(vec![hostile("panic-on-name")]);
    for round in 0..3 {
        let broken = refusals(stage.create("account", 99, &[("name", "trap")]));
        assert_eq!(broken[0].code, Code::PluginFault, "{}", broken[0]);
        let next = stage.create("account", round, &[("name", "Svaberg AS")]);
        assert!(next.receipt().is_some(), "{next:?}");
    }
    assert_eq!(stage.journal().len(), 3);
}

/// A neighbour says and uses the same, whatever the plugin before it does.
#[test]
fn promise_7_a_neighbour_is_asked_all_the_same_and_uses_the_same_fuel() {
    let host = host(true);
    let neighbours_part = |first: &str| {
        let stage = Stage::on(host.clone(), vec![hostile(first), neighbour()]);
        let said = refusals(stage.create("account", 1, &[("name", "Granholt AS")]));
        let said: Vec<Refusal> = said
            .into_iter()
            .filter(|one| one.plugin.as_deref() == Some("acme.neighbour"))
            .collect();
        let used = stage
            .used()
            .into_iter()
            .find(|used| used.plugin == "acme.neighbour")
            .unwrap();
        (said, used)
    };
    let quiet = neighbours_part("none");
    assert_eq!(quiet.0.len(), 1);
    for behaviour in [
        "loop",
        "memory",
        "host-flood",
        "log-flood",
        "panic",
        "trap",
        "recursion",
    ] {
        assert_eq!(neighbours_part(behaviour), quiet, "beside {behaviour}");
    }
}

/// What a reaction that misbehaves is told to have done, in the row that keeps its error.
#[test]
fn promise_7_every_misbehaviour_after_a_commit_is_told_and_stores_nothing() {
    let host = host(true);
    let number = |limit: &limits::Budget| limit.memory.to_string();
    let later = limits::Budget::of(Role::React, 1, 0);
    for (behaviour, told) in [
        (
            "create",
            vec!["not-granted".to_owned(), "contact".to_owned()],
        ),
        ("update", vec!["not-granted".to_owned()]),
        ("remove", vec!["not-granted".to_owned()]),
        (
            "send",
            vec![
                "not-granted".to_owned(),
                "https://elsewhere.example.com".to_owned(),
            ],
        ),
        ("read", vec!["not-granted".to_owned()]),
        ("memory", vec!["memory".to_owned(), number(&later)]),
        (
            "host-flood",
            vec!["host-calls".to_owned(), later.host_calls.to_string()],
        ),
        (
            "log-flood",
            vec!["log-lines".to_owned(), limits::LOG_LINES.value.to_string()],
        ),
        ("effects-flood", vec!["output".to_owned()]),
        ("state-flood", vec!["output".to_owned()]),
        (
            "panic",
            vec!["panic".to_owned(), "as the settings say".to_owned()],
        ),
        ("fail", vec!["as-told".to_owned()]),
    ] {
        let stage = Stage::on(host.clone(), vec![hostile(behaviour)]);
        assert!(stage.create("task", 1, TASK).receipt().is_some());
        let Progress::Failed {
            error,
            entry,
            tries,
            ..
        } = stage.react("hostile", at(0))
        else {
            panic!("{behaviour} did not fail")
        };
        assert_eq!((entry, tries), (1, 1), "{behaviour}");
        for part in told.iter().map(String::as_str).chain(["hostile"]) {
            assert!(
                error.contains(part),
                "{behaviour}: {part} is not told: {error}"
            );
        }
        assert_eq!(
            stage.journal().len(),
            1,
            "{behaviour} left something behind"
        );
        assert!(
            stage.kernel.outbox_due(at(9), 9).unwrap().is_empty(),
            "{behaviour} left a message"
        );
    }
}

#[test]
fn promise_7_a_reaction_that_breaks_is_put_aside_and_backs_off_and_is_parked_where_it_is_seen() {
    let stage = Stage::new(vec![hostile("panic")]);
    assert!(stage.create("task", 1, TASK).receipt().is_some());
    let mut now = at(0);
    let mut pauses = Vec::new();
    let parked = loop {
        match stage.react("hostile", now) {
            Progress::Failed {
                entry: 1, until, ..
            } => {
                let cursor = cursor(&stage);
                let aside = &cursor.aside[0];
                assert_eq!((aside.entry, aside.not_before), (1, until), "it stays");
                assert_eq!(stage.react("hostile", now), Progress::Waiting { until });
                pauses.push((until.millis() - now.millis()) / 1_000);
                now = until;
            }
            Progress::Parked { entry, error } => break (entry, error),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        pauses,
        [1, 2, 4, 8, 16, 32, 64],
        "each pause is twice the one before"
    );
    assert_eq!(parked.0, 1);
    assert_eq!(
        (cursor(&stage).position, cursor(&stage).aside.len()),
        (1, 0)
    );
    let rows = stage.kernel.parked().unwrap();
    let row = &rows[0];
    assert_eq!(
        (row.plugin.as_str(), row.role.as_str(), row.entry),
        ("hostile", "react", 1)
    );
    assert!(
        row.error.contains("plugin hostile panicked in react"),
        "{}",
        row.error
    );

    stage.host.replace(vec![hostile("none")]).unwrap();
    let plugin = stage.plugin("hostile", Role::React);
    stage
        .kernel
        .retry_parked(&plugin, Role::React, 1, now)
        .unwrap();
    assert!(
        stage.kernel.parked().unwrap().is_empty(),
        "mended and tried again, it is done"
    );
}

fn cursor(stage: &Stage) -> kjerne_store::CursorRow {
    let store: &dyn kjerne_store::Store = stage.kernel.store().as_ref();
    cursors::get(&*store.snapshot().unwrap(), "hostile", "react").unwrap()
}

#[test]
fn promise_7_two_plugins_that_answer_each_other_come_to_an_end() {
    let echo = installed(&built("hostile-echo"), "", 2);
    let stage = Stage::new(vec![hostile("storm"), echo]);
    assert!(stage.create("task", 1, TASK).receipt().is_some());
    for turn in 0.. {
        let turns = ["hostile", "hostile-echo"].map(|id| stage.react(id, at(turn)));
        if turns.iter().all(|progress| *progress == Progress::Idle) {
            break;
        }
        assert!(turn < 100, "it does not end");
    }
    let depth = kjerne_core::limits::REACTION_DEPTH.value;
    let deepest = stage
        .journal()
        .iter()
        .filter_map(|entry| entry.cause)
        .map(|c| c.depth)
        .max();
    assert_eq!(deepest.map(u64::from), Some(depth));
    // Each of the two answers the other's answers, to the limit, and the first task.
    assert_eq!(stage.edits()["task"] as u64, 1 + 2 * depth);
    let parked = stage.kernel.parked().unwrap();
    assert_eq!(parked.len(), 2, "{parked:?}");
    for row in parked {
        assert!(row.error.contains("too-deep"), "{}", row.error);
        assert!(row.error.contains(&depth.to_string()), "{}", row.error);
    }
}

/// In a workspace: the plugin installed, granted what it declares, and told to do this.
pub fn workspace_with(behaviour: &str) -> Workspace {
    let workspace = Workspace::new();
    let settings = workspace.beside("settings.toml");
    std::fs::write(&settings, format!("behaviour = \"{behaviour}\"\n")).unwrap();
    workspace.install("hostile");
    let settings = settings.display().to_string();
    let _ = workspace
        .run(&["plugin", "settings", "hostile", &settings])
        .ok();
    workspace
}

#[test]
fn promise_7_the_command_line_tells_it_and_the_administrator_finds_what_was_parked() {
    let workspace = workspace_with("storm");
    workspace.install("hostile-echo");
    let _ = workspace
        .run(&["create", "task", "subject=Call back", "status=open"])
        .ok();
    let parked = workspace.json(&["plugin", "parked"]);
    assert_eq!(parked["parked"].as_array().unwrap().len(), 2, "{parked}");
    let shown = workspace.run(&["plugin", "parked", "hostile-echo"]).ok();
    assert!(
        shown.out.contains("hostile-echo") && shown.out.contains("too-deep"),
        "{}",
        shown.out
    );

    let workspace = workspace_with("host-flood");
    let ran = workspace.run(&["create", "account", "name=Granholt AS"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    for part in ["hostile", "host-calls", "80"] {
        assert!(ran.err.contains(part), "{part} is not told: {}", ran.err);
    }
    let cost = workspace.json(&["plugin", "cost", "hostile"]);
    assert_eq!(
        cost["costs"][0]["faults"], 1,
        "the fault is on the bill: {cost}"
    );
}

#[test]
fn promise_7_the_server_lives_on_beside_a_broken_plugin() {
    for behaviour in ["loop", "memory", "recursion", "panic-on-name"] {
        let workspace = workspace_with(behaviour);
        let server = workspace.serve();
        let before = server.get("/v1/journal").1["last"].clone();
        for round in 0..3 {
            let body = json!({"fields": {"name": "trap"}});
            let (status, problem) = server.post("/v1/records/account", &body);
            assert!(
                status >= 422,
                "{behaviour}, round {round}: {status} {problem}"
            );
            let refusal = &problem["refusals"][0];
            assert_eq!(
                (&refusal["code"], &refusal["plugin"]),
                (&json!("plugin-fault"), &json!("hostile"))
            );
            assert_eq!(server.get("/v1/health").0, 200, "{behaviour}");
        }
        assert_eq!(
            server.get("/v1/journal").1["last"],
            before,
            "{behaviour}: nothing is stored"
        );
        // What the plugin does not watch goes on as if it were not there.
        let (status, answer) =
            server.post("/v1/records/lead", &json!({"fields": {"name": "Ola Demo"}}));
        assert_eq!(status, 201, "{behaviour}: {answer}");
    }
}

fn misread(bytes: &[u8]) -> PackageError {
    Package::read(bytes).expect_err("it should not have been taken")
}

/// Real components with manifests that do not say the truth about them.
#[test]
fn promise_7_a_manifest_that_lies_is_found_out_before_anything_runs() {
    let component = built("hostile");
    let honest = manifest("tests/hostile/many");
    let sealed = |manifest: &str| Package::seal(&component, manifest, "");
    assert!(Package::read(&sealed(&honest)).is_ok());
    let cases: [(String, &[&str]); 5] = [
        (
            honest.replace("contract = \"0.2.0\"", "contract = \"0.3.0\""),
            &["0.3.0", "0.2.0", "build"],
        ),
        (
            honest.replace("contract = \"0.2.0\"", "contract = \"1.0.0\""),
            &["1.0.0", "0.2.0"],
        ),
        (
            honest.replace("[roles.guard]", "[roles.integration]"),
            &["integration", "does not export"],
        ),
        (
            honest.replace(
                "[roles.guard]\nkinds = [\"account\", \"contact\", \"task\"]",
                "",
            ),
            &["guard", "does not declare"],
        ),
        ("id = ".to_owned(), &["manifest"]),
    ];
    for (manifest, told) in cases {
        let error = misread(&sealed(&manifest)).to_string();
        for part in told {
            assert!(error.contains(part), "{part} is not told: {error}");
        }
    }
    let bare = b"\0asm\x01\0\0\0".to_vec();
    assert_eq!(
        misread(&Package::seal(&bare, &honest, "")),
        PackageError::CoreModule
    );
}

/// A guest may import more than it declares; what it does with it is refused when it does it.
#[test]
fn promise_8_what_is_not_declared_is_refused_at_the_operation_whatever_was_granted() {
    let honest = manifest("tests/hostile/many");
    let (before, after) = honest
        .split_once("[[grant]]\nallow = \"create:task\"")
        .unwrap();
    let after = after.split_once("[[grant]]").map_or("", |(_, rest)| rest);
    let rest = format!("[[grant]]{after}");
    let silent = format!("{before}{}", if after.is_empty() { "" } else { &rest });
    let file = Package::seal(&built("hostile"), &silent, "");
    let mut plugin = installed(&file, "behaviour = \"storm\"", 1);
    plugin.grants.push("create:task".to_owned());
    let stage = Stage::new(vec![plugin]);
    assert!(stage.create("task", 1, TASK).receipt().is_some());
    let Progress::Failed { error, .. } = stage.react("hostile", at(0)) else {
        panic!("it did not fail")
    };
    assert!(error.contains("not-granted"), "{error}");
}

/// What is declared and not granted: the role works, the call is refused.
#[test]
fn promise_7_a_role_works_without_its_grants_and_each_call_is_refused() {
    let mut plugin = installed(&built("hostile-echo"), "", 1);
    plugin.grants.retain(|grant| grant.starts_with("read:"));
    let stage = Stage::new(vec![plugin]);
    assert!(stage.create("task", 1, TASK).receipt().is_some());
    let Progress::Failed { error, .. } = stage.react("hostile-echo", at(0)) else {
        panic!("it did not fail")
    };
    assert!(
        error.contains("not-granted") && error.contains("create:task"),
        "{error}"
    );
}
