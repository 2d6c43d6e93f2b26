//! Reads TOML. A plugin reads its settings in every call, on a fresh instance, so this has to be
//! fast and small: it copies no text that has no escapes and knows nothing but the grammar. Dates
//! and floating-point numbers are handed over as they were written.

use std::borrow::Cow;

/// Lists and tables within one another.
const MOST_LEVELS: usize = 16;

/// Something that is not TOML, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The byte at which reading stopped.
    pub at: usize,
    /// What is wrong there.
    pub message: String,
}

/// A value with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node<'a> {
    /// The byte it begins at.
    pub at: usize,
    /// What it is.
    pub value: Value<'a>,
}

/// A value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// A string of any of the four forms.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Flag(bool),
    /// A date, a time or a floating-point number, as it was written.
    Other(&'a str),
    /// An array, or the tables under one `[[header]]`.
    List(Vec<Node<'a>>),
    /// A table.
    Table(Table<'a>),
}

/// One key of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// The byte the key begins at.
    pub at: usize,
    /// Its value.
    pub node: Node<'a>,
}

/// A table, in the order it was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table<'a> {
    /// Its keys.
    pub entries: Vec<Entry<'a>>,
}

impl<'a> Table<'a> {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.node)
    }

    /// Puts a value under a key that is not there yet.
    fn put(&mut self, (at, key): Key<'a>, node: Node<'a>) -> Result<(), Fault> {
        if self.get(&key).is_some() {
            return Err(twice(at, &key));
        }
        self.entries.push(Entry { key, at, node });
        Ok(())
    }

    /// The table under a key, made if there is none; of a list of tables the last one.
    fn below(&mut self, (at, key): &Key<'a>) -> Result<&mut Table<'a>, Fault> {
        let place = self
            .entries
            .iter()
            .position(|entry| entry.key == *key)
            .unwrap_or_else(|| {
                let node = Node {
                    at: *at,
                    value: Value::Table(Table::default()),
                };
                self.entries.push(Entry {
                    key: key.clone(),
                    at: *at,
                    node,
                });
                self.entries.len() - 1
            });
        let found = self
            .entries
            .get_mut(place)
            .map(|entry| &mut entry.node.value);
        let found = match found {
            Some(Value::List(list)) => list.last_mut().map(|node| &mut node.value),
            other => other,
        };
        match found {
            Some(Value::Table(table)) => Ok(table),
            _ => Err(twice(*at, key)),
        }
    }

    /// Adds what stands under `[a.b]`, or under `[[a.b]]`.
    fn add_section(
        &mut self,
        mut path: Vec<Key<'a>>,
        listed: bool,
        body: Self,
    ) -> Result<(), Fault> {
        let Some(last) = path.pop() else {
            return Ok(());
        };
        let mut table = self;
        for key in &path {
            table = table.below(key)?;
        }
        if !listed {
            let target = table.below(&last)?;
            return body
                .entries
                .into_iter()
                .try_for_each(|entry| target.put((entry.at, entry.key), entry.node));
        }
        let node = Node {
            at: last.0,
            value: Value::Table(body),
        };
        match table.entries.iter_mut().find(|entry| entry.key == last.1) {
            Some(Entry {
                node:
                    Node {
                        value: Value::List(list),
                        ..
                    },
                ..
            }) => list.push(node),
            Some(_) => return Err(twice(last.0, &last.1)),
            None => table.put(
                last.clone(),
                Node {
                    at: last.0,
                    value: Value::List(vec![node]),
                },
            )?,
        }
        Ok(())
    }
}

fn twice(at: usize, key: &str) -> Fault {
    Fault {
        at,
        message: format!("{key} is there twice"),
    }
}

/// A key with its place.
type Key<'a> = (usize, Cow<'a, str>);

