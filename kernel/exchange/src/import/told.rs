//! What a person must know when an import ends, beside why rows were not taken: what was left empty, what
//! others than the file filled in, and what looks odd. All of it is bounded.

use std::collections::BTreeMap;

use kjerne_core::PluginSet;
use kjerne_model::{Fields, Instant, Remark, Value};

use super::plan::{Plan, PlanSource};
use crate::limits::IMPORT_NOTES;

/// A field that somebody else than the file filled in.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filled {
    /// In how many new records it was filled in, although the file left it empty.
    pub rows: u64,
    /// In how many of them with the time or day of the import.
    pub now: u64,
    /// In how many rows something else was stored than the file says.
    pub otherwise: u64,
}

/// What a rule advised of rows that were taken.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Advised {
    /// How often.
    pub rows: u64,
    /// The line of the first such row; 0 when it was about no row.
    pub line: u64,
    /// What was said of it.
    pub message: String,
}

/// What came of the fields.
#[derive(Clone, Default, Debug)]
pub struct Told {
    /// Mapped fields that stayed empty, and in how many new records.
    pub empty: BTreeMap<String, u64>,
    /// Fields that plugins filled in or set otherwise.
    pub filled: BTreeMap<String, Filled>,
    /// What guards advised, by plugin and rule.
    pub advised: BTreeMap<String, Advised>,
    /// What looks odd about the file.
    pub notes: Vec<String>,
    /// How many further notes there would be.
    pub more_notes: u64,
    /// Rows that hold nothing.
    pub(super) blank: Lines,
    /// Rows of a file without a key whose records hold something else by now.
    pub(super) left: Lines,
}

/// How many rows something is true of, and the line of the first.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Lines {
    pub(super) count: u64,
    first: u64,
}

impl Lines {
    /// Counts a row.
    pub(super) fn add(&mut self, line: u64) {
        self.first = match self.count {
            0 => line,
            _ => self.first.min(line),
        };
        self.count += 1;
    }
}

impl Told {
    /// Adds a note, as long as there are not too many.
    pub fn note(&mut self, note: String) {
        if self.notes.len() < IMPORT_NOTES.count() {
            self.notes.push(note);
        } else {
            self.more_notes += 1;
        }
    }

    /// Puts in front what is true of many rows.
    pub fn finish(&mut self) {
        let Lines { count, first } = self.blank;
        if count > 0 {
            let note = format!(
                "rows passed over because they hold nothing: {count}, the first in line {first}"
            );
            self.notes.insert(0, note);
        }
        let Lines { count, first } = self.left;
        if count > 0 {
            let note = format!(
                "rows of this very file that were stored before, and whose records hold something else \
                 now: {count}, the first in line {first}. They are left as they are; a file changes \
                 records by a key"
            );
            self.notes.insert(0, note);
        }
    }

    /// Counts what a new record lacks of what the mapping fills from columns.
    pub fn created(&mut self, plan: &Plan, fields: &Fields) {
        for field in &plan.fields {
            let Some(own) = &field.field else { continue };
            let is_empty = match (field.part, fields.get(&own.name)) {
                (_, None) => true,
                (Some(part), Some(Value::Address(address))) => {
                    address.part(part).unwrap_or_default().is_empty()
                }
                _ => false,
            };
            // A field with conditions is empty on purpose.
            let asked = !matches!(field.source, PlanSource::Constant(_)) && field.when.is_empty();
            if is_empty && asked {
                *self.empty.entry(field.name()).or_default() += 1;
            }
        }
    }

    /// Counts what a guard advised, by its rule; rules beyond the number of notes are counted in the last.
    pub fn advised(&mut self, advice: &Remark, line: Option<u64>) {
        let rule = format!("{} {}", advice.plugin, advice.code);
        let is_full = self.advised.len() >= IMPORT_NOTES.count();
        let rule = match is_full && !self.advised.contains_key(&rule) {
            true => "further rules".to_owned(),
            false => rule,
        };
        let told = self.advised.entry(rule).or_insert_with(|| Advised {
            rows: 0,
            line: line.unwrap_or_default(),
            message: advice.message.clone(),
        });
        told.rows += 1;
    }

    /// Counts a field that a plugin set.
    pub fn set(&mut self, set: &PluginSet, is_new: bool, at: Instant) {
        let is_now = match &set.value {
            _ if set.asked => {
                self.filled_in(set).otherwise += 1;
                return;
            }
            Some(Value::Instant(instant)) => *instant == at,
            Some(Value::Date(date)) => *date == at.date(),
            Some(_) => false,
            None => return,
        };
        if is_new {
            let filled = self.filled_in(set);
            filled.rows += 1;
            filled.now += u64::from(is_now);
        }
    }

    fn filled_in(&mut self, set: &PluginSet) -> &mut Filled {
        self.filled.entry(set.field.to_string()).or_default()
    }
}
