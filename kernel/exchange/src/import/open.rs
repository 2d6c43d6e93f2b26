//! A file opened: its encoding, its dialect and its header are known, and its rows can be read from
//! the first on, as often as they are needed.

use std::io::{BufReader, Read};
use std::path::Path;

use kjerne_workspace::error::{Context as _, Error, Result};

use kjerne_model::trim;

use super::dialect::{dialect, told_delimiter};
use super::looks::no_table;
use super::mapping::Mapping;
use super::names::cut;
use super::reject::is_rejects;
use super::rows::{Dialect, Row, RowFault, Rows};
use super::shape::Shape;
use super::source::Source;
use crate::limits::{IMPORT_COLUMN_NAME, IMPORT_HEADER_ROWS};

/// The bytes by which the dialect and the columns are judged.
const SAMPLE_BYTES: u64 = 64 * 1024;

/// The rows of a file.
pub type SourceRows = Rows<BufReader<Box<dyn Read + Send>>>;

/// A file whose rows can be read.
pub struct Opened {
    /// The file itself.
    pub source: Source,
    /// The mapping as it holds for this file.
    pub mapping: Option<Mapping>,
    /// How it is split.
    pub dialect: Dialect,
    /// The names of its columns.
    pub header: Vec<String>,
    /// Rows up to the end of the header.
    rows_before: usize,
    sample: Vec<u8>,
}

impl Opened {
    /// Opens a file. A file of rejects is read in the form those are written in, whatever the
    /// mapping says of the original.
    pub fn open(path: &Path, name: &str, mapping: Option<&Mapping>) -> Result<Self> {
        let head = head(path)?;
        let mapping = mapping.map(|mapping| {
            if is_rejects(&head) {
                mapping.for_rejects()
            } else {
                mapping.clone()
            }
        });
        let encoding = mapping.as_ref().and_then(|m| m.encoding.as_deref());
        if let Some(what) = no_table(&head, "") {
            return Err(Error::unreadable(format!("{name} {what}")));
        }
        let source = Source::inspect(path, encoding).with_context(|| format!("in {name}"))?;
        let mut sample = Vec::new();
        source.open()?.take(SAMPLE_BYTES).read_to_end(&mut sample)?;
        if let Some(what) = no_table(&head, &String::from_utf8_lossy(&sample)) {
            return Err(Error::unreadable(format!("{name} {what}")));
        }
        let none = Mapping::default();
        let form = mapping.as_ref().unwrap_or(&none);
        let cut = sample.len() as u64 == SAMPLE_BYTES;
        let dialect = dialect(&sample, cut, form)?;
        let header_rows = header_rows(form)?;
        let rows_before = usize::from(told_delimiter(&sample).is_some()) + form.rows_before_header;
        let mut rows = Rows::with(source.open()?, dialect);
        let names = header(&mut rows, rows_before, header_rows, name)?;
        let Some(header) = names else {
            return Err(Error::unreadable(format!(
                "{name} is empty: it has no line with column names"
            )));
        };
        Ok(Self {
            source,
            dialect,
            header,
            rows_before: rows_before + header_rows,
            sample,
            mapping,
        })
    }

    /// The rows behind the header.
    pub fn rows(&self) -> Result<SourceRows> {
        let mut rows = Rows::with(self.source.open()?, self.dialect);
        pass_over(&mut rows, self.rows_before)?;
        Ok(rows)
    }

    /// What the columns look like, by the first rows.
    pub fn shape(&self) -> Shape {
        let mut rows = Rows::with(self.sample.as_slice(), self.dialect);
        let (mut row, mut all) = (Row::default(), Vec::new());
        // A slice never fails to be read.
        while rows.read(&mut row).unwrap_or(false) {
            all.push(row.clone());
        }
        let behind = all.iter().skip(self.rows_before);
        Shape::of(behind, self.header.len(), self.dialect.escape.is_some())
    }
}

/// The first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(64).read_to_end(&mut head)?;
    Ok(head)
}

fn header_rows(mapping: &Mapping) -> Result<usize> {
    let rows = mapping.header_rows.unwrap_or(1);
    let most = IMPORT_HEADER_ROWS.count();
    let before = mapping.rows_before_header;
    if (1..=most).contains(&rows) && before <= most {
        return Ok(rows);
    }
    Err(Error::unreadable(format!(
        "header_rows is {rows} and rows_before_header {before}; a header has 1 to {most} rows, and \
         at most {most} before it ({})",
        IMPORT_HEADER_ROWS.name
    )))
}

fn pass_over(rows: &mut SourceRows, count: usize) -> Result<()> {
    let mut row = Row::default();
    for _ in 0..count {
        rows.read(&mut row)?;
    }
    Ok(())
}

/// The names of the columns: those of all rows of the header, joined by a blank.
fn header(
    rows: &mut SourceRows,
    before: usize,
    count: usize,
    file: &str,
) -> Result<Option<Vec<String>>> {
    pass_over(rows, before)?;
    let (mut row, mut names) = (Row::default(), Vec::new());
    for number in 0..count {
        if !rows.read(&mut row)? {
            return Ok((number > 0).then_some(names));
        }
        if let Some(fault) = &row.fault {
            return Err(no_header(file, row.line, fault));
        }
        names.resize(names.len().max(row.len()), String::new());
        for (name, field) in names.iter_mut().zip(row.fields()) {
            let text = String::from_utf8_lossy(field);
            let text = trim(&text);
            if !name.is_empty() && !text.is_empty() {
                name.push(' ');
            }
            name.push_str(text);
        }
    }
    let most = IMPORT_COLUMN_NAME.count();
    if let Some(name) = names.iter().find(|name| name.len() > most) {
        return Err(Error::unreadable(format!(
            "{file} begins with the name of a column of {} bytes, {}; at most {most} are allowed ({}). Is it \
             CSV, with a line of column names?",
            name.len(),
            cut(name),
            IMPORT_COLUMN_NAME.name
        )));
    }
    Ok(Some(names))
}

/// A line of names that cannot be read tells nothing of the columns.
fn no_header(file: &str, line: u64, fault: &RowFault) -> Error {
    let why = match fault {
        RowFault::LongField { .. } | RowFault::LongRow => "is longer than any",
        RowFault::ManyColumns => "has more columns than are read",
        RowFault::OpenQuote { .. } => "has a quote that is not closed before the file ends",
        RowFault::AfterQuote { .. } => "has a name that goes on after its closing quote",
    };
    Error::unreadable(format!(
        "{file}: the line of column names, line {line}, {why}. Is it CSV, and are its quotes the mapping's?"
    ))
}
