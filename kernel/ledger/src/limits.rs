//! Every limit of the quarantine: its name, its number and its reason.

kjerne_core::limit_table! {
    /// Every limit of the quarantine.
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
}
