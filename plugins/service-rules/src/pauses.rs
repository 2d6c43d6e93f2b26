//! The pauses of a case's clock, kept as they were by the clock on the wall, so that they can be
//! reckoned in whatever opening hours hold for the case later; and by what the targets were promised,
//! where a step of the ladder has changed it since.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kjerne_sdk::Instant;

use crate::calendar::Hours;
use crate::case::Case;

/// How many pauses are kept one by one; of older ones the minutes stay as they were counted.
const MOST: usize = 64;

/// What a step of the ladder can change of what targets are promised by.
const PROMISED_BY: [&str; 2] = ["priority", "queue"];

/// The pauses of one run of the clock.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pauses {
    /// Minutes of which nobody knows when they were: brought in, set by a person, or too long ago.
    counted: i64,
    /// From and until, oldest first.
    spans: Vec<(i64, i64)>,
    /// What was so when the targets were promised, and is not any more because of a step.
    promised: BTreeMap<&'static str, String>,
}

impl Pauses {
    /// The pauses of a case. Where it has minutes and no pauses, or such as nobody can read, the
    /// minutes count.
    pub fn of(case: &Case) -> Self {
        let minutes = Self {
            counted: case.paused_minutes.unwrap_or(0),
            ..Self::default()
        };
        case.pauses
            .as_deref()
            .and_then(Self::read)
            .unwrap_or(minutes)
    }

    /// `priority=normal +15 2026-03-02T09:00:00Z/2026-03-02T10:00:00Z …`.
    pub fn read(text: &str) -> Option<Self> {
        let mut pauses = Self::default();
        for part in text.split_whitespace() {
            if let Some(counted) = part.strip_prefix('+') {
                pauses.counted = counted.parse().ok()?;
            } else if let Some((name, value)) = part.split_once('=') {
                let name = PROMISED_BY.into_iter().find(|known| *known == name)?;
                pauses.promised.insert(name, unfolded(value)?);
            } else {
                let (since, until) = part.split_once('/')?;
                let at = |text| Instant::parse(text).map(Instant::millis);
                pauses.spans.push((at(since)?, at(until)?));
            }
        }
        Some(pauses)
    }

    /// The same as text; none when there is nothing to keep.
    pub fn written(&self) -> Option<String> {
        if self.spans.is_empty() && self.promised.is_empty() {
            return None;
        }
        let mut text = String::new();
        for (name, value) in &self.promised {
            let _ = write!(text, "{name}={} ", folded(value));
        }
        if self.counted != 0 {
            let _ = write!(text, "+{} ", self.counted);
        }
        for (since, until) in &self.spans {
            let at = Instant::from_millis;
            let _ = write!(text, "{}/{} ", at(*since), at(*until));
        }
        Some(text.trim_end().to_owned())
    }

    /// What was so when the targets were promised and is not any more because of a step, by name.
    pub fn promised(&self) -> impl Iterator<Item = (&'static str, &String)> {
        self.promised.iter().map(|(name, value)| (*name, value))
    }

    /// Keeps what the targets were promised by, when a step changes it; what an earlier step changed
    /// was kept then.
    pub fn keep_promised(&mut self, name: &'static str, value: Option<&String>) {
        let value = || value.cloned().unwrap_or_default();
        self.promised.entry(name).or_insert_with(value);
    }

    /// Forgets it, when what is so now is what the targets are reckoned by.
    pub fn forget_promised(&mut self, name: &str) {
        self.promised.remove(name);
    }

    /// Whether the clock never stood.
    pub fn is_none(&self) -> bool {
        self.spans.is_empty() && self.counted == 0
    }

    /// When each began and ended.
    pub fn ends(&self) -> impl Iterator<Item = i64> + '_ {
        self.spans
            .iter()
            .flat_map(|(since, until)| [*since, *until])
    }

    /// Adds a pause that has ended; the oldest one beyond the limit is counted by these hours for good.
    pub fn add(&mut self, since: i64, until: i64, hours: &Hours<'_>) {
        self.spans.push((since, until));
        while self.spans.len() > MOST {
            let (since, until) = self.spans.remove(0);
            self.counted += hours.minutes(since, until);
        }
    }

    /// Counts minutes that somebody added or took away by hand.
    pub fn correct(&mut self, minutes: i64) {
        self.counted += minutes;
    }

    /// The minutes of all pauses by these hours.
    pub fn minutes(&self, hours: &Hours<'_>) -> i64 {
        let spans = self.spans.iter();
        let known: i64 = spans
            .map(|(since, until)| hours.minutes(*since, *until))
            .sum();
        self.counted + known
    }
}

/// A name without blanks, which divide what is written.
fn folded(name: &str) -> String {
    let mut folded = String::new();
    for sign in name.chars() {
        if sign.is_whitespace() || sign == '%' {
            let _ = write!(folded, "%{:x}%", u32::from(sign));
        } else {
            folded.push(sign);
        }
    }
    folded
}

/// The name that was folded.
fn unfolded(text: &str) -> Option<String> {
    let mut name = String::new();
    for (place, part) in text.split('%').enumerate() {
        if place % 2 == 0 {
            name.push_str(part);
        } else {
            name.push(char::from_u32(u32::from_str_radix(part, 16).ok()?)?);
        }
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pauses_are_read_as_written() {
        for text in [
            "2026-03-02T09:00:00Z/2026-03-02T10:00:00Z",
            "+15 2026-03-02T09:00:00Z/2026-03-02T10:00:00Z 2026-03-03T09:00:00Z/2026-03-03T09:00:00.250Z",
            "+-15 2026-03-02T09:00:00Z/2026-03-02T10:00:00Z",
            "priority=very%20%high queue= +15 2026-03-02T09:00:00Z/2026-03-02T10:00:00Z",
            "priority=100%25%",
        ] {
            let read = Pauses::read(text).unwrap();
            assert_eq!(read.written().as_deref(), Some(text));
        }
        for wrong in [
            "x",
            "2026-03-02T09:00:00Z",
            "+x",
            "a/b",
            "tier=a",
            "queue=%z%",
        ] {
            assert_eq!(Pauses::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn minutes_without_their_pauses_count_as_they_are() {
        let case = |pauses: Option<&str>| Case {
            paused_minutes: Some(90),
            pauses: pauses.map(str::to_owned),
            ..Case::default()
        };
        for pauses in [None, Some("by hand")] {
            let counted = Pauses::of(&case(pauses));
            assert_eq!((counted.counted, counted.written()), (90, None));
        }
    }
}
