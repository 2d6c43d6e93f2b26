//! redb's errors, said in the store's words.

use ::redb::{StorageError, TableError, TransactionError};

use crate::error::StoreError;

/// What is told to whoever wants to write after storage failed.
pub(super) fn read_only(error: &StoreError) -> StoreError {
    let again = "open the workspace again to write (a server: start it anew)";
    StoreError::ReadOnly(match error {
        StoreError::Full(what) => format!(
            "there was no room: {what}; they are taken again when there is, and nobody reads the state \
             from before any more"
        ),
        StoreError::Io(what) | StoreError::Unknown(what) => {
            format!("storage failed: {what}; {again}")
        }
        StoreError::ReadOnly(what) => what.clone(),
        other => format!("{other}; {again}"),
    })
}

/// What is told by what has come to its end.
pub(super) fn closed() -> StoreError {
    StoreError::Io("the data file is closed".to_owned())
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
        StorageError::PreviousIo => StoreError::Io(
            "the file could not be read earlier; open the workspace again".to_owned(),
        ),
        other => StoreError::Io(other.to_string()),
    }
}
