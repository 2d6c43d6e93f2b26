//! Record ids and references.

use std::fmt;

use kjerne_values::{Instant, ParseError};

use crate::name::Name;

/// The id of a record: a UUID of version 7, so that ids sort by the time they were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// Makes a version 7 id from the time and 74 random bits (the upper bits of `random` are
    /// dropped).
    #[must_use]
    pub fn v7(at: Instant, random: u128) -> Self {
        let millis = u128::from(at.millis().max(0) as u64) & 0xffff_ffff_ffff;
        let low = random & 0x3fff_ffff_ffff_ffff;
        let mid = (random >> 62) & 0xfff;
        Self(((millis << 80) | (7 << 76) | (mid << 64) | (2 << 62) | low).to_be_bytes())
    }

    /// Takes the 16 bytes of a UUID as they are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes, which sort as the ids do.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads a UUID in its canonical form of 36 characters.
    ///
    /// # Errors
    /// When the text is not in that form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("a record id (a UUID of 36 characters)", text);
        let bytes = text.as_bytes();
        if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|&at| bytes[at] != b'-') {
            return Err(wrong());
        }
        let mut digits = bytes.iter().filter(|&&b| b != b'-');
        let mut id = [0u8; 16];
        for byte in &mut id {
            let mut nibble = || digits.next().and_then(|&b| (b as char).to_digit(16));
            let (high, low) = (nibble().ok_or_else(wrong)?, nibble().ok_or_else(wrong)?);
            *byte = (high * 16 + low) as u8;
        }
        Ok(Self(id))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A reference to a record: its kind and id. Written `account/0199…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The kind of the record referred to.
    pub kind: Name,
    /// Its id.
    pub id: RecordId,
}

impl Reference {
    /// Refers to the record `id` of `kind`.
    #[must_use]
    pub fn new(kind: Name, id: RecordId) -> Self {
        Self { kind, id }
    }

    /// Reads `kind/id`.
    ///
    /// # Errors
    /// When the text is not a kind, a slash and an id.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let (kind, id) = text
            .split_once('/')
            .ok_or_else(|| ParseError::new("a reference such as account/ID", text))?;
        Ok(Self {
            kind: Name::new(kind)?,
            id: RecordId::parse(id)?,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
