//! The kernel of one workspace: what it is made of, and reading from it.

use std::sync::Arc;

use kjerne_model::{Entry, Record, RecordId, Schema};
use kjerne_store::journal::{self, Span};
use kjerne_store::{Store, StoreError};

use crate::check::Referrers;
use crate::group_commit::Group;
use crate::ids::IdSource;
use crate::plugins::Plugins;
use crate::prepared::{Answer, Prepared};
use crate::rows_beside::Row;
use kjerne_query::Reader;
use kjerne_query::{Page, Query, QueryError};

/// The kernel of one workspace. It is shared between threads; its calls block the thread they are
/// made from.
pub struct Kernel {
    store: Arc<dyn Store>,
    schema: Arc<Schema>,
    plugins: Arc<dyn Plugins>,
    referrers: Referrers,
    ids: IdSource,
    group: Group,
}

impl Kernel {
    /// Takes a store, the kinds it holds and the plugins to ask. The same `seed` makes the same
    /// record ids at the same times; a server takes a random one.
    ///
    /// There is nothing to recover: what a crash left behind is a state between two commits, and
    /// everything that goes on from there has its place stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(
        store: Arc<dyn Store>,
        schema: Arc<Schema>,
        plugins: Arc<dyn Plugins>,
        seed: u128,
    ) -> Result<Self, StoreError> {
        journal::last(&*store.snapshot()?)?;
        let referrers = Referrers::of(&schema);
        let (ids, group) = (IdSource::new(seed), Group::default());
        Ok(Self {
            store,
            schema,
            plugins,
            referrers,
            ids,
            group,
        })
    }

    /// The kinds of the workspace.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The store beneath. Records are changed through [`Kernel::commit`] alone.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The plugins it asks.
    #[must_use]
    pub fn plugins(&self) -> &Arc<dyn Plugins> {
        &self.plugins
    }

    /// A reader of the state as of now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Ok(Reader::plain(
            self.store.snapshot()?,
            Arc::clone(&self.schema),
        ))
    }

    /// A reader that remembers what is read, for what is to be stored on the strength of it.
    pub(crate) fn remembering(&self) -> Result<Arc<Reader>, StoreError> {
        Reader::remembering(self.store.snapshot()?, Arc::clone(&self.schema)).map(Arc::new)
    }

    /// The number of the last journal entry; 0 when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_entry(&self) -> Result<u64, StoreError> {
        journal::last(&*self.store.snapshot()?)
    }

    /// The record, or none when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn get(&self, kind: &str, id: RecordId) -> Result<Option<Record>, StoreError> {
        self.reader()?.get(kind, id)
    }

    /// One page of the records that meet a query.
    ///
    /// # Errors
    /// When the query is wrong, or the store cannot be read.
    pub fn query(&self, query: &Query) -> Result<Page, QueryError> {
        self.reader()?.query(query)
    }

    /// The journal entries after number `after`: a page of [`Reader::journal`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn journal(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(self.reader()?.journal(after, limit)?.entries)
    }

    /// The journal entries after number `after` that changed a record: a page of
    /// [`Reader::history`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn history(
        &self,
        kind: &str,
        id: RecordId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        Ok(self
            .reader()?
            .history(kind, id, Span::after(after), limit)?
            .entries)
    }

    /// Stores rows that belong to no commit, in the same queue as commits.
    pub(crate) fn store_rows(
        &self,
        rows: Vec<Row>,
        depends: Option<Arc<Reader>>,
    ) -> Result<Answer, StoreError> {
        let prepared = Prepared::rows(rows, depends);
        self.group.submit(&*self.store, prepared)
    }

    pub(crate) fn referrers(&self) -> &Referrers {
        &self.referrers
    }

    pub(crate) fn ids(&self) -> &IdSource {
        &self.ids
    }

    pub(crate) fn group(&self) -> &Group {
        &self.group
    }
}
