//! Keys as bytes, in the order of what they stand for.
//!
//! A part of a key that is text is written with each zero byte as `00 FF` and ended by `00 00`, so
//! that a text sorts before every longer text that begins with it, and no part can be mistaken for
//! the next. Values are written so that their bytes sort as [`Value::compare`] orders them.

use kjerne_model::{Address, Field, Instant, Kind, Name, RecordId, Value};

use crate::names::shared_name;

/// The most bytes of a text that an index key holds. Longer texts share a key with every text that
/// begins alike; who reads the index compares the record itself.
pub(crate) const INDEXED_BYTES: usize = 256;

const FLAG: u8 = 1;
const NUMBER: u8 = 2;
const TIME: u8 = 3;
const MONEY: u8 = 4;
const TEXT: u8 = 5;
const REFERENCE: u8 = 6;

/// A key under construction.
#[derive(Clone)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(64))
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.begun_text(text).raw(&[0, 0])
    }

    /// A text without its end mark: the beginning of every text that begins with it.
    pub(crate) fn begun_text(mut self, text: &str) -> Self {
        if !text.as_bytes().contains(&0) {
            return self.raw(text.as_bytes());
        }
        for &byte in text.as_bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(0xff);
            }
        }
        self
    }

    /// A part without an end mark; it must be the last, or of fixed length.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn number(self, number: u64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn id(self, id: RecordId) -> Self {
        self.raw(id.as_bytes())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The first key after every key that begins with this one; none when there is no such key.
    pub(crate) fn end(&self) -> Option<Vec<u8>> {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if last < 0xff {
                end.push(last + 1);
                return Some(end);
            }
        }
        None
    }
}

/// The key of a record.
pub(crate) fn record(kind: &str, id: RecordId) -> Key {
    Key::new().text(kind).id(id)
}

/// The beginning of the index keys of a field.
pub(crate) fn field(kind: &str, field: &str) -> Key {
    Key::new().text(kind).text(field)
}

/// The bytes a value has in an index key; none for a value that is not indexed (an address).
/// Several choices have one entry each, so theirs are those of the first.
pub(crate) fn indexed(value: &Value) -> Option<Vec<u8>> {
    let key = Key::new();
    Some(match value {
        Value::Text(text) => text_value(text),
        Value::Choices(choices) => text_value(choices.first()?),
        Value::Integer(number) => number_value((*number).into()),
        Value::Decimal(number) => number_value(*number),
        Value::Money(money) => key
            .raw(&[MONEY])
            .raw(money.currency.code().as_bytes())
            .raw(&ordered(money.minor))
            .into_bytes(),
        Value::Date(date) => time_value(Instant::at_midnight(*date)),
        Value::Instant(at) => time_value(*at),
        Value::Flag(flag) => vec![FLAG, u8::from(*flag)],
        Value::Reference(to) => key.raw(&[REFERENCE]).text(&to.kind).id(to.id).into_bytes(),
        Value::Address(_) => return None,
    })
}

/// The bytes a value has in a key of [`Space::Unique`](crate::Space::Unique): text in full, and what
/// consists of several texts as several parts, so that no two values share a key.
pub(crate) fn unique(value: &Value) -> Option<Vec<u8>> {
    let texts = |texts: &mut dyn Iterator<Item = &str>| {
        let key = texts.fold(Key::new().raw(&[TEXT]), Key::text);
        Some(key.into_bytes())
    };
    match value {
        Value::Text(text) => texts(&mut std::iter::once(text.as_str())),
        Value::Choices(choices) => texts(&mut choices.iter().map(String::as_str)),
        Value::Address(address) => {
            texts(&mut Address::PARTS.iter().filter_map(|part| address.part(part)))
        }
        other => indexed(other),
    }
}

/// True when equal index bytes mean equal values.
pub(crate) fn is_exact(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.len() <= INDEXED_BYTES,
        Value::Choices(_) | Value::Address(_) => false,
        _ => true,
    }
}

fn text_value(text: &str) -> Vec<u8> {
    let cut = text.floor_char_boundary(INDEXED_BYTES);
    Key::new().raw(&[TEXT]).text(&text[..cut]).into_bytes()
}

fn number_value(number: kjerne_model::Decimal) -> Vec<u8> {
    let bits = number.widened() as u128 ^ (1 << 127);
    Key::new()
        .raw(&[NUMBER])
        .raw(&bits.to_be_bytes())
        .into_bytes()
}

fn time_value(at: Instant) -> Vec<u8> {
    Key::new()
        .raw(&[TIME])
        .raw(&ordered(at.millis()))
        .into_bytes()
}

/// Eight bytes that sort as the numbers do.
pub(crate) fn ordered(number: i64) -> [u8; 8] {
    (number as u64 ^ (1 << 63)).to_be_bytes()
}

/// The index keys a field's value has, made of the form it is compared by: none, one, or one for each
/// choice.
pub(crate) fn index_keys(kind: &Kind, of: &Field, value: &Value, id: RecordId) -> Vec<Vec<u8>> {
    let prefix = field(&kind.name, &of.name);
    let whole = |bytes: Vec<u8>| prefix.clone().raw(&bytes).id(id).into_bytes();
    match of.form(value).as_ref() {
        Value::Choices(choices) => {
            let mut keys: Vec<_> = choices.iter().map(|one| whole(text_value(one))).collect();
            keys.sort();
            keys.dedup();
            keys
        }
        other => indexed(other).map(whole).into_iter().collect(),
    }
}

/// The key of a unique field's value, made of the form it is compared by.
pub(crate) fn unique_key(kind: &str, of: &Field, value: &Value) -> Option<Vec<u8>> {
    let bytes = unique(&of.form(value))?;
    Some(field(kind, &of.name).raw(&bytes).into_bytes())
}

/// The id at the end of a key.
pub(crate) fn trailing_id(key: &[u8]) -> Option<RecordId> {
    key.last_chunk::<16>().map(|id| RecordId::from_bytes(*id))
}

/// The number at the end of a key.
pub(crate) fn trailing_number(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>()
        .map(|number| u64::from_be_bytes(*number))
}

/// The text part a key begins with, and what follows it.
pub(crate) fn split_text(key: &[u8]) -> Option<(String, &[u8])> {
    let mut text = Vec::new();
    let mut rest = key;
    loop {
        match rest {
            [0, 0, after @ ..] => return Some((String::from_utf8(text).ok()?, after)),
            [0, 0xff, after @ ..] => {
                text.push(0);
                rest = after;
            }
            [0, ..] | [] => return None,
            [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
        }
    }
}

/// The kind and id of a record's key.
pub(crate) fn split_record(key: &[u8]) -> Option<(Name, RecordId)> {
    let (kind, id) = split_text(key)?;
    Some((
        shared_name(&kind)?,
        RecordId::from_bytes(id.try_into().ok()?),
    ))
}

/// What the index bytes of every value comparable with this one begin with: the type, and for money
/// the currency.
pub(crate) fn family(value: &Value) -> Option<Vec<u8>> {
    let mut bytes = indexed(value)?;
    bytes.truncate(if matches!(value, Value::Money(_)) {
        4
    } else {
        1
    });
    Some(bytes)
}

#[cfg(test)]
mod tests;
