//! Reads values as other systems write them.

use kjerne_model::{FieldType, Value, parse_value, trim};

use super::amounts::read_money;
use super::forms::Forms;
use super::numbers::{read_decimal, read_plain};
use super::times::{read_date, read_instant};

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
            parse_value(field_type, &trim(text).to_ascii_lowercase()).map_err(|e| e.to_string())
        }
        FieldType::Url => {
            parse_value(field_type, &with_scheme(trim(text))).map_err(|e| e.to_string())
        }
        FieldType::Email => {
            parse_value(field_type, without_frame(trim(text))).map_err(|e| e.to_string())
        }
        FieldType::Reference(_) => parse_value(field_type, trim(text)).map_err(|e| e.to_string()),
        _ => parse_value(field_type, text).map_err(|e| e.to_string()),
    }
}

/// An address without what other programs set around it: angle brackets, `mailto:`, and the comma or semicolon
/// that stood between it and the next. A name beside it is no such thing.
fn without_frame(text: &str) -> &str {
    let text = text.trim_end_matches([',', ';']).trim_end();
    let inner = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    let text = trim(inner.unwrap_or(text));
    match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => trim(&text[7..]),
        _ => text,
    }
}

/// A whole number, also when it is written `100.0`.
fn read_integer(text: &str, forms: &Forms) -> Result<Value, String> {
    let plain = read_plain(text, forms)?;
    if forms.scale.is_none() && !plain.contains('.') {
        return parse_value(&FieldType::Integer, &plain).map_err(|error| error.to_string());
    }
    let number = read_decimal(text, forms)?;
    match number.scale() {
        0 => Ok(Value::Integer(number.coefficient())),
        _ => Err("expected a whole number".to_owned()),
    }
}

/// People write `www.example.org`; what is stored says how it is reached. What does not begin with
/// the name of a host stays as it is, and is refused as no web address.
fn with_scheme(text: &str) -> String {
    let place = text.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = place.split_once(':').unwrap_or((place, "80"));
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port && is_host(host) {
        format!("https://{text}")
    } else {
        text.to_owned()
    }
}

/// Labels of letters, digits and hyphens, the last of them a word: neither `1.00` nor `0..0`.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let last = text.rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| last.len() >= 2 && last.starts_with(char::is_alphabetic))
        && text.split('.').all(is_label)
}
