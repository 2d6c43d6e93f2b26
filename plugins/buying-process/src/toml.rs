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

/// A value with its key and its place. The items of a list have no key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// The byte the key begins at; of the items of a list, the value.
    pub key_at: usize,
    /// The byte the value begins at.
    pub at: usize,
    /// What it is.
    pub value: Value<'a>,
    /// The next of the same list or table.
    next: Option<usize>,
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
    List(Children),
    /// A table.
    Table(Children),
}

/// The first and the last node of a list or table, which are linked in the order they were written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Children(Option<(usize, usize)>);

/// A document: all its nodes in one place, because a table for each table would cost more than all
/// the reading. The first node is the table of the document itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Document<'a> {
    /// The table of the document itself.
    pub fn root(&self) -> Children {
        self.nodes
            .first()
            .and_then(Node::children)
            .unwrap_or_default()
    }

    /// The nodes of a list or table, in the order they were written.
    pub fn nodes(&self, of: Children) -> impl Iterator<Item = &Node<'a>> {
        let first = of.0.and_then(|(first, _)| self.nodes.get(first));
        std::iter::successors(first, |node| self.nodes.get(node.next?))
    }

    /// Adds a node to the list or table at a place, and returns its own place.
    fn add(&mut self, parent: usize, node: Node<'a>) -> usize {
        let place = self.nodes.len();
        self.nodes.push(node);
        let children = self.nodes.get_mut(parent).and_then(Node::children_mut);
        let Some(children) = children else {
            return place;
        };
        let last = children.0.map(|(_, last)| last);
        children.0 = Some((children.0.map_or(place, |(first, _)| first), place));
        if let Some(last) = last.and_then(|last| self.nodes.get_mut(last)) {
            last.next = Some(place);
        }
        place
    }

    /// The place of a key in the table at a place.
    fn find(&self, table: usize, key: &str) -> Option<usize> {
        let mut next = self.nodes.get(table)?.children()?.0.map(|(first, _)| first);
        while let Some(place) = next {
            let node = self.nodes.get(place)?;
            if node.key == key {
                return Some(place);
            }
            next = node.next;
        }
        None
    }

    /// Adds a value under a key that is not there yet.
    fn put(
        &mut self,
        table: usize,
        key: Key<'a>,
        at: usize,
        value: Value<'a>,
    ) -> Result<usize, Fault> {
        if self.find(table, &key.1).is_some() {
            return Err(twice(&key));
        }
        Ok(self.add(
            table,
            Node {
                key: key.1,
                key_at: key.0,
                at,
                value,
                next: None,
            },
        ))
    }

    /// The table under a key, made if there is none; of a list of tables the last one.
    fn below(&mut self, table: usize, key: Key<'a>) -> Result<usize, Fault> {
        let Some(mut place) = self.find(table, &key.1) else {
            let at = key.0;
            return self.put(table, key, at, Value::Table(Children::default()));
        };
        if let Some(Value::List(Children(Some((_, last))))) =
            self.nodes.get(place).map(|node| &node.value)
        {
            place = *last;
        }
        match self.nodes.get(place).map(|node| &node.value) {
            Some(Value::Table(_)) => Ok(place),
            _ => Err(twice(&key)),
        }
    }

    /// A new table at the end of the list under a key.
    fn append(&mut self, table: usize, key: Key<'a>) -> Result<usize, Fault> {
        let at = key.0;
        let list = match self.find(table, &key.1) {
            None => self.put(table, key, at, Value::List(Children::default()))?,
            Some(place) => match self.nodes.get(place).map(|node| &node.value) {
                Some(Value::List(_)) => place,
                _ => return Err(twice(&key)),
            },
        };
        Ok(self.add(list, Node::item(at, Value::Table(Children::default()))))
    }
}

impl<'a> Node<'a> {
    /// A node without a key.
    fn item(at: usize, value: Value<'a>) -> Self {
        Self {
            key: Cow::Borrowed(""),
            key_at: at,
            at,
            value,
            next: None,
        }
    }

    fn children(&self) -> Option<Children> {
        match self.value {
            Value::List(children) | Value::Table(children) => Some(children),
            _ => None,
        }
    }

