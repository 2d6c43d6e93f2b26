//! What a plugin is shown: the call, changes, records and journal entries.

use crate::bindings::imports::kjerne::crm::types as raw;
use crate::contract::RecordRef;
use crate::fields::Fields;
use crate::time::Instant;

/// What a call is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    now: Instant,
    actor: String,
    depth: u32,
}

impl Context {
    /// A context for a plugin's own tests.
    pub fn new(now: Instant, actor: impl Into<String>, depth: u32) -> Self {
        Self {
            now,
            actor: actor.into(),
            depth,
        }
    }

    /// The time of the commit, or of the call when there is no commit. It stands still during a call.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Who asks: `user:NAME`, `plugin:ID` or `system:JOB`.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// How many reactions led here: 0 when a person or job asked.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }
}

/// What is done to a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// It is made.
    Create,
    /// Some of its fields change.
    Update,
    /// It is removed.
    Delete,
    /// Something a later version of the contract knows; a guard lets it pass.
    Other(String),
}

impl Operation {
    /// Its name in the contract.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for Operation {
    fn from(name: String) -> Self {
        match name.as_str() {
            "create" => Self::Create,
            "update" => Self::Update,
            "delete" => Self::Delete,
            _ => Self::Other(name),
        }
    }
}

/// One change of a commit under way, after all shaping that has been done so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its place among the changes of this call, counted from 0.
    pub index: u32,
    /// The record's kind.
    pub kind: String,
    /// The record's id.
    pub id: String,
    /// What is done to it.
    pub operation: Operation,
    /// The record before; without fields for a create.
    pub before: Fields,
    /// The record as it would be stored; without fields for a delete.
    pub after: Fields,
    /// The names of the fields that differ, sorted; only those this plugin may read.
    pub changed: Vec<String>,
}

impl Change {
    /// Whether this field differs.
    #[must_use]
    pub fn changed(&self, field: &str) -> bool {
        self.changed.iter().any(|name| name == field)
    }

    /// The record it is about.
    #[must_use]
    pub fn record(&self) -> RecordRef {
        RecordRef::new(&self.kind, &self.id)
    }
}

/// A record as far as this plugin may read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// 1 when created, one more with every commit that changed it.
    pub version: u64,
    /// Its fields; one that was not granted is absent.
    pub fields: Fields,
}

impl Record {
    /// The reference to it.
    #[must_use]
    pub fn reference(&self) -> RecordRef {
        RecordRef::new(&self.kind, &self.id)
    }
}

impl From<raw::CrmRecord> for Record {
    fn from(record: raw::CrmRecord) -> Self {
        Self {
            kind: record.kind,
            id: record.id,
            version: record.version,
            fields: record.fields.into(),
        }
    }
}

/// A commit that has been stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its number in the journal: 1, 2, 3, … without gaps.
    pub number: u64,
    /// When it was made.
    pub at: Instant,
    /// `user:NAME`, `plugin:ID` or `system:JOB`.
    pub actor: String,
    /// 0 for a commit a person or job asked for, one more along a chain of reactions.
    pub depth: u32,
    /// What it changed, as far as the plugin watches it.
    pub edits: Vec<Edit>,
}

impl From<raw::JournalEntry> for Entry {
    fn from(entry: raw::JournalEntry) -> Self {
        Self {
            number: entry.number,
            at: Instant::from_millis(entry.at),
            actor: entry.actor,
            depth: entry.depth,
            edits: entry.edits.into_iter().map(Edit::from).collect(),
        }
    }
}

/// One change of a commit that has been stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The record's kind.
    pub kind: String,
    /// The record's id.
    pub id: String,
    /// The record's version after it.
    pub version: u64,
    /// What was done to it.
    pub operation: Operation,
    /// The record before; without fields for a create.
    pub before: Fields,
    /// The record after; without fields for a delete.
    pub after: Fields,
    /// The names of the fields that differ, sorted; only those this plugin may read.
    pub changed: Vec<String>,
}

impl Edit {
    /// Whether this field differs.
    #[must_use]
    pub fn changed(&self, field: &str) -> bool {
        self.changed.iter().any(|name| name == field)
    }

    /// The record it is about.
    #[must_use]
    pub fn record(&self) -> RecordRef {
        RecordRef::new(&self.kind, &self.id)
    }
}

impl From<raw::JournalEdit> for Edit {
    fn from(edit: raw::JournalEdit) -> Self {
        Self {
            kind: edit.kind,
            id: edit.id,
            version: edit.version,
            operation: edit.operation.into(),
            before: edit.before.into(),
            after: edit.after.into(),
            changed: edit.changed,
        }
    }
}
