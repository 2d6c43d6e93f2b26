//! Every limit of a plugin call: its name, its number and its reason, in one place.

use kjerne_core::limits::OUTBOX_BYTES;
use kjerne_core::{Role, limit_table};
use kjerne_model::{Commit, filter};

limit_table! {
    /// Every limit of the host.
    ALL;

    /// Work of a processor to compile a file, whatever its size; eight times as long may pass by the clock.
    COMPILE_TIME = "compile-time", 10_000, "ms",
        "a plugin of some hundred KiB takes a tenth of a second; a machine may be slow";

    /// Further work of a processor to compile a file, for each MiB it has.
    COMPILE_TIME_MIB = "compile-time-per-mebibyte", 8_000, "ms",
        "a JavaScript engine takes 3 s for each, a Python runtime half of it";

    /// Memory of the process that compiles a file, whatever its size.
    COMPILE_MEMORY = "compile-memory", 256 << 20, "bytes",
        "a plugin of some hundred KiB takes 100 MiB";

    /// Further memory of the process that compiles a file, for each MiB it has.
    COMPILE_MEMORY_MIB = "compile-memory-per-mebibyte", 48 << 20, "bytes",
        "a JavaScript engine of 12 MiB takes 700 MiB in all, a Python runtime less";

    /// Native code of a plugin.
    COMPILED = "compiled-code", 256 << 20, "bytes",
        "a JavaScript engine comes to 50 MiB; it is mapped for as long as the plugin is in use";

    /// Deterministic work of a shape or guard, whatever it is asked about.
    FUEL_BASE = "fuel", 20_000_000, "fuel",
        "about 20 ms; a JavaScript guest needs 4 million before its first line";

    /// Deterministic work of a shape or guard for each field it is given.
    FUEL_FIELD = "fuel-per-field", 200_000, "fuel",
        "taking a field over costs a JavaScript guest 77,000; as much again and more is for judging it";

    /// Deterministic work of a shape or guard for each change it is given.
    FUEL_CHANGE = "fuel-per-change", 400_000, "fuel",
        "a change of which nothing may be read still brings kind, id, operation and names along";

    /// Work of a call after the fact.
    FUEL_LATER = "fuel-later", 5_000_000_000, "fuel",
        "some seconds of work; nobody waits for it, and the clock ends it anyway";

    /// Work of a question to a domain model.
    FUEL_QUESTION = "fuel-question", 1_000_000_000, "fuel",
        "about a second; somebody looks at the screen meanwhile";

    /// Work of a panel.
    FUEL_PANEL = "fuel-panel", 500_000_000, "fuel",
        "about half a second; several stand on one page, and none of them was asked for by itself";

    /// Time of a panel.
    WALL_PANEL = "wall-time-panel", 4_000, "ms",
        "a page waits for all its panels; one that reads long is a report";

    /// Rows of one page of a report.
    REPORT_ROWS = "report-rows", 1_000, "rows",
        "a page is held in memory for everybody who asks at once; a report goes on with its cursor";

    /// Bytes of the values on one page of a report.
    REPORT_BYTES = "report-bytes", 1 << 20, "bytes",
        "a thousand rows of a kilobyte; with longer texts a page has fewer rows and a cursor";

    /// Bytes of the words in which a report says where its next page begins.
    REPORT_CURSOR = "report-cursor", 512, "bytes",
        "it comes back in an address, beside the arguments, each byte as two letters";

    /// Figures, rows, points and actions of one card together.
    CARD_ITEMS = "card-items", 500, "items",
        "a card is looked at beside a record; whoever wants more opens a report";

    /// Bytes of the texts and values of one card.
    CARD_BYTES = "card-bytes", 128 << 10, "bytes",
        "some dozens of cards are held in memory for one page";

    /// Records in one question about scores.
    SCORE_PAGE = "score-page", 200, "records",
        "one question stays within one answer's size; a longer list is asked in several";

    /// Parts of one score.
    SCORE_PARTS = "score-parts", 32, "parts",
        "a person reads them to see why; what matters little is left out";

    /// Time of a shape or guard.
    WALL_COMMIT = "wall-time", 2_000, "ms",
        "the net under fuel, which ends first: it counts reads and a machine that stands still";

    /// Further time of a shape or guard for each change it is given.
    WALL_CHANGE = "wall-time-per-change", 5, "ms",
        "a batch of 1,000 changes is one call";

    /// Time of an action or a question.
    WALL_PERSON = "wall-time-person", 10_000, "ms",
        "longer than this nobody waits for an answer";

    /// Time of a reaction or an integration's call.
    WALL_LATER = "wall-time-later", 30_000, "ms",
        "a plugin that hangs must not hold its slot for good";

    /// Linear memory of a shape or guard, whatever it is asked about.
    MEMORY_COMMIT = "memory", 32 << 20, "bytes",
        "a JavaScript guest has 9 MiB before its first line; all slots together must fit the server";

    /// Further linear memory of a shape or guard for each field it is given, up to a slot's size.
    MEMORY_FIELD = "memory-per-field", 4 << 10, "bytes",
        "a field is an object with a name and a value in a guest that collects its garbage late";

    /// Linear memory of every other call; the size of a slot of the pool.
    MEMORY_LATER = "memory-later", 64 << 20, "bytes",
        "room for an inbound message and what is made of it";

    /// Table elements of a call.
    TABLE = "table", 20_000, "elements",
        "a JavaScript guest needs 7,688";

    /// Tables of a call.
    TABLES = "tables", 16, "tables",
        "each of the modules a guest consists of may have its own; each costs its elements";

    /// Tables of a component in the pool.
    COMPONENT_TABLES = "tables-per-component", 8, "tables",
        "a slot of the pool holds so many, whether they are used or not";

    /// Tables of one module of a component.
    MODULE_TABLES = "tables-per-module", 4, "tables",
        "compilers make one or two; the slot's are shared by all modules of a guest";

    /// Linear memories of a call.
    MEMORIES = "memories", 4, "memories",
        "a guest has one; those that are composed of several programs have one for each, and their \
         bytes count together";

    /// Linear memories of one module of a component.
    MODULE_MEMORIES = "memories-per-module", 1, "memories",
        "no compiler makes more; only what joins two programs sees the memories of both";

    /// Core instances a call may consist of.
    INSTANCES = "instances", 64, "instances",
        "guests that carry a language's runtime along consist of up to 38";

    /// Core instances a slot of the pool has room for.
    POOL_INSTANCES = "instances-per-slot", 40, "instances",
        "every slot has room for the guest with the most we know, 38";

    /// What the runtime keeps for one instance beside memory and tables.
    INSTANCE_SIZE = "instance-size", 4 << 20, "bytes",
        "it grows with a guest's functions; four times what the runtime sets by itself";

    /// Stack of a guest.
    STACK = "stack", 512 << 10, "bytes",
        "below a thread's stack, so that recursion ends in the plugin and not in the server";

    /// Calls to the host in a shape or guard.
    HOST_CALLS = "host-calls", 64, "calls",
        "a guard reads a handful of neighbours; more is a scan in the path of a commit";

    /// Further calls to the host for each change or entry given.
    HOST_CALLS_CHANGE = "host-calls-per-change", 16, "calls",
        "a batch is one call, and each of its changes may look at its neighbours";

    /// Calls to the host in every other call.
    HOST_CALLS_LATER = "host-calls-later", 2_000, "calls",
        "a reaction may walk through a customer's records, not through the workspace";

    /// What a call may read.
    READ = "read", 16 << 20, "bytes",
        "what is read must fit the plugin's memory beside what it makes of it";

    /// Records in one answer to a plugin.
    ANSWER = "answer", 200, "records",
        "the contract's page size; a query goes on with its cursor";

    /// Records in one answer to a plugin that does not say how many.
    ANSWER_DEFAULT = "answer-default", 50, "records",
        "enough for the neighbours of one record; a plugin that needs more says so";

    /// Opportunities in one question about stale ones.
    STALE_PAGE = "stale-page", 200, "records",
        "one question stays within one answer's size; a longer list is asked in several";

    /// Years a plugin may ask the offsets of a time zone for, in days.
    ZONE_RANGE = "zone-range", 20 * 366, "days",
        "20 years hold the term of any contract; the answer has two rows for each";

    /// Things a call may hand over: fields set, findings, proposals, messages, writes to its key space.
    OUTPUT_ITEMS = "output-items", 10_000, "items",
        "ten for each change of the largest commit";

    /// Bytes a call may hand over.
    OUTPUT = "output", 4 << 20, "bytes",
        "one commit must hold it, and the journal keeps it for ever";

    /// Further bytes of messages for each byte of the entries that an integration is shown, up to what its
    /// outbox holds.
    OUTPUT_SHOWN = "output-per-byte-shown", 32, "bytes",
        "one entry is one call and is not parted: ten receivers may each be told all of it, in an envelope \
         that is larger than a small record";

    /// Further bytes of messages for each change of a record that an integration is shown, likewise.
    OUTPUT_CHANGE = "output-per-change-shown", 64 << 10, "bytes",
        "ten messages, each with its address and with headers as long as tokens are";

    /// Bytes in one call to the host.
    HANDOVER = "handover", 8 << 20, "bytes",
        "the host copies it before it can look at it";

    /// Bytes of a text that a plugin gives for a field without a length of its own: a part of an
    /// address, a choice, an address of mail or web.
    VALUE_BYTES = "value", 4 << 10, "bytes",
        "the longest that such a field may hold is a web address of 2,048 bytes";

    /// Objections of one call that are kept; the last of them says how many there were.
    FINDINGS = "findings", 1_000, "findings",
        "one for each change of the largest commit; nobody reads more, and the commit is refused anyway";

    /// Pieces of advice of one call of a guard.
    ADVICE = "advice", 100, "findings",
        "each is stored with the commit for ever, and nobody reads more";

    /// Bytes of a sentence for people: of an objection, or why something cannot be done.
    SENTENCE = "sentence", 1_024, "bytes",
        "what is wrong and what to do; the rest is cut, so that an objection is never lost";

    /// Bytes of the name of a rule or of the field it is about, in what a plugin says.
    RULE_NAME = "rule-name", 132, "bytes",
        "a field with its part is no longer; the rest is cut, so that an objection is never lost";

    /// Bytes of the idempotency key of a plugin's proposals.
    PROPOSAL_KEY = "key", Commit::MAX_KEY_BYTES as u64, "bytes",
        "it becomes the key of their commit and is stored for ever";

    /// Lines a call may write to its log.
    LOG_LINES = "log-lines", 64, "lines",
        "a log is for reading; a loop that logs is a mistake";

    /// Handles to host resources a call may hold at a time.
    HANDLES = "handles", 4_096, "handles",
        "each costs the host some bytes; a guest that drops its queries needs few";

    /// Queries a call may have open at a time.
    QUERIES = "queries", 256, "queries",
        "each keeps its condition in the host";

    /// Bytes of all conditions of one query, over however many calls they were given.
    QUERY_TEXT = "query-text", filter::MAX_BYTES as u64, "bytes",
        "as much as one filter has anywhere else";

    /// Conditions of one query, over however many calls they were given.
    QUERY_CONDITIONS = "query-conditions", filter::MAX_CONDITIONS as u64, "conditions",
        "they become one filter, which is walked by recursion and tried on every record";

    /// Bytes the host keeps for a call's queries at a time.
    KEPT = "kept", 1 << 20, "bytes",
        "4 KiB for each query that may be open; what is dropped is given back";

    /// Rows of records and indexes that a shape or guard may have looked at.
    ROWS_COMMIT = "rows", 100_000, "rows",
        "a condition without an index looks at every record, and the commit waits meanwhile";

    /// Rows of records and indexes that every other call may have looked at.
    ROWS_LATER = "rows-later", 2_000_000, "rows",
        "twenty walks through all of 100,000 records; the clock ends what takes longer";

    /// Watches a plugin may tell in all its roles together.
    WATCHES = "watches", 1_024, "watches",
        "some for each kind and role; they are joined by kind, and what is joined is kept";

    /// Bytes of a key in a plugin's own key space.
    STATE_KEY = "state-key", 512, "bytes",
        "keys are kept in a tree and stay short";

    /// Bytes of a value in a plugin's own key space.
    STATE_VALUE = "state-value", 64 << 10, "bytes",
        "a cursor, a token, a small document";

    /// Keys of a plugin's own key space in one answer.
    STATE_KEYS = "state-keys", 1_000, "keys",
        "the answer is held in memory and counts as read; go on after its last key";

    /// Bytes of keys and values of a plugin's own key space in one answer, unless one value has more.
    STATE_SCAN = "state-scan", 256 << 10, "bytes",
        "four of the largest values, or hundreds of small ones; go on after its last key";

    /// Headers of an outbound message.
    MESSAGE_HEADERS = "message-headers", 64, "headers",
        "receivers refuse requests with many more, and the message would never arrive";

    /// Bytes of one header of an outbound message, and of its address.
    HEADER_BYTES = "message-header", 8 << 10, "bytes",
        "the usual bound of web servers for one line of a request's head";

    /// Faults of settings that a plugin tells and that are shown.
    SETTINGS_FAULTS = "settings-faults", 50, "faults",
        "a person mends some and tries again; the rest is counted";

    /// Compiled components kept for the next start.
    CODE_KEPT = "code-kept", 64, "files",
        "each plugin leaves two, and one for each of its settings; what is gone is compiled again";

    /// Bytes of the compiled components kept for the next start; the newest is kept whatever it has.
    CODE_KEPT_BYTES = "code-kept-bytes", 1 << 30, "bytes",
        "ten plugins with a JavaScript engine each; what is gone is compiled again";

    /// The most fuel that an administrator can set for a shape or guard, without what grows with the input.
    ASK_FUEL_COMMIT = "set-fuel", 200_000_000, "fuel",
        "ten times the usual, about 0.2 s; who waits for a commit waits for each of its guards";

    /// The most fuel that an administrator can set for other calls.
    ASK_FUEL_LATER = "set-fuel-later", 20_000_000_000, "fuel",
        "four times the usual; the clock ends it anyway";

    /// The most time that an administrator can set for a shape or guard.
    ASK_WALL_COMMIT = "set-wall-time", 10_000, "ms",
        "five times the usual; nobody waits longer for a commit";

    /// The most time that an administrator can set for other calls.
    ASK_WALL_LATER = "set-wall-time-later", 120_000, "ms",
        "four times the usual; the slot is taken for so long";

    /// The most calls to the host that an administrator can set for a shape or guard.
    ASK_HOST_CALLS_COMMIT = "set-host-calls", 2_000, "calls",
        "as many as a reaction has; more is a scan in the path of a commit";

    /// The most calls to the host that an administrator can set for other calls.
    ASK_HOST_CALLS_LATER = "set-host-calls-later", 20_000, "calls",
        "ten times the usual; each is counted and takes time";

    /// The most rows that an administrator can set for a shape or guard.
    ASK_ROWS_COMMIT = "set-rows", 2_000_000, "rows",
        "as many as a reaction has, a second or two; the commit waits meanwhile";

    /// The most rows that an administrator can set for other calls.
    ASK_ROWS_LATER = "set-rows-later", 10_000_000, "rows",
        "five times the usual; the clock ends what takes longer";

    /// How long a call waits for a free slot.
    QUEUE = "queue", 5_000, "ms",
        "a server that is so far behind had better say so";
}

