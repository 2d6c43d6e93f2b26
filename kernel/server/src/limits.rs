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

    /// Values in a JSON body.
    JSON_VALUES = "json-values", 200_000, "values",
        "two hundred for each change of the largest commit; in memory a value takes many times its text";

    /// Memory of all bodies that are being read, at each door.
    BODIES = "bodies-at-once", 64 << 20, "bytes",
        "eight of the longest; a body takes up memory for as long as its sender takes";

    /// Memory of all JSON bodies that are being worked on, at each door.
    JSON_MEMORY = "json-at-once", 256 << 20, "bytes",
        "three of the largest commits or a thousand of the usual size, reckoned at what they take as a \
         tree; further ones wait";

    /// Memory of all answers that are being sent, at each door.
    ANSWERS = "answers-at-once", 256 << 20, "bytes",
        "sixty of the largest pages; an answer takes up memory for as long as its reader takes";

    /// Memory set aside for a page before it is looked for.
    PAGE_ROOM = "page-room", 12 << 20, "bytes",
        "three times a page: as records, as text, and as text that grows; those that wait have taken nothing";

    /// Answers that are not counted.
    SMALL_ANSWER = "small-answer", 64 << 10, "bytes",
        "all connections together have few of them; health, and one record, never wait for who reads slowly";

    /// How long a request waits for memory or its turn.
    ROOM_WAIT = "room-wait", 10_000, "ms",
        "a query ends within this time and makes room; after it the client is told to try again";

    /// Time for one page of records, the journal or a report.
    QUERY_TIME = "query-time", 10_000, "ms",
        "nobody waits longer in front of a screen, and an index answers in milliseconds";

    /// Tags in an If-Match header.
    MATCH_TAGS = "match-tags", 16, "tags",
        "each is a version that is tried; a client knows one or two";

    /// Connections from the network at one time.
    CONNECTIONS = "connections", 512, "connections",
        "four for each request that is worked on; fewer than a process may have open files";

    /// Connections of the owner's commands at one time.
    OWNER_CONNECTIONS = "owner-connections", 64, "connections",
        "each command has one; the network cannot take these";

    /// Time from when a connection is free until the head of its next request is there.
    HEAD_TIME = "head-time", 30_000, "ms",
        "long enough to keep a connection between two requests, short enough not to collect idle ones";

    /// The same for the owner's commands.
    OWNER_HEAD_TIME = "owner-head-time", 600_000, "ms",
        "a command may wait for a person between two requests";

    /// The head of a request.
    HEAD_BYTES = "head", 64 << 10, "bytes",
        "the longest filter, escaped, fits its address";

    /// Time between two pieces of a body.
    BODY_IDLE = "body-idle", 30_000, "ms",
        "a sender that is silent for so long has gone";

    /// Time for all of a body that is kept in memory.
    BODY_TIME = "body-time", 120_000, "ms",
        "the longest body at 70 KB/s; an import is put aside as it comes, and has no such bound";

    /// How fast a body has to come where all connections are taken.
    BODY_RATE = "body-rate", 2_048, "bytes/s",
        "the slowest line does it; whoever sends less, when there is no room, keeps everybody else out";

    /// Time in which a reader has to take a step of its answer.
    ANSWER_IDLE = "answer-idle", 30_000, "ms",
        "a reader that stands still must not keep an answer in memory";

    /// What a reader has to take of its answer in that time.
    ANSWER_STEP = "answer-step", 64 << 10, "bytes",
        "2 KB/s, which the slowest line does; byte by byte is no reading";

    /// How long a reader may stand still when there is no memory for the answers of others.
    ANSWER_STANDING = "answer-standing", 2_000, "ms",
        "a reader on any line takes 64 KB in this time; who does not, when there is no room, keeps everybody else out";

    /// How long a client may go on sending when it has its answer.
    PARTING_TIME = "parting-time", 10_000, "ms",
        "who is still sending does not read the answer; closing on them would be told as a broken connection";

    /// How much a client may go on sending when it has its answer.
    PARTING_BYTES = "parting", 32 << 20, "bytes",
        "what was left of the longest body, four times over; what sends more is no client of ours";

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
    IMPORT_LINE = "import-line", 1 << 20, "bytes",
        "it holds the mapping, of which every sign may be escaped, and the file's name";

    /// An actor's name, as the owner of the workspace tells it.
    ACTOR_NAME = "actor-name", 128, "bytes",
        "names of people and programs are short; it stands in every journal entry";
}

/// The limits of every part, with the part's name.
#[must_use]
pub fn everywhere() -> Vec<(&'static str, Limit)> {
    let parts: [(&str, &[Limit]); 8] = [
        ("kernel", kjerne_core::limits::ALL),
        ("queries", kjerne_core::limits::QUERIES),
        ("packages", kjerne_package::limits::ALL),
        ("plugins", kjerne_host::limits::ALL),
        ("plugins", kjerne_host::ledger_limits::ALL),
        ("workspace", kjerne_workspace::limits::ALL),
        ("exchange", kjerne_exchange::limits::ALL),
        ("server", ALL),
    ];
    let named = |(part, limits): (&'static str, &'static [Limit])| {
        limits.iter().map(move |limit| (part, *limit))
    };
    parts.into_iter().flat_map(named).collect()
}
