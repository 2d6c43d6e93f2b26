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
