//! How the code is laid out, as tests: no circle of files, no crate too large.
//!
//! Who imports whom is read from the paths in the code, by hand: that takes less than the tree a Rust
//! parser would hand over, and no dependency.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::checkout::{assert_none, files, root, shown};

/// One file of a crate.
struct File {
    /// Its path below `src`.
    name: String,
    /// The module it is: `["codec", "entry"]`; empty for the root of the crate.
    module: Vec<String>,
    /// Its code without comments, quoted texts and tests.
    code: String,
}

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = name.strip_suffix(".rs").unwrap_or(name);
        let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
        if matches!(
            module.last().map(String::as_str),
            Some("lib" | "main" | "mod")
        ) {
            module.pop();
        }
        Self {
            name: name.to_owned(),
            module,
            code: without_tests(&without_texts(text)),
        }
    }

    fn is_test(&self) -> bool {
        let mut names = self.module.iter();
        names.any(|name| name == "tests" || name.ends_with("_tests"))
    }
}

/// The files of a crate that are no tests. Nothing can import `main.rs` where there is a `lib.rs`.
fn crate_files(folder: &Path) -> Vec<File> {
    let src = folder.join("src");
    let read = |path: &PathBuf| {
        let name = path
            .strip_prefix(&src)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        File::new(&name, &fs::read_to_string(path).unwrap())
    };
    let mut all: Vec<File> = files(&src, ".rs").iter().map(read).collect();
    let has_lib = all.iter().any(|file| file.name == "lib.rs");
    let is_apart = |file: &File| has_lib && file.name == "main.rs";
    all.retain(|file| !file.is_test() && !is_apart(file));
    all
}

/// The folders of all crates in these top-level folders.
fn crates(tops: &[&str]) -> Vec<PathBuf> {
    let manifests = tops
        .iter()
        .flat_map(|top| files(&root().join(top), "Cargo.toml"));
    manifests
        .filter_map(|manifest| Some(manifest.parent()?.to_path_buf()))
        .filter(|folder| folder.join("src").is_dir())
        .collect()
}

/// The code without comments and without what stands in quotes; every line stays.
fn without_texts(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        match text_length(rest) {
            Some(length) => {
                let (left_out, after) = rest.split_at(length.min(rest.len()));
                kept.extend(left_out.chars().filter(|letter| *letter == '\n'));
                rest = after;
            }
            None => {
                kept.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    kept
}

/// How long the comment, text or letter is with which `code` begins; none when it begins with none.
fn text_length(code: &str) -> Option<usize> {
    let until = |from: usize, end: &str| {
        let found = code.get(from..).and_then(|rest| rest.find(end));
        Some(found.map_or(code.len(), |at| from + at + end.len()))
    };
    let letters: Vec<char> = code.chars().take(3).collect();
    match letters.as_slice() {
        ['/', '/', ..] => until(2, "\n"),
        ['/', '*', ..] => until(2, "*/"),
        ['r', '"' | '#', ..] => {
            let marks = code[1..].bytes().take_while(|byte| *byte == b'#').count();
            let is_text = code[1 + marks..].starts_with('"');
            is_text.then(|| until(2 + marks, &format!("\"{}", "#".repeat(marks))))?
        }
        ['"', ..] => {
            let mut escaped = false;
            let end = code[1..].find(|letter| {
                let ends = letter == '"' && !escaped;
                escaped = letter == '\\' && !escaped;
                ends
            });
            Some(end.map_or(code.len(), |at| at + 2))
        }
        ['\'', '\\', _] => until(3, "'"),
        ['\'', letter, '\''] => Some(2 + letter.len_utf8()),
        _ => None,
    }
}

/// The code without what is compiled for tests only.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let (mut kept, mut rest) = (String::new(), code);
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        rest = after_item(&rest[at + MARK.len()..]);
    }
    kept + rest
}

/// What follows an item: after its block, or after the semicolon it ends with.
fn after_item(code: &str) -> &str {
    let mut depth = 0;
    for (at, letter) in code.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(letter, '}' | ';') {
            return &code[at + 1..];
        }
    }
    ""
}

/// Names, `::`, and every other letter for itself.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let length = match end.unwrap_or(rest.len()) {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            length => length,
        };
        found.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// Every path of two or more names in the code; a group in braces makes several.
