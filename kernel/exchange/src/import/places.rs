//! Where the letters beyond ASCII of a file stand, and whether they can be what an encoding takes them for.
//!
//! A file of single bytes says nothing of its encoding, and files of DOS and of older Macs have their letters where
//! those of Windows have signs: `Bodø` is read as `Bod›`. What tells them apart is where signs stand. Each rule
//! below is about one sign: on which side of it a letter is what people write.

use encoding_rs::Encoding;

/// What stands beside a byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Beside {
    /// A blank, a mark, the beginning or the end.
    Nothing,
    Digit,
    Lower,
    Upper,
    /// A byte from 0x80 to 0xBF, which may be a sign or a letter.
    Either,
    /// A byte from 0xC0, a letter nearly everywhere.
    High,
}

impl Beside {
    const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Digit,
        Self::Lower,
        Self::Upper,
        Self::Either,
        Self::High,
    ];

    fn of(byte: u8) -> Self {
        match byte {
            b'0'..=b'9' => Self::Digit,
            b'a'..=b'z' => Self::Lower,
            b'A'..=b'Z' => Self::Upper,
            0x80..=0xBF => Self::Either,
            0xC0.. => Self::High,
            _ => Self::Nothing,
        }
    }

    fn is_letter(self) -> bool {
        matches!(self, Self::Lower | Self::Upper | Self::High)
    }
}

/// How often each byte stands between which neighbours.
pub struct Places {
    counts: Vec<u64>,
    /// The byte before, and a byte beyond ASCII whose neighbour has not been seen yet.
    last: u8,
    open: Option<u8>,
    /// Places where an `ß` of DOS stands, which is an `á` elsewhere: behind a vowel, at the end or before an `e`.
    sharp: u64,
}

/// What speaks for an encoding and against it.
#[derive(Clone, Copy, Default, Debug)]
struct Tally {
    /// Letters and apostrophes where they belong.
    sure: u64,
    /// Letters that stand where the other encodings have more frequent ones, and signs that are seldom so.
    weak: u64,
    /// Signs that hardly ever stand so.
    doubtful: u64,
    /// What never stands so.
    odd: u64,
    /// Quotes that open and quotes that close a word.
    opening: u64,
    closing: u64,
}

/// How much more a sign that hardly ever stands so says than one letter in its place.
const DOUBT: u64 = 10;

impl Places {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self {
            counts: vec![0; 128 * Beside::ALL.len() * Beside::ALL.len()],
            last: b'\n',
            open: None,
            sharp: 0,
        }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, piece: &[u8]) {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            return;
        };
        if let Some(byte) = self.open.take() {
            self.count(self.last, byte, *first);
            self.last = byte;
        }
        let mut before = self.last;
        for (at, byte) in piece
            .iter()
            .enumerate()
            .filter(|(_, byte)| !byte.is_ascii())
        {
            if at > 0 {
                before = piece[at - 1];
            }
            match piece.get(at + 1) {
                Some(after) => self.count(before, *byte, *after),
                None => self.open = Some(*byte),
            }
        }
        self.last = match self.open {
            Some(_) if piece.len() > 1 => piece[piece.len() - 2],
            Some(_) => self.last,
            None => *last,
        };
    }

    fn count(&mut self, before: u8, byte: u8, after: u8) {
        let ends = after == b'e' || after.is_ascii() && !after.is_ascii_alphabetic();
        if byte == 0xE1 && b"aeiou".contains(&before) && ends {
            self.sharp += 1;
        }
        let place = place(byte, Beside::of(before), Beside::of(after));
        self.counts[place] += 1;
    }

    /// Whether the file may as well be in windows-1252 as in this encoding, and would have other letters there: too
    /// few of them tell the one from the other. `Bodø` is `Bodų` on the Baltic.
    pub fn is_open(&mut self, encoding: &'static Encoding) -> bool {
        let western = encoding_rs::WINDOWS_1252;
        let per_byte = Beside::ALL.len() * Beside::ALL.len();
        let used = (0x80..=0xFF_u8).zip(self.counts.chunks(per_byte));
        let used = used.filter(|(_, places)| places.iter().any(|count| *count > 0));
        let differ =
            used.filter(|(byte, _)| letter_of(encoding, *byte) != letter_of(western, *byte));
        let differ = differ.count();
        is_latin(encoding) && (1..TELLING).contains(&differ) && self.against(western) == 0
    }

    /// How many bytes cannot be what this encoding of single bytes takes them for; none where nothing speaks against
    /// it.
    pub fn against(&mut self, encoding: &'static Encoding) -> u64 {
        self.feed(b"\n");
        let is_latin = is_latin(encoding);
        let mut tally = Tally::default();
        for byte in 0x80..=0xFF {
            let letter = letter_of(encoding, byte);
            for before in Beside::ALL {
                for after in Beside::ALL {
                    let count = self.counts[place(byte, before, after)];
                    match (count, letter) {
                        (0, _) => {}
                        (_, None) => tally.odd += count,
                        (_, Some(_)) if !is_latin => {
                            tally.of_script(letter, before, after, count);
                        }
                        (_, Some(letter)) => tally.of_latin(letter, byte, before, after, count),
                    }
                }
            }
        }
        if is_latin {
            // The letters of Central Europe stand below 0xC0 too, and are as frequent as those above.
            let is_western = matches!(encoding.name(), "windows-1252" | "windows-1254");
            if !is_western && tally.sure > 0 {
                tally.weak = 0;
            }
            tally.weak += self.sharp;
            tally.sure = tally.sure.saturating_sub(self.sharp);
        }
        tally.against()
    }
}

