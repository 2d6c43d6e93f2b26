//! Every limit of a plugin call: its name, its number and its reason, in one place.

use kjerne_core::{Role, limit_table};
use kjerne_model::Commit;

limit_table! {
    /// Every limit of the host.
    ALL;

    /// The largest component that is taken. JavaScript and Python guests carry their runtime along.
    PACKAGE = "package", 32 << 20, "bytes",
        "twice the largest guest we know (a Python runtime, 18 MB); a compiler takes minutes above";

    /// The most functions in a component.
    FUNCTIONS = "functions", 100_000, "functions",
        "compile time grows with them; a JavaScript engine has 20,000";

    /// Deterministic work of a shape or guard, whatever it is asked about.
    FUEL_BASE = "fuel", 20_000_000, "fuel",
        "about 20 ms; a JavaScript guest needs 4 million before its first line";

    /// Deterministic work of a shape or guard for each field it is given.
    FUEL_FIELD = "fuel-per-field", 20_000, "fuel",
        "taking a field over costs a Rust guest about 620; the budget grows with the input";

    /// Work of a call after the fact.
    FUEL_LATER = "fuel-later", 5_000_000_000, "fuel",
        "some seconds of work; nobody waits for it, and the clock ends it anyway";

    /// Work of a question to a domain model.
    FUEL_QUESTION = "fuel-question", 1_000_000_000, "fuel",
        "about a second; somebody looks at the screen meanwhile";

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

    /// Linear memory of a shape or guard.
    MEMORY_COMMIT = "memory", 32 << 20, "bytes",
        "a batch of 1,000 changes takes about 10 MiB; all slots together must fit the server";

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
    MEMORIES = "memories", 2, "memories",
        "a guest has one; a second is room for a guest that is made of two programs";

    /// Linear memories of one module of a component.
    MODULE_MEMORIES = "memories-per-module", 1, "memories",
        "more than one needs a feature of WebAssembly that is turned off";

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

    /// Bytes in one call to the host.
    HANDOVER = "handover", 8 << 20, "bytes",
        "the host copies it before it can look at it";

    /// Bytes of the idempotency key of a plugin's proposals.
    PROPOSAL_KEY = "key", Commit::MAX_KEY_BYTES as u64, "bytes",
        "it becomes the key of their commit and is stored for ever";

    /// Lines a call may write to its log.
    LOG_LINES = "log-lines", 64, "lines",
        "a log is for reading; a loop that logs is a mistake";

    /// Bytes of a log line; the rest is cut.
    LOG_LINE = "log-line", 1_024, "bytes",
        "a line, not a dump of a customer's data";

    /// Lines kept for each plugin; the oldest go first.
    LOG_KEPT = "log-kept", 1_000, "lines",
        "enough to see what happened, in at most 1 MiB";

    /// Handles to host resources a call may hold at a time.
    HANDLES = "handles", 4_096, "handles",
        "each costs the host some bytes; a guest that drops its queries needs few";

    /// Queries a call may have open at a time.
    QUERIES = "queries", 256, "queries",
        "each keeps its condition in the host";

    /// Bytes of a key in a plugin's own key space.
    STATE_KEY = "state-key", 512, "bytes",
        "keys are kept in a tree and stay short";

    /// Bytes of a value in a plugin's own key space.
    STATE_VALUE = "state-value", 64 << 10, "bytes",
        "a cursor, a token, a small document";

    /// Bytes of all keys and values of a plugin.
    STATE_TOTAL = "state-total", 16 << 20, "bytes",
        "it lives in the workspace's data file; customer data belongs in records";

    /// Keys of a plugin's own key space in one answer.
    STATE_KEYS = "state-keys", 1_000, "keys",
        "the answer is held in memory and counts as read; go on after its last key";

    /// Headers of an outbound message.
    MESSAGE_HEADERS = "message-headers", 64, "headers",
        "receivers refuse requests with many more, and the message would never arrive";

    /// Bytes of one header of an outbound message.
    HEADER_BYTES = "message-header", 8 << 10, "bytes",
        "the usual bound of web servers for one line of a request's head";

    /// Bytes of a plugin's settings document.
    SETTINGS = "settings", 256 << 10, "bytes",
        "every call that reads them takes them over whole";

    /// Bytes of a manifest.
    MANIFEST = "manifest", 64 << 10, "bytes",
        "it is read by people";

    /// Bytes of a plugin's id, its version, and the name of an action or source.
    PLUGIN_NAME = "plugin-name", 64, "bytes",
        "they stand in file names, in keys of the store and in every line about the plugin";

    /// Bytes of the name of a secret.
    SECRET_NAME = "secret-name", 64, "bytes",
        "a name for people, and no secret itself";

    /// Bytes of the name of a host messages go to.
    SEND_HOST = "send-host", 253, "bytes",
        "no name in the DNS is longer";

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
}

impl Budget {
    /// The budget of a call in `role` with so many changes or entries, which hold so many fields.
    #[must_use]
    pub fn of(role: Role, changes: usize, fields: usize) -> Self {
        let (changes, fields) = (changes as u64, fields as u64);
        let more_calls = HOST_CALLS_CHANGE.value * changes;
        match role {
            Role::Shape | Role::Guard => Self {
                fuel: FUEL_BASE.value + FUEL_FIELD.value * fields,
                wall_ms: WALL_COMMIT.value + WALL_CHANGE.value * changes,
                memory: MEMORY_COMMIT.value,
                host_calls: HOST_CALLS.value + more_calls,
            },
            Role::React | Role::Integration => Self {
                fuel: FUEL_LATER.value,
                wall_ms: WALL_LATER.value,
                memory: MEMORY_LATER.value,
                host_calls: HOST_CALLS_LATER.value + more_calls,
            },
            Role::Action => Self {
                wall_ms: WALL_PERSON.value,
                ..Self::of(Role::React, 0, 0)
            },
            Role::SalesStages | Role::BuyingProcess | Role::ServiceRules => Self {
                fuel: FUEL_QUESTION.value,
                wall_ms: WALL_PERSON.value,
                memory: MEMORY_LATER.value,
                host_calls: HOST_CALLS_LATER.value + more_calls,
            },
        }
    }
}
