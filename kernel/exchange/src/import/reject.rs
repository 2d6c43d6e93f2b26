//! The rejects file: every row not taken, with its line, column, value and reason, and itself, so
//! that it can be corrected and fed again with the same mapping.

use std::io::{self, Write};

use super::fault::Fault;
use super::reasons::Reasons;
use super::rows::Row;

/// The columns a rejects file has before the original ones.
pub const COLUMNS: [&str; 4] = [
    "reject_line",
    "reject_column",
    "reject_value",
    "reject_reason",
];

/// The columns of a file without those that rejects have before them.
pub fn own_columns(header: &[String]) -> impl Iterator<Item = &str> {
    let own = header.strip_prefix(&COLUMNS.map(str::to_owned));
    own.unwrap_or(header).iter().map(String::as_str)
}

/// True for the beginning of a rejects file, also after a spreadsheet has written it anew.
pub fn is_rejects(sample: &[u8]) -> bool {
    // Whatever the encoding: the names are of ASCII, and what stands between in UTF-16 are zeros.
    let marks = [0, 0xEF, 0xBB, 0xBF, 0xFE, 0xFF];
    let letters = sample.iter().copied();
    let plain: Vec<u8> = letters.filter(|byte| !marks.contains(byte)).collect();
    let sample = match plain.strip_prefix(b"sep=") {
        Some(rest) => rest.get(1..).unwrap_or_default().trim_ascii_start(),
        None => plain.as_slice(),
    };
    let sample = sample.strip_prefix(b"\"").unwrap_or(sample);
    sample.starts_with(COLUMNS[0].as_bytes())
}

/// One row that was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reject {
    /// The line it begins at.
    pub line: u64,
    /// The column of its first fault; empty when the row as a whole is at fault.
    pub column: String,
    /// What that column holds, shortened.
    pub value: String,
    /// All reasons, in one line.
    pub reason: String,
}

impl Reject {
    /// Puts the faults of a row together.
    pub fn new(line: u64, faults: &[Fault]) -> Self {
        let reason = |fault: &Fault| match (faults.len(), fault.column.as_str()) {
            (1, _) | (_, "") => fault.reason.clone(),
            (_, column) => format!("{column}: {}", fault.reason),
        };
        let first = faults.first();
        Self {
            line,
            column: first.map_or_else(String::new, |fault| fault.column.clone()),
            value: first.map_or_else(String::new, |fault| fault.value.clone()),
            reason: faults.iter().map(reason).collect::<Vec<_>>().join("; "),
        }
    }
}

/// Where rejects are written to.
pub type RejectsSink = Box<dyn Write + Send>;

/// Writes the rejects.
pub struct Rejects {
    writer: Option<csv::Writer<RejectsSink>>,
    /// How many there are.
    pub count: u64,
    /// The first ones, for the report.
    pub first: Vec<Reject>,
    /// Why, by column and reason.
    pub reasons: Reasons,
    /// How many of the first columns of the file are a rejects file's own, not to be kept twice.
    own_columns: usize,
}

/// How many rejects a report shows.
const SHOWN_REJECTS: usize = 20;

impl Rejects {
    /// Begins the rejects, when they are wanted.
    pub fn new(sink: Option<RejectsSink>, header: &[String]) -> io::Result<Self> {
        let own_columns = if header.starts_with(&COLUMNS.map(str::to_owned)) {
            COLUMNS.len()
        } else {
            0
        };
        let mut writer =
            sink.map(|sink| csv::WriterBuilder::new().flexible(true).from_writer(sink));
        if let Some(writer) = &mut writer {
            let columns = header.iter().skip(own_columns).map(String::as_str);
            writer.write_record(COLUMNS.into_iter().chain(columns))?;
        }
        Ok(Self {
            writer,
            count: 0,
            first: Vec::new(),
            reasons: Reasons::default(),
            own_columns,
        })
    }

    /// Adds a row.
    pub fn add(&mut self, row: &Row, faults: &[Fault]) -> io::Result<()> {
        let reject = Reject::new(row.line, faults);
        self.count += 1;
        for fault in faults {
            self.reasons.add(row.line, fault);
        }
        if let Some(writer) = &mut self.writer {
            let line = reject.line.to_string();
            let told = [&line, &reject.column, &reject.value, &reject.reason];
            for text in told {
                writer.write_field(text)?;
            }
            for field in row.fields().skip(self.own_columns) {
                writer.write_field(field)?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        if self.first.len() < SHOWN_REJECTS {
            self.first.push(reject);
        }
        Ok(())
    }

    /// Writes out what is left.
    pub fn finish(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.flush(),
            None => Ok(()),
        }
    }
}
