//! Every limit of the HTTP interface, and the list of all limits of all parts.

use kjerne_core::limits::Limit;

kjerne_core::limit_table! {
    /// Every limit of the HTTP interface.
    ALL;

    /// The longest JSON body of a request.
    REQUEST_BODY = "request-body", 8 * 1_024 * 1_024, "bytes",
        "a batch of the most changes a commit takes, at 8 KiB each, and no more memory per request";

    /// The longest message from outside to an integration.
    INBOUND_BODY = "inbound-body", 1_024 * 1_024, "bytes",
        "the contract promises plugins no more than 1 MiB";

    /// Requests worked on at one time.
    REQUESTS = "requests-at-once", 128, "requests",
        "each may hold a thread and a plugin instance; further ones wait their turn";

    /// Journal entries on a page of the feed.
    FEED_PAGE = "feed-page", 1_000, "entries",
        "an entry holds whole records; a reader asks again from the last number";

    /// Time requests under way get when the server stops.
    SHUTDOWN_TIME = "shutdown-time", 10_000, "ms",
        "a client that does not read its answer must not keep the workspace held";

    /// How long an answer that is sent while it is written waits for its reader.
    STREAM_STALL = "stream-stall", 60_000, "ms",
        "while it waits the state it reads is kept, and the data file grows with every commit";

    /// Such answers at one time.
    STREAMS = "streams-at-once", 16, "answers",
        "each holds a thread; further ones wait, and other requests do not wait for them";

    /// The line that comes before the file of an import.
    IMPORT_LINE = "import-line", 512 << 10, "bytes",
        "it holds the mapping, which is a page or two; what is larger is no mapping";

    /// An actor's name, as the owner of the workspace tells it.
    ACTOR_NAME = "actor-name", 128, "bytes",
        "names of people and programs are short; it stands in every journal entry";
}

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
