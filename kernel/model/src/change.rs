//! What somebody wants done to records.

use kjerne_values::Instant;

use crate::id::RecordId;
use crate::name::Name;
use crate::record::{Fields, Patch};

/// The atomic unit of change: all of its changes happen, or none does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// What to do, in order; a later change sees what an earlier one did.
    pub changes: Vec<Change>,
    /// Who asks.
    pub actor: Actor,
    /// Names this commit: a second commit with the same key by the same actor does nothing and
    /// answers as the first did. At most [`Commit::MAX_KEY_BYTES`].
    pub key: Option<String>,
    /// When it happens. Stored as the records' time, and the only clock plugins see.
    pub at: Instant,
    /// What led to it, when a reaction proposed it.
    pub cause: Option<Cause>,
}

impl Commit {
    /// The longest idempotency key, in bytes.
    pub const MAX_KEY_BYTES: usize = 255;
    /// The most changes in one commit, so that one import batch cannot hold the writer for long.
    pub const MAX_CHANGES: usize = 1_000;
}

/// One wish for one record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Make a record.
    Create {
        /// Of this kind.
        kind: Name,
        /// With this id, or a new one when none is given.
        id: Option<RecordId>,
        /// Holding these fields.
        fields: Fields,
    },
    /// Set or clear fields of a record.
    Update {
        /// Which record, and the version it must have.
        target: Target,
        /// The fields to set or clear.
        patch: Patch,
    },
    /// Remove a record. Its history stays in the journal.
    Delete {
        /// Which record, and the version it must have.
        target: Target,
    },
}

impl Change {
    /// The kind the change is about.
    #[must_use]
    pub fn kind(&self) -> &Name {
        match self {
            Self::Create { kind, .. } => kind,
            Self::Update { target, .. } | Self::Delete { target } => &target.kind,
        }
    }
}

/// An existing record to be changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Its kind.
    pub kind: Name,
    /// Its id.
    pub id: RecordId,
    /// The version the asker has seen; the commit is refused when the record has another by now.
    pub expected: Option<u64>,
}

/// Who asks for a commit. Access rules go by it, and the journal keeps it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Actor {
    /// A person or program that came through CLI or HTTP, by the name it was authenticated as.
    User(String),
    /// An installed plugin, by its id.
    Plugin(String),
    /// The kernel's own jobs: import, demo, service clock.
    System(String),
}

impl Actor {
    /// The actor written so: `user:kari`, `plugin:acme.credit`, `system:import`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (sort, name) = text.split_once(':').filter(|(_, name)| !name.is_empty())?;
        match sort {
            "user" => Some(Self::User(name.to_owned())),
            "plugin" => Some(Self::Plugin(name.to_owned())),
            "system" => Some(Self::System(name.to_owned())),
            _ => None,
        }
    }
}

/// `user:kari`, `plugin:acme.credit`, `system:import`.
impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => write!(f, "user:{name}"),
            Self::Plugin(name) => write!(f, "plugin:{name}"),
            Self::System(name) => write!(f, "system:{name}"),
        }
    }
}

/// The journal entry a commit answers to, and how long the chain behind it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cause {
    /// The number of the journal entry reacted to.
    pub entry: u64,
    /// 1 for a commit proposed in answer to a person's commit, one more along the chain.
    pub depth: u32,
    /// How many messages may still follow from it, when the chain went through the answer to one.
    pub follow_ups: Option<u32>,
}
