//! Reads values as other systems write them.

use jiff::civil;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use kjerne_model::{Currency, Date, Decimal, FieldType, Instant, Money, Value, parse_value};

use super::plan::Forms;

/// Reads text as a value of a field's type. `currency` is what the row itself says of it.
pub fn read_value(
    field_type: &FieldType,
    text: &str,
    forms: &Forms,
    currency: Option<&str>,
) -> Result<Value, String> {
    match field_type {
        FieldType::Integer => read_integer(text, forms),
        FieldType::Decimal => read_decimal(text, forms).map(Value::Decimal),
        FieldType::Money => read_money(text, forms, currency).map(Value::Money),
        FieldType::Date => read_date(text, forms).map(Value::Date),
        FieldType::Instant => read_instant(text, forms).map(Value::Instant),
        FieldType::Flag => {
            parse_value(field_type, &text.trim().to_ascii_lowercase()).map_err(|e| e.to_string())
        }
        FieldType::Url => Ok(Value::Text(with_scheme(text))),
        FieldType::Reference(_) => parse_value(field_type, text.trim()).map_err(|e| e.to_string()),
        _ => parse_value(field_type, text).map_err(|e| e.to_string()),
    }
}

/// People write `www.example.org`; what is stored says how it is reached.
fn with_scheme(text: &str) -> String {
    let bare = !text.contains("://") && text.contains('.') && !text.contains(char::is_whitespace);
    if bare {
        format!("https://{text}")
    } else {
        text.to_owned()
    }
}

/// A whole number, also when it is written `100.0`.
fn read_integer(text: &str, forms: &Forms) -> Result<Value, String> {
    let number = read_decimal(text, forms)?;
    match number.scale() {
        0 => Ok(Value::Integer(number.coefficient())),
        _ => Err("expected a whole number".to_owned()),
    }
}

fn read_decimal(text: &str, forms: &Forms) -> Result<Decimal, String> {
    let plain = plain_number(text, forms.decimal_comma);
    Decimal::parse(&plain).map_err(|_| {
        let form = if forms.decimal_comma {
            "1.234,50"
        } else {
            "1,234.50"
        };
        format!("expected a number such as {form}")
    })
}

/// A number without thousands separators and exponent, with a point. What does not look like a
/// number comes back as something [`Decimal::parse`] refuses.
fn plain_number(text: &str, decimal_comma: bool) -> String {
    let (point, group) = if decimal_comma {
        (',', '.')
    } else {
        ('.', ',')
    };
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’'))
        .collect();
    let text = text.replace('\u{2212}', "-");
    let (whole, part) = match text.split_once(point) {
        Some((whole, part)) => (whole, Some(part)),
        None => (text.as_str(), None),
    };
    let Some(whole) = ungrouped(whole, group) else {
        return "?".to_owned();
    };
    let plain = match part {
        Some(part) => format!("{whole}.{part}"),
        None => whole,
    };
    without_exponent(&plain).unwrap_or(plain)
}

/// `1,234,567` without its separators; none when they do not stand between groups of three.
fn ungrouped(whole: &str, group: char) -> Option<String> {
    let mut groups = whole.split(group);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    if rest.is_empty() {
        return Some(whole.to_owned());
    }
    let digits = first.trim_start_matches(['-', '+']);
    let three = |group: &&str| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit());
    let fits = (1..=3).contains(&digits.len()) && rest.iter().all(three);
    fits.then(|| whole.replace(group, ""))
}

/// `6.0E7` written out; none when there is no exponent or it is out of reach.
fn without_exponent(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['E', 'e'])?;
    let exponent: i32 = exponent.parse().ok().filter(|e| (-18..=18).contains(e))?;
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let mut all = format!("{whole}{part}");
    if point <= 0 {
        let zeros = "0".repeat(usize::try_from(1 - point).ok()?);
        all.insert_str(0, &zeros);
    }
    let at = usize::try_from(point.max(1)).ok()?;
    let missing = at.saturating_sub(all.len());
    all.push_str(&"0".repeat(missing));
    let (whole, part) = all.split_at(at);
    let part = part.trim_end_matches('0');
    Some(if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    })
}

