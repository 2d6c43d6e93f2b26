//! Refusals: a commit said no to, as data.

use std::fmt;

use kjerne_values::ParseError;

use crate::id::RecordId;
use crate::name::Name;

/// Why a commit was refused. One ordered list: when several apply, the first in this order is the
/// commit's outcome, and the later ones are told along with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Code {
    /// The commit has no changes, too many, or a key that is too long.
    BadCommit,
    /// The idempotency key was used before with other changes.
    KeyReused,
    /// The chain of reactions is longer than the limit.
    TooDeep,
    /// The actor may not do this.
    NotAllowed,
    /// There is no such kind.
    UnknownKind,
    /// There is no such record.
    UnknownRecord,
    /// A record with this id is there already.
    AlreadyExists,
    /// The record has changed since the asker read it.
    StaleVersion,
    /// The kind has no such field.
    UnknownField,
    /// A plugin set a field it was not granted, or broke its bounds.
    PluginFault,
    /// The value is of another type than the field.
    WrongType,
    /// The value is of the right type and still not allowed: no such choice, too long, no e-mail.
    InvalidValue,
    /// A required field is empty.
    Required,
    /// The record referred to does not exist or is of a kind the field does not take.
    UnknownReference,
    /// Another record holds the same value in a unique field.
    Duplicate,
    /// Other records refer to the record to be deleted.
    StillReferenced,
    /// A guard said no.
    Guard,
    /// A guard asks for somebody's approval, and the commit cannot wait for it.
    CannotWait,
    /// Other commits kept changing what this one had read; it was tried as often as allowed.
    Contention,
}

impl Code {
    /// Every code, in order of precedence.
    pub const ALL: [Self; 19] = [
        Self::BadCommit,
        Self::KeyReused,
        Self::TooDeep,
        Self::NotAllowed,
        Self::UnknownKind,
        Self::UnknownRecord,
        Self::AlreadyExists,
        Self::StaleVersion,
        Self::UnknownField,
        Self::PluginFault,
        Self::WrongType,
        Self::InvalidValue,
        Self::Required,
        Self::UnknownReference,
        Self::Duplicate,
        Self::StillReferenced,
        Self::Guard,
        Self::CannotWait,
        Self::Contention,
    ];

    /// The code as it stands in problems, journal and reports: `stale-version`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BadCommit => "bad-commit",
            Self::KeyReused => "key-reused",
            Self::TooDeep => "too-deep",
            Self::NotAllowed => "not-allowed",
            Self::UnknownKind => "unknown-kind",
            Self::UnknownRecord => "unknown-record",
            Self::AlreadyExists => "already-exists",
            Self::StaleVersion => "stale-version",
            Self::UnknownField => "unknown-field",
            Self::PluginFault => "plugin-fault",
            Self::WrongType => "wrong-type",
            Self::InvalidValue => "invalid-value",
            Self::Required => "required",
            Self::UnknownReference => "unknown-reference",
            Self::Duplicate => "duplicate",
            Self::StillReferenced => "still-referenced",
            Self::Guard => "guard",
            Self::CannotWait => "cannot-wait",
            Self::Contention => "contention",
        }
    }

    /// The code of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

/// One reason to refuse a commit: what, where, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Which rule.
    pub code: Code,
    /// Which of the commit's changes, counted from 0; none when it is the commit as a whole.
    pub change: Option<usize>,
    /// The kind concerned.
    pub kind: Option<Name>,
    /// The record concerned, when it has an id.
    pub id: Option<RecordId>,
    /// The field concerned.
    pub field: Option<String>,
    /// A sentence for the person: what is wrong and what to do.
    pub message: String,
    /// The plugin that refused, or that broke.
    pub plugin: Option<String>,
    /// The plugin's own code for its reason, `missing-next-step`, or the limit that was broken.
    pub reason: Option<String>,
}

impl Refusal {
    /// A refusal with nothing but its rule and sentence; the rest is added by the `with`s.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            change: None,
            kind: None,
            id: None,
            field: None,
            message: message.into(),
            plugin: None,
            reason: None,
        }
    }

    /// Adds which change and kind it is about.
    #[must_use]
    pub fn at(mut self, change: usize, kind: &Name) -> Self {
        self.change = Some(change);
        self.kind = Some(kind.clone());
        self
    }

    /// Adds the record.
    #[must_use]
    pub fn record(mut self, id: RecordId) -> Self {
        self.id = Some(id);
        self
    }

    /// Adds the field.
    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Adds the plugin and its own reason.
    #[must_use]
    pub fn by(mut self, plugin: &str, reason: &str) -> Self {
        self.plugin = Some(plugin.to_owned());
        self.reason = Some(reason.to_owned());
        self
    }

    /// A value that could not be read as its field's type.
    #[must_use]
    pub fn unreadable(field: &str, error: &ParseError) -> Self {
        Self::new(Code::InvalidValue, format!("{field}: {error}")).field(field)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
