//! What a plugin does with money: whole minor units of an ISO 4217 currency.

use std::fmt;

use kjerne_values as values;

use crate::contract::{Decimal, Money};

impl Money {
    /// So many minor units (øre, cents) of a currency.
    pub fn new(minor: i64, currency: impl Into<String>) -> Self {
        Self {
            minor,
            currency: currency.into(),
        }
    }

    /// Turns an amount in major units into money; none when it has more digits after the point than
    /// the currency, which is never rounded away, does not fit, or ISO 4217 has no such currency.
    pub fn from_major(amount: Decimal, currency: impl Into<String>) -> Option<Self> {
        let currency = currency.into();
        let amount = values::Decimal::new(amount.coefficient, amount.scale)?;
        let minor = values::minor_units(amount, values::minor_digits(&currency)?)?;
        Some(Self { minor, currency })
    }

    /// Digits after the point in one major unit: 2 for NOK, 0 for JPY. The kernel holds no money of a
    /// currency ISO 4217 does not have; what a plugin makes of such a code is shown in whole units.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        values::minor_digits(&self.currency).unwrap_or_default()
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
        values::write_scaled(f, self.minor, self.exponent())?;
        write!(f, " {}", self.currency)
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

    #[test]
    fn an_amount_with_too_many_decimals_is_no_money() {
        let amount = |coefficient, scale| Decimal { coefficient, scale };
        let nok = |amount| Money::from_major(amount, "NOK");
        assert_eq!(nok(amount(12_505, 1)), Some(Money::new(125_050, "NOK")));
        assert_eq!(nok(amount(12_500, 3)), Some(Money::new(1_250, "NOK")));
        assert_eq!(nok(amount(12_505, 3)), None);
        assert_eq!(nok(amount(i64::MAX, 0)), None);
        assert_eq!(Money::from_major(amount(15_005, 1), "XOF"), None);
        assert_eq!(Money::from_major(amount(1, 0), "ABC"), None);
    }
}
