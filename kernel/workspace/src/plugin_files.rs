//! The files of a workspace's plugins: one for each version, the last few of each plugin kept, so
//! that the version before can be had back.
//!
//! A file is dated when its version goes out of use; by that the one that was in use last is known.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use kjerne_host::Package;
use kjerne_host::signing::SUFFIX;
use kjerne_store::WaitingRow;
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

/// What lies there, when it is what was installed. Somebody else's file is not followed to.
fn reopen(file: &Path, row: &PluginRow) -> io::Result<Option<Package>> {
    if !fs::symlink_metadata(file)?.is_file() {
        return Ok(None);
    }
    let package = Package::reopen(&Package::bytes_of(file)?, &row.digest);
    Ok(package.ok().filter(|package| package.digest == row.digest))
}

/// What the names of files end with that were not put in place yet.
const DRAFT: &str = "new";

fn draft(file: &Path) -> PathBuf {
    file.with_extension(DRAFT)
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
        write_new(&draft, bytes)
    };
    let written = write();
    if written.is_err() {
        drop_draft(file);
    }
    written.with_context(|| format!("cannot write {}", draft.display()))
}

/// Writes a file that is not there yet: what lies under its name is removed, and never written through.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_folder(path)
}

/// Keeps the signature of a file beside it, or none.
///
/// # Errors
/// When it cannot be written.
pub fn keep_signature(file: &Path, signature: Option<&str>) -> Result<()> {
    let path = signature_of(file);
    let kept = match signature {
        Some(text) => write_new(&path, text.as_bytes()),
        None => match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    };
    kept.with_context(|| format!("cannot write {}", path.display()))
}

/// Where the signature of a file lies: beside it.
fn signature_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{SUFFIX}"));
    PathBuf::from(name)
}

/// What the names of files end with that wait to be looked at.
const WAITING: &str = "waiting";

/// Keeps the file of a version that waits.
///
/// # Errors
/// When it cannot be written.
pub fn write_waiting(workspace: &Workspace, id: &str, version: &str, bytes: &[u8]) -> Result<()> {
    let path = workspace.plugin_file(id, version).with_extension(WAITING);
    let write = || -> io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        write_new(&path, bytes)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The file of a version that waits, checked against its digest.
///
/// # Errors
/// When it is gone, changed or cannot be read.
pub fn read_waiting(workspace: &Workspace, row: &WaitingRow) -> Result<Vec<u8>> {
    let (id, version) = (&row.plugin, &row.origin.version);
    let path = workspace.plugin_file(id, version).with_extension(WAITING);
    let help = format!("install it again, or run: kjerne plugin reject {id}");
    let bytes = Package::bytes_of(&path)
        .with_context(|| format!("cannot read {}; {help}", path.display()))?;
    if Package::digest_of(&bytes) == row.origin.digest {
        return Ok(bytes);
    }
    Err(Error::refused(format!(
        "{} is not the file that waits; {help}",
        path.display()
    )))
}

/// Removes the files of a plugin that wait no more: all but that of one version. What cannot be removed now
/// goes the next time.
///
/// # Errors
/// When the folder cannot be read.
pub fn thin_out_waiting(workspace: &Workspace, id: &str, stays: Option<&str>) -> Result<()> {
    for (path, version) in named_like(workspace, id, WAITING)? {
        if stays != Some(version.as_str()) {
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
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
        let file = workspace.plugin_file(&row.id, &version);
        let _ = fs::remove_file(signature_of(&file));
        let _ = fs::remove_file(file);
    }
    for (item, version) in named_like(workspace, &row.id, DRAFT)? {
        if version != row.version {
            let _ = fs::remove_file(item);
        }
    }
    Ok(())
}

/// What lies beside a plugin's files under their names with another ending, each with its version.
fn named_like(workspace: &Workspace, id: &str, ending: &str) -> Result<Vec<(PathBuf, String)>> {
    let folder = folder(workspace, id);
    let read = || -> io::Result<Vec<PathBuf>> {
        let items = items(&folder)?.into_iter();
        Ok(items.map(|item| item.path()).collect())
    };
    let all = read().with_context(|| format!("cannot read {}", folder.display()))?;
    let named = all.into_iter().filter_map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let start = name.strip_suffix(ending)?.strip_suffix('.')?;
        let version = version_in(&format!("{start}.wasm"), id)?.to_owned();
        Some((path, version))
    });
    Ok(named.collect())
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
    // A draft that was never put in place is the plugin's too, and so are what waits and the signatures.
    let signatures = format!("wasm.{SUFFIX}");
    for ending in [DRAFT, WAITING, &signatures] {
        for (path, _) in named_like(workspace, id, ending)? {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
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
