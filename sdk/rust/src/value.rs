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
