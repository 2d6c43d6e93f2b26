//! Currencies, and how many digits their minor units have.

use core::fmt;

use crate::parse_error::ParseError;

/// An ISO 4217 currency code, three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Currencies whose minor unit is not a hundredth, by ISO 4217's list one. Any other code of three
/// letters counts hundredths.
#[rustfmt::skip]
const MINOR_DIGITS: [(&str, u8); 24] = [
    ("BHD", 3), ("BIF", 0), ("CLF", 4), ("CLP", 0), ("DJF", 0), ("GNF", 0), ("IQD", 3), ("ISK", 0),
    ("JOD", 3), ("JPY", 0), ("KMF", 0), ("KRW", 0), ("KWD", 3), ("LYD", 3), ("OMR", 3), ("PYG", 0),
    ("RWF", 0), ("TND", 3), ("UGX", 0), ("UYI", 0), ("UYW", 4), ("VND", 0), ("VUV", 0), ("XAF", 0),
];

impl Currency {
    /// Takes a code such as `NOK`.
    ///
    /// # Errors
    /// When it is not three capital letters.
    pub fn new(code: &str) -> Result<Self, ParseError> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(ParseError::new(
                "an ISO 4217 currency code such as NOK",
                code,
            )),
        }
    }

    /// The code's three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the point in one major unit: 2 for NOK, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        minor_digits(self.code())
    }
}

/// Digits after the point in one major unit of the currency with this code.
#[must_use]
pub fn minor_digits(code: &str) -> u8 {
    MINOR_DIGITS
        .iter()
        .find(|(other, _)| *other == code)
        .map_or(2, |(_, digits)| *digits)
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
