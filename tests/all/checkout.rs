//! The files of this checkout, for the tests of the house rules.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Every file below `dir` that ends in `ending`, build output left out.
pub fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let (path, name) = (item.path(), item.file_name());
        if path.is_dir() {
            if name != "target" && name != ".git" {
                found.extend(files(&path, ending));
            }
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A path as people write it: from the checkout on.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// Fails with what the rule says to do, and every fault.
pub fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}\n  {}", faults.join("\n  "));
}
