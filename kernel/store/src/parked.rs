//! Journal entries a plugin gave up on, until somebody has them tried again or forgotten.

use std::ops::ControlFlow;

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::Key;
pub use crate::rows::ParkedRow;
use crate::scan;
use crate::space::Space;
use crate::store::{Range, Read, Write};

/// Parks an entry.
///
/// # Errors
/// When the store cannot be written.
pub fn put(write: &mut dyn Write, row: &ParkedRow) -> Result<(), StoreError> {
    let key = row_key(&row.plugin, &row.role, row.entry);
    write.put(Space::Parked, key.bytes(), &row.encode())
}

/// Forgets a parked entry.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(
    write: &mut dyn Write,
    plugin: &str,
    role: &str,
    entry: u64,
) -> Result<(), StoreError> {
    write.remove(Space::Parked, row_key(plugin, role, entry).bytes())
}

/// Shows `visit` what is parked, by plugin, role and entry, until it breaks.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn list(
    read: &dyn Read,
    visit: &mut dyn FnMut(ParkedRow) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    scan::range(read, Space::Parked, Range::all(), &mut |_, bytes| {
        let row = ParkedRow::decode(bytes).map_err(|damage| damage.in_("a parked entry"))?;
        Ok(visit(row))
    })
}

fn row_key(plugin: &str, role: &str, entry: u64) -> Key {
    Key::new().text(plugin).text(role).number(entry)
}
