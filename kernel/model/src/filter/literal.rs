//! What a path holds, and reading a literal as a value of that type.

use kjerne_values::{Currency, Date, Decimal, Instant, Money, fold_case};

use super::condition::{Own, Path};
use super::lex::Token;
use crate::choices;
use crate::id::{RecordId, Reference};
use crate::kind::{Choice, FieldType, Kind};
use crate::name::Name;
use crate::parse::no_integer;
use crate::value::{Address, Value};

/// The type of what a path leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Text,
    /// One of these, as the field lists them.
    Choice(Vec<String>),
    Integer,
    Decimal,
    Money,
    Currency,
    Date,
    Instant,
    Flag,
    /// Some of these; any text when there are none.
    Choices(Vec<String>),
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
            Path::Field(name) | Path::Like(name, _) => kind
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
            FieldType::Text { .. } | FieldType::Email | FieldType::Phone | FieldType::Url => {
                Self::Text
            }
            FieldType::Choice(choices) if choices.is_empty() => Self::Text,
            FieldType::Choice(choices) => Self::Choice(values(choices)),
            FieldType::Integer => Self::Integer,
            FieldType::Decimal => Self::Decimal,
            FieldType::Money => Self::Money,
            FieldType::Date => Self::Date,
            FieldType::Instant => Self::Instant,
            FieldType::Flag => Self::Flag,
            FieldType::Choices(choices) => Self::Choices(values(choices)),
            FieldType::Address => Self::Address,
            FieldType::Reference(kinds) => Self::Reference(kinds.clone()),
        }
    }

    /// Less and greater mean something.
    pub(super) fn is_ordered(&self) -> bool {
        !matches!(
            self,
            Self::Flag | Self::Choices(_) | Self::Address | Self::Reference(_) | Self::Currency
        )
    }

    /// `contains` and its siblings apply.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Choice(_) | Self::Currency)
    }

    /// Whether text can be looked for here: in a list of choices only one that it may hold.
    pub(super) fn may_contain(&self, text: &str) -> bool {
        match self {
            Self::Choices(known) if !known.is_empty() => {
                let text = fold_case(text);
                known.iter().any(|one| fold_case(one) == text)
            }
            _ => true,
        }
    }

    /// What a literal of this type looks like.
    pub(super) fn expected(&self) -> String {
        match self {
            Self::Text => "text in single quotes".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Decimal => "a number such as 12.5".to_owned(),
            Self::Money => "an amount and a currency such as '1250.50 NOK'".to_owned(),
            Self::Choice(choices) => format!("one of '{}'", choices.join("', '")),
            Self::Currency => "a currency code of ISO 4217 such as 'NOK'".to_owned(),
            Self::Date => "a date such as 2026-01-31".to_owned(),
            Self::Instant => "an instant such as 2026-01-31T00:00:00+01:00".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choices(known) if known.is_empty() => "choices such as 'mail;phone'".to_owned(),
            Self::Choices(known) => format!("some of '{}'", choices::written(known)),
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

    /// What would have been right in place of a literal that is none of this type: which rule it
    /// breaks, where it has the form of one.
    pub(super) fn expected_for(&self, token: &Token) -> String {
        match (self, token) {
            (Self::Money, Token::Text(text)) if begins_with_code(text) => {
                "an amount and behind it a currency, such as '1250.50 NOK'".to_owned()
            }
            (Self::Money, Token::Text(text)) => match Money::parse(text) {
                Err(error) => format!("{}, in single quotes", error.expected),
                Ok(_) => self.expected(),
            },
            (Self::Integer | Self::Decimal, Token::Word(word)) => self.expected_number(word),
            (Self::Instant, Token::Word(text) | Token::Text(text)) => expected_instant(text),
            _ => self.expected(),
        }
    }

    /// Numbers of both types take decimals, so that a bound may stand between two whole ones.
    fn expected_number(&self, word: &str) -> String {
        let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
        let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_power = digits.starts_with(|letter: char| letter.is_ascii_digit())
            && digits.contains(['e', 'E']);
        match Decimal::parse(word) {
            _ if is_power => "a number without an exponent, such as 1000 or 12.5".to_owned(),
            Err(error) if is_plain && !(is_whole && *self == Self::Integer) => error.expected,
            _ if *self == Self::Integer => no_integer(word).expected,
            _ => self.expected(),
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
            (Self::Choice(known), Token::Text(text)) => {
                known.contains(text).then(|| Value::Text(text.clone()))
            }
            (Self::Choices(known), Token::Text(text)) => listed(known, text),
            (Self::Integer | Self::Decimal, Token::Word(word)) => number(word),
            (Self::Flag, Token::Word(word)) => {
                let flag = word.eq_ignore_ascii_case("true");
                (flag || word.eq_ignore_ascii_case("false")).then_some(Value::Flag(flag))
            }
            (Self::Date, Token::Word(text) | Token::Text(text)) => {
                Date::parse(text).ok().map(Value::Date)
            }
            (Self::Instant, Token::Word(text) | Token::Text(text)) => {
                let is_date = Date::read(text).is_some();
                let instant = Instant::read(text).filter(|_| !is_date);
                instant.map(Value::Instant)
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

/// Why a text is no instant, as far as it has the form of one.
fn expected_instant(text: &str) -> String {
    let expected = Target::Instant.expected();
    if Date::read(text).is_some() {
        return format!("{expected}, as a date does not say in which zone its day begins");
    }
    match Instant::read(&format!("{text}Z")) {
        Some(_) => format!(
            "{expected}, as a time alone does not say in which zone it is; Z is UTC, and in an address + is \
             written %2B"
        ),
        None => expected,
    }
}

fn begins_with_code(text: &str) -> bool {
    let code = text.split_whitespace().next().unwrap_or_default();
    Currency::new(code).is_ok()
}

fn values(choices: &[Choice]) -> Vec<String> {
    choices.iter().map(|choice| choice.value.clone()).collect()
}

/// At least one choice, and none that the field does not list.
fn listed(known: &[String], text: &str) -> Option<Value> {
    let chosen = choices::read(text);
    let are_known = known.is_empty() || chosen.iter().all(|one| known.contains(one));
    (are_known && !chosen.is_empty()).then(|| Value::choices(chosen))
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
