//! Brings the indexes in line with the kinds, when these have changed since the workspace was last
//! open: a field that has become indexed or unique, one that no longer is, one of another type.
//!
//! What the indexes were made for is kept beside them, so that a workspace whose kinds are as they
//! were is opened without a look at its records. All of it is one transaction: an index is whole or
//! as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;

use kjerne_model::{Field, Kind, Likeness, Record, RecordId, Schema};

use crate::error::StoreError;
use crate::key::{self, Key};
use crate::space::Space;
use crate::store::{Store, Write};
use crate::{meta, records, scan};

/// How entries are made of values, by number: the next when that changes, so that all are made anew.
const ENTRIES: u32 = 1;
const KEPT: &str = "indexes";
/// Records and entries dealt with at a time, so that memory does not grow with them.
const STEP: usize = 1_000;

/// Why the indexes cannot be brought in line.
#[derive(Debug)]
pub enum ReindexError {
    /// The store failed.
    Store(StoreError),
    /// A field has become unique, and two records hold the same in it.
    Duplicate(String),
}

impl fmt::Display for ReindexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Duplicate(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ReindexError {}

impl From<StoreError> for ReindexError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// By kind and field, what its entries were made for.
type Made = BTreeMap<(String, String), String>;

/// Makes the entries of fields that are indexed or unique now and were not, and removes those that
/// are there for nothing. Returns the fields whose records were looked at, as `account.code`.
///
/// # Errors
/// When a field is to be unique and its values are not, or when the store fails; then all is as it
/// was.
pub fn reindex(store: &dyn Store, schema: &Schema) -> Result<Vec<String>, ReindexError> {
    let wanted = wanted(schema);
    let kept = meta::get(&*store.snapshot()?, KEPT)?;
    let text = write_made(&wanted);
    if kept.as_deref() == Some(text.as_bytes()) {
        return Ok(Vec::new());
    }
    let kept = kept.as_deref().and_then(read_made);
    let (mut built, mut clash) = (Vec::new(), None);
    let stored = store.write(&mut |write| {
        built.clear();
        for ((kind, field), described) in changed(kept.as_ref(), &wanted) {
            clear(write, &kind, &field)?;
            let kind = schema.kind(&kind).filter(|_| described);
            let Some((kind, field)) = kind.and_then(|kind| Some((kind, kind.field(&field)?)))
            else {
                continue;
            };
            if let Some(twice) = fill(write, kind, field, &mut built)? {
                let text = twice.clone();
                clash = Some(twice);
                return Err(StoreError::Exists(text));
            }
        }
        meta::put(write, KEPT, text.as_bytes())
    });
    match (clash, stored) {
        (Some(twice), _) => Err(ReindexError::Duplicate(twice)),
        (None, Err(error)) => Err(error.into()),
        (None, Ok(())) => Ok(built),
    }
}

fn wanted(schema: &Schema) -> Made {
    let of = |kind: &Kind, field: &Field| {
        let (unique, folded) = (u8::from(field.unique), u8::from(field.ignore_case));
        // What a number is compared by is told from `0047 (0)22…` in another way than at first.
        let form = if field.likeness() == Likeness::Phone {
            "2"
        } else {
            ""
        };
        let marks = format!("{}{form} {unique}{folded}", field.field_type.name());
        ((kind.name.to_string(), field.name.to_string()), marks)
    };
    let kinds = schema.kinds();
    let fields = kinds.flat_map(|kind| {
        let indexed = kind.fields.iter().filter(|field| field.is_indexed());
        indexed.map(|field| of(kind, field)).collect::<Vec<_>>()
    });
    fields.collect()
}

fn write_made(made: &Made) -> String {
    let line =
        |((kind, field), marks): (&(String, String), &String)| format!("{kind} {field} {marks}\n");
    let lines: String = made.iter().map(line).collect();
    format!("{ENTRIES}\n{lines}")
}

/// What was kept; none when entries were made in another way than now.
fn read_made(bytes: &[u8]) -> Option<Made> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines = text.strip_prefix(&format!("{ENTRIES}\n"))?.lines();
    let read = |line: &str| {
        let mut parts = line.splitn(3, ' ').map(str::to_owned);
        Some(((parts.next()?, parts.next()?), parts.next()?))
    };
    lines.map(read).collect()
}

