//! redb's errors, said in the store's words.

use std::path::Path;

use ::redb::{StorageError, TableError, TransactionError};

use crate::error::StoreError;

pub(super) fn io_at(path: &Path, error: &std::io::Error) -> StoreError {
    let what = format!("{}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full(what),
        _ => StoreError::Io(what),
    }
}

pub(super) fn read_only(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full(what) => StoreError::ReadOnly(format!("the disk was full: {what}")),
        StoreError::Io(what) => StoreError::ReadOnly(what.clone()),
        other => StoreError::ReadOnly(other.to_string()),
    }
}

pub(super) fn begin(error: TransactionError) -> StoreError {
    match error {
        TransactionError::Storage(error) => storage(error),
        other => StoreError::Io(other.to_string()),
    }
}

pub(super) fn table(error: TableError) -> StoreError {
    match error {
        TableError::Storage(error) => storage(error),
        other => StoreError::Corrupt(other.to_string()),
    }
}

pub(super) fn storage(error: StorageError) -> StoreError {
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    match error {
        StorageError::Corrupted(what) => StoreError::Corrupt(what),
        StorageError::Io(error) if matches!(error.kind(), InvalidData | UnexpectedEof) => {
            StoreError::Corrupt(error.to_string())
        }
        StorageError::Io(error) => StoreError::Io(error.to_string()),
        StorageError::PreviousIo => {
            StoreError::ReadOnly("the file could not be read earlier".to_owned())
        }
        other => StoreError::Io(other.to_string()),
    }
}
