//! Records, and the index entries that follow from them.

use std::ops::ControlFlow;

use kjerne_model::{Field, Kind, Name, Record, RecordId, Value};

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
    RecordRows::of(kind, record.id, None, Some(record)).write(write)
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
    RecordRows::of(kind, after.id, Some(before), Some(after)).write(write)
}

/// Removes a record and its index entries. `record` is its stored state.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(write: &mut dyn Write, kind: &Kind, record: &Record) -> Result<(), StoreError> {
    RecordRows::of(kind, record.id, Some(record), None).write(write)
}

/// What storing one record over its earlier state comes to, row by row. It is worked out before the
/// transaction, which all commits share and which has only to write it down.
pub struct RecordRows {
    id: RecordId,
    gone: Vec<Row>,
    come: Vec<Row>,
}

enum Row {
    Plain {
        space: Space,
        key: Vec<u8>,
        value: Vec<u8>,
    },
    /// A value that one record at a time may hold.
    Unique { key: Vec<u8>, field: Name },
}

impl RecordRows {
    /// The rows that lead from `before` to `after`, two states of the record with that id; none is
    /// no record.
    #[must_use]
    pub fn of(kind: &Kind, id: RecordId, before: Option<&Record>, after: Option<&Record>) -> Self {
        let mut rows = Self {
            id,
            gone: Vec::new(),
            come: Vec::new(),
        };
        for field in kind.fields.iter().filter(|field| field.is_indexed()) {
            let old = before.and_then(|record| record.get(&field.name));
            let new = after.and_then(|record| record.get(&field.name));
            if old != new {
                rows.add(kind, field, old, new);
            }
        }
        if let Some(record) = after.or(before) {
            let row = Row::Plain {
                space: Space::Records,
                key: key::record(&record.kind, record.id).into_bytes(),
                value: after.map(encode_record).unwrap_or_default(),
            };
            let side = if after.is_some() {
                &mut rows.come
            } else {
                &mut rows.gone
            };
            side.push(row);
        }
        rows
    }

    fn add(&mut self, kind: &Kind, field: &Field, old: Option<&Value>, new: Option<&Value>) {
        for (value, rows) in [(old, &mut self.gone), (new, &mut self.come)] {
            let Some(value) = value else { continue };
            for key in key::index_keys(kind, field, value, self.id) {
                rows.push(Row::Plain {
                    space: Space::Index,
                    key,
                    value: Vec::new(),
                });
            }
            if let Some(key) = unique_key(kind, field, value) {
                let field = field.name.clone();
                rows.push(Row::Unique { key, field });
            }
        }
    }

    /// Takes away what the record lets go of. In a commit of several records this comes first for
    /// each of them, so that two of them can exchange their unique values.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn let_go(&self, write: &mut dyn Write) -> Result<(), StoreError> {
        for row in &self.gone {
            match row {
                Row::Plain { space, key, .. } => write.remove(*space, key)?,
                Row::Unique { key, .. } => {
                    let holder = write.get(Space::Unique, key)?;
                    if holder.is_some_and(|holder| holder == self.id.as_bytes()) {
                        write.remove(Space::Unique, key)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes what the record has now.
    ///
    /// # Errors
    /// When the store cannot be written, or another record holds the value of a unique field; the
    /// caller has looked before, so that means that the store is damaged.
    pub fn take_hold(&self, write: &mut dyn Write) -> Result<(), StoreError> {
        for row in &self.come {
            match row {
                Row::Plain { space, key, value } => write.put(*space, key, value)?,
                Row::Unique { key, field } => {
                    let holder = write.get(Space::Unique, key)?;
                    if holder.is_some_and(|holder| holder != self.id.as_bytes()) {
                        let id = self.id;
                        return Err(StoreError::Corrupt(format!(
                            "{id} cannot have its {field}, which another record holds"
                        )));
                    }
                    write.put(Space::Unique, key, self.id.as_bytes())?;
                }
            }
        }
        Ok(())
    }

    fn write(&self, write: &mut dyn Write) -> Result<(), StoreError> {
        self.let_go(write)?;
        self.take_hold(write)
    }
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

/// The key under which the value stands among unique ones, if the field is unique.
pub(crate) fn unique_key(kind: &Kind, field: &Field, value: &Value) -> Option<Vec<u8>> {
    if field.unique {
        key::unique_key(&kind.name, field, value)
    } else {
        None
    }
}
