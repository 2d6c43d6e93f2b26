//! Money: whole minor units of an ISO 4217 currency.

use std::fmt;

use crate::contract::{Decimal, Money};

/// Currencies whose minor unit is not a hundredth, by ISO 4217's list one.
#[rustfmt::skip]
const EXPONENTS: [(&str, u8); 24] = [
    ("BHD", 3), ("BIF", 0), ("CLF", 4), ("CLP", 0), ("DJF", 0), ("GNF", 0), ("IQD", 3), ("ISK", 0),
    ("JOD", 3), ("JPY", 0), ("KMF", 0), ("KRW", 0), ("KWD", 3), ("LYD", 3), ("OMR", 3), ("PYG", 0),
    ("RWF", 0), ("TND", 3), ("UGX", 0), ("UYI", 0), ("UYW", 4), ("VND", 0), ("VUV", 0), ("XAF", 0),
];

impl Money {
    /// So many minor units (øre, cents) of a currency.
    pub fn new(minor: i64, currency: impl Into<String>) -> Self {
        Self {
            minor,
            currency: currency.into(),
        }
    }

    /// Digits after the point in one major unit: 2 for NOK, 0 for JPY.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        EXPONENTS
            .iter()
            .find(|(code, _)| *code == self.currency)
            .map_or(2, |(_, digits)| *digits)
    }

    /// The amount in major units.
    #[must_use]
    pub fn major(&self) -> Decimal {
        Decimal::new(self.minor, self.exponent()).unwrap_or(Decimal::from(0))
    }

    /// So many percent of it, rounded to the minor unit, halves away from zero.
    #[must_use]
    pub fn percent(&self, percent: u32) -> Self {
        let hundredths = i128::from(self.minor) * i128::from(percent);
        let minor = (2 * hundredths + hundredths.signum() * 100) / 200;
        Self {
            minor: minor as i64,
            currency: self.currency.clone(),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = Decimal {
            coefficient: self.minor,
            scale: self.exponent(),
        };
        write!(f, "{plain} {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_its_currencys_decimals() {
        assert_eq!(Money::new(125_000, "NOK").to_string(), "1250.00 NOK");
        assert_eq!(Money::new(-5, "EUR").to_string(), "-0.05 EUR");
        assert_eq!(Money::new(500, "JPY").to_string(), "500 JPY");
        assert_eq!(Money::new(1_050, "NOK").percent(33), Money::new(347, "NOK"));
        assert_eq!(
            Money::new(1_050, "NOK").major(),
            Decimal {
                coefficient: 105,
                scale: 1
            }
        );
    }
}
