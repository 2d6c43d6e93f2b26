//! The house rules about the code, as tests. Each message says what to do instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::checkout::{assert_none, files, root, shown};

fn rust_files() -> Vec<PathBuf> {
    ["kernel", "sdk", "plugins", "tests", "xtask"]
        .iter()
        .flat_map(|top| files(&root().join(top), ".rs"))
        .collect()
}

/// The names of the dependencies in one table of a manifest.
fn dependencies(manifest: &Path, table: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let names = manifest.get(table).and_then(toml::Value::as_table);
    names
        .map(|names| names.keys().cloned().collect())
        .unwrap_or_default()
}

/// What a crate may know that works over an open workspace.
const OVER_A_WORKSPACE: &[&str] = &[
    "kjerne-model",
    "kjerne-store",
    "kjerne-core",
    "kjerne-host",
    "kjerne-wire",
    "kjerne-workspace",
];

#[test]
fn dependencies_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("kernel/model", &["kjerne-values"][..]),
        ("kernel/store", &["kjerne-model"]),
        ("kernel/query", &["kjerne-model", "kjerne-store"]),
        (
            "kernel/core",
            &["kjerne-model", "kjerne-store", "kjerne-query"],
        ),
        ("kernel/contract", &[]),
        ("kernel/cron", &["kjerne-values"]),
        (
            "kernel/package",
            &[
                "kjerne-model",
                "kjerne-core",
                "kjerne-contract",
                "kjerne-cron",
            ],
        ),
        (
            "kernel/ledger",
            &["kjerne-model", "kjerne-store", "kjerne-core"],
        ),
        (
            "kernel/host",
            &[
                "kjerne-values",
                "kjerne-model",
                "kjerne-store",
                "kjerne-core",
                "kjerne-ledger",
                "kjerne-package",
                "kjerne-contract",
                "kjerne-settings",
            ],
        ),
        (
            "kernel/wire",
            &["kjerne-model", "kjerne-store", "kjerne-core", "kjerne-host"],
        ),
        (
            "kernel/workspace",
            &[
                "kjerne-model",
                "kjerne-store",
                "kjerne-core",
                "kjerne-host",
                "kjerne-wire",
            ],
        ),
        ("kernel/exchange", OVER_A_WORKSPACE),
        ("kernel/author", OVER_A_WORKSPACE),
        ("kernel/bench", OVER_A_WORKSPACE),
        (
            "kernel/server",
            &[
                "kjerne-model",
                "kjerne-store",
                "kjerne-core",
                "kjerne-package",
                "kjerne-host",
                "kjerne-wire",
                "kjerne-workspace",
                "kjerne-exchange",
            ],
        ),
        (
            "kernel/cli",
            &[
                "kjerne-model",
                "kjerne-store",
                "kjerne-core",
                "kjerne-host",
                "kjerne-wire",
                "kjerne-workspace",
                "kjerne-exchange",
                "kjerne-author",
                "kjerne-bench",
                "kjerne-server",
            ],
        ),
        ("sdk/values", &[]),
        ("sdk/settings", &["kjerne-values"]),
        ("sdk/rust", &["kjerne-values"]),
        ("xtask", &[]),
    ]);
    let mut faults = Vec::new();
    for manifest in files(&root(), "Cargo.toml") {
        let folder = shown(manifest.parent().unwrap());
        if folder.is_empty() || folder == "tests" {
            continue;
        }
        let may = allowed
            .get(folder.as_str())
            .copied()
            .unwrap_or(&["kjerne-sdk"]);
        for table in ["dependencies", "build-dependencies"] {
            for name in dependencies(&manifest, table) {
                if name.starts_with("kjerne-") && !may.contains(&name.as_str()) {
                    faults.push(format!("{folder} depends on {name}"));
                }
            }
        }
    }
    assert_none(
        &faults,
        "values <- model <- store <- query <- core <- {package, ledger} <- host <- workspace <- {exchange, author, bench, \
         server} <- cli; wire and contract beside; wit <- sdk <- plugins; values below model and sdk:",
    );
}