fn place(byte: u8, before: Beside, after: Beside) -> usize {
    let kinds = Beside::ALL.len();
    (usize::from(byte & 0x7F) * kinds + before as usize) * kinds + after as usize
}

/// What a byte stands for; nothing for what is unused or a control character.
fn letter_of(encoding: &'static Encoding, byte: u8) -> Option<char> {
    let bytes = [byte];
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes)?;
    text.chars().next().filter(|letter| !letter.is_control())
}

/// How many letters have to tell a Latin encoding from that of Western Europe.
const TELLING: usize = 4;

/// True for encodings of Latin letters.
fn is_latin(encoding: &'static Encoding) -> bool {
    let letters = (0xC0..=0xFF).filter_map(|byte| letter_of(encoding, byte));
    letters.filter(|letter| *letter < '\u{250}').count() > 32
}

impl Tally {
    fn against(self) -> u64 {
        let weak = self.weak + self.closing.saturating_sub(self.opening);
        let sure = self.sure + self.closing.min(self.opening);
        let all = self.odd + self.doubtful + weak;
        match self.odd > 0 || DOUBT * self.doubtful + weak >= sure {
            true => all,
            false => 0,
        }
    }

    /// A letter of another script stands among its like.
    fn of_script(&mut self, letter: Option<char>, before: Beside, after: Beside, count: u64) {
        let is_ascii = |beside| matches!(beside, Beside::Lower | Beside::Upper);
        match letter.is_some_and(char::is_alphabetic) {
            true if is_ascii(before) || is_ascii(after) => self.weak += 3 * count,
            true => self.sure += count,
            false => {}
        }
    }