    fn children_mut(&mut self) -> Option<&mut Children> {
        match &mut self.value {
            Value::List(children) | Value::Table(children) => Some(children),
            _ => None,
        }
    }
}

fn twice((at, key): &Key<'_>) -> Fault {
    Fault {
        at: *at,
        message: format!("{key} is there twice"),
    }
}

/// A key with its place.
type Key<'a> = (usize, Cow<'a, str>);

/// Reads a document.
///
/// # Errors
/// At the first thing that is not TOML.
pub fn parse(text: &str) -> Result<Document<'_>, Fault> {
    let mut nodes = Vec::with_capacity(text.len() / BYTES_PER_NODE + 1);
    nodes.push(Node::item(0, Value::Table(Children::default())));
    let mut parser = Parser {
        text,
        at: 0,
        level: 0,
        document: Document { nodes },
    };
    parser.body(0)?;
    while parser.peek() == Some(b'[') {
        let table = parser.header()?;
        parser.body(table)?;
    }
    Ok(parser.document)
}

/// About how much of a document makes a node, so that room is made once.
const BYTES_PER_NODE: usize = 12;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    level: usize,
    document: Document<'a>,
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

    /// Reads `[a.b]` or `[[a.b]]` and returns the place of the table it begins.
    fn header(&mut self) -> Result<usize, Fault> {
        let listed = self.rest().starts_with(b"[[");
        self.at += if listed { 2 } else { 1 };
        let (table, key) = self.path(0)?;
        self.expect(if listed { "]]" } else { "]" })?;
        self.end_line()?;
        if listed {
            self.document.append(table, key)
        } else {
            self.document.below(table, key)
        }
    }

    /// Reads `key = value` lines into a table, up to a header or the end.
    fn body(&mut self, table: usize) -> Result<(), Fault> {
        loop {
            self.skip_lines();
            if matches!(self.peek(), None | Some(b'[')) {
                return Ok(());
            }
            self.pair(table)?;
            self.end_line()?;
        }
    }

    fn pair(&mut self, table: usize) -> Result<(), Fault> {
        let (table, key) = self.path(table)?;
        self.expect("=")?;
        self.skip_spaces();
        let (at, value) = self.value()?;
        let place = self.document.put(table, key, at, value)?;
        self.inside(place)
    }

    /// Reads `a.b."c d"`: returns the table below all but the last key, and that key.
    fn path(&mut self, mut table: usize) -> Result<(usize, Key<'a>), Fault> {
        let mut key = self.key()?;
        while self.peek() == Some(b'.') {
            self.at += 1;
            table = self.document.below(table, key)?;
            key = self.key()?;
        }
        Ok((table, key))
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

    /// Reads a value; of a list or table only its opening bracket, the rest is [`Parser::inside`].
    fn value(&mut self) -> Result<(usize, Value<'a>), Fault> {
        let at = self.at;
        let value = match self.peek() {
            Some(b'"') => Value::Text(self.basic()?),
            Some(b'\'') => Value::Text(self.literal()?),
            Some(b'[') => Value::List(Children::default()),
            Some(b'{') => Value::Table(Children::default()),
            _ => self.word()?,
        };
        Ok((at, value))
    }

    /// Reads what is inside the list or table at a place; nothing for any other value.
    fn inside(&mut self, place: usize) -> Result<(), Fault> {
        let bracket = match self.document.nodes.get(place).map(|node| &node.value) {
            Some(Value::List(_)) => b']',
            Some(Value::Table(_)) => b'}',
            _ => return Ok(()),
        };
        if self.level == MOST_LEVELS {
            return self.fault(format!("more than {MOST_LEVELS} levels"));
        }
        self.level += 1;
        self.at += 1;
        while !self.closes(bracket)? {
            if bracket == b'}' {
                self.pair(place)?;
            } else {
                let (at, value) = self.value()?;
                let item = self.document.add(place, Node::item(at, value));
                self.inside(item)?;
            }
            self.separator(bracket)?;
        }
        self.level -= 1;
        Ok(())
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
