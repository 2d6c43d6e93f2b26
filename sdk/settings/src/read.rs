//! From TOML to entries.

use std::fmt::Write as _;

use kjerne_values::{Date, Instant, day_number};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::{Datetime, Offset, Time};

use crate::entry::{Entry, MOST, Value};
use crate::fault::Fault;

/// Reads a document. What stands in a table or list follows its entry directly, in the order of the
/// document; the document itself has no entry.
///
/// # Errors
/// When the text is not TOML, or holds what an entry cannot: a time without a date or offset, a
/// number that is too large to be exact, a key with a quotation mark, a backslash or a control
/// character.
pub fn parse(text: &str) -> Result<Vec<Entry>, Fault> {
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Lines::new(text).fault(at, error.message().to_owned())
    })?;
    let mut flat = Flat {
        lines: Lines::new(text),
        path: String::new(),
        entries: Vec::new(),
        weight: 0,
    };
    flat.table(document.get_ref())?;
    Ok(flat.entries)
}

/// Where lines begin.
struct Lines<'a> {
    text: &'a str,
    begins: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let begins = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        Self {
            text,
            begins: begins.collect(),
        }
    }

    /// The number of the line a byte is in, from 1.
    fn line(&self, at: usize) -> u32 {
        let line = self.begins.partition_point(|begin| *begin <= at);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    fn fault(&self, at: usize, message: String) -> Fault {
        let line = self.line(at);
        let begin = self.begins[(line as usize).saturating_sub(1)];
        let before = self.text.get(begin..at).unwrap_or_default();
        let column = u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX);
        Fault {
            line,
            column,
            message,
        }
    }
}

/// The list as far as it is made.
struct Flat<'a> {
    lines: Lines<'a>,
    /// Where we are.
    path: String,
    entries: Vec<Entry>,
    weight: usize,
}

impl Flat<'_> {
    fn table(&mut self, table: &DeTable<'_>) -> Result<(), Fault> {
        let mut rows: Vec<_> = table.iter().collect();
        rows.sort_by_key(|(key, _)| key.span().start);
        let outside = self.path.len();
        for (key, value) in rows {
            let at = key.span().start;
            self.step_into(key.get_ref(), at)?;
            self.value(value.get_ref(), at)?;
            self.path.truncate(outside);
        }
        Ok(())
    }

    fn step_into(&mut self, key: &str, at: usize) -> Result<(), Fault> {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !key.is_empty() && key.bytes().all(is_bare) {
            self.path.push_str(key);
        } else if key.contains(|c: char| c == '"' || c == '\\' || c.is_control()) {
            let message = format!(
                "the key {key:?} has a quotation mark, a backslash or a control character in it; write it without"
            );
            return Err(self.lines.fault(at, message));
        } else {
            let _ = write!(self.path, "\"{key}\"");
        }
        Ok(())
    }

    fn list(&mut self, items: &[Spanned<DeValue<'_>>]) -> Result<(), Fault> {
        let outside = self.path.len();
        for (place, item) in items.iter().enumerate() {
            let _ = write!(self.path, "[{place}]");
            self.value(item.get_ref(), item.span().start)?;
            self.path.truncate(outside);
        }
        Ok(())
    }

    /// Adds what is here, and then what is in it.
    fn value(&mut self, value: &DeValue<'_>, at: usize) -> Result<(), Fault> {
        let plain = plain(value).map_err(|message| self.lines.fault(at, message))?;
        let entry = Entry {
            path: self.path.clone(),
            line: self.lines.line(at),
            value: plain,
        };
        self.weight += entry.weight();
        if self.weight > MOST {
            let message = format!(
                "up to here the settings unfold to more than {MOST} bytes; use shorter keys or fewer tables within tables"
            );
            return Err(self.lines.fault(at, message));
        }
        self.entries.push(entry);
        match value {
            DeValue::Table(table) => self.table(table),
            DeValue::Array(items) => self.list(items),
            _ => Ok(()),
        }
    }
}

/// The value without what is in it.
fn plain(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::Text(text.as_ref().to_owned()),
        DeValue::Integer(number) => {
            let read = i64::from_str_radix(number.as_str(), number.radix());
            Value::Integer(read.map_err(|_| {
                format!(
                    "{} is too large for a whole number; write it as text, in quotes",
                    number.as_str()
                )
            })?)
        }
        DeValue::Float(number) => decimal(number.as_str()).ok_or_else(|| {
            format!(
                "{} is no number that can be kept exactly; write it as text, in quotes, or with at most 18 digits and no exponent",
                number.as_str()
            )
        })?,
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(datetime) => when(datetime).ok_or_else(|| {
            format!(
                "{datetime} is neither a date nor a point in time with its offset; write 2026-05-17, 2026-05-17T08:00:00Z, or text in quotes"
            )
        })?,
        DeValue::Array(_) => Value::List,
        DeValue::Table(_) => Value::Table,
    })
}

/// `-12.50`, exactly.
fn decimal(text: &str) -> Option<Value> {
    let (whole, fraction) = text.split_once('.')?;
    let digits = format!("{whole}{fraction}");
    let scale = u8::try_from(fraction.len()).ok()?;
    let coefficient: i64 = digits.parse().ok()?;
    let fits = |number: i64| scale <= 18 && number.unsigned_abs() < 10u64.pow(18);
    fits(coefficient).then_some(Value::Decimal { coefficient, scale })
}

fn when(datetime: &Datetime) -> Option<Value> {
    let date = datetime.date?;
    let days = day_number(date.year.into(), date.month.into(), date.day.into());
    match (datetime.time, datetime.offset) {
        (None, None) => Some(Value::Date(days)),
        (Some(time), Some(offset)) => {
            let minutes = match offset {
                Offset::Z => 0,
                Offset::Custom { minutes } => i64::from(minutes),
            };
            let midnight = Instant::at_midnight(Date::from_days(days));
            let instant = midnight.plus_millis(millis(time) - minutes * 60_000);
            Some(Value::Instant(instant.millis()))
        }
        _ => None,
    }
}

fn millis(time: Time) -> i64 {
    let seconds = (i64::from(time.hour) * 60 + i64::from(time.minute)) * 60
        + i64::from(time.second.unwrap_or(0));
    seconds * 1_000 + i64::from(time.nanosecond.unwrap_or(0) / 1_000_000)
}
