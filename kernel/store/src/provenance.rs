//! Where plugins come from: publishers and their keys, who signed which file, and what waits to be
//! looked at. They lie beside the plugins, since they change with them.

use std::ops::ControlFlow;

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::Key;
use crate::rows::{Origin, PublisherRow, WaitingRow};
use crate::scan;
use crate::space::Space;
use crate::store::{Read, Write};

const PUBLISHER: &[u8] = b"k";
const ORIGINS: &[u8] = b"o";
const WAITING: &[u8] = b"w";

/// A publisher that is known.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn publisher(read: &dyn Read, name: &str) -> Result<Option<PublisherRow>, StoreError> {
    get(read, PUBLISHER, name, "the row of a publisher")
}

/// Every publisher that is known, by name.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn publishers(read: &dyn Read) -> Result<Vec<PublisherRow>, StoreError> {
    all(read, PUBLISHER, "the row of a publisher")
}

/// Keeps a publisher over what was known of them.
///
/// # Errors
/// When the store cannot be written.
pub fn put_publisher(write: &mut dyn Write, row: &PublisherRow) -> Result<(), StoreError> {
    put(write, PUBLISHER, &row.name, row)
}

/// Where the files of a plugin come from, as far as it is known.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn origins(read: &dyn Read, plugin: &str) -> Result<Vec<Origin>, StoreError> {
    let found = get(read, ORIGINS, plugin, "the origins of a plugin")?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn all_origins(read: &dyn Read) -> Result<Vec<Vec<Origin>>, StoreError> {
    all(read, ORIGINS, "the origins of a plugin")
}

/// Keeps where the files of a plugin come from.
///
/// # Errors
/// When the store cannot be written.
pub fn put_origins(
    write: &mut dyn Write,
    plugin: &str,
    origins: &[Origin],
) -> Result<(), StoreError> {
    put(write, ORIGINS, plugin, &origins.to_vec())
}

/// The version of a plugin that waits; at most one does.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn waiting(read: &dyn Read, plugin: &str) -> Result<Option<WaitingRow>, StoreError> {
    get(read, WAITING, plugin, "the row of a version that waits")
}

pub(crate) fn all_waiting(read: &dyn Read) -> Result<Vec<WaitingRow>, StoreError> {
    all(read, WAITING, "the row of a version that waits")
}

/// Has a version wait, instead of one that did.
///
/// # Errors
/// When the store cannot be written.
pub fn put_waiting(write: &mut dyn Write, row: &WaitingRow) -> Result<(), StoreError> {
    put(write, WAITING, &row.plugin, row)
}

/// Has no version of a plugin wait.
///
/// # Errors
/// When the store cannot be written.
pub fn remove_waiting(write: &mut dyn Write, plugin: &str) -> Result<(), StoreError> {
    write.remove(Space::Plugins, row_key(WAITING, plugin).bytes())
}

/// Forgets what is known of a plugin; its publisher stays known.
///
/// # Errors
/// When the store cannot be written.
pub fn remove_plugin(write: &mut dyn Write, plugin: &str) -> Result<(), StoreError> {
    remove_waiting(write, plugin)?;
    write.remove(Space::Plugins, row_key(ORIGINS, plugin).bytes())
}

fn row_key(space: &[u8], name: &str) -> Key {
    Key::new().raw(space).text(name)
}

fn get<R: Row>(
    read: &dyn Read,
    space: &[u8],
    name: &str,
    what: &str,
) -> Result<Option<R>, StoreError> {
    let found = read.get(Space::Plugins, row_key(space, name).bytes())?;
    let row = found.map(|bytes| R::decode(&bytes)).transpose();
    row.map_err(|damage| damage.in_(what))
}

fn all<R: Row>(read: &dyn Read, space: &[u8], what: &str) -> Result<Vec<R>, StoreError> {
    let (mut rows, prefix) = (Vec::new(), Key::new().raw(space));
    scan::prefix(read, Space::Plugins, &prefix, None, &mut |_, bytes| {
        rows.push(R::decode(bytes).map_err(|damage| damage.in_(what))?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

fn put<R: Row>(write: &mut dyn Write, space: &[u8], name: &str, row: &R) -> Result<(), StoreError> {
    write.put(Space::Plugins, row_key(space, name).bytes(), &row.encode())
}
