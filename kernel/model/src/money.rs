//! Money: whole minor units of an ISO 4217 currency.

use std::fmt;

use crate::decimal::write_scaled;
use crate::{Decimal, ParseError};

/// An ISO 4217 currency code, three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Currencies whose minor unit is not a hundredth, by ISO 4217's list one. Any other code of three
/// letters counts hundredths.
const EXPONENTS: [(&str, u8); 24] = [
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
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
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the point in one major unit: 2 for NOK, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        EXPONENTS
            .iter()
            .find(|(code, _)| *code == self.code())
            .map_or(2, |(_, digits)| *digits)
    }
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

/// An amount of money, exact: whole minor units (øre, cents) of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Money {
    /// Minor units; 12 NOK and 50 øre are 1250.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// Turns an amount in major units into money.
    ///
    /// # Errors
    /// When the amount has more digits after the point than the currency, or does not fit.
    pub fn from_major(amount: Decimal, currency: Currency) -> Result<Self, ParseError> {
        let digits = currency.exponent();
        let wrong = || {
            ParseError::new(
                &format!("an amount with at most {digits} decimals in {currency}"),
                &amount.to_string(),
            )
        };
        let up = digits.checked_sub(amount.scale()).ok_or_else(wrong)?;
        let minor = amount
            .coefficient()
            .checked_mul(10i64.pow(u32::from(up)))
            .ok_or_else(wrong)?;
        Ok(Self { minor, currency })
    }

    /// The amount in major units.
    #[must_use]
    pub fn major(&self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent()).unwrap_or_default()
    }

    /// Reads `1250.50 NOK`.
    ///
    /// # Errors
    /// When the text is not an amount, a space and a currency code.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("an amount and a currency such as 1250.50 NOK", text);
        let (amount, code) = text.trim().rsplit_once(' ').ok_or_else(wrong)?;
        Self::from_major(Decimal::parse(amount.trim())?, Currency::new(code)?)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.minor, usize::from(self.currency.exponent()))?;
        write!(f, " {}", self.currency)
    }
}
