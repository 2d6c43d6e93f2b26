//! Every limit of the program around the kernel.

use kjerne_core::limits::Limit;

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

/// The limits of this crate.
pub const ALL: &[Limit] = &[
    PLUGIN_CALLS,
    LOG_FILE,
    PLUGIN_VERSIONS,
    PAGE,
    STALE_SCAN,
    DELIVERY_TIME,
    ANSWER_BODY,
    DELIVERIES,
    SETTLE_ROUNDS,
];