    fn of_latin(&mut self, letter: char, byte: u8, before: Beside, after: Beside, count: u64) {
        let of_sign = sign(letter, before, after);
        let verdict = match of_sign {
            Some(verdict) => verdict,
            None if letter.is_alphabetic() => of_letter(letter, byte, before, after),
            None => return,
        };
        let place = match verdict {
            Verdict::Sure => &mut self.sure,
            Verdict::Weak => &mut self.weak,
            Verdict::Doubtful => &mut self.doubtful,
            Verdict::Odd => &mut self.odd,
            Verdict::Opening => &mut self.opening,
            Verdict::Closing => &mut self.closing,
            Verdict::Silent => return,
        };
        *place += count;
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Silent,
    Sure,
    Weak,
    Doubtful,
    Odd,
    Opening,
    Closing,
}

/// What a letter says by its place.
fn of_letter(letter: char, byte: u8, before: Beside, after: Beside) -> Verdict {
    let is_within = before == Beside::Lower || before.is_letter() && after == Beside::Lower;
    let is_shouted = before == Beside::Upper && after == Beside::Upper;
    let is_high = byte >= 0xC0;
    if letter.is_uppercase() && is_within && !is_high
        || letter.is_lowercase() && is_shouted && !is_high
    {
        return Verdict::Doubtful;
    }
    let is_alone = !before.is_letter() && !after.is_letter();
    match (is_high, is_alone) {
        (false, _) => Verdict::Weak,
        (true, true) => Verdict::Silent,
        (true, false) => Verdict::Sure,
    }
}

/// What a sign says by its place; nothing for letters.
#[expect(
    clippy::match_same_arms,
    reason = "a rule a line, also where two signs of different use have the same"
)]
fn sign(letter: char, before: Beside, after: Beside) -> Option<Verdict> {
    use Verdict::{Closing, Doubtful, Odd, Opening, Silent, Sure, Weak};
    let (b, a) = (before.is_letter(), after.is_letter());
    let is_low = before == Beside::Lower && after == Beside::Lower;
    let is_shouted = before == Beside::Upper && after == Beside::Upper;
    let is_sum = before == Beside::Digit || after == Beside::Digit;
    let by_sides = |both: Verdict, behind: Verdict, front: Verdict| match (b, a) {
        (true, true) => both,
        (true, false) => behind,
        (false, true) => front,
        (false, false) => Silent,
    };
    Some(match letter {
        // Signs with blanks round them.
        'ƒ' | 'ˆ' | '˜' | '‚' | '†' | '‡' | '‰' | '‹' | '›' | '¤' | '¦' | '¨' | '¬' | '¯' | '¶'
        | '¸' => by_sides(Odd, Doubtful, Doubtful),
        '€' | '£' | '¥' | '¢' if is_sum => Silent,
        '€' | '£' | '¥' | '¢' => by_sides(Doubtful, Doubtful, Doubtful),
        // Quotes, which come in pairs.
        '„' => by_sides(Odd, Doubtful, Opening),
        '“' | '”' => by_sides(Doubtful, Closing, Opening),
        '‘' => by_sides(Doubtful, Closing, Silent),
        '«' | '»' => by_sides(Doubtful, Silent, Silent),
        '’' if is_low => Sure,
        '–' | '—' if b && after == Beside::Lower => Weak,
        '–' | '—' => by_sides(Silent, Weak, Silent),
        '…' if is_shouted => Doubtful,
        '…' => by_sides(Silent, Silent, Weak),
        // A blank between two words, where DOS has an `á`.
        '\u{a0}' if b && after == Beside::Lower => Weak,
        '•' => by_sides(Doubtful, Doubtful, Silent),
        '™' => by_sides(Doubtful, Silent, Doubtful),
        '®' => by_sides(Doubtful, Silent, Doubtful),
        '©' | '°' | 'ª' | 'º' => by_sides(Doubtful, Silent, Silent),
        '¡' | '¿' => by_sides(Odd, Doubtful, Silent),
        '§' | 'µ' => by_sides(Doubtful, Doubtful, Silent),
        '¾' if is_sum => Silent,
        '¾' => by_sides(Odd, Doubtful, Doubtful),
        '¼' | '½' => by_sides(Doubtful, Doubtful, Silent),
        '’' => by_sides(Silent, Silent, Weak),
        '\u{a0}' => Silent,
        _ => return None,
    })
}

/// How many signs beyond ASCII have to stand beside one another in a text of East Asia.
const TOGETHER: u64 = 8;

/// Whether a text is one of East Asia, where signs beyond ASCII stand together. Among encodings of several bytes a file
/// of DOS is easily taken for one of them, each letter with the one behind it: `Müller` for `M〕ler`.
pub fn is_east_asian(text: &str) -> bool {
    let (mut together, mut alone) = (0, 0);
    let (mut before, mut signs) = (None, text.chars().peekable());
    while let Some(sign) = signs.next() {
        let beside = [before, signs.peek().copied()];
        let any = |is: fn(&char) -> bool| beside.iter().flatten().any(is);
        if sign.is_ascii() {
        } else if any(|one| !one.is_ascii()) {
            together += 1;
        } else if any(char::is_ascii_alphabetic) {
            alone += 1;
        }
        before = Some(sign);
    }
    together >= TOGETHER && together >= 4 * alone
}
