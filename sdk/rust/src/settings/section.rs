//! A reader that notes every fault and goes on.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::ops::RangeInclusive;

use super::faults::Faults;
use super::tree::{Node, Settings, Table};
use crate::contract::SettingsFault;
use crate::known;

/// Where faults are noted while a document is read.
#[derive(Default)]
struct Noted(RefCell<Vec<SettingsFault>>);

impl Noted {
    fn add(&self, line: u32, message: impl Display) {
        self.0.borrow_mut().push(SettingsFault {
            line: Some(line),
            message: message.to_string(),
        });
    }

    /// The value when nothing was wrong, else all faults.
    fn settle<T>(self, value: T) -> Result<T, Faults> {
        Faults(self.0.into_inner()).settle(value)
    }
}

impl Settings {
    /// Reads them with `read`, as much of them as that asks for.
    ///
    /// # Errors
    /// All faults that were noted, with their lines.
    pub fn read<T>(&self, read: impl FnOnce(&Section<'_>) -> T) -> Result<T, Faults> {
        let noted = Noted::default();
        let value = read(&Section::new(self.top(), &noted));
        noted.settle(value)
    }
}

/// One table of the document. What is wrong with it is noted, and the reader goes on as if the key
/// were not there. It marks the keys that were asked for, so that [`Section::finish`] can name those
/// nobody knows.
pub struct Section<'a> {
    rows: Vec<(&'a str, Node<'a>)>,
    line: u32,
    faults: &'a Noted,
    asked: Cell<u64>,
}

impl<'a> Section<'a> {
    fn new(table: Table<'a>, faults: &'a Noted) -> Self {
        Self {
            rows: table.entries().collect(),
            line: table.line(),
            faults,
            asked: Cell::default(),
        }
    }

