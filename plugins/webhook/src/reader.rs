//! Reads a settings document by hand: every value knows its line, and a key nobody knows is an
//! error, so that a misspelt setting never goes unnoticed.

use std::fmt::Display;

use toml_parse::Spanned;
use toml_parse::de::{DeTable, DeValue};

/// A value of the document, together with the text it stands in.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    text: &'a str,
    value: &'a Spanned<DeValue<'a>>,
}

/// A table of the document.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    text: &'a str,
    table: &'a DeTable<'a>,
}

/// Reads a document and hands its top table to `read`.
pub fn document<T>(
    text: &str,
    read: impl FnOnce(Table<'_>) -> Result<T, String>,
) -> Result<T, String> {
    match DeTable::parse(text) {
        Ok(table) => read(Table {
            text,
            table: table.get_ref(),
        }),
        Err(error) => Err(located(
            text,
            error.span().map_or(0, |span| span.start),
            error.message(),
        )),
    }
}

fn located(text: &str, start: usize, message: impl Display) -> String {
    let before = &text.as_bytes()[..start.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    format!("line {line}: {message}")
}

impl<'a> Table<'a> {
    /// Refuses keys other than these.
    pub fn only(self, known: &[&str]) -> Result<Self, String> {
        let unknown = self
            .table
            .iter()
            .find(|(key, _)| !known.contains(&key.get_ref().as_ref()));
        match unknown {
            None => Ok(self),
            Some((key, _)) => {
                let message = format!(
                    "'{}' is not a setting here; there are: {}",
                    key.get_ref(),
                    known.join(", ")
                );
                Err(located(self.text, key.span().start, message))
            }
        }
    }

    /// The value under a key, if there is one.
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        let text = self.text;
        self.table.get(key).map(|value| Node { text, value })
    }

    /// All keys with their values, sorted by key.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        let text = self.text;
        self.table
            .iter()
            .map(move |(key, value)| (key.get_ref().as_ref(), Node { text, value }))
    }

    /// The text under a key, if there is any.
    pub fn text(self, key: &str) -> Result<Option<&'a str>, String> {
        self.get(key).map(Node::text).transpose()
    }

    /// The text that must be under a key.
    pub fn required(self, key: &str, fallback: Node<'_>) -> Result<&'a str, String> {
        self.text(key)?
            .ok_or_else(|| fallback.wrong(format!("'{key}' is missing")))
    }

    /// The texts under a key; none when it is not there.
    pub fn texts(self, key: &str) -> Result<Vec<String>, String> {
        self.get(key).map_or(Ok(Vec::new()), Node::texts)
    }

    /// The flag under a key, or else `default`.
    pub fn flag(self, key: &str, default: bool) -> Result<bool, String> {
        let Some(node) = self.get(key) else {
            return Ok(default);
        };
        node.as_flag()
            .ok_or_else(|| node.wrong("expected true or false"))
    }

    /// The values of the list under a key; none when it is not there.
    pub fn items(self, key: &str) -> Result<Vec<Node<'a>>, String> {
        let Some(node) = self.get(key) else {
            return Ok(Vec::new());
        };
        let items = node
            .value
            .get_ref()
            .as_array()
            .ok_or_else(|| node.wrong("expected a list"))?;
        Ok(items
            .iter()
            .map(|value| Node {
                text: self.text,
                value,
            })
            .collect())
    }
}

impl<'a> Node<'a> {
    /// An error at this value's line.
    pub fn wrong(self, message: impl Display) -> String {
        located(self.text, self.value.span().start, message)
    }

    /// This value, when it is text; without the work of an error when it is not.
    pub fn as_text(self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    /// This value, when it is a whole number.
    pub fn as_integer(self) -> Option<i64> {
        let number = self.value.get_ref().as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    /// This value, when it is true or false.
    pub fn as_flag(self) -> Option<bool> {
        self.value.get_ref().as_bool()
    }

    /// This value as text.
    pub fn text(self) -> Result<&'a str, String> {
        self.value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.wrong("expected text in quotes"))
    }

    /// This value as a list of texts; a single text is a list of one.
    pub fn texts(self) -> Result<Vec<String>, String> {
        if let Some(text) = self.value.get_ref().as_str() {
            return Ok(vec![text.to_owned()]);
        }
        let wrong = || self.wrong("expected text in quotes or a list of texts");
        let items = self.value.get_ref().as_array().ok_or_else(wrong)?;
        items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned).ok_or_else(wrong))
            .collect()
    }

    /// This value as a table.
    pub fn table(self) -> Result<Table<'a>, String> {
        let table = self.value.get_ref().as_table();
        table
            .map(|table| Table {
                text: self.text,
                table,
            })
            .ok_or_else(|| self.wrong("expected a table"))
    }
}
