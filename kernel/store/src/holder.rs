//! Who has a data file open: a lock file beside it says so to whoever is refused.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Keeps others out for as long as it lives.
#[derive(Debug)]
pub(crate) struct Holder {
    _locked: File,
}

impl Holder {
    /// Takes hold of the data file at `path` in the name of `who`.
    pub(crate) fn take(path: &Path, who: &str) -> Result<Self, StoreError> {
        let path = beside(path, ".lock");
        let failed = |error| StoreError::Io(format!("{}: {error}", path.display()));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Held {
                    by: read_name(file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // The name only makes the message better; a full disk must not keep a workspace closed.
        let name = format!("{who}, process {}\n", std::process::id());
        let _unnamed = file
            .set_len(0)
            .and_then(|()| file.write_all(name.as_bytes()));
        Ok(Self { _locked: file })
    }
}

fn read_name(file: File) -> String {
    let mut name = String::new();
    let read = file.take(1_024).read_to_string(&mut name);
    match name.trim() {
        name if read.is_ok() && !name.is_empty() => name.to_owned(),
        _ => "another process".to_owned(),
    }
}

/// The path with something behind its last part: `crm.kjerne.lock`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut text = OsString::from(path);
    text.push(suffix);
    PathBuf::from(text)
}