    fn node(&self, key: &str) -> Option<Node<'a>> {
        let place = self.rows.iter().position(|(name, _)| *name == key)?;
        self.asked.set(self.asked.get() | bit(place));
        self.rows.get(place).map(|(_, node)| *node)
    }

    fn expected(&self, key: &str, node: Node<'_>, what: &str) {
        self.faults
            .add(node.line(), format_args!("{key} must be {what}"));
    }

    /// What `read` makes of the value under a key; a fault when it makes nothing of it.
    fn value<T>(
        &self,
        key: &str,
        what: &str,
        read: impl FnOnce(Node<'a>) -> Option<T>,
    ) -> Option<T> {
        let node = self.node(key)?;
        let value = read(node);
        if value.is_none() {
            self.expected(key, node, what);
        }
        value
    }

    /// Whether the key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// A text; none when the key is absent.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.value(key, "a text", |node| node.as_text().map(str::to_owned))
    }

    /// A text that must be there.
    #[must_use]
    pub fn needed_text(&self, key: &str) -> String {
        if !self.has(key) {
            self.fault(format_args!("{key} is missing"));
        }
        self.text(key).unwrap_or_default()
    }

    /// The name of something, which must be there and be such as a record can hold: at most
    /// [`LONGEST_NAME`](crate::known::LONGEST_NAME) bytes.
    #[must_use]
    pub fn name(&self, key: &str) -> String {
        let name = self.needed_text(key);
        if let Some(wrong) = known::wrong_name(&name).filter(|_| self.has(key)) {
            self.fault_at(key, format_args!("{key}: {wrong}"));
        }
        name
    }

    /// A list of such names; none when the key is absent.
    #[must_use]
    pub fn names(&self, key: &str) -> Option<Vec<String>> {
        self.checked(key, known::wrong_name)
    }

    /// A list of actors, `user:NAME`, `plugin:ID` or `system:JOB`; none when the key is absent.
    #[must_use]
    pub fn actors(&self, key: &str) -> Option<Vec<String>> {
        self.checked(key, known::wrong_actor)
    }

    fn checked(&self, key: &str, wrong: fn(&str) -> Option<String>) -> Option<Vec<String>> {
        let texts = self.texts(key)?;
        if let Some(wrong) = texts.iter().find_map(|text| wrong(text)) {
            self.fault_at(key, format_args!("{key}: {wrong}"));
        }
        Some(texts)
    }

    /// A text out of a list; the first of the list when the key is absent.
    #[must_use]
    pub fn one_of(&self, key: &str, names: &[&'static str]) -> &'static str {
        let first = names.first().copied().unwrap_or_default();
        let Some(node) = self.node(key) else {
            return first;
        };
        let text = node.as_text();
        let named = names.iter().copied().find(|name| text == Some(*name));
        named.unwrap_or_else(|| {
            self.expected(key, node, &format!("one of {}", names.join(", ")));
            first
        })
    }

    /// A whole number within a range; none when the key is absent.
    #[must_use]
    pub fn number(&self, key: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let node = self.node(key)?;
        let number = node.as_integer().filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            self.expected(key, node, &format!("a whole number from {least} to {most}"));
        }
        number
    }

    /// Yes or no; `otherwise` when the key is absent.
    #[must_use]
    pub fn flag(&self, key: &str, otherwise: bool) -> bool {
        self.value(key, "true or false", Node::as_flag)
            .unwrap_or(otherwise)
    }

    /// A list of texts; none when the key is absent.
    #[must_use]
    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        self.list(key, "a list of texts", |node| {
            node.as_text().map(str::to_owned)
        })
    }

    /// A table below this one; none when the key is absent.
    #[must_use]
    pub fn section(&self, key: &str) -> Option<Self> {
        self.value(key, "a table", |node| self.below(node))
    }

    /// The tables of a list; empty when the key is absent.
    #[must_use]
    pub fn sections(&self, key: &str) -> Vec<Self> {
        self.list(key, "a list of tables", |node| self.below(node))
            .unwrap_or_default()
    }

    fn below(&self, node: Node<'a>) -> Option<Self> {
        Some(Self::new(node.as_table()?, self.faults))
    }

    fn list<T>(
        &self,
        key: &str,
        what: &str,
        item: impl Fn(Node<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.value(key, what, |node| {
            node.as_list()?.into_iter().map(item).collect()
        })
    }

    /// A text, number, date or flag, as text; none when the key is absent.
    #[must_use]
    pub fn scalar(&self, key: &str) -> Option<String> {
        let what = "a text, a number, a date, true or false";
        self.value(key, what, Node::written)
    }

    /// Every key of a table with its values written as text, for tables whose keys are the
    /// administrator's own; empty when the key is absent.
    #[must_use]
    pub fn pairs(&self, key: &str) -> Vec<(String, Vec<String>)> {
        let Some(section) = self.section(key) else {
            return Vec::new();
        };
        let what = "a text, a number, true, false or a list of them";
        let pair = |(key, node): &(&'a str, Node<'a>)| {
            let written = match node.as_list() {
                Some(items) => items.into_iter().map(Node::written).collect(),
                None => node.written().map(|text| vec![text]),
            };
            if written.is_none() {
                self.expected(key, *node, what);
            }
            ((*key).to_owned(), written.unwrap_or_default())
        };
        section.rows.iter().map(pair).collect()
    }

    /// Notes a fault of the table as a whole.
    pub fn fault(&self, message: impl Display) {
        self.faults.add(self.line, message);
    }

    /// Notes a fault of what stands under a key; of the table as a whole when nothing does.
    pub fn fault_at(&self, key: &str, message: impl Display) {
        let line = self.node(key).map_or(self.line, Node::line);
        self.faults.add(line, message);
    }

    /// The line the table begins on, from 1: for faults that are found when all has been read.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Notes every key that was never asked for.
    pub fn finish(&self) {
        for (place, (key, node)) in self.rows.iter().enumerate() {
            if self.asked.get() & bit(place) == 0 {
                self.faults
                    .add(node.line(), format_args!("there is no setting {key}"));
            }
        }
    }
}

/// The mark of a key by its place in the table. Keys beyond the last bit share it: no table of
/// fixed keys has so many.
fn bit(place: usize) -> u64 {
    1 << place.min(63)
}
