//! Every limit of import and export.

kjerne_core::limit_table! {
    /// Every limit of import and export.
    ALL;

    /// The text of a mapping.
    MAPPING = "mapping", 256 << 10, "bytes",
        "a page or two, and thousands of values that become others; what is longer is the file itself, by \
         mistake";

    /// Rows of an imported file in one commit.
    IMPORT_BATCH = "import-batch", 500, "rows",
        "one turn of the writer and one call of each plugin; more would keep others waiting";

    /// One field of an imported file.
    IMPORT_FIELD = "import-field", 1_024 * 1_024, "bytes",
        "the longest text of a record is 64 KiB; a longer field is a quote that was never closed";

    /// One row of an imported file.
    IMPORT_ROW = "import-row", 8 * 1_024 * 1_024, "bytes",
        "a file gone wrong must not fill the memory";

    /// The columns of an imported file.
    IMPORT_COLUMNS = "import-columns", 4_096, "columns",
        "exports of other systems have up to a few hundred";

    /// The text that a template makes of one row.
    IMPORT_TEMPLATE = "import-template", 64 * 1_024, "bytes",
        "the longest text of a record; a template that names a column often makes much of a short row";

    /// A file that is sent to be imported.
    IMPORT_FILE = "import-file", 8 << 30, "bytes",
        "it is put aside on the disk first; ten million rows of a thousand bytes fit";

    /// Rows that wait for others of their file and are put into the order in which they can be taken.
    IMPORT_WAITING = "import-waiting", 4_000_000, "rows",
        "some hundred bytes of each are kept in memory for that; rows beyond are tried in the order of the file";

    /// Passes over the rows that wait for others of their file.
    IMPORT_PASSES = "import-passes", 1_000, "passes",
        "one takes a chain of any length; more are for rows beyond those that are put into order, and each has to \
         take some";

    /// Reasons for which rows are not taken, told at the end of an import.
    IMPORT_REASONS = "import-reasons", 50, "reasons",
        "each is kept until the end, and nobody reads more; the rejects file has every row";

    /// Reasons of one column for which rows are not taken, told at the end of an import.
    IMPORT_COLUMN_REASONS = "import-column-reasons", 10, "reasons",
        "a column with more is wrong as a whole, and must not take the room of the others; its further ones are \
         counted together";

    /// Notes on what looks odd about an imported file.
    IMPORT_NOTES = "import-notes", 20, "notes",
        "a file that is odd throughout is understood by its first lines; further notes are counted";

    /// Faults of a mapping that are told at once.
    IMPORT_FAULTS = "import-faults", 100, "faults",
        "a mapping for another file is at fault in everything; the others are counted";

    /// Names of columns or fields in one message.
    IMPORT_NAMES = "import-names", 20, "names",
        "enough to see what kind of file it is";

    /// Columns that a mapping does not use, told at the end of an import.
    IMPORT_UNUSED = "import-unused", 200, "columns",
        "each may be what was forgotten; exports with more have them unused on purpose";

    /// The name of a column of an imported file.
    IMPORT_COLUMN_NAME = "import-column-name", 4_096, "bytes",
        "questions of surveys stand as names; what is longer is no name, and the file no table";

    /// Rows of the header of an imported file, and rows before it.
    IMPORT_HEADER_ROWS = "import-header-rows", 100, "rows",
        "titles and remarks above a table take a page at the most";
}
