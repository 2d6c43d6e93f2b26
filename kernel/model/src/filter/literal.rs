//! What a path holds, and reading a literal as a value of that type.

use kjerne_values::{Currency, Date, Decimal, Instant, Money};

use super::condition::{Own, Path};
use super::lex::Token;
use crate::id::{RecordId, Reference};
use crate::kind::{FieldType, Kind};
use crate::name::Name;
use crate::value::{Address, Value};

/// The type of what a path leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Text,
    Integer,
    Decimal,
    Money,
    Currency,
    Date,
    Instant,
    Flag,
    Choices,
    /// A whole address, which is compared by its parts only.
    Address,
    Reference(Vec<Name>),
    Id,
}

impl Target {
    /// The type a path leads to in a kind; none when the path is not one of the kind's.
    pub(super) fn of(path: &Path, kind: &Kind) -> Option<Self> {
        match path {
            Path::Own(Own::Id) => Some(Self::Id),
            Path::Own(Own::Version) => Some(Self::Integer),
            Path::Own(Own::CreatedAt | Own::UpdatedAt) => Some(Self::Instant),
            Path::Field(name) => kind
                .field(name)
                .map(|field| Self::of_field(&field.field_type)),
            Path::Part(name, part) => match (&kind.field(name)?.field_type, part.as_str()) {
                (FieldType::Address, part) => Address::PARTS.contains(&part).then_some(Self::Text),
                (FieldType::Money, "minor") => Some(Self::Integer),
                (FieldType::Money, "currency") => Some(Self::Currency),
                _ => None,
            },
        }
    }

    fn of_field(field_type: &FieldType) -> Self {
        match field_type {
            FieldType::Text { .. }
            | FieldType::Choice(_)
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url => Self::Text,
            FieldType::Integer => Self::Integer,
            FieldType::Decimal => Self::Decimal,
            FieldType::Money => Self::Money,
            FieldType::Date => Self::Date,
            FieldType::Instant => Self::Instant,
            FieldType::Flag => Self::Flag,
            FieldType::Choices(_) => Self::Choices,
            FieldType::Address => Self::Address,
            FieldType::Reference(kinds) => Self::Reference(kinds.clone()),
        }
    }

    /// Less and greater mean something.
    pub(super) fn is_ordered(&self) -> bool {
        !matches!(
            self,
            Self::Flag | Self::Choices | Self::Address | Self::Reference(_) | Self::Currency
        )
    }

    /// `contains` and its siblings apply.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Currency)
    }

    /// What a literal of this type looks like.
    pub(super) fn expected(&self) -> String {
        match self {
            Self::Text => "text in single quotes".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Decimal => "a number such as 12.5".to_owned(),
            Self::Money => "an amount and a currency such as '1250.50 NOK'".to_owned(),
            Self::Currency => "a currency code such as 'NOK'".to_owned(),
            Self::Date => "a date such as 2026-01-31".to_owned(),
            Self::Instant => "an instant such as 2026-01-31T08:00:00Z or a date".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choices => "choices such as 'mail;phone'".to_owned(),
            Self::Address => "null; compare a part of the address, such as its city".to_owned(),
            Self::Reference(kinds) => match kinds.as_slice() {
                [only] => format!("the id of a record of kind {only}"),
                _ => format!(
                    "a reference such as '{}/ID'",
                    kinds.first().map_or("kind", |k| k)
                ),
            },
            Self::Id => "a record id".to_owned(),
        }
    }

    /// Reads a literal as this type; none when it is not one.
    pub(super) fn read(&self, token: &Token) -> Option<Value> {
        match (self, token) {
            (Self::Text, Token::Text(text)) => Some(Value::Text(text.clone())),
            (Self::Currency, Token::Text(text)) => Currency::new(text)
                .ok()
                .map(|code| Value::Text(code.to_string())),
            (Self::Money, Token::Text(text)) => Money::parse(text).ok().map(Value::Money),
            (Self::Choices, Token::Text(text)) => Some(choices(text)),
            (Self::Integer | Self::Decimal, Token::Word(word)) => number(word),
            (Self::Flag, Token::Word(word)) => match word.as_str() {
                "true" => Some(Value::Flag(true)),
                "false" => Some(Value::Flag(false)),
                _ => None,
            },
            (Self::Date, Token::Word(text) | Token::Text(text)) => {
                Date::parse(text).ok().map(Value::Date)
            }
            (Self::Instant, Token::Word(text) | Token::Text(text)) => {
                Instant::parse(text).ok().map(Value::Instant)
            }
            (Self::Id, Token::Word(text) | Token::Text(text)) => RecordId::parse(text)
                .ok()
                .map(|id| Value::Text(id.to_string())),
            (Self::Reference(kinds), Token::Word(text) | Token::Text(text)) => {
                reference(kinds, text).map(Value::Reference)
            }
            _ => None,
        }
    }
}

fn choices(text: &str) -> Value {
    let parts = text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    Value::choices(parts.map(str::to_owned).collect())
}

/// A whole number where it is one, so that it meets integer fields exactly.
fn number(word: &str) -> Option<Value> {
    match word.parse::<i64>() {
        Ok(whole) => Some(Value::Integer(whole)),
        Err(_) => Decimal::parse(word).ok().map(Value::Decimal),
    }
}

fn reference(kinds: &[Name], text: &str) -> Option<Reference> {
    let reference = match kinds {
        [only] if !text.contains('/') => Reference::new(only.clone(), RecordId::parse(text).ok()?),
        _ => Reference::parse(text).ok()?,
    };
    kinds.contains(&reference.kind).then_some(reference)
}
