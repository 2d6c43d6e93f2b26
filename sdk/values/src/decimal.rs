//! Exact decimal numbers.

use alloc::format;
use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;

use crate::parse_error::ParseError;

/// An exact decimal number: `coefficient / 10^scale`, up to 18 significant digits.
///
/// Kept in lowest terms (`1.50` is `15 / 10^1`), so that equal numbers are equal values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    coefficient: i64,
    scale: u8,
}

impl Decimal {
    /// The most digits after the point.
    pub const MAX_SCALE: u8 = 18;
    /// One more than the largest of 18 digits.
    const BEYOND: u64 = 10u64.pow(18);

    /// Makes `coefficient / 10^scale`; none when the scale is above [`Decimal::MAX_SCALE`].
    #[must_use]
    pub fn new(mut coefficient: i64, mut scale: u8) -> Option<Self> {
        if scale > Self::MAX_SCALE {
            return None;
        }
        while scale > 0 && coefficient % 10 == 0 {
            coefficient /= 10;
            scale -= 1;
        }
        Some(Self { coefficient, scale })
    }

    /// The digits, as one whole number.
    #[must_use]
    pub fn coefficient(self) -> i64 {
        self.coefficient
    }

    /// How many of the digits stand after the point.
    #[must_use]
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// True for at most 18 digits, before and after the point together: what is read. A number of 19 that
    /// happens to fit is none, since the next of 19 would not fit.
    #[must_use]
    pub fn is_written(self) -> bool {
        self.coefficient.unsigned_abs() < Self::BEYOND
    }

    /// Reads `-12.5`; no exponent, no thousands separator.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::read_fitting(text).filter(|number| number.is_written())
    }

    /// Reads whatever fits, for amounts: their limit is that of minor units.
    pub(crate) fn read_fitting(text: &str) -> Option<Self> {
        let (sign, whole, part) = parts(text)?;
        let part = part.trim_end_matches('0');
        // Read with its sign, since the least number has no positive twin.
        let coefficient: i64 = format!("{sign}{whole}{part}").parse().ok()?;
        Self::new(coefficient, u8::try_from(part.len()).ok()?)
    }

    /// Reads `-12.5`; no exponent, no thousands separator.
    ///
    /// # Errors
    /// When the text is no such number or has more than 18 significant digits.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::read(text).ok_or_else(|| {
            let expected = match parts(text) {
                Some(_) => "a number of at most 18 digits, before and after the point together",
                None => "a decimal number such as -12.5",
            };
            ParseError::new(expected, text)
        })
    }

    /// The coefficient at the common scale of 18, wide enough never to overflow; orders decimals.
    #[must_use]
    pub fn widened(self) -> i128 {
        widened(self.coefficient, self.scale)
    }
}

/// The sign, the digits before and those after the point of a text that has the form of a number.
pub(crate) fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |s: &str| !s.is_empty() && s.bytes().all(|byte| byte.is_ascii_digit());
    (are_digits(whole) && are_digits(part)).then_some((sign, whole, part))
}

/// The text of a number without its exponent, digit by digit: `1.25e3` is `1250`. A text without one stays
/// as it is; none for what is no number, or has an exponent beyond any number that is kept.
#[must_use]
pub fn without_exponent(text: &str) -> Option<String> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Some(text.into());
    };
    let (sign, whole, part) = parts(mantissa)?;
    let exponent: i32 = exponent.parse().ok().filter(|e| (-40..=40).contains(e))?;
    Some(format!("{sign}{}", shifted(whole, part, exponent)?))
}

/// Digits with the point moved to the right; none for what would not fit.
#[must_use]
pub fn shifted(whole: &str, part: &str, exponent: i32) -> Option<String> {
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let mut all = format!("{whole}{part}");
    if point <= 0 {
        let zeros = "0".repeat(usize::try_from(1 - point).ok()?);
        all.insert_str(0, &zeros);
    }
    let at = usize::try_from(point.max(1)).ok()?;
    let missing = at.saturating_sub(all.len());
    all.push_str(&"0".repeat(missing));
    let (whole, part) = all.split_at(at);
    let part = part.trim_end_matches('0');
    Some(if part.is_empty() {
        whole.into()
    } else {
        format!("{whole}.{part}")
    })
}

/// `coefficient / 10^scale` counted in parts of 10^18, whether or not it is in lowest terms.
#[must_use]
pub fn widened(coefficient: i64, scale: u8) -> i128 {
    i128::from(coefficient) * 10i128.pow(Decimal::MAX_SCALE.saturating_sub(scale).into())
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

/// Writes a number with the point `scale` digits from the right.
///
/// # Errors
/// When `f` takes no more.
pub fn write_scaled(f: &mut fmt::Formatter<'_>, number: i64, scale: u8) -> fmt::Result {
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if number < 0 { "-" } else { "" };
    if part.is_empty() {
        write!(f, "{sign}{whole}")
    } else {
        write!(f, "{sign}{whole}.{part}")
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.coefficient, self.scale)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
