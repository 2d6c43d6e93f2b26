//! The seam between the kernel and a database.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::Space;

/// A database that keeps a workspace.
pub trait Store: Send + Sync {
    /// The state as of the last write that succeeded. It does not change, and it never makes a
    /// writer wait.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Runs `work` in the one write transaction there is at a time, and makes it durable. When this
    /// returns `Ok`, everything `work` wrote survives a crash; when it returns an error, nothing of
    /// it was stored, except after [`StoreError::Io`], when it may have been: the store then refuses
    /// writes until it is opened again, which tells.
    ///
    /// # Errors
    /// The error `work` returned, or the store's own.
    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// A state that does not change, to be read by anybody who holds it.
pub type Snapshot = Arc<dyn Read + Send + Sync>;

/// What a snapshot and a write transaction have in common.
pub trait Read {
    /// The value under a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Shows `visit` the keys of a range and their values, in order, until it breaks.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn scan(
        &self,
        space: Space,
        range: Range<'_>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;
}

/// A write transaction: reads see what was written earlier in it.
pub trait Write: Read {
    /// Stores a value under a key, over what was there.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Removes a key, if it is there.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn remove(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError>;
}

/// Keys from `from` on (inclusive) and before `to` (exclusive; none is the end of the space).
#[derive(Clone, Copy, Debug)]
pub struct Range<'a> {
    /// The first key.
    pub from: &'a [u8],
    /// The key before which to stop.
    pub to: Option<&'a [u8]>,
    /// From the last key to the first.
    pub backwards: bool,
}

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
    /// The data file was written by a newer version.
    NewerFormat {
        /// The file's format version.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// The data file is damaged: what, and where.
    Corrupt(String),
    /// The disk is full. Nothing of the write was stored.
    Full(String),
    /// The operating system failed to read or write; a write may or may not have been stored.
    Io(String),
    /// An earlier write failed in a way that leaves its outcome unknown; reads go on, writes are
    /// refused until the workspace is opened again.
    ReadOnly(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { by } => write!(f, "the workspace is in use by {by}"),
            Self::Missing(what) => write!(f, "{what}"),
            Self::NewerFormat { found, known } => write!(
                f,
                "the data file has format {found}, and this program knows formats up to {known}; \
                 use a newer kjerne"
            ),
            Self::Corrupt(what) => write!(f, "the data file is damaged: {what}"),
            Self::Full(what) => write!(f, "the disk is full: {what}; nothing was stored"),
            Self::Io(what) => write!(f, "storage failed: {what}"),
            Self::ReadOnly(what) => write!(
                f,
                "writes are refused since storage failed ({what}); reads go on; open the \
                 workspace again to write"
            ),
        }
    }
}

impl std::error::Error for StoreError {}
