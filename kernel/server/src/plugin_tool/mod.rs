//! What a plugin's author works with: begin a plugin, build it, run its cases.
//!
//! Building happens here and nowhere else; the project's own plugins are built the same way.

mod begin;
mod build;
mod cases;
mod check;
mod meter;
mod play;
mod run;
mod stage;

use std::path::Path;

use anyhow::Result;
use serde_json::json;

pub use begin::new;
pub use build::{Built, component_of};
pub use run::test;

use crate::output::{Format, Report};

/// Builds the plugin in a folder and says where the file is.
///
/// # Errors
/// When the folder holds no plugin, the compiler complains, or the kernel would not install it.
pub fn build(dir: &Path, format: Format) -> Result<()> {
    let Built { file, package } = component_of(dir, None)?;
    let (id, version, size) = (
        &package.manifest.id,
        &package.manifest.version,
        package.bytes().len(),
    );
    let note = format!("{} ({} kB)", file.display(), size.div_ceil(1000));
    let json = json!({ "id": id, "version": version, "file": file, "bytes": size });
    Report::of_note(note, json).print(format)
}
