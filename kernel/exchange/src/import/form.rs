//! A form of dates and times, as in `strftime`, and stricter than the library where that guesses: a
//! year has four digits where the form says so.

use jiff::Timestamp;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{Offset, TimeZone};

use super::plain::{PlainZone, directives, plain_zone};

/// A form of dates or times, as in `%d.%m.%Y`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Form {
    text: String,
    pattern: String,
    /// Places that are looked at more strictly than the library does: what stands before them.
    places: Vec<(String, Place)>,
    /// It says in plain text that its times are those of UTC.
    is_utc: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Four digits, not fewer.
    Year,
    /// Two digits, not one.
    Two,
    /// Not 60, which would be another second than the one written.
    Second,
}

impl Form {
    /// Takes a form, after writing a time in it and reading that again.
    ///
    /// # Errors
    /// When nothing can be read by it.
    pub fn new(text: &str) -> Result<Self, String> {
        let pattern = text
            .replace("%F", "%Y-%m-%d")
            .replace("%D", "%m/%d/%y")
            .replace("%R", "%H:%M")
            .replace("%T", "%H:%M:%S");
        let form = Self {
            text: text.to_owned(),
            places: places(&pattern),
            is_utc: plain_zone(&pattern, text)? == PlainZone::Utc,
            pattern,
        };
        if form.pattern.contains("%H")
            && (form.pattern.contains("%p") || form.pattern.contains("%P"))
        {
            return Err(format!(
                "the form {text:?} has the hour of 24 beside am and pm; write %I for the hour of 12"
            ));
        }
        if let Some((first, again)) = read_twice(&form.pattern) {
            return Err(format!(
                "the form {text:?} reads one thing twice, by %{first} and %{again}, and would drop what stands at \
                 one of them; keep one"
            ));
        }
        if let Some(part) = without_hour(&form.pattern) {
            return Err(format!(
                "the form {text:?} has %{part} and no hour, and would drop it; write %H:%M, or %I:%M %p"
            ));
        }
        // Every part of it differs from what stands in for one that is not read.
        let sample = Timestamp::constant(981_173_106, 789_000_000).to_zoned(TimeZone::UTC);
        let tried = strtime::format(&form.pattern, &sample)
            .and_then(|text| BrokenDownTime::parse(&form.pattern, text));
        match tried {
            Ok(read) if read.to_date().is_err() && read.to_timestamp().is_err() => Err(format!(
                "the form {text:?} reads no date; write %d for the day, %m for the month and %Y for the year"
            )),
            Ok(read) if read.to_time().is_err() && read.to_timestamp().is_err() => Err(format!(
                "the form {text:?} reads parts of a clock that make no time; write %H:%M:%S, with %.f for fractions"
            )),
            Ok(_) => Ok(form),
            Err(error) => Err(format!("nothing can be read by the form {text:?}: {error}")),
        }
    }

    /// True for a form that has a word in plain text beside its time which may be a zone, `CET`, and is only
    /// passed over.
    pub fn names_zone(&self) -> bool {
        plain_zone(&self.pattern, &self.text) == Ok(PlainZone::Named)
    }

    /// As it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads a text that is written in it.
    pub fn read(&self, text: &str) -> Option<BrokenDownTime> {
        let mut read = BrokenDownTime::parse(&self.pattern, text).ok()?;
        if self.is_utc {
            read.set_offset(Some(Offset::UTC));
        }
        let fits = |(before, place): &(String, Place)| {
            let Ok((_, at)) = BrokenDownTime::parse_prefix(before, text) else {
                return false;
            };
            let rest = text.get(at..).unwrap_or_default().trim_start().as_bytes();
            let begins = |digits: usize| {
                rest.len() >= digits && rest[..digits].iter().all(u8::is_ascii_digit)
            };
            match place {
                Place::Year => begins(4),
                Place::Two => begins(2),
                Place::Second => !rest.starts_with(b"60"),
            }
        };
        self.places.iter().all(fits).then_some(read)
    }
}

/// Directives of one form that read the same thing: of two of them only the last would count.
const ALIKE: [&str; 12] = [
    "de", "mbBh", "YyCGg", "HkIl", "M", "S", "pP", "fN", "aAuw", "j", "zQ", "UVW",
];

/// Directives that say what others say together: the day of a year, its week, and all of a time.
const IN_ONE: [(&str, &str); 3] = [
    ("j", "demBbh"),
    ("UVW", "demBbhj"),
    ("s", "YyCGgmBbhdejUVWHkIlMSpPfN"),
];

/// A part of a clock in a pattern without an hour.
fn without_hour(pattern: &str) -> Option<char> {
    let has_hour = directives(pattern).any(|one| "HkIls".contains(one));
    let mut parts = directives(pattern).filter(|one| "MSpPfN".contains(*one));
    parts.next().filter(|_| !has_hour)
}

/// Two directives of a pattern that read the same thing.
fn read_twice(pattern: &str) -> Option<(char, char)> {
    let all: Vec<char> = directives(pattern).collect();
    let of = |these: &str| all.iter().copied().find(|one| these.contains(*one));
    let in_one = IN_ONE
        .iter()
        .find_map(|(whole, parts)| of(whole).zip(of(parts)));
    in_one.or_else(|| alike_twice(&all))
}

fn alike_twice(all: &[char]) -> Option<(char, char)> {
    ALIKE.iter().find_map(|alike| {
        let mut found = all.iter().copied().filter(|one| alike.contains(*one));
        found.next().zip(found.next())
    })
}

/// The years and seconds of a pattern, each with the pattern before it.
fn places(pattern: &str) -> Vec<(String, Place)> {
    let mut places = Vec::new();
    let mut signs = pattern.char_indices();
    // Where the number before ended.
    let mut end = usize::MAX;
    while let Some((start, sign)) = signs.next() {
        if sign != '%' {
            continue;
        }
        let is_flag = |c: char| c.is_ascii_digit() || "-_^#".contains(c);
        let found = signs.find(|(_, sign)| !is_flag(*sign));
        let directive = found.map(|(_, sign)| sign);
        let next = found.map_or(pattern.len(), |(at, sign)| at + sign.len_utf8());
        let place = match directive {
            Some('Y' | 'G') => Place::Year,
            Some('y' | 'g' | 'd' | 'm' | 'H' | 'I' | 'M') => Place::Two,
            Some('S') => Place::Second,
            _ => continue,
        };
        let before = pattern[..start].to_owned();
        // Without a mark between two numbers, only their digits tell where the one ends.
        let touches = end == start || pattern[next..].starts_with('%');
        end = next;
        match place {
            Place::Second if touches => {
                places.push((before.clone(), Place::Two));
                places.push((before, place));
            }
            Place::Two if !touches && !matches!(directive, Some('y' | 'g')) => {}
            place => places.push((before, place)),
        }
    }
    places
}
