//! Reads a settings document: every fault is collected with its line, none is guessed away.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::toml::{self, Node, Table, Value};

/// Collects what is wrong with a document.
pub struct Faults<'a> {
    text: &'a str,
    found: RefCell<Vec<String>>,
}

impl<'a> Faults<'a> {
    /// No faults yet in this document.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            found: RefCell::default(),
        }
    }

    /// Notes a fault at a byte of the document.
    pub fn add(&self, at: usize, message: impl Display) {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        self.found
            .borrow_mut()
            .push(format!("line {line}: {message}"));
    }

    /// The value when nothing was wrong, else all faults in one sentence each.
    pub fn settle<T>(self, value: T) -> Result<T, String> {
        let found = self.found.into_inner();
        if found.is_empty() {
            Ok(value)
        } else {
            Err(found.join("; "))
        }
    }
}

/// Reads a document with `read`, as much of it as that asks for; all faults together are the error.
pub fn read_document<T>(text: &str, read: impl FnOnce(&Section<'_>) -> T) -> Result<T, String> {
    let faults = Faults::new(text);
    let document = match toml::parse(text) {
        Ok(document) => document,
        Err(fault) => {
            faults.add(fault.at, &fault.message);
            return Err(faults.settle(()).err().unwrap_or(fault.message));
        }
    };
    let root = Section::new(&document, 0, &faults);
    let value = read(&root);
    faults.settle(value)
}

/// One table of the document. Marks the keys that were asked for, so that [`Section::finish`] can
/// name those nobody knows.
pub struct Section<'a> {
    table: &'a Table<'a>,
    at: usize,
    faults: &'a Faults<'a>,
    asked: Cell<u64>,
}

impl<'a> Section<'a> {
    fn new(table: &'a Table<'a>, at: usize, faults: &'a Faults<'a>) -> Self {
        Self {
            table,
            at,
            faults,
            asked: Cell::default(),
        }
    }

    fn node(&self, key: &str) -> Option<&'a Node<'a>> {
        let place = self
            .table
            .entries
            .iter()
            .position(|entry| entry.key == key)?;
        self.asked.set(self.asked.get() | bit(place));
        self.table.entries.get(place).map(|entry| &entry.node)
    }

    fn expected(&self, key: &str, node: &Node<'_>, what: &str) {
        self.faults
            .add(node.at, format_args!("{key} must be {what}"));
    }

    /// Whether the key is there.
    pub fn has(&self, key: &'static str) -> bool {
        self.node(key).is_some()
    }

    /// A text; none when the key is absent.
    pub fn text(&self, key: &'static str) -> Option<String> {
        let node = self.node(key)?;
        if let Value::Text(text) = &node.value {
            return Some(text.to_string());
        }
        self.expected(key, node, "a text");
        None
    }

    /// A text that must be there.
    pub fn needed_text(&self, key: &'static str) -> String {
        if !self.has(key) {
            self.fault(format_args!("{key} is missing"));
        }
        self.text(key).unwrap_or_default()
    }

    /// A text out of a list; the first of the list when the key is absent.
    pub fn one_of(&self, key: &'static str, names: &[&'static str]) -> &'static str {
        let first = names.first().copied().unwrap_or_default();
        let Some(node) = self.node(key) else {
            return first;
        };
        let named = match &node.value {
            Value::Text(text) => names.iter().copied().find(|name| name == text),
            _ => None,
        };
        named.unwrap_or_else(|| {
            self.expected(key, node, &format!("one of {}", names.join(", ")));
            first
        })
    }

    /// A whole number within a range; none when the key is absent.
    pub fn number(&self, key: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        let node = self.node(key)?;
        match node.value {
            Value::Integer(number) if range.contains(&number) => Some(number),
            _ => {
                self.expected(
                    key,
                    node,
                    &format!("a whole number from {} to {}", range.start(), range.end()),
                );
                None
            }
        }
    }

    /// Yes or no.
    pub fn flag(&self, key: &'static str, otherwise: bool) -> bool {
        let Some(node) = self.node(key) else {
            return otherwise;
        };
        if let Value::Flag(flag) = node.value {
            return flag;
        }
        self.expected(key, node, "true or false");
        otherwise
    }

    /// A list of texts; none when the key is absent.
    pub fn texts(&self, key: &'static str) -> Option<Vec<String>> {
        let text = |node: &Node<'_>| match &node.value {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        };
        self.list(key, "a list of texts", text)
    }

    /// A table below this one.
    pub fn section(&self, key: &'static str) -> Option<Section<'a>> {
        let node = self.node(key)?;
        if let Value::Table(table) = &node.value {
            return Some(Section::new(table, node.at, self.faults));
        }
        self.expected(key, node, "a table");
        None
    }

    /// The tables of a list; empty when the key is absent.
    pub fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let section = |node: &'a Node<'a>| match &node.value {
            Value::Table(table) => Some(Section::new(table, node.at, self.faults)),
            _ => None,
        };
        self.list(key, "a list of tables", section)
            .unwrap_or_default()
    }

    fn list<T>(
        &self,
        key: &'static str,
        what: &str,
        item: impl Fn(&'a Node<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let node = self.node(key)?;
        let items = match &node.value {
            Value::List(list) => list.iter().map(item).collect(),
            _ => None,
        };
        if items.is_none() {
            self.expected(key, node, what);
        }
        items
    }

    /// A text, number, date or flag, as text; none when the key is absent.
    pub fn scalar(&self, key: &'static str) -> Option<String> {
        let node = self.node(key)?;
        let text = single(node);
        if text.is_none() {
            self.expected(key, node, "a text, a number, a date, true or false");
        }
        text
    }

    /// Every key with its value written as text, for tables whose keys are the administrator's own.
    pub fn pairs(&self, key: &'static str) -> Vec<(String, Vec<String>)> {
        let Some(section) = self.section(key) else {
            return Vec::new();
        };
        let pair = |entry: &toml::Entry<'_>| {
            let written = written(&entry.node);
            if written.is_none() {
                self.expected(
                    &entry.key,
                    &entry.node,
                    "a text, a number, true, false or a list of them",
                );
            }
            (entry.key.to_string(), written.unwrap_or_default())
        };
        section.table.entries.iter().map(pair).collect()
    }

    /// Notes a fault of the table as a whole.
    pub fn fault(&self, message: impl Display) {
        self.faults.add(self.at, message);
    }

    /// Notes every key that was never asked for.
    pub fn finish(&self) {
        for (place, entry) in self.table.entries.iter().enumerate() {
            if self.asked.get() & bit(place) == 0 {
                self.faults
                    .add(entry.at, format_args!("there is no setting {}", entry.key));
            }
        }
    }
}

/// The mark of a key by its place in the table. Keys beyond the last bit share it: no table of
/// fixed keys has so many.
fn bit(place: usize) -> u64 {
    1 << place.min(63)
}

/// A value, or each of a list, as text.
fn written(node: &Node<'_>) -> Option<Vec<String>> {
    match &node.value {
        Value::List(list) => list.iter().map(single).collect(),
        _ => single(node).map(|text| vec![text]),
    }
}

fn single(node: &Node<'_>) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::Other(word) => Some((*word).to_owned()),
        Value::List(_) | Value::Table(_) => None,
    }
}
