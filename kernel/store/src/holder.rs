//! Who has a data file open: a lock file beside it says so to whoever is refused.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use crate::data_file::{beside, io_at, is_read_only};
use crate::error::StoreError;

/// Keeps others out for as long as it lives.
#[derive(Debug)]
pub(crate) struct Holder {
    /// None where no lock file can be made, and so nobody can write either.
    _locked: Option<File>,
}

impl Holder {
    /// Takes hold of the data file at `path` in the name of `who`.
    pub(crate) fn take(path: &Path, who: &str) -> Result<Self, StoreError> {
        let path = beside(path, ".lock");
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = match opened {
            Ok(file) => file,
            // Who can only read takes the lock that is there, if one is.
            Err(error) if is_read_only(&error) => match File::open(&path) {
                Ok(file) => file,
                Err(_) => return Ok(Self { _locked: None }),
            },
            Err(error) => return Err(io_at(&path, &error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Held {
                    by: read_name(file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(io_at(&path, &error)),
        }
        // The name only makes the message better; a full disk must not keep a workspace closed.
        let name = format!("{who}, process {}\n", std::process::id());
        let _unnamed = file
            .set_len(0)
            .and_then(|()| file.write_all(name.as_bytes()));
        Ok(Self {
            _locked: Some(file),
        })
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
