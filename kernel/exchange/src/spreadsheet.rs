//! Cells that a spreadsheet would take for a formula, made safe and taken back exactly.
//!
//! An apostrophe in front makes a spreadsheet take a cell for text. Cells that hold apostrophes in
//! front of such a sign already get one more, so that taking one off gives back every cell as it was.

use std::borrow::Cow;

/// The column that says of an export that its cells are safe. It holds nothing.
pub const SAFE_COLUMN: &str = "safe_for_spreadsheets";

/// True when a cell, but for apostrophes in front, begins as formulas do. Some spreadsheets take
/// the wide forms of the signs for the same, and pass over a tab or a line end.
fn is_formula(cell: &str) -> bool {
    let signs = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    cell.trim_start_matches('\'').starts_with(signs)
}

/// The cell as a spreadsheet takes it for text.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The cell as it was before it was made safe.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}
