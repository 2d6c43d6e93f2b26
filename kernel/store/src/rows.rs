//! The rows the kernel keeps beside records and journal, one type for each space that has any.
//! `codec` writes and reads them.

use kjerne_model::{Date, Instant, Message, RecordId};

use crate::spent::Spent;

/// What a key was used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRow {
    /// A digest of the commit, by which another commit with the same key is told from a repetition.
    pub digest: [u8; 16],
    /// The journal entry that was made; 0 when the commit changed nothing.
    pub entry: u64,
}

/// Where one plugin stands in one role.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CursorRow {
    /// The last journal entry it has come by: it is done with all up to here but those put aside.
    pub position: u64,
    /// The entries up to there that it is still to answer, in order.
    pub aside: Vec<AsideRow>,
}

/// An entry that was put aside: the plugin failed on it and is to try again, or it is about a record of
/// such an entry and waits behind that.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AsideRow {
    /// The journal entry.
    pub entry: u64,
    /// The records it is about, sorted. Ids alone: two records of different kinds with one id wait for each
    /// other, which keeps every order there is to keep.
    pub records: Vec<RecordId>,
    /// How often the plugin has failed on it; 0 when it waits behind another entry.
    pub tries: u32,
    /// When to try again.
    pub not_before: Instant,
    /// What the last try failed with.
    pub error: Option<String>,
}

/// One entry one plugin gave up on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParkedRow {
    /// The plugin.
    pub plugin: String,
    /// In which role.
    pub role: String,
    /// The journal entry.
    pub entry: u64,
    /// When it was given up.
    pub at: Instant,
    /// How often it was tried.
    pub tries: u32,
    /// What the last try failed with.
    pub error: String,
}

/// One message and how its delivery goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxRow {
    /// Its place in the queue, from [`outbox::next_seq`](crate::outbox::next_seq).
    pub seq: u64,
    /// The plugin that made it.
    pub plugin: String,
    /// The message.
    pub message: Message,
    /// When it was queued.
    pub queued_at: Instant,
    /// How often it was tried.
    pub tries: u32,
    /// When to try again.
    pub not_before: Instant,
    /// What the last try failed with.
    pub error: Option<String>,
    /// True when it is not tried any more.
    pub gave_up: bool,
    /// What led to it, and what may still follow from it.
    pub link: Link,
}

/// A message's place in a chain of messages and answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Link {
    /// The journal entry that led to it; 0 when none did.
    pub entry: u64,
    /// How many reactions and answers led to it.
    pub depth: u32,
    /// How many messages may follow from its answer, and from theirs.
    pub follow_ups: u32,
}

/// What one plugin has in the outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Waiting {
    /// Messages still to be delivered.
    pub rows: u64,
    /// Their bytes, as stored.
    pub bytes: u64,
    /// Messages given up, which stay to be looked at.
    pub given_up: u64,
}

/// An installed plugin and what the administrator has set for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginRow {
    /// Its id.
    pub id: String,
    /// The version in use.
    pub version: String,
    /// The digest of the package in use.
    pub digest: [u8; 32],
    /// Whether it is asked at all.
    pub enabled: bool,
    /// What it is allowed, item by item.
    pub grants: Vec<String>,
    /// Its settings, as text.
    pub settings: String,
    /// One more with every change of the row, so that a change made from an old view is seen.
    pub revision: u64,
    /// Its place in the order in which plugins are asked.
    pub position: u32,
    /// When it was installed.
    pub installed_at: Instant,
    /// The roles that are switched on.
    pub roles: Vec<String>,
    /// What the administrator set for its calls, by name: `fuel.guard`.
    pub limits: Vec<(String, u64)>,
    /// Whether a commit passes when it breaks as a guard.
    pub lets_pass: bool,
}

/// What one version of a plugin cost on one day, or in one month, in one role.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CostRow {
    /// The day, in UTC; of a month its first.
    pub day: Date,
    /// Whether it is about a whole month.
    pub month: bool,
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The version of the runtime that counted its fuel; empty where none ran.
    pub runtime: String,
    /// The role it was called in.
    pub role: String,
    /// The kind of the records it was asked about; empty where it was about none, and in a month.
    pub kind: String,
    /// What it used.
    pub spent: Spent,
}
