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

/// The most records one call of [`related`] answers with.
pub const MOST_RELATED: u32 = 200;

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
/// See the module; and `bad-limit` for a number that the host would not keep to: whoever needs more
/// goes through a query page by page.
pub fn related(
    target: &RecordRef,
    kind: &str,
    field: &str,
    limit: u32,
) -> Result<Vec<Record>, Failure> {
    if !(1..=MOST_RELATED).contains(&limit) {
        let message = format!(
            "related answers with 1 to {MOST_RELATED} records, not {limit}; use a query and its cursor for more"
        );
        return Err(Failure::new("bad-limit", message));
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::World;

    #[test]
    fn a_number_that_would_be_cut_is_refused() {
        let acme = RecordRef::new("account", "acme");
        World::new().enter(|| {
            for (limit, fits) in [
                (0, false),
                (1, true),
                (200, true),
                (201, false),
                (500, false),
            ] {
                let answer = related(&acme, "contact", "account", limit);
                assert_eq!(answer.is_ok(), fits, "{limit}");
                assert!(
                    answer
                        .err()
                        .is_none_or(|failure| failure.code == "bad-limit")
                );
            }
        });
    }
}
