//! Exit codes, and which error ends the program with which.

use std::fmt;

use kjerne_model::{Code, Refusal};
use kjerne_store::StoreError;

/// How the program ends. The numbers are part of the interface: scripts go by them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Something failed that no other code names.
    Failed = 1,
    /// The command line, a filter, a value or a settings file could not be read.
    Usage = 2,
    /// The kernel refused the commit or some rows of an import, or a plugin file was refused.
    Refused = 3,
    /// There is no such workspace, kind, record, plugin or file.
    NotFound = 4,
    /// Another process has the workspace open.
    InUse = 5,
    /// The data file is damaged, or `verify` found faults.
    Damaged = 6,
    /// The disk is full, the operating system failed to read or write, or the data file is of a
    /// newer format.
    Storage = 7,
}

impl Exit {
    /// Every code with its meaning, as `--help` shows it.
    pub const TABLE: [(Self, &'static str); 8] = [
        (Self::Done, "done"),
        (Self::Failed, "failed for a reason no other code names"),
        (
            Self::Usage,
            "the command line, a filter, a value or a settings file could not be read",
        ),
        (
            Self::Refused,
            "the change, the plugin or some rows of an import were refused; the reasons are printed",
        ),
        (
            Self::NotFound,
            "no such workspace, kind, record, plugin or file",
        ),
        (
            Self::InUse,
            "another process has the workspace open; the message names it",
        ),
        (
            Self::Damaged,
            "the data file is damaged, or verify found faults",
        ),
        (
            Self::Storage,
            "disk full, input/output error, or a data file of a newer format",
        ),
    ];

    /// The number the operating system gets.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// The table of exit codes, for the end of `--help`.
#[must_use]
pub fn help() -> String {
    let lines = Exit::TABLE
        .iter()
        .map(|(exit, text)| format!("  {}  {text}\n", exit.code()));
    format!("Exit codes:\n{}", lines.collect::<String>())
}

/// An error with the exit code it leads to.
#[derive(Debug)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What, where, and what to do.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Something could not be read.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    Failure {
        exit: Exit::Usage,
        message: message.into(),
    }
    .into()
}

/// Something is not there.
pub fn not_found(message: impl Into<String>) -> anyhow::Error {
    Failure {
        exit: Exit::NotFound,
        message: message.into(),
    }
    .into()
}

/// Something was refused that is no commit, such as a plugin file.
pub fn refused(message: impl Into<String>) -> anyhow::Error {
    Failure {
        exit: Exit::Refused,
        message: message.into(),
    }
    .into()
}

/// A commit the kernel refused, with every reason.
#[derive(Debug)]
pub struct Refused(pub Vec<Refusal>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused")?;
        for refusal in &self.0 {
            write!(f, "\n  - {refusal}")?;
            match (&refusal.plugin, &refusal.reason) {
                (Some(plugin), Some(reason)) => write!(f, " [{plugin}: {reason}]")?,
                (Some(plugin), None) => write!(f, " [{plugin}]")?,
                _ => write!(f, " [{}]", refusal.code.name())?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// The exit code an error leads to.
#[must_use]
pub fn exit_of(error: &anyhow::Error) -> Exit {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        failure.exit
    } else if let Some(Refused(refusals)) = error.downcast_ref::<Refused>() {
        of_refusals(refusals)
    } else if let Some(store) = error.downcast_ref::<StoreError>() {
        of_store(store)
    } else {
        Exit::Failed
    }
}

fn of_refusals(refusals: &[Refusal]) -> Exit {
    match refusals.first().map(|refusal| refusal.code) {
        Some(Code::UnknownKind | Code::UnknownRecord) => Exit::NotFound,
        _ => Exit::Refused,
    }
}

fn of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::Held { .. } => Exit::InUse,
        StoreError::Missing(_) => Exit::NotFound,
        StoreError::Exists(_) => Exit::Usage,
        StoreError::Corrupt(_) => Exit::Damaged,
        StoreError::NewerFormat { .. }
        | StoreError::Full(_)
        | StoreError::Io(_)
        | StoreError::ReadOnly(_) => Exit::Storage,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn each_error_ends_with_its_code() {
        let refused = |code| anyhow::Error::new(Refused(vec![Refusal::new(code, "no")]));
        let cases: [(anyhow::Error, u8); 12] = [
            (anyhow::anyhow!("anything"), 1),
            (usage("what"), 2),
            (refused(Code::Guard), 3),
            (refused(Code::StaleVersion), 3),
            (refused(Code::UnknownRecord), 4),
            (refused(Code::UnknownKind), 4),
            (not_found("it"), 4),
            (StoreError::Missing("w".into()).into(), 4),
            (
                StoreError::Held {
                    by: "kjerne serve, process 1".into(),
                }
                .into(),
                5,
            ),
            (StoreError::Corrupt("page 7".into()).into(), 6),
            (StoreError::Full("no space".into()).into(), 7),
            (StoreError::NewerFormat { found: 9, known: 1 }.into(), 7),
        ];
        for (error, expected) in cases {
            assert_eq!(exit_of(&error).code(), expected, "{error:#}");
            assert_eq!(exit_of(&error.context("while trying")).code(), expected);
        }
    }

    #[test]
    fn the_table_lists_every_code_once_and_in_order() {
        let codes: Vec<u8> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, (0..8).collect::<Vec<u8>>());
        assert!(help().contains("  5  another process has the workspace open"));
    }

    #[test]
    fn a_refusal_names_the_plugin_and_its_reason() {
        let refusal =
            Refusal::new(Code::Guard, "fill in the amount").by("sales-stages", "missing-amount");
        let text = Refused(vec![refusal]).to_string();
        assert_eq!(
            text,
            "refused\n  - fill in the amount [sales-stages: missing-amount]"
        );
    }
}
