//! From bytes to numbers, texts and flags.

use kjerne_model::{Instant, Name, RecordId};

use super::damage::Damage;
use super::encoder::VERSION;
use crate::names::shared_name;

/// Reads a value; never panics, whatever the bytes are.
pub(crate) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Begins a value by checking the version of its form.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Damage> {
        let mut decoder = Self(bytes);
        match decoder.byte()? {
            VERSION => Ok(decoder),
            other => Err(Damage::new(format!(
                "its form has version {other}, not {VERSION}"
            ))),
        }
    }

    /// Checks that nothing is left over.
    pub(super) fn finish(self) -> Result<(), Damage> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(Damage::new(format!("{left} bytes are left over"))),
        }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| Damage::new("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Damage> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn number(&mut self) -> Result<u64, Damage> {
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

    pub(super) fn small(&mut self) -> Result<u32, Damage> {
        u32::try_from(self.number()?).map_err(|_| Damage::new("a number is longer than 32 bits"))
    }

    /// A number of things that follow. Each takes at least one byte, so that a damaged count can
    /// not ask for more memory than the value has bytes.
    pub(super) fn count(&mut self) -> Result<usize, Damage> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.0.len() => Ok(count),
            _ => Err(Damage::new(format!(
                "it announces {count} parts and is shorter than that"
            ))),
        }
    }

    pub(super) fn signed(&mut self) -> Result<i64, Damage> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Damage> {
        let count = self.count()?;
        self.take(count)
    }

    pub(super) fn str(&mut self) -> Result<&'a str, Damage> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damage::new("a text is not UTF-8"))
    }

    pub(super) fn text(&mut self) -> Result<String, Damage> {
        self.str().map(str::to_owned)
    }

    pub(super) fn texts(&mut self) -> Result<Vec<String>, Damage> {
        let count = self.count()?;
        (0..count).map(|_| self.text()).collect()
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<String>, Damage> {
        if self.flag()? {
            self.text().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(super) fn flag(&mut self) -> Result<bool, Damage> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Damage::new(format!("{other} is neither yes nor no"))),
        }
    }

    pub(super) fn instant(&mut self) -> Result<Instant, Damage> {
        self.signed().map(Instant::from_millis)
    }

    pub(super) fn id(&mut self) -> Result<RecordId, Damage> {
        self.array().map(RecordId::from_bytes)
    }

    pub(super) fn name(&mut self) -> Result<Name, Damage> {
        let text = self.str()?;
        shared_name(text).ok_or_else(|| Damage::new(format!("{text:?} is not a name")))
    }
}
