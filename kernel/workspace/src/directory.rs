//! A workspace is one directory: settings, data file, plugins, cache and secrets.

use std::fs;
use std::path::{Path, PathBuf};

use kjerne_model::Schema;
use kjerne_store::reindex::reindex;
use kjerne_store::{RedbStore, Store as _, StoreError, meta};
use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::error::{Context as _, Error, Result};
use crate::files::{create_private_dir, read_text, unreadable, write};
use crate::kinds_file;
use crate::limits::WORKSPACE_FILE;
use crate::secrets::{Secrets, random};

/// The newest format of the workspace file this program knows.
const FORMAT: u32 = 1;

const SETTINGS_TEMPLATE: &str = include_str!("templates/kjerne.toml");
const KINDS_TEMPLATE: &str = include_str!("templates/kinds.toml");
const SECRETS_TEMPLATE: &str = include_str!("templates/secrets.toml");

const SETTINGS: &str = "kjerne.toml";
const KINDS: &str = "kinds.toml";
const SECRETS: &str = "secrets.toml";
const DATA: &str = "data.redb";
const SCRATCH: &str = "scratch";

/// A workspace's directory and its settings, read and checked.
#[derive(Clone, Debug)]
pub struct Workspace {
    dir: PathBuf,
    settings: Settings,
}

/// What `kjerne.toml` says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The file's format version.
    pub format: u32,
    /// What people call the workspace.
    pub name: String,
    /// Where `serve` listens.
    #[serde(default)]
    pub serve: ServeSettings,
    /// Where messages may go.
    #[serde(default)]
    pub send: SendSettings,
}

/// The `[serve]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServeSettings {
    /// Address and port.
    #[serde(default = "default_listen")]
    pub listen: String,
    /// Further host names by which a server on loopback may be called, for a proxy in front of it.
    #[serde(default)]
    pub hosts: Vec<String>,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            listen: default_listen(),
            hosts: Vec::new(),
        }
    }
}

fn default_listen() -> String {
    "127.0.0.1:7380".to_owned()
}

/// The `[send]` table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendSettings {
    /// The hosts messages may go to; absent: wherever a plugin was granted.
    pub allow: Option<Vec<String>>,
    /// Hosts by name that may resolve to private or loopback addresses.
    #[serde(default)]
    pub private: Vec<String>,
}

/// What an `init` has made so far; all of it goes again when the `init` does not end well, such as on a full
/// disk, and nothing else.
#[derive(Default)]
struct Begun {
    made: Vec<PathBuf>,
}

impl Begun {
    /// Makes a directory, and those it lies in that are missing.
    fn dir(&mut self, dir: &Path) -> Result<()> {
        let missing = dir.ancestors().take_while(|path| !path.exists());
        let missing: Vec<&Path> = missing.filter(|path| *path != Path::new("")).collect();
        missing
            .iter()
            .rev()
            .for_each(|path| self.makes(path.to_path_buf()));
        create_private_dir(dir)
    }

    fn file(&mut self, file: &Path, text: &str, mode: u32) -> Result<()> {
        self.makes(file.to_owned());
        write(file, text, mode)
    }

    /// Notes what is going to be made; what is there already is not ours.
    fn makes(&mut self, path: PathBuf) {
        if fs::symlink_metadata(&path).is_err() {
            self.made.push(path);
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        for path in self.made.iter().rev() {
            // A directory that somebody has put something into meanwhile is not empty, and stays.
            let _ = match path.is_dir() {
                true => fs::remove_dir(path),
                false => fs::remove_file(path),
            };
        }
    }
}

impl Workspace {
    /// Makes a new workspace in a directory that is empty or not there yet.
    ///
    /// # Errors
    /// When the directory holds something already, or cannot be written.
    pub fn init(dir: &Path, name: &str) -> Result<Self> {
        if dir.join(SETTINGS).exists() || dir.join(DATA).exists() {
            return Err(Error::unreadable(format!(
                "{} is a workspace already; use it with -w, or choose another directory",
                dir.display()
            )));
        }
        let occupied = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
        if occupied {
            return Err(Error::unreadable(format!(
                "{} is not empty; a workspace needs a directory of its own",
                dir.display()
            )));
        }
        // Dropped after the store, which then holds nothing open any more.
        let mut begun = Begun::default();
        begun.dir(dir)?;
        for folder in ["plugins", "cache"] {
            begun.dir(&dir.join(folder))?;
        }
        begun.file(&dir.join(KINDS), KINDS_TEMPLATE, 0o644)?;
        begun.file(&dir.join(SECRETS), SECRETS_TEMPLATE, 0o600)?;
        for beside in ["", ".new", ".lock", ".room"] {
            let name = format!("{DATA}{beside}");
            begun.makes(dir.join(name));
        }
        let store = RedbStore::create_described(dir.join(DATA), "kjerne init")?;
        let key = random()?;
        store.write(&mut |write| meta::set_cache_key(write, &key))?;
        reindex(&store, &kinds_file::schema(KINDS_TEMPLATE)?)
            .map_err(|error| Error::failed(error.to_string()))?;
        drop(store);
        // The settings come last: a directory without them is no workspace, so that an `init` that
        // was cut off leaves nothing that looks whole.
        let quoted = toml::Value::String(name.to_owned()).to_string();
        let settings = SETTINGS_TEMPLATE.replace("NAME", &quoted);
        begun.file(&dir.join(SETTINGS), &settings, 0o644)?;
        let made = Self::open(dir)?;
        begun.made.clear();
        Ok(made)
    }

