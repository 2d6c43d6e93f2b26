//! Bytes that are not the value they should be.

use crate::error::StoreError;

/// Why bytes are not a value; says what was expected.
#[derive(Debug)]
pub(crate) struct Damage(String);

impl Damage {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// The error for callers, which know what the bytes were: `record contact/0199…`.
    pub(crate) fn in_(self, what: impl std::fmt::Display) -> StoreError {
        StoreError::Corrupt(format!("{what} cannot be read: {}", self.0))
    }
}
