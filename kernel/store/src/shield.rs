//! Keeps a failing disk from taking the reads down with it.
//!
//! redb refuses everything, reads too, once one write has failed. This backend stands between redb
//! and the file: after the first write that fails nothing more reaches the file, and what redb still
//! writes is kept aside in memory, so that the transaction under way can end and earlier snapshots
//! can be read. The file stays as a crash at the failed write would have left it, which is a state
//! redb recovers from when it is opened again.
//!
//! The header, which decides whether a commit counts, is held back until the flush and written
//! last. A disk that is full is then noticed before anything is decided.

use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ::redb::{BackendError, StorageBackend};

use crate::data_file::{full, is_full};
use crate::error::StoreError;

/// The first page holds redb's header.
const HEADER_BYTES: u64 = 4_096;

/// A backend that stops at the first failed write.
pub(crate) struct Shield {
    file: Arc<dyn StorageBackend>,
    trouble: Arc<Trouble>,
    /// Whether the file can be locked; one that is open to be read only cannot.
    locks: bool,
}

/// What went wrong, and what was written that the file does not have.
#[derive(Default)]
pub(crate) struct Trouble {
    happened: AtomicBool,
    /// Whether the header was written in the transaction under way: what fails from then on leaves
    /// it open whether the transaction was stored.
    decided: AtomicBool,
    /// How long we left the file.
    length: AtomicU64,
    aside: Mutex<Aside>,
    refused: OnceLock<StoreError>,
}

#[derive(Default)]
struct Aside {
    error: Option<StoreError>,
    /// Whether the file, opened again, is known to be as before the write that failed.
    recovers: bool,
    /// There was no room, and there may be again.
    full: bool,
    bytes: u64,
    writes: Vec<(u64, Vec<u8>)>,
}

impl Shield {
    pub(crate) fn new(file: Arc<dyn StorageBackend>) -> (Self, Arc<Trouble>) {
        let trouble = Arc::<Trouble>::default();
        trouble.left(file.len().unwrap_or_default());
        let shield = Self {
            file,
            trouble: Arc::clone(&trouble),
            locks: true,
        };
        (shield, trouble)
    }

    /// A shield before a file that can only be read, and why: all writes are kept aside.
    pub(crate) fn read_only(
        file: Arc<dyn StorageBackend>,
        why: String,
    ) -> Result<(Self, Arc<Trouble>), StoreError> {
        let bytes = file
            .len()
            .map_err(|error| StoreError::Io(error.to_string()))?;
        let (mut shield, trouble) = Self::new(file);
        shield.locks = false;
        {
            let mut aside = trouble.lock();
            aside.error = Some(StoreError::ReadOnly(why));
            aside.bytes = bytes;
        }
        trouble.happened.store(true, Ordering::Release);
        Ok((shield, trouble))
    }
}

impl Trouble {
    /// The error for the write during which the file failed, if it has.
    pub(crate) fn error(&self) -> Option<StoreError> {
        if self.happened() {
            self.lock().error.clone()
        } else {
            self.refused.get().cloned()
        }
    }

    /// Stops writing although the file did not fail, as when the database cannot say what became of
    /// a commit. Returns the error to be told.
    pub(crate) fn stop(&self, error: StoreError) -> StoreError {
        self.refused.get_or_init(|| error).clone()
    }

    /// Whether opening the file again, when there is room, makes good what went wrong.
    pub(crate) fn recovers(&self) -> bool {
        self.happened() && self.refused.get().is_none() && self.lock().recovers
    }

