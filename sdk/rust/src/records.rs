//! Reading records.
//!
//! A read answers from the state before the commit under way (for a reaction: the state now); what
//! the commit itself changes is in the arguments. Fields that were not granted are absent. Every
//! function fails with `not-granted`, `unknown-kind`, `bad-id`, `bad-filter`, `host-call-limit` or
//! `output-limit`.

use crate::change::Record;
use crate::contract::{Failure, RecordRef};
use crate::host;
pub use crate::query::{Page, Query};

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

impl Query {
    /// Asks.
    ///
    /// # Errors
    /// See the module.
    pub fn run(self) -> Result<Page, Failure> {
        host::query(&self)
    }
}