/// What one call may use. It follows from the role and the size of the input alone, so that the
/// same commit has the same budget on every machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Fuel.
    pub fuel: u64,
    /// Milliseconds by the clock.
    pub wall_ms: u64,
    /// Bytes of linear memory.
    pub memory: u64,
    /// Calls to the host.
    pub host_calls: u64,
    /// Rows of records and indexes that may be looked at.
    pub rows: u64,
    /// Bytes that may be read.
    pub read: u64,
    /// Bytes that may be handed over.
    pub output: u64,
    /// Bytes of messages that may be handed over beyond what every call may.
    pub messages: u64,
    /// What these limits are called.
    pub names: &'static Names,
}

/// The names of a budget's limits, as the list of limits has them.
#[derive(PartialEq, Eq, Debug)]
pub struct Names {
    /// Of the fuel.
    pub fuel: &'static str,
    /// Of the time.
    pub wall: &'static str,
    /// Of the linear memory.
    pub memory: &'static str,
    /// Of the calls to the host.
    pub host_calls: &'static str,
    /// Of the rows.
    pub rows: &'static str,
}

const OF_COMMIT: Names = Names {
    fuel: FUEL_BASE.name,
    wall: WALL_COMMIT.name,
    memory: MEMORY_COMMIT.name,
    host_calls: HOST_CALLS.name,
    rows: ROWS_COMMIT.name,
};
const OF_LATER: Names = Names {
    fuel: FUEL_LATER.name,
    wall: WALL_LATER.name,
    memory: MEMORY_LATER.name,
    host_calls: HOST_CALLS_LATER.name,
    rows: ROWS_LATER.name,
};
const OF_PERSON: Names = Names {
    wall: WALL_PERSON.name,
    ..OF_LATER
};
const OF_QUESTION: Names = Names {
    fuel: FUEL_QUESTION.name,
    ..OF_PERSON
};

