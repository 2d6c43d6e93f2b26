//! The contract with plugins: documented, closed where it must be, and used.

use std::fs;
use std::path::{Path, PathBuf};

use wit_parser::{Docs, Resolve, TypeDefKind, WorldItem};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn contract() -> Resolve {
    let mut resolve = Resolve::default();
    resolve.push_dir(root().join("wit/v0.2.0")).unwrap();
    resolve
}

#[test]
fn every_function_and_interface_is_documented() {
    let resolve = contract();
    let mut missing = Vec::new();
    let mut check = |name: String, docs: &Docs| {
        if docs
            .contents
            .as_deref()
            .unwrap_or_default()
            .trim()
            .is_empty()
        {
            missing.push(name);
        }
    };
    for (_, interface) in &resolve.interfaces {
        let name = interface.name.clone().unwrap_or_default();
        check(name.clone(), &interface.docs);
        for (function, definition) in &interface.functions {
            check(format!("{name}.{function}"), &definition.docs);
        }
    }
    assert!(
        missing.is_empty(),
        "say what these mean, their units and errors: {missing:?}"
    );
}

#[test]
fn no_function_fails_with_bare_text() {
    let resolve = contract();
    let mut faults = Vec::new();
    for (_, definition) in &resolve.types {
        if let TypeDefKind::Result(result) = &definition.kind
            && matches!(result.err, Some(wit_parser::Type::String) | None)
        {
            faults.push(format!("{:?}", definition.name));
        }
    }
    assert!(
        faults.is_empty(),
        "an error is a failure with a code, never text: {faults:?}"
    );
}

#[test]
fn each_role_has_its_own_small_world() {
    let resolve = contract();
    for (_, world) in resolve
        .worlds
        .iter()
        .filter(|(_, world)| world.name != "imports")
    {
        let exports: Vec<_> = world
            .exports
            .values()
            .filter(|item| matches!(item, WorldItem::Interface { .. }))
            .collect();
        assert_eq!(exports.len(), 1, "world {} exports one role", world.name);
    }
}

/// The names of a WIT function as the SDK's users write them, looked for in the built-in plugins.
#[test]
fn every_role_is_played_by_a_built_in_plugin() {
    let mut roles: Vec<String> = Vec::new();
    for plugin in fs::read_dir(root().join("plugins"))
        .unwrap()
        .map(Result::unwrap)
    {
        let manifest = fs::read_to_string(plugin.path().join("kjerne.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        roles.extend(manifest["roles"].as_table().unwrap().keys().cloned());
    }
    for role in [
        "prepare",
        "shape",
        "guard",
        "react",
        "action",
        "report",
        "panel",
        "scoring",
        "sales-stages",
        "buying-process",
        "service-rules",
        "integration",
    ] {
        assert!(
            roles.iter().any(|found| found == role),
            "no built-in plugin plays {role}"
        );
    }
}

/// The hash of a folder's files, by name.
fn hash(folder: &Path) -> String {
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|item| item.unwrap().path())
        .collect();
    names.sort();
    let mut hasher = blake3::Hasher::new();
    for file in names {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read(&file).unwrap();
        for part in [name.as_bytes(), &text] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// The versions there are folders of, the oldest first.
fn versions(wit: &Path) -> Vec<[u32; 3]> {
    let number = |name: &str| -> Option<[u32; 3]> {
        let parts: Result<Vec<u32>, _> =
            name.strip_prefix('v')?.split('.').map(str::parse).collect();
        parts.ok()?.try_into().ok()
    };
    let names = fs::read_dir(wit)
        .unwrap()
        .map(|item| item.unwrap().file_name());
    let mut found: Vec<_> = names
        .filter_map(|name| number(&name.to_string_lossy()))
        .collect();
    found.sort_unstable();
    found
}

/// What stands against the rules of growth in a folder of contracts: a released version that was changed or is
/// gone, a version that was neither released nor is the newest, and one that does more than grow.
fn faults_of_growth(wit: &Path) -> Vec<String> {
    let folder = |[major, minor, patch]: [u32; 3]| wit.join(format!("v{major}.{minor}.{patch}"));
    let read = |version| {
        let mut resolve = Resolve::default();
        resolve.push_dir(folder(version)).unwrap();
        resolve
    };
    let listed = fs::read_to_string(wit.join("released.txt")).unwrap();
    let listed = listed.lines().filter(|line| !line.starts_with('#'));
    let released: Vec<(&str, &str)> = listed.map(|line| line.split_once(' ').unwrap()).collect();
    let mut faults = Vec::new();
    for (name, expected) in &released {
        if !wit.join(name).is_dir() {
            faults.push(format!("{name} was released and is gone"));
        } else if hash(&wit.join(name)) != *expected {
            faults.push(format!("{name} was released and has changed"));
        }
    }
    let versions = versions(wit);
    for pair in versions.windows(2) {
        let [older, newer] = [pair[0], pair[1]];
        let name = folder(older)
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if !released.iter().any(|(released, _)| *released == name) {
            faults.push(format!("{name} is not the newest and was never released"));
        }
        // Until 1.0, a line is a minor version.
        let line = |[major, minor, _]: [u32; 3]| (major, if major == 0 { minor } else { 0 });
        if line(older) == line(newer) {
            let found = kjerne_contract::growth(&read(older), &read(newer));
            faults.extend(
                found
                    .iter()
                    .map(|one| format!("{newer:?} after {older:?}: {one}")),
            );
        }
    }
    faults
}

#[test]
fn what_was_released_is_frozen_and_what_follows_only_grows() {
    let faults = faults_of_growth(&root().join("wit"));
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn what_stands_against_the_rules_of_growth_is_found() {
    let wit = tempfile::tempdir().unwrap();
    let place = |version: &str, from: &str, to: &str| {
        let folder = wit.path().join(format!("v{version}"));
        fs::create_dir(&folder).unwrap();
        for (name, text) in kjerne_contract::FILES {
            let text = text
                .replace("@0.2.0", &format!("@{version}"))
                .replacen(from, to, 1);
            fs::write(folder.join(name), text).unwrap();
        }
        format!("v{version} {}\n", hash(&folder))
    };
    let list = |lines: &str| fs::write(wit.path().join("released.txt"), lines).unwrap();
    let check = |expected: &[&str]| {
        let faults = faults_of_growth(wit.path());
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.contains(expected), "{expected}: {faults:?}");
        }
    };
    let first = place("0.2.0", "", "");
    list("# Nothing.\n");
    check(&[]);
    let grown = place(
        "0.2.1",
        "interface log {",
        "interface log {\n  flush: func();",
    );
    check(&["v0.2.0 is not the newest and was never released"]);
    list(&first);
    check(&[]);
    let other = place(
        "0.2.2",
        "interface log {",
        "interface log {\n  clear: func();",
    );
    list(&format!("{first}{grown}"));
    check(&["[0, 2, 2] after [0, 2, 1]: log.flush is `func()` there and is not here"]);
    // Another line may be as it likes.
    fs::remove_dir_all(wit.path().join("v0.2.2")).unwrap();
    let _ = (
        other,
        place(
            "0.3.0",
            "interface log {",
            "interface log {\n  clear: func();",
        ),
    );
    check(&[]);
    fs::write(
        wit.path().join("v0.2.0/log.wit"),
        "package kjerne:crm@0.2.0;\n",
    )
    .unwrap();
    check(&["v0.2.0 was released and has changed"]);
    fs::remove_dir_all(wit.path().join("v0.2.0")).unwrap();
    check(&["v0.2.0 was released and is gone"]);
}
