//! The durable store: one redb file per workspace, one table per space.

mod errors;

use std::cell::OnceCell;
use std::fs::{self, File, OpenOptions};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use ::redb::backends::FileBackend;
use ::redb::{
    Builder, CommitError, Database, DatabaseError, ReadOnlyTable, ReadTransaction,
    ReadableDatabase, ReadableTable, StorageBackend, Table, TableDefinition, TableError,
    WriteTransaction,
};

use self::errors::{begin, io_at, read_only, storage, table};
use crate::error::StoreError;
use crate::holder::{Holder, beside};
use crate::meta;
use crate::shield::{Shield, Trouble};
use crate::space::Space;
use crate::store::{Range, Read, Snapshot, Store, Visit, Write};

/// Room for pages in memory. A commit touches a few dozen, and the operating system caches the rest.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// How an opener that says nothing else is named to others.
const SOMEBODY: &str = "kjerne";

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type FrozenTable = ReadOnlyTable<&'static [u8], &'static [u8]>;
type OpenTable<'a> = Table<'a, &'static [u8], &'static [u8]>;

/// A workspace in a file.
pub struct RedbStore {
    /// The state as of the last write that succeeded; outlives a failing disk.
    current: RwLock<Snapshot>,
    writer: Mutex<()>,
    database: Database,
    trouble: Arc<Trouble>,
    _holder: Option<Holder>,
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
        let mut store = Self::over(file_backend(file)?, false)?;
        fs::rename(&unfinished, path)
            .and_then(|()| sync_folder(path))
            .map_err(|error| io_at(path, &error))?;
        store._holder = Some(holder);
        Ok(store)
    }

    /// Opens the workspace in a file.
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
        Self::over(backend, false)
    }

    fn open_file(path: &Path, who: &str, check: bool) -> Result<Self, StoreError> {
        let shown = path.display();
        if !path.exists() {
            return Err(StoreError::Missing(format!(
                "there is no workspace at {shown}"
            )));
        }
        let holder = Holder::take(path, who)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| io_at(path, &error))?;
        let bytes = file.metadata().map_err(|error| io_at(path, &error))?.len();
        if bytes == 0 {
            return Err(StoreError::Corrupt(format!("{shown} is empty")));
        }
        let mut store = Self::over(file_backend(file)?, check).map_err(|error| match error {
            StoreError::Corrupt(what) => StoreError::Corrupt(format!("{shown}: {what}")),
            StoreError::Io(what) => StoreError::Io(format!("{shown}: {what}")),
            other => other,
        })?;
        store._holder = Some(holder);
        Ok(store)
    }

    fn over(backend: impl StorageBackend, check: bool) -> Result<Self, StoreError> {
        let (shield, trouble) = Shield::new(backend);
        let empty = shield
            .len()
            .map_err(|error| StoreError::Io(error.to_string()))?
            == 0;
        // redb checks what it reads, and yet panics on some damage; either means the same here.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let database = open_database(shield, check)?;
            if empty {
                lay_out(&database)?;
            }
            let snapshot = begin_read(&database)?;
            meta::check_format(&*snapshot)?;
            Ok((database, snapshot))
        }));
        let (database, current) = opened.unwrap_or_else(|_| {
            Err(StoreError::Corrupt(
                "its pages contradict each other".to_owned(),
            ))
        })?;
        if let Some(error) = trouble.error() {
            return Err(error);
        }
        Ok(Self {
            current: RwLock::new(current),
            writer: Mutex::default(),
            database,
            trouble,
            _holder: None,
        })
    }

    /// Makes a transaction durable and shows it to readers.
    fn commit(&self, transaction: WriteTransaction) -> Result<(), StoreError> {
        let done = transaction
            .commit()
            .map_err(|error| StoreError::Io(error.to_string()))
            .and_then(|()| begin_read(&self.database));
        if let Some(error) = self.trouble.error() {
            return Err(error);
        }
        let snapshot = done.map_err(|error| self.trouble.stop(&error))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
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
        // A panic in an earlier `work` ended its transaction without a trace.
        let _alone = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = self.trouble.error() {
            return Err(read_only(&error));
        }
        self.trouble.begin();
        let transaction = self.database.begin_write().map_err(begin)?;
        work(&mut Tables::of(&transaction))?;
        // A page that did not fit in memory may have failed already: nothing is committed then.
        if let Some(error) = self.trouble.error() {
            return Err(error);
        }
        self.commit(transaction)
    }
}

