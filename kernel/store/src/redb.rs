//! The durable store: one redb file per workspace, one table per space.

mod errors;
mod tables;

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use ::redb::{Builder, CommitError, Database, DatabaseError, StorageBackend, WriteTransaction};

use self::errors::{begin, closed, read_only, storage};
use self::tables::{Frozen, Tables, make_all};
use crate::data_file::{DataFile, Place, beside, io_at};
use crate::error::StoreError;
use crate::guarded::{guarded, guarded_drop};
use crate::holder::Holder;
use crate::meta;
use crate::shield::{Shield, Trouble};
use crate::space::Space;
use crate::store::{Snapshot, Store, Write};

/// Room for pages in memory. A commit touches a few dozen, and the operating system caches the rest.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// How an opener that says nothing else is named to others.
const SOMEBODY: &str = "kjerne";

/// Opens a storage again after its disk was full, or says that it still is.
type Again = Box<dyn Fn() -> Result<Arc<dyn StorageBackend>, StoreError> + Send + Sync>;

/// A workspace in a file.
pub struct RedbStore {
    /// The state as of the last write that succeeded; outlives a failing disk.
    current: RwLock<Snapshot>,
    /// The database, for the one who writes.
    engine: Mutex<Engine>,
    /// What has failed, for those who only ask.
    trouble: RwLock<Arc<Trouble>>,
    /// Held once by the store, and once by each snapshot of it.
    held: Arc<()>,
    /// Where the file must still be; none for a storage that is no file.
    place: Option<Place>,
    again: Option<Again>,
    _holder: Option<Holder>,
}

/// An open database over an open storage.
struct Engine {
    /// There until the end.
    database: Option<Database>,
    trouble: Arc<Trouble>,
    /// The storage, whose locks have to go before it can be opened again.
    storage: Arc<dyn StorageBackend>,
}

