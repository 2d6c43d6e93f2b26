//! Commits that wait for approval, the oldest first, and how much each actor has waiting.

use std::ops::ControlFlow;

use kjerne_model::{Actor, RecordId};

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::Key;
pub use crate::rows::{Approval, PendingRow};
use crate::scan;
use crate::space::Space;
use crate::store::{Read, Write};

/// What a key begins with: that of a total, or that of a row.
const TOTAL: &[u8] = &[0];
const ROW: &[u8] = &[1];
/// Whose total that of all is; no actor is called so.
const ALL: &str = "";

/// How much waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// Commits.
    pub rows: u64,
    /// Their bytes, as stored.
    pub bytes: u64,
}

/// Keeps a commit that waits, over the row that was there.
///
/// # Errors
/// When the store cannot be written or a row is damaged.
pub fn put(write: &mut dyn Write, row: &PendingRow) -> Result<(), StoreError> {
    remove(write, row.id)?;
    let bytes = row.encode();
    for of in [ALL, &row.actor.to_string()] {
        let mut held = held(write, of)?;
        held.rows += 1;
        held.bytes += bytes.len() as u64;
        set_held(write, of, held)?;
    }
    write.put(Space::Pending, row_key(row.id).bytes(), &bytes)
}

/// Forgets a commit that waits, if it is there.
///
/// # Errors
/// When the store cannot be written or the row is damaged.
pub fn remove(write: &mut dyn Write, id: RecordId) -> Result<(), StoreError> {
    let key = row_key(id);
    let Some(bytes) = write.get(Space::Pending, key.bytes())? else {
        return Ok(());
    };
    let actor = decode(&bytes)?.actor.to_string();
    for of in [ALL, &actor] {
        let mut held = held(write, of)?;
        held.rows = held.rows.saturating_sub(1);
        held.bytes = held.bytes.saturating_sub(bytes.len() as u64);
        set_held(write, of, held)?;
    }
    write.remove(Space::Pending, key.bytes())
}

/// The commit that waits under an id.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn get(read: &dyn Read, id: RecordId) -> Result<Option<PendingRow>, StoreError> {
    let bytes = read.get(Space::Pending, row_key(id).bytes())?;
    bytes.map(|bytes| decode(&bytes)).transpose()
}

/// Shows `visit` what waits, the oldest first, until it breaks.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn list(
    read: &dyn Read,
    visit: &mut dyn FnMut(PendingRow) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let prefix = Key::new().raw(ROW);
    scan::prefix(read, Space::Pending, &prefix, None, &mut |_, bytes| {
        Ok(visit(decode(bytes)?))
    })
}

/// How much an actor has waiting.
///
/// # Errors
/// When the store cannot be read or the total is damaged.
pub fn held_of(read: &dyn Read, actor: &Actor) -> Result<Held, StoreError> {
    held(read, &actor.to_string())
}

/// How much waits in all.
///
/// # Errors
/// When the store cannot be read or the total is damaged.
pub fn held_in_all(read: &dyn Read) -> Result<Held, StoreError> {
    held(read, ALL)
}

/// The bytes a commit that waits has as it is stored.
#[must_use]
pub fn size(row: &PendingRow) -> u64 {
    row.encode().len() as u64
}

fn decode(bytes: &[u8]) -> Result<PendingRow, StoreError> {
    PendingRow::decode(bytes).map_err(|damage| damage.in_("a commit that waits for approval"))
}

fn held(read: &dyn Read, of: &str) -> Result<Held, StoreError> {
    let Some(bytes) = read.get(Space::Pending, total_key(of).bytes())? else {
        return Ok(Held::default());
    };
    match *bytes.as_chunks::<8>().0 {
        [rows, bytes] => Ok(Held {
            rows: u64::from_be_bytes(rows),
            bytes: u64::from_be_bytes(bytes),
        }),
        _ => Err(StoreError::Corrupt(format!(
            "the total of what {of:?} has waiting for approval cannot be read"
        ))),
    }
}

fn set_held(write: &mut dyn Write, of: &str, held: Held) -> Result<(), StoreError> {
    let key = total_key(of);
    if held == Held::default() {
        return write.remove(Space::Pending, key.bytes());
    }
    let bytes = [held.rows.to_be_bytes(), held.bytes.to_be_bytes()].concat();
    write.put(Space::Pending, key.bytes(), &bytes)
}

fn total_key(of: &str) -> Key {
    Key::new().raw(TOTAL).text(of)
}

fn row_key(id: RecordId) -> Key {
    Key::new().raw(ROW).id(id)
}