    fn lock(&self) -> MutexGuard<'_, Aside> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn happened(&self) -> bool {
        self.happened.load(Ordering::Acquire)
    }

    /// What failed while the file was opened had nothing in it that anybody asked for: it is told as what
    /// it was, and opening the file again can make it good.
    pub(crate) fn while_opening(&self) {
        let mut aside = self.lock();
        aside.recovers = aside.full;
        if let Some(StoreError::Unknown(what)) = &aside.error {
            let what = what.clone();
            aside.error = Some(if aside.full {
                StoreError::Full(what)
            } else {
                StoreError::Io(what)
            });
        }
    }

    /// How long the file has to be, as long as nobody else writes to it.
    pub(crate) fn length(&self) -> u64 {
        self.length.load(Ordering::Acquire)
    }

    fn left(&self, bytes: u64) {
        self.length.store(bytes, Ordering::Release);
    }

    /// Begins a transaction: nothing of it is decided.
    pub(crate) fn begin(&self) {
        self.decided.store(false, Ordering::Release);
    }

    /// The file failed while it had `bytes`. What fails before the header is written has stored
    /// nothing; everything else only opening the file again can tell.
    fn happen(&self, error: &io::Error, bytes: u64) -> MutexGuard<'_, Aside> {
        let decided = self.decided.load(Ordering::Acquire);
        let mut aside = self.lock();
        if aside.error.is_none() {
            aside.bytes = bytes;
            // A limit on the size of files stays for as long as the process lives.
            aside.full = is_full(error) && error.kind() != io::ErrorKind::FileTooLarge;
            aside.recovers = !decided && aside.full;
            aside.error = Some(match (decided, is_full(error)) {
                (true, _) => StoreError::Unknown(error.to_string()),
                (false, true) => full(error),
                (false, false) => StoreError::Io(format!("{error}; nothing was stored")),
            });
        }
        self.happened.store(true, Ordering::Release);
        aside
    }
}

impl Aside {
    fn write(&mut self, offset: u64, data: &[u8]) {
        self.bytes = self.bytes.max(offset + data.len() as u64);
        // A page is written again and again; keeping its last state is enough.
        match self
            .writes
            .iter_mut()
            .find(|(at, kept)| *at == offset && kept.len() == data.len())
        {
            Some((_, kept)) => kept.copy_from_slice(data),
            None => self.writes.push((offset, data.to_vec())),
        }
    }

    /// Lays what was kept aside over what the file holds.
    fn overlay(&self, offset: u64, out: &mut [u8]) {
        let end = offset + out.len() as u64;
        for (at, data) in &self.writes {
            let (from, to) = (offset.max(*at), end.min(at + data.len() as u64));
            if from < to {
                let taken = &data[(from - at) as usize..(to - at) as usize];
                out[(from - offset) as usize..(to - offset) as usize].copy_from_slice(taken);
            }
        }
    }
}

impl Shield {
    /// Writes the header that was held back. False when the file fails, now or earlier.
    fn write_header(&self) -> Result<bool, io::Error> {
        if self.trouble.happened() {
            return Ok(false);
        }
        let held = std::mem::take(&mut self.trouble.lock().writes);
        if !held.is_empty() {
            self.trouble.decided.store(true, Ordering::Release);
        }
        for (offset, data) in &held {
            if let Err(error) = self.file.write(*offset, data) {
                let mut aside = self.trouble.happen(&error, self.file.len()?);
                held.iter()
                    .for_each(|(offset, data)| aside.write(*offset, data));
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl StorageBackend for Shield {
    fn len(&self) -> Result<u64, io::Error> {
        if self.trouble.happened() {
            Ok(self.trouble.lock().bytes)
        } else {
            self.file.len()
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        if offset >= HEADER_BYTES && !self.trouble.happened() {
            return self.file.read(offset, out);
        }
        let aside = self.trouble.lock();
        let held = self
            .file
            .len()?
            .saturating_sub(offset)
            .min(out.len() as u64) as usize;
        out[held..].fill(0);
        if held > 0 {
            self.file.read(offset, &mut out[..held])?;
        }
        aside.overlay(offset, out);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        if self.trouble.happened() {
            self.trouble.lock().bytes = len;
        } else if let Err(error) = self.file.set_len(len) {
            drop(self.trouble.happen(&error, len));
        } else {
            self.trouble.left(len);
        }
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        if self.write_header()?
            && let Err(error) = self.file.sync_data()
        {
            drop(self.trouble.happen(&error, self.file.len()?));
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        if offset < HEADER_BYTES || self.trouble.happened() {
            self.trouble.lock().write(offset, data);
        } else if let Err(error) = self.file.write(offset, data) {
            self.trouble
                .happen(&error, self.file.len()?)
                .write(offset, data);
        }
        Ok(())
    }

    fn close(&self) -> Result<(), io::Error> {
        self.write_header()?;
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.locks {
            self.file.try_lock_range(start, end)
        } else {
            Ok(true)
        }
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        if self.locks {
            self.file.try_lock_shared_range(start, end)
        } else {
            Ok(true)
        }
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.locks {
            self.file.unlock_range(start, end)
        } else {
            Ok(())
        }
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

impl fmt::Debug for Shield {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shield({:?})", self.file)
    }
}
