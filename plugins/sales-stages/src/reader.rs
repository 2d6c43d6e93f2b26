//! Reads a settings document: every fault is collected with its line, none is guessed away.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::toml::{self, Children, Document, Node, Value};

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
    let root = Section::new(&document, document.root(), 0, &faults);
    let value = read(&root);
    faults.settle(value)
}

/// One table of the document. Marks the keys that were asked for, so that [`Section::finish`] can
/// name those nobody knows.
pub struct Section<'a> {
    document: &'a Document<'a>,
    table: Children,
    at: usize,
    faults: &'a Faults<'a>,
    asked: Cell<u64>,
}

impl<'a> Section<'a> {
    fn new(document: &'a Document<'a>, table: Children, at: usize, faults: &'a Faults<'a>) -> Self {
        Self {
            document,
            table,
            at,
            faults,
            asked: Cell::default(),
        }
    }

    fn nodes(&self) -> impl Iterator<Item = &'a Node<'a>> {
        self.document.nodes(self.table)
    }

    fn node(&self, key: &str) -> Option<&'a Node<'a>> {
        let (place, node) = self.nodes().enumerate().find(|(_, node)| node.key == key)?;
        self.asked.set(self.asked.get() | bit(place));
        Some(node)
    }

    fn below(&self, node: &'a Node<'a>) -> Option<Self> {
        match node.value {
            Value::Table(table) => Some(Self::new(self.document, table, node.at, self.faults)),
            _ => None,
        }
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
    pub fn section(&self, key: &'static str) -> Option<Self> {
        let node = self.node(key)?;
        let section = self.below(node);
        if section.is_none() {
            self.expected(key, node, "a table");
        }
        section
    }

    /// The tables of a list; empty when the key is absent.
    pub fn sections(&self, key: &'static str) -> Vec<Self> {
        self.list(key, "a list of tables", |node| self.below(node))
            .unwrap_or_default()
    }

    fn list<T>(
        &self,
        key: &'static str,
        what: &str,
        item: impl Fn(&'a Node<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let node = self.node(key)?;
        let items = match node.value {
            Value::List(items) => self.document.nodes(items).map(item).collect(),
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
        let pair = |node: &'a Node<'a>| {
            let written = self.written(node);
            if written.is_none() {
                self.expected(
                    &node.key,
                    node,
                    "a text, a number, true, false or a list of them",
                );
            }
            (node.key.to_string(), written.unwrap_or_default())
        };
        section.nodes().map(pair).collect()
    }

    /// A value, or each of a list, as text.
    fn written(&self, node: &Node<'_>) -> Option<Vec<String>> {
        match node.value {
            Value::List(items) => self.document.nodes(items).map(single).collect(),
            _ => single(node).map(|text| vec![text]),
        }
    }

    /// Notes a fault of the table as a whole.
    pub fn fault(&self, message: impl Display) {
        self.faults.add(self.at, message);
    }

    /// Notes every key that was never asked for.
    pub fn finish(&self) {
        for (place, node) in self.nodes().enumerate() {
            if self.asked.get() & bit(place) == 0 {
                self.faults.add(
                    node.key_at,
                    format_args!("there is no setting {}", node.key),
                );
            }
        }
    }
}

/// The mark of a key by its place in the table. Keys beyond the last bit share it: no table of
/// fixed keys has so many.
fn bit(place: usize) -> u64 {
    1 << place.min(63)
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
