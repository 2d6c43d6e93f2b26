//! The check under way: what it has read, and what it has found.

use std::collections::HashMap;
use std::ops::ControlFlow;

use kjerne_model::{Name, RecordId, Schema};

use super::report::Report;
use crate::error::StoreError;
use crate::key;
use crate::space::Space;
use crate::store::Read;

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

    pub(super) fn count(&mut self, space: Space) -> Result<u64, StoreError> {
        let (mut count, mut damaged) = (0, Vec::new());
        let ended = self.read.scan_damaged(space, &mut |_, value| {
            count += 1;
            damaged.extend(value.err());
            ControlFlow::Continue(())
        });
        let all = damaged.into_iter().chain(ended.err());
        all.into_iter().try_for_each(|error| self.fault(error))?;
        Ok(count)
    }

    /// Whether there is such a row; one that is damaged is there, and told where rows are counted.
    pub(super) fn has(&self, space: Space, key: &[u8]) -> Result<bool, StoreError> {
        match self.read.get(space, key) {
            Ok(value) => Ok(value.is_some()),
            Err(StoreError::Corrupt(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Visits every row of a space that can be read; the others are faults. `visit` fails only when
    /// the store cannot be read.
    pub(super) fn each(
        &mut self,
        space: Space,
        mut visit: impl FnMut(&mut Self, &[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (read, mut failed) = (self.read, Ok(()));
        let ended = read.scan_damaged(space, &mut |key, value| {
            let seen = match value {
                Ok(value) => visit(self, key, value),
                Err(damage) => self.damaged(space, key, damage),
            };
            match seen {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Err(error);
                    ControlFlow::Break(())
                }
            }
        });
        failed?;
        ended.or_else(|error| self.fault(error))
    }

    /// A row whose check does not hold. A record that is there, and damaged, is not missing.
    fn damaged(&mut self, space: Space, key: &[u8], damage: StoreError) -> Result<(), StoreError> {
        if let Some(record) = key::split_record(key).filter(|_| space == Space::Records) {
            self.told.remove(&record);
        }
        self.fault(damage)
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
