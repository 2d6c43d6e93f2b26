//! Notices rows that do not look like the table they stand in: a second line of column names, a
//! second table below the first, backslashes that were meant as escapes. They are told, since only a
//! person knows what they are.

use super::rows::Row;
use super::told::Told;

/// How many rows of the beginning a file is judged by.
const ROWS: usize = 200;
/// The fewest cells of a column that say something of it.
const CELLS: usize = 3;

/// What the columns of a file look like.
pub struct Shape {
    /// Columns whose cells have digits in them.
    digits: Vec<bool>,
    has_escape: bool,
    /// A row has been looked at.
    has_begun: bool,
    told_backslash: bool,
    /// A row of delimiters stands before the next.
    after_blank: bool,
}

impl Shape {
    /// Judges columns by the first rows behind the header.
    pub fn of<'a>(rows: impl Iterator<Item = &'a Row>, columns: usize, has_escape: bool) -> Self {
        let (mut filled, mut with_digits) = (vec![0_usize; columns], vec![0_usize; columns]);
        for row in rows.take(ROWS).filter(|row| row.len() == columns) {
            for (column, field) in row.fields().enumerate() {
                filled[column] += usize::from(!field.trim_ascii().is_empty());
                with_digits[column] += usize::from(has_digit(field));
            }
        }
        // A tenth may be something else: `n/a`, or the very row that is to be noticed.
        let digits = filled.iter().zip(&with_digits);
        let digits = digits.map(|(all, with)| *all >= CELLS && with + 1 + all / 10 >= *all);
        Self {
            digits: digits.collect(),
            has_escape,
            has_begun: false,
            told_backslash: false,
            after_blank: false,
        }
    }

    /// A row of delimiters is like a blank line.
    pub fn blank(&mut self) {
        self.after_blank = true;
    }

    /// Tells of a row what is odd.
    pub fn look(&mut self, row: &Row, told: &mut Told) {
        let line = row.line;
        let after_blank = std::mem::take(&mut self.after_blank) || row.after_blank;
        if self.is_like_header(row) {
            told.note(format!(
                "line {line} looks like another header: it has words where the other rows have \
                 numbers"
            ));
        } else if after_blank && self.has_begun {
            told.note(format!(
                "line {line} follows a blank line; is it the beginning of another table?"
            ));
        }
        self.has_begun = true;
        if row.backslash_quote && !self.has_escape && !self.told_backslash {
            self.told_backslash = true;
            told.note(format!(
                "line {line} has a backslash before a quote; if it is an escape, say escape = '\\' in \
                 the mapping"
            ));
        }
    }

    /// No digit anywhere, and a word in at least one column of numbers.
    fn is_like_header(&self, row: &Row) -> bool {
        let is_word = |field: &[u8]| !field.trim_ascii().is_empty();
        let mut words = row.fields().zip(&self.digits);
        row.len() == self.digits.len()
            && !row.fields().any(has_digit)
            && words.any(|(field, digits)| *digits && is_word(field))
    }
}

fn has_digit(field: &[u8]) -> bool {
    field.iter().any(u8::is_ascii_digit)
}
