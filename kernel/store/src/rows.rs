//! The rows the kernel keeps beside records and journal, one type for each space that has any.
//! `codec` writes and reads them.

use kjerne_model::{Actor, Asked, Cause, Change, Date, Edit, Instant, Message, RecordId};

use crate::spent::Spent;

/// What a key was used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRow {
    /// A digest of the commit, by which another commit with the same key is told from a repetition.
    pub digest: [u8; 16],
    /// The journal entry that was made; 0 when the commit changed nothing. Of a commit that waits for
    /// approval, the entry that tells so, and of one whose waiting has ended, the entry that ended it.
    pub entry: u64,
}

/// A commit that waits for approval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingRow {
    /// Its id.
    pub id: RecordId,
    /// When it was asked for.
    pub asked_at: Instant,
    /// Whose commit it is.
    pub actor: Actor,
    /// Who had a plugin make it.
    pub behind: Option<Actor>,
    /// What it asks for; what it creates has its ids.
    pub changes: Vec<Change>,
    /// Its idempotency key, and the digest of what was asked for with it.
    pub key: Option<(String, [u8; 16])>,
    /// What led to it.
    pub cause: Option<Cause>,
    /// The messages that are queued with it, and their place in their chain.
    pub messages: Vec<Message>,
    /// What led to the messages.
    pub link: Link,
    /// What it comes to, as those who approve are shown it.
    pub edits: Vec<Edit>,
    /// Who is asked, and why.
    pub asked: Vec<Asked>,
    /// Who has approved so far.
    pub approvals: Vec<Approval>,
    /// Who was told that it is not as it was asked for; nobody while it is.
    pub told: Vec<Actor>,
    /// Why it was refused when it was last approved.
    pub error: Option<String>,
}

/// One person's approval, in one role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    /// The role.
    pub role: String,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Instant,
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

/// How far one plugin has come with one job.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobRow {
    /// Nothing until this time is to be done any more: the last due time that was done or given up, or the
    /// time from which the job counts.
    pub position: Instant,
    /// The last run that went well.
    pub last: Option<JobRun>,
    /// How often it has failed since.
    pub tries: u32,
    /// When to try again.
    pub not_before: Instant,
    /// What it last failed with.
    pub error: Option<String>,
    /// The run that was given up and is parked.
    pub parked: Option<DueRun>,
}

/// A run of a job that went well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobRun {
    /// What it was for.
    pub due: DueRun,
    /// When it ran.
    pub at: Instant,
}

/// A run of a job: the time it was due, and how many went by before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DueRun {
    /// When it was due.
    pub at: Instant,
    /// How many runs before it were missed.
    pub missed: u64,
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

/// Where one file of a plugin comes from, as it was found when it was installed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// Its version.
    pub version: String,
    /// The digest of the file.
    pub digest: [u8; 32],
    /// Who signed it, and with which public key; none for a file that nobody signed.
    pub signer: Option<Signer>,
}

/// Who signed a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signer {
    /// The publisher.
    pub publisher: String,
    /// Their public key, in one line.
    pub key: String,
}

/// A publisher, and the keys known to be theirs, the oldest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublisherRow {
    /// Their name, as manifests have it.
    pub name: String,
    /// Their keys.
    pub keys: Vec<PublisherKey>,
}

/// One key of a publisher.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublisherKey {
    /// The public key, in one line.
    pub key: String,
    /// What it is worth.
    pub standing: KeyStanding,
    /// Since when it is worth that.
    pub since: Instant,
}

/// What a publisher's key is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyStanding {
    /// It signs what is installed.
    Trusted,
    /// It signed its successor: what it signed before stays, and it signs nothing new.
    Succeeded,
    /// It was taken back: what it signed is marked, and is not installed or switched on.
    Revoked,
}

impl PublisherRow {
    /// The key that signs now; none when all are revoked.
    #[must_use]
    pub fn trusted(&self) -> Option<&PublisherKey> {
        let mut keys = self.keys.iter().rev();
        keys.find(|key| key.standing == KeyStanding::Trusted)
    }

    /// What a key of theirs is worth; none for one that is not theirs.
    #[must_use]
    pub fn standing(&self, key: &str) -> Option<KeyStanding> {
        let mut keys = self.keys.iter();
        keys.find(|known| known.key == key)
            .map(|known| known.standing)
    }
}

/// A version of a plugin that waits until an administrator has looked at it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingRow {
    /// The plugin.
    pub plugin: String,
    /// Where the file that waits comes from.
    pub origin: Origin,
    /// Its signature, as it came.
    pub signature: Option<String>,
    /// The statement by which its key succeeds another, as it came.
    pub succession: Option<String>,
    /// Since when it waits.
    pub since: Instant,
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