/// Reads a document.
///
/// # Errors
/// At the first thing that is not TOML.
pub fn parse(text: &str) -> Result<Table<'_>, Fault> {
    let mut parser = Parser {
        text,
        at: 0,
        level: 0,
    };
    let mut root = parser.body()?;
    while parser.peek() == Some(b'[') {
        let listed = parser.rest().starts_with(b"[[");
        parser.at += if listed { 2 } else { 1 };
        let path = parser.path()?;
        parser.expect(if listed { "]]" } else { "]" })?;
        parser.end_line()?;
        let body = parser.body()?;
        root.add_section(path, listed, body)?;
    }
    Ok(root)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    level: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault {
            at: self.at,
            message: message.into(),
        })
    }

    fn expect(&mut self, wanted: &str) -> Result<(), Fault> {
        self.skip_spaces();
        if !self.rest().starts_with(wanted.as_bytes()) {
            return self.fault(format!("expected {wanted}"));
        }
        self.at += wanted.len();
        Ok(())
    }

    /// Takes as many bytes as are of a sort.
    fn take(&mut self, of_sort: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|byte| !of_sort(*byte))
            .unwrap_or(rest.len());
        let start = self.at;
        self.at += length;
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn skip_spaces(&mut self) {
        self.take(|byte| byte == b' ' || byte == b'\t');
    }

    /// Skips spaces, empty lines and comments.
    fn skip_lines(&mut self) {
        loop {
            self.take(|byte| byte.is_ascii_whitespace());
            if self.peek() != Some(b'#') {
                return;
            }
            self.take(|byte| byte != b'\n');
        }
    }

    fn end_line(&mut self) -> Result<(), Fault> {
        self.skip_spaces();
        match self.peek() {
            None | Some(b'\n' | b'\r' | b'#') => Ok(()),
            Some(_) => self.fault("expected the end of the line"),
        }
    }

    /// Reads `key = value` lines up to a header or the end.
    fn body(&mut self) -> Result<Table<'a>, Fault> {
        let mut table = Table {
            entries: Vec::with_capacity(8),
        };
        loop {
            self.skip_lines();
            if matches!(self.peek(), None | Some(b'[')) {
                return Ok(table);
            }
            self.pair(&mut table)?;
            self.end_line()?;
        }
    }

    fn pair(&mut self, table: &mut Table<'a>) -> Result<(), Fault> {
        let mut table = table;
        let mut key = self.key()?;
        while self.peek() == Some(b'.') {
            self.at += 1;
            table = table.below(&key)?;
            key = self.key()?;
        }
        self.expect("=")?;
        self.skip_spaces();
        let node = self.value()?;
        table.put(key, node)
    }

    /// Reads `a.b."c d"`.
    fn path(&mut self) -> Result<Vec<Key<'a>>, Fault> {
        let mut path = vec![self.key()?];
        while self.peek() == Some(b'.') {
            self.at += 1;
            path.push(self.key()?);
        }
        Ok(path)
    }

    /// Reads one key with the spaces around it.
    fn key(&mut self) -> Result<Key<'a>, Fault> {
        self.skip_spaces();
        let at = self.at;
        let key = match self.peek() {
            Some(b'"') => self.basic()?,
            Some(b'\'') => self.literal()?,
            _ => Cow::Borrowed(
                self.take(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'),
            ),
        };
        if self.at == at {
            return self.fault("expected a key");
        }
        self.skip_spaces();
        Ok((at, key))
    }

    fn value(&mut self) -> Result<Node<'a>, Fault> {
        let at = self.at;
        let value = match self.peek() {
            Some(b'"') => Value::Text(self.basic()?),
            Some(b'\'') => Value::Text(self.literal()?),
            Some(b'[') => Value::List(self.nested(Self::list)?),
            Some(b'{') => Value::Table(self.nested(Self::inline_table)?),
            _ => self.word()?,
        };
        Ok(Node { at, value })
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.level == MOST_LEVELS {
            return self.fault(format!("more than {MOST_LEVELS} levels"));
        }
        self.level += 1;
        self.at += 1;
        let value = read(self);
        self.level -= 1;
        value
    }

    fn list(&mut self) -> Result<Vec<Node<'a>>, Fault> {
        let mut list = Vec::new();
        while !self.closes(b']')? {
            list.push(self.value()?);
            self.separator(b']')?;
        }
        Ok(list)
    }

    fn inline_table(&mut self) -> Result<Table<'a>, Fault> {
        let mut table = Table::default();
        while !self.closes(b'}')? {
            self.pair(&mut table)?;
            self.separator(b'}')?;
        }
        Ok(table)
    }

    /// Whether the bracket comes next, which is then taken.
    fn closes(&mut self, bracket: u8) -> Result<bool, Fault> {
        self.skip_lines();
        if self.peek().is_none() {
            return self.fault(format!("expected {}", char::from(bracket)));
        }
        let closes = self.peek() == Some(bracket);
        self.at += usize::from(closes);
        Ok(closes)
    }

    fn separator(&mut self, bracket: u8) -> Result<(), Fault> {
        self.skip_lines();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(())
            }
            Some(byte) if byte == bracket => Ok(()),
            _ => self.fault(format!("expected , or {}", char::from(bracket))),
        }
    }

    /// A number, a date, true or false.
    fn word(&mut self) -> Result<Value<'a>, Fault> {
        let at = self.at;
        let word = self.take(|byte| byte.is_ascii_alphanumeric() || b"+-_.:".contains(&byte));
        match word {
            "true" => return Ok(Value::Flag(true)),
            "false" => return Ok(Value::Flag(false)),
            _ => {}
        }
        let unsigned = word.trim_start_matches(['+', '-']);
        if let Some(number) = whole(word) {
            return Ok(Value::Integer(number));
        }
        if unsigned.starts_with(|first: char| first.is_ascii_digit())
            || matches!(unsigned, "inf" | "nan")
        {
            return Ok(Value::Other(word));
        }
        Err(Fault {
            at,
            message: "expected a value; texts stand in quotes".to_owned(),
        })
    }

    fn literal(&mut self) -> Result<Cow<'a, str>, Fault> {
        let (quotes, start) = self.open("'''", "'");
        let text = self.up_to(quotes, start, false)?;
        Ok(Cow::Borrowed(text))
    }

    fn basic(&mut self) -> Result<Cow<'a, str>, Fault> {
        let (quotes, start) = self.open("\"\"\"", "\"");
        let text = self.up_to(quotes, start, true)?;
        if text.contains('\\') {
            unescape(text, start).map(Cow::Owned)
        } else {
            Ok(Cow::Borrowed(text))
        }
    }

    /// Takes the opening quotes, and the line break after three of them.
    fn open(&mut self, long: &'static str, short: &'static str) -> (&'static str, usize) {
        let quotes = if self.rest().starts_with(long.as_bytes()) {
            long
        } else {
            short
        };
        self.at += quotes.len();
        if quotes.len() == 3 {
            self.at += if self.rest().starts_with(b"\r\n") {
                2
            } else {
                usize::from(self.peek() == Some(b'\n'))
            };
        }
        (quotes, self.at)
    }

    /// Takes the text up to the closing quotes, passing over what is escaped.
    fn up_to(&mut self, quotes: &str, start: usize, escapes: bool) -> Result<&'a str, Fault> {
        let mark = quotes.as_bytes().first().copied();
        loop {
            self.take(|byte| Some(byte) != mark && byte != b'\n' && byte != b'\\');
            match self.peek() {
                Some(b'\\') if escapes => self.at += 2,
                Some(b'\n') if quotes.len() == 1 => break,
                Some(_) if self.rest().starts_with(quotes.as_bytes()) => {
                    let text = self.text.get(start..self.at).unwrap_or_default();
                    self.at += quotes.len();
                    return Ok(text);
                }
                Some(_) => self.at += 1,
                None => break,
            }
        }
        Err(Fault {
            at: start,
            message: "this text has no closing quote".to_owned(),
        })
    }
}

