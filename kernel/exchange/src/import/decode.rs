//! Turns text in other encodings into UTF-8, piece by piece.
//!
//! A place that is broken in the original becomes the byte 0xFF, which no UTF-8 holds: the row it is
//! in is then refused like any row with broken text, and never stored with a guess in it. So does a
//! control character that only unused places of an encoding of single bytes stand for: nobody writes them,
//! and they tell that the text is in another encoding.

use std::io::{self, Read};

/// Stands for a place that could not be read.
const BROKEN: u8 = 0xFF;

/// The order of the four bytes of a UTF-32 unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Utf32 {
    /// The lowest byte first.
    Little,
    /// The highest byte first.
    Big,
}

/// A reader of UTF-8 over a reader of something else.
pub struct Decoded<R> {
    source: R,
    units: Units,
    /// Bytes read and not yet decoded.
    raw: Vec<u8>,
    /// Text decoded and not yet given.
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

enum Units {
    Other(Box<encoding_rs::Decoder>),
    Utf32(Utf32),
}

impl<R: Read> Decoded<R> {
    /// Reads an encoding of the WHATWG standard.
    pub fn other(source: R, encoding: &'static encoding_rs::Encoding) -> Self {
        Self::new(
            source,
            Units::Other(Box::new(encoding.new_decoder_without_bom_handling())),
        )
    }

    /// Reads UTF-32.
    pub fn utf32(source: R, order: Utf32) -> Self {
        Self::new(source, Units::Utf32(order))
    }

    fn new(source: R, units: Units) -> Self {
        Self {
            source,
            units,
            raw: Vec::new(),
            text: Vec::new(),
            given: 0,
            ended: false,
        }
    }

    /// Reads and decodes the next piece.
    fn refill(&mut self) -> io::Result<()> {
        let kept = self.raw.len();
        self.raw.resize(kept + 32 * 1024, 0);
        let read = self.source.read(&mut self.raw[kept..])?;
        self.raw.truncate(kept + read);
        self.ended = read == 0;
        self.text.clear();
        self.given = 0;
        match &mut self.units {
            Units::Other(decoder) => decode(decoder, &self.raw, &mut self.text, self.ended),
            Units::Utf32(order) => {
                let whole = self.raw.len() / 4 * 4;
                for unit in self.raw[..whole].chunks_exact(4) {
                    push_unit(&mut self.text, unit, *order);
                }
                self.raw.drain(..whole);
                if self.ended && !self.raw.is_empty() {
                    self.text.push(BROKEN);
                }
                return Ok(());
            }
        }
        self.raw.clear();
        Ok(())
    }
}

/// Decodes all of `raw`; the decoder itself keeps a character that is cut at the end.
fn decode(decoder: &mut encoding_rs::Decoder, raw: &[u8], text: &mut Vec<u8>, last: bool) {
    let mut from = 0;
    loop {
        let start = text.len();
        let room = decoder.max_utf8_buffer_length_without_replacement(raw.len() - from);
        text.resize(start + room.unwrap_or(64 * 1024), 0);
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(&raw[from..], &mut text[start..], last);
        text.truncate(start + written);
        from += read;
        match result {
            encoding_rs::DecoderResult::InputEmpty => break,
            encoding_rs::DecoderResult::OutputFull => {}
            encoding_rs::DecoderResult::Malformed(..) => text.push(BROKEN),
        }
    }
    if decoder.encoding().is_single_byte() {
        break_controls(text);
    }
}

/// Marks U+0080 to U+009F as broken. A piece of decoded text ends with a whole letter.
fn break_controls(text: &mut Vec<u8>) {
    let is_control = |pair: &[u8]| pair[0] == 0xC2 && matches!(pair[1], 0x80..=0x9F);
    if !text.windows(2).any(is_control) {
        return;
    }
    let mut kept = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == 0xC2 && bytes.next_if(|next| matches!(next, 0x80..=0x9F)).is_some() {
            kept.push(BROKEN);
        } else {
            kept.push(byte);
        }
    }
    *text = kept;
}

fn push_unit(text: &mut Vec<u8>, unit: &[u8], order: Utf32) {
    let bytes = [unit[0], unit[1], unit[2], unit[3]];
    let number = match order {
        Utf32::Little => u32::from_le_bytes(bytes),
        Utf32::Big => u32::from_be_bytes(bytes),
    };
    match char::from_u32(number) {
        Some(letter) => text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        None => text.push(BROKEN),
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if self.ended {
                return Ok(0);
            }
            self.refill()?;
        }
        let count = buffer.len().min(self.text.len() - self.given);
        buffer[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}
