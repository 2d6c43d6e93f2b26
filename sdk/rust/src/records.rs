//! Reading records.
//!
//! A read answers from the state before the commit under way (for a reaction: the state now); what
//! the commit itself changes is in the arguments. Fields that were not granted are absent. Every
//! function fails with `not-granted`, `unknown-kind`, `bad-id`, `bad-filter`, `host-call-limit` or
//! `output-limit`.

use crate::{Failure, Record, RecordRef, host};

/// The record, or nothing when there is none.
///
/// # Errors
/// See the module.
pub fn get(target: &RecordRef) -> Result<Option<Record>, Failure> {
    host::record(target)
}

/// The records of `kind` whose reference field `field` points to `target`, in the order they were
/// created, at most `limit` (1 to 200).
///
/// # Errors
/// See the module.
pub fn related(
    target: &RecordRef,
    kind: &str,
    field: &str,
    limit: u32,
) -> Result<Vec<Record>, Failure> {
    host::related(target, kind, field, limit)
}

/// A query for all records of a kind, in the order they were created.
#[must_use]
pub fn query(kind: &str) -> Query {
    Query {
        kind: kind.to_owned(),
        filter: None,
        limit: None,
        after: None,
    }
}

/// A query under preparation.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) kind: String,
    pub(crate) filter: Option<String>,
    pub(crate) limit: Option<u32>,
    pub(crate) after: Option<String>,
}

/// One answer to a [`Query`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// The cursor to go on with, if there is more.
    pub next: Option<String>,
}

impl Query {
    /// Only records that meet this condition, in OData `$filter` grammar.
    #[must_use]
    pub fn filter(mut self, condition: impl Into<String>) -> Self {
        self.filter = Some(condition.into());
        self
    }

    /// At most so many in one answer (1 to 200; 50 unless said).
    #[must_use]
    pub fn limit(mut self, count: u32) -> Self {
        self.limit = Some(count);
        self
    }

    /// Goes on after the answer that ended with this cursor.
    #[must_use]
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.after = Some(cursor.into());
        self
    }

    /// Asks.
    ///
    /// # Errors
    /// See the module.
    pub fn run(self) -> Result<Page, Failure> {
        host::query(&self)
    }
}
