//! Builds the `kjerne` program and, with it, the plugins.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::run::{self, Profile};
use crate::wasm;

/// Makes sure that WebAssembly can be built, builds the `kjerne` program and these plugins, and
/// returns where the program is.
pub fn prepare(profile: Profile, folders: &[PathBuf]) -> Result<PathBuf> {
    wasm::set_up()?;
    let kjerne = program(profile)?;
    build(&kjerne, folders)?;
    Ok(kjerne)
}

/// Builds the `kjerne` program.
pub fn program(profile: Profile) -> Result<PathBuf> {
    run::say("building kjerne (the first time takes some minutes)");
    // Of the whole workspace, so that the features of what is compiled are those of the tests: else
    // the WebAssembly runtime is compiled once for the program and once more for them.
    let program = ["build", "--workspace", "--bin", "kjerne"];
    run::must(run::cargo().args(program).args(profile.arguments()))?;
    let name = format!("kjerne{}", std::env::consts::EXE_SUFFIX);
    Ok(run::target().join(profile.folder()).join(name))
}

/// Builds the plugins in these folders.
pub fn build(kjerne: &Path, folders: &[PathBuf]) -> Result<()> {
    for folder in folders {
        let name = folder
            .strip_prefix(run::root())
            .unwrap_or(folder)
            .to_path_buf();
        run::say(format!("building {}", name.display()));
        // Standard output belongs to what comes after: the demo's summary.
        let mut build = run::command(kjerne);
        build.args(["plugin", "build"]).arg(&name);
        run::must(build.stdout(std::io::stderr()))?;
    }
    Ok(())
}

/// The folders of the built-in plugins.
pub fn built_in() -> Result<Vec<PathBuf>> {
    folders(&run::root().join("plugins"))
}

/// The folders of all plugins: the built-in ones, and those that misbehave on purpose.
pub fn all() -> Result<Vec<PathBuf>> {
    let mut all = built_in()?;
    all.extend(folders(&run::root().join("tests/hostile"))?);
    Ok(all)
}

/// The folders with a manifest in a folder, sorted, so that every run does the same.
fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(parent).with_context(|| format!("cannot list {}", parent.display()))?;
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| folder.join("kjerne.toml").is_file())
        .collect();
    folders.sort();
    Ok(folders)
}
