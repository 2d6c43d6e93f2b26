//! The built-in plugins, installed and switched on for the demo and the benchmarks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use kjerne_model::{Actor, Instant};
use kjerne_workspace::{Administration, Offer, Runtime};

/// In the order they are asked.
const PLUGINS: [&str; 4] = ["sales-stages", "buying-process", "service-rules", "webhook"];

/// Where their messages would go, if somebody listened there.
const SINK: &str = "http://127.0.0.1:7381";

/// Installs the built-in plugins from a folder (otherwise from beside the program), grants what
/// they declare and switches them on.
///
/// # Errors
/// When one of them is not there or cannot be installed.
pub fn switch_all_on(runtime: &Runtime, folder: Option<&Path>, at: Instant) -> Result<()> {
    let folder = match folder {
        Some(folder) => folder.to_path_buf(),
        None => beside_program()?,
    };
    let acts = Administration::new(runtime, Actor::System("demo".to_owned()), at);
    for id in PLUGINS {
        switch_on(&acts, &folder, id)?;
    }
    Ok(())
}

fn beside_program() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let found = program
        .ancestors()
        .map(|dir| dir.join("plugins"))
        .find(|dir| dir.is_dir());
    found.context(
        "no built plugins beside the program; run `cargo xtask plugins`, or say --plugins DIR",
    )
}

fn switch_on(acts: &Administration<'_>, folder: &Path, id: &str) -> Result<()> {
    let file = newest(folder, id)?;
    let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    // They were built here, from this source, and nobody has signed them.
    acts.install(&Offer::unsigned(&bytes))?;
    if id == "webhook" {
        acts.set_settings(id, Some(webhook_settings()))?;
        acts.grant(id, &[format!("send:{SINK}")], &[], true)?;
    } else {
        acts.grant(id, &[], &[], true)?;
    }
    acts.enable(id, true, true)?;
    Ok(())
}

/// The newest built file of a plugin: `sales-stages-0.1.0.wasm`.
fn newest(folder: &Path, id: &str) -> Result<PathBuf> {
    let begins = format!("{id}-");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|item| Some(item.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.strip_prefix(&begins)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
                && name.ends_with(".wasm")
        })
        .collect();
    found.sort();
    found.pop().with_context(|| {
        format!(
            "no built plugin {id} in {}; run `cargo xtask plugins`",
            folder.display()
        )
    })
}

/// Opportunities that are won go out as events.
fn webhook_settings() -> String {
    format!(
        "source = \"kjerne-demo\"\n\n[[subscription]]\nname = \"won-opportunities\"\n\
         url = \"{SINK}/events\"\nkinds = [\"opportunity\"]\n\
         operations = [\"update\"]\nchanged = [\"stage\"]\n\
         when = {{ stage = \"won\" }}\n"
    )
}