#[test]
fn middle_crates_have_no_dependency_without_a_reason() {
    let budget = [
        ("kernel/model", &["kjerne-values"][..]),
        ("kernel/store", &["kjerne-model", "redb"][..]),
        ("kernel/query", &["kjerne-model", "kjerne-store"][..]),
        (
            "kernel/core",
            &["kjerne-model", "kjerne-store", "kjerne-query"][..],
        ),
        ("kernel/cron", &["kjerne-values", "croner", "jiff"][..]),
        ("sdk/values", &[][..]),
        ("sdk/settings", &["kjerne-values", "toml"][..]),
        ("sdk/rust", &["kjerne-values", "wit-bindgen"][..]),
    ];
    let mut faults = Vec::new();
    for (folder, allowed) in budget {
        for name in dependencies(&root().join(folder).join("Cargo.toml"), "dependencies") {
            if !allowed.contains(&name.as_str()) {
                faults.push(format!("{folder}: {name}"));
            }
        }
    }
    assert_none(
        &faults,
        "a new dependency of a middle crate is a reviewed change of this list:",
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    let faults: Vec<String> = rust_files()
        .iter()
        .filter(|path| {
            !fs::read_to_string(path)
                .unwrap()
                .trim_start()
                .starts_with("//!")
        })
        .map(|path| shown(path))
        .collect();
    assert_none(
        &faults,
        "begin the file with a `//!` line that says what it is for:",
    );
}

/// The functions of a file that `rustfmt` laid out, with their lengths in lines.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let words = [
            "pub ",
            "pub(crate) ",
            "pub(super) ",
            "async ",
            "const ",
            "unsafe ",
        ];
        let mut rest = code;
        while let Some(word) = words.iter().find(|word| rest.starts_with(**word)) {
            rest = &rest[word.len()..];
        }
        let Some(signature) = rest.strip_prefix("fn ") else {
            continue;
        };
        let name = signature
            .split(['(', '<'])
            .next()
            .unwrap_or_default()
            .to_owned();
        let signature_end = lines[start..].iter().find(|l| l.ends_with([';', '{', '}']));
        if signature_end.is_none_or(|l| l.ends_with(';')) {
            continue;
        }
        let end = lines[start..].iter().position(|l| {
            l.trim_start().starts_with('}') && l.len() - l.trim_start().len() == indent
        });
        if let Some(length) = end {
            found.push((name, length + 1));
        }
    }
    found
}

#[test]
fn functions_and_files_stay_short() {
    const LONGEST_FUNCTION: usize = 70;
    const LONGEST_FILE: usize = 800;
    let mut faults = Vec::new();
    for path in rust_files() {
        let text = fs::read_to_string(&path).unwrap();
        if text.lines().count() > LONGEST_FILE {
            faults.push(format!("{}: {} lines", shown(&path), text.lines().count()));
        }
        // A table of cases is data, however long.
        let is_test = shown(&path).contains("tests");
        for (name, length) in functions(production(&text)) {
            if length > LONGEST_FUNCTION && !is_test {
                faults.push(format!("{}: fn {name} has {length} lines", shown(&path)));
            }
        }
    }
    assert_none(
        &faults,
        "split it: functions up to 70 lines, files up to 800:",
    );
}

/// The part of a file outside its tests.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn kernel_code_does_not_panic_on_purpose() {
    let mut faults = Vec::new();
    for path in files(&root().join("kernel"), ".rs") {
        let name = shown(&path);
        if name.contains("tests") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = production(&text).lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let panics = [
                ".unwrap()",
                ".expect(\"",
                "todo!(",
                "unimplemented!(",
                "panic!(",
            ]
            .iter()
            .any(|call| line.contains(call));
            let from = index.saturating_sub(6);
            let has_reason = lines[from..=index].iter().any(|l| l.contains("reason ="));
            if panics && !has_reason && !line.trim_start().starts_with("//") {
                faults.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none(
        &faults,
        "return an error, or say in `#[expect(…, reason = \"…\")]` why it cannot happen:",
    );
}

#[test]
fn what_the_kernel_prints_ends_nothing_when_it_cannot_be_printed() {
    let mut faults = Vec::new();
    for path in files(&root().join("kernel"), ".rs") {
        let name = shown(&path);
        if name.contains("tests") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (index, line) in production(&text).lines().enumerate() {
            let prints = ["println!(", "print!(", "dbg!("];
            let is_code = !line.trim_start().starts_with("//");
            if is_code && prints.iter().any(|call| line.contains(call)) {
                faults.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none(
        &faults,
        "these panic where nothing can be written: kjerne_workspace::stderr::tell for notes, Report::print \
         or print_line for answers:",
    );
}

#[test]
fn unsafe_stands_only_in_the_native_code_cache() {
    let allowed = ["kernel/host/src/cache.rs"];
    let faults: Vec<String> = files(&root().join("kernel"), ".rs")
        .into_iter()
        .filter(|path| !allowed.contains(&shown(path).as_str()))
        .filter(|path| fs::read_to_string(path).unwrap().contains("unsafe {"))
        .map(|path| shown(&path))
        .collect();
    assert_none(&faults, "no unsafe but in the native-code cache:");
}

#[test]
fn only_the_edges_know_json_and_bytes() {
    let mut faults = Vec::new();
    for folder in ["kernel/model", "kernel/store", "kernel/core"] {
        for path in files(&root().join(folder).join("src"), ".rs") {
            let text = fs::read_to_string(&path).unwrap();
            if text.contains("serde") || text.contains("SystemTime::now") {
                faults.push(shown(&path));
            }
        }
    }
    assert_none(
        &faults,
        "convert at the edge, and pass time as an argument:",
    );
}

#[test]
fn the_top_level_is_fixed() {
    let expected: BTreeSet<&str> = BTreeSet::from([
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "LICENSE",
        "kernel",
        "wit",
        "plugins",
        "sdk",
        "tests",
        "xtask",
        "target",
        "docs",
        "findings",
    ]);
    let faults: Vec<String> = fs::read_dir(root())
        .unwrap()
        .map(|item| item.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !expected.contains(name.as_str()))
        .collect();
    assert_none(
        &faults,
        "the top level is fixed; put it in one of its folders:",
    );
}
