//! Time zones, from the offsets the host knows.

use crate::contract::Failure;
use crate::host;
use crate::time::{Date, Instant};

/// A time zone over a span of time: the offsets from UTC that hold in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone(Vec<(Instant, i32)>);

/// A stretch of time in which one offset from UTC holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    /// When it begins.
    pub from: Instant,
    /// When it is over.
    pub until: Instant,
    /// Seconds east of UTC.
    pub offset: i32,
}

/// A wall-clock reading.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Local {
    /// The calendar date.
    pub date: Date,
    /// Milliseconds since midnight on the clock.
    pub millis: i64,
}

impl Local {
    /// Whole minutes since midnight on the clock.
    #[must_use]
    pub fn minutes(self) -> i64 {
        self.millis / 60_000
    }
}

impl Zone {
    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self(Vec::new())
    }

    /// The IANA zone (`Europe/Oslo`) between two instants, as the kernel's tz database has it.
    /// Outside the span the nearest offset is taken.
    ///
    /// # Errors
    /// `unknown-zone`; `bad-range` when the end lies before the start or more than 20 years after it.
    pub fn load(name: &str, from: Instant, to: Instant) -> Result<Self, Failure> {
        let offsets = host::offsets(name, from, to)?;
        let typed = |(from, offset)| (Instant::from_millis(from), offset);
        Ok(Self::from_offsets(offsets.into_iter().map(typed).collect()))
    }

    /// A zone of these offsets: the instant from which each holds, and seconds east of UTC; sorted.
    #[must_use]
    pub fn from_offsets(offsets: Vec<(Instant, i32)>) -> Self {
        Self(offsets)
    }

    /// The stretches of time in which one offset holds, in order; the first has no beginning and the
    /// last no end. Within one the clock on the wall neither jumps nor repeats itself, so hours that
    /// are reckoned period by period come out right whatever a border of theirs falls into.
    pub fn periods(&self) -> impl DoubleEndedIterator<Item = Period> + '_ {
        let at = |place: usize| self.0.get(place).map(|(from, _)| *from);
        (0..self.0.len().max(1)).map(move |place| Period {
            from: at(place)
                .filter(|_| place > 0)
                .unwrap_or(Instant::from_millis(i64::MIN)),
            until: at(place + 1).unwrap_or(Instant::from_millis(i64::MAX)),
            offset: self.0.get(place).map_or(0, |(_, offset)| *offset),
        })
    }

    /// The offset that holds at an instant, in seconds east of UTC.
    #[must_use]
    pub fn offset(&self, at: Instant) -> i32 {
        let holding = self.0.iter().rev().find(|(from, _)| *from <= at);
        holding.or(self.0.first()).map_or(0, |(_, offset)| *offset)
    }

    /// What the clock on the wall shows at an instant.
    #[must_use]
    pub fn local(&self, at: Instant) -> Local {
        let shown = at.plus_millis(i64::from(self.offset(at)) * 1000);
        Local {
            date: shown.date(),
            millis: shown.since(Instant::at_midnight(shown.date())),
        }
    }

    /// The instant at which the clock on the wall shows `minutes` after midnight of a date. When it
    /// shows that twice, the first time; when it never does because the clock is put forward, as
    /// long after the jump as the missing time lies after its beginning.
    #[must_use]
    pub fn instant(&self, date: Date, minutes: i64) -> Instant {
        let wall = Instant::at_midnight(date).plus_minutes(minutes);
        let mut started = None;
        for (place, (from, offset)) in self.0.iter().enumerate() {
            let at = wall.plus_millis(-i64::from(*offset) * 1000);
            if place > 0 && at < *from {
                continue;
            }
            if self.0.get(place + 1).is_none_or(|(next, _)| at < *next) {
                return at;
            }
            started = Some(at);
        }
        started.unwrap_or(wall)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Europe/Oslo in 2026: summer time from 29 March to 25 October, 01:00 UTC.
    fn oslo() -> Zone {
        let at = |text| Instant::parse(text).unwrap();
        Zone::from_offsets(vec![
            (at("2026-01-01"), 3600),
            (at("2026-03-29T01:00:00Z"), 7200),
            (at("2026-10-25T01:00:00Z"), 3600),
        ])
    }

    #[test]
    fn a_wall_clock_time_becomes_the_right_instant() {
        let check = |date: &str, minutes: i64, expected: &str| {
            let found = oslo().instant(Date::parse(date).unwrap(), minutes);
            assert_eq!(found.to_string(), expected, "{date} + {minutes} minutes");
        };
        check("2025-06-01", 480, "2025-06-01T07:00:00Z");
        check("2026-01-15", 480, "2026-01-15T07:00:00Z");
        check("2026-07-15", 480, "2026-07-15T06:00:00Z");
        check("2026-03-29", 119, "2026-03-29T00:59:00Z");
        check("2026-03-29", 150, "2026-03-29T01:30:00Z");
        check("2026-03-29", 180, "2026-03-29T01:00:00Z");
        check("2026-10-25", 150, "2026-10-25T00:30:00Z");
        check("2026-10-25", 180, "2026-10-25T02:00:00Z");
        check("2027-01-15", 480, "2027-01-15T07:00:00Z");
    }

    #[test]
    fn an_instant_becomes_the_right_wall_clock_time() {
        let check = |instant: &str, date: &str, minutes: i64| {
            let local = oslo().local(Instant::parse(instant).unwrap());
            assert_eq!(
                (local.date.to_string().as_str(), local.minutes()),
                (date, minutes)
            );
        };
        check("2026-01-14T23:30:00Z", "2026-01-15", 30);
        check("2026-03-29T00:59:00Z", "2026-03-29", 119);
        check("2026-03-29T01:00:00Z", "2026-03-29", 180);
        check("2026-10-25T01:00:00Z", "2026-10-25", 120);
    }

    #[test]
    fn utc_has_no_offset() {
        let noon = Instant::parse("2026-06-01T12:00:00Z").unwrap();
        assert_eq!(Zone::utc().local(noon).minutes(), 720);
        assert_eq!(Zone::utc().instant(noon.date(), 720), noon);
    }
}