const OF_PANEL: Names = Names {
    fuel: FUEL_PANEL.name,
    wall: WALL_PANEL.name,
    ..OF_LATER
};

impl Budget {
    /// The budget of a call in `role` with so many changes or entries, which hold so many fields.
    #[must_use]
    pub fn of(role: Role, changes: usize, fields: usize) -> Self {
        let (changes, fields) = (changes as u64, fields as u64);
        let more_calls = HOST_CALLS_CHANGE.value * changes;
        match role {
            Role::Shape | Role::Guard => Self {
                fuel: FUEL_BASE.value + FUEL_CHANGE.value * changes + FUEL_FIELD.value * fields,
                wall_ms: WALL_COMMIT.value + WALL_CHANGE.value * changes,
                memory: (MEMORY_COMMIT.value + MEMORY_FIELD.value * fields).min(MEMORY_LATER.value),
                host_calls: HOST_CALLS.value + more_calls,
                rows: ROWS_COMMIT.value,
                read: READ.value,
                output: OUTPUT.value,
                messages: 0,
                names: &OF_COMMIT,
            },
            Role::React | Role::Integration | Role::Schedule | Role::Prepare => Self {
                fuel: FUEL_LATER.value,
                wall_ms: WALL_LATER.value,
                memory: MEMORY_LATER.value,
                host_calls: HOST_CALLS_LATER.value + more_calls,
                rows: ROWS_LATER.value,
                read: READ.value,
                output: OUTPUT.value,
                messages: 0,
                names: &OF_LATER,
            },
            Role::Action => Self {
                wall_ms: WALL_PERSON.value,
                names: &OF_PERSON,
                ..Self::of(Role::React, 0, 0)
            },
            Role::Panel => Self {
                fuel: FUEL_PANEL.value,
                wall_ms: WALL_PANEL.value,
                names: &OF_PANEL,
                ..Self::of(Role::React, 0, 0)
            },
            Role::SalesStages
            | Role::BuyingProcess
            | Role::ServiceRules
            | Role::Scoring
            | Role::Report => Self {
                fuel: FUEL_QUESTION.value,
                wall_ms: WALL_PERSON.value,
                memory: MEMORY_LATER.value,
                host_calls: HOST_CALLS_LATER.value + more_calls,
                rows: ROWS_LATER.value,
                read: READ.value,
                output: OUTPUT.value,
                messages: 0,
                names: &OF_QUESTION,
            },
        }
    }
    /// The same for a call that is given so many bytes: what an integration is shown of the journal is what
    /// it has to tell of.
    #[must_use]
    pub fn given(self, role: Role, changes: usize, bytes: u64) -> Self {
        let tells = role == Role::Integration && changes > 0;
        let most = OUTBOX_BYTES.value - OUTPUT.value;
        let shown = OUTPUT_SHOWN.value.saturating_mul(bytes);
        let each = OUTPUT_CHANGE.value.saturating_mul(changes as u64);
        let messages = shown.saturating_add(each).min(most);
        Self {
            messages: if tells { messages } else { 0 },
            ..self
        }
    }
}
