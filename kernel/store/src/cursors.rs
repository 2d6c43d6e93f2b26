//! Where each reacting plugin stands in the journal.

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::{self, Key};
pub use crate::rows::{AsideRow, CursorRow};
use crate::scan;
use crate::space::Space;
use crate::store::{Range, Read, Write};

/// Where a plugin stands; at the beginning when it never stood anywhere.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn get(read: &dyn Read, plugin: &str, role: &str) -> Result<CursorRow, StoreError> {
    Ok(find(read, plugin, role)?.unwrap_or_default())
}

/// Where a plugin stands, if it ever stood anywhere.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn find(read: &dyn Read, plugin: &str, role: &str) -> Result<Option<CursorRow>, StoreError> {
    match read.get(Space::Cursors, row_key(plugin, role).bytes())? {
        Some(bytes) => decode(plugin, role, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Keeps where a plugin stands.
///
/// # Errors
/// When the store cannot be written.
pub fn put(
    write: &mut dyn Write,
    plugin: &str,
    role: &str,
    row: &CursorRow,
) -> Result<(), StoreError> {
    write.put(Space::Cursors, row_key(plugin, role).bytes(), &row.encode())
}

/// Forgets where a plugin stands.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(write: &mut dyn Write, plugin: &str, role: &str) -> Result<(), StoreError> {
    write.remove(Space::Cursors, row_key(plugin, role).bytes())
}

/// Every plugin and role that stands somewhere, with where.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn list(read: &dyn Read) -> Result<Vec<(String, String, CursorRow)>, StoreError> {
    let mut rows = Vec::new();
    scan::range(read, Space::Cursors, Range::all(), &mut |key, bytes| {
        let parts = key::split_text(key)
            .and_then(|(plugin, rest)| Some((plugin, key::split_text(rest)?.0)));
        let (plugin, role) =
            parts.ok_or_else(|| StoreError::Corrupt("a cursor's key cannot be read".to_owned()))?;
        let row = decode(&plugin, &role, bytes)?;
        rows.push((plugin, role, row));
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

fn row_key(plugin: &str, role: &str) -> Key {
    Key::new().text(plugin).text(role)
}

fn decode(plugin: &str, role: &str, bytes: &[u8]) -> Result<CursorRow, StoreError> {
    let what = format_args!("the cursor of {plugin} as {role}");
    CursorRow::decode(bytes).map_err(|damage| damage.in_(what))
}
