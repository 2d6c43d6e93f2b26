//! Every limit of the program around the kernel, and the list of all limits of all parts.

use kjerne_core::limits::Limit;

/// The longest JSON body of a request.
pub const REQUEST_BODY: Limit = Limit {
    name: "request-body",
    value: 8 * 1_024 * 1_024,
    unit: "bytes",
    reason: "a batch of the most changes a commit takes, at 8 KiB each, and no more memory per request",
};

/// The longest message from outside to an integration.
pub const INBOUND_BODY: Limit = Limit {
    name: "inbound-body",
    value: 1_024 * 1_024,
    unit: "bytes",
    reason: "the contract promises plugins no more than 1 MiB",
};

/// Requests worked on at one time.
pub const REQUESTS: Limit = Limit {
    name: "requests-at-once",
    value: 128,
    unit: "requests",
    reason: "each may hold a thread and a plugin instance; further ones wait their turn",
};

/// Plugin calls under way at one time.
pub const PLUGIN_CALLS: Limit = Limit {
    name: "plugin-calls-at-once",
    value: 32,
    unit: "calls",
    reason: "each has a slot of memory of its own; with two cores more would only wait inside",
};

/// A plugin's log file.
pub const LOG_FILE: Limit = Limit {
    name: "log-file",
    value: 1_024 * 1_024,
    unit: "bytes",
    reason: "the file before it is kept beside it, so that the last 1 MiB at least is there",
};

/// Versions of one plugin whose files are kept.
pub const PLUGIN_VERSIONS: Limit = Limit {
    name: "plugin-versions",
    value: 3,
    unit: "versions",
    reason: "the one in use and two to go back to; their files need not be kept by anybody else",
};

/// Records on a page that does not say how many.
pub const PAGE: Limit = Limit {
    name: "page-default",
    value: 50,
    unit: "records",
    reason: "what a person looks at; --top and top ask for up to the kernel's own limit",
};

/// Journal entries on a page of the feed.
pub const FEED_PAGE: Limit = Limit {
    name: "feed-page",
    value: 1_000,
    unit: "entries",
    reason: "an entry holds whole records; a reader asks again from the last number",
};

/// Opportunities looked at for the stale list.
pub const STALE_SCAN: Limit = Limit {
    name: "stale-scan",
    value: 20_000,
    unit: "records",
    reason: "each page of 200 is one call of the plugin; the answer says when there were more",
};

/// Time for one delivery.
pub const DELIVERY_TIME: Limit = Limit {
    name: "delivery-time",
    value: 15_000,
    unit: "ms",
    reason: "Standard Webhooks asks receivers to answer within 15 to 30 seconds",
};

/// The part of an answer to a message that is kept.
pub const ANSWER_BODY: Limit = Limit {
    name: "answer-body",
    value: 256 * 1_024,
    unit: "bytes",
    reason: "the contract promises plugins no more than 256 KiB",
};

/// Messages under way at one time.
pub const DELIVERIES: Limit = Limit {
    name: "deliveries-at-once",
    value: 4,
    unit: "messages",
    reason: "one slow receiver does not hold up the others, and few threads are bound",
};

/// Rounds of reactions a command waits for before it ends.
pub const SETTLE_ROUNDS: Limit = Limit {
    name: "settle-rounds",
    value: 10_000,
    unit: "rounds",
    reason: "a command ends even when reactions keep answering each other; the rest is done later",
};

/// Time requests under way get when the server stops.
pub const SHUTDOWN_TIME: Limit = Limit {
    name: "shutdown-time",
    value: 10_000,
    unit: "ms",
    reason: "a client that does not read its answer must not keep the workspace held",
};

/// Rows of an imported file in one commit.
pub const IMPORT_BATCH: Limit = Limit {
    name: "import-batch",
    value: 500,
    unit: "rows",
    reason: "one turn of the writer and one call of each plugin; more would keep others waiting",
};

/// One field of an imported file.
pub const IMPORT_FIELD: Limit = Limit {
    name: "import-field",
    value: 1_024 * 1_024,
    unit: "bytes",
    reason: "the longest text of a record is 64 KiB; a longer field is a quote that was never closed",
};

/// One row of an imported file.
pub const IMPORT_ROW: Limit = Limit {
    name: "import-row",
    value: 8 * 1_024 * 1_024,
    unit: "bytes",
    reason: "a file gone wrong must not fill the memory",
};

/// The columns of an imported file.
pub const IMPORT_COLUMNS: Limit = Limit {
    name: "import-columns",
    value: 4_096,
    unit: "columns",
    reason: "exports of other systems have up to a few hundred",
};

/// The limits of this crate.
pub const ALL: &[Limit] = &[
    REQUEST_BODY,
    INBOUND_BODY,
    REQUESTS,
    PLUGIN_CALLS,
    LOG_FILE,
    PLUGIN_VERSIONS,
    PAGE,
    FEED_PAGE,
    STALE_SCAN,
    DELIVERY_TIME,
    ANSWER_BODY,
    DELIVERIES,
    SETTLE_ROUNDS,
    SHUTDOWN_TIME,
    IMPORT_BATCH,
    IMPORT_FIELD,
    IMPORT_ROW,
    IMPORT_COLUMNS,
];

/// The limits of every part, with the part's name.
#[must_use]
pub fn everywhere() -> Vec<(&'static str, Limit)> {
    let part = |name: &'static str, limits: &[Limit]| {
        limits
            .iter()
            .map(|limit| (name, *limit))
            .collect::<Vec<_>>()
    };
    let mut limits = part("kernel", kjerne_core::limits::ALL);
    limits.extend(part("plugins", kjerne_host::limits::ALL));
    limits.extend(part("server", ALL));
    limits
}
