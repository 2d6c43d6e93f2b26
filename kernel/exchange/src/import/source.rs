//! A first look at a file: its digest, its encoding, and a reader that gives its text as UTF-8.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use kjerne_model::shown;
use kjerne_workspace::error::{Context as _, Error, Result};
use sha2::{Digest, Sha256};

use super::decode::{Decoded, Utf32};

/// How the bytes of a file are text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// UTF-8, which is passed on as it is; broken bytes are found field by field.
    Utf8,
    /// UTF-32, which browsers no longer read and old exports still are.
    Utf32(Utf32),
    /// One of the encodings of the WHATWG standard.
    Other(&'static encoding_rs::Encoding),
}

impl Encoding {
    /// Its name, as reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf32(Utf32::Little) => "UTF-32LE",
            Self::Utf32(Utf32::Big) => "UTF-32BE",
            Self::Other(encoding) => encoding.name(),
        }
    }

    /// The encoding of that name, in any spelling browsers know: `latin1`, `windows-1252`, ….
    pub fn named(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-32" | "utf-32le" | "utf32" => Ok(Self::Utf32(Utf32::Little)),
            "utf-32be" => Ok(Self::Utf32(Utf32::Big)),
            _ => match encoding_rs::Encoding::for_label(name.as_bytes()) {
                Some(encoding) if encoding == encoding_rs::UTF_8 => Ok(Self::Utf8),
                Some(encoding) => Ok(Self::Other(encoding)),
                None => Err(Error::unreadable(format!(
                    "there is no encoding {name:?}; try utf-8, windows-1252 or utf-16le"
                ))),
            },
        }
    }
}

impl Encoding {
    /// The encoding of a file with a byte order mark, which may say what a name leaves open, and not
    /// something else.
    fn marked(self, name: &str, marked: Self) -> Result<Self> {
        let name = name.to_ascii_lowercase();
        let is_open = matches!(name.as_str(), "utf-16" | "utf16" | "utf-32" | "utf32")
            && marked.name().starts_with(&self.name()[..6]);
        if self == marked || is_open {
            return Ok(marked);
        }
        Err(Error::unreadable(format!(
            "the file begins with the byte order mark of {}, and the mapping says encoding = {name:?}; \
             take that out of the mapping",
            marked.name()
        )))
    }
}

/// A file that has been looked through once.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// The file's size.
    pub bytes: u64,
    /// How its bytes are text.
    pub encoding: Encoding,
    /// The length of the byte order mark.
    mark: u64,
}

impl Source {
    /// Reads the whole file once, in constant memory. `told` overrides what is detected.
    pub fn inspect(path: &Path, told: Option<&str>) -> Result<Self> {
        let mut file =
            File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut look = Look::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = file
                .read(&mut buffer)
                .with_context(|| format!("cannot read {}", path.display()))?;
            if read == 0 {
                break;
            }
            look.feed(&buffer[..read]);
        }
        let (marked, mark) = byte_order_mark(&look.head);
        let encoding = match (told, marked) {
            (Some(name), Some(marked)) => Encoding::named(name)?.marked(name, marked)?,
            (Some(name), None) => Encoding::named(name)?,
            (None, Some(marked)) => marked,
            (None, None) => look.guess()?,
        };
        Ok(Self {
            path: path.to_owned(),
            digest: look.digest.finalize().into(),
            bytes: look.bytes,
            encoding,
            mark: if marked == Some(encoding) { mark } else { 0 },
        })
    }

    /// Opens the file's text from its beginning.
    pub fn open(&self) -> Result<BufReader<Box<dyn Read + Send>>> {
        let opened = || -> io::Result<File> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.mark))?;
            Ok(file)
        };
        let file = opened().with_context(|| format!("cannot open {}", self.path.display()))?;
        let text: Box<dyn Read + Send> = match self.encoding {
            Encoding::Utf8 => Box::new(file),
            Encoding::Utf32(order) => Box::new(Decoded::utf32(file, order)),
            Encoding::Other(encoding) => Box::new(Decoded::other(file, encoding)),
        };
        Ok(BufReader::with_capacity(64 * 1024, text))
    }
}

fn byte_order_mark(head: &[u8]) -> (Option<Encoding>, u64) {
    let utf16 = |encoding| (Some(Encoding::Other(encoding)), 2);
    match head {
        [0xEF, 0xBB, 0xBF, ..] => (Some(Encoding::Utf8), 3),
        [0xFF, 0xFE, 0, 0, ..] => (Some(Encoding::Utf32(Utf32::Little)), 4),
        [0, 0, 0xFE, 0xFF, ..] => (Some(Encoding::Utf32(Utf32::Big)), 4),
        [0xFF, 0xFE, ..] => utf16(encoding_rs::UTF_16LE),
        [0xFE, 0xFF, ..] => utf16(encoding_rs::UTF_16BE),
        _ => (None, 0),
    }
}

/// How much text beyond ASCII is shown to the guesser; more of it does not change its mind.
const GUESS_BYTES: usize = 4 * 1024 * 1024;
/// How many of the first bytes are kept to look for marks and zeros.
const HEAD_BYTES: usize = 1024;

/// How much of a word is shown.
const WORD_BYTES: usize = 40;

/// The word around the first byte beyond ASCII of a piece.
fn first_word(piece: &[u8]) -> Vec<u8> {
    let Some(at) = piece.iter().position(|byte| !byte.is_ascii()) else {
        return Vec::new();
    };
    let ends = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    let begin = piece[..at].iter().rposition(ends).map_or(0, |end| end + 1);
    let end = piece[at..]
        .iter()
        .position(ends)
        .map_or(piece.len(), |end| at + end);
    piece[begin.max(at.saturating_sub(WORD_BYTES))..end.min(at + WORD_BYTES)].to_vec()
}