    /// Reads a workspace's settings; the data file stays closed.
    ///
    /// # Errors
    /// When there is no workspace, or its settings cannot be read.
    pub fn open(dir: &Path) -> Result<Self> {
        let file = dir.join(SETTINGS);
        if !file.exists() {
            return Err(Error::not_found(format!(
                "there is no workspace in {} (it has no {SETTINGS}); make one with: kjerne init {}",
                dir.display(),
                dir.display()
            )));
        }
        let text = read_text(&file, &WORKSPACE_FILE)?;
        let settings: Settings =
            toml::from_str(&text).map_err(|error| unreadable(&file, &error))?;
        if settings.format > FORMAT {
            return Err(StoreError::NewerFormat {
                found: settings.format,
                known: FORMAT,
            }
            .into());
        }
        Ok(Self {
            dir: dir.to_owned(),
            settings,
        })
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where a plugin's file lies.
    #[must_use]
    pub fn plugin_file(&self, id: &str, version: &str) -> PathBuf {
        self.dir
            .join("plugins")
            .join(format!("{id}-{version}.wasm"))
    }

    /// The socket by which commands reach the server that holds the workspace.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.dir.join("kjerne.sock")
    }

    /// A file for what a request brings, gone when it is dropped. What a server that was killed left
    /// behind is removed by the next one to start.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch_file(&self) -> Result<NamedTempFile> {
        let folder = self.dir.join(SCRATCH);
        create_private_dir(&folder)?;
        NamedTempFile::new_in(&folder)
            .with_context(|| format!("cannot write in {}", folder.display()))
    }

    /// Removes the scratch files nobody uses any more; to be called by who holds the workspace.
    pub fn clear_scratch(&self) {
        // What cannot be removed is in nobody's way.
        let _ = fs::remove_dir_all(self.dir.join(SCRATCH));
    }

    /// Where native code is kept between runs.
    #[must_use]
    pub fn cache_dir(&self) -> PathBuf {
        self.dir.join("cache")
    }

    /// The core kinds with what `kinds.toml` adds.
    ///
    /// # Errors
    /// When the file cannot be read or contradicts the core kinds.
    pub fn schema(&self) -> Result<Schema> {
        let file = self.dir.join(KINDS);
        let text = if file.exists() {
            read_text(&file, &WORKSPACE_FILE)?
        } else {
            String::new()
        };
        kinds_file::schema(&text)
            .map_err(|error| Error::unreadable(format!("{}: {error}", file.display())))
    }

    /// The tokens and signing secrets.
    ///
    /// # Errors
    /// When the file cannot be read, or others may read it.
    pub fn secrets(&self) -> Result<Secrets> {
        Secrets::read(&self.dir.join(SECRETS))
    }

