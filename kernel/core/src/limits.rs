//! Every limit of the kernel: its name, its number and its reason, in one place.

use kjerne_model::{Address, Asked, Commit, Instant, Name, Schema, Value, filter};

pub use kjerne_query::limit_table;
pub use kjerne_query::limits::{
    ALL as QUERIES, CURSOR_VALUE, JOURNAL_BYTES, JOURNAL_PAGE, Limit, QUERY_BYTES, QUERY_ORDER,
    QUERY_ROWS, QUERY_TOP,
};

limit_table! {
    /// Every limit of the kernel.
    ALL;

    /// Changes in one commit.
    COMMIT_CHANGES = "commit-changes", Commit::MAX_CHANGES as u64, "changes",
        "one commit is one turn of the writer; a larger batch would hold up everybody else's";

    /// Choices in one field.
    CHOICES = "choices", Value::MAX_CHOICES as u64, "choices",
        "each is a text of its own in memory; a list that people choose from has some dozens";

    /// Bytes of a choice where a field lists none.
    CHOICE_BYTES = "choice", Value::MAX_CHOICE_BYTES as u64, "bytes",
        "names of stages, queues and tags are a few words; each stands in index keys and in cursors";

    /// Bytes of a part of an address.
    ADDRESS_PART = "address-part", Address::MAX_PART_BYTES as u64, "bytes",
        "a street of many lines fits; what is longer is a text in the wrong column";

    /// Bytes of an idempotency key.
    COMMIT_KEY = "commit-key", Commit::MAX_KEY_BYTES as u64, "bytes",
        "keys are stored for ever; 255 bytes hold every key a client library makes";

    /// Tries of one commit before it is refused for contention.
    COMMIT_TRIES = "commit-tries", 100, "tries",
        "each flush lets one of the commits that want the same record through; 100 lets 64 \
         writers queue at one record and still ends";

    /// Commits that share one durable flush.
    GROUP_COMMITS = "group-commits", 256, "commits",
        "a flush serves everybody who waits, and stays short enough not to be felt";

    /// Length of a chain of reactions.
    REACTION_DEPTH = "reaction-depth", 8, "commits",
        "plugins that answer each other must come to an end; useful chains are shorter";

    /// Journal entries shown to a reaction in one call.
    REACTION_ENTRIES = "reaction-entries", 64, "entries",
        "one instance serves many entries, and a call stays within its plugin's budget";

    /// Edits shown to a reaction in one call, unless a single entry has more.
    REACTION_EDITS = "reaction-edits", 500, "edits",
        "entries differ in size; the budget of a call is for edits, not for entries";

    /// Journal entries read in one turn of a reaction while looking for some that concern it.
    REACTION_SCAN = "reaction-scan", 2_048, "entries",
        "a plugin that watches little passes a long journal in bounded turns";

    /// Edits read in one turn of a reaction while looking for some that concern it.
    REACTION_SCAN_EDITS = "reaction-scan-edits", 20_000, "edits",
        "the entries of an import have hundreds of edits each; a turn is to be bounded by them too";

    /// Entries of no concern a reaction passes without storing its cursor.
    REACTION_SKIP = "reaction-skip", 64, "entries",
        "reading 64 entries again costs less than a durable write for each commit of others";

    /// Edits of no concern a reaction passes without storing its cursor.
    REACTION_SKIP_EDITS = "reaction-skip-edits", 256, "edits",
        "one entry of an import can hold more to read again than 64 of single commits";

    /// Tries of a reaction or escalation before it is parked.
    REACTION_TRIES = "reaction-tries", 8, "tries",
        "with doubling pauses that is about two minutes: longer than a hiccup, short enough not \
         to hold up the later entries of its records for long";

    /// Entries one plugin may have put aside in a role: those it failed on, and those behind them.
    ASIDE = "reaction-aside", 512, "entries",
        "they stand in the cursor's row, which is written with each step; a record that hundreds of commits \
         change within two minutes is an import's";

    /// Records of the entries that are put aside.
    ASIDE_RECORDS = "reaction-aside-records", 4_096, "records",
        "sixteen bytes for each in the cursor's row; four of the largest commits";

    /// Entries a plugin may have failed on and still try again.
    ASIDE_FAILED = "reaction-aside-failed", 16, "entries",
        "a plugin that fails on so many at once is more likely broken than they are: it looks at nothing new \
         before one of them is over, and the journal keeps the rest";

    /// Cases escalated in one turn of the service clock.
    ESCALATIONS = "escalations", 100, "cases",
        "each is a call of a plugin and a commit of its own; reactions get their turn in between";

    /// Escalation steps of one case, one after the other, that leave it due.
    STEPS_BEHIND = "steps-behind", 100, "steps",
        "a case whose clock stood still for days catches up step by step, and rules have a dozen; what \
         sets one past time after another would never end";

    /// Tries of a message before it is given up.
    OUTBOX_TRIES = "outbox-tries", 16, "tries",
        "with doubling pauses up to an hour that is about five hours of another system's outage";

    /// Messages of one plugin that wait to be delivered.
    OUTBOX_ROWS = "outbox-rows", 10_000, "messages",
        "hours of a receiver's outage; beyond it the journal keeps the entries and the plugin waits, \
         so that no plugin fills the disk";

    /// Bytes of one plugin's messages that wait to be delivered.
    OUTBOX_BYTES = "outbox-bytes", 64 << 20, "bytes",
        "10,000 messages of 6 KiB; larger ones must not come to more";

    /// Bytes of all keys and values of a plugin.
    STATE_TOTAL = "state-total", 16 << 20, "bytes",
        "it lives in the workspace's data file; customer data belongs in records";

    /// How full a plugin's outbox is when the administrator is told.
    OUTBOX_NEAR = "outbox-near", 80, "percent",
        "there is time to look at the receiver before the plugin has to wait";

    /// Messages of one plugin that were given up and are kept to be looked at.
    GIVEN_UP = "given-up-kept", 1_000, "messages",
        "more than a person reads; beyond it the oldest goes, and is told to the log";

    /// Messages given up that make room at a time.
    FORGOTTEN = "given-up-forgotten", 64, "messages",
        "more than deliveries that end together; each is held in memory to be told of";

    /// Messages that may follow from the answer to one, and from the answers to those.
    FOLLOW_UPS = "follow-ups", 64, "messages",
        "a conversation with another system is shorter; without a bound a plugin that sends from \
         answered would go on for ever, and faster each round";

    /// The pause after the first failed try.
    BACK_OFF_FIRST = "back-off-first", 1_000, "ms",
        "most failures are over in a second; each further pause is twice the one before";

    /// The longest pause between tries.
    BACK_OFF_LONGEST = "back-off-longest", 3_600_000, "ms",
        "after an outage work goes on within the hour without anybody's help";

    /// Runs of an action's or inbound message's plugin when its own state changes under it.
    PERFORM_TRIES = "perform-tries", 10, "tries",
        "two calls of one plugin at once are rare; ten in a row that collide are a design error";

    /// Faults told of one commit.
    FAULTS_TOLD = "faults-told", 100, "faults",
        "more than anybody reads; the rest is counted, so that an answer does not grow with what is wrong";

    /// The text of one fault.
    FAULT_TEXT = "fault-text", 2_000, "bytes",
        "it repeats names and values it was given, which may be of any length";

    /// Commits of one actor that wait for approval.
    PENDING_OF_ONE = "pending-of-one", 100, "commits",
        "more than anybody has in mind; whoever asks for more is a program that went astray";

    /// Commits of a workspace that wait for approval.
    PENDING = "pending", 1_000, "commits",
        "those who approve read them in one list, and it is looked through on every turn of the clock";

    /// Bytes of all commits that wait for approval.
    PENDING_BYTES = "pending-bytes", 64 << 20, "bytes",
        "they live in the workspace's data file; a thousand of 64 KiB each";

    /// Bytes of one commit that waits for approval, with what it changes before and after.
    PENDING_COMMIT = "pending-commit", 1 << 20, "bytes",
        "somebody has to read it before it is let through; a larger one is better split";

    /// How long a commit waits for approval.
    PENDING_AGE = "pending-age", 30 * 24 * 3_600_000, "ms",
        "a month; who has not answered by then will not, and the records have moved on";

    /// People in all roles of approvers together.
    APPROVERS = "approvers", 1_000, "rows",
        "they are named one by one, by hand, and told to whoever waits";

    /// Bytes of the name of a role of approvers.
    ROLE_NAME = "role-name", Asked::MAX_ROLE_BYTES as u64, "bytes",
        "a key of the store; small letters, digits, '-', '_' and '.', so that no two roles look alike";

    /// Bytes of what is said to the rejection of a commit.
    REJECTION = "rejection", 1_024, "bytes",
        "a sentence or two; it stays in the journal for ever";

    /// Fields of a kind.
    KIND_FIELDS = "kind-fields", Schema::MAX_FIELDS as u64, "fields",
        "bounds the work of checking one record";

    /// Records above one another in a hierarchy.
    HIERARCHY = "hierarchy-levels", 64, "records",
        "each change of a reference upwards follows it to its end; groups of companies and lines of \
         command are a dozen deep";

    /// Kinds of a workspace.
    KINDS = "kinds", Schema::MAX_KINDS as u64, "kinds",
        "the schema is held in memory and shown to people in one list";

    /// Bytes of a filter.
    FILTER_BYTES = "filter", filter::MAX_BYTES as u64, "bytes",
        "bounds the work of reading one; a list of 400 ids still fits";

    /// Levels of brackets and negations in a filter.
    FILTER_DEPTH = "filter-depth", filter::MAX_DEPTH as u64, "levels",
        "a filter is read and decided by recursion, which must not use up the stack";

    /// Conditions in a filter.
    FILTER_CONDITIONS = "filter-conditions", filter::MAX_CONDITIONS as u64, "conditions",
        "each is decided for every record that is looked at";

    /// Bytes of the name of a kind or field.
    NAME_BYTES = "name", Name::MAX_BYTES as u64, "bytes",
        "every index key carries the names of its kind and field";
}

