//! Text that is not what was expected.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

/// Text that is not what was expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// What was expected, as a noun: "a date such as 2026-11-21".
    pub expected: String,
    /// What was there, cut to its first 80 characters.
    pub found: String,
}

impl ParseError {
    /// An error that names what was expected and what was found.
    #[must_use]
    pub fn new(expected: &str, found: &str) -> Self {
        let mut shown: String = found.chars().take(80).collect();
        if shown.len() < found.len() {
            shown.push('…');
        }
        Self {
            expected: expected.to_owned(),
            found: shown,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {:?}", self.expected, self.found)
    }
}

impl core::error::Error for ParseError {}
