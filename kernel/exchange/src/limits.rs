//! Every limit of import and export.

use kjerne_core::limits::Limit;

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
pub const ALL: &[Limit] = &[IMPORT_BATCH, IMPORT_FIELD, IMPORT_ROW, IMPORT_COLUMNS];
