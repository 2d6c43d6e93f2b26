//! The target plugins are built for.

use std::fs;
use std::path::Path;

/// The target of every plugin.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Whether a folder holds a standard library.
pub fn has_std(folder: &Path) -> bool {
    let Ok(files) = fs::read_dir(folder) else {
        return false;
    };
    files.flatten().any(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}
