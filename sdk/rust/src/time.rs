//! Dates and instants, with what a calendar needs. Neither knows a clock.

use std::fmt;

use kjerne_values as values;

/// A calendar date, in days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(values::Date);

impl Date {
    /// The date that lies `days` after 1970-01-01.
    #[must_use]
    pub fn from_days(days: i32) -> Self {
        Self(values::Date::from_days(days))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> i32 {
        self.0.days()
    }

    /// The date of a year, month (1-12) and day, if there is such a date in years 1 to 9999.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        values::Date::from_ymd(year, month, day).map(Self)
    }

    /// Year, month (1-12) and day.
    #[must_use]
    pub fn ymd(self) -> (i32, u32, u32) {
        self.0.ymd()
    }

    /// The day of the week: 1 for Monday to 7 for Sunday.
    #[must_use]
    pub fn weekday(self) -> u32 {
        (i64::from(self.days()) + 3).rem_euclid(7) as u32 + 1
    }

    /// The date so many days later (or earlier).
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self::from_days(self.days().saturating_add(days))
    }

    /// The first day of its month.
    #[must_use]
    pub fn month_start(self) -> Self {
        let (_, _, day) = self.ymd();
        self.plus_days(1 - day as i32)
    }

    /// The first day of the month so many months later (or earlier); within the years 1 to 9999.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        let (year, month, _) = self.ymd();
        let count = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(months);
        let count = count.clamp(12, 9_999 * 12 + 11);
        let (year, month) = (count.div_euclid(12) as i32, count.rem_euclid(12) as u32 + 1);
        Self::from_ymd(year, month, 1).unwrap_or(self)
    }

    /// Its month, as `2026-11`.
    #[must_use]
    pub fn month(self) -> String {
        let (year, month, _) = self.ymd();
        format!("{year:04}-{month:02}")
    }

    /// Reads `2026-11-21`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        values::Date::read(text).map(Self)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(values::Instant);

/// Milliseconds in a day.
const DAY: i64 = 86_400_000;

impl Instant {
    /// The instant `millis` after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(values::Instant::from_millis(millis))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.millis()
    }

    /// Midnight UTC at the beginning of a date.
    #[must_use]
    pub fn at_midnight(date: Date) -> Self {
        Self(values::Instant::at_midnight(date.0))
    }

    /// The date in UTC; for another zone see [`Zone`](crate::Zone).
    #[must_use]
    pub fn date(self) -> Date {
        Date(self.0.date())
    }

    /// So many milliseconds later (or earlier).
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.plus_millis(millis))
    }

    /// So many minutes later (or earlier).
    #[must_use]
    pub fn plus_minutes(self, minutes: i64) -> Self {
        self.plus_millis(minutes.saturating_mul(60_000))
    }

    /// So many times 24 hours later (or earlier).
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus_millis(days.saturating_mul(DAY))
    }

    /// Milliseconds since an earlier instant; negative when it is a later one.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.millis().saturating_sub(earlier.millis())
    }

    /// Reads a time that comes from outside: RFC 3339 with any offset, or a plain date, which means its
    /// midnight in UTC; what the kernel itself takes from people and files.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        values::Instant::read(text).map(Self)
    }

    /// Reads `2026-11-21T08:30:00Z` (seconds may have a fraction), or a plain date, which means its
    /// midnight in UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Of what the kernel reads, only the form it hands out: UTC, to the second.
        let bytes = text.as_bytes();
        let in_utc = bytes.get(10) == Some(&b'T') && text.ends_with('Z');
        let is_written_form = bytes.len() == 10 || (in_utc && bytes.get(16) == Some(&b':'));
        is_written_form.then(|| values::Instant::read(text).map(Self))?
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn months_are_counted_from_their_first_day() {
        let date = |text| Date::parse(text).unwrap();
        assert_eq!(date("2026-11-21").month_start(), date("2026-11-01"));
        for (months, first) in [
            (0, "2026-11-01"),
            (2, "2027-01-01"),
            (-11, "2025-12-01"),
            (100_000, "9999-12-01"),
            (-100_000, "0001-01-01"),
        ] {
            assert_eq!(
                date("2026-11-21").plus_months(months),
                date(first),
                "{months}"
            );
        }
        assert_eq!(date("0987-06-05").month(), "0987-06");
    }

    #[test]
    fn dates_are_read_and_written_in_the_same_form() {
        for text in [
            "1970-01-01",
            "2000-02-29",
            "2026-11-21",
            "9999-12-31",
            "0001-01-01",
        ] {
            assert_eq!(Date::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "2026-02-29",
            "2026-13-01",
            "26-01-01",
            "2026-1-1",
            "2026-01-01-",
            "",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn weekdays_count_from_monday() {
        assert_eq!(Date::parse("1970-01-01").unwrap().weekday(), 4);
        assert_eq!(Date::parse("2026-11-22").unwrap().weekday(), 7);
        assert_eq!(Date::parse("1969-12-29").unwrap().weekday(), 1);
    }

    #[test]
    fn instants_are_read_and_written_in_the_same_form() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2026-11-21T08:30:15.250Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(Instant::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "2026-11-21T08:30Z",
            "2026-11-21T08:30.250Z",
            "2026-11-21T08:30:00",
            "2026-11-21T08:30:00+01:00",
            "2026-11-21 08:30:00Z",
            "2026-11-21T24:00:00Z",
            "x",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}
