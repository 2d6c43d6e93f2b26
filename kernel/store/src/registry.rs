//! Installed plugins, and which of them a domain interface is bound to.

use std::ops::ControlFlow;

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::{self, Key};
pub use crate::rows::PluginRow;
use crate::scan;
use crate::space::Space;
use crate::store::{Read, Write};

const PLUGIN: &[u8] = b"p";
const BINDING: &[u8] = b"b";

/// The installed plugin with that id.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn get(read: &dyn Read, id: &str) -> Result<Option<PluginRow>, StoreError> {
    match read.get(Space::Plugins, plugin_key(id).bytes())? {
        Some(bytes) => decode(&bytes).map(Some),
        None => Ok(None),
    }
}

/// Every installed plugin, in the order in which they are asked.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn list(read: &dyn Read) -> Result<Vec<PluginRow>, StoreError> {
    let mut rows = Vec::new();
    scan::prefix(
        read,
        Space::Plugins,
        &Key::new().raw(PLUGIN),
        None,
        &mut |_, bytes| {
            rows.push(decode(bytes)?);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    rows.sort_by(|a, b| (a.position, &a.id).cmp(&(b.position, &b.id)));
    Ok(rows)
}

/// Keeps a plugin's row over the one that was there.
///
/// # Errors
/// When the store cannot be written.
pub fn put(write: &mut dyn Write, row: &PluginRow) -> Result<(), StoreError> {
    write.put(Space::Plugins, plugin_key(&row.id).bytes(), &row.encode())
}

/// Removes a plugin's row; its bindings, state, cursors and costs are the caller's to remove.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(write: &mut dyn Write, id: &str) -> Result<(), StoreError> {
    write.remove(Space::Plugins, plugin_key(id).bytes())
}

/// The id of the plugin an interface is bound to.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn binding(read: &dyn Read, interface: &str) -> Result<Option<String>, StoreError> {
    match read.get(Space::Plugins, binding_key(interface).bytes())? {
        Some(bytes) => bound(interface, bytes).map(Some),
        None => Ok(None),
    }
}

/// Every bound interface and the id of the plugin it is bound to.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn bindings(read: &dyn Read) -> Result<Vec<(String, String)>, StoreError> {
    let mut rows = Vec::new();
    let prefix = Key::new().raw(BINDING);
    scan::prefix(read, Space::Plugins, &prefix, None, &mut |key, bytes| {
        let (interface, _) = key::split_text(&key[BINDING.len()..])
            .ok_or_else(|| StoreError::Corrupt("a binding's key cannot be read".to_owned()))?;
        let plugin = bound(&interface, bytes.to_vec())?;
        rows.push((interface, plugin));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

/// Binds an interface to a plugin.
///
/// # Errors
/// When the store cannot be written.
pub fn bind(write: &mut dyn Write, interface: &str, plugin: &str) -> Result<(), StoreError> {
    write.put(
        Space::Plugins,
        binding_key(interface).bytes(),
        plugin.as_bytes(),
    )
}

/// Binds an interface to nothing.
///
/// # Errors
/// When the store cannot be written.
pub fn unbind(write: &mut dyn Write, interface: &str) -> Result<(), StoreError> {
    write.remove(Space::Plugins, binding_key(interface).bytes())
}

fn plugin_key(id: &str) -> Key {
    Key::new().raw(PLUGIN).text(id)
}

fn binding_key(interface: &str) -> Key {
    Key::new().raw(BINDING).text(interface)
}

fn decode(bytes: &[u8]) -> Result<PluginRow, StoreError> {
    PluginRow::decode(bytes).map_err(|damage| damage.in_("the row of a plugin"))
}

fn bound(interface: &str, bytes: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(bytes)
        .map_err(|_| StoreError::Corrupt(format!("the binding of {interface} is not UTF-8")))
}
