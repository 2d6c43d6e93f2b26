//! The plugin's own small key space; no other plugin sees it.
//!
//! It is there for reactions, actions, jobs and integrations, with the grant `state`; during shape and
//! guard every function fails with `not-now`. Writes are stored together with the plugin's proposals,
//! or not at all. Other failures: `not-granted`, `quota`, `host-call-limit`.

use crate::contract::Failure;
use crate::host;

/// The value under a key.
///
/// # Errors
/// See the module.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Failure> {
    host::state_get(key)
}

/// Stores a value of at most 64 KiB under a key of at most 512 bytes.
///
/// # Errors
/// See the module.
pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result<(), Failure> {
    host::state_set(key, value.as_ref())
}

/// Removes a key; nothing happens when it is not there.
///
/// # Errors
/// See the module.
pub fn remove(key: &str) -> Result<(), Failure> {
    host::state_remove(key)
}

/// Stores a value under a key, or removes the key with no value, if what is kept is what was expected; tells
/// whether it was. Of two calls at once that expect the same, one is told so, and the other is made anew.
///
/// # Errors
/// See the module.
pub fn compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<bool, Failure> {
    host::state_compare_and_set(key, expected, value)
}

/// Stores a value under a key where nothing is kept yet; tells whether that was so. What must be done by one call
/// of many is done by the one that claims it.
///
/// # Errors
/// See the module.
pub fn claim(key: &str, value: impl AsRef<[u8]>) -> Result<bool, Failure> {
    compare_and_set(key, None, Some(value.as_ref()))
}

/// What one scan found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scanned {
    /// The keys with their values, sorted by key.
    pub entries: Vec<(String, Vec<u8>)>,
    /// The key to go on after, if there is more.
    pub next: Option<String>,
}

/// Keys that begin with `prefix` with their values, sorted, after `after` if given: at most `limit` (1 to 1000),
/// and at most 256 KiB of them, but one at least.
///
/// # Errors
/// See the module.
pub fn scan(prefix: &str, after: Option<&str>, limit: u32) -> Result<Scanned, Failure> {
    let (entries, next) = host::state_scan(prefix, after, limit)?;
    Ok(Scanned { entries, next })
}

/// Keys that begin with `prefix`, sorted, after `after` if given, at most `limit` (1 to 1000).
///
/// # Errors
/// See the module.
pub fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Failure> {
    host::state_keys(prefix, after, limit)
}
