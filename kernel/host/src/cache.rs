//! Compiled plugins on disk, so that a start compiles nothing.
//!
//! Native code is trusted code. An entry is loaded only when this host's key vouches for it, for this
//! plugin, this runtime version and this configuration; everything else is compiled anew from the
//! plugin's own file, which is always kept. A cache that cannot be written costs time, nothing else.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::compiler::{self, Uncompiled};
use crate::engine::RUNTIME_VERSION;
use crate::error::HostError;
use crate::limits;

/// Bytes of the code that authenticates an entry; they stand in front of it.
const MAC: usize = 32;

/// What the names of entries end with.
const ENTRY: &str = "native";

/// Makes the names of unfinished files distinct within the process.
static UNFINISHED: AtomicU64 = AtomicU64::new(0);

/// The directory of compiled plugins.
pub struct Cache {
    directory: Option<PathBuf>,
    key: [u8; 32],
}

/// How a component came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Taken from the cache.
    Cached,
    /// Compiled now.
    Compiled,
}

impl Cache {
    /// Opens the directory, or makes it, for this user's eyes only. Without a directory every
    /// plugin is compiled.
    pub fn open(directory: Option<PathBuf>, key: [u8; 32]) -> Result<Self, HostError> {
        if let Some(path) = &directory {
            make_private(path)
                .map_err(|error| HostError::Cache(format!("{}: {error}", path.display())))?;
            remove_unfinished(path);
        }
        Ok(Self { directory, key })
    }

    /// The native code under a digest, where it is kept.
    pub fn known(&self, engine: &Engine, digest: &[u8; 32]) -> Option<Component> {
        self.load(engine, &entry_name(engine, digest))
    }

    /// The native code of the component with this digest, from the cache or compiled (and then kept).
    /// The digest names everything the bytes are made of.
    pub fn component(
        &self,
        engine: &Engine,
        digest: &[u8; 32],
        bytes: &[u8],
    ) -> Result<(Component, Origin), Uncompiled> {
        let name = entry_name(engine, digest);
        if let Some(component) = self.load(engine, &name) {
            return Ok((component, Origin::Cached));
        }
        let code = compiler::compile(engine, bytes)?;
        let component = deserialize(engine, &code);
        // Code that was made just now fits this engine; what is left to be checked is the pool's room.
        let component = component.map_err(|error| Uncompiled::NoRoom(format!("{error:#}")))?;
        if let Some(directory) = &self.directory {
            let mac = self.mac(&name, &code);
            // What could not be kept is compiled again at the next start.
            let _ = write_whole(directory, &name, &[mac.as_bytes(), &code]);
            thin_out(directory);
        }
        Ok((component, Origin::Compiled))
    }

    /// Takes out what is kept under a digest, since it turned out to be of no use.
    pub fn forget(&self, engine: &Engine, digest: &[u8; 32]) {
        if let Some(directory) = &self.directory {
            let _ = fs::remove_file(directory.join(entry_name(engine, digest)));
        }
    }

    fn load(&self, engine: &Engine, name: &str) -> Option<Component> {
        let path = self.directory.as_ref()?.join(name);
        if !fs::symlink_metadata(&path).ok()?.is_file() {
            return None;
        }
        let bytes = fs::read(path).ok()?;
        let (mac, code) = bytes.split_at_checked(MAC)?;
        // Comparing hashes is a comparison in constant time.
        let genuine = self.mac(name, code) == blake3::Hash::from_slice(mac).ok()?;
        if genuine {
            deserialize(engine, code).ok()
        } else {
            None
        }
    }

    /// Vouches for the code under this name; the name holds plugin, version and configuration, so
    /// an entry moved to another name is not genuine.
    fn mac(&self, name: &str, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher
            .update(&(name.len() as u64).to_le_bytes())
            .update(name.as_bytes())
            .update(code);
        hasher.finalize()
    }
}

