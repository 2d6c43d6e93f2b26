//! Business time: calendars with weekly hours, holidays and a time zone, and counting along them.
//!
//! Everything is counted in whole milliseconds. A span of opening hours is turned into points in
//! time before anything is counted, one stretch of a steady clock after the other, so the days on
//! which the clock is moved are as long as they really are, and hours may begin and end anywhere.

use std::collections::BTreeMap;

use kjerne_sdk::{Date, Instant, Period, Zone};

/// A minute in milliseconds.
pub const MINUTE: i64 = 60_000;

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// How many days the search for the next opening goes on before it gives up.
const SEARCH_DAYS: i32 = 7_400;

/// Opening hours of a day: from and to, in minutes since local midnight.
pub type Span = (i32, i32);

/// When a service desk is open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Calendar {
    /// The IANA name of the zone the hours are in.
    pub zone: String,
    /// Open day and night; the rest is ignored.
    pub always: bool,
    /// Opening hours by weekday, Monday first, each list sorted.
    pub week: [Vec<Span>; 7],
    /// Closed days: first and last day, sorted and not overlapping.
    pub closed: Vec<(i32, i32)>,
    /// Days with hours of their own, which count before everything else.
    pub special: BTreeMap<i32, Vec<Span>>,
}

impl Calendar {
    /// The opening hours of a day, in days since 1970-01-01.
    fn spans(&self, day: i32) -> &[Span] {
        if let Some(spans) = self.special.get(&day) {
            return spans;
        }
        let later = self.closed.partition_point(|(first, _)| *first <= day);
        if self.closed[..later]
            .last()
            .is_some_and(|(_, last)| *last >= day)
        {
            return &[];
        }
        &self.week[weekday(day)]
    }
}

/// How many weeks of its hours a calendar is reckoned over for one target, and its days closed in a row:
/// together they stay within the two years that the zone's offsets are known for.
const WEEKS: i64 = 52;
const CLOSED_DAYS: i32 = 366;

impl Calendar {
    /// What is wrong with so much business time in this calendar, when its end would lie too far away to
    /// be reckoned with.
    pub fn wrong_length(&self, minutes: i64) -> Option<String> {
        let week: i64 = self
            .week
            .iter()
            .flatten()
            .map(|(from, to)| i64::from(to - from))
            .sum();
        let most = week * WEEKS;
        (!self.always && minutes > most).then(|| {
            format!("{}h of business time are more than {WEEKS} weeks of the calendar's hours; write at most {}h", minutes / 60, most / 60)
        })
    }

    /// The first of too many days in a row that are closed.
    pub fn long_closed(&self) -> Option<Date> {
        let special = self.special.iter().filter(|(_, spans)| spans.is_empty());
        let special = special.map(|(day, _)| (*day, *day));
        let mut all: Vec<(i32, i32)> = self.closed.iter().copied().chain(special).collect();
        all.sort_unstable();
        let mut stretch: Option<(i32, i32)> = None;
        for (first, last) in all {
            let joined = stretch.filter(|(_, end)| first <= *end + 1);
            let (begin, end) = joined.map_or((first, last), |(begin, end)| (begin, end.max(last)));
            if end - begin >= CLOSED_DAYS {
                return Some(Date::from_days(begin));
            }
            stretch = Some((begin, end));
        }
        None
    }
}

/// The weekday of a day, Monday being 0.
fn weekday(day: i32) -> usize {
    Date::from_days(day).weekday() as usize - 1
}

/// A calendar together with its zone: what time is counted along.
#[derive(Clone, Copy, Debug)]
pub struct Hours<'a> {
    /// The calendar.
    pub calendar: &'a Calendar,
    /// Its zone.
    pub zone: &'a Zone,
}

