//! Splits CSV text into rows, in constant memory, with the line each row begins at.
//!
//! Written here rather than taken from a library for three things imports need: exact line numbers
//! whatever the line ends are, a quote that is never closed told as such, and a field too big to
//! keep being counted without being kept.

use std::io::{self, BufRead, Read, Write};

use kjerne_model::is_blank;

use crate::limits::{IMPORT_COLUMNS, IMPORT_FIELD, IMPORT_ROW};

/// The most bytes in one field.
pub const MAX_FIELD_BYTES: usize = IMPORT_FIELD.value as usize;
/// The most bytes in one row.
pub const MAX_ROW_BYTES: usize = IMPORT_ROW.value as usize;
/// The most columns in one row.
pub const MAX_COLUMNS: usize = IMPORT_COLUMNS.value as usize;

/// How a text is split into rows and fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dialect {
    /// Stands between fields.
    pub delimiter: u8,
    /// Stands round a field, and doubled within.
    pub quote: u8,
    /// Takes its meaning from the quote, delimiter, line end or escape behind it.
    pub escape: Option<u8>,
}

impl Dialect {
    /// The usual quotes and no escape.
    #[cfg(test)]
    pub fn usual(delimiter: u8) -> Self {
        Self {
            delimiter,
            quote: b'"',
            escape: None,
        }
    }
}

/// One row, reused from row to row.
#[derive(Clone, Default, Debug)]
pub struct Row {
    /// The line it begins at, counted from 1.
    pub line: u64,
    /// Blank lines stand before it.
    pub after_blank: bool,
    /// A quoted field of it has a backslash before a quote, which may have been meant as an escape.
    pub backslash_quote: bool,
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
    /// A field goes on after its closing quote: which, and in which line.
    AfterQuote { column: usize, line: u64 },
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

    /// Writes its line and fields in a form that [`Row::take_back`] reads; how many bytes these are.
    pub fn put_aside(&self, out: &mut impl Write) -> io::Result<u64> {
        out.write_all(&self.line.to_le_bytes())?;
        out.write_all(&(self.ends.len() as u64).to_le_bytes())?;
        for end in &self.ends {
            out.write_all(&(*end as u64).to_le_bytes())?;
        }
        out.write_all(&self.text)?;
        Ok((8 * (2 + self.ends.len()) + self.text.len()) as u64)
    }

