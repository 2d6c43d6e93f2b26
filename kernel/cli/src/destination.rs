//! A file that a command writes for somebody: never one of the workspace's own, never over one that
//! is there unless that was said, and whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::exit::usage;

/// What a workspace has beside its data.
const SETTINGS: &str = "kjerne.toml";

/// A file under way. It gets its name when it is whole; dropped before, it leaves nothing.
pub(crate) struct Destination {
    path: PathBuf,
    /// What is written, beside the file it becomes; none for what is no plain file, such as a pipe.
    draft: Option<PathBuf>,
    out: BufWriter<File>,
}

impl Destination {
    /// Begins a file for somebody who works with the workspace in `workspace`.
    pub(crate) fn begin(path: &Path, workspace: &Path, force: bool) -> Result<Self> {
        // A link is followed, so that what stands at its other end is asked about.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        outside(&path, workspace)?;
        let cannot = || format!("cannot make {}", path.display());
        let there = fs::metadata(&path).ok();
        if there
            .as_ref()
            .is_some_and(|meta| !meta.is_file() && !meta.is_dir())
        {
            let out = OpenOptions::new().write(true).open(&path);
            let out = BufWriter::new(out.with_context(cannot)?);
            return Ok(Self {
                path,
                draft: None,
                out,
            });
        }
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(usage(format!(
                "{} is a folder; name a file",
                path.display()
            )));
        }
        if there.is_some() && !force {
            return Err(usage(format!(
                "there is a file {} already; --force writes over it",
                path.display()
            )));
        }
        let draft = draft(&path)?;
        let out = OpenOptions::new().write(true).create_new(true).open(&draft);
        let out = BufWriter::new(out.with_context(cannot)?);
        Ok(Self {
            path,
            draft: Some(draft),
            out,
        })
    }

    /// Where it is written to.
    pub(crate) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Gives the file its name.
    pub(crate) fn finish(mut self) -> Result<()> {
        let named = self.give_name();
        named.with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn give_name(&mut self) -> io::Result<()> {
        self.out.flush()?;
        if let Some(draft) = &self.draft {
            self.out.get_ref().sync_all()?;
            fs::rename(draft, &self.path)?;
            self.draft = None;
        }
        Ok(())
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if let Some(draft) = &self.draft {
            // It is in nobody's way.
            let _ = fs::remove_file(draft);
        }
    }
}

/// Refuses a file in the workspace's folder, or another workspace's: all that lies there belongs to it.
pub(crate) fn outside(path: &Path, workspace: &Path) -> Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (Ok(folder), Ok(workspace)) = (folder.canonicalize(), workspace.canonicalize()) else {
        return Ok(());
    };
    let other = |folder: &Path| folder.join("data.redb").exists() && folder.join(SETTINGS).exists();
    if folder.starts_with(&workspace) || folder.ancestors().any(other) {
        return Err(usage(format!(
            "{} lies in {} workspace, whose files are its own; name a file elsewhere",
            path.display(),
            if folder.starts_with(&workspace) {
                "the"
            } else {
                "another"
            }
        )));
    }
    Ok(())
}

/// A name beside the file, with the process in it.
fn draft(path: &Path) -> Result<PathBuf> {
    let name = path.file_name();
    let name = name.ok_or_else(|| usage(format!("{} is no file's name", path.display())))?;
    let name = format!(".{}.{}.new", name.to_string_lossy(), std::process::id());
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn write(path: &Path, workspace: &Path, force: bool, text: &str) -> Result<()> {
        let mut file = Destination::begin(path, workspace, force)?;
        file.out().write_all(text.as_bytes())?;
        file.finish()
    }

    #[test]
    fn a_file_of_the_workspace_is_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("shop");
        fs::create_dir_all(workspace.join("plugins")).unwrap();
        fs::write(workspace.join("data.redb"), "data").unwrap();
        let link = folder.path().join("link.csv");
        #[cfg(unix)]
        std::os::unix::fs::symlink(workspace.join("data.redb"), &link).unwrap();
        let own = [
            "data.redb",
            "kinds.toml",
            "new.csv",
            "plugins/x.wasm",
            "../shop/kjerne.toml",
        ];
        let other = folder.path().join("other");
        fs::create_dir_all(&other).unwrap();
        for name in ["data.redb", "kjerne.toml"] {
            fs::write(other.join(name), "other").unwrap();
        }
        for (path, whose) in [("data.redb", "another"), ("new.csv", "another")] {
            let error = write(&other.join(path), &workspace, true, "x").unwrap_err();
            assert!(error.to_string().contains(whose), "{error}");
        }
        let own = own.iter().map(|name| workspace.join(name));
        for path in own.chain(cfg!(unix).then_some(link)) {
            for force in [false, true] {
                let error = write(&path, &workspace, force, "x").unwrap_err();
                assert!(
                    error.to_string().contains("lies in the workspace"),
                    "{error}"
                );
            }
        }
        assert_eq!(
            fs::read_to_string(workspace.join("data.redb")).unwrap(),
            "data"
        );
        assert_eq!(fs::read_dir(&workspace).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_is_there_is_written_over_when_told_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (path, workspace) = (folder.path().join("a.csv"), folder.path().join("shop"));
        write(&path, &workspace, false, "one").unwrap();
        let error = write(&path, &workspace, false, "two").unwrap_err();
        assert!(error.to_string().contains("--force"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        let mut cut = Destination::begin(&path, &workspace, true).unwrap();
        cut.out().write_all(b"half").unwrap();
        drop(cut);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        write(&path, &workspace, true, "three").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no draft is left"
        );
        let error = write(folder.path(), &workspace, true, "x").unwrap_err();
        assert!(error.to_string().contains("is a folder"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_plain_file_is_written_to_as_it_is() {
        write(Path::new("/dev/null"), Path::new("/nowhere"), false, "x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
