//! How a workspace's own files are written and read.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::error::{Context as _, Error, Result};

/// A settings file that is no TOML, or not of the shape it should have.
pub(crate) fn unreadable(file: &Path, error: &toml::de::Error) -> Error {
    Error::unreadable(format!("{}: {error}", file.display()))
}

/// Makes a directory that only its owner may look into.
pub(crate) fn create_private_dir(dir: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .with_context(|| format!("cannot make {}", dir.display()))
}

/// Writes a file anew with these permissions.
pub(crate) fn write(file: &Path, text: &str, mode: u32) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let all = || -> std::io::Result<()> {
        let mut file = options.open(file)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    all().with_context(|| format!("cannot write {}", file.display()))
}
