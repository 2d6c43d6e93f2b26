//! Every limit of the program around the kernel.

kjerne_core::limit_table! {
    /// Every limit of the program around the kernel.
    ALL;

    /// A file of the workspace that people write: `kinds.toml`, `kjerne.toml`.
    WORKSPACE_FILE = "workspace-file", 4 << 20, "bytes",
        "ten thousand fields with their choices; read as TOML it takes fifty times as much memory";

    /// Plugin calls under way at one time.
    PLUGIN_CALLS = "plugin-calls-at-once", 32, "calls",
        "each has a slot of memory of its own; with two cores more would only wait inside";

    /// How long whoever runs jobs sleeps at most.
    JOB_LOOK = "job-look", 10_000, "ms",
        "jobs are due to the minute; a clock that was set, or a machine that slept, is noticed within so long";

    /// A plugin's log file.
    LOG_FILE = "log-file", 1_024 * 1_024, "bytes",
        "the file before it is kept beside it, so that the last 1 MiB at least is there";

    /// Versions of one plugin whose files are kept.
    PLUGIN_VERSIONS = "plugin-versions", 3, "versions",
        "the one in use and two to go back to; their files need not be kept by anybody else";

    /// Keys of one publisher, with those that were succeeded or revoked.
    PUBLISHER_KEYS = "publisher-keys", 16, "keys",
        "one every year for as long as anybody signs; a revoked one is never forgotten";

    /// Records on a page that does not say how many.
    PAGE = "page-default", 50, "records",
        "what a person looks at; --top and top ask for up to the kernel's own limit";

    /// Opportunities looked at for the stale list.
    STALE_SCAN = "stale-scan", 20_000, "records",
        "each page of 200 is one call of the plugin; the answer says when there were more";

    /// Time for one delivery.
    DELIVERY_TIME = "delivery-time", 15_000, "ms",
        "Standard Webhooks asks receivers to answer within 15 to 30 seconds";

    /// The part of an answer to a message that is kept.
    ANSWER_BODY = "answer-body", 256 * 1_024, "bytes",
        "the contract promises plugins no more than 256 KiB";

    /// Messages under way at one time.
    DELIVERIES = "deliveries-at-once", 64, "messages",
        "each binds a thread that mostly waits; a plugin that has none under way gets one beyond it, \
         so that others never keep it waiting";

    /// Messages of one plugin under way at one time.
    PLUGIN_DELIVERIES = "plugin-deliveries", 32, "messages",
        "half of all places, so that a plugin with many slow receivers leaves room for others";

    /// Messages of one plugin under way to one host at one time.
    DELIVERIES_TO_ONE = "deliveries-to-one", 4, "messages",
        "a receiver that never answers holds up what goes to it, and no more";

    /// Rounds of reactions a command waits for before it ends.
    SETTLE_ROUNDS = "settle-rounds", 10_000, "rounds",
        "a command ends even when reactions keep answering each other; the rest is done later";

    /// How long a command waits for others that hold the workspace.
    HELD_WAIT = "held-wait", 10_000, "ms",
        "commands started together take turns; what takes longer is an import, and is told";

    /// The longest answer that a command reads whole.
    COMMAND_ANSWER = "command-answer", 512 << 20, "bytes",
        "the largest page of the journal fits; what is longer comes as a stream";

    /// Parked entries counted for the state of health.
    HEALTH_PARKED = "health-parked", 1_000, "entries",
        "health is asked for every few seconds, by anybody; that there are many is enough to know";

    /// Rows that a day has in the cost ledger; beyond them calls are booked without their kind.
    COST_ROWS = "cost-rows", 2_000, "rows",
        "twenty plugins in five roles about twenty kinds; a row takes some hundred bytes";

    /// Days for which the cost ledger has rows of each day.
    COST_DAYS = "cost-days", 92, "days",
        "what changed from one week to the next is seen by then; later a month is one row for each role";

    /// Days after which a month is forgotten by the cost ledger.
    COST_MONTHS = "cost-months", 1_100, "days",
        "three years can be compared; the journal keeps the fuel of each commit for ever";

    /// Old rows of the cost ledger that are brought together in one transaction.
    COST_STEP = "cost-step", 2_000, "rows",
        "commits wait for no more than some milliseconds of it";

    /// Records of a kind a report reads.
    REPORT_SCAN = "report-scan", 200_000, "records",
        "a report reads every record once; it says when there were more";

    /// Pages of one report, one after the other.
    REPORT_PAGES = "report-pages", 1_000, "pages",
        "a million rows; a report whose pages never end would keep whoever reads it all for ever";

    /// Panels that are asked for one page.
    PANELS_SHOWN = "panels-shown", 32, "panels",
        "each is a call of a plugin that a person waits for; nobody looks at more";
}

/// How long the cost ledger keeps what, and how much of it.
pub(crate) const RETENTION: kjerne_store::costs::Retention = kjerne_store::costs::Retention {
    rows: COST_ROWS.count(),
    days: COST_DAYS.value,
    months: COST_MONTHS.value,
    step: COST_STEP.count(),
};
