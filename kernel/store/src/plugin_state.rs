//! Plugins' own key spaces: one per plugin, and none sees another's.

use std::ops::ControlFlow;

use crate::error::StoreError;
use crate::key::{self, Key};
use crate::scan;
use crate::space::Space;
use crate::store::{Range, Read, Write};

/// What follows the plugin's id in a key: the totals, or one of its rows.
const TOTALS: &[u8] = &[0];
const ROW: &[u8] = &[1];

/// How much a plugin keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Used {
    /// The number of keys.
    pub keys: u64,
    /// The bytes of all keys and values.
    pub bytes: u64,
}

/// The value under a plugin's key.
///
/// # Errors
/// When the store cannot be read.
pub fn get(read: &dyn Read, plugin: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    read.get(Space::PluginState, row_key(plugin, key).bytes())
}

/// Keeps a value under a plugin's key.
///
/// # Errors
/// When the store cannot be written.
pub fn put(write: &mut dyn Write, plugin: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
    let mut used = without(write, plugin, key)?;
    used.keys += 1;
    used.bytes += (key.len() + value.len()) as u64;
    set_used(write, plugin, used)?;
    write.put(Space::PluginState, row_key(plugin, key).bytes(), value)
}

/// Removes a plugin's key, if it is there.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(write: &mut dyn Write, plugin: &str, key: &str) -> Result<(), StoreError> {
    let left = without(write, plugin, key)?;
    set_used(write, plugin, left)?;
    write.remove(Space::PluginState, row_key(plugin, key).bytes())
}

/// Removes everything a plugin keeps.
///
/// # Errors
/// When the store cannot be written.
pub fn clear(write: &mut dyn Write, plugin: &str) -> Result<(), StoreError> {
    let own = Key::new().text(plugin);
    let end = own.end();
    let mut keys = Vec::new();
    let range = Range {
        from: own.bytes(),
        to: end.as_deref(),
        backwards: false,
    };
    write.scan(Space::PluginState, range, &mut |key, _| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    })?;
    keys.iter()
        .try_for_each(|key| write.remove(Space::PluginState, key))
}

/// Shows `visit` a plugin's keys that begin with `prefix`, sorted, from the one after `after` on,
/// until it breaks.
///
/// # Errors
/// When the store cannot be read or a key is damaged.
pub fn keys(
    read: &dyn Read,
    plugin: &str,
    prefix: &str,
    after: Option<&str>,
    visit: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    rows(read, plugin, prefix, after, &mut |key, _| visit(key))
}

/// Shows `visit` a plugin's keys that begin with `prefix` with their values, sorted, from the one after `after`
/// on, until it breaks.
///
/// # Errors
/// When the store cannot be read or a key is damaged.
pub fn rows(
    read: &dyn Read,
    plugin: &str,
    prefix: &str,
    after: Option<&str>,
    visit: &mut dyn FnMut(&str, &[u8]) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let rows = Key::new().text(plugin).raw(ROW);
    let prefixed = rows.clone().begun_text(prefix);
    let after = after
        .filter(|after| *after >= prefix)
        .map(|after| row_key(plugin, after));
    let skipped = rows.bytes().len();
    scan::prefix(
        read,
        Space::PluginState,
        &prefixed,
        after,
        &mut |key, value| {
            let (key, _) = key::split_text(&key[skipped..]).ok_or_else(|| {
                StoreError::Corrupt(format!("a key of the state of {plugin} cannot be read"))
            })?;
            Ok(visit(&key, value))
        },
    )
}

/// How much a plugin keeps.
///
/// # Errors
/// When the store cannot be read or the totals are damaged.
pub fn used(read: &dyn Read, plugin: &str) -> Result<Used, StoreError> {
    let Some(bytes) = read.get(Space::PluginState, totals_key(plugin).bytes())? else {
        return Ok(Used::default());
    };
    match *bytes.as_chunks::<8>().0 {
        [keys, bytes] => Ok(Used {
            keys: u64::from_be_bytes(keys),
            bytes: u64::from_be_bytes(bytes),
        }),
        _ => Err(StoreError::Corrupt(format!(
            "the totals of {plugin} cannot be read"
        ))),
    }
}

/// What the plugin keeps apart from one key.
fn without(read: &dyn Read, plugin: &str, key: &str) -> Result<Used, StoreError> {
    let mut used = used(read, plugin)?;
    if let Some(value) = get(read, plugin, key)? {
        used.keys = used.keys.saturating_sub(1);
        used.bytes = used.bytes.saturating_sub((key.len() + value.len()) as u64);
    }
    Ok(used)
}

fn set_used(write: &mut dyn Write, plugin: &str, used: Used) -> Result<(), StoreError> {
    let bytes = [used.keys.to_be_bytes(), used.bytes.to_be_bytes()].concat();
    write.put(Space::PluginState, totals_key(plugin).bytes(), &bytes)
}

fn totals_key(plugin: &str) -> Key {
    Key::new().text(plugin).raw(TOTALS)
}

fn row_key(plugin: &str, key: &str) -> Key {
    Key::new().text(plugin).raw(ROW).text(key)
}

/// The plugin's own key in what follows its id in a key, unless these are the totals.
pub(crate) fn row_of(rest: &[u8]) -> Option<(String, &[u8])> {
    rest.strip_prefix(ROW).and_then(key::split_text)
}
