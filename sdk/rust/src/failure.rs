//! Failures: a code for programs, a sentence for people.

use std::fmt;

use crate::contract::Failure;

impl Failure {
    /// A failure with a code in small letters and dashes and a sentence that says what to do.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

// The generated type already implements `Error`, with a text of its own; this is the short form that
// goes into logs and panics.
pub(crate) struct Shown<'a>(pub &'a Failure);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}