fn paths(code: &str) -> Vec<Vec<&str>> {
    let tokens = tokens(code);
    let (mut at, mut found) = (0, Vec::new());
    while let Some(token) = tokens.get(at) {
        // What follows `::` at the beginning belongs to another crate.
        if is_name(token) && (at == 0 || tokens[at - 1] != "::") {
            found.extend(read_path(&tokens, &mut at, Vec::new()));
        } else {
            at += 1;
        }
    }
    found.retain(|path| path.len() > 1);
    found
}

fn read_path<'a>(tokens: &[&'a str], at: &mut usize, mut path: Vec<&'a str>) -> Vec<Vec<&'a str>> {
    path.push(tokens[*at]);
    *at += 1;
    while tokens.get(*at) == Some(&"::") {
        match tokens.get(*at + 1) {
            Some(&"{") => {
                *at += 2;
                return read_group(tokens, at, &path);
            }
            Some(name) if is_name(name) || *name == "*" => path.push(name),
            _ => break,
        }
        *at += 2;
    }
    vec![path]
}

fn read_group<'a>(tokens: &[&'a str], at: &mut usize, prefix: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    while let Some(token) = tokens.get(*at) {
        match *token {
            "as" => *at += 2,
            name if is_name(name) => found.extend(read_path(tokens, at, prefix.to_vec())),
            other => {
                *at += 1;
                if other == "}" {
                    break;
                }
            }
        }
    }
    found
}

/// The module a path leads to, seen from the module `here`; none when it leads out of the crate.
fn leads_to(
    path: &[&str],
    here: &[String],
    modules: &BTreeSet<Vec<String>>,
) -> Option<Vec<String>> {
    let below = |module: &[String], name: &str| [module, &[name.to_owned()]].concat();
    let ups = path.iter().take_while(|name| **name == "super").count();
    let (mut module, names) = match path.first()? {
        &"crate" => (Vec::new(), &path[1..]),
        &"self" => (here.to_vec(), &path[1..]),
        &"super" => (here[..here.len().checked_sub(ups)?].to_vec(), &path[ups..]),
        child if modules.contains(&below(here, child)) => (here.to_vec(), path),
        _ => return None,
    };
    for name in names {
        let next = below(&module, name);
        if !modules.contains(&next) {
            break;
        }
        module = next;
    }
    Some(module)
}

/// Which file imports which.
type Imports = BTreeMap<String, BTreeSet<String>>;

fn imports(files: &[File]) -> Imports {
    let modules = files.iter().map(|file| file.module.clone()).collect();
    let name_of = |module: &Vec<String>| files.iter().find(|file| file.module == *module);
    let targets = |file: &File| {
        let found = paths(&file.code).into_iter();
        let found = found.filter_map(|path| leads_to(&path, &file.module, &modules));
        let names = found.filter_map(|module| Some(name_of(&module)?.name.clone()));
        names.filter(|name| *name != file.name).collect()
    };
    files
        .iter()
        .map(|file| (file.name.clone(), targets(file)))
        .collect()
}

/// Every file that can be reached from this one.
fn reached<'a>(imports: &'a Imports, from: &str) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        for next in imports.get(file).into_iter().flatten() {
            if found.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    found
}

/// The sets of files each of which imports, in the end, itself.
fn circles(imports: &Imports) -> BTreeSet<BTreeSet<&str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = imports
        .keys()
        .map(|file| (file.as_str(), reached(imports, file)))
        .collect();
    let mut found = BTreeSet::new();
    for (file, reached) in &reach {
        let leads_back = |other: &&str| reach[other].contains(file);
        let circle: BTreeSet<&str> = reached.iter().copied().filter(leads_back).collect();
        if !circle.is_empty() {
            found.insert(circle);
        }
    }
    found
}

/// `key.rs uses names.rs; names.rs uses key.rs`
fn told(circle: &BTreeSet<&str>, imports: &Imports) -> String {
    let lines = circle.iter().map(|file| {
        let used: Vec<&str> = imports[*file]
            .iter()
            .map(String::as_str)
            .filter(|other| circle.contains(other))
            .collect();
        format!("{file} uses {}", used.join(" and "))
    });
    lines.collect::<Vec<_>>().join("; ")
}

