//! Why the store could not do what it was asked.

use std::fmt;

/// Why the store could not do what it was asked.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// Another process, or another opener in this one, has the data file open.
    Held {
        /// Who, as far as it is known: `kjerne serve, process 4711`.
        by: String,
    },
    /// There is no workspace there.
    Missing(String),
    /// There is a workspace already where one was to be made.
    Exists(String),
    /// The data file was written by a newer version.
    NewerFormat {
        /// The file's format version.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// The data file is damaged: what, and where.
    Corrupt(String),
    /// The disk is full, or the file may not grow. Nothing of the write was stored.
    Full(String),
    /// The operating system failed to read or write. Nothing of the write was stored.
    Io(String),
    /// Storage failed while a write was being made durable: it may or may not have been stored.
    Unknown(String),
    /// Writes are refused, and why; reads go on.
    ReadOnly(String),
    /// Reading was ended before its end. Nothing is wrong with the data.
    Halted(Halt),
}

/// Why reading was ended before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// It took more than it may: the sentence names the limit and its number.
    TooMuch(String),
    /// The process is stopping.
    Stopping,
    /// Nobody waits for the answer any more.
    Unwanted,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMuch(what) => what,
            Self::Stopping => "the server is stopping; ask again when it is back",
            Self::Unwanted => "nobody waits for the answer any more",
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { by } => write!(f, "the workspace is in use by {by}"),
            Self::Missing(what) | Self::Exists(what) => f.write_str(what),
            Self::NewerFormat { found, known } => write!(
                f,
                "the data file has format {found}, and this program knows formats up to {known}; \
                 use a newer kjerne"
            ),
            Self::Corrupt(what) => write!(f, "the data file is damaged: {what}"),
            Self::Full(what) => write!(f, "there is no room: {what}; nothing was stored"),
            Self::Io(what) => write!(f, "storage failed: {what}"),
            Self::Unknown(what) => write!(
                f,
                "storage failed while this was being stored ({what}): whether it was is unknown; open \
                 the workspace again (a server: start it anew), and ask again with the same \
                 idempotency key, which does nothing twice; without a key look first"
            ),
            Self::ReadOnly(what) => write!(f, "writes are refused: {what}; reads go on"),
            Self::Halted(halt) => halt.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}
