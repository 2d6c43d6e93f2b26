//! Finds out how a file is split into columns, from its beginning and from what the mapping says.

use kjerne_workspace::error::{Error, Result};

use kjerne_model::trim;

use super::mapping::Mapping;
use super::rows::{Dialect, Row, Rows};

/// Delimiters in the order they are preferred when a file fits several equally.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The dialect of a file: what its first line or the mapping says, else what fits best.
///
/// # Errors
/// When the mapping names something that cannot be a delimiter, quote or escape.
pub fn dialect(sample: &[u8], cut: bool, mapping: &Mapping) -> Result<Dialect> {
    let told = mapping
        .delimiter
        .as_deref()
        .map(|text| one_sign("delimiter", text));
    let quote = mapping.quote.as_deref().map(|text| one_sign("quote", text));
    let escape = mapping
        .escape
        .as_deref()
        .map(|text| one_sign("escape", text));
    let usual = Dialect {
        quote: quote.transpose()?.unwrap_or(b'"'),
        escape: escape.transpose()?,
        delimiter: b',',
    };
    let delimiter = match (told.transpose()?, told_delimiter(sample)) {
        (Some(told), _) | (None, Some(told)) => told,
        (None, None) => {
            let wanted = mapping.columns();
            delimiter(sample, cut, usual, mapping.rows_before_header, &wanted)
        }
    };
    let dialect = Dialect { delimiter, ..usual };
    if dialect.quote == delimiter
        || dialect
            .escape
            .is_some_and(|sign| sign == delimiter || sign == dialect.quote)
    {
        let message = "delimiter, quote and escape are not three different signs";
        return Err(Error::unreadable(message));
    }
    Ok(dialect)
}

fn one_sign(what: &str, text: &str) -> Result<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !b"\r\n".contains(byte) && !byte.is_ascii_alphanumeric() => {
            Ok(*byte)
        }
        _ => Err(Error::unreadable(format!(
            "the {what} {text:?} is not one ASCII character"
        ))),
    }
}

/// Finds the delimiter from the beginning of a text. The one by which the header has the columns the
/// mapping wants wins; then the one by which every row is as wide as the header; then the one by
/// which the most rows are, and of those the one with the most columns. Between equals, a delimiter
/// that blanks follow in the header is less likely one, and so is a comma between two digits.
fn delimiter(sample: &[u8], cut: bool, usual: Dialect, header: usize, wanted: &[String]) -> u8 {
    // `max_by_key` keeps the last of equals, so the preferred one has to come last.
    DELIMITERS
        .iter()
        .rev()
        .max_by_key(|&&delimiter| {
            let dialect = Dialect { delimiter, ..usual };
            Fit::of(sample, cut, dialect, header, wanted)
        })
        .copied()
        .unwrap_or(b',')
}

/// How well a delimiter fits; the greater the better.
#[derive(PartialEq, Eq, PartialOrd, Ord, Default)]
struct Fit {
    has_wanted: bool,
    all_agree: bool,
    agreeing: usize,
    columns: usize,
    header_without_blanks: bool,
    outside_numbers: bool,
}

impl Fit {
    fn of(sample: &[u8], cut: bool, dialect: Dialect, header: usize, wanted: &[String]) -> Self {
        let (mut rows, mut row, mut all) =
            (Rows::with(sample, dialect), Row::default(), Vec::new());
        // A slice never fails to be read.
        while rows.read(&mut row).unwrap_or(false) {
            all.push(row.clone());
        }
        // The last row of a piece of a file may be half a row.
        if cut && all.len() > header + 2 {
            all.pop();
        }
        let Some(first) = all.get(header).filter(|first| first.len() > 1) else {
            return Self::default();
        };
        let name = |field: &[u8]| trim(&String::from_utf8_lossy(field)).to_owned();
        let names: Vec<String> = first.fields().map(name).collect();
        let width = first.len();
        let body = &all[header..];
        let agreeing = body.iter().filter(|row| row.len() == width).count();
        let begins_blank = |field: &[u8]| field.first() == Some(&b' ');
        Self {
            has_wanted: !wanted.is_empty() && wanted.iter().all(|column| names.contains(column)),
            all_agree: agreeing == body.len(),
            agreeing,
            columns: width,
            header_without_blanks: !first.fields().any(begins_blank),
            outside_numbers: dialect.delimiter != b',' || !body.iter().any(cuts_a_number),
        }
    }
}

/// True when a field ends and the next begins with a digit, as in `1234,50`.
fn cuts_a_number(row: &Row) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    (1..row.len()).any(|at| is_digit(row.field(at - 1).last()) && is_digit(row.field(at).first()))
}

/// What the first line says of the delimiter, as Excel writes it: `sep=;`.
pub fn told_delimiter(sample: &[u8]) -> Option<u8> {
    let line = sample.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    match line.strip_prefix(b"sep=")? {
        [delimiter] if delimiter.is_ascii() => Some(*delimiter),
        _ => None,
    }
}
