//! Idempotency keys: what was done for a commit that came with one.

use kjerne_model::Actor;

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::Key;
pub use crate::rows::KeyRow;
use crate::space::Space;
use crate::store::{Read, Write};

/// What an actor's key was used for, if it was used.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn get(read: &dyn Read, actor: &Actor, key: &str) -> Result<Option<KeyRow>, StoreError> {
    let Some(bytes) = read.get(Space::Keys, row_key(actor, key).bytes())? else {
        return Ok(None);
    };
    let what = format_args!("the idempotency key {key:?} of {actor}");
    KeyRow::decode(&bytes)
        .map(Some)
        .map_err(|damage| damage.in_(what))
}

/// Keeps what an actor's key was used for.
///
/// # Errors
/// When the store cannot be written.
pub fn put(
    write: &mut dyn Write,
    actor: &Actor,
    key: &str,
    row: &KeyRow,
) -> Result<(), StoreError> {
    write.put(Space::Keys, row_key(actor, key).bytes(), &row.encode())
}

fn row_key(actor: &Actor, key: &str) -> Key {
    Key::new().text(&actor.to_string()).text(key)
}