#[expect(
    unsafe_code,
    reason = "the runtime offers no safe way to take native code back"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` demands bytes that the runtime made of a component, unchanged. They were
    // read once, into memory no one else can write. Either the compiler returned them just now, in
    // this process or through a pipe from a process of this very program; or the caller has just
    // compared a keyed hash over them and over a name that holds the plugin's hash, the runtime's
    // full version and the engine's configuration. The key is known to this workspace alone and only
    // `component` above makes such hashes, over what the compiler returned for that name.
    unsafe { Component::deserialize(engine, code) }
}

/// Everything native code depends on: the plugin's bytes, the compiler and its settings.
fn entry_name(engine: &Engine, digest: &[u8; 32]) -> String {
    let mut settings = SettingsHasher(blake3::Hasher::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut settings);
    let mut hasher = settings.0;
    hasher.update(RUNTIME_VERSION.as_bytes()).update(digest);
    format!("{}.{ENTRY}", hasher.finalize().to_hex())
}

/// Feeds what the engine says about its configuration to a hash of 256 bits.
struct SettingsHasher(blake3::Hasher);

impl std::hash::Hasher for SettingsHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// Removes the entries that were made longest ago, as far as there are more than are kept, in number or
/// bytes: each version of a plugin leaves one, and each of its settings. What is missed is compiled again.
fn thin_out(directory: &Path) {
    let mut entries: Vec<(SystemTime, u64, PathBuf)> = files(directory)
        .filter(|path| path.extension().is_some_and(|end| end == ENTRY))
        .filter_map(|path| {
            let meta = fs::symlink_metadata(&path).ok()?;
            Some((meta.modified().ok()?, meta.len(), path))
        })
        .collect();
    entries.sort();
    let sizes: Vec<u64> = entries.iter().rev().map(|(_, bytes, _)| *bytes).collect();
    let surplus = entries.len() - kept(&sizes);
    for (_, _, path) in entries.into_iter().take(surplus) {
        let _ = fs::remove_file(path);
    }
}

/// How many entries of these sizes are kept, the newest first.
fn kept(sizes: &[u64]) -> usize {
    let mut bytes = 0u64;
    let fits = |size: &&u64| {
        bytes = bytes.saturating_add(**size);
        bytes <= limits::CODE_KEPT_BYTES.value
    };
    let most = sizes.len().min(limits::CODE_KEPT.count());
    sizes[..most]
        .iter()
        .take_while(fits)
        .count()
        .max(most.min(1))
}

/// Removes what a process left behind that was ended while it wrote. Whoever opens the cache of a
/// workspace holds the workspace, so that no other process writes there now.
fn remove_unfinished(directory: &Path) {
    let own = format!(".{}", std::process::id());
    let unfinished = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let of_cache = name.starts_with('.') && name.contains(&format!(".{ENTRY}."));
        let without_number = name.rsplit_once('.').map_or("", |(before, _)| before);
        of_cache && !without_number.ends_with(&own)
    };
    for path in files(directory).filter(unfinished) {
        let _ = fs::remove_file(path);
    }
}

fn files(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// Writes a file that is there whole or not at all.
fn write_whole(directory: &Path, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    let number = UNFINISHED.fetch_add(1, Ordering::Relaxed);
    let unfinished = directory.join(format!(".{name}.{}.{number}", std::process::id()));
    let written = create_private(&unfinished)
        .and_then(|mut file| {
            parts.iter().try_for_each(|part| file.write_all(part))?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, directory.join(name)));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

#[cfg(unix)]
fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn make_private(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn so_many_entries_are_kept_and_so_many_bytes_of_them() {
        let (most, bytes) = (limits::CODE_KEPT.count(), limits::CODE_KEPT_BYTES.value);
        assert_eq!(kept(&[]), 0);
        assert_eq!(kept(&vec![1; most]), most);
        assert_eq!(kept(&vec![1; most + 1]), most);
        assert_eq!(kept(&[bytes - 1, 1]), 2);
        assert_eq!(kept(&[bytes - 1, 2]), 1);
        assert_eq!(kept(&[bytes + 1, 1]), 1, "the newest is kept in any case");
    }

    #[test]
    fn what_was_left_unfinished_by_another_process_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let own = format!(".a.native.{}.0", std::process::id());
        let others = [".a.native.1.0", ".b.native.1.12"];
        let stay = ["a.native", "notes.txt", &own];
        for name in others.iter().chain(&stay) {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        Cache::open(Some(directory.path().to_owned()), [0; 32]).unwrap();
        let left = |name: &&str| directory.path().join(name).exists();
        assert_eq!(others.iter().filter(|name| left(name)).count(), 0);
        assert_eq!(stay.iter().filter(|name| left(name)).count(), 3);
    }
}
