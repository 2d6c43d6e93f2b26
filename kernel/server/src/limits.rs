//! Every limit of the HTTP interface, and the list of all limits of all parts.

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

/// Journal entries on a page of the feed.
pub const FEED_PAGE: Limit = Limit {
    name: "feed-page",
    value: 1_000,
    unit: "entries",
    reason: "an entry holds whole records; a reader asks again from the last number",
};

/// Time requests under way get when the server stops.
pub const SHUTDOWN_TIME: Limit = Limit {
    name: "shutdown-time",
    value: 10_000,
    unit: "ms",
    reason: "a client that does not read its answer must not keep the workspace held",
};

/// The limits of this crate.
pub const ALL: &[Limit] = &[
    REQUEST_BODY,
    INBOUND_BODY,
    REQUESTS,
    FEED_PAGE,
    SHUTDOWN_TIME,
];

/// The limits of every part, with the part's name.
#[must_use]
pub fn everywhere() -> Vec<(&'static str, Limit)> {
    let parts: [(&str, &[Limit]); 5] = [
        ("kernel", kjerne_core::limits::ALL),
        ("plugins", kjerne_host::limits::ALL),
        ("workspace", kjerne_workspace::limits::ALL),
        ("exchange", kjerne_exchange::limits::ALL),
        ("server", ALL),
    ];
    let named = |(part, limits): (&'static str, &'static [Limit])| {
        limits.iter().map(move |limit| (part, *limit))
    };
    parts.into_iter().flat_map(named).collect()
}
