//! The plugin's own small key space; no other plugin sees it.
//!
//! It is there for reactions, actions and integrations, with the grant `state`; during shape and
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

/// Keys that begin with `prefix`, sorted, after `after` if given, at most `limit` (1 to 1000).
///
/// # Errors
/// See the module.
pub fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Failure> {
    host::state_keys(prefix, after, limit)
}