/// What is gathered while the file is read for the first time.
struct Look {
    digest: Sha256,
    bytes: u64,
    head: Vec<u8>,
    guesser: EncodingDetector,
    guessed_on: usize,
    /// The beginning of a character whose rest lies in the next piece.
    cut: Vec<u8>,
    /// Characters beyond ASCII in good UTF-8, and places where UTF-8 is broken.
    good: u64,
    broken: u64,
    /// The word around the first byte beyond ASCII.
    word: Vec<u8>,
    /// The last byte, and whether a change to another set of letters was met, as ISO 2022 has it.
    last: u8,
    shifts: bool,
}

impl Look {
    fn new() -> Self {
        Self {
            digest: Sha256::new(),
            bytes: 0,
            head: Vec::new(),
            guesser: EncodingDetector::new(Iso2022JpDetection::Deny),
            guessed_on: 0,
            cut: Vec::new(),
            good: 0,
            broken: 0,
            word: Vec::new(),
            last: 0,
            shifts: false,
        }
    }

    fn feed(&mut self, piece: &[u8]) {
        self.digest.update(piece);
        self.bytes += piece.len() as u64;
        let room = HEAD_BYTES.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..room]);
        self.look_for_shifts(piece);
        if piece.is_ascii() && self.cut.is_empty() {
            return;
        }
        if self.guessed_on < GUESS_BYTES {
            self.guesser.feed(piece, false);
            self.guessed_on += piece.len();
        }
        if self.word.is_empty() {
            self.word = first_word(piece);
        }
        let mut joined = std::mem::take(&mut self.cut);
        joined.extend_from_slice(piece);
        self.count(&joined);
    }

    /// Counts good and broken UTF-8, and keeps a character that is cut at the end.
    fn count(&mut self, mut piece: &[u8]) {
        loop {
            let (good, rest) = match std::str::from_utf8(piece) {
                Ok(_) => (piece, None),
                Err(error) => (&piece[..error.valid_up_to()], Some(error)),
            };
            self.good += good.iter().filter(|&&byte| byte >= 0xC0).count() as u64;
            let Some(error) = rest else { return };
            let Some(length) = error.error_len() else {
                self.cut = piece[error.valid_up_to()..].to_vec();
                return;
            };
            self.broken += 1;
            piece = &piece[error.valid_up_to() + length..];
        }
    }

    /// Notes escapes by which texts of East Asia change to other letters, all in bytes of ASCII.
    fn look_for_shifts(&mut self, piece: &[u8]) {
        const ESCAPE: u8 = 0x1B;
        let follows = |byte: Option<&u8>| matches!(byte, Some(b'$' | b'('));
        let across = self.last == ESCAPE && follows(piece.first());
        let within = piece
            .windows(2)
            .any(|two| two[0] == ESCAPE && follows(two.get(1)));
        self.shifts |= across || within;
        self.last = piece.last().copied().unwrap_or(self.last);
    }

    /// UTF-8 when it reads as such, also where a few places are broken, since those are then told
    /// with their lines. Any other encoding has to be said: bytes are letters of one as well as of another.
    fn guess(&mut self) -> Result<Encoding> {
        if let Some(encoding) = self.zeros() {
            return Ok(encoding);
        }
        if self.shifts {
            return Err(Error::unreadable(
                "the file has escapes of ISO 2022 in it; say encoding = \"iso-2022-jp\" in the mapping if that is what \
                 it is in, or save it as UTF-8",
            ));
        }
        let broken = self.broken + u64::from(!self.cut.is_empty());
        if broken == 0 || self.good > 4 * broken {
            return Ok(Encoding::Utf8);
        }
        self.guesser.feed(b"", true);
        Err(self.not_told(broken))
    }

    /// What would have to be said, as far as it can be guessed: the administrator knows the word.
    fn not_told(&self, broken: u64) -> Error {
        if 4 * self.good >= broken {
            let good = self.good;
            return Error::unreadable(format!(
                "the file has text in two encodings: {good} letters in UTF-8, and {broken} places in another; \
                 bring its parts into one, or say encoding in the mapping"
            ));
        }
        let guessed = self.guesser.guess(None, Utf8Detection::Deny);
        let (word, _) = guessed.decode_without_bom_handling(&self.word);
        let (name, word) = (guessed.name(), shown::beginning(&word, WORD_BYTES));
        let known = name.to_ascii_lowercase();
        Error::unreadable(format!(
            "the file is not UTF-8, and its bytes do not tell for certain what it is. It may be {name}: then there is \
             a word {word:?} in it. If that is right, say encoding = {known:?} in the mapping; else another, such as \
             \"windows-1252\" for Western Europe or \"macintosh\" for older Macs, or save the file as UTF-8, as those of \
             DOS (cp850) have to be"
        ))
    }

    /// UTF-16 without a mark: every other byte of mostly Latin text is zero.
    fn zeros(&self) -> Option<Encoding> {
        let count = |from: usize| {
            self.head
                .iter()
                .skip(from)
                .step_by(2)
                .filter(|&&byte| byte == 0)
                .count()
        };
        let many = self.head.len() / 5;
        match (count(0) > many, count(1) > many) {
            (true, false) => Some(Encoding::Other(encoding_rs::UTF_16BE)),
            (false, true) => Some(Encoding::Other(encoding_rs::UTF_16LE)),
            _ => None,
        }
    }
}
