//! Entries that are there for nothing; looked for only when their number says there are any.

use std::sync::Arc;

use kjerne_model::{Kind, Record, RecordId};

use super::check::{Check, names};
use crate::error::StoreError;
use crate::{journal, key, records};

impl Check<'_> {
    pub(super) fn superfluous_index(&mut self, key: &[u8], _: &[u8]) -> Result<(), StoreError> {
        let found = key::trailing_id(key).and_then(|id| Some((names(key)?, id)));
        let Some(((kind, field), id)) = found else {
            self.report
                .fault("the index has a key that cannot be read".to_owned());
            return Ok(());
        };
        let expected = self
            .field_of(&kind, &field, id)?
            .is_some_and(|(kind, record)| {
                let of = kind.field(&field).filter(|of| of.is_indexed());
                let keys = of.zip(record.get(&field));
                keys.is_some_and(|(of, value)| {
                    key::index_keys(&kind, of, value, id)
                        .iter()
                        .any(|expected| expected == key)
                })
            });
        if !expected {
            self.report
                .fault(format!("the index on {field} has {kind}/{id} for nothing"));
        }
        Ok(())
    }

    pub(super) fn superfluous_unique(
        &mut self,
        key: &[u8],
        holder: &[u8],
    ) -> Result<(), StoreError> {
        let found = key::trailing_id(holder).and_then(|id| Some((names(key)?, id)));
        let Some(((kind, field), id)) = found else {
            self.report
                .fault("a unique value has a row that cannot be read".to_owned());
            return Ok(());
        };
        let expected = self
            .field_of(&kind, &field, id)?
            .is_some_and(|(kind, record)| {
                let of = kind.field(&field).zip(record.get(&field));
                of.is_some_and(|(of, value)| {
                    records::unique_key(&kind, of, value).is_some_and(|expected| expected == key)
                })
            });
        if !expected {
            let fault = format!("the unique values of {field} have {kind}/{id} for nothing");
            self.report.fault(fault);
        }
        Ok(())
    }

    pub(super) fn superfluous_history(&mut self, key: &[u8], _: &[u8]) -> Result<(), StoreError> {
        let number = key::trailing_number(key);
        let subject = key
            .len()
            .checked_sub(8)
            .and_then(|end| key::split_record(&key[..end]));
        let Some((number, (kind, id))) = number.zip(subject) else {
            self.report
                .fault("the history has a key that cannot be read".to_owned());
            return Ok(());
        };
        let entry = journal::get(self.read, number).unwrap_or(None);
        let edits = entry.map(|entry| entry.edits).unwrap_or_default();
        if !edits.iter().any(|edit| edit.id == id && edit.kind == kind) {
            let fault =
                format!("the history of {kind}/{id} has journal entry {number} for nothing");
            self.report.fault(fault);
        }
        Ok(())
    }

    /// The kind and the record an index entry speaks of, when it can be read and has the field.
    fn field_of(
        &self,
        kind: &str,
        field: &str,
        id: RecordId,
    ) -> Result<Option<(Arc<Kind>, Record)>, StoreError> {
        let Some(kind) = self
            .schema
            .kind(kind)
            .filter(|kind| kind.field(field).is_some())
        else {
            return Ok(None);
        };
        match records::get(self.read, &kind.name, id) {
            Ok(record) => Ok(record.map(|record| (kind.clone(), record))),
            Err(StoreError::Corrupt(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
