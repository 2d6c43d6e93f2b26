//! Exact decimal numbers.

use std::cmp::Ordering;
use std::fmt;

use crate::contract::Decimal;

/// The most digits after the point.
const MAX_SCALE: u8 = 18;

impl Decimal {
    /// `coefficient / 10^scale` in lowest terms; none when the scale is above 18.
    #[must_use]
    pub fn new(mut coefficient: i64, mut scale: u8) -> Option<Self> {
        if scale > MAX_SCALE {
            return None;
        }
        while scale > 0 && coefficient % 10 == 0 {
            coefficient /= 10;
            scale -= 1;
        }
        Some(Self { coefficient, scale })
    }

    /// Reads `-12.5`; no exponent, no thousands separator.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) {
            return None;
        }
        let part = part.trim_end_matches('0');
        let size: i64 = format!("{whole}{part}").parse().ok()?;
        Self::new(
            if text.starts_with('-') { -size } else { size },
            part.len().try_into().ok()?,
        )
    }

    /// The number rounded to a whole one, halves away from zero.
    #[must_use]
    pub fn rounded(self) -> i64 {
        let unit = 10i128.pow(self.scale.min(MAX_SCALE).into());
        let number = i128::from(self.coefficient);
        ((2 * number + number.signum() * unit) / (2 * unit)) as i64
    }

    fn widened(self) -> i128 {
        i128::from(self.coefficient) * 10i128.pow((MAX_SCALE - self.scale.min(MAX_SCALE)).into())
    }
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        Self {
            coefficient: whole,
            scale: 0,
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.widened().cmp(&other.widened())
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!(
            "{:0>width$}",
            self.coefficient.unsigned_abs(),
            width = scale + 1
        );
        let (whole, part) = digits.split_at(digits.len() - scale);
        let sign = if self.coefficient < 0 { "-" } else { "" };
        if part.is_empty() {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{part}")
        }
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
        for text in ["", "1,5", "1.", ".5", "1e3", "--1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
