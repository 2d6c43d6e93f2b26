//! Going back to the version of a plugin that was in use before, on the command line.

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