/// The longest pause between tries, in milliseconds.
#[must_use]
pub fn longest_pause() -> i64 {
    BACK_OFF_LONGEST.value as i64
}

/// Whether a pause until `not_before`, which is never longer than `longest` milliseconds, is still
/// going on. One that seems longer was begun by a clock that stood ahead and has been put right since:
/// what waits for it would wait for as long as the clock was wrong, and is due instead.
#[must_use]
pub fn rests(not_before: Instant, longest: i64, now: Instant) -> bool {
    let left = not_before.millis().saturating_sub(now.millis());
    left > 0 && left <= longest
}

/// How long to wait after so many failed tries, in milliseconds.
#[must_use]
pub fn back_off(tries: u32) -> i64 {
    let doubled = BACK_OFF_FIRST.value << tries.saturating_sub(1).min(20);
    doubled.min(BACK_OFF_LONGEST.value) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_on_time_and_is_never_longer_than_the_longest() {
        let at = Instant::from_millis;
        let longest = BACK_OFF_LONGEST.value as i64;
        for (left, expected) in [
            (-1, false),
            (0, false),
            (1, true),
            (longest, true),
            (longest + 1, false),
            (i64::MAX / 2, false),
        ] {
            assert_eq!(
                rests(at(1_000 + left), longest, at(1_000)),
                expected,
                "{left}"
            );
        }
        assert!(!rests(at(i64::MAX), longest, at(i64::MIN)));
    }
}
