//! The seam between the kernel and a database.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::StoreError;
use crate::space::Space;

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
    /// it was stored, except after [`StoreError::Unknown`], when it may have been: the store then
    /// refuses writes until it is opened again, which tells.
    ///
    /// # Errors
    /// The error `work` returned, or the store's own.
    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Whether writes are taken. Makes good what can be made good, such as when a disk that was full
    /// has room again.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] with the reason, while they are not.
    fn health(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A state that does not change, to be read by anybody who holds it.
pub type Snapshot = Arc<dyn Read + Send + Sync>;

/// What a scan shows each key and value to; it ends the scan by breaking.
pub type Visit<'a> = &'a mut (dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a);

/// What [`Read::scan_damaged`] shows each key to, with the value or what is wrong with it.
pub type VisitDamaged<'a> =
    &'a mut (dyn FnMut(&[u8], Result<&[u8], StoreError>) -> ControlFlow<()> + 'a);

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
    fn scan(&self, space: Space, range: Range<'_>, visit: Visit<'_>) -> Result<(), StoreError>;

    /// Shows `visit` every row of a space, the damaged ones too, until it breaks.
    ///
    /// # Errors
    /// When the store cannot be read any further.
    fn scan_damaged(&self, space: Space, visit: VisitDamaged<'_>) -> Result<(), StoreError> {
        self.scan(space, Range::all(), &mut |key, value| visit(key, Ok(value)))
    }
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

impl<'a> Range<'a> {
    /// Every key of a space.
    #[must_use]
    pub fn all() -> Self {
        Self {
            from: &[],
            to: None,
            backwards: false,
        }
    }

    /// The same keys, from the last to the first.
    #[must_use]
    pub fn backwards(self) -> Self {
        Self {
            backwards: true,
            ..self
        }
    }
}
