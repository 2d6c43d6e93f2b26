//! What commands print: one thing, as a table for people, JSON for programs, or CSV for sheets.

use std::fmt;
use std::io::{self, Write};
use std::ops::Range;

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use kjerne_model::shown;
use serde_json::Value as Json;

/// The longest cell of a table; JSON and CSV show everything.
const MOST_CELL_CHARS: usize = 48;

/// One line under the header and nothing else.
pub const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// In which form to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// For reading.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// Something to print in any form.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each as long as the columns.
    pub rows: Vec<Vec<String>>,
    /// The same as JSON.
    pub json: Json,
    /// A sentence under a table, such as where the next page begins.
    pub note: Option<String>,
    /// Cells are shown whole in a table, however long.
    pub whole: bool,
    /// The columns of numbers, which stand to the right.
    pub numbers: Range<usize>,
}

impl Report {
    /// A report of rows under these columns.
    #[must_use]
    pub fn new(columns: &[&str], rows: Vec<Vec<String>>, json: Json) -> Self {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Self {
            columns,
            rows,
            json,
            ..Self::default()
        }
    }

    /// Names beside values, one per line.
    #[must_use]
    pub fn of_pairs(pairs: &[(&str, String)], json: Json) -> Self {
        let rows = pairs
            .iter()
            .map(|(name, value)| vec![(*name).to_owned(), value.clone()]);
        Self::new(&["name", "value"], rows.collect(), json)
    }

    /// One sentence.
    #[must_use]
    pub fn of_note(note: impl Into<String>, json: Json) -> Self {
        Self {
            note: Some(note.into()),
            json,
            ..Self::default()
        }
    }

    /// Adds a sentence under the table.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Shows cells whole, for reports whose sentences are the point.
    #[must_use]
    pub fn with_whole_cells(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Has these columns stand to the right, as numbers do.
    #[must_use]
    pub fn with_numbers(mut self, columns: Range<usize>) -> Self {
        self.numbers = columns;
        self
    }

    /// Writes the report.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> Result<()> {
        match format {
            Format::Table => self.write_table(out)?,
            Format::Json => writeln!(out, "{:#}", self.json)?,
            Format::Csv => self.write_csv(out)?,
        }
        Ok(())
    }

    /// Prints the report; a reader that went away, such as `head`, is no error.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&self, format: Format) -> Result<()> {
        print(|out| self.write(format, out))
    }

    fn write_table(&self, out: &mut dyn Write) -> Result<()> {
        if !self.columns.is_empty() {
            let mut table = Table::new();
            table.load_style(STYLE).set_header(&self.columns);
            for row in &self.rows {
                table.add_row(row.iter().map(|cell| self.cell(cell)));
            }
            for index in self.numbers.clone() {
                if let Some(column) = table.column_mut(index) {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
            writeln!(out, "{}", table.trim_fmt())?;
        }
        if let Some(note) = &self.note {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }

    /// A cell on one line, without characters that act on a screen.
    fn cell(&self, cell: &str) -> String {
        let clean = shown::plain(cell);
        if self.whole || clean.chars().count() <= MOST_CELL_CHARS {
            return clean;
        }
        clean
            .chars()
            .take(MOST_CELL_CHARS - 1)
            .chain(['…'])
            .collect()
    }

    fn write_csv(&self, out: &mut dyn Write) -> Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        if !self.columns.is_empty() {
            csv.write_record(&self.columns)?;
        }
        for row in &self.rows {
            csv.write_record(row)?;
        }
        Ok(csv.flush()?)
    }
}

/// Prints a text and ends its line, as a report is printed.
///
/// # Errors
/// When it cannot be written.
pub fn print_line(text: &str) -> Result<()> {
    print(|out| Ok(writeln!(out, "{text}")?))
}

fn print(write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = write(&mut out).and_then(|()| Ok(out.flush()?));
    match written {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        Err(error) => Err(Unprinted(error).into()),
        Ok(()) => Ok(()),
    }
}

/// What a command did could not be told. That is no failure of the store: whoever takes it for one does
/// everything twice.
#[derive(Debug)]
pub struct Unprinted(anyhow::Error);

impl fmt::Display for Unprinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "standard output cannot be written: {}; what the command was to change is done",
            self.0
        )
    }
}

impl std::error::Error for Unprinted {}

/// Whether whoever read what we print has gone away.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    fn printed(format: Format) -> String {
        let rows = vec![
            vec!["1".into(), "a,\"b\"\x1b[2J\n".into()],
            vec!["2".into(), "x".repeat(60)],
        ];
        let report =
            Report::new(&["id", "name"], rows, json!([1, 2])).with_note("more with --after 2");
        let mut out = Vec::new();
        report.write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_is_short_safe_and_ends_with_its_note() {
        let text = printed(Format::Table);
        assert!(text.contains(&format!("{}…", "x".repeat(47))), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
        assert!(text.ends_with("more with --after 2\n"), "{text}");
    }

    #[test]
    fn csv_and_json_hold_everything_and_nothing_else() {
        let text = printed(Format::Csv);
        assert!(
            text.starts_with("id,name\n1,\"a,\"\"b\"\"") && text.contains(&"x".repeat(60)),
            "{text}"
        );
        assert_eq!(printed(Format::Json), "[\n  1,\n  2\n]\n");
    }
}
