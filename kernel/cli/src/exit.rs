//! Exit codes, and which error ends the program with which.

use std::{fmt, io};

use kjerne_model::{Code, Refusal};
use kjerne_store::StoreError;
use kjerne_workspace::Error;
use serde_json::Value as Json;

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
    /// The commit waits for somebody's approval.
    Waits = 8,
}

impl Exit {
    /// Every code with its meaning, as `--help` shows it.
    pub const TABLE: [(Self, &'static str); 9] = [
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
            "another process held the workspace for too long; the message names it",
        ),
        (
            Self::Damaged,
            "the data file is damaged, or verify found faults",
        ),
        (
            Self::Storage,
            "disk full, input/output error, or a data file of a newer format",
        ),
        (
            Self::Waits,
            "the change waits for approval; kjerne approval shows it",
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

/// Something that was typed cannot be read.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    Error::unreadable(message).into()
}

/// Something is not there.
pub fn not_found(message: impl Into<String>) -> anyhow::Error {
    Error::not_found(message).into()
}

/// What the HTTP interface answered instead of what was asked for.
#[derive(Debug)]
pub struct Told {
    /// How the program ends.
    pub exit: Exit,
    message: String,
    /// Every reason, when a commit was refused.
    pub refusals: Vec<Json>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Told {}

impl Told {
    /// What a problem document says.
    #[must_use]
    pub fn of_problem(problem: &Json) -> Self {
        let text = |name: &str| problem[name].as_str().unwrap_or_default();
        let refusals = problem["refusals"].as_array().cloned().unwrap_or_default();
        let kind = text("type").rsplit(':').next().unwrap_or_default();
        let exit = match kind {
            "bad-request" | "media-type" | "too-large" => Exit::Usage,
            "not-found" | "unknown-kind" | "unknown-record" | "not-bound" => Exit::NotFound,
            "damaged" => Exit::Damaged,
            "storage" | "disk-full" | "read-only" | "outcome-unknown" => Exit::Storage,
            "refused" | "owner-only" | "changed-since" => Exit::Refused,
            _ if !refusals.is_empty() => Exit::Refused,
            _ => Exit::Failed,
        };
        let message = match (refusals.as_slice(), text("detail")) {
            ([], "") => "the server answered with an error that says nothing".to_owned(),
            ([], detail) => detail.to_owned(),
            (refusals, _) => refused(refusals),
        };
        Self {
            exit,
            message,
            refusals,
        }
    }
}

/// Every reason on a line of its own, with who gave it.
fn refused(refusals: &[Json]) -> String {
    let line = |refusal: &Json| {
        let text = |name: &str| refusal[name].as_str();
        let message = text("message").unwrap_or_default();
        let by = match (text("plugin"), text("reason")) {
            (Some(plugin), Some(reason)) => format!("{plugin}: {reason}"),
            (Some(plugin), None) => plugin.to_owned(),
            _ => text("code").unwrap_or_default().to_owned(),
        };
        format!("\n  - {message} [{by}]")
    };
    let lines: String = refusals.iter().map(line).collect();
    format!("refused{lines}")
}

/// The exit code an error leads to.
#[must_use]
pub fn exit_of(error: &anyhow::Error) -> Exit {
    if let Some(told) = error.downcast_ref::<Told>() {
        return told.exit;
    }
    if let Some(store) = error.downcast_ref::<StoreError>() {
        return of_store(store);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return of_io(error);
    }
    match error.downcast_ref::<Error>().map(Error::root) {
        Some(Error::Unreadable(_)) => Exit::Usage,
        Some(Error::NotFound(_)) => Exit::NotFound,
        Some(Error::Refused(_)) => Exit::Refused,
        Some(Error::Commit(refusals)) => of_refusals(refusals),
        Some(Error::Store(store)) => of_store(store),
        Some(Error::Io(error)) => of_io(error),
        Some(Error::Failed(_) | Error::During { .. }) | None => Exit::Failed,
    }
}

fn of_io(error: &io::Error) -> Exit {
    match error.kind() {
        _ if is_storage(error) => Exit::Storage,
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Exit::NotFound,
        // A file where a folder is meant, or the other way about.
        io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => Exit::Usage,
        _ => Exit::Failed,
    }
}

/// Whether it is the disk that has no room, may not be written or is broken.
fn is_storage(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let kinds = [StorageFull, QuotaExceeded, FileTooLarge, ReadOnlyFilesystem];
    // An error of the device itself has no kind of its own.
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(DEVICE)
}

/// EIO, on every Unix.
const DEVICE: i32 = 5;

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
        StoreError::Exists(_) | StoreError::Halted(_) => Exit::Usage,
        StoreError::Corrupt(_) => Exit::Damaged,
        StoreError::NewerFormat { .. }
        | StoreError::Full(_)
        | StoreError::Io(_)
        | StoreError::Unknown(_)
        | StoreError::ReadOnly(_) => Exit::Storage,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn each_error_ends_with_its_code() {
        let refused = |code| anyhow::Error::new(Error::from(vec![Refusal::new(code, "no")]));
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let absent = || io::Error::from(io::ErrorKind::NotFound);
        let there = || io::Error::from(io::ErrorKind::AlreadyExists);
        let cases: [(anyhow::Error, u8); 18] = [
            (there().into(), 2),
            (absent().into(), 4),
            (Error::from(absent()).during("reading").into(), 4),
            (full().into(), 7),
            (Error::from(full()).during("writing").into(), 7),
            (io::Error::from_raw_os_error(5).into(), 7),
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
        assert_eq!(codes, (0..9).collect::<Vec<u8>>());
        assert!(help().contains("  5  another process held the workspace"));
    }
}
