//! Values: what a field holds.

use crate::contract::{Decimal, Money, RecordRef, Value};
use crate::time::{Date, Instant};

impl Value {
    /// The text, when it is text (or e-mail, phone, url, one choice).
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, when it is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The decimal number, when it is a decimal or a whole number.
    #[must_use]
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Decimal(number) => Some(*number),
            Self::Integer(number) => Some(Decimal::from(*number)),
            _ => None,
        }
    }

    /// The amount, when it is money.
    #[must_use]
    pub fn as_money(&self) -> Option<&Money> {
        match self {
            Self::Money(money) => Some(money),
            _ => None,
        }
    }

    /// The date, when it is one.
    #[must_use]
    pub fn as_date(&self) -> Option<Date> {
        match self {
            Self::Date(days) => Some(Date::from_days(*days)),
            _ => None,
        }
    }

    /// The instant, when it is one.
    #[must_use]
    pub fn as_instant(&self) -> Option<Instant> {
        match self {
            Self::Instant(millis) => Some(Instant::from_millis(*millis)),
            _ => None,
        }
    }

    /// Yes or no, when it is a flag.
    #[must_use]
    pub fn as_flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The choices, when it is a set of them.
    #[must_use]
    pub fn as_choices(&self) -> Option<&[String]> {
        match self {
            Self::Choices(choices) => Some(choices),
            _ => None,
        }
    }

    /// The record it points to, when it is a reference.
    #[must_use]
    pub fn as_reference(&self) -> Option<&RecordRef> {
        match self {
            Self::Reference(target) => Some(target),
            _ => None,
        }
    }
}

impl Value {
    /// Whether this is what settings write: compared by what it is and not by its letters, so that
    /// `1000 NOK` is `1000.00 NOK`, an instant is the same in every zone, an e-mail address has no case, and a phone
    /// number no blanks. A list of choices is what is written when it holds all choices that are.
    #[must_use]
    pub fn is_written(&self, text: &str) -> bool {
        match self {
            Self::Text(known) => known == text || is_same_text(known, text),
            Self::Integer(_) | Self::Decimal(_) => self
                .as_decimal()
                .is_some_and(|known| Some(known) == Decimal::parse(text)),
            Self::Money(known) => {
                let parts = text.split_once(' ');
                let read = parts.and_then(|(amount, currency)| {
                    Money::from_major(Decimal::parse(amount)?, currency.trim())
                });
                read.as_ref() == Some(known)
            }
            Self::Date(_) => self.as_date() == Date::parse(text),
            Self::Instant(_) => self.as_instant() == Instant::read(text),
            Self::Flag(known) => text.eq_ignore_ascii_case(if *known { "true" } else { "false" }),
            Self::Choices(known) => {
                let mut parts = text.split(';').map(str::trim);
                known.iter().any(|one| one == text)
                    || parts.all(|part| known.iter().any(|one| one == part))
            }
            Self::Reference(known) => known.id == text || known.to_string() == text,
            Self::Other(_) => false,
        }
    }
}

/// Whether two texts are the same e-mail address, or the same phone number with its country.
fn is_same_text(one: &str, other: &str) -> bool {
    let is_address = |text: &str| {
        let (name, host) = text.split_once('@').unwrap_or_default();
        !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
    };
    let dialled = |text: &str| {
        let digits = text.strip_prefix('+')?;
        let is_mark = |sign: char| " -./()".contains(sign) || sign == '\u{a0}';
        let is_phone = digits
            .chars()
            .all(|sign| is_mark(sign) || sign.is_ascii_digit());
        let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
        (is_phone && !digits.is_empty()).then_some(digits)
    };
    if is_address(one) && is_address(other) {
        return kjerne_values::fold_case(one) == kjerne_values::fold_case(other);
    }
    dialled(one).is_some_and(|digits| Some(digits) == dialled(other))
}

macro_rules! from {
    ($($type:ty => $make:expr),+ $(,)?) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                $make(value)
            }
        })+
    };
}

from! {
    &str => |text: &str| Self::Text(text.to_owned()),
    &String => |text: &String| Self::Text(text.clone()),
    String => Self::Text,
    i64 => Self::Integer,
    i32 => |number: i32| Self::Integer(number.into()),
    u32 => |number: u32| Self::Integer(number.into()),
    u8 => |number: u8| Self::Integer(number.into()),
    Decimal => Self::Decimal,
    Money => Self::Money,
    &Money => |money: &Money| Self::Money(money.clone()),
    Date => |date: Date| Self::Date(date.days()),
    Instant => |instant: Instant| Self::Instant(instant.millis()),
    bool => Self::Flag,
    RecordRef => Self::Reference,
    &RecordRef => |target: &RecordRef| Self::Reference(target.clone()),
}

impl From<Vec<String>> for Value {
    fn from(mut choices: Vec<String>) -> Self {
        choices.sort();
        choices.dedup();
        Self::Choices(choices)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_compared_by_what_they_are() {
        let money = || Value::from(Money::new(100_000, "NOK"));
        let at = || Value::from(Instant::parse("2026-03-02T09:00:00Z").unwrap());
        let tags = || Value::from(vec!["fire".to_owned(), "water".to_owned()]);
        let account = || Value::from(RecordRef::new("account", "a-1"));
        let rows = [
            (Value::from("Kari@example.com"), "kari@EXAMPLE.com", true),
            (Value::from("Kari"), "kari", false),
            (Value::from("+47 22 33 44 55"), "+4722334455", true),
            (Value::from("22334455"), "+4722334455", false),
            (money(), "1000 NOK", true),
            (money(), "1000.00 NOK", true),
            (money(), "1000.00 EUR", false),
            (money(), "1000", false),
            (Value::from(8_i64), "8.0", true),
            (at(), "2026-03-02T10:00:00+01:00", true),
            (Value::from(true), "true", true),
            (Value::from(true), "false", false),
            (tags(), "fire", true),
            (tags(), "water;fire", true),
            (tags(), "theft", false),
            (account(), "a-1", true),
            (account(), "account/a-1", true),
            (account(), "account/a-2", false),
        ];
        for (value, text, expected) in rows {
            assert_eq!(value.is_written(text), expected, "{value:?} and {text}");
        }
    }
}
