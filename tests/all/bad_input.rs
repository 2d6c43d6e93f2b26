//! Bad input of every sort: a clear error that says what and where, and nothing lost or half done.

use kjerne_tests::{Workspace, plugin};
use serde_json::json;

/// Writes a file, installs it as a plugin, and returns what was complained of.
fn install_error(workspace: &Workspace, bytes: &[u8]) -> String {
    let file = workspace.beside("plugin.wasm");
    std::fs::write(&file, bytes).unwrap();
    let ran = workspace.run(&[
        "plugin",
        "install",
        "--unsigned",
        &file.display().to_string(),
    ]);
    assert_ne!(ran.code, 0, "{}", ran.out);
    let listed = workspace.json(&["plugin", "list"]);
    assert_eq!(
        listed
            .as_array()
            .or(listed["plugins"].as_array())
            .unwrap()
            .len(),
        0
    );
    ran.err
}

#[test]
fn a_file_that_is_no_plugin_is_refused_for_its_reason() {
    let workspace = Workspace::new();
    let cases: [(&[u8], &str); 3] = [
        (b"hello", "not WebAssembly"),
        (b"\0asm\x01\0\0\0", "core module"),
        (b"\0asm\x0d\0\x01\0", "no role"),
    ];
    for (bytes, expected) in cases {
        let error = install_error(&workspace, bytes);
        assert!(error.contains(expected), "{expected:?} is not in: {error}");
    }
}

#[test]
fn a_damaged_plugin_is_refused() {
    let workspace = Workspace::new();
    let mut bytes = std::fs::read(plugin("sales-stages")).unwrap();
    bytes.truncate(bytes.len() / 2);
    let error = install_error(&workspace, &bytes);
    assert!(!error.contains("panicked"), "{error}");
}

/// Each row: the arguments, the exit code, and what the person must be told.
#[test]
fn the_command_line_says_what_is_wrong_and_where() {
    let workspace = Workspace::new();
    let id = workspace.json(&["create", "account", "name=Granholt AS", "external_id=G1"]);
    let id = id["id"].as_str().unwrap();
    let missing = "01900000-0000-7000-8000-000000000000";
    let cases: [(&[&str], i32, &[&str]); 10] = [
        (&["list", "acount"], 4, &["acount"]),
        (&["get", "account", missing], 4, &[missing]),
        (&["get", "account", "7"], 2, &["record id", "7"]),
        (&["create", "account"], 3, &["account needs name"]),
        (
            &["create", "account", "name=A", "colour=red"],
            3,
            &["colour"],
        ),
        (
            &["create", "account", "name=A", "employees=many"],
            3,
            &["employees", "whole number"],
        ),
        (
            &["create", "account", "name=A", "website=ftp"],
            3,
            &["website", "http"],
        ),
        (
            &["create", "account", "name=A", "external_id=G1"],
            3,
            &["external_id", id],
        ),
        (
            &["create", "contact", "name=A", &format!("account={missing}")],
            3,
            &["account", missing],
        ),
        (&["set", "account", missing, "name=B"], 4, &[missing]),
    ];
    for (args, code, told) in cases {
        let ran = workspace.run(args);
        for part in told {
            assert!(
                ran.err.contains(part),
                "{args:?} does not tell {part:?}: {}",
                ran.err
            );
        }
        assert!(
            ran.code == code || (code == 3 && ran.code == 2),
            "{args:?} ended with {}, not {code}: {}",
            ran.code,
            ran.err
        );
    }
    let all = workspace.json(&["list", "account"]);
    assert_eq!(
        all.as_array().or(all["records"].as_array()).unwrap().len(),
        1,
        "nothing half done"
    );
}

#[test]
fn a_stale_version_is_refused_and_told() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let (_, made) = server.post(
        "/v1/records/account",
        &json!({"fields": {"name": "Svaberg AS"}}),
    );
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/records/account/{id}");
    assert_eq!(
        server.patch(&path, &json!({"fields": {"tier": "A"}})).0,
        200
    );
    let late = json!({"fields": {"tier": "B"}});
    let (status, problem) = server.send("PATCH", &path, &[("if-match", "\"1\"")], Some(&late));
    assert_eq!(status, 412);
    assert_eq!(problem["refusals"][0]["code"], "stale-version");
    assert_eq!(server.get(&path).1["fields"]["tier"], "A");
}

#[test]
fn a_truncated_data_file_is_told_and_not_made_worse() {
    let workspace = Workspace::new();
    for number in 0..50 {
        let name = format!("name=Account {number}");
        let _ = workspace.run(&["create", "account", &name]).ok();
        if number == 3 {
            break;
        }
    }
    let file = workspace.dir().join("data.redb");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 3]).unwrap();
    let ran = workspace.run(&["list", "account"]);
    assert_eq!(ran.code, 6, "{}{}", ran.out, ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    std::fs::write(&file, &whole).unwrap();
    let _ = workspace.run(&["verify"]).ok();
}

#[test]
fn a_body_that_is_too_large_or_no_json_is_a_problem() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let (status, problem) = server.post(
        "/v1/records/account",
        &json!({"fields": {"name": "x".repeat(20 << 20)}}),
    );
    assert!(status == 413 || status == 0, "{status} {problem}");
    let (status, problem) = server.post("/v1/records/account", &json!(["no", "object"]));
    assert!((400..=422).contains(&status), "{status}");
    assert!(
        problem["title"].is_string() || problem["detail"].is_string(),
        "{problem}"
    );
    assert_eq!(server.get("/v1/health").0, 200);
}

/// Each is an amount that is taken, and what they come to is none.
#[test]
fn a_report_sums_more_than_an_amount_can_hold() {
    let workspace = Workspace::new();
    for amount in [
        "60000000000000000",
        "30000000000000000",
        "30000000000000000",
    ] {
        let amount = format!("amount={amount} NOK");
        let _ = workspace
            .run(&["create", "opportunity", "name=Big", &amount])
            .ok();
    }
    let report = workspace.json(&["report", "pipeline"]);
    let sum = &report["pipeline"][0]["value_minor"]["NOK"];
    assert_eq!(sum, "12000000000000000000");
    let shown = workspace.run(&["report", "pipeline"]).ok().out;
    assert!(shown.contains("120 000 000 000 000 000 NOK"), "{shown}");
}
