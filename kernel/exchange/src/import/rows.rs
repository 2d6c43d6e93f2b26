//! Splits CSV text into rows, in constant memory, with the line each row begins at.
//!
//! Written here rather than taken from a library for three things imports need: exact line numbers
//! whatever the line ends are, a quote that is never closed told as such, and a field too big to
//! keep being counted without being kept.

use std::io::{self, BufRead};

use crate::limits::{IMPORT_COLUMNS, IMPORT_FIELD, IMPORT_ROW};

/// The most bytes in one field.
pub const MAX_FIELD_BYTES: usize = IMPORT_FIELD.value as usize;
/// The most bytes in one row.
pub const MAX_ROW_BYTES: usize = IMPORT_ROW.value as usize;
/// The most columns in one row.
pub const MAX_COLUMNS: usize = IMPORT_COLUMNS.value as usize;

/// One row, reused from row to row.
#[derive(Clone, Default, Debug)]
pub struct Row {
    /// The line it begins at, counted from 1.
    pub line: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// What is wrong with the row as a whole.
    pub fault: Option<RowFault>,
}

/// What is wrong with a row before its columns mean anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowFault {
    /// A field is longer than [`MAX_FIELD_BYTES`]: which, and how long.
    LongField { column: usize, bytes: usize },
    /// The row is longer than [`MAX_ROW_BYTES`].
    LongRow,
    /// The row has more than [`MAX_COLUMNS`] columns.
    ManyColumns,
    /// A quote opened at this line is not closed before the file ends.
    OpenQuote { line: u64 },
}

impl Row {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// One field's bytes; empty when there is no such field.
    pub fn field(&self, index: usize) -> &[u8] {
        let Some(&end) = self.ends.get(index) else {
            return &[];
        };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..end]
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.ends.len()
    }

    /// All fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.field(index))
    }

    /// Takes the first field off, which a spooled row carries its line in.
    pub fn take_first(&mut self) -> Vec<u8> {
        if self.ends.is_empty() {
            return Vec::new();
        }
        let first = self.ends.remove(0);
        for end in &mut self.ends {
            *end -= first;
        }
        self.text.drain(..first).collect()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.fault = None;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the row has been seen.
    RowStart,
    FieldStart,
    Plain,
    Quoted,
    /// After a quote in a quoted field: its end, or the first half of a doubled quote.
    QuoteSeen,
}

/// The rows of a text.
pub struct Rows<R> {
    source: R,
    splitter: Splitter,
}

impl<R: BufRead> Rows<R> {
    /// Reads rows with this delimiter.
    pub fn new(source: R, delimiter: u8) -> Self {
        Self {
            source,
            splitter: Splitter::new(delimiter),
        }
    }

    /// Reads the next row; false at the end. Blank lines are passed over.
    pub fn read(&mut self, row: &mut Row) -> io::Result<bool> {
        self.splitter.begin(row);
        loop {
            let piece = self.source.fill_buf()?;
            if piece.is_empty() {
                return Ok(self.splitter.end_of_text(row));
            }
            let (used, ended) = self.splitter.take(piece, row);
            self.source.consume(used);
            if ended {
                return Ok(true);
            }
        }
    }
}

struct Splitter {
    delimiter: u8,
    state: State,
    line: u64,
    /// The last byte was a carriage return that ended a line.
    after_return: bool,
    quote_line: u64,
    /// Bytes of the field under way, also those not kept.
    field_bytes: usize,
}

