//! Journal entries: every commit, in order, for ever.

use kjerne_values::Instant;

use crate::change::{Actor, Cause};
use crate::id::RecordId;
use crate::name::Name;
use crate::record::Fields;

/// One commit as the journal keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its number: 1 for the first commit of a workspace, without gaps.
    pub number: u64,
    /// When.
    pub at: Instant,
    /// Who asked.
    pub actor: Actor,
    /// The idempotency key it came with.
    pub key: Option<String>,
    /// What led to it, when a reaction proposed it.
    pub cause: Option<Cause>,
    /// What changed, in the order of the commit's changes.
    pub edits: Vec<Edit>,
    /// What each plugin asked said, and what it cost.
    pub verdicts: Vec<Verdict>,
    /// What was done that is no change of a record: an act of administration, or the approval that let the
    /// edits beside it through.
    pub act: Option<Act>,
}

/// One act of administration or approval: what was done to the workspace and is no change of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// What was done, such as `plugin.grant`.
    pub operation: String,
    /// To what: a plugin's id, the name of a token, the id of a commit that waits for approval.
    pub subject: String,
    /// What of it, by name, such as the version and the items; never a secret.
    pub details: Vec<(String, String)>,
}

impl Act {
    /// An act without details.
    #[must_use]
    pub fn new(operation: &str, subject: &str) -> Self {
        Self {
            operation: operation.to_owned(),
            subject: subject.to_owned(),
            details: Vec::new(),
        }
    }

    /// The same with one detail more; an empty one says nothing and is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.details.push((name.to_owned(), value));
        }
        self
    }
}

/// What one change did to one record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The record's kind.
    pub kind: Name,
    /// The record's id.
    pub id: RecordId,
    /// The record's version after the commit; for a removal, the version it would have had.
    pub version: u64,
    /// All fields before; none when the record was created.
    pub before: Option<Fields>,
    /// All fields after; none when the record was removed.
    pub after: Option<Fields>,
}

impl Edit {
    /// `create`, `update` or `delete`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "create",
            (Some(_), Some(_)) => "update",
            (Some(_), None) => "delete",
        }
    }

    /// The names of the fields that differ between before and after, sorted.
    #[must_use]
    pub fn changed(&self) -> Vec<Name> {
        let empty = Fields::new();
        let before = self.before.as_ref().unwrap_or(&empty);
        let after = self.after.as_ref().unwrap_or(&empty);
        let mut names: Vec<Name> = before
            .keys()
            .chain(after.keys())
            .filter(|name| before.get(*name) != after.get(*name))
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// One plugin's part in a commit that was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The plugin's id.
    pub plugin: String,
    /// The version that was asked.
    pub version: String,
    /// The role it was asked in: `shape` or `guard`.
    pub role: String,
    /// The fuel the call used: the same for the same commit on every machine.
    pub fuel: u64,
    /// The fields the plugin set, as `change.field`, when it shaped.
    pub set: Vec<String>,
    /// What it advised, when it guarded.
    pub advice: Vec<Remark>,
    /// How it broke, when the commit passed a guard that did not judge it: the limit it passed, or `trap`.
    pub broke: Option<String>,
}

/// What a guard says of a commit without refusing it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// The plugin that says it.
    pub plugin: String,
    /// The rule's own name.
    pub code: String,
    /// A sentence for the person.
    pub message: String,
    /// Which of the commit's changes; none when it is the commit as a whole.
    pub change: Option<usize>,
    /// The kind concerned.
    pub kind: Option<Name>,
    /// The record concerned.
    pub id: Option<RecordId>,
    /// The field the person should look at.
    pub field: Option<String>,
}

/// A guard's wish that somebody else lets a commit through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The role of those who may.
    pub role: String,
    /// Which rule asks, and why.
    pub remark: Remark,
}

impl Asked {
    /// The longest name of a role, in bytes.
    pub const MAX_ROLE_BYTES: usize = 64;

    /// Whether a role may be called so: small letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn is_role(name: &str) -> bool {
        let fits =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        (1..=Self::MAX_ROLE_BYTES).contains(&name.len()) && name.bytes().all(fits)
    }
}
