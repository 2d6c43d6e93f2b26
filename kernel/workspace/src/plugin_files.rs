//! The files of a workspace's plugins: one for each version, the last few of each plugin kept, so
//! that the version before can be had back.
//!
//! A file is dated when its version goes out of use; by that the one that was in use last is known.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use kjerne_host::Package;
use kjerne_store::registry::PluginRow;

use crate::directory::Workspace;
use crate::error::{Context as _, Error, Result};
use crate::limits::PLUGIN_VERSIONS;

/// The versions of a plugin whose files are there, beside the one in use; the one that was in use
/// last comes first.
///
/// # Errors
/// When the folder cannot be read.
pub fn versions(workspace: &Workspace, row: &PluginRow) -> Result<Vec<String>> {
    let mut all = files(workspace, &row.id)?;
    all.retain(|(_, version)| *version != row.version);
    Ok(all.into_iter().map(|(_, version)| version).collect())
}

/// When each version's file was dated, the newest first.
fn files(workspace: &Workspace, id: &str) -> Result<Vec<(SystemTime, String)>> {
    let folder = folder(workspace, id);
    let read = || -> io::Result<Vec<_>> {
        let mut found = Vec::new();
        for item in items(&folder)? {
            if let Some(version) = version_in(&item.file_name().to_string_lossy(), id) {
                found.push((item.metadata()?.modified()?, version.to_owned()));
            }
        }
        Ok(found)
    };
    let mut found = read().with_context(|| format!("cannot read {}", folder.display()))?;
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

/// What lies in a folder; nothing where somebody has removed it.
fn items(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(items) => items.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The digest of the plugin that lies in a file; none where there is none that can be read.
pub fn digest(file: &Path) -> Option<[u8; 32]> {
    let bytes = Package::bytes_of(file).ok()?;
    Package::read(&bytes).ok().map(|package| package.digest)
}

/// The version in a file's name, when it is one of this plugin: `acme-x-0.1.0.wasm` is none of
/// `acme`.
fn version_in<'a>(name: &'a str, id: &str) -> Option<&'a str> {
    let rest = name.strip_prefix(id)?.strip_prefix('-')?;
    let version = rest.strip_suffix(".wasm")?;
    let numbers = version.split(['-', '+']).next()?;
    let is_number = |part: &str| part.parse::<u32>().is_ok();
    let whole = numbers.split('.').count() == 3 && numbers.split('.').all(is_number);
    whole.then_some(version)
}

/// The file a row stands for, checked against its digest.
///
/// # Errors
/// When the file is gone, changed or cannot be read.
pub fn open(workspace: &Workspace, row: &PluginRow) -> Result<Package> {
    let file = workspace.plugin_file(&row.id, &row.version);
    let found = reopen(&file, row);
    if let Ok(Some(package)) = found {
        return Ok(package);
    }
    // An installation that was cut off behind its row has left the file under its draft's name.
    if let Ok(Some(package)) = reopen(&draft(&file), row) {
        put_in_place(&file)?;
        return Ok(package);
    }
    let help = format!("install it again, or run: kjerne plugin remove {}", row.id);
    found.with_context(|| format!("plugin {}: cannot read {}; {help}", row.id, file.display()))?;
    Err(Error::refused(format!(
        "plugin {}: {} is not the file that was installed; {help}",
        row.id,
        file.display()
    )))
}

/// What lies there, when it is what was installed.
fn reopen(file: &Path, row: &PluginRow) -> io::Result<Option<Package>> {
    let package = Package::reopen(&Package::bytes_of(file)?, &row.digest);
    Ok(package.ok().filter(|package| package.digest == row.digest))
}

fn draft(file: &Path) -> PathBuf {
    file.with_extension("new")
}

/// Writes a file beside its place; [`put_in_place`] moves it there when the row stands.
///
/// # Errors
/// When it cannot be written.
pub fn write_draft(file: &Path, bytes: &[u8]) -> Result<()> {
    let draft = draft(file);
    let write = || -> io::Result<()> {
        // The folder may have been removed since the workspace was opened.
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&draft, bytes)?;
        File::open(&draft)?.sync_all()?;
        sync_folder(&draft)
    };
    let written = write();
    if written.is_err() {
        drop_draft(file);
    }
    written.with_context(|| format!("cannot write {}", draft.display()))
}

