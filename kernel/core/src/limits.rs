//! Every limit of the kernel: its name, its number and its reason, in one place.

use kjerne_model::{Commit, Name, Schema, filter};

/// One limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// Its name, as errors and reports have it.
    pub name: &'static str,
    /// Its number.
    pub value: u64,
    /// What is counted: `fuel`, `ms`, `bytes`, `calls`, ….
    pub unit: &'static str,
    /// Why there is such a limit, and why this number.
    pub reason: &'static str,
}

impl Limit {
    /// The number, as a count of things in memory.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.value as usize
    }
}

/// Changes in one commit.
pub const COMMIT_CHANGES: Limit = Limit {
    name: "commit-changes",
    value: Commit::MAX_CHANGES as u64,
    unit: "changes",
    reason: "one commit is one turn of the writer; a larger batch would hold up everybody else's",
};

/// Bytes of an idempotency key.
pub const COMMIT_KEY: Limit = Limit {
    name: "commit-key",
    value: Commit::MAX_KEY_BYTES as u64,
    unit: "bytes",
    reason: "keys are stored for ever; 255 bytes hold every key a client library makes",
};

/// Tries of one commit before it is refused for contention.
pub const COMMIT_TRIES: Limit = Limit {
    name: "commit-tries",
    value: 100,
    unit: "tries",
    reason: "each flush lets one of the commits that want the same record through; 100 lets 64 \
             writers queue at one record and still ends",
};

/// Commits that share one durable flush.
pub const GROUP_COMMITS: Limit = Limit {
    name: "group-commits",
    value: 256,
    unit: "commits",
    reason: "a flush serves everybody who waits, and stays short enough not to be felt",
};

/// Length of a chain of reactions.
pub const REACTION_DEPTH: Limit = Limit {
    name: "reaction-depth",
    value: 8,
    unit: "commits",
    reason: "plugins that answer each other must come to an end; useful chains are shorter",
};

/// Journal entries shown to a reaction in one call.
pub const REACTION_ENTRIES: Limit = Limit {
    name: "reaction-entries",
    value: 64,
    unit: "entries",
    reason: "one instance serves many entries, and a call stays within its plugin's budget",
};

/// Edits shown to a reaction in one call, unless a single entry has more.
pub const REACTION_EDITS: Limit = Limit {
    name: "reaction-edits",
    value: 500,
    unit: "edits",
    reason: "entries differ in size; the budget of a call is for edits, not for entries",
};

/// Journal entries read in one turn of a reaction while looking for some that concern it.
pub const REACTION_SCAN: Limit = Limit {
    name: "reaction-scan",
    value: 2_048,
    unit: "entries",
    reason: "a plugin that watches little passes a long journal in bounded turns",
};

/// Entries of no concern a reaction passes without storing its cursor.
pub const REACTION_SKIP: Limit = Limit {
    name: "reaction-skip",
    value: 64,
    unit: "entries",
    reason: "reading 64 entries again costs less than a durable write for each commit of others",
};

/// Tries of a reaction or escalation before it is parked.
pub const REACTION_TRIES: Limit = Limit {
    name: "reaction-tries",
    value: 8,
    unit: "tries",
    reason: "with doubling pauses that is about two minutes: longer than a hiccup, short enough \
             not to hold up the entries behind it for long",
};

/// Tries of a message before it is given up.
pub const OUTBOX_TRIES: Limit = Limit {
    name: "outbox-tries",
    value: 16,
    unit: "tries",
    reason: "with doubling pauses up to an hour that is about five hours of another system's outage",
};

/// The pause after the first failed try.
pub const BACK_OFF_FIRST: Limit = Limit {
    name: "back-off-first",
    value: 1_000,
    unit: "ms",
    reason: "most failures are over in a second; each further pause is twice the one before",
};

/// The longest pause between tries.
pub const BACK_OFF_LONGEST: Limit = Limit {
    name: "back-off-longest",
    value: 3_600_000,
    unit: "ms",
    reason: "after an outage work goes on within the hour without anybody's help",
};

/// Runs of an action's or inbound message's plugin when its own state changes under it.
pub const PERFORM_TRIES: Limit = Limit {
    name: "perform-tries",
    value: 10,
    unit: "tries",
    reason: "two calls of one plugin at once are rare; ten in a row that collide are a design error",
};

/// Records in one page of a query.
pub const QUERY_TOP: Limit = Limit {
    name: "query-top",
    value: 1_000,
    unit: "records",
    reason: "a page is held in memory for everybody who asks at once; use the cursor for more",
};

/// Fields a query is ordered by.
pub const QUERY_ORDER: Limit = Limit {
    name: "query-order",
    value: 8,
    unit: "fields",
    reason: "the cursor carries a value for each; nobody reads a list sorted by nine columns",
};

/// Entries in one page of the journal.
pub const JOURNAL_PAGE: Limit = Limit {
    name: "journal-page",
    value: 1_000,
    unit: "entries",
    reason: "a page is held in memory for everybody who asks at once; go on after its last number",
};

/// Fields of a kind.
pub const KIND_FIELDS: Limit = Limit {
    name: "kind-fields",
    value: Schema::MAX_FIELDS as u64,
    unit: "fields",
    reason: "bounds the work of checking one record",
};

/// Kinds of a workspace.
pub const KINDS: Limit = Limit {
    name: "kinds",
    value: Schema::MAX_KINDS as u64,
    unit: "kinds",
    reason: "the schema is held in memory and shown to people in one list",
};

/// Bytes of a filter.
pub const FILTER_BYTES: Limit = Limit {
    name: "filter",
    value: filter::MAX_BYTES as u64,
    unit: "bytes",
    reason: "bounds the work of reading one; a list of 400 ids still fits",
};

/// Levels of brackets and negations in a filter.
pub const FILTER_DEPTH: Limit = Limit {
    name: "filter-depth",
    value: filter::MAX_DEPTH as u64,
    unit: "levels",
    reason: "a filter is read and decided by recursion, which must not use up the stack",
};

/// Conditions in a filter.
pub const FILTER_CONDITIONS: Limit = Limit {
    name: "filter-conditions",
    value: filter::MAX_CONDITIONS as u64,
    unit: "conditions",
    reason: "each is decided for every record that is looked at",
};

/// Bytes of the name of a kind or field.
pub const NAME_BYTES: Limit = Limit {
    name: "name",
    value: Name::MAX_BYTES as u64,
    unit: "bytes",
    reason: "every index key carries the names of its kind and field",
};

/// Every limit of the kernel.
pub const ALL: &[Limit] = &[
    COMMIT_CHANGES,
    COMMIT_KEY,
    COMMIT_TRIES,
    GROUP_COMMITS,
    REACTION_DEPTH,
    REACTION_ENTRIES,
    REACTION_EDITS,
    REACTION_SCAN,
    REACTION_SKIP,
    REACTION_TRIES,
    OUTBOX_TRIES,
    BACK_OFF_FIRST,
    BACK_OFF_LONGEST,
    PERFORM_TRIES,
    QUERY_TOP,
    QUERY_ORDER,
    JOURNAL_PAGE,
    KIND_FIELDS,
    KINDS,
    FILTER_BYTES,
    FILTER_DEPTH,
    FILTER_CONDITIONS,
    NAME_BYTES,
];

/// How long to wait after so many failed tries, in milliseconds.
#[must_use]
pub fn back_off(tries: u32) -> i64 {
    let doubled = BACK_OFF_FIRST.value << tries.saturating_sub(1).min(20);
    doubled.min(BACK_OFF_LONGEST.value) as i64
}
