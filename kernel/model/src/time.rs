//! Calendar dates and instants. Neither knows a clock; time is always an argument.

use std::fmt;

use crate::ParseError;

/// A calendar date in the Gregorian calendar, kept as days since 1970-01-01. No time, no zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(i32);

impl Date {
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
        let date = Self(days_from_civil(year, month, day));
        (date.ymd() == (year, month, day)).then_some(date)
    }

    /// Year, month (1-12) and day.
    #[must_use]
    pub fn ymd(self) -> (i32, u32, u32) {
        civil_from_days(self.0)
    }

    /// Reads `2026-11-21`.
    ///
    /// # Errors
    /// When the text is no date in that form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("a date such as 2026-11-21", text);
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' || !text.is_ascii() {
            return Err(wrong());
        }
        let number = |part: &str| {
            if part.bytes().all(|b| b.is_ascii_digit()) {
                part.parse::<u32>().ok()
            } else {
                None
            }
        };
        let (year, month, day) = (number(&text[..4]), number(&text[5..7]), number(&text[8..]));
        let year = year.and_then(|y| i32::try_from(y).ok());
        match (year, month, day) {
            (Some(y), Some(m), Some(d)) => Self::from_ymd(y, m, d).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

/// Days since 1970-01-01 of a civil date: years are counted from March so that the leap day is the
/// last of its year, and 400 years are one era of 146,097 days.
fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let (month, day) = (month as i32, day as i32);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let days = i64::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
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

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(i64);

/// Milliseconds in a day.
const DAY: i64 = 86_400_000;

impl Instant {
    /// The instant `millis` after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Midnight UTC at the beginning of a date.
    #[must_use]
    pub fn at_midnight(date: Date) -> Self {
        Self(i64::from(date.days()) * DAY)
    }

    /// The date in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        Date(self.0.div_euclid(DAY) as i32)
    }

    /// This instant, `millis` later.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Reads RFC 3339: `2026-11-21T08:30:00Z`, with an offset instead of `Z`, with fractions of a
    /// second (kept to the millisecond), or a plain date, which means its midnight in UTC.
    ///
    /// # Errors
    /// When the text is no instant in that form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("an instant such as 2026-11-21T08:30:00Z", text);
        if !text.is_ascii() || text.len() < 10 {
            return Err(wrong());
        }
        let midnight = Self::at_midnight(Date::parse(&text[..10]).map_err(|_| wrong())?);
        if text.len() == 10 {
            return Ok(midnight);
        }
        if !matches!(text.as_bytes()[10], b'T' | b't' | b' ') {
            return Err(wrong());
        }
        let (clock, offset) = split_offset(&text[11..]).ok_or_else(wrong)?;
        let millis = clock_millis(clock).ok_or_else(wrong)?;
        Ok(midnight.plus_millis(millis - offset))
    }
}

/// Splits `08:30:00+01:00` into the clock time and the offset in milliseconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let at = text.rfind(['+', '-'])?;
    let (hours, minutes) = text[at + 1..].split_once(':')?;
    let offset = two_digits(hours, 23)? * 3_600_000 + two_digits(minutes, 59)? * 60_000;
    Some((
        &text[..at],
        if text.as_bytes()[at] == b'-' {
            -offset
        } else {
            offset
        },
    ))
}

fn two_digits(text: &str, most: i64) -> Option<i64> {
    let number = (text.len() == 2)
        .then(|| text.parse::<u8>().ok())?
        .map(i64::from)?;
    (number <= most && text.as_bytes()[0].is_ascii_digit()).then_some(number)
}

/// Milliseconds since midnight of `08:30`, `08:30:15` or `08:30:15.25`.
fn clock_millis(clock: &str) -> Option<i64> {
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    let mut parts = clock.split(':');
    let hours = two_digits(parts.next()?, 23)?;
    let minutes = two_digits(parts.next()?, 59)?;
    let seconds = parts.next().map_or(Some(0), |s| two_digits(s, 60))?;
    if parts.next().is_some() {
        return None;
    }
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths.parse::<i64>().ok()?)
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.rem_euclid(DAY);
        let (seconds, thousandths) = (millis / 1000, millis % 1000);
        write!(
            f,
            "{}T{:02}:{:02}:{:02}",
            self.date(),
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        if thousandths > 0 {
            write!(f, ".{thousandths:03}")?;
        }
        f.write_str("Z")
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