impl Hours<'_> {
    /// The opening hours of a day as points in time, as far as they lie in a period of one offset:
    /// the desk is open when the clock on the wall shows one of its hours. An hour that is skipped
    /// is not there, and one that is lived twice counts twice.
    fn openings(&self, period: Period, day: i32) -> impl DoubleEndedIterator<Item = (i64, i64)> {
        let midnight = i64::from(day) * DAY - i64::from(period.offset) * 1_000;
        let at = move |minute: i32| midnight + i64::from(minute) * MINUTE;
        let (begin, end) = (period.from.millis(), period.until.millis());
        self.calendar
            .spans(day)
            .iter()
            .map(move |(from, to)| (at(*from).max(begin), at(*to).min(end)))
            .filter(|(open, close)| open < close)
    }

    /// The opening hours that end after an instant, in order, to the end of a day.
    fn after(&self, from: i64, last: i32) -> impl Iterator<Item = (i64, i64)> {
        let periods = self.zone.periods();
        let periods = periods.filter(move |period| period.until.millis() > from);
        periods.flat_map(move |period| {
            let first = day_in(period, period.from.millis().max(from));
            let last = day_in(period, period.until.millis()).min(last);
            let openings = (first..=last).flat_map(move |day| self.openings(period, day));
            openings.filter(move |(_, close)| *close > from)
        })
    }

    /// The opening hours that begin before an instant, the latest first, back to a day.
    fn before(&self, to: i64, first: i32) -> impl Iterator<Item = (i64, i64)> {
        let periods = self.zone.periods().rev();
        let periods = periods.filter(move |period| period.from.millis() < to);
        periods.flat_map(move |period| {
            let first = day_in(period, period.from.millis()).max(first);
            let last = day_in(period, period.until.millis().min(to));
            let days = (first..=last).rev();
            let openings = days.flat_map(move |day| self.openings(period, day).rev());
            openings.filter(move |(open, _)| *open < to)
        })
    }

    /// The day it is in the zone, in days since 1970-01-01.
    pub fn day(&self, at: i64) -> i32 {
        self.zone.local(Instant::from_millis(at)).date.days()
    }

    /// The first instant by which `amount` of business time has passed since `from`; none when the
    /// calendar never opens for so long.
    pub fn add(&self, from: i64, amount: i64) -> Option<i64> {
        if self.calendar.always || amount <= 0 {
            return Some(from + amount.max(0));
        }
        let mut left = amount;
        for (open, close) in self.after(from, self.day(from) + SEARCH_DAYS) {
            let open = open.max(from);
            if close - open >= left {
                return Some(open + left);
            }
            left -= close - open;
        }
        None
    }

    /// The first instant from which `amount` of business time leads to `to`.
    pub fn subtract(&self, to: i64, amount: i64) -> Option<i64> {
        if self.calendar.always || amount <= 0 {
            return Some(to - amount.max(0));
        }
        let mut left = amount;
        for (open, close) in self.before(to, self.day(to) - SEARCH_DAYS) {
            let close = close.min(to);
            // Not `>=`: the close of the hours before is the same point of business time, and
            // the earlier of the two.
            if close - open > left {
                return Some(close - left);
            }
            left -= close - open;
        }
        None
    }

    /// The business time between two instants; nothing when the second is not after the first.
    pub fn between(&self, from: i64, to: i64) -> i64 {
        if self.calendar.always || to <= from {
            return (to - from).max(0);
        }
        let spans = self.after(from, self.day(to) + 1);
        spans
            .take_while(|(open, _)| *open < to)
            .map(|(open, close)| close.min(to) - open.max(from))
            .sum()
    }

    /// The business minutes between two instants, to the nearest minute.
    pub fn minutes(&self, from: i64, to: i64) -> i64 {
        (self.between(from, to) + MINUTE / 2) / MINUTE
    }
}

/// The day it is at an instant by the offset of a period.
fn day_in(period: Period, at: i64) -> i32 {
    let local = at.saturating_add(i64::from(period.offset) * 1_000);
    let day = local.div_euclid(DAY);
    i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
pub mod tests;
