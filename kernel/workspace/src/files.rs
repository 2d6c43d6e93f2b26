//! How a workspace's own files are written and read.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use kjerne_core::limits::Limit;

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

/// Reads a text that somebody wrote, and no more of a file than the limit says: whatever was named by
/// mistake is not read into memory first.
///
/// # Errors
/// When it cannot be read, is longer, or is no UTF-8.
pub fn read_text(file: &Path, most: &Limit) -> Result<String> {
    let name = file.display();
    let mut text = Vec::new();
    let read = fs::File::open(file).and_then(|file| {
        let mut beginning = file.take(most.value + 1);
        beginning.read_to_end(&mut text)
    });
    match read {
        Ok(_) if text.len() as u64 > most.value => Err(Error::unreadable(format!(
            "{name} has more than {} bytes (limit {}); is it the file that is meant?",
            most.value, most.name
        ))),
        Ok(_) => String::from_utf8(text)
            .map_err(|_| Error::unreadable(format!("{name} is not written in UTF-8"))),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Err(Error::not_found(format!("there is no file {name}"))),
            ErrorKind::IsADirectory => Err(Error::unreadable(format!("{name} is a folder"))),
            _ => Err(error).with_context(|| format!("cannot read {name}")),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::limits::WORKSPACE_FILE;

    #[test]
    fn a_text_is_read_to_the_number_of_bytes_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kinds.toml");
        for (bytes, taken) in [
            (WORKSPACE_FILE.count(), true),
            (WORKSPACE_FILE.count() + 1, false),
        ] {
            fs::write(&file, " ".repeat(bytes)).unwrap();
            let read = read_text(&file, &WORKSPACE_FILE);
            assert_eq!(read.is_ok(), taken, "{bytes}");
            if let Err(error) = read {
                assert!(error.to_string().contains(WORKSPACE_FILE.name), "{error}");
            }
        }
        #[cfg(unix)]
        assert!(read_text(Path::new("/dev/zero"), &WORKSPACE_FILE).is_err());
        fs::write(&file, b"\xff").unwrap();
        let error = read_text(&file, &WORKSPACE_FILE).unwrap_err();
        assert!(error.to_string().contains("UTF-8"), "{error}");
        let error = read_text(folder.path(), &WORKSPACE_FILE).unwrap_err();
        assert!(error.to_string().contains("is a folder"), "{error}");
        let error = read_text(&folder.path().join("nothing"), &WORKSPACE_FILE).unwrap_err();
        assert!(matches!(error.root(), Error::NotFound(_)), "{error}");
    }
}
