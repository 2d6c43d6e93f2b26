//! Failures: a code for programs, a sentence for people.

use crate::contract::Failure;

impl Failure {
    /// A failure with a code in small letters and dashes and a sentence that says what to do.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }

    /// What it says, for people: in logs, panics and messages of one's own. Printed as it is, with `{}`
    /// as with `{:?}`, it shows its parts, since the type is generated with both.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{}: {}", self.code, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_as_a_sentence() {
        let failure = Failure::new("not-found", "there is no such case; look again");
        assert_eq!(
            failure.told(),
            "not-found: there is no such case; look again"
        );
    }
}
