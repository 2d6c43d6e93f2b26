//! Looking records up by what a field holds.
//!
//! Entries are ordered by value and, for one value, by id. They hold the form of a value by which its
//! field compares it, see [`Field::form`], and whoever looks for a value gives it in that form. Text is
//! cut after 256 bytes; a field with several choices has an entry for each. [`is_exact`] says when the records found can still be ones that hold something else.

use std::ops::ControlFlow;

use kjerne_model::{Field, RecordId, Value};

use crate::error::StoreError;
use crate::key;
use crate::scan;
use crate::space::Space;
use crate::store::{Range, Read};

/// True when every record found by [`ids`] holds exactly this value. Otherwise the reader looks at
/// the record too: the value is a long text, or several choices.
#[must_use]
pub fn is_exact(value: &Value) -> bool {
    key::is_exact(value)
}

/// Shows `visit` the records whose indexed field holds `value`, by id, from the one after `after`
/// on, until it breaks. For a field with several choices, a text finds the records with that choice
/// among theirs, and choices those with the first of them.
///
/// # Errors
/// When the store cannot be read.
pub fn ids(
    read: &dyn Read,
    kind: &str,
    field: &str,
    value: &Value,
    after: Option<RecordId>,
    visit: &mut dyn FnMut(RecordId) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let Some(bytes) = key::indexed(value) else {
        return Ok(());
    };
    let prefix = key::field(kind, field).raw(&bytes);
    let after = after.map(|id| prefix.clone().id(id));
    scan::prefix(read, Space::Index, &prefix, after, &mut |key, _| {
        Ok(visit(id_of(key)?))
    })
}

/// The record whose unique field holds `value`, or another that its field compares as equal.
///
/// # Errors
/// When the store cannot be read.
pub fn holder(
    read: &dyn Read,
    kind: &str,
    field: &Field,
    value: &Value,
) -> Result<Option<RecordId>, StoreError> {
    let Some(key) = key::unique_key(kind, field, value) else {
        return Ok(None);
    };
    let Some(bytes) = read.get(Space::Unique, &key)? else {
        return Ok(None);
    };
    let id = <[u8; 16]>::try_from(bytes.as_slice());
    id.map(|id| Some(RecordId::from_bytes(id))).map_err(|_| {
        StoreError::Corrupt(format!(
            "the holder of {kind}.{} {value:?} is not an id",
            field.name
        ))
    })
}

/// Shows `visit` the records whose indexed field holds something from `from` to `to`, both
/// inclusive, in the order of the values, until it breaks. Without `from` and `to` these are all
/// records that hold anything in the field. Money of other currencies than a given bound's is left
/// out; a long text at a bound may lie just outside it.
///
/// # Errors
/// When the store cannot be read.
pub fn range(
    read: &dyn Read,
    kind: &str,
    field: &str,
    from: Option<&Value>,
    to: Option<&Value>,
    backwards: bool,
    visit: &mut dyn FnMut(RecordId) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let all = key::field(kind, field);
    let at = |bytes: Vec<u8>| all.clone().raw(&bytes);
    let bound = |value: &Value| key::indexed(value).map(at);
    if [from, to]
        .into_iter()
        .flatten()
        .any(|value| bound(value).is_none())
    {
        return Ok(());
    }
    // With one bound given, the other is the end of the values comparable with it.
    let family = || {
        from.or(to)
            .and_then(key::family)
            .map_or_else(|| all.clone(), at)
    };
    let first = from.and_then(bound).unwrap_or_else(family).into_bytes();
    let end = to.and_then(bound).unwrap_or_else(family).end();
    let range = Range {
        from: &first,
        to: end.as_deref(),
        backwards,
    };
    scan::range(read, Space::Index, range, &mut |key, _| {
        Ok(visit(id_of(key)?))
    })
}

fn id_of(key: &[u8]) -> Result<RecordId, StoreError> {
    key::trailing_id(key).ok_or_else(|| StoreError::Corrupt("an index key has no id".to_owned()))
}
