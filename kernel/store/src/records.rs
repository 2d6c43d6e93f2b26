//! Records, and the index entries that follow from them.

use std::ops::ControlFlow;

use kjerne_model::{Field, Kind, Record, RecordId, Value};

use crate::codec::{decode_record, encode_record};
use crate::error::StoreError;
use crate::key::{self, Key};
use crate::names::shared_name;
use crate::scan;
use crate::space::Space;
use crate::store::{Read, Write};

/// The record of that kind and id.
///
/// # Errors
/// When the store cannot be read or the record is damaged.
pub fn get(read: &dyn Read, kind: &str, id: RecordId) -> Result<Option<Record>, StoreError> {
    match read.get(Space::Records, key::record(kind, id).bytes())? {
        Some(bytes) => decode(kind, id, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Stores a record that is not there yet, with its index entries.
///
/// # Errors
/// When the store cannot be written, the record is there already, or another record holds the value
/// of a unique field; the caller has looked before, so either means that the store is damaged.
pub fn insert(write: &mut dyn Write, kind: &Kind, record: &Record) -> Result<(), StoreError> {
    let at = key::record(&record.kind, record.id);
    if write.get(Space::Records, at.bytes())?.is_some() {
        return Err(StoreError::Corrupt(format!(
            "{} is stored already",
            record.reference()
        )));
    }
    for field in indexed(kind) {
        if let Some(value) = record.get(&field.name) {
            add(write, kind, field, value, record.id)?;
        }
    }
    write.put(Space::Records, at.bytes(), &encode_record(record))
}

/// Stores a record over its earlier state, and brings its index entries up to date.
///
/// # Errors
/// As [`insert`].
pub fn update(
    write: &mut dyn Write,
    kind: &Kind,
    before: &Record,
    after: &Record,
) -> Result<(), StoreError> {
    if (&before.kind, before.id) != (&after.kind, after.id) {
        let (from, to) = (before.reference(), after.reference());
        return Err(StoreError::Corrupt(format!("{from} cannot become {to}")));
    }
    for field in indexed(kind) {
        let (old, new) = (before.get(&field.name), after.get(&field.name));
        if old == new {
            continue;
        }
        if let Some(old) = old {
            drop_entries(write, kind, field, old, before.id)?;
        }
        if let Some(new) = new {
            add(write, kind, field, new, after.id)?;
        }
    }
    write.put(
        Space::Records,
        key::record(&after.kind, after.id).bytes(),
        &encode_record(after),
    )
}

/// Removes a record and its index entries. `record` is its stored state.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(write: &mut dyn Write, kind: &Kind, record: &Record) -> Result<(), StoreError> {
    for field in indexed(kind) {
        if let Some(value) = record.get(&field.name) {
            drop_entries(write, kind, field, value, record.id)?;
        }
    }
    write.remove(Space::Records, key::record(&record.kind, record.id).bytes())
}

/// Shows `visit` the records of a kind by id, from the one after `after` on, until it breaks.
///
/// # Errors
/// When the store cannot be read or a record is damaged.
pub fn scan(
    read: &dyn Read,
    kind: &str,
    after: Option<RecordId>,
    visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let after = after.map(|id| key::record(kind, id));
    scan::prefix(
        read,
        Space::Records,
        &Key::new().text(kind),
        after,
        &mut |key, bytes| {
            let id = key::trailing_id(key)
                .ok_or_else(|| StoreError::Corrupt(format!("a key of kind {kind} has no id")))?;
            Ok(visit(decode(kind, id, bytes)?))
        },
    )
}

fn decode(kind: &str, id: RecordId, bytes: &[u8]) -> Result<Record, StoreError> {
    let name = shared_name(kind)
        .ok_or_else(|| StoreError::Corrupt(format!("{kind:?} is not the name of a kind")))?;
    decode_record(name, id, bytes).map_err(|damage| damage.in_(format_args!("record {kind}/{id}")))
}

fn indexed(kind: &Kind) -> impl Iterator<Item = &Field> {
    kind.fields.iter().filter(|field| field.is_indexed())
}

fn add(
    write: &mut dyn Write,
    kind: &Kind,
    field: &Field,
    value: &Value,
    id: RecordId,
) -> Result<(), StoreError> {
    for key in key::index_keys(kind, field, value, id) {
        write.put(Space::Index, &key, &[])?;
    }
    let Some(key) = unique_key(kind, field, value) else {
        return Ok(());
    };
    match write.get(Space::Unique, &key)? {
        Some(holder) if holder != id.as_bytes() => Err(StoreError::Corrupt(format!(
            "{}/{id} cannot have {} {value:?}, which another record holds",
            kind.name, field.name
        ))),
        _ => write.put(Space::Unique, &key, id.as_bytes()),
    }
}

fn drop_entries(
    write: &mut dyn Write,
    kind: &Kind,
    field: &Field,
    value: &Value,
    id: RecordId,
) -> Result<(), StoreError> {
    for key in key::index_keys(kind, field, value, id) {
        write.remove(Space::Index, &key)?;
    }
    let Some(key) = unique_key(kind, field, value) else {
        return Ok(());
    };
    match write.get(Space::Unique, &key)? {
        Some(holder) if holder == id.as_bytes() => write.remove(Space::Unique, &key),
        _ => Ok(()),
    }
}

/// The key under which the value stands among unique ones, if the field is unique.
pub(crate) fn unique_key(kind: &Kind, field: &Field, value: &Value) -> Option<Vec<u8>> {
    if field.unique {
        key::unique_key(&kind.name, field, value)
    } else {
        None
    }
}