/// `1250.50 NOK`, `NOK 1,250.50`, `$1,250.50`, or a number whose currency the row or the mapping
/// tells.
fn read_money(text: &str, forms: &Forms, told: Option<&str>) -> Result<Money, String> {
    let text = text.trim();
    let (number, named) = split_currency(text);
    let told = told.filter(|code| !code.is_empty());
    let currency = match (named, told, forms.currency) {
        (Some(named), ..) => named,
        (None, Some(told), _) => {
            Currency::new(&told.to_ascii_uppercase()).map_err(|e| e.to_string())?
        }
        (None, None, Some(currency)) => currency,
        (None, None, None) => {
            return Err("the amount names no currency, and neither does the mapping".to_owned());
        }
    };
    let number = number.trim_matches(|c: char| c.is_whitespace() || "$€£¥".contains(c));
    let amount = read_decimal(number, forms)?;
    Money::from_major(amount, currency).map_err(|e| e.to_string())
}

/// A currency code before or after the number.
fn split_currency(text: &str) -> (&str, Option<Currency>) {
    let code = |part: Option<&str>| part.and_then(|part| Currency::new(part).ok());
    let length = text.len();
    if let Some(currency) = code(text.get(..3)) {
        return (&text[3..], Some(currency));
    }
    match code(length.checked_sub(3).and_then(|at| text.get(at..))) {
        Some(currency) => (&text[..length - 3], Some(currency)),
        None => (text, None),
    }
}

fn read_date(text: &str, forms: &Forms) -> Result<Date, String> {
    let text = text.trim();
    for format in &forms.dates {
        if let Ok(date) = civil::Date::strptime(format, text) {
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

fn read_instant(text: &str, forms: &Forms) -> Result<Instant, String> {
    let text = text.trim();
    for format in &forms.instants {
        let Ok(read) = BrokenDownTime::parse(format, text) else {
            continue;
        };
        if let Ok(timestamp) = read.to_timestamp() {
            return Ok(Instant::from_millis(timestamp.as_millisecond()));
        }
        let local = read.to_datetime().or_else(|_| {
            read.to_date()
                .map(|date| date.to_datetime(civil::Time::midnight()))
        });
        if let Ok(local) = local {
            return at_zone(local, &forms.zone);
        }
    }
    // A text with an offset is an instant; one without is a local time, a date its midnight.
    match Instant::parse(text) {
        Ok(instant) if text.len() > 10 => Ok(instant),
        _ => match text.parse::<civil::DateTime>() {
            Ok(local) => at_zone(local, &forms.zone),
            Err(_) => Err(format!(
                "expected a time such as {}",
                shown(&forms.instants, "2026-11-21T08:30:00Z")
            )),
        },
    }
}

fn shown(formats: &[String], iso: &str) -> String {
    let mut forms: Vec<&str> = formats.iter().map(String::as_str).collect();
    forms.push(iso);
    forms.join(" or ")
}

/// A local time in its zone; a time that a clock change skips or repeats is read as calendars do.
fn at_zone(local: civil::DateTime, zone: &TimeZone) -> Result<Instant, String> {
    let zoned = local.to_zoned(zone.clone()).map_err(|e| e.to_string())?;
    Ok(Instant::from_millis(zoned.timestamp().as_millisecond()))
}

fn in_zone(instant: Instant, zone: &TimeZone) -> Result<civil::Date, String> {
    let timestamp = jiff::Timestamp::from_millisecond(instant.millis());
    timestamp
        .map(|t| t.to_zoned(zone.clone()).date())
        .map_err(|e| e.to_string())
}

fn own_date(date: civil::Date) -> Result<Date, String> {
    let (month, day) = (
        u32::from(date.month().unsigned_abs()),
        u32::from(date.day().unsigned_abs()),
    );
    Date::from_ymd(i32::from(date.year()), month, day)
        .ok_or_else(|| "expected a date in the years 1 to 9999".to_owned())
}
