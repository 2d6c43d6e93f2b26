//! Going back to the version of a plugin that was in use before, on the command line.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use kjerne_tests::Workspace;
use serde_json::json;

use crate::stage::guarding;

#[test]
fn the_version_before_guards_again_after_one_command() {
    let workspace = Workspace::new();
    let behaviour = workspace.beside("settings.toml");
    std::fs::write(&behaviour, "behaviour = \"refuse\"\n").unwrap();
    let install = |version: &str, kinds: &[&str]| {
        let file = workspace.beside("rule.wasm");
        std::fs::write(&file, guarding("acme.rule", version, kinds)).unwrap();
        let file = file.display().to_string();
        workspace
            .run(&["plugin", "install", "--unsigned", &file])
            .ok()
            .out
    };
    let create = || {
        let ran = workspace.run(&["create", "account", "name=Granholt AS"]);
        ran.code
    };
    let _ = install("0.1.0", &["account", "lead"]);
    let nothing = workspace.run(&["plugin", "rollback", "acme.rule"]);
    assert_eq!(nothing.code, 4, "{}", nothing.err);
    assert!(
        nothing
            .err
            .contains("in use is 0.1.0, no other version is kept"),
        "{}",
        nothing.err
    );
    for step in [
        &["plugin", "grant", "acme.rule", "--all-declared"][..],
        &[
            "plugin",
            "settings",
            "acme.rule",
            &behaviour.display().to_string(),
        ],
        &["plugin", "enable", "acme.rule"],
    ] {
        let _ = workspace.run(step).ok();
    }
    assert_eq!(create(), 3, "0.1.0 guards accounts");
    let told = install("0.2.0", &["lead"]);
    assert!(
        told.contains("over 0.1.0, which is kept; go back: kjerne plugin rollback acme.rule"),
        "{told}"
    );
    assert_eq!(create(), 0, "0.2.0 guards leads only");
    let kept = |command: &[&str]| workspace.json(command);
    assert_eq!(
        kept(&["plugin", "list"])["plugins"][0]["kept"],
        json!(["0.1.0"])
    );

    let told = workspace.run(&["plugin", "rollback", "acme.rule"]).ok().out;
    assert!(
        told.contains("acme.rule is back at 0.1.0; 0.2.0 is kept, its settings stay in use"),
        "{told}"
    );
    assert!(!told.contains("it is off"), "{told}");
    assert_eq!(create(), 3, "0.1.0 guards accounts again");
    assert_eq!(
        kept(&["plugin", "inspect", "acme.rule"])["kept"],
        json!(["0.2.0"])
    );
    let shown = workspace.run(&["plugin", "inspect", "acme.rule"]).ok().out;
    assert!(shown.contains("kept versions"), "{shown}");
}

#[test]
fn no_commit_fails_while_versions_take_each_others_place() {
    let workspace = Workspace::new();
    let file = |version: &str| {
        let file = workspace.beside(&format!("rule-{version}.wasm"));
        std::fs::write(&file, guarding("acme.rule", version, &["account"])).unwrap();
        file.display().to_string()
    };
    let (one, two) = (file("0.1.0"), file("0.2.0"));
    for step in [
        &["plugin", "install", "--unsigned", &one][..],
        &["plugin", "grant", "acme.rule", "--all-declared"],
        &["plugin", "enable", "acme.rule"],
    ] {
        let _ = workspace.run(step).ok();
    }
    let server = workspace.serve();
    let (done, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let failed = std::thread::scope(|scope| {
        let writer = || {
            let mut failed = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let body = json!({ "fields": { "name": "Granholt AS" } });
                let (status, told) = server.post("/v1/records/account", &body);
                if status != 201 {
                    failed.push(told);
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
            failed
        };
        let writers: Vec<_> = (0..4).map(|_| scope.spawn(writer)).collect();
        for turn in 0..6 {
            let step: &[&str] = if turn == 0 {
                &["plugin", "install", "--unsigned", &two]
            } else {
                &["plugin", "rollback", "acme.rule"]
            };
            let ran = workspace.run(step);
            if ran.code != 0 {
                over.store(true, Ordering::Relaxed);
            }
            assert_eq!(ran.code, 0, "{}", ran.err);
            // Some commits on each version, however slow the machine is.
            let before = done.load(Ordering::Relaxed);
            while done.load(Ordering::Relaxed) < before + 40 {
                std::thread::yield_now();
            }
        }
        over.store(true, Ordering::Relaxed);
        let failed = writers.into_iter().map(|writer| writer.join().unwrap());
        failed.flatten().collect::<Vec<_>>()
    });
    assert!(failed.is_empty(), "{failed:?}");
    drop(server);
    // Each call ended on the version it began with: the entry names it, and both have decided some.
    let journal = workspace.json(&["journal", "--top", "200"]);
    let entries = journal["entries"].as_array().unwrap().iter();
    let verdicts = entries.flat_map(|entry| entry["verdicts"].as_array().unwrap());
    let guards = verdicts.filter(|one| one["role"] == "guard");
    let asked: BTreeSet<&str> = guards.map(|one| one["version"].as_str().unwrap()).collect();
    assert_eq!(asked, BTreeSet::from(["0.1.0", "0.2.0"]));
    let verified = workspace.run(&["verify"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
}
