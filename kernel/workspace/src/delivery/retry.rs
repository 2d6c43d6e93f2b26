//! `Retry-After`: how long a receiver asks to be left alone.

use kjerne_model::{Date, Instant};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The pause in milliseconds that a header asks for: whole seconds, or the date until which to wait
/// in the one form that HTTP lets senders write. Anything else asks for nothing.
pub fn pause(text: &str, now: Instant) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is for ever; the caller knows the longest pause.
        let seconds = text.parse::<i64>().unwrap_or(i64::MAX);
        return Some(seconds.saturating_mul(1_000));
    }
    let until = date(text)?;
    Some(until.millis().saturating_sub(now.millis()).max(0))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<Instant> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (clock, zone) = (parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let date = Date::from_ymd(year.parse().ok()?, month as u32, day.parse().ok()?)?;
    if zone != "GMT" || parts.next().is_some() {
        return None;
    }
    Instant::read(&format!("{date}T{clock}Z"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pause_is_read_in_seconds_or_as_a_date() {
        let now = Instant::read("1994-11-06T08:48:37Z").unwrap();
        for (text, pause_in_seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:47:37 GMT", Some(0)),
            ("Sun, 31 Feb 1994 08:47:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
        ] {
            let expected = pause_in_seconds.map(|seconds: i64| seconds * 1_000);
            assert_eq!(pause(text, now), expected, "{text:?}");
        }
        assert_eq!(pause("99999999999999999999", now), Some(i64::MAX));
    }
}
