//! The form of a cron line: what is taken, and what is refused with its reason.
//!
//! Programs disagree about much of what is written in cron lines, and the crate that matches them takes more
//! than it documents: a list with nothing between two commas, a step longer than the hour, a lone `L` for a
//! weekday, which never comes. So a line is looked at here first, and only what means the same everywhere
//! goes through.

use std::fmt;

/// Why a cron line or its zone is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronError(String);

impl CronError {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CronError {}

/// One of the five fields.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    /// Names that stand for the numbers from `least` on.
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: [Field; 5] = [
    Field::of("minute", 0, 59, &[]),
    Field::of("hour", 0, 23, &[]),
    Field::of("day of the month", 1, 31, &[]),
    Field::of("month", 1, 12, MONTHS),
    Field::of("day of the week", 0, 7, DAYS),
];
const HOUR: usize = 1;
const DAY_OF_MONTH: usize = 2;
const DAY_OF_WEEK: usize = 4;
/// Of the day of the month: the last there is.
const LAST: &str = "L";
/// Longer lines are refused before they are looked at: 60 minutes and 24 hours, each written out, are shorter.
const LONGEST: usize = 512;

/// Looks at a line. Answers with its fields, one space between them.
pub(crate) fn checked(line: &str) -> Result<String, CronError> {
    if line.len() > LONGEST {
        return Err(CronError(format!(
            "the line has {} bytes, and may have {LONGEST}",
            line.len()
        )));
    }
    let parts: Vec<&str> = line.split_ascii_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(CronError(format!(
            "the line {line:?} has {} fields; write minute, hour, day of the month, month and day of the \
             week, such as \"0 8 * * MON-FRI\"",
            parts.len()
        )));
    }
    for (place, (field, part)) in FIELDS.iter().zip(&parts).enumerate() {
        let is_last = place == DAY_OF_MONTH && *part == LAST;
        if !is_last {
            field.check(part)?;
        }
    }
    let (day, weekday) = (parts[DAY_OF_MONTH], parts[DAY_OF_WEEK]);
    if day != "*" && weekday != "*" {
        return Err(CronError(format!(
            "the line names days of the month ({day}) and days of the week ({weekday}), which some programs \
             take for both and others for either; leave one of them at * and make two jobs of it"
        )));
    }
    Ok(parts.join(" "))
}

/// Whether a line goes by the hours that pass, and not by times of the day.
pub(crate) fn goes_by_hours(line: &str) -> bool {
    let hours = line.split_ascii_whitespace().nth(HOUR);
    hours.is_some_and(|hours| hours.starts_with('*'))
}

impl Field {
    const fn of(name: &'static str, least: u8, most: u8, names: &'static [&'static str]) -> Self {
        Self {
            name,
            least,
            most,
            names,
        }
    }

    fn check(&self, part: &str) -> Result<(), CronError> {
        let several = part.contains(',');
        for item in part.split(',') {
            let (values, step) = match item.split_once('/') {
                Some((values, step)) => (values, Some(step)),
                None => (item, None),
            };
            let is_range = match values {
                "*" if several => {
                    return Err(self.wrong(part, "* stands alone, and in no list"));
                }
                "*" => true,
                values => self.check_values(part, values)?,
            };
            if let Some(step) = step {
                self.check_step(part, step, is_range)?;
            }
        }
        Ok(())
    }

    /// A number, a name, or two of them with `-` between; true for the latter.
    fn check_values(&self, part: &str, values: &str) -> Result<bool, CronError> {
        let Some((first, last)) = values.split_once('-') else {
            return self.number(part, values).map(|_| false);
        };
        let (first, last) = (self.number(part, first)?, self.number(part, last)?);
        if first > last {
            let why =
                format!("a range goes from the lower to the higher, and {first} is above {last}");
            return Err(self.wrong(part, &why));
        }
        Ok(true)
    }

    fn check_step(&self, part: &str, step: &str, is_range: bool) -> Result<(), CronError> {
        if !is_range {
            return Err(self.wrong(
                part,
                "a step needs a range before it, such as */15 or 5-59/15",
            ));
        }
        let most = self.most - self.least;
        match read(step) {
            Some(step) if (1..=most).contains(&step) => Ok(()),
            _ => Err(self.wrong(part, &format!("a step is a number from 1 to {most}"))),
        }
    }

    fn number(&self, part: &str, text: &str) -> Result<u8, CronError> {
        let named = self.names.iter().zip(self.least..);
        let mut named = named.filter(|(name, _)| name.eq_ignore_ascii_case(text));
        let number = named
            .next()
            .map(|(_, number)| number)
            .or_else(|| read(text));
        let fits = number.filter(|number| (self.least..=self.most).contains(number));
        fits.ok_or_else(|| {
            let (least, most) = (self.least, self.most);
            let names = match self.names {
                [] => String::new(),
                [first, .., last] => format!(" or a name such as {first} and {last}"),
                [one] => format!(" or {one}"),
            };
            self.wrong(
                part,
                &format!("{text:?} is no number from {least} to {most}{names}"),
            )
        })
    }

    fn wrong(&self, part: &str, why: &str) -> CronError {
        CronError(format!("the {} {part:?} cannot be used: {why}", self.name))
    }
}

/// A number of digits alone.
fn read(text: &str) -> Option<u8> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}
