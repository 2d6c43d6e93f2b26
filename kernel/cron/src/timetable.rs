//! The times at which a line is due in a zone.

use std::sync::OnceLock;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use kjerne_values::Instant;

use crate::line::{self, CronError};

/// Missed times that are counted; of more it is known only that there were so many.
pub const MISSED_COUNTED: u64 = 10_000;

/// Settings of a zone's clocks that are looked past for one time: a line that comes every eight years, where
/// the clocks are set four times a year.
const MOST_PERIODS: usize = 64;
/// Times of the day that are looked past because they have been already: every minute of a repeated day.
const MOST_REPEATED: usize = 24 * 60 + 1;

/// When a job is due.
#[derive(Clone, Debug)]
pub struct Timetable {
    line: String,
    zone_name: String,
    goes_by_hours: bool,
    cron: Cron,
    zone: TimeZone,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// The last time at which it was.
    pub at: Instant,
    /// How many times before it went by, counted up to [`MISSED_COUNTED`].
    pub missed: u64,
}

/// Two timetables are the same when they are written the same.
impl PartialEq for Timetable {
    fn eq(&self, other: &Self) -> bool {
        (&self.line, &self.zone_name) == (&other.line, &other.zone_name)
    }
}

impl Eq for Timetable {}

impl Timetable {
    /// Reads a line of five fields and the IANA name of a zone, such as `Europe/Oslo`.
    ///
    /// # Errors
    /// What is wrong with the line or the zone, and how it should be.
    pub fn parse(text: &str, zone_name: &str) -> Result<Self, CronError> {
        let line = line::checked(text)?;
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser.parse(&line).map_err(|error| {
            CronError::new(format!("the line {line:?} cannot be used: {error}"))
        })?;
        let timetable = Self {
            goes_by_hours: line::goes_by_hours(&line),
            zone: zone(zone_name)?,
            zone_name: zone_name.to_owned(),
            line,
            cron,
        };
        // Whatever comes at all comes within the eight years between two leap days.
        match timetable.next_after(Instant::from_millis(0)) {
            Some(_) => Ok(timetable),
            None => Err(CronError::new(format!(
                "the line {:?} is never due: there is no such day",
                timetable.line
            ))),
        }
    }

    /// The line, with one space between its fields.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The name of the zone.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone_name
    }

    /// The first time after this one; none when the calendar ends before it.
    #[must_use]
    pub fn next_after(&self, after: Instant) -> Option<Instant> {
        // Times are whole minutes, so that parts of a second make no difference.
        let after = Timestamp::from_second(after.millis().div_euclid(1_000)).ok()?;
        let next = if self.goes_by_hours {
            self.next_passing(after)?
        } else {
            self.next_of_day(after)?
        };
        Some(Instant::from_millis(next.as_millisecond()))
    }

    /// What is due after one time and until another, that one included; none when nothing is.
    #[must_use]
    pub fn due(&self, after: Instant, until: Instant) -> Option<Due> {
        let mut at = self.next_after(after).filter(|first| *first <= until)?;
        let mut missed = 0;
        while let Some(next) = self.next_after(at).filter(|next| *next <= until) {
            if missed == MISSED_COUNTED {
                at = self.last_until(until).unwrap_or(at);
                break;
            }
            at = next;
            missed += 1;
        }
        Some(Due { at, missed })
    }

    /// The last time until this one, looked for in spans that grow: the first with any holds few, and as
    /// many as the line has in so long at most.
    fn last_until(&self, until: Instant) -> Option<Instant> {
        let spans = (0..24).map(|power| 60_000_i64 << power);
        let mut firsts = spans.filter_map(|span| {
            self.next_after(until.plus_millis(-span))
                .filter(|first| *first <= until)
        });
        let mut last = firsts.next()?;
        while let Some(next) = self.next_after(last).filter(|next| *next <= until) {
            last = next;
        }
        Some(last)
    }

    /// Of a line that goes by the hours that pass: between two settings of the clocks the wall clock goes on
    /// evenly, and what it does not show between them does not come.
    fn next_passing(&self, after: Timestamp) -> Option<Timestamp> {
        let (mut from, mut inclusive) = (after, false);
        for _ in 0..MOST_PERIODS {
            let offset = self.zone.to_offset(from);
            let until = self.zone.following(from).next();
            let until = until.map(|transition| transition.timestamp());
            let shown = offset.to_datetime(from);
            let next = self.cron.find_next_occurrence(&shown, inclusive).ok()?;
            let next = offset.to_timestamp(next).ok()?;
            match until {
                Some(until) if next >= until => (from, inclusive) = (until, true),
                _ => return Some(next),
            }
        }
        None
    }

    /// Of a line that names times of the day: each comes once, so that what the clock shows again is passed.
    fn next_of_day(&self, after: Timestamp) -> Option<Timestamp> {
        let mut shown = self.zone.to_datetime(after);
        for _ in 0..MOST_REPEATED {
            shown = self.cron.find_next_occurrence(&shown, false).ok()?;
            let next = self.first_at(shown)?;
            if next > after {
                return Some(next);
            }
        }
        None
    }

    /// The first moment at which the clock shows a time or has gone past it.
    fn first_at(&self, shown: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(shown);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(shown).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(shown).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                // By the clock as it is set afterwards this lies before the moment at which it is set.
                let before = after.to_timestamp(shown).ok()?;
                let set = self.zone.following(before).next()?;
                Some(set.timestamp())
            }
        }
    }
}

/// A zone of those built into the program; what is installed on the machine plays no part.
fn zone(name: &str) -> Result<TimeZone, CronError> {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    let zones = ZONES.get_or_init(TimeZoneDatabase::bundled);
    let found = zones.get(name).ok();
    // The list is searched without regard to case; a name is to be written as it is shown to people.
    let found = found.filter(|zone| zone.iana_name() == Some(name));
    found.ok_or_else(|| {
        let name: String = name.chars().take(64).collect();
        CronError::new(format!(
            "there is no time zone {name:?}; use an IANA name such as Europe/Oslo, written so"
        ))
    })
}