impl RedbStore {
    /// Makes a workspace in a new file. It appears under its name only when it is whole.
    ///
    /// # Errors
    /// When there is a file already or it cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::create_described(path, SOMEBODY)
    }

    /// [`RedbStore::create`], in the name of `who`: `kjerne init`.
    ///
    /// # Errors
    /// When there is a file already or it cannot be written.
    pub fn create_described(path: impl AsRef<Path>, who: &str) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let holder = Holder::take(path, who)?;
        if path.exists() {
            let shown = path.display();
            return Err(StoreError::Exists(format!(
                "there is a file at {shown} already"
            )));
        }
        let unfinished = beside(path, ".new");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&unfinished)
            .map_err(|error| io_at(&unfinished, &error))?;
        let file = DataFile::of(&unfinished, file, None)?;
        let mut store = Self::over(file.backend, None, false)?;
        fs::rename(&unfinished, path)
            .and_then(|()| sync_folder(path))
            .map_err(|error| io_at(path, &error))?;
        store.stand_at(file.place.renamed(path), holder);
        Ok(store)
    }

    /// Opens the workspace in a file. Where the system lets it be read and not written, such as on a
    /// read-only file system, reads go on and writes are refused.
    ///
    /// # Errors
    /// When there is none, somebody else has it open, it is damaged or of a newer format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_described(path, SOMEBODY)
    }

    /// [`RedbStore::open`], in the name of `who`: `kjerne serve`. Others who want to open it
    /// meanwhile are told that name.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open_described(path: impl AsRef<Path>, who: &str) -> Result<Self, StoreError> {
        Self::open_file(path.as_ref(), who, false)
    }

    /// [`RedbStore::open_described`], after checking the checksum of every page. Reads the whole
    /// file; it finds damage that a plain open would only meet later.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open_checked(path: impl AsRef<Path>, who: &str) -> Result<Self, StoreError> {
        Self::open_file(path.as_ref(), who, true)
    }

    /// Opens the workspace in another storage than a file, or makes one there when it is empty.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn with_backend(backend: impl StorageBackend) -> Result<Self, StoreError> {
        Self::over(Arc::new(backend), None, false)
    }

    /// The same with a way to open the storage again, after it had no room and says that it has.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn with_backends<B: StorageBackend>(
        open: impl Fn() -> Result<B, StoreError> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let mut store = Self::with_backend(open()?)?;
        store.again = Some(Box::new(move || Ok(Arc::new(open()?))));
        Ok(store)
    }

    fn open_file(path: &Path, who: &str, check: bool) -> Result<Self, StoreError> {
        let shown = path.display();
        if !path.exists() {
            return Err(StoreError::Missing(format!(
                "there is no {shown}, which holds the records of the workspace: look whether this is the \
                 right folder, or put the file back"
            )));
        }
        let holder = Holder::take(path, who)?;
        let file = DataFile::open(path)?;
        let bytes = file.backend.len().map_err(|error| io_at(path, &error))?;
        if bytes == 0 {
            return Err(StoreError::Corrupt(format!("{shown} is empty")));
        }
        let opened = Self::over(file.backend, file.read_only, check);
        let mut store = opened.map_err(|error| match error {
            StoreError::Corrupt(what) => StoreError::Corrupt(format!("{shown}: {what}")),
            StoreError::Io(what) => StoreError::Io(format!("{shown}: {what}")),
            other => other,
        })?;
        store.stand_at(file.place, holder);
        Ok(store)
    }

    fn over(
        storage: Arc<dyn StorageBackend>,
        read_only: Option<String>,
        check: bool,
    ) -> Result<Self, StoreError> {
        let held = Arc::default();
        let (engine, current) = Engine::open(storage, read_only, check, &held)?;
        Ok(Self {
            current: RwLock::new(current),
            trouble: RwLock::new(Arc::clone(&engine.trouble)),
            engine: Mutex::new(engine),
            held,
            place: None,
            again: None,
            _holder: None,
        })
    }

    fn stand_at(&mut self, place: Place, holder: Holder) {
        let there = place.clone();
        self.again = Some(Box::new(move || Ok(there.reopen()?.backend)));
        self.place = Some(place);
        self._holder = Some(holder);
    }

    fn trouble(&self) -> Arc<Trouble> {
        let trouble = self.trouble.read();
        Arc::clone(&trouble.unwrap_or_else(PoisonError::into_inner))
    }

    /// Why nothing can be written, if so. The length of the file can be looked at while nobody writes.
    fn refusal(&self, engine: Option<&Engine>) -> Result<(), StoreError> {
        if let Some(error) = self.trouble().error() {
            return Err(read_only(&error));
        }
        let there = self.still_there(engine);
        there.map_err(StoreError::ReadOnly)
    }

    fn still_there(&self, engine: Option<&Engine>) -> Result<(), String> {
        let length = engine.map(|engine| engine.trouble.length());
        let place = self.place.as_ref();
        place.map_or(Ok(()), |place| place.check(length))
    }

    /// Opens the file again after its disk was full, if there is room. What the failed write left
    /// in it is not part of any state, and may be written over as soon as nobody reads the state
    /// before: as long as somebody does, the store stays as it is.
    fn recover(&self, engine: &mut Engine) {
        let Some(again) = self.again.as_ref().filter(|_| engine.trouble.recovers()) else {
            return;
        };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // One is the store's, one the current snapshot's.
        if Arc::strong_count(&self.held) > 2 || Arc::strong_count(&current) > 1 {
            return;
        }
        // Nothing more reaches the file through the old database; its locks are in the new one's way.
        let reopened = again().and_then(|storage| {
            engine
                .storage
                .close()
                .map_err(|error| StoreError::Io(error.to_string()))?;
            Engine::open(storage, None, false, &self.held)
        });
        // When it does not work out, reads go on as before, and it is tried again.
        if let Ok((fresh, snapshot)) = reopened {
            *current = snapshot;
            let trouble = Arc::clone(&fresh.trouble);
            *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = trouble;
            *engine = fresh;
        }
    }

    /// Makes a transaction durable and shows it to readers.
    fn commit(&self, engine: &Engine, transaction: WriteTransaction) -> Result<(), StoreError> {
        let done = guarded(|| {
            transaction
                .commit()
                .map_err(|error| StoreError::Unknown(error.to_string()))
        });
        let done = done.and_then(|()| Frozen::begin(engine.database()?, &self.held));
        if let Some(error) = engine.trouble.error() {
            return Err(error);
        }
        let unknown = |what: String| engine.trouble.stop(StoreError::Unknown(what));
        let snapshot = done.map_err(|error| unknown(error.to_string()))?;
        self.still_there(Some(engine)).map_err(unknown)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        Ok(())
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        // A panic in an earlier `work` ended its transaction without a trace.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for RedbStore {
    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Arc::clone(
            &self.current.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut engine = self.engine();
        self.recover(&mut engine);
        self.refusal(Some(&engine))?;
        engine.trouble.begin();
        let transaction = guarded(|| engine.database()?.begin_write().map_err(begin))?;
        let worked = work(&mut Tables::of(&transaction));
        // A page that did not fit in memory may have failed already: nothing is committed then.
        let failed = engine.trouble.error().or(worked.err());
        if let Some(error) = failed {
            abort(&engine, transaction);
            return Err(error);
        }
        self.commit(&engine, transaction)
    }

    fn health(&self) -> Result<(), StoreError> {
        let mut engine = match self.engine.try_lock() {
            Ok(engine) => engine,
            Err(TryLockError::Poisoned(engine)) => engine.into_inner(),
            // Somebody writes, and sees for themselves.
            Err(TryLockError::WouldBlock) => return self.refusal(None),
        };
        self.recover(&mut engine);
        self.refusal(Some(&engine))
    }
}

