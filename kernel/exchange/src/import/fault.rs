//! What is wrong with one row, told in a bounded text whatever the row and the mapping hold.

use kjerne_core::limits::FAULT_TEXT;

/// The most characters of a value shown beside its reason; the row itself is written whole.
const SHOWN_CHARS: usize = 200;

/// One thing wrong with a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The column, or our field where it comes from several.
    pub column: String,
    /// What it holds, shortened.
    pub value: String,
    /// What is wrong, and what would be right, shortened.
    pub reason: String,
    /// Which rule is broken, where that has a name of its own: what its faults are counted by.
    pub rule: Option<String>,
}

impl Fault {
    /// A fault of one column.
    pub fn new(column: impl Into<String>, value: &str, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        let most = FAULT_TEXT.count();
        if reason.len() > most {
            reason.truncate(reason.floor_char_boundary(most));
            reason.push('…');
        }
        let mut shown: String = value.chars().take(SHOWN_CHARS).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self {
            column: column.into(),
            value: shown,
            reason,
            rule: None,
        }
    }

    /// The same fault, of this rule.
    #[must_use]
    pub fn of_rule(self, rule: Option<String>) -> Self {
        Self { rule, ..self }
    }

    /// A fault of a row as a whole.
    pub fn of_row(reason: impl Into<String>) -> Self {
        Self::new("", "", reason)
    }

    /// How many bytes its texts have.
    pub fn bytes(&self) -> usize {
        self.column.len() + self.value.len() + self.reason.len()
    }
}
