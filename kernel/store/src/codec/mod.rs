//! Values as bytes: the only place where what the kernel keeps is written and read.
//!
//! Every value begins with the version of its form, so that an older form can be read for as long
//! as there are files that hold it. Numbers are of variable length, text has its length in front.

mod entry;
mod fields;
mod rows;
#[cfg(test)]
pub(crate) mod tests;

use std::cell::RefCell;
use std::collections::HashSet;

use kjerne_model::{Instant, Name, RecordId};

use crate::StoreError;

pub(crate) use entry::{decode_entry, encode_entry};
pub(crate) use fields::{decode_record, encode_fields, encode_record};
pub(crate) use rows::Row;

/// The form written today.
const VERSION: u8 = 1;

/// Writes a value.
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    /// Begins a value with the version of its form.
    pub(crate) fn new() -> Self {
        Self::within(VERSION)
    }

    fn within(version: u8) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.push(version);
        Self(bytes)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Seven bits to a byte, the lowest first.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// The sign in the lowest bit, so that small negative numbers are short too.
    fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)) as u64);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn texts(&mut self, texts: &[String]) {
        self.count(texts.len());
        texts.iter().for_each(|text| self.text(text));
    }

    fn optional_text(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    fn instant(&mut self, at: Instant) {
        self.signed(at.millis());
    }
}

/// Why bytes are not a value; says what was expected.
#[derive(Debug)]
pub(crate) struct Damage(String);

impl Damage {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// The error for callers, which know what the bytes were: `record contact/0199…`.
    pub(crate) fn in_(self, what: impl std::fmt::Display) -> StoreError {
        StoreError::Corrupt(format!("{what} cannot be read: {}", self.0))
    }
}

/// Reads a value; never panics, whatever the bytes are.
pub(crate) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Begins a value by checking the version of its form.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Damage> {
        let mut decoder = Self(bytes);
        match decoder.byte()? {
            VERSION => Ok(decoder),
            other => Err(Damage::new(format!(
                "its form has version {other}, not {VERSION}"
            ))),
        }
    }

    /// Checks that nothing is left over.
    pub(crate) fn finish(self) -> Result<(), Damage> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(Damage::new(format!("{left} bytes are left over"))),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| Damage::new("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Damage> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn number(&mut self) -> Result<u64, Damage> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damage::new("a number is longer than 64 bits"))
    }

    fn small(&mut self) -> Result<u32, Damage> {
        u32::try_from(self.number()?).map_err(|_| Damage::new("a number is longer than 32 bits"))
    }

    /// A number of things that follow. Each takes at least one byte, so that a damaged count can
    /// not ask for more memory than the value has bytes.
    fn count(&mut self) -> Result<usize, Damage> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.0.len() => Ok(count),
            _ => Err(Damage::new(format!(
                "it announces {count} parts and is shorter than that"
            ))),
        }
    }

    fn signed(&mut self) -> Result<i64, Damage> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn bytes(&mut self) -> Result<&'a [u8], Damage> {
        let count = self.count()?;
        self.take(count)
    }

    fn str(&mut self) -> Result<&'a str, Damage> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damage::new("a text is not UTF-8"))
    }

    fn text(&mut self) -> Result<String, Damage> {
        self.str().map(str::to_owned)
    }

    fn texts(&mut self) -> Result<Vec<String>, Damage> {
        let count = self.count()?;
        (0..count).map(|_| self.text()).collect()
    }

    fn optional_text(&mut self) -> Result<Option<String>, Damage> {
        if self.flag()? {
            self.text().map(Some)
        } else {
            Ok(None)
        }
    }

    fn flag(&mut self) -> Result<bool, Damage> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Damage::new(format!("{other} is neither yes nor no"))),
        }
    }

    fn instant(&mut self) -> Result<Instant, Damage> {
        self.signed().map(Instant::from_millis)
    }

    fn id(&mut self) -> Result<RecordId, Damage> {
        self.array().map(RecordId::from_bytes)
    }

    fn name(&mut self) -> Result<Name, Damage> {
        let text = self.str()?;
        shared_name(text).ok_or_else(|| Damage::new(format!("{text:?} is not a name")))
    }
}

/// The most names a thread remembers: more than every field of a large workspace.
const REMEMBERED_NAMES: usize = 8_192;

thread_local! {
    static NAMES: RefCell<HashSet<Name>> = RefCell::default();
}

/// The name with this text; names repeat in every record, so each thread makes them once.
pub(crate) fn shared_name(text: &str) -> Option<Name> {
    NAMES.with_borrow_mut(|names| {
        if let Some(name) = names.get(text) {
            return Some(name.clone());
        }
        let name = Name::new(text).ok()?;
        if names.len() < REMEMBERED_NAMES {
            names.insert(name.clone());
        }
        Some(name)
    })
}