/// Ends a transaction without a trace. When the database cannot even do that, its pages are damaged,
/// and nothing more is written to them.
fn abort(engine: &Engine, transaction: WriteTransaction) {
    if let Err(error) = guarded(|| transaction.abort().map_err(storage)) {
        engine.trouble.stop(error);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        guarded_drop(self.database.take());
    }
}

impl Engine {
    fn database(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or_else(closed)
    }

    fn open(
        storage: Arc<dyn StorageBackend>,
        read_only: Option<String>,
        check: bool,
        held: &Arc<()>,
    ) -> Result<(Self, Snapshot), StoreError> {
        let writes = read_only.is_none();
        let (shield, trouble) = match read_only {
            Some(why) => Shield::read_only(Arc::clone(&storage), why)?,
            None => Shield::new(Arc::clone(&storage)),
        };
        let empty = shield
            .len()
            .map_err(|error| StoreError::Io(error.to_string()))?
            == 0;
        let (database, current) = guarded(|| {
            let database = open_database(shield, check)?;
            if empty {
                lay_out(&database)?;
            }
            let snapshot = Frozen::begin(&database, held)?;
            let format = snapshot.stored(Space::Meta, meta::FORMAT_KEY)?;
            meta::check_format(format.as_deref())?;
            Ok((database, snapshot))
        })?;
        match trouble.error().filter(|_| writes) {
            Some(error) if empty => return Err(error),
            // As a crash left it, which can be read: what had to be mended is mended in memory.
            Some(_) => trouble.while_opening(),
            None => {}
        }
        let engine = Self {
            database: Some(database),
            trouble,
            storage,
        };
        Ok((engine, Arc::new(current)))
    }
}

fn open_database(backend: impl StorageBackend, check: bool) -> Result<Database, StoreError> {
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(check);
    builder
        .create_with_backend(backend)
        .map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                StoreError::Held {
                    by: "another process".to_owned(),
                }
            }
            DatabaseError::UpgradeRequired(version) => StoreError::Corrupt(format!(
                "it is a redb file of version {version}, which no kjerne has written"
            )),
            DatabaseError::Storage(error) => storage(error),
            other => StoreError::Corrupt(other.to_string()),
        })
}

/// Makes every table and writes the format into a new database.
fn lay_out(database: &Database) -> Result<(), StoreError> {
    let transaction = database.begin_write().map_err(begin)?;
    make_all(&transaction)?;
    Tables::of(&transaction).put(Space::Meta, meta::FORMAT_KEY, &meta::format_bytes())?;
    transaction.commit().map_err(|error| match error {
        CommitError::Storage(error) => storage(error),
        other => StoreError::Io(other.to_string()),
    })
}

/// Makes a new name in a folder durable.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            fs::File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs::File;

    /// As on a read-only file system: the file can be opened to be read, and no more. The second one
    /// was not closed, so that opening it has something to mend, which is mended in memory.
    #[test]
    fn a_file_that_cannot_be_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let (closed, cut) = (folder.path().join("closed"), folder.path().join("cut"));
        let store = RedbStore::create(&closed).unwrap();
        store
            .write(&mut |write| meta::put(write, "a", b"1"))
            .unwrap();
        fs::copy(&closed, &cut).unwrap();
        drop(store);
        for path in [closed, cut] {
            let before = fs::read(&path).unwrap();
            let why = Some("a read-only file system".to_owned());
            let file = DataFile::of(&path, File::open(&path).unwrap(), why).unwrap();
            let store = RedbStore::over(file.backend, file.read_only, false).unwrap();
            let snapshot = store.snapshot().unwrap();
            assert_eq!(meta::get(&*snapshot, "a").unwrap().unwrap(), b"1");
            let refused = store.write(&mut |write| meta::put(write, "a", b"2"));
            let told = refused.unwrap_err().to_string();
            assert_eq!(
                told,
                "writes are refused: a read-only file system; reads go on"
            );
            assert_eq!(store.health().unwrap_err().to_string(), told);
            drop((snapshot, store));
            assert_eq!(fs::read(&path).unwrap(), before, "the file is as it was");
        }
    }
}
