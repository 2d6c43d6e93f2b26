//! The spaces of a workspace: each is an ordered map of its own from bytes to bytes.

/// One ordered map of the store. The number is part of the data format and never changes meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Space {
    /// Format version, workspace id, the last journal number, keys made at creation.
    Meta,
    /// Records, by kind and id.
    Records,
    /// Index entries, by kind, field, value and id.
    Index,
    /// Values of unique fields, by kind, field and value; holds the id.
    Unique,
    /// Journal entries, by number.
    Journal,
    /// Which journal entries changed a record, by kind, id and number.
    History,
    /// Idempotency keys, by actor and key; holds what was done.
    Keys,
    /// Where each reacting plugin stands in the journal, by plugin and role.
    Cursors,
    /// Journal entries a plugin gave up on, by plugin, role and number.
    Parked,
    /// Messages waiting to be delivered, by sequence.
    Outbox,
    /// Installed plugins, by id; bindings of domain interfaces.
    Plugins,
    /// Plugins' own key spaces, by plugin and key.
    PluginState,
    /// What plugins cost, by day, plugin and role.
    Costs,
    /// Commits that wait for approval, by id; and how many each actor has waiting.
    Pending,
    /// Who may approve, by role and actor.
    Approvers,
}

impl Space {
    /// Every space, in the order of the data format.
    pub const ALL: [Self; 15] = [
        Self::Meta,
        Self::Records,
        Self::Index,
        Self::Unique,
        Self::Journal,
        Self::History,
        Self::Keys,
        Self::Cursors,
        Self::Parked,
        Self::Outbox,
        Self::Plugins,
        Self::PluginState,
        Self::Costs,
        Self::Pending,
        Self::Approvers,
    ];

    /// The space's name in the data file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Records => "records",
            Self::Index => "index",
            Self::Unique => "unique",
            Self::Journal => "journal",
            Self::History => "history",
            Self::Keys => "keys",
            Self::Cursors => "cursors",
            Self::Parked => "parked",
            Self::Outbox => "outbox",
            Self::Plugins => "plugins",
            Self::PluginState => "plugin-state",
            Self::Costs => "costs",
            Self::Pending => "pending",
            Self::Approvers => "approvers",
        }
    }
}
