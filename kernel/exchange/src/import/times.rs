//! Reads dates and points in time. An offset or zone that a cell holds is used, or the cell refused.

use jiff::civil;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use kjerne_model::{Date, Instant, trim};

use super::form::Form;
use super::forms::Forms;

/// Reads a date; of a point in time the date in the mapping's zone.
pub fn read_date(text: &str, forms: &Forms) -> Result<Date, String> {
    let text = trim(text);
    for form in &forms.dates {
        let Some(read) = form.read(text).filter(has_a_place) else {
            continue;
        };
        let date = if has_offset(&read) {
            let moment = read.to_timestamp().ok();
            moment.map(|moment| moment.to_zoned(forms.zone.clone()).date())
        } else {
            read.to_date().ok()
        };
        if let Some(date) = date {
            return own_date(date);
        }
    }
    if let Ok(date) = Date::parse(text) {
        return Ok(date);
    }
    match read_instant(text, forms) {
        Ok(instant) => own_date(in_zone(instant, &forms.zone)?),
        Err(_) => Err(format!(
            "expected a date such as {}",
            shown(&forms.dates, "2026-11-21")
        )),
    }
}

/// Reads a point in time; one without an offset is a local time, a date its midnight.
pub fn read_instant(text: &str, forms: &Forms) -> Result<Instant, String> {
    let text = trim(text);
    for form in &forms.instants {
        let Some(read) = form.read(text).filter(has_a_place) else {
            continue;
        };
        if let Ok(moment) = read.to_timestamp() {
            return Ok(own_instant(moment));
        }
        if has_offset(&read) {
            continue;
        }
        if let Ok(local) = read.to_datetime() {
            return at_zone(local, &forms.zone);
        }
    }
    iso(text, &forms.zone).ok_or_else(|| {
        format!(
            "expected a time such as {}",
            shown(&forms.instants, "2026-11-21T08:30:00Z")
        )
    })
}

fn has_offset(read: &BrokenDownTime) -> bool {
    read.offset().is_some() || read.iana_time_zone().is_some()
}

/// Whether a time can be told somewhere: no clock is a day ahead or behind, though the library would
/// read such an offset.
fn has_a_place(read: &BrokenDownTime) -> bool {
    read.offset().is_none_or(is_less_than_a_day)
}

fn is_less_than_a_day(offset: Offset) -> bool {
    offset.seconds().abs() < 86_400
}

/// RFC 3339, and ISO 8601 with any offset (`-0500`, `+00`), in its basic form, or with a zone in
/// brackets. A text is local only when nothing in it can be an offset, since the library passes over
/// an offset when it is asked for a local time.
fn iso(text: &str, zone: &TimeZone) -> Option<Instant> {
    if has_leap_second(text) {
        return None;
    }
    let offset = Pieces::parse(text)
        .ok()
        .and_then(|read| read.to_numeric_offset());
    if offset.is_some_and(|offset| !is_less_than_a_day(offset)) {
        return None;
    }
    if text.len() > 10
        && let Ok(instant) = Instant::parse(text)
    {
        return Some(instant);
    }
    if text.contains('[') {
        let zoned: Zoned = text.parse().ok()?;
        return Some(own_instant(zoned.timestamp()));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(own_instant(moment));
    }
    if !is_local(text) {
        return None;
    }
    at_zone(text.parse().ok()?, zone).ok()
}

/// A date, and perhaps a time made of digits, colons and a fraction.
fn is_local(text: &str) -> bool {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let long = date.len() == 10 && Date::parse(date).is_ok();
    let short = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = |time: &str| {
        time.starts_with(|c: char| c.is_ascii_digit())
            && time
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b":.,".contains(&byte))
    };
    (long || short) && time.is_none_or(is_time)
}

/// A second 60, which libraries take for the one before or after.
fn has_leap_second(text: &str) -> bool {
    let Some((_, time)) = text.split_once(['T', 't', ' ']) else {
        return false;
    };
    let end = time.find(|c: char| !c.is_ascii_digit() && c != ':');
    let clock = &time[..end.unwrap_or(time.len())];
    let digits: String = clock.chars().filter(char::is_ascii_digit).collect();
    digits.len() == 6 && digits.ends_with("60")
}

fn shown(forms: &[Form], iso: &str) -> String {
    let mut forms: Vec<&str> = forms.iter().map(super::form::Form::text).collect();
    forms.push(iso);
    forms.join(" or ")
}

/// A local time in its zone; a time that a clock change skips or repeats is read as calendars do.
fn at_zone(local: civil::DateTime, zone: &TimeZone) -> Result<Instant, String> {
    let zoned = local.to_zoned(zone.clone()).map_err(|e| e.to_string())?;
    Ok(own_instant(zoned.timestamp()))
}

fn in_zone(instant: Instant, zone: &TimeZone) -> Result<civil::Date, String> {
    let moment = Timestamp::from_millisecond(instant.millis());
    moment
        .map(|moment| moment.to_zoned(zone.clone()).date())
        .map_err(|error| error.to_string())
}

fn own_instant(moment: Timestamp) -> Instant {
    Instant::from_millis(moment.as_millisecond())
}

fn own_date(date: civil::Date) -> Result<Date, String> {
    let (month, day) = (
        u32::from(date.month().unsigned_abs()),
        u32::from(date.day().unsigned_abs()),
    );
    Date::from_ymd(i32::from(date.year()), month, day)
        .ok_or_else(|| "expected a date in the years 1 to 9999".to_owned())
}
