//! What was checked and what was found.

use std::fmt;

/// The most faults listed; more are only counted.
const LISTED_FAULTS: usize = 100;

/// What was checked and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Entries in the index.
    pub index_entries: u64,
    /// Entries for values of unique fields.
    pub unique_entries: u64,
    /// Journal entries read.
    pub entries: u64,
    /// Rows that say which journal entry changed which record.
    pub history_rows: u64,
    /// What is wrong, in sentences; the first hundred.
    pub faults: Vec<String>,
    /// How many faults there are beyond those listed.
    pub more_faults: u64,
}

impl Report {
    /// True when nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn fault(&mut self, fault: String) {
        if self.faults.len() < LISTED_FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }
}

/// `12 records, 40 index entries, …: no faults`
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} records, {} index entries, {} unique values, {} journal entries, {} history rows: ",
            self.records, self.index_entries, self.unique_entries, self.entries, self.history_rows
        )?;
        match self.faults.len() as u64 + self.more_faults {
            0 => f.write_str("no faults"),
            1 => f.write_str("1 fault"),
            many => write!(f, "{many} faults"),
        }
    }
}
