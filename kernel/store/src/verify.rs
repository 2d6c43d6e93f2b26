//! Checks that everything a workspace holds agrees with everything else.
//!
//! One pass over the records, one over the journal. Entries of an index are not looked up one by
//! one: when every entry that has to be there is there, and there are as many as have to be, then
//! there are no others; only when the numbers differ are the superfluous ones looked for.

mod check;
mod report;
mod rows;
mod surplus;

use std::hash::{DefaultHasher, Hash, Hasher};

use kjerne_model::{Edit, Fields, Kind, Record, Reference, Schema, Value, check_fields};

use self::check::{Check, HISTORY, INDEX, Told, UNIQUE};
pub use self::report::Report;
use crate::codec::{decode_entry, decode_record, encode_fields};
use crate::error::StoreError;
use crate::space::Space;
use crate::store::Read;
use crate::{index, journal, key, records};

/// Checks a workspace: every record can be read, is valid and refers to what is there; every entry of the index and of the
/// unique values is there, and no other; the journal has no gap, and its last word on each record is
/// the record; the history has a row for each edit, and no other; every other row can be read.
/// Memory grows with the number of records ever made, not with what they hold.
///
/// # Errors
/// When the store cannot be read at all. What is damaged in it is a fault of the report.
pub fn verify(read: &dyn Read, schema: &Schema) -> Result<Report, StoreError> {
    let mut check = Check::new(read, schema);
    check.journal()?;
    check.records()?;
    check.untold_records();
    check.counts()?;
    check.other_rows()?;
    Ok(check.report)
}

