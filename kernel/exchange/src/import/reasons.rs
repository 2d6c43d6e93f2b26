//! Why rows were not taken, by column and rule, so that a fault of a thousand rows is told in one line.

use std::collections::HashMap;

use super::fault::Fault;
use crate::limits::{IMPORT_COLUMN_REASONS, IMPORT_REASONS};

/// One reason for which rows were not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// The column; empty when the row as a whole is at fault.
    pub column: String,
    /// The reason of the first row; where there are more, without what differs.
    pub reason: String,
    /// How many rows.
    pub rows: u64,
    /// The line of the first.
    pub line: u64,
}

/// Why rows were not taken.
#[derive(Default, Debug)]
pub struct Reasons {
    known: HashMap<(String, String), usize>,
    /// How many reasons each column has.
    columns: HashMap<String, usize>,
    all: Vec<Reason>,
    /// What the faults of each reason have in common so far.
    common: Vec<String>,
    /// Faults of further reasons, which are only counted.
    pub more: u64,
}

impl Reasons {
    /// Counts a fault.
    pub fn add(&mut self, line: u64, fault: &Fault) {
        let rule = fault.rule.clone();
        let rule = rule.unwrap_or_else(|| skeleton(&fault.reason, &fault.value));
        let mut key = (fault.column.clone(), rule);
        let of_column = self.columns.get(&fault.column).copied().unwrap_or(0);
        let is_full = of_column >= IMPORT_COLUMN_REASONS.count();
        if is_full && !self.known.contains_key(&key) {
            key.1 = FURTHER.to_owned();
        }
        if let Some(known) = self.known.get(&key) {
            let reason = &mut self.all[*known];
            if let Some(text) = common(&self.common[*known], fault).filter(|_| key.1 != FURTHER) {
                self.common[*known].clone_from(&text);
                reason.reason = text;
            }
            reason.rows += 1;
            reason.line = reason.line.min(line);
        } else if self.all.len() < IMPORT_REASONS.count() {
            let is_further = key.1 == FURTHER;
            self.known.insert(key, self.all.len());
            *self.columns.entry(fault.column.clone()).or_default() += 1;
            self.common.push(without_value(&fault.reason, &fault.value));
            self.all.push(Reason {
                column: fault.column.clone(),
                reason: match is_further {
                    true => format!("{FURTHER}, such as: {}", fault.reason),
                    false => fault.reason.clone(),
                },
                rows: 1,
                line,
            });
        } else {
            self.more += 1;
        }
    }

    /// The reasons, the most frequent first.
    pub fn sorted(&self) -> Vec<Reason> {
        let mut all = self.all.clone();
        all.sort_by_key(|reason| (std::cmp::Reverse(reason.rows), reason.line));
        all
    }
}

/// What the reasons of a column are called that have no line of their own.
const FURTHER: &str = "further reasons";

/// A reason without anything that may differ between two rows with the same fault: the value, what stands in quotes,
/// and words with digits.
fn skeleton(reason: &str, value: &str) -> String {
    let without = without_value(reason, value);
    let unquoted: Vec<&str> = without.split('"').step_by(2).collect();
    let pieces: Vec<&str> = value.split(';').map(str::trim).collect();
    let unquoted = unquoted.join("…");
    let words = unquoted.split(' ').map(|word| {
        let bare = word.trim_matches([',', ':', ';']);
        match bare.contains(|c: char| c.is_ascii_digit()) || pieces.contains(&bare) {
            true => "…",
            false => word,
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A reason with `…` for the value, where that stands for itself.
fn without_value(reason: &str, value: &str) -> String {
    let value = value.trim();
    let quoted = format!("{value:?}");
    if value.is_empty() {
        return reason.to_owned();
    }
    if reason.contains(&quoted) {
        return reason.replace(&quoted, "…");
    }
    let (mut told, mut rest) = (String::new(), reason);
    while let Some(at) = rest.find(value) {
        let (before, from) = rest.split_at(at);
        let behind = &from[value.len()..];
        let is_word =
            !before.ends_with(char::is_alphanumeric) && !behind.starts_with(char::is_alphanumeric);
        told.push_str(before);
        told.push_str(if is_word { "…" } else { value });
        rest = behind;
    }
    told + rest
}

/// What the reasons so far and that of another fault of the same rule have in common, with `…` for what differs; nothing
/// where they are built otherwise.
fn common(so_far: &str, fault: &Fault) -> Option<String> {
    let next = without_value(&fault.reason, &fault.value);
    let (old, new) = (so_far.split(' '), next.split(' '));
    if old.clone().count() != new.clone().count() {
        return None;
    }
    let words = old.zip(new).map(|(old, new)| {
        if old == new {
            return old.to_owned();
        }
        let end = old.chars().last().filter(|end| ",;:.".contains(*end));
        let end = end.filter(|end| new.ends_with(*end));
        format!("…{}", end.map_or_else(String::new, String::from))
    });
    Some(words.collect::<Vec<_>>().join(" "))
}
