//! Every limit of a plugin call: its name, its number and its reason, in one place.

use kjerne_core::Role;
use kjerne_core::limits::Limit;

/// The largest component that is taken. JavaScript and Python guests carry their runtime along.
pub const PACKAGE: Limit = Limit {
    name: "package",
    value: 32 << 20,
    unit: "bytes",
    reason: "twice the largest guest we know (a Python runtime, 18 MB); a compiler takes minutes above",
};

/// The most functions in a component.
pub const FUNCTIONS: Limit = Limit {
    name: "functions",
    value: 100_000,
    unit: "functions",
    reason: "compile time grows with them; a JavaScript engine has 20,000",
};

/// Deterministic work of a shape or guard, whatever it is asked about.
pub const FUEL_BASE: Limit = Limit {
    name: "fuel",
    value: 20_000_000,
    unit: "fuel",
    reason: "about 20 ms; a JavaScript guest needs 4 million before its first line",
};

/// Deterministic work of a shape or guard for each field it is given.
pub const FUEL_FIELD: Limit = Limit {
    name: "fuel-per-field",
    value: 20_000,
    unit: "fuel",
    reason: "taking a field over costs a Rust guest about 620; the budget grows with the input",
};

/// Work of a call after the fact.
pub const FUEL_LATER: Limit = Limit {
    name: "fuel-later",
    value: 5_000_000_000,
    unit: "fuel",
    reason: "some seconds of work; nobody waits for it, and the clock ends it anyway",
};

/// Work of a question to a domain model.
pub const FUEL_QUESTION: Limit = Limit {
    name: "fuel-question",
    value: 1_000_000_000,
    unit: "fuel",
    reason: "about a second; somebody looks at the screen meanwhile",
};

/// Time of a shape or guard.
pub const WALL_COMMIT: Limit = Limit {
    name: "wall-time",
    value: 2_000,
    unit: "ms",
    reason: "the net under fuel, which ends first: it counts reads and a machine that stands still",
};

/// Further time of a shape or guard for each change it is given.
pub const WALL_CHANGE: Limit = Limit {
    name: "wall-time-per-change",
    value: 5,
    unit: "ms",
    reason: "a batch of 1,000 changes is one call",
};

/// Time of an action or a question.
pub const WALL_PERSON: Limit = Limit {
    name: "wall-time-person",
    value: 10_000,
    unit: "ms",
    reason: "longer than this nobody waits for an answer",
};

/// Time of a reaction or an integration's call.
pub const WALL_LATER: Limit = Limit {
    name: "wall-time-later",
    value: 30_000,
    unit: "ms",
    reason: "a plugin that hangs must not hold its slot for good",
};

/// Linear memory of a shape or guard.
pub const MEMORY_COMMIT: Limit = Limit {
    name: "memory",
    value: 32 << 20,
    unit: "bytes",
    reason: "a batch of 1,000 changes takes about 10 MiB; all slots together must fit the server",
};

/// Linear memory of every other call; the size of a slot of the pool.
pub const MEMORY_LATER: Limit = Limit {
    name: "memory-later",
    value: 64 << 20,
    unit: "bytes",
    reason: "room for an inbound message and what is made of it",
};

/// Table elements of a call.
pub const TABLE: Limit = Limit {
    name: "table",
    value: 20_000,
    unit: "elements",
    reason: "a JavaScript guest needs 7,688",
};

/// Stack of a guest.
pub const STACK: Limit = Limit {
    name: "stack",
    value: 512 << 10,
    unit: "bytes",
    reason: "below a thread's stack, so that recursion ends in the plugin and not in the server",
};

/// Calls to the host in a shape or guard.
pub const HOST_CALLS: Limit = Limit {
    name: "host-calls",
    value: 64,
    unit: "calls",
    reason: "a guard reads a handful of neighbours; more is a scan in the path of a commit",
};

/// Further calls to the host for each change or entry given.
pub const HOST_CALLS_CHANGE: Limit = Limit {
    name: "host-calls-per-change",
    value: 16,
    unit: "calls",
    reason: "a batch is one call, and each of its changes may look at its neighbours",
};

/// Calls to the host in every other call.
pub const HOST_CALLS_LATER: Limit = Limit {
    name: "host-calls-later",
    value: 2_000,
    unit: "calls",
    reason: "a reaction may walk through a customer's records, not through the workspace",
};

/// What a call may read.
pub const READ: Limit = Limit {
    name: "read",
    value: 16 << 20,
    unit: "bytes",
    reason: "what is read must fit the plugin's memory beside what it makes of it",
};

/// Records in one answer to a plugin.
pub const ANSWER: Limit = Limit {
    name: "answer",
    value: 200,
    unit: "records",
    reason: "the contract's page size; a query goes on with its cursor",
};

