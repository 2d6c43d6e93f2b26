//! The entries of a settings document as a tree.

use std::fmt::Display;

use crate::bindings::imports::kjerne::crm::settings::Entry;
use crate::contract::Value;
use crate::time::{Date, Instant};

/// A settings document.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Left to the end of the instance, which is the end of the call: to free hundreds of small
    /// texts one by one would cost a guard more than its verdict.
    entries: &'static [Entry],
    /// For every entry, the place after the last one that is in it.
    ends: Vec<usize>,
}

impl Settings {
    pub(crate) fn of(entries: Vec<Entry>) -> Self {
        let mut ends = vec![entries.len(); entries.len()];
        let mut open: Vec<usize> = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            while let Some(last) = open.last().copied() {
                if is_in(&entries[last].path, &entry.path) {
                    break;
                }
                ends[last] = place;
                open.pop();
            }
            if matches!(entry.value, Value::Other(_)) {
                open.push(place);
            } else {
                ends[place] = place + 1;
            }
        }
        Self {
            entries: entries.leak(),
            ends,
        }
    }

    /// Whether they say nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The outermost table, for a reader that stops at the first fault.
    #[must_use]
    pub fn top(&self) -> Table<'_> {
        Table {
            settings: self,
            from: 0,
            to: self.entries.len(),
            inside: 0,
            line: 1,
        }
    }
}

/// Whether one path lies within another.
fn is_in(outer: &str, inner: &str) -> bool {
    matches!(inner.as_bytes().get(outer.len()), Some(b'.' | b'[')) && inner.starts_with(outer)
}

/// One value of the document: under a key, or in a list.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    settings: &'a Settings,
    place: usize,
}

