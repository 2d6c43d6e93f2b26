//! The data file: opened to be written, or only to be read where it cannot be, and still the file
//! that stands under its name.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::redb::StorageBackend;
use ::redb::backends::FileBackend;

use crate::error::StoreError;

/// How much must fit on a disk that was full before it counts as having room again.
const ROOM: usize = 4 << 20;

/// A data file that is open.
pub(crate) struct DataFile {
    /// The file, as the database takes it.
    pub(crate) backend: Arc<dyn StorageBackend>,
    /// Which file it is.
    pub(crate) place: Place,
    /// Why it is open to be read only, if it is.
    pub(crate) read_only: Option<String>,
}

/// A path, and the file that stood there when it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl DataFile {
    /// Opens the file at a path; to be read only where the system allows no more.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => Self::of(path, file, None),
            Err(error) if is_read_only(&error) => {
                let file = File::open(path).map_err(|error| io_at(path, &error))?;
                Self::of(path, file, Some(format!("{}: {error}", path.display())))
            }
            Err(error) => Err(io_at(path, &error)),
        }
    }

    /// Takes a file that is open.
    pub(crate) fn of(
        path: &Path,
        file: File,
        read_only: Option<String>,
    ) -> Result<Self, StoreError> {
        let place = Place::of(path, &file)?;
        let backend = FileBackend::new(file).map_err(|error| StoreError::Io(error.to_string()))?;
        Ok(Self {
            backend: Arc::new(backend),
            place,
            read_only,
        })
    }
}

impl Place {
    fn of(path: &Path, file: &File) -> Result<Self, StoreError> {
        let opened = file.metadata().map_err(|error| io_at(path, &error))?;
        Ok(Self {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            identity: identity(&opened),
        })
    }

    /// The same file under the name it has now.
    pub(crate) fn renamed(mut self, path: &Path) -> Self {
        self.path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self
    }

    /// Checks that the file still stands under its name: what is written to one that was removed is
    /// gone when the process ends. Told how long we left it, checks that as well: a copy that is laid over
    /// it keeps its name and its number.
    pub(crate) fn check(&self, length: Option<u64>) -> Result<(), String> {
        let shown = self.path.display();
        match fs::metadata(&self.path) {
            Ok(there) if identity(&there) == self.identity => match length {
                Some(length) if there.len() != length => Err(format!(
                    "the data file at {shown} has {} bytes and had {length}: something else has written \
                     to it; stop, and put back a whole one",
                    there.len()
                )),
                _ => Ok(()),
            },
            Ok(_) => Err(format!(
                "another file stands at {shown} than the one that is open; stop, and put back the right one"
            )),
            Err(error) => Err(format!(
                "the data file at {shown} was moved or removed ({error}); what is still in memory can \
                 be read and exported until this process ends"
            )),
        }
    }

    /// Opens the file again, when the disk it was on has room.
    pub(crate) fn reopen(&self) -> Result<DataFile, StoreError> {
        self.check(None).map_err(StoreError::Io)?;
        let trial = beside(&self.path, ".room");
        let tried = write_trial(&trial);
        // What cannot be removed is written over by the next trial.
        let _ = fs::remove_file(&trial);
        tried.map_err(|error| io_at(&self.path, &error))?;
        DataFile::open(&self.path)
    }
}

fn write_trial(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    let piece = vec![0x5a; 64 << 10];
    for _ in 0..ROOM / piece.len() {
        file.write_all(&piece)?;
    }
    file.sync_data()
}

#[cfg(unix)]
fn identity(meta: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((meta.dev(), meta.ino()))
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// Whether the system lets a file be read and not written.
pub(crate) fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
    )
}

/// Whether there was no room for what was to be written.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// What the system says about a full disk, or about a file that may not grow.
pub(crate) fn full(error: &io::Error) -> StoreError {
    StoreError::Full(match error.kind() {
        ErrorKind::FileTooLarge => format!(
            "{error}: this process may write no larger files (ulimit -f); raise the limit and start it \
             again"
        ),
        _ => error.to_string(),
    })
}

pub(crate) fn io_at(path: &Path, error: &io::Error) -> StoreError {
    let what = format!("{}: {error}", path.display());
    if is_full(error) {
        StoreError::Full(what)
    } else {
        StoreError::Io(what)
    }
}

/// The path with something behind its last part: `crm.kjerne.lock`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut text = OsString::from(path);
    text.push(suffix);
    PathBuf::from(text)
}