/// Things a call may hand over: fields set, findings, proposals, messages, writes to its key space.
pub const OUTPUT_ITEMS: Limit = Limit {
    name: "output-items",
    value: 10_000,
    unit: "items",
    reason: "ten for each change of the largest commit",
};

/// Bytes a call may hand over.
pub const OUTPUT: Limit = Limit {
    name: "output",
    value: 4 << 20,
    unit: "bytes",
    reason: "one commit must hold it, and the journal keeps it for ever",
};

/// Bytes in one call to the host.
pub const HANDOVER: Limit = Limit {
    name: "handover",
    value: 8 << 20,
    unit: "bytes",
    reason: "the host copies it before it can look at it",
};

/// Lines a call may write to its log.
pub const LOG_LINES: Limit = Limit {
    name: "log-lines",
    value: 64,
    unit: "lines",
    reason: "a log is for reading; a loop that logs is a mistake",
};

/// Bytes of a log line; the rest is cut.
pub const LOG_LINE: Limit = Limit {
    name: "log-line",
    value: 1_024,
    unit: "bytes",
    reason: "a line, not a dump of a customer's data",
};

/// Lines kept for each plugin; the oldest go first.
pub const LOG_KEPT: Limit = Limit {
    name: "log-kept",
    value: 1_000,
    unit: "lines",
    reason: "enough to see what happened, in at most 1 MiB",
};

/// Handles to host resources a call may hold at a time.
pub const HANDLES: Limit = Limit {
    name: "handles",
    value: 4_096,
    unit: "handles",
    reason: "each costs the host some bytes; a guest that drops its queries needs few",
};

/// Queries a call may have open at a time.
pub const QUERIES: Limit = Limit {
    name: "queries",
    value: 256,
    unit: "queries",
    reason: "each keeps its condition in the host",
};

/// Bytes of a key in a plugin's own key space.
pub const STATE_KEY: Limit = Limit {
    name: "state-key",
    value: 512,
    unit: "bytes",
    reason: "keys are kept in a tree and stay short",
};

/// Bytes of a value in a plugin's own key space.
pub const STATE_VALUE: Limit = Limit {
    name: "state-value",
    value: 64 << 10,
    unit: "bytes",
    reason: "a cursor, a token, a small document",
};

/// Bytes of all keys and values of a plugin.
pub const STATE_TOTAL: Limit = Limit {
    name: "state-total",
    value: 16 << 20,
    unit: "bytes",
    reason: "it lives in the workspace's data file; customer data belongs in records",
};

/// Headers of an outbound message.
pub const MESSAGE_HEADERS: Limit = Limit {
    name: "message-headers",
    value: 64,
    unit: "headers",
    reason: "receivers refuse requests with many more, and the message would never arrive",
};

/// Bytes of one header of an outbound message.
pub const HEADER_BYTES: Limit = Limit {
    name: "message-header",
    value: 8 << 10,
    unit: "bytes",
    reason: "the usual bound of web servers for one line of a request's head",
};

/// Bytes of a plugin's settings document.
pub const SETTINGS: Limit = Limit {
    name: "settings",
    value: 256 << 10,
    unit: "bytes",
    reason: "every call that reads them takes them over whole",
};

/// Bytes of a manifest.
pub const MANIFEST: Limit = Limit {
    name: "manifest",
    value: 64 << 10,
    unit: "bytes",
    reason: "it is read by people",
};

/// How long a call waits for a free slot.
pub const QUEUE: Limit = Limit {
    name: "queue",
    value: 5_000,
    unit: "ms",
    reason: "a server that is so far behind had better say so",
};

/// Every limit of the host.
pub const ALL: &[Limit] = &[
    MESSAGE_HEADERS,
    HEADER_BYTES,
    PACKAGE,
    FUNCTIONS,
    FUEL_BASE,
    FUEL_FIELD,
    FUEL_LATER,
    FUEL_QUESTION,
    WALL_COMMIT,
    WALL_CHANGE,
    WALL_PERSON,
    WALL_LATER,
    MEMORY_COMMIT,
    MEMORY_LATER,
    TABLE,
    STACK,
    HOST_CALLS,
    HOST_CALLS_CHANGE,
    HOST_CALLS_LATER,
    READ,
    ANSWER,
    OUTPUT_ITEMS,
    OUTPUT,
    HANDOVER,
    LOG_LINES,
    LOG_LINE,
    LOG_KEPT,
    HANDLES,
    QUERIES,
    STATE_KEY,
    STATE_VALUE,
    STATE_TOTAL,
    SETTINGS,
    MANIFEST,
    QUEUE,
];

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
