//! The check under way: what it has read, and what it has found.

use std::collections::HashMap;
use std::ops::ControlFlow;

use kjerne_model::{Name, RecordId, Schema};

use super::report::Report;
use crate::error::StoreError;
use crate::scan::Step;
use crate::space::Space;
use crate::store::{Range, Read};
use crate::{key, scan};

/// What the journal last told of a record.
pub(super) struct Told {
    pub(super) version: u64,
    /// A hash of the fields; none when the record was removed.
    pub(super) fields: Option<u64>,
    /// The entry that told it, so that two edits in one entry make one history row.
    pub(super) entry: u64,
}

pub(super) struct Check<'a> {
    pub(super) read: &'a dyn Read,
    pub(super) schema: &'a Schema,
    pub(super) report: Report,
    pub(super) told: HashMap<(Name, RecordId), Told>,
    /// Entries there have to be: in the index, among unique values, in the history.
    pub(super) expected: [u64; 3],
}

pub(super) const INDEX: usize = 0;
pub(super) const UNIQUE: usize = 1;
pub(super) const HISTORY: usize = 2;

impl<'a> Check<'a> {
    pub(super) fn new(read: &'a dyn Read, schema: &'a Schema) -> Self {
        Self {
            read,
            schema,
            report: Report::default(),
            told: HashMap::new(),
            expected: [0; 3],
        }
    }

    pub(super) fn count(&self, space: Space) -> Result<u64, StoreError> {
        let mut count = 0;
        self.read.scan(space, Range::all(), &mut |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    /// Visits every row of a space. `visit` fails only when the store cannot be read.
    pub(super) fn each(
        &mut self,
        space: Space,
        mut visit: impl FnMut(&mut Self, &[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let read = self.read;
        scan::range(read, space, Range::all(), &mut |key, value| -> Step {
            visit(self, key, value).map(ControlFlow::Continue)
        })
    }

    /// Takes damage as a fault; any other error ends the check.
    pub(super) fn fault(&mut self, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Corrupt(what) => {
                self.report.fault(what);
                Ok(())
            }
            other => Err(other),
        }
    }
}

/// The kind and field an index key begins with.
pub(super) fn names(key: &[u8]) -> Option<(String, String)> {
    let (kind, rest) = key::split_text(key)?;
    Some((kind, key::split_text(rest)?.0))
}
