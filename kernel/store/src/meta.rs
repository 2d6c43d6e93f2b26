//! What a workspace keeps once: its format, its id, keys made at its creation, counters.

use kjerne_model::RecordId;

use crate::error::StoreError;
use crate::space::Space;
use crate::store::{Read, Write};

/// The data format this program writes, and the newest it reads.
pub const FORMAT: u32 = 3;

pub(crate) const FORMAT_KEY: &[u8] = b"format";
const WORKSPACE_ID: &str = "workspace-id";
const CACHE_KEY: &str = "cache-key";
const PREFIX_OF_VALUES: &str = "value.";

pub(crate) fn format_bytes() -> [u8; 4] {
    FORMAT.to_be_bytes()
}

/// Checks that this program can read a workspace whose row of the format, as it is stored, begins
/// with these bytes. Whether the row is whole is not asked: only this format is known to have a check.
pub(crate) fn check_format(stored: Option<&[u8]>) -> Result<(), StoreError> {
    let found = stored.and_then(|bytes| bytes.first_chunk::<4>());
    match found.map(|bytes| u32::from_be_bytes(*bytes)) {
        Some(FORMAT) => Ok(()),
        Some(found) if found > FORMAT => Err(StoreError::NewerFormat {
            found,
            known: FORMAT,
        }),
        Some(1) => Err(StoreError::Corrupt(
            "it has format 1, from before the first release, whose rows carry no check; export it \
             with the program that made it, and import that"
                .to_owned(),
        )),
        Some(2) => Err(StoreError::Corrupt(
            "it has format 2, from before the first release, whose rows of cursors and costs are \
             others; export it with the program that made it, and import that"
                .to_owned(),
        )),
        Some(found) => Err(StoreError::Corrupt(format!(
            "it has format {found}, which never was"
        ))),
        None => Err(StoreError::Corrupt(
            "it does not say which format it has".to_owned(),
        )),
    }
}

/// A value kept under a name.
///
/// # Errors
/// When the store cannot be read.
pub fn get(read: &dyn Read, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    read.get(Space::Meta, value_key(name).as_bytes())
}

/// Keeps a value under a name.
///
/// # Errors
/// When the store cannot be written.
pub fn put(write: &mut dyn Write, name: &str, value: &[u8]) -> Result<(), StoreError> {
    write.put(Space::Meta, value_key(name).as_bytes(), value)
}

/// Forgets the value kept under a name.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(write: &mut dyn Write, name: &str) -> Result<(), StoreError> {
    write.remove(Space::Meta, value_key(name).as_bytes())
}

/// The workspace's id, made at its creation.
///
/// # Errors
/// When the store cannot be read.
pub fn workspace_id(read: &dyn Read) -> Result<Option<RecordId>, StoreError> {
    Ok(fixed(read, WORKSPACE_ID)?.map(RecordId::from_bytes))
}

/// Sets the workspace's id.
///
/// # Errors
/// When the store cannot be written.
pub fn set_workspace_id(write: &mut dyn Write, id: RecordId) -> Result<(), StoreError> {
    put(write, WORKSPACE_ID, id.as_bytes())
}

/// The key by which the workspace knows native code it has cached itself.
///
/// # Errors
/// When the store cannot be read.
pub fn cache_key(read: &dyn Read) -> Result<Option<[u8; 32]>, StoreError> {
    fixed(read, CACHE_KEY)
}

/// Sets the cache key.
///
/// # Errors
/// When the store cannot be written.
pub fn set_cache_key(write: &mut dyn Write, key: &[u8; 32]) -> Result<(), StoreError> {
    put(write, CACHE_KEY, key)
}

/// The number kept under a name; 0 when there is none.
pub(crate) fn counter(read: &dyn Read, name: &str) -> Result<u64, StoreError> {
    Ok(fixed(read, name)?.map_or(0, u64::from_be_bytes))
}

pub(crate) fn set_counter(write: &mut dyn Write, name: &str, to: u64) -> Result<(), StoreError> {
    put(write, name, &to.to_be_bytes())
}

fn fixed<const N: usize>(read: &dyn Read, name: &str) -> Result<Option<[u8; N]>, StoreError> {
    let Some(bytes) = get(read, name)? else {
        return Ok(None);
    };
    let wrong = || StoreError::Corrupt(format!("{name} has {} bytes, not {N}", bytes.len()));
    <[u8; N]>::try_from(bytes.as_slice())
        .map(Some)
        .map_err(|_| wrong())
}

fn value_key(name: &str) -> String {
    format!("{PREFIX_OF_VALUES}{name}")
}