impl Check<'_> {
    fn journal(&mut self) -> Result<(), StoreError> {
        let mut last = 0;
        self.each(Space::Journal, |check, key, bytes| {
            let Some(number) = key::trailing_number(key).filter(|_| key.len() == 8) else {
                check
                    .report
                    .fault("a journal entry has a key that is no number".to_owned());
                return Ok(());
            };
            if number != last + 1 {
                let missing = format!("journal entries {} to {} are missing", last + 1, number - 1);
                check.report.fault(missing);
            }
            last = number;
            check.report.entries += 1;
            match decode_entry(number, bytes) {
                Ok(entry) => entry
                    .edits
                    .iter()
                    .try_for_each(|edit| check.edit(number, edit)),
                Err(damage) => check.fault(damage.in_(format_args!("journal entry {number}"))),
            }
        })?;
        match journal::last(self.read) {
            Ok(noted) if noted != last => self.report.fault(format!(
                "the journal ends with entry {last}, and the workspace has noted entry {noted}"
            )),
            Ok(_) => {}
            Err(error) => self.fault(error)?,
        }
        Ok(())
    }

    fn edit(&mut self, number: u64, edit: &Edit) -> Result<(), StoreError> {
        let subject = Reference::new(edit.kind.clone(), edit.id);
        let at = (edit.kind.clone(), edit.id);
        let earlier = self.told.get(&at);
        if earlier.and_then(|told| told.fields) != edit.before.as_ref().map(hash) {
            self.report.fault(format!(
                "journal entry {number} changes {subject} from a state it was not in"
            ));
        }
        if earlier.is_none_or(|told| told.entry != number) {
            self.expected[HISTORY] += 1;
            let row = journal::history_key(&edit.kind, edit.id).number(number);
            if !self.has(Space::History, row.bytes())? {
                let fault = format!("the history of {subject} lacks journal entry {number}");
                self.report.fault(fault);
            }
        }
        let fields = edit.after.as_ref().map(hash);
        self.told.insert(
            at,
            Told {
                version: edit.version,
                fields,
                entry: number,
            },
        );
        Ok(())
    }

    fn records(&mut self) -> Result<(), StoreError> {
        self.each(Space::Records, |check, key, bytes| {
            check.report.records += 1;
            let Some((kind, id)) = key::split_record(key) else {
                check
                    .report
                    .fault("a record has a key that is no kind and id".to_owned());
                return Ok(());
            };
            match decode_record(kind.clone(), id, bytes) {
                Ok(record) => check.record(&record),
                Err(damage) => {
                    check.fault(damage.in_(format_args!("record {kind}/{id}")))?;
                    check.told.remove(&(kind, id));
                    Ok(())
                }
            }
        })
    }

    fn record(&mut self, record: &Record) -> Result<(), StoreError> {
        let subject = record.reference();
        match self.told.remove(&(record.kind.clone(), record.id)) {
            None => self
                .report
                .fault(format!("the journal knows nothing of {subject}")),
            Some(told) if told.fields != Some(hash(&record.fields)) => {
                let entry = told.entry;
                let fault = format!("{subject} is not as journal entry {entry} left it");
                self.report.fault(fault);
            }
            Some(told) if told.version != record.version => self.report.fault(format!(
                "{subject} has version {}, and journal entry {} left version {}",
                record.version, told.entry, told.version
            )),
            Some(_) => {}
        }
        let Some(kind) = self.schema.kind(&record.kind).cloned() else {
            self.report
                .fault(format!("{subject} is of a kind that is not described"));
            return Ok(());
        };
        for refusal in check_fields(&kind, &record.fields) {
            self.report
                .fault(format!("{subject} is not valid: {}", refusal.message));
        }
        self.targets_of(record)?;
        self.entries_of(&kind, record)
    }

    /// Whatever the record refers to has to be there: a field that was taken out of the workspace's kinds
    /// and put back may refer to what was removed meanwhile.
    fn targets_of(&mut self, record: &Record) -> Result<(), StoreError> {
        for (name, value) in &record.fields {
            let Value::Reference(target) = value else {
                continue;
            };
            let row = key::record(&target.kind, target.id);
            if !self.has(Space::Records, row.bytes())? {
                let subject = record.reference();
                let fault = format!("{name} of {subject} refers to {target}, which does not exist");
                self.report.fault(fault);
            }
        }
        Ok(())
    }

    fn entries_of(&mut self, kind: &Kind, record: &Record) -> Result<(), StoreError> {
        let subject = record.reference();
        for field in kind.fields.iter().filter(|field| field.is_indexed()) {
            let Some(value) = record.get(&field.name) else {
                continue;
            };
            for key in key::index_keys(kind, field, value, record.id) {
                self.expected[INDEX] += 1;
                if !self.has(Space::Index, &key)? {
                    let fault = format!("the index on {} lacks {subject}", field.name);
                    self.report.fault(fault);
                }
            }
            if records::unique_key(kind, field, value).is_none() {
                continue;
            }
            self.expected[UNIQUE] += 1;
            match index::holder(self.read, &kind.name, field, value) {
                Ok(Some(holder)) if holder == record.id => {}
                Ok(Some(holder)) => self.report.fault(format!(
                    "{subject} and {}/{holder} both hold {} {value}",
                    kind.name, field.name
                )),
                Ok(None) => {
                    let fault = format!("the unique values of {} lack {subject}", field.name);
                    self.report.fault(fault);
                }
                Err(error) => self.fault(error)?,
            }
        }
        Ok(())
    }

    /// What the journal tells of records that are not there must be that they were removed.
    fn untold_records(&mut self) {
        let told = std::mem::take(&mut self.told);
        for ((kind, id), told) in told.iter().filter(|(_, told)| told.fields.is_some()) {
            let entry = told.entry;
            self.report.fault(format!(
                "{kind}/{id} is missing since journal entry {entry}"
            ));
        }
    }

    fn counts(&mut self) -> Result<(), StoreError> {
        self.report.index_entries = self.count(Space::Index)?;
        self.report.unique_entries = self.count(Space::Unique)?;
        self.report.history_rows = self.count(Space::History)?;
        if self.report.index_entries > self.expected[INDEX] {
            self.each(Space::Index, Self::superfluous_index)?;
        }
        if self.report.unique_entries > self.expected[UNIQUE] {
            self.each(Space::Unique, Self::superfluous_unique)?;
        }
        if self.report.history_rows > self.expected[HISTORY] {
            self.each(Space::History, Self::superfluous_history)?;
        }
        Ok(())
    }
}

fn hash(fields: &Fields) -> u64 {
    let mut hasher = DefaultHasher::new();
    encode_fields(fields).hash(&mut hasher);
    hasher.finish()
}
