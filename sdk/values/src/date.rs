//! Calendar dates, and the days between them.

use core::fmt;

use crate::parse_error::ParseError;

/// A calendar date in the Gregorian calendar, kept as days since 1970-01-01. No time, no zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(i32);

impl Date {
    /// The first date there is: year 1. Earlier ones cannot be written.
    pub const FIRST: Self = Self(-719_162);
    /// The last date there is: the end of year 9999. Later ones cannot be written.
    pub const LAST: Self = Self(2_932_896);

    /// True within the years 1 to 9999, whose dates are written and read back as themselves.
    #[must_use]
    pub fn is_written(self) -> bool {
        (Self::FIRST..=Self::LAST).contains(&self)
    }

    /// The date that lies `days` after 1970-01-01.
    #[must_use]
    pub fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> i32 {
        self.0
    }

    /// The date of a year, month (1-12) and day, if there is such a date in years 1 to 9999.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let in_range = (1..=9999).contains(&year) && (1..=12).contains(&month) && day <= 31;
        if !in_range {
            return None;
        }
        let date = Self(day_number(year, month, day));
        (date.ymd() == (year, month, day)).then_some(date)
    }

    /// Year, month (1-12) and day.
    #[must_use]
    pub fn ymd(self) -> (i32, u32, u32) {
        civil(self.0)
    }

    /// Reads `2026-11-21`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' || !text.is_ascii() {
            return None;
        }
        let year = i32::try_from(digits(&text[..4])?).ok()?;
        Self::from_ymd(year, digits(&text[5..7])?, digits(&text[8..])?)
    }

    /// Reads `2026-11-21`.
    ///
    /// # Errors
    /// When the text is no date in that form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::read(text).ok_or_else(|| ParseError::new("a date such as 2026-11-21", text))
    }
}

/// A number of digits alone, without a sign.
fn digits(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Days since 1970-01-01 of a year, month (1-12) and day: years are counted from March so that the
/// leap day is the last of its year, and 400 years are one era of 146,097 days.
#[must_use]
pub fn day_number(year: i32, month: u32, day: u32) -> i32 {
    let (month, day) = (month as i32, day as i32);
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`day_number`].
fn civil(days: i32) -> (i32, u32, u32) {
    let days = i64::from(days) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
