//! Business time: calendars with weekly hours, holidays and a time zone, and counting along them.
//!
//! Everything is counted in whole milliseconds. A span of opening hours is turned into two points
//! in time before anything is counted, so the days on which the clock is moved are as long as they
//! really are.

use std::collections::BTreeMap;

use kjerne_sdk::{Date, Instant, Zone};

/// A minute in milliseconds.
pub const MINUTE: i64 = 60_000;

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
    /// The opening hours of a day as points in time.
    fn openings(&self, day: i32) -> impl DoubleEndedIterator<Item = (i64, i64)> {
        let at = move |minute: i32| {
            self.zone
                .instant(Date::from_days(day), minute.into())
                .millis()
        };
        self.calendar
            .spans(day)
            .iter()
            .map(move |(from, to)| (at(*from), at(*to)))
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
        let today = self.day(from);
        for day in today - 1..today + SEARCH_DAYS {
            for (open, close) in self.openings(day) {
                let open = open.max(from);
                if close - open >= left {
                    return Some(open + left);
                }
                left -= (close - open).max(0);
            }
        }
        None
    }

    /// The first instant from which `amount` of business time leads to `to`.
    pub fn subtract(&self, to: i64, amount: i64) -> Option<i64> {
        if self.calendar.always || amount <= 0 {
            return Some(to - amount.max(0));
        }
        let mut left = amount;
        let today = self.day(to);
        for day in (today - SEARCH_DAYS..=today + 1).rev() {
            for (open, close) in self.openings(day).rev() {
                let close = close.min(to);
                // Not `>=`: the close of the hours before is the same point of business time, and
                // the earlier of the two.
                if close - open > left {
                    return Some(close - left);
                }
                left -= (close - open).max(0);
            }
        }
        None
    }

    /// The business time between two instants; nothing when the second is not after the first.
    pub fn between(&self, from: i64, to: i64) -> i64 {
        if self.calendar.always || to <= from {
            return (to - from).max(0);
        }
        let days = self.day(from) - 1..=self.day(to) + 1;
        let spans = days.flat_map(|day| self.openings(day));
        spans
            .map(|(open, close)| (close.min(to) - open.max(from)).max(0))
            .sum()
    }
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
pub mod tests;
