//! Every limit of accounts, logs, places and the quarantine: its name, its number and its reason.

kjerne_core::limit_table! {
    /// Every limit here.
    ALL;

    /// Calls of a plugin in a row that break before it is set aside in the role.
    QUARANTINE_BREAKS = "quarantine-breaks", 5, "calls",
        "one bad input breaks one call or a few; what goes well in between begins the count anew";

    /// How long after one call that broke the next still counts as in a row.
    QUARANTINE_WINDOW = "quarantine-window", 60_000, "ms",
        "what breaks now and then is no reason not to ask";

    /// How long a plugin is set aside the first time; each further time is twice as long.
    QUARANTINE_FIRST = "quarantine-first", 10_000, "ms",
        "long enough that nobody waits for each call to break, short enough to be over when it is mended";

    /// How long a plugin is set aside at most.
    QUARANTINE_LONGEST = "quarantine-longest", 600_000, "ms",
        "a plugin that is well again is found to be within ten minutes, without anybody's help";

    /// Bytes of a log line; the rest is cut.
    LOG_LINE = "log-line", 1_024, "bytes",
        "a line, not a dump of a customer's data";

    /// Lines kept for each plugin; the oldest go first.
    LOG_KEPT = "log-kept", 1_000, "lines",
        "enough to see what happened, in at most 1 MiB";

    /// The part of all slots that one plugin may take in one role.
    SHARE = "plugin-share", 50, "percent",
        "a plugin whose calls are long keeps its own waiting, and not those of the others";

    /// The part of all slots that is kept for the calls of commits.
    COMMIT_SHARE = "commit-share", 25, "percent",
        "a commit waits for its shapes and guards; whatever else plugins do can be done later";

    /// The part of all slots that is kept, among those for other calls than commits', for plugins that have
    /// none of these calls under way.
    NEWCOMER_SHARE = "newcomer-share", 15, "percent",
        "two plugins whose calls are long would take every place, and a third had none for one short call";
}