/// `1_000`, `-5`, `0xff`.
fn whole(word: &str) -> Option<i64> {
    let plain = word.replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).ok();
        }
    }
    plain.parse().ok()
}

/// Puts characters in the place of escapes; `start` is where the text stands in the document.
fn unescape(text: &str, start: usize) -> Result<String, Fault> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let at = start + (text.len() - after.len());
        let fault = || Fault {
            at,
            message: "this is no escape; write \\\\ for a backslash".to_owned(),
        };
        let mark = after.chars().next().ok_or_else(fault)?;
        rest = after.get(mark.len_utf8()..).unwrap_or_default();
        match mark {
            'n' => plain.push('\n'),
            't' => plain.push('\t'),
            'r' => plain.push('\r'),
            '"' | '\\' => plain.push(mark),
            'u' | 'U' => {
                let digits = if mark == 'u' { 4 } else { 8 };
                let code = rest
                    .get(..digits)
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok());
                plain.push(code.and_then(char::from_u32).ok_or_else(fault)?);
                rest = rest.get(digits..).unwrap_or_default();
            }
            ' ' | '\t' | '\r' | '\n' => rest = rest.trim_start(),
            _ => return Err(fault()),
        }
    }
    plain.push_str(rest);
    Ok(plain)
}

#[cfg(test)]
mod tests;
