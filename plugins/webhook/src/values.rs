//! The forms in which values come from outside, and how a text is read in each.

use kjerne_sdk::{Date, Decimal, Instant, Money, RecordRef, Value};

/// What a value from outside is to become.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Form {
    Text,
    Integer,
    Decimal,
    /// An amount in this currency, unless the message names another.
    Money(Option<String>),
    Date,
    Instant,
    Flag,
    Choices,
    Reference,
    /// The record of a kind whose field has this value.
    Lookup {
        kind: String,
        by: String,
    },
}

/// The value a text is in a form that asks nobody; none when it is none, and for a look-up.
pub fn value_of(form: &Form, text: &str) -> Option<Value> {
    match form {
        Form::Text => Some(Value::from(text)),
        Form::Integer => text.parse::<i64>().ok().map(Value::from),
        Form::Decimal => Decimal::parse(text).map(Value::from),
        Form::Money(currency) => money(text, currency.as_deref()),
        Form::Date => Date::parse(text).map(Value::from),
        Form::Instant => instant(text).map(Value::from),
        Form::Flag => flag(text).map(Value::from),
        Form::Choices => {
            let parts = text.split(';').map(|part| part.trim().to_owned());
            Some(Value::from(parts.collect::<Vec<_>>()))
        }
        Form::Reference => RecordRef::parse(text).map(Value::from),
        Form::Lookup { .. } => None,
    }
}

/// What a text has to be for a form, as people say it.
pub fn expected(form: &Form) -> &'static str {
    match form {
        Form::Integer => "a whole number",
        Form::Decimal => "a decimal number",
        Form::Money(_) => "an amount such as 1250.00 NOK",
        Form::Date => "a date such as 2026-05-17",
        Form::Instant => "a time such as 2026-05-17T08:30:00Z",
        Form::Flag => "true or false",
        Form::Reference => "a reference such as account/ID",
        Form::Text | Form::Choices | Form::Lookup { .. } => "a text",
    }
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A time in RFC 3339, with any offset; or, as devices count, seconds since 1970 in ten digits or
/// milliseconds in thirteen: from 2001 to 2286. Any other number is a date or a mistake, and never
/// an afternoon in 1970.
fn instant(text: &str) -> Option<Instant> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        if text.starts_with('0') {
            return None;
        }
        let count: i64 = text.parse().ok()?;
        return match text.len() {
            10 => Some(Instant::from_millis(count * 1_000)),
            13 => Some(Instant::from_millis(count)),
            _ => None,
        };
    }
    Instant::read(text)
}

/// `1250.00`, in the currency of the settings, or `1250.00 NOK`. More digits than the currency has
/// are refused rather than rounded.
fn money(text: &str, currency: Option<&str>) -> Option<Value> {
    let (amount, currency) = match text.split_once(' ') {
        Some((amount, currency)) => (amount, currency),
        None => (text, currency?),
    };
    Money::from_major(Decimal::parse(amount)?, currency).map(Value::from)
}
