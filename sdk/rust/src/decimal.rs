//! What a plugin does with exact decimal numbers.

use std::cmp::Ordering;
use std::fmt;

use kjerne_values as values;

use crate::contract::Decimal;

impl Decimal {
    /// `coefficient / 10^scale` in lowest terms; none when the scale is above 18.
    #[must_use]
    pub fn new(coefficient: i64, scale: u8) -> Option<Self> {
        values::Decimal::new(coefficient, scale).map(Self::from)
    }

    /// Reads `-12.5`; no exponent, no thousands separator, no plus sign.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with('+') {
            return None;
        }
        values::Decimal::read(text).map(Self::from)
    }

    /// The number rounded to a whole one, halves away from zero.
    #[must_use]
    pub fn rounded(self) -> i64 {
        let unit = 10i128.pow(self.scale.min(values::Decimal::MAX_SCALE).into());
        let number = i128::from(self.coefficient);
        ((2 * number + number.signum() * unit) / (2 * unit)) as i64
    }
}

impl From<values::Decimal> for Decimal {
    fn from(number: values::Decimal) -> Self {
        Self {
            coefficient: number.coefficient(),
            scale: number.scale(),
        }
    }
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        values::Decimal::from(whole).into()
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let widened = |number: &Self| values::widened(number.coefficient, number.scale);
        widened(self).cmp(&widened(other))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        values::write_scaled(f, self.coefficient, self.scale)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn decimals_are_read_ordered_rounded_and_written() {
        let number = |text| Decimal::parse(text).unwrap();
        assert_eq!(number("1.50"), number("1.5"));
        assert!(number("-2") < number("0.01"));
        assert_eq!(number("-0.05").to_string(), "-0.05");
        assert_eq!((number("2.5").rounded(), number("-2.5").rounded()), (3, -3));
        assert_eq!((number("2.4").rounded(), number("-2.4").rounded()), (2, -2));
        for text in ["", "+1", "1,5", "1.", ".5", "1e3", "--1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