fn definition(space: Space) -> Definition {
    TableDefinition::new(space.name())
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
    for space in Space::ALL {
        transaction.open_table(definition(space)).map_err(table)?;
    }
    Tables::of(&transaction).put(Space::Meta, meta::FORMAT_KEY, &meta::format_bytes())?;
    transaction.commit().map_err(|error| match error {
        CommitError::Storage(error) => storage(error),
        other => StoreError::Io(other.to_string()),
    })
}

fn begin_read(database: &Database) -> Result<Snapshot, StoreError> {
    let transaction = database.begin_read().map_err(begin)?;
    Ok(Arc::new(Frozen {
        transaction,
        tables: Default::default(),
    }))
}

/// A read transaction, with the tables read so far.
struct Frozen {
    transaction: ReadTransaction,
    tables: [OnceLock<Option<FrozenTable>>; Space::ALL.len()],
}

impl Frozen {
    /// The table of a space; none when the file is older than the space.
    fn table(&self, space: Space) -> Result<Option<&FrozenTable>, StoreError> {
        let cell = &self.tables[space as usize];
        if let Some(open) = cell.get() {
            return Ok(open.as_ref());
        }
        let open = match self.transaction.open_table(definition(space)) {
            Ok(open) => Some(open),
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(table(error)),
        };
        Ok(cell.get_or_init(|| open).as_ref())
    }
}

impl Read for Frozen {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.table(space)?.map_or(Ok(None), |table| get(table, key))
    }

    fn scan(&self, space: Space, range: Range<'_>, visit: Visit<'_>) -> Result<(), StoreError> {
        self.table(space)?
            .map_or(Ok(()), |table| scan(table, range, visit))
    }
}

/// A write transaction, with the tables used so far.
struct Tables<'a> {
    transaction: &'a WriteTransaction,
    open: [OnceCell<OpenTable<'a>>; Space::ALL.len()],
}

impl<'a> Tables<'a> {
    fn of(transaction: &'a WriteTransaction) -> Self {
        Self {
            transaction,
            open: Default::default(),
        }
    }

    fn table(&self, space: Space) -> Result<&OpenTable<'a>, StoreError> {
        let cell = &self.open[space as usize];
        if cell.get().is_none() {
            let open = self
                .transaction
                .open_table(definition(space))
                .map_err(table)?;
            return Ok(cell.get_or_init(|| open));
        }
        cell.get()
            .ok_or_else(|| StoreError::Io(format!("space {} is not open", space.name())))
    }

    fn table_mut(&mut self, space: Space) -> Result<&mut OpenTable<'a>, StoreError> {
        self.table(space)?;
        let open = self.open[space as usize].get_mut();
        open.ok_or_else(|| StoreError::Io(format!("space {} is not open", space.name())))
    }
}

impl Read for Tables<'_> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(self.table(space)?, key)
    }

    fn scan(&self, space: Space, range: Range<'_>, visit: Visit<'_>) -> Result<(), StoreError> {
        scan(self.table(space)?, range, visit)
    }
}

impl Write for Tables<'_> {
    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.table_mut(space)?
            .insert(key, value)
            .map(drop)
            .map_err(storage)
    }

    fn remove(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError> {
        self.table_mut(space)?
            .remove(key)
            .map(drop)
            .map_err(storage)
    }
}

fn get(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    let found = table.get(key).map_err(storage)?;
    Ok(found.map(|value| value.value().to_vec()))
}

fn scan(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    range: Range<'_>,
    visit: Visit<'_>,
) -> Result<(), StoreError> {
    if range.to.is_some_and(|to| to <= range.from) {
        return Ok(());
    }
    let end = range.to.map_or(Bound::Unbounded, Bound::Excluded);
    let mut rows = table
        .range::<&[u8]>((Bound::Included(range.from), end))
        .map_err(storage)?;
    while let Some(row) = if range.backwards {
        rows.next_back()
    } else {
        rows.next()
    } {
        let (key, value) = row.map_err(storage)?;
        if visit(key.value(), value.value()).is_break() {
            break;
        }
    }
    Ok(())
}

fn file_backend(file: File) -> Result<FileBackend, StoreError> {
    FileBackend::new(file).map_err(|error| StoreError::Io(error.to_string()))
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
            File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}
