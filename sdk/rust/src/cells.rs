//! [`cells!`](crate::cells), which makes a row of whatever can stand in one.

/// A row of a report or a table: a list of cells, of values or of options of values.
///
/// ```
/// use kjerne_sdk::{Money, cells};
///
/// let row = cells!["2026-03", 12, Money::new(125_000, "NOK"), None::<&str>];
/// assert_eq!(row.len(), 4);
/// assert!(row[3].is_none());
/// ```
#[macro_export]
macro_rules! cells {
    ($($cell:expr),* $(,)?) => {
        ::std::vec![$($crate::Cell::cell($cell)),*]
    };
}
