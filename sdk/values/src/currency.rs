//! Currencies, and how many digits their minor units have.
//!
//! The figures are those of ISO 4217 and not of a formatting library: list one as published on
//! 2026-01-01, with the codes of funds, metals and tests, and those withdrawn codes of list three (of
//! the same day) whose minor units are on record: the list itself names none, and the currencies of
//! Java know these. A table of three
//! letters a code costs a plugin 700 bytes; the crates that carry the standard bring names, symbols
//! and countries along, and know no withdrawn codes, which old contracts are full of.

use core::fmt;

use crate::parse_error::ParseError;

/// An ISO 4217 currency code, three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

// Each list is in the order of the alphabet, so that a code is found by halving.

/// Codes whose minor unit is a hundredth.
const HUNDREDTHS: &[u8] =
    b"AEDAFNALLAMDAOAARSAUDAWGAZNBAMBBDBDTBMDBNDBOBBOVBRLBSDBTNBWPBYNBZDCADCDFCHECHFCHWCNY\
    COPCOUCRCCUPCVECZKDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGTQGYDHKDHNLHTGHUFIDRILS\
    INRIRRJMDKESKGSKHRKPWKYDKZTLAKLBPLKRLRDLSLMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMXVMYR\
    MZNNADNGNNIONOKNPRNZDPABPENPGKPHPPKRPLNQARRONRSDRUBSARSBDSCRSDGSEKSGDSHPSLESOSSRDSSP\
    STNSVCSYPSZLTHBTJSTMTTOPTRYTTDTWDTZSUAHUSDUSNUYUUZSVEDVESWSTXADXCDXCGYERZARZMWZWG";
/// Codes without a minor unit.
const WHOLE: &[u8] = b"BIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXUYIVNDVUVXAFXOFXPF";
/// Codes whose minor unit is a thousandth.
const THOUSANDTHS: &[u8] = b"BHDIQDJODKWDLYDOMRTND";
/// Codes counted in parts of ten thousand.
const TEN_THOUSANDTHS: &[u8] = b"CLFUYW";
/// Codes for which ISO names no minor unit: metals, funds, tests and none at all. They count whole
/// units; a fraction is refused rather than guessed at.
const NONE_NAMED: &[u8] = b"XAGXAUXBAXBBXBCXBDXDRXPDXPTXSUXTSXUAXXX";
/// Withdrawn codes whose minor unit was a hundredth.
const WITHDRAWN_HUNDREDTHS: &[u8] =
    b"AFAANGATSAYMAZMBGLBGNCSDCUCCYPDEMEEKFIMFRFGHCGWPHRKIEPLTLLVLMROMTLMZMNLGRURSDDSIT\
    SKKSLLSRGSTDTMMUSSVEBVEFYUMZMKZWDZWLZWNZWR";
/// Withdrawn codes without a minor unit.
const WITHDRAWN_WHOLE: &[u8] = b"ADPBEFBYBBYRESPGRDITLLUFMGFPTEROLTPETRLXFOXFU";

/// Every list, with the digits after the point in one major unit; the one most asked for first.
const LISTS: [(&[u8], u8); 7] = [
    (HUNDREDTHS, 2),
    (WHOLE, 0),
    (THOUSANDTHS, 3),
    (TEN_THOUSANDTHS, 4),
    (NONE_NAMED, 0),
    (WITHDRAWN_HUNDREDTHS, 2),
    (WITHDRAWN_WHOLE, 0),
];

impl Currency {
    /// Takes a code such as `NOK`.
    ///
    /// # Errors
    /// When ISO 4217 has no such code.
    pub fn new(code: &str) -> Result<Self, ParseError> {
        let known = minor_digits(code).and_then(|_| code.as_bytes().try_into().ok());
        known.map(Self).ok_or_else(|| {
            let expected = "a currency code of ISO 4217 such as NOK";
            ParseError::new(expected, code)
        })
    }

    /// Every currency, withdrawn ones too.
    pub fn all() -> impl Iterator<Item = Self> {
        let lists = LISTS.iter().map(|(codes, _)| codes.as_chunks().0);
        lists.flatten().map(|code| Self(*code))
    }

    /// The code's three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the point in one major unit: 2 for NOK, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        minor_digits(self.code()).unwrap_or_default()
    }
}

/// Digits after the point in one major unit of the currency with this code; none when ISO 4217 has
/// no such code.
#[must_use]
pub fn minor_digits(code: &str) -> Option<u8> {
    let code: &[u8; 3] = code.as_bytes().try_into().ok()?;
    let holds = |codes: &[u8]| codes.as_chunks().0.binary_search(code).is_ok();
    let list = LISTS.iter().find(|(codes, _)| holds(codes));
    list.map(|(_, digits)| *digits)
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
