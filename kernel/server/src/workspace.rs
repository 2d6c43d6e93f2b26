//! A workspace is one directory: settings, data file, plugins, cache and secrets.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use kjerne_model::Schema;
use kjerne_store::{RedbStore, StoreError};
use serde::Deserialize;

use crate::exit::{not_found, usage};
use crate::kinds_file;
use crate::secrets::Secrets;

/// The newest format of the workspace file this program knows.
const FORMAT: u32 = 1;

const SETTINGS: &str = "kjerne.toml";
const KINDS: &str = "kinds.toml";
const SECRETS: &str = "secrets.toml";
const DATA: &str = "data.redb";

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

impl Workspace {
    /// Makes a new workspace in a directory that is empty or not there yet.
    ///
    /// # Errors
    /// When the directory holds something already, or cannot be written.
    pub fn init(dir: &Path, name: &str) -> Result<Self> {
        if dir.join(SETTINGS).exists() || dir.join(DATA).exists() {
            return Err(usage(format!(
                "{} is a workspace already; use it with -w, or choose another directory",
                dir.display()
            )));
        }
        let occupied = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
        if occupied {
            return Err(usage(format!(
                "{} is not empty; a workspace needs a directory of its own",
                dir.display()
            )));
        }
        create_private_dir(dir)?;
        for folder in ["plugins", "cache"] {
            create_private_dir(&dir.join(folder))?;
        }
        write_file(&dir.join(KINDS), KINDS_TEMPLATE, 0o644)?;
        write_file(&dir.join(SECRETS), SECRETS_TEMPLATE, 0o600)?;
        drop(RedbStore::create_described(dir.join(DATA), "kjerne init")?);
        // The settings come last: a directory without them is no workspace, so that an `init` that
        // was cut off leaves nothing that looks whole.
        let quoted = toml::Value::String(name.to_owned()).to_string();
        write_file(
            &dir.join(SETTINGS),
            &SETTINGS_TEMPLATE.replace("NAME", &quoted),
            0o644,
        )?;
        Self::open(dir)
    }

    /// Reads a workspace's settings; the data file stays closed.
    ///
    /// # Errors
    /// When there is no workspace, or its settings cannot be read.
    pub fn open(dir: &Path) -> Result<Self> {
        let file = dir.join(SETTINGS);
        if !file.exists() {
            return Err(not_found(format!(
                "there is no workspace in {} (it has no {SETTINGS}); make one with: kjerne init {}",
                dir.display(),
                dir.display()
            )));
        }
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
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
            fs::read_to_string(&file).with_context(|| file.display().to_string())?
        } else {
            String::new()
        };
        kinds_file::schema(&text).map_err(|error| usage(format!("{}: {error:#}", file.display())))
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
        write_file(&draft, &secrets.to_toml(), 0o600)?;
        Ok(fs::rename(&draft, self.dir.join(SECRETS))?)
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
                    "{by} ({}); stop it first, or use its HTTP interface",
                    self.dir.display()
                ),
            },
            other => other,
        }
    }
}

/// A settings file that is no TOML, or not of the shape it should have.
pub fn unreadable(file: &Path, error: &toml::de::Error) -> anyhow::Error {
    usage(format!("{}: {error}", file.display()))
}

fn create_private_dir(dir: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .with_context(|| format!("cannot make {}", dir.display()))
}

/// Writes a file anew with these permissions.
pub(crate) fn write_file(file: &Path, text: &str, mode: u32) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let write = || -> std::io::Result<()> {
        let mut file = options.open(file)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}

const SETTINGS_TEMPLATE: &str = "\
# The settings of this Kjerne workspace. Kinds are in kinds.toml, tokens and secrets in secrets.toml.
format = 1
name = NAME

[serve]
# Any address but loopback needs a token in secrets.toml.
listen = \"127.0.0.1:7380\"
# Further host names by which a server on loopback may be called (a proxy in front of it).
# hosts = [\"crm.example.com\"]

[send]
# Messages go where a plugin was granted to send (kjerne plugin grant ID send:https://host). This list,
# when there is one, narrows that further:
# allow = [\"hooks.example.com\"]
# Host names that may stand for private or loopback addresses:
# private = [\"erp.internal\"]
";

const KINDS_TEMPLATE: &str = "\
# Kinds and fields of this workspace, beside the core kinds. Read when the workspace is opened.
#
# [[kind]]
# name = \"policy\"                    # small letters, digits and '_'
# label = \"Policy\"                   # what people see; from the name when absent
# [[kind.field]]
# name = \"number\"
# type = \"text\"                      # text integer decimal money date instant flag choice choices
#                                    # email phone url address reference
# required = true                    # a record without it is refused
# unique = true                      # no two records hold the same
# indexed = true                     # filters on it read an index
# personal = \"none\"                  # none identifying describing sensitive
# max_bytes = 1024                   # text only
# [[kind.field]]
# name = \"holder\"
# type = \"reference\"
# kinds = [\"account\", \"contact\"]     # what it may refer to
# [[kind.field]]
# name = \"state\"
# type = \"choice\"
# choices = [\"active\", \"lapsed\"]     # none: any text
#
# [[extend]]                         # further fields for a kind that is there
# kind = \"account\"
# [[extend.field]]
# name = \"loyalty\"
# type = \"choice\"
# choices = [\"gold\", \"silver\"]
";

const SECRETS_TEMPLATE: &str = "\
# Readable by the owner only. Make entries with: kjerne token NAME, kjerne secret NAME.

[tokens]
# name = \"bearer token\": who comes with the token acts as user:name. As soon as there is one, the HTTP
# interface asks for a token.

[secrets]
# name = \"whsec_...\": what messages are signed with, in Standard Webhooks form.
";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::exit::{Exit, exit_of};

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
        assert_eq!(exit_of(&again), Exit::Usage);
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
        assert_eq!(exit_of(&error), Exit::NotFound);
        assert!(error.to_string().contains("kjerne init"), "{error}");
    }

    #[test]
    fn settings_that_do_not_parse_name_the_file_and_the_line() {
        let (_parent, workspace) = made();
        let file = workspace.dir().join(SETTINGS);
        fs::write(&file, "format = 1\nname = \"x\"\nlisten = 3\n").unwrap();
        let error = Workspace::open(workspace.dir()).unwrap_err();
        assert_eq!(exit_of(&error), Exit::Usage);
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
        assert_eq!(exit_of(&error), Exit::Storage);
        assert!(error.to_string().contains("format 9"), "{error}");
    }

    #[test]
    fn a_second_opener_is_told_who_holds_the_workspace() {
        let (_parent, workspace) = made();
        let held = workspace.open_store("kjerne serve").unwrap();
        let error = anyhow::Error::new(workspace.open_store("kjerne list").err().unwrap());
        assert_eq!(exit_of(&error), Exit::InUse);
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
}
