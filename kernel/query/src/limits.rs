//! Limits: what one is, and those of reading and of queries.

/// One limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// Its name, as errors and reports have it.
    pub name: &'static str,
    /// Its number.
    pub value: u64,
    /// What is counted: `fuel`, `ms`, `bytes`, `calls`, ….
    pub unit: &'static str,
    /// Why there is such a limit, and why this number.
    pub reason: &'static str,
}

impl Limit {
    /// The number, as a count of things in memory.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.value as usize
    }
}

/// Makes a table of limits: a constant of type [`Limit`] for each row, and the slice `ALL` of all
/// rows, so that no limit can be described and left out of the list.
///
/// A row is the constant's doc and identifier, and then name, number, unit and reason. In front of
/// the rows stands the doc of `ALL`.
///
/// [`Limit`]: crate::limits::Limit
#[macro_export]
macro_rules! limit_table {
    (
        $(#[$all_doc:meta])*
        ALL;
        $(
            $(#[$doc:meta])*
            $limit:ident = $name:literal, $value:expr, $unit:literal, $reason:literal;
        )+
    ) => {
        $(
            $(#[$doc])*
            pub const $limit: $crate::limits::Limit = $crate::limits::Limit {
                name: $name,
                value: $value,
                unit: $unit,
                reason: $reason,
            };
        )+

        $(#[$all_doc])*
        pub const ALL: &[$crate::limits::Limit] = &[$($limit),+];
    };
}

limit_table! {
    /// Every limit of queries.
    ALL;

    /// Bytes of a value in a cursor.
    CURSOR_VALUE = "cursor-value", 256, "bytes",
        "a cursor comes back in an address, beside the longest filter, with a value for each field of the \
         order; of what is longer it has the beginning, and the record is read again";

    /// Records in one page of a query.
    QUERY_TOP = "query-top", 1_000, "records",
        "a page is held in memory for everybody who asks at once; use the cursor for more";

    /// Rows read for one page of a query.
    QUERY_ROWS = "query-rows", 2_000_000, "rows",
        "rows of indexes and records; a million records without an index take some seconds, and what \
         needs more is an export";

    /// Memory of the records on one page of a query, unless a single record has more.
    QUERY_BYTES = "query-bytes", 4 << 20, "bytes",
        "a thousand records of 4 KB; with longer texts a page has fewer records and a cursor";

    /// Fields a query is ordered by.
    QUERY_ORDER = "query-order", 8, "fields",
        "the cursor carries a value for each; nobody reads a list sorted by nine columns";

    /// Entries in one page of the journal.
    JOURNAL_PAGE = "journal-page", 1_000, "entries",
        "a page is held in memory for everybody who asks at once; go on after its last number";

    /// Memory of the entries on one page of the journal, unless a single entry has more.
    JOURNAL_BYTES = "journal-bytes", 4 << 20, "bytes",
        "an entry holds whole records before and after, and a thousand large ones would fill the memory";
}