    /// Reads a row that was put aside; how many bytes it had.
    pub fn take_back(&mut self, source: &mut impl Read) -> io::Result<u64> {
        self.clear();
        let mut number = || -> io::Result<u64> {
            let mut bytes = [0; 8];
            source.read_exact(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        };
        self.line = number()?;
        for _ in 0..number()? {
            self.ends.push(number()? as usize);
        }
        self.text.resize(self.ends.last().copied().unwrap_or(0), 0);
        source.read_exact(&mut self.text)?;
        Ok((8 * (2 + self.ends.len()) + self.text.len()) as u64)
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.fault = None;
        self.after_blank = false;
        self.backslash_quote = false;
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
    /// After a quoted field, where only blanks may stand.
    Behind,
}

/// The rows of a text.
pub struct Rows<R> {
    source: R,
    splitter: Splitter,
}

impl<R: BufRead> Rows<R> {
    /// Reads rows with this delimiter.
    #[cfg(test)]
    pub fn new(source: R, delimiter: u8) -> Self {
        Self::with(source, Dialect::usual(delimiter))
    }

    /// Reads rows in this dialect.
    pub fn with(source: R, dialect: Dialect) -> Self {
        Self {
            source,
            splitter: Splitter::new(dialect),
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
    dialect: Dialect,
    state: State,
    line: u64,
    /// The last byte was a carriage return that ended a line.
    after_return: bool,
    /// The last byte was an escape, which is kept when it turns out to be none.
    after_escape: bool,
    quote_line: u64,
    /// Bytes of the field under way, also those not kept.
    field_bytes: usize,
    /// Something else than blanks has been seen of the field under way.
    has_begun: bool,
}

impl Splitter {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            state: State::RowStart,
            line: 1,
            after_return: false,
            after_escape: false,
            quote_line: 0,
            field_bytes: 0,
            has_begun: false,
        }
    }

    fn begin(&mut self, row: &mut Row) {
        row.clear();
        row.line = self.line;
        self.field_bytes = 0;
        self.has_begun = false;
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
        let second_half = self.count_line(byte);
        if let Some(state) = self.escaped(byte, row) {
            return (state, false);
        }
        let Dialect {
            delimiter, quote, ..
        } = self.dialect;
        match (self.state, byte) {
            (State::Quoted, byte) if byte == quote => {
                row.backslash_quote |= row.text.last() == Some(&b'\\');
                (State::QuoteSeen, false)
            }
            (State::Quoted, _) => (self.keep(byte, row, State::Quoted), false),
            (State::QuoteSeen, byte) if byte == quote => {
                (self.keep(byte, row, State::Quoted), false)
            }
            (State::RowStart, b'\r' | b'\n') => {
                row.after_blank |= !second_half;
                row.line = self.line;
                (State::RowStart, false)
            }
            (_, b'\r' | b'\n') => {
                self.end_field(row);
                (State::RowStart, true)
            }
            (_, byte) if byte == delimiter => {
                self.end_field(row);
                (State::FieldStart, false)
            }
            (State::RowStart | State::FieldStart | State::Plain, byte)
                if byte == quote && !self.has_begun(row) =>
            {
                self.quote_line = self.line;
                (State::Quoted, false)
            }
            (State::QuoteSeen | State::Behind, b' ' | b'\t') => {
                (self.keep(byte, row, State::Behind), false)
            }
            (State::QuoteSeen | State::Behind, _) => {
                self.goes_on(row);
                (self.keep(byte, row, State::Plain), false)
            }
            _ => (self.keep(byte, row, State::Plain), false),
        }
    }

    /// What becomes of a byte that is an escape or stands behind one; none for all others.
    fn escaped(&mut self, byte: u8, row: &mut Row) -> Option<State> {
        let escape = self.dialect.escape?;
        let state = match self.state {
            State::Quoted => State::Quoted,
            State::QuoteSeen | State::Behind => return None,
            State::RowStart | State::FieldStart | State::Plain => State::Plain,
        };
        if std::mem::take(&mut self.after_escape) {
            let Dialect {
                delimiter, quote, ..
            } = self.dialect;
            let takes = [escape, delimiter, quote, b'\r', b'\n'].contains(&byte);
            if takes {
                return Some(self.keep(byte, row, state));
            }
            self.keep(escape, row, state);
            return None;
        }
        self.after_escape = byte == escape;
        self.after_escape.then_some(state)
    }

    /// Whether a field has anything else than blanks in front of a quote; without, they are passed over, as
    /// those behind the closing one are.
    fn has_begun(&mut self, row: &mut Row) -> bool {
        if self.has_begun {
            return true;
        }
        let start = row.ends.last().copied().unwrap_or(0);
        let before = row.text.get(start..).unwrap_or_default();
        self.has_begun =
            self.field_bytes > before.len() || !std::str::from_utf8(before).is_ok_and(is_blank);
        if !self.has_begun {
            row.text.truncate(start);
            self.field_bytes = 0;
        }
        // What follows a quote is not looked at again: it belongs to the field.
        std::mem::replace(&mut self.has_begun, true)
    }

    /// A field goes on after its closing quote. It is kept as it was written, for the rejects.
    fn goes_on(&self, row: &mut Row) {
        let column = row.ends.len();
        let start = row.ends.last().copied().unwrap_or(0);
        row.text.insert(start, self.dialect.quote);
        row.text.push(self.dialect.quote);
        let line = self.line;
        row.fault
            .get_or_insert(RowFault::AfterQuote { column, line });
    }

    /// Counts line ends: LF, CR LF, and a CR alone; true for the LF of a CR LF.
    fn count_line(&mut self, byte: u8) -> bool {
        let second_half = byte == b'\n' && self.after_return;
        self.after_return = byte == b'\r';
        if matches!(byte, b'\r' | b'\n') && !second_half {
            self.line += 1;
        }
        second_half
    }

    /// Keeps a byte, and says the state behind it.
    fn keep(&mut self, byte: u8, row: &mut Row, state: State) -> State {
        self.field_bytes += 1;
        // One byte more than allowed is kept, so that the row, when fed again, is refused again.
        if self.field_bytes <= MAX_FIELD_BYTES + 1 && row.text.len() <= MAX_ROW_BYTES {
            row.text.push(byte);
        }
        state
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
        self.has_begun = false;
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
        if let Some(escape) = self.dialect.escape
            && std::mem::take(&mut self.after_escape)
        {
            self.keep(escape, row, self.state);
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
