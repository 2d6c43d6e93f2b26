//! Money: whole minor units of an ISO 4217 currency.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use crate::currency::Currency;
use crate::decimal::{Decimal, parts, write_scaled};
use crate::parse_error::ParseError;

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
        let minor = minor_units(amount, currency.exponent()).ok_or_else(|| {
            let rule = rule_broken(amount.scale().into(), currency);
            ParseError::new(&rule, &amount.to_string())
        })?;
        Ok(Self { minor, currency })
    }

    /// Reads an amount in major units, `1250.50`.
    ///
    /// # Errors
    /// When the text is no number, has more digits after the point than the currency, or does not fit.
    pub fn read_major(amount: &str, currency: Currency) -> Result<Self, ParseError> {
        match (Decimal::read_fitting(amount), parts(amount)) {
            // A number, of more digits than any can have: as money it breaks a rule that says more.
            (None, Some((_, _, part))) => {
                let rule = rule_broken(part.trim_end_matches('0').len(), currency);
                Err(ParseError::new(&rule, amount))
            }
            (Some(amount), _) => Self::from_major(amount, currency),
            (None, None) => Self::from_major(Decimal::parse(amount)?, currency),
        }
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
        Self::read_major(amount.trim(), Currency::new(code)?)
    }
}

/// Which rule an amount with so many decimals breaks that is no money of this currency: too many of
/// them, or too large.
fn rule_broken(decimals: usize, currency: Currency) -> String {
    let digits = currency.exponent();
    if decimals <= digits.into() {
        let minor = i64::MAX;
        let most = Money { minor, currency };
        return format!("an amount of at most {most}, a larger one does not fit");
    }
    match digits {
        0 => format!("a whole amount, as {currency} has no minor unit"),
        _ => format!("an amount with at most {digits} decimals in {currency}"),
    }
}

/// An amount of major units in minor ones, of which `digits` stand after the point; none when the
/// amount has more digits than that, which is never rounded away, or does not fit.
#[must_use]
pub fn minor_units(amount: Decimal, digits: u8) -> Option<i64> {
    let missing = digits.checked_sub(amount.scale())?;
    let factor = 10i64.checked_pow(missing.into())?;
    amount.coefficient().checked_mul(factor)
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.minor, self.currency.exponent())?;
        write!(f, " {}", self.currency)
    }
}