#[test]
fn no_circle_of_files() {
    let mut faults = Vec::new();
    for folder in crates(&["kernel", "sdk", "plugins", "xtask"]) {
        let imports = imports(&crate_files(&folder));
        for circle in circles(&imports) {
            faults.push(format!("{}: {}", shown(&folder), told(&circle, &imports)));
        }
    }
    assert_none(
        &faults,
        "what two files need stands below both: move it into a file named for what it is, and import \
         names from the file that defines them, not from the crate's root:",
    );
}

#[test]
fn no_crate_is_too_large() {
    const MOST_LINES: usize = 7_000;
    // Crates that may be larger, and why.
    let exceptions: [&str; 0] = [];
    let mut faults = Vec::new();
    for folder in crates(&["kernel"]) {
        let lines: usize = crate_files(&folder)
            .iter()
            .map(|file| file.code.lines().count())
            .sum();
        let name = shown(&folder);
        if lines > MOST_LINES && !exceptions.contains(&name.as_str()) {
            faults.push(format!("{name}: {lines} lines"));
        }
    }
    assert_none(
        &faults,
        "split the crate along what its parts know of each other; up to 7,000 lines outside tests:",
    );
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let check = |text: &str, expected: &[&str]| {
        let code = File::new("a.rs", text).code;
        let found: Vec<String> = paths(&code).iter().map(|path| path.join("::")).collect();
        assert_eq!(found, expected, "{text}");
    };
    check("use crate::key::Key;", &["crate::key::Key"]);
    check(
        "pub(crate) use crate::codec::{self, entry::{Row as Line, read}};\nuse super::*;",
        &[
            "crate::codec::self",
            "crate::codec::entry::Row",
            "crate::codec::entry::read",
            "super::*",
        ],
    );
    check(
        "fn f() -> ::redb::Error { key::encode::<u8>(self.key) }",
        &["key::encode"],
    );
    check(
        "// use crate::a::b;\n/* crate::a::b */ let x = \"\\\"crate::a::b\";",
        &[],
    );
    check(
        "let x = ['\"', '\\'', '{']; r#\"\"crate::a::b\"#; crate::c::d()",
        &["crate::c::d"],
    );
    check(
        "#[cfg(test)]\nmod tests {\n    use crate::a::{b, c};\n}\nuse crate::d::e;",
        &["crate::d::e"],
    );
    check(
        "#[cfg(test)]\n#[path = \"a_tests.rs\"]\nmod tests;\nuse crate::d::e;",
        &["crate::d::e"],
    );
}

#[test]
fn a_circle_of_files_is_found_and_nothing_else() {
    let check = |files: &[(&str, &str)], expected: &[&str]| {
        let files: Vec<File> = files
            .iter()
            .map(|(name, text)| File::new(name, text))
            .collect();
        let imports = imports(&files);
        let found: Vec<String> = circles(&imports)
            .iter()
            .map(|circle| told(circle, &imports))
            .collect();
        assert_eq!(found, expected);
    };
    check(
        &[
            ("lib.rs", "mod a; mod b; mod c; pub use a::A;"),
            ("a.rs", "use crate::b::B; use crate::c::C;"),
            ("b.rs", "use super::c;"),
            ("c.rs", "use std::fmt; // use crate::a::A;"),
        ],
        &[],
    );
    check(
        &[
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "fn f() { crate::c::g() }"),
            ("c.rs", "use super::{a::A, d};"),
            ("d.rs", ""),
        ],
        &["a.rs uses b.rs; b.rs uses c.rs; c.rs uses a.rs"],
    );
    check(
        &[
            ("lib.rs", "pub use key::Key;"),
            ("key.rs", "use crate::{Key, Space};"),
        ],
        &["key.rs uses lib.rs; lib.rs uses key.rs"],
    );
    check(
        &[
            ("codec/mod.rs", "mod rows; fn f() { rows::read() }"),
            ("codec/rows.rs", "use super::Encoder;"),
            ("x.rs", "use crate::codec::Encoder;"),
        ],
        &["codec/mod.rs uses codec/rows.rs; codec/rows.rs uses codec/mod.rs"],
    );
}