/// The fields whose entries are not as they should be, each with whether it is to have any. Without
/// knowing what was made, these are all.
fn changed(kept: Option<&Made>, wanted: &Made) -> Vec<((String, String), bool)> {
    let nothing = Made::new();
    let kept = kept.unwrap_or(&nothing);
    let fields: BTreeSet<_> = kept.keys().chain(wanted.keys()).collect();
    let differs = |field: &&&(String, String)| kept.get(*field) != wanted.get(*field);
    let changed = fields.iter().filter(differs);
    changed
        .map(|field| ((*field).clone(), wanted.contains_key(*field)))
        .collect()
}

/// Removes every entry of a field.
fn clear(write: &mut dyn Write, kind: &str, field: &str) -> Result<(), StoreError> {
    let prefix = key::field(kind, field);
    for space in [Space::Index, Space::Unique] {
        loop {
            let keys = some_keys(write, space, &prefix)?;
            if keys.is_empty() {
                break;
            }
            keys.iter().try_for_each(|key| write.remove(space, key))?;
        }
    }
    Ok(())
}

fn some_keys(write: &dyn Write, space: Space, prefix: &Key) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut keys = Vec::new();
    scan::prefix(write, space, prefix, None, &mut |key, _| {
        keys.push(key.to_vec());
        Ok(go_on(keys.len()))
    })?;
    Ok(keys)
}

fn go_on(so_far: usize) -> ControlFlow<()> {
    if so_far < STEP {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}

/// Makes the entries of a field for every record there is. Answers what two records hold alike that
/// must not.
fn fill(
    write: &mut dyn Write,
    kind: &Kind,
    field: &Field,
    built: &mut Vec<String>,
) -> Result<Option<String>, StoreError> {
    let mut after: Option<RecordId> = None;
    loop {
        let records = some_records(write, &kind.name, after)?;
        let Some(last) = records.last() else {
            break;
        };
        if after.is_none() {
            built.push(format!("{}.{}", kind.name, field.name));
        }
        after = Some(last.id);
        for record in &records {
            if let Some(twice) = enter(write, kind, field, record)? {
                return Ok(Some(twice));
            }
        }
    }
    Ok(None)
}

fn some_records(
    write: &dyn Write,
    kind: &str,
    after: Option<RecordId>,
) -> Result<Vec<Record>, StoreError> {
    let mut some = Vec::new();
    records::scan(write, kind, after, &mut |record| {
        some.push(record);
        go_on(some.len())
    })?;
    Ok(some)
}

fn enter(
    write: &mut dyn Write,
    kind: &Kind,
    field: &Field,
    record: &Record,
) -> Result<Option<String>, StoreError> {
    let Some(value) = record.get(&field.name) else {
        return Ok(None);
    };
    for key in key::index_keys(kind, field, value, record.id) {
        write.put(Space::Index, &key, &[])?;
    }
    let Some(key) = records::unique_key(kind, field, value) else {
        return Ok(None);
    };
    if let Some(holder) = write.get(Space::Unique, &key)? {
        let other = key::trailing_id(&holder).map_or_else(String::new, |id| format!("/{id}"));
        return Ok(Some(format!(
            "{kind}.{field} is to be unique, and {kind}{other} and {kind}/{id} both hold {value}; take \
             the mark off the field, change one of them, and set it again",
            kind = kind.name,
            field = field.name,
            id = record.id
        )));
    }
    write.put(Space::Unique, &key, record.id.as_bytes())?;
    Ok(None)
}