impl<'a> Node<'a> {
    fn entry(self) -> &'a Entry {
        &self.settings.entries[self.place]
    }

    pub(super) fn value(self) -> &'a Value {
        &self.entry().value
    }

    fn is(self, what: &str) -> bool {
        matches!(self.value(), Value::Other((kind, _)) if kind == what)
    }

    /// What is in it.
    fn inside(self) -> Table<'a> {
        Table {
            settings: self.settings,
            from: self.place + 1,
            to: self.settings.ends[self.place],
            inside: self.entry().path.len(),
            line: self.line(),
        }
    }

    /// The line it stands on, from 1.
    #[must_use]
    pub fn line(self) -> u32 {
        self.entry().line
    }

    /// A fault at this value's line.
    pub fn wrong(self, message: impl Display) -> String {
        format!("line {}: {message}", self.line())
    }

    /// This value, when it is text.
    #[must_use]
    pub fn as_text(self) -> Option<&'a str> {
        self.value().as_text()
    }

    /// This value, when it is a whole number.
    #[must_use]
    pub fn as_integer(self) -> Option<i64> {
        self.value().as_integer()
    }

    /// This value, when it is true or false.
    #[must_use]
    pub fn as_flag(self) -> Option<bool> {
        self.value().as_flag()
    }

    /// This value, when it is a table.
    #[must_use]
    pub fn as_table(self) -> Option<Table<'a>> {
        self.is("table").then(|| self.inside())
    }

    /// The items, when this value is a list.
    #[must_use]
    pub fn as_list(self) -> Option<Vec<Self>> {
        self.is("list").then(|| self.inside().nodes().collect())
    }

    /// This value as an administrator would write it, when it is a single one.
    #[must_use]
    pub fn written(self) -> Option<String> {
        match self.value() {
            Value::Text(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Decimal(number) => Some(number.to_string()),
            Value::Date(days) => Some(Date::from_days(*days).to_string()),
            Value::Instant(millis) => Some(Instant::from_millis(*millis).to_string()),
            Value::Flag(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// This value as text.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(self) -> Result<&'a str, String> {
        self.as_text()
            .ok_or_else(|| self.wrong("expected text in quotes"))
    }

    /// This value as a list of texts; a single text is a list of one.
    ///
    /// # Errors
    /// When it is neither.
    pub fn texts(self) -> Result<Vec<String>, String> {
        let items = match self.value() {
            Value::Text(text) => return Ok(vec![text.clone()]),
            _ => self.as_list(),
        };
        let texts = items.and_then(|items| {
            let texts = items
                .into_iter()
                .map(|item| item.as_text().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        });
        texts.ok_or_else(|| self.wrong("expected text in quotes or a list of texts"))
    }

    /// This value as a table.
    ///
    /// # Errors
    /// When it is something else.
    pub fn table(self) -> Result<Table<'a>, String> {
        self.as_table()
            .ok_or_else(|| self.wrong("expected a table"))
    }
}

/// One table of the document, for a reader that stops at the first fault.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    settings: &'a Settings,
    from: usize,
    to: usize,
    /// How long the path to this table is.
    inside: usize,
    line: u32,
}

impl<'a> Table<'a> {
    /// The line it begins on, from 1.
    #[must_use]
    pub fn line(self) -> u32 {
        self.line
    }

    fn nodes(self) -> impl Iterator<Item = Node<'a>> {
        let settings = self.settings;
        let mut next = self.from;
        std::iter::from_fn(move || {
            let place = (next < self.to).then_some(next)?;
            next = settings.ends[place];
            Some(Node { settings, place })
        })
    }

    /// All keys with their values, in the order of the document.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        let named = move |node: Node<'a>| {
            let path = &node.entry().path[self.inside..];
            let key = path.strip_prefix('.').unwrap_or(path);
            let quoted = key
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            (quoted.unwrap_or(key), node)
        };
        self.nodes().map(named)
    }

    /// The value under a key, if there is one.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        self.entries()
            .find(|(name, _)| *name == key)
            .map(|(_, node)| node)
    }

    /// The table itself, when it has no keys but these.
    ///
    /// # Errors
    /// When there is another.
    pub fn only(self, known: &[&str]) -> Result<Self, String> {
        match self.entries().find(|(key, _)| !known.contains(key)) {
            None => Ok(self),
            Some((key, node)) => Err(node.wrong(format_args!(
                "'{key}' is not a setting here; there are: {}",
                known.join(", ")
            ))),
        }
    }

    /// The text under a key, if there is any.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(self, key: &str) -> Result<Option<&'a str>, String> {
        self.get(key).map(Node::text).transpose()
    }

    /// The text that must be under a key.
    ///
    /// # Errors
    /// When there is none.
    pub fn required(self, key: &str) -> Result<&'a str, String> {
        self.text(key)?
            .ok_or_else(|| format!("line {}: '{key}' is missing", self.line))
    }

    /// The texts under a key; none when it is not there.
    ///
    /// # Errors
    /// When it is something else.
    pub fn texts(self, key: &str) -> Result<Vec<String>, String> {
        self.get(key).map_or(Ok(Vec::new()), Node::texts)
    }

    /// The flag under a key, or else `default`.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(self, key: &str, default: bool) -> Result<bool, String> {
        let Some(node) = self.get(key) else {
            return Ok(default);
        };
        node.as_flag()
            .ok_or_else(|| node.wrong("expected true or false"))
    }

    /// The whole number under a key, if there is one.
    ///
    /// # Errors
    /// When it is something else.
    pub fn integer(self, key: &str) -> Result<Option<i64>, String> {
        let Some(node) = self.get(key) else {
            return Ok(None);
        };
        let number = node.as_integer();
        number
            .map(Some)
            .ok_or_else(|| node.wrong("expected a whole number"))
    }

    /// The values of the list under a key; none when it is not there.
    ///
    /// # Errors
    /// When it is something else.
    pub fn items(self, key: &str) -> Result<Vec<Node<'a>>, String> {
        let Some(node) = self.get(key) else {
            return Ok(Vec::new());
        };
        node.as_list().ok_or_else(|| node.wrong("expected a list"))
    }
}
