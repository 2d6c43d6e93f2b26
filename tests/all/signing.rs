//! Signed plugins on the command line: keys, signatures, publishers, and upgrades that wait.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kjerne_host::Package;
use kjerne_tests::Workspace;
use serde_json::json;

use crate::stage::{built, manifest};

/// A version of a plugin by `acme` that guards these kinds, in a file.
fn file(workspace: &Workspace, version: &str, kinds: &[&str]) -> PathBuf {
    let mut text: toml::Table = manifest("tests/hostile/many").parse().unwrap();
    for (name, value) in [
        ("id", "acme.rule"),
        ("version", version),
        ("publisher", "acme"),
    ] {
        text.insert(name.into(), value.into());
    }
    let guard = text["roles"]["guard"].as_table_mut().unwrap();
    guard.insert("kinds".into(), kinds.to_vec().into());
    let path = workspace.beside(&format!("rule-{version}.wasm"));
    std::fs::write(
        &path,
        Package::seal(&built("hostile"), &text.to_string(), ""),
    )
    .unwrap();
    path
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A key without a password, by its name.
fn key(workspace: &Workspace, name: &str, more: &[&str]) -> String {
    let name = shown(&workspace.beside(name));
    let mut args = vec!["plugin", "keygen", &name, "--no-password"];
    args.extend(more);
    let _ = workspace.run(&args).ok();
    format!("{name}.key")
}

fn sign(workspace: &Workspace, file: &Path, key: &str) {
    let _ = workspace
        .run(&["plugin", "sign", &shown(file), "--key", key])
        .ok();
}

#[test]
fn a_signed_plugin_is_installed_and_its_upgrade_waits_until_it_is_accepted() {
    let workspace = Workspace::new();
    let key = key(&workspace, "acme", &[]);
    let (one, two) = (
        file(&workspace, "0.1.0", &["account"]),
        file(&workspace, "0.2.0", &["account", "lead"]),
    );
    let bare = workspace.run(&["plugin", "install", &shown(&one)]);
    assert_eq!(bare.code, 3, "{}", bare.err);
    assert!(
        bare.err.contains("stage signature") && bare.err.contains("--unsigned"),
        "{}",
        bare.err
    );
    sign(&workspace, &one, &key);
    sign(&workspace, &two, &key);
    let told = workspace.run(&["plugin", "install", &shown(&one)]).ok().out;
    assert!(
        told.contains("signed by acme, fingerprint") && told.contains("compare"),
        "{told}"
    );
    let _ = workspace
        .run(&["plugin", "grant", "acme.rule", "--all-declared"])
        .ok();
    let _ = workspace.run(&["plugin", "enable", "acme.rule"]).ok();
    // Beside a server it is the same.
    let _server = workspace.serve();
    let told = workspace.run(&["plugin", "install", &shown(&two)]).ok().out;
    assert!(
        told.contains("waits to be looked at") && told.contains("lead in the role guard"),
        "{told}"
    );
    let row = || workspace.json(&["plugin", "list"])["plugins"][0].clone();
    assert_eq!(
        (&row()["version"], &row()["waiting"]),
        (&json!("0.1.0"), &json!("0.2.0"))
    );
    let review = workspace.json(&["plugin", "review", "acme.rule"]);
    let added = &review["difference"]["watches"]["added"];
    assert_eq!(added, &json!([{ "role": "guard", "kind": "lead" }]));
    let table = workspace.run(&["plugin", "review", "acme.rule"]).ok().out;
    assert!(
        table.contains("new: watches") && table.contains("lead as guard"),
        "{table}"
    );
    let accept = ["plugin", "accept", "acme.rule", "--version", "0.2.0"];
    let _ = workspace.run(&accept).ok();
    assert_eq!(
        (&row()["version"], &row()["enabled"]),
        (&json!("0.2.0"), &json!(true))
    );
    assert_eq!(row()["waiting"], json!(null));
    assert_eq!(row()["kept"], json!(["0.1.0"]));
    assert_eq!(row()["signature"]["standing"], "trusted");
}

#[test]
fn a_new_key_needs_the_old_keys_word_and_a_revoked_one_installs_nothing() {
    let workspace = Workspace::new();
    let old = key(&workspace, "old", &[]);
    let new = key(&workspace, "new", &["--successor-of", &old]);
    let (one, two) = (
        file(&workspace, "0.1.0", &["account"]),
        file(&workspace, "0.2.0", &["account"]),
    );
    sign(&workspace, &one, &old);
    sign(&workspace, &two, &new);
    let _ = workspace.run(&["plugin", "install", &shown(&one)]).ok();
    let ran = workspace.run(&["plugin", "install", &shown(&two)]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("--succession FILE"), "{}", ran.err);
    let statement = shown(&workspace.beside("new.pub.minisig"));
    let install = [
        "plugin",
        "install",
        &shown(&two),
        "--succession",
        &statement,
    ];
    let _ = workspace.run(&install).ok();
    let known = workspace.json(&["plugin", "trust"]);
    let keys = known["publishers"][0]["keys"].as_array().unwrap().clone();
    let worth: Vec<_> = keys.iter().map(|key| key["standing"].clone()).collect();
    assert_eq!(worth, ["succeeded", "trusted"]);
    let _ = workspace.run(&["plugin", "distrust", "acme"]).ok();
    let listed = workspace.run(&["plugin", "list"]).ok().out;
    assert!(listed.contains("acme (REVOKED)"), "{listed}");
    let ran = workspace.run(&["plugin", "install", &shown(&two)]);
    assert!(
        ran.code == 3 && ran.err.contains("was revoked here"),
        "{}",
        ran.err
    );
    let trust = [
        "plugin",
        "trust",
        "acme",
        "-P",
        &shown(&workspace.beside("new.pub")),
    ];
    let _ = workspace.run(&trust).ok();
    let _ = workspace.run(&["plugin", "install", &shown(&two)]).ok();
}

#[test]
fn a_password_is_read_from_standard_input_and_told_to_nobody() {
    let workspace = Workspace::new();
    let with_input = |args: &[&str], input: &str| {
        let mut command = workspace.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(told).unwrap())
    };
    let name = shown(&workspace.beside("locked"));
    let (made, told) = with_input(&["plugin", "keygen", &name], "correct horse\n");
    assert!(made && !told.contains("horse"), "{told}");
    let one = file(&workspace, "0.1.0", &["account"]);
    let key = format!("{name}.key");
    let sign = ["plugin", "sign", &shown(&one), "--key", &key];
    let (signed, told) = with_input(&sign, "battery staple\n");
    assert!(
        !signed && told.contains("the password is not the one of this key"),
        "{told}"
    );
    assert!(!told.contains("battery"), "{told}");
    let (signed, told) = with_input(&sign, "correct horse\n");
    assert!(signed && !told.contains("horse"), "{told}");
    let verify = [
        "plugin",
        "verify",
        &shown(&one),
        "-P",
        &format!("{name}.pub"),
    ];
    let _ = workspace.run(&verify).ok();
    let two = file(&workspace, "0.2.0", &["account"]);
    let beside = format!("{}.minisig", shown(&one));
    let other = [
        "plugin",
        "verify",
        &shown(&two),
        "-P",
        &format!("{name}.pub"),
        "--signature",
        &beside,
    ];
    let ran = workspace.run(&other);
    assert!(
        ran.code == 3 && ran.err.contains("does not belong to this file"),
        "{}",
        ran.err
    );
}