/// Removes the draft of a file that is not going to be put in place. What cannot be removed now goes with
/// the next installation.
pub fn drop_draft(file: &Path) {
    let _ = fs::remove_file(draft(file));
}

/// Moves the draft of a file to its place.
///
/// # Errors
/// When it cannot be moved.
pub fn put_in_place(file: &Path) -> Result<()> {
    fs::rename(draft(file), file).with_context(|| format!("cannot write {}", file.display()))
}

/// Has the folder itself written, without which a new file may be gone after a power cut.
fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Dates the file of a version that goes out of use.
///
/// # Errors
/// When its date cannot be set.
pub fn date(workspace: &Workspace, row: &PluginRow) -> Result<()> {
    let path = workspace.plugin_file(&row.id, &row.version);
    let set = || {
        let file = File::options().append(true).open(&path)?;
        file.set_modified(SystemTime::now())
    };
    match set() {
        // A plugin whose file is gone is installed again over nothing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.with_context(|| format!("cannot date {}", path.display())),
    }
}

/// Removes the oldest versions until as many are left as are kept, and what earlier installations that were
/// cut off have left. What cannot be removed now is
/// removed by the next installation.
///
/// # Errors
/// When the folder cannot be read.
pub fn thin_out(workspace: &Workspace, row: &PluginRow) -> Result<()> {
    let beside = PLUGIN_VERSIONS.value as usize - 1;
    for version in versions(workspace, row)?.into_iter().skip(beside) {
        let _ = fs::remove_file(workspace.plugin_file(&row.id, &version));
    }
    let own = draft(&workspace.plugin_file(&row.id, &row.version));
    for item in drafts(workspace, &row.id)? {
        if item != own {
            let _ = fs::remove_file(item);
        }
    }
    Ok(())
}

/// The drafts of a plugin's files.
fn drafts(workspace: &Workspace, id: &str) -> Result<Vec<PathBuf>> {
    let folder = folder(workspace, id);
    let read = || -> io::Result<Vec<PathBuf>> {
        let items = items(&folder)?.into_iter();
        Ok(items.map(|item| item.path()).collect())
    };
    let mut all = read().with_context(|| format!("cannot read {}", folder.display()))?;
    all.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let named = name
            .strip_suffix(".new")
            .map(|start| format!("{start}.wasm"));
        named.is_some_and(|named| version_in(&named, id).is_some())
    });
    Ok(all)
}

/// Removes every version of a plugin.
///
/// # Errors
/// When a file cannot be removed.
pub fn remove_all(workspace: &Workspace, id: &str) -> Result<()> {
    let folder = folder(workspace, id);
    let removed = || -> io::Result<()> {
        for item in items(&folder)? {
            if version_in(&item.file_name().to_string_lossy(), id).is_some() {
                fs::remove_file(item.path())?;
            }
        }
        Ok(())
    };
    // A draft that was never put in place is the plugin's too.
    for draft in drafts(workspace, id)? {
        fs::remove_file(&draft).with_context(|| format!("cannot remove {}", draft.display()))?;
    }
    removed().with_context(|| format!("cannot remove the files of {id} in {}", folder.display()))
}

/// Where the files of plugins lie.
fn folder(workspace: &Workspace, id: &str) -> PathBuf {
    let some = workspace.plugin_file(id, "0.0.0");
    some.parent().unwrap_or(workspace.dir()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_the_plugin_whose_id_it_begins_with_and_no_other() {
        for (name, id, expected) in [
            ("acme.x-0.1.0.wasm", "acme.x", Some("0.1.0")),
            ("acme.x-1.20.3-rc.1+b.wasm", "acme.x", Some("1.20.3-rc.1+b")),
            ("acme.x-y-0.1.0.wasm", "acme.x", None),
            ("acme.x-2-0.1.0.wasm", "acme.x", None),
            ("acme.x-0.1.0.new", "acme.x", None),
            ("acme.x-0.1.wasm", "acme.x", None),
            ("acme.xy-0.1.0.wasm", "acme.x", None),
        ] {
            assert_eq!(version_in(name, id), expected, "{name} of {id}");
        }
    }
}
