//! Where a filter is wrong, and how.

use std::fmt;

/// A filter that does not parse: where, what was expected there, what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterError {
    /// The character, counted from 0, at which reading stopped.
    pub position: usize,
    /// What would have been right there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "filter, position {}: expected {}, found {}",
            self.position, self.expected, self.found
        )
    }
}

impl std::error::Error for FilterError {}
