//! Points in time. They know no clock; time is always an argument.

use core::fmt;

use crate::date::Date;
use crate::parse_error::ParseError;

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
        Date::from_days(self.0.div_euclid(DAY) as i32)
    }

    /// This instant, `millis` later.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// True within the years 1 to 9999 in UTC, whose instants are written and read back as
    /// themselves.
    #[must_use]
    pub fn is_written(self) -> bool {
        let end = Self::at_midnight(Date::LAST).plus_millis(DAY);
        (Self::at_midnight(Date::FIRST)..end).contains(&self)
    }

    /// Reads RFC 3339: `2026-11-21T08:30:00Z`, with an offset instead of `Z`, with fractions of a
    /// second (kept to the millisecond) where there are seconds, or a plain date, which means its
    /// midnight in UTC. A leap second, `:60`, is none: the count of milliseconds has no place for it.
    /// Nor is an instant that lies outside the years 1 to 9999 in UTC.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if !text.is_ascii() || text.len() < 10 {
            return None;
        }
        let midnight = Self::at_midnight(Date::read(&text[..10])?);
        if text.len() == 10 {
            return Some(midnight);
        }
        if !matches!(text.as_bytes()[10], b'T' | b't' | b' ') {
            return None;
        }
        let (clock, offset) = split_offset(&text[11..])?;
        let instant = midnight.plus_millis(clock_millis(clock)? - offset);
        instant.is_written().then_some(instant)
    }

    /// Reads what [`Instant::read`] reads.
    ///
    /// # Errors
    /// When the text is no instant in that form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let expected = "an instant such as 2026-11-21T08:30:00Z";
        Self::read(text).ok_or_else(|| ParseError::new(expected, text))
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
    let signed = if text.as_bytes()[at] == b'-' {
        -offset
    } else {
        offset
    };
    Some((&text[..at], signed))
}

fn two_digits(text: &str, most: i64) -> Option<i64> {
    let number = (text.len() == 2)
        .then(|| text.parse::<u8>().ok())?
        .map(i64::from)?;
    (number <= most && text.as_bytes()[0].is_ascii_digit()).then_some(number)
}

/// Milliseconds since midnight of `08:30`, `08:30:15` or `08:30:15.25`.
fn clock_millis(clock: &str) -> Option<i64> {
    let mut parts = clock.splitn(3, ':');
    let hours = two_digits(parts.next()?, 23)?;
    let minutes = two_digits(parts.next()?, 59)?;
    let seconds = parts.next().map_or(Some(0), second_millis)?;
    Some((hours * 60 + minutes) * 60_000 + seconds)
}

/// Milliseconds of `15` or `15.25`; what is finer is left out.
fn second_millis(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = fraction.bytes().chain(*b"000").take(3);
    let thousandths = thousandths.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some(two_digits(seconds, 59)? * 1000 + thousandths)
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.rem_euclid(DAY);
        let (minutes, seconds, rest) = (millis / 60_000, millis / 1000 % 60, millis % 1000);
        write!(
            f,
            "{}T{:02}:{:02}:{seconds:02}",
            self.date(),
            minutes / 60,
            minutes % 60
        )?;
        if rest > 0 {
            write!(f, ".{rest:03}")?;
        }
        f.write_str("Z")
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