impl Splitter {
    fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            state: State::RowStart,
            line: 1,
            after_return: false,
            quote_line: 0,
            field_bytes: 0,
        }
    }

    fn begin(&mut self, row: &mut Row) {
        row.clear();
        row.line = self.line;
        self.field_bytes = 0;
        self.state = State::RowStart;
    }

    /// Takes bytes until a row ends; says how many it took, and whether one ended.
    fn take(&mut self, piece: &[u8], row: &mut Row) -> (usize, bool) {
        for (index, &byte) in piece.iter().enumerate() {
            let (state, ended) = self.step(byte, row);
            self.state = state;
            if ended {
                return (index + 1, true);
            }
        }
        (piece.len(), false)
    }

    /// Takes one byte; true when it ended the row.
    fn step(&mut self, byte: u8, row: &mut Row) -> (State, bool) {
        self.count_line(byte);
        match (self.state, byte) {
            (State::Quoted, b'"') => (State::QuoteSeen, false),
            (State::Quoted, _) | (State::QuoteSeen, b'"') => {
                self.keep(byte, row);
                (State::Quoted, false)
            }
            (State::RowStart, b'\r' | b'\n') => {
                row.line = self.line;
                (State::RowStart, false)
            }
            (_, b'\r' | b'\n') => {
                self.end_field(row);
                (State::RowStart, true)
            }
            (_, byte) if byte == self.delimiter => {
                self.end_field(row);
                (State::FieldStart, false)
            }
            (State::RowStart | State::FieldStart, b'"') => {
                self.quote_line = self.line;
                (State::Quoted, false)
            }
            _ => {
                self.keep(byte, row);
                (State::Plain, false)
            }
        }
    }

    /// Counts line ends: LF, CR LF, and a CR alone.
    fn count_line(&mut self, byte: u8) {
        let second_half = byte == b'\n' && self.after_return;
        self.after_return = byte == b'\r';
        if matches!(byte, b'\r' | b'\n') && !second_half {
            self.line += 1;
        }
    }

    fn keep(&mut self, byte: u8, row: &mut Row) {
        self.field_bytes += 1;
        // One byte more than allowed is kept, so that the row, when fed again, is refused again.
        if self.field_bytes <= MAX_FIELD_BYTES + 1 && row.text.len() <= MAX_ROW_BYTES {
            row.text.push(byte);
        }
    }

    fn end_field(&mut self, row: &mut Row) {
        if self.field_bytes > MAX_FIELD_BYTES {
            let (column, bytes) = (row.ends.len(), self.field_bytes);
            row.fault
                .get_or_insert(RowFault::LongField { column, bytes });
        } else if row.text.len() > MAX_ROW_BYTES {
            row.fault.get_or_insert(RowFault::LongRow);
        }
        self.field_bytes = 0;
        if row.ends.len() < MAX_COLUMNS {
            row.ends.push(row.text.len());
        } else {
            row.fault.get_or_insert(RowFault::ManyColumns);
            row.text.truncate(row.ends.last().copied().unwrap_or(0));
        }
    }

    fn end_of_text(&mut self, row: &mut Row) -> bool {
        if self.state == State::RowStart {
            return false;
        }
        self.end_field(row);
        if self.state == State::Quoted {
            row.fault = Some(RowFault::OpenQuote {
                line: self.quote_line,
            });
        }
        true
    }
}

/// Delimiters in the order they are preferred when a file fits several equally.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Finds the delimiter from the beginning of a text: the one by which the most rows have as many
/// columns as the first, and of those the one with the most columns.
pub fn delimiter(sample: &[u8]) -> u8 {
    let score = |&delimiter: &u8| -> (usize, usize) {
        let mut rows = Rows::new(sample, delimiter);
        let (mut row, mut columns, mut agreeing) = (Row::default(), 0, 0);
        for number in 0..20 {
            // A slice never fails to be read.
            if !rows.read(&mut row).unwrap_or(false) {
                break;
            }
            if number == 0 {
                columns = row.len();
            }
            agreeing += usize::from(row.len() == columns);
        }
        if columns < 2 {
            (0, 0)
        } else {
            (agreeing, columns)
        }
    };
    // `max_by_key` keeps the last of equals, so the preferred one has to come last.
    DELIMITERS
        .iter()
        .rev()
        .max_by_key(|delimiter| score(delimiter))
        .copied()
        .unwrap_or(b',')
}

/// What the first line says of the delimiter, as Excel writes it: `sep=;`.
pub fn told_delimiter(sample: &[u8]) -> Option<u8> {
    let line = sample.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    match line.strip_prefix(b"sep=")? {
        [delimiter] if delimiter.is_ascii() => Some(*delimiter),
        _ => None,
    }
}