    /// Stores the tokens and signing secrets, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_secrets(&self, secrets: &Secrets) -> Result<()> {
        let draft = self.dir.join("secrets.toml.new");
        let written = write(&draft, &secrets.to_toml(), 0o600);
        let placed = written.and_then(|()| Ok(fs::rename(&draft, self.dir.join(SECRETS))?));
        if placed.is_err() {
            // What cannot be removed is written over by the next that is stored.
            let _ = fs::remove_file(&draft);
        }
        placed
    }

    /// Opens the data file in the name of `who`, which the next opener is told.
    ///
    /// # Errors
    /// When another process holds the workspace, or the data file cannot be used.
    pub fn open_store(&self, who: &str) -> Result<RedbStore, StoreError> {
        let store = RedbStore::open_described(self.dir.join(DATA), who);
        store.map_err(|error| self.with_way_out(error))
    }

    /// Opens the data file and has every page of it checked first.
    ///
    /// # Errors
    /// As [`Workspace::open_store`].
    pub fn open_store_checked(&self, who: &str) -> Result<RedbStore, StoreError> {
        let store = RedbStore::open_checked(self.dir.join(DATA), who);
        store.map_err(|error| self.with_way_out(error))
    }

    /// Adds which workspace is held, and what to do about it.
    fn with_way_out(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Held { by } => StoreError::Held {
                by: format!(
                    "{by} ({}); wait for its end, or stop it",
                    self.dir.display()
                ),
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn made() -> (tempfile::TempDir, Workspace) {
        let parent = tempfile::tempdir().unwrap();
        let workspace = Workspace::init(&parent.path().join("crm"), "Fjord \"Demo\"").unwrap();
        (parent, workspace)
    }

    #[test]
    fn a_new_workspace_opens_with_its_name_and_the_core_kinds() {
        let (_parent, workspace) = made();
        assert_eq!(workspace.settings().name, "Fjord \"Demo\"");
        assert_eq!(workspace.settings().serve.listen, "127.0.0.1:7380");
        assert!(workspace.schema().unwrap().kind("opportunity").is_some());
        assert!(workspace.secrets().unwrap().tokens.is_empty());
    }

    #[test]
    fn init_leaves_a_directory_in_use_alone() {
        let (parent, workspace) = made();
        let again = Workspace::init(workspace.dir(), "x").unwrap_err();
        assert!(matches!(again, Error::Unreadable(_)), "{again}");
        assert!(
            again.to_string().contains("is a workspace already"),
            "{again}"
        );
        let occupied = Workspace::init(parent.path(), "x").unwrap_err();
        assert!(occupied.to_string().contains("is not empty"), "{occupied}");
    }

    #[test]
    fn a_missing_workspace_is_not_found_and_says_how_to_make_one() {
        let parent = tempfile::tempdir().unwrap();
        let error = Workspace::open(parent.path()).unwrap_err();
        assert!(matches!(error, Error::NotFound(_)), "{error}");
        assert!(error.to_string().contains("kjerne init"), "{error}");
    }

    #[test]
    fn settings_that_do_not_parse_name_the_file_and_the_line() {
        let (_parent, workspace) = made();
        let file = workspace.dir().join(SETTINGS);
        fs::write(&file, "format = 1\nname = \"x\"\nlisten = 3\n").unwrap();
        let error = Workspace::open(workspace.dir()).unwrap_err();
        assert!(matches!(error, Error::Unreadable(_)), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("kjerne.toml") && text.contains("line 3"),
            "{text}"
        );
    }

    #[test]
    fn settings_of_a_newer_format_are_refused_by_number() {
        let (_parent, workspace) = made();
        fs::write(workspace.dir().join(SETTINGS), "format = 9\nname = \"x\"\n").unwrap();
        let error = Workspace::open(workspace.dir()).unwrap_err();
        assert!(
            matches!(error, Error::Store(StoreError::NewerFormat { .. })),
            "{error}"
        );
        assert!(error.to_string().contains("format 9"), "{error}");
    }

    #[test]
    fn a_second_opener_is_told_who_holds_the_workspace() {
        let (_parent, workspace) = made();
        let held = workspace.open_store("kjerne serve").unwrap();
        let error = workspace.open_store("kjerne list").err().unwrap();
        assert!(matches!(error, StoreError::Held { .. }), "{error}");
        let expected = format!("in use by kjerne serve, process {}", std::process::id());
        assert!(error.to_string().contains(&expected), "{error}");
        drop(held);
        workspace.open_store("kjerne list").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_secrets() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_parent, workspace) = made();
        let file = workspace.dir().join(SECRETS);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let error = workspace.secrets().unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    /// A directory in which a name of 12 letters is too long for the system, and one of 10 is not: making
    /// `secrets.toml` fails like on a disk that became full.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_init_that_fails_leaves_what_was_there_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let before = parent.path().join("before");
        fs::create_dir(&before).unwrap();
        let mut deep = before.clone();
        let room = 4_095 - "/secrets.toml".len() + 1 - deep.as_os_str().len();
        for _ in 0..room / 200 {
            deep.push("d".repeat(199));
        }
        let rest = 4_095 - "/secrets.toml".len() + 1 - deep.as_os_str().len();
        deep.push("e".repeat(rest - 1));
        let left = || fs::read_dir(&before).unwrap().count();
        let error = Workspace::init(&deep, "x").unwrap_err();
        assert!(error.to_string().contains("secrets.toml"), "{error}");
        assert_eq!(left(), 0, "the directories were made for it");
        fs::create_dir_all(&deep).unwrap();
        Workspace::init(&deep, "x").unwrap_err();
        assert!(deep.is_dir(), "an empty directory that was there stays");
        assert_eq!(fs::read_dir(&deep).unwrap().count(), 0);
    }
}
