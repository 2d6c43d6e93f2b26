//! The journal: every commit, in order, for ever; and which commits changed a record.

use std::ops::ControlFlow;

use kjerne_model::{Entry, RecordId};

use crate::codec::{decode_entry, encode_entry};
use crate::error::StoreError;
use crate::key::{self, Key};
use crate::space::Space;
use crate::store::{Read, Write};
use crate::{meta, scan};

const LAST: &str = "journal-last";

/// The number of the last entry; 0 when there is none.
///
/// # Errors
/// When the store cannot be read.
pub fn last(read: &dyn Read) -> Result<u64, StoreError> {
    meta::counter(read, LAST)
}

/// The entry with that number.
///
/// # Errors
/// When the store cannot be read or the entry is damaged.
pub fn get(read: &dyn Read, number: u64) -> Result<Option<Entry>, StoreError> {
    match read.get(Space::Journal, Key::new().number(number).bytes())? {
        Some(bytes) => decode(number, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Adds the next entry, and a row to the history of each record it changed.
///
/// # Errors
/// When the store cannot be written, or the entry's number is not the one after the last.
pub fn append(write: &mut dyn Write, entry: &Entry) -> Result<(), StoreError> {
    let last = last(write)?;
    if entry.number != last + 1 {
        let found = entry.number;
        return Err(StoreError::Corrupt(format!(
            "journal entry {found} cannot follow entry {last}"
        )));
    }
    write.put(
        Space::Journal,
        Key::new().number(entry.number).bytes(),
        &encode_entry(entry),
    )?;
    for edit in &entry.edits {
        let row = history_key(&edit.kind, edit.id).number(entry.number);
        write.put(Space::History, row.bytes(), &[])?;
    }
    meta::set_counter(write, LAST, entry.number)
}

/// Shows `visit` the entries after number `after`, in order, until it breaks.
///
/// # Errors
/// When the store cannot be read or an entry is damaged.
pub fn scan(
    read: &dyn Read,
    after: u64,
    visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let after = Some(Key::new().number(after));
    scan::prefix(
        read,
        Space::Journal,
        &Key::new(),
        after,
        &mut |key, bytes| {
            let number = number_of(key)?;
            Ok(visit(decode(number, bytes)?))
        },
    )
}

/// Shows `visit` the numbers of the entries that changed a record, in order, until it breaks.
///
/// # Errors
/// When the store cannot be read.
pub fn history(
    read: &dyn Read,
    kind: &str,
    id: RecordId,
    visit: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let prefix = history_key(kind, id);
    scan::prefix(read, Space::History, &prefix, None, &mut |key, _| {
        Ok(visit(number_of(key)?))
    })
}

pub(crate) fn history_key(kind: &str, id: RecordId) -> Key {
    key::record(kind, id)
}

fn number_of(key: &[u8]) -> Result<u64, StoreError> {
    key::trailing_number(key)
        .ok_or_else(|| StoreError::Corrupt("a journal key has no number".to_owned()))
}

fn decode(number: u64, bytes: &[u8]) -> Result<Entry, StoreError> {
    let what = format_args!("journal entry {number}");
    decode_entry(number, bytes).map_err(|damage| damage.in_(what))
}
