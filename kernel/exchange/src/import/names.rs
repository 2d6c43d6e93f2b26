//! Names and values of somebody else's file, in messages: cut, since a file that is no table has names of
//! any length, and any number of them.

use crate::limits::{IMPORT_FAULTS, IMPORT_NAMES};

/// The most letters of a name or value in a message.
const LETTERS: usize = 60;

/// The beginning of a name.
pub fn cut(name: &str) -> String {
    let mut shown: String = name.chars().take(LETTERS).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}

/// The first names, each cut, and how many more there are.
pub fn list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(IMPORT_NAMES.count());
    let mut shown: Vec<String> = names.take(IMPORT_NAMES.count()).map(cut).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

/// Faults of a mapping: the first of them, and how many more there are.
#[derive(Default)]
pub struct MappingFaults {
    all: Vec<String>,
    more: usize,
}

impl MappingFaults {
    /// Adds one.
    pub fn push(&mut self, fault: String) {
        if self.all.len() < IMPORT_FAULTS.count() {
            self.all.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// Adds several.
    pub fn extend(&mut self, faults: Vec<String>) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// One in a line.
    pub fn told(&self) -> String {
        let mut lines = self.all.clone();
        if self.more > 0 {
            lines.push(format!("and {} more", self.more));
        }
        lines.join("\n  - ")
    }
}
