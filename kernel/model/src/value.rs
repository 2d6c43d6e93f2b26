//! Field values.

use std::cmp::Ordering;
use std::fmt;

use kjerne_values::{Date, Decimal, Instant, Money, is_blank};

use crate::choices;
use crate::id::Reference;

/// The value of one field. An absent field is empty; there is no null.
///
/// Text, e-mail, phone, url and choice fields all hold [`Value::Text`]: what the text must look
/// like is a property of the field, not of the value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// Text, e-mail, phone, url or one choice.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// An exact decimal number.
    Decimal(Decimal),
    /// An amount of money.
    Money(Money),
    /// A calendar date.
    Date(Date),
    /// A point in time.
    Instant(Instant),
    /// Yes or no.
    Flag(bool),
    /// Several choices, sorted and without repetition.
    Choices(Vec<String>),
    /// A postal address.
    Address(Address),
    /// A reference to a record.
    Reference(Reference),
}

impl Value {
    /// The most choices one field holds.
    pub const MAX_CHOICES: usize = 1_000;
    /// The most bytes of a choice that no field lists.
    pub const MAX_CHOICE_BYTES: usize = 1_024;

    /// Several choices, brought into their canonical order.
    #[must_use]
    pub fn choices(mut choices: Vec<String>) -> Self {
        choices.sort();
        choices.dedup();
        Self::Choices(choices)
    }

    /// True for a value in which there is nothing. None is ever stored: a field that holds nothing is
    /// absent, whatever way nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => is_blank(text),
            Self::Choices(choices) => choices.is_empty(),
            Self::Address(address) => address.is_empty(),
            _ => false,
        }
    }

    /// What this value is called in messages: `text`, `integer`, ….
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Money(_) => "money",
            Self::Date(_) => "date",
            Self::Instant(_) => "instant",
            Self::Flag(_) => "flag",
            Self::Choices(_) => "choices",
            Self::Address(_) => "address",
            Self::Reference(_) => "reference",
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The reference, if this is one.
    #[must_use]
    pub fn as_reference(&self) -> Option<&Reference> {
        match self {
            Self::Reference(reference) => Some(reference),
            _ => None,
        }
    }

    /// Orders two values of one type; none for different types, and for money in different
    /// currencies, which is never compared without a rate. Integers and decimals compare.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (Self::Decimal(a), Self::Decimal(b)) => Some(a.cmp(b)),
            (Self::Integer(a), Self::Decimal(b)) => Some(Decimal::from(*a).cmp(b)),
            (Self::Decimal(a), Self::Integer(b)) => Some(a.cmp(&Decimal::from(*b))),
            (Self::Money(a), Self::Money(b)) => {
                (a.currency == b.currency).then(|| a.minor.cmp(&b.minor))
            }
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Instant(a), Self::Instant(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Instant(b)) => Some(Instant::at_midnight(*a).cmp(b)),
            (Self::Instant(a), Self::Date(b)) => Some(a.cmp(&Instant::at_midnight(*b))),
            (Self::Flag(a), Self::Flag(b)) => Some(a.cmp(b)),
            (Self::Choices(a), Self::Choices(b)) => Some(a.cmp(b)),
            (Self::Reference(a), Self::Reference(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// The form a person reads and types; [`crate::parse_value`] reads it back.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Decimal(number) => write!(f, "{number}"),
            Self::Money(money) => write!(f, "{money}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Instant(instant) => write!(f, "{instant}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Choices(choices) => f.write_str(&choices::written(choices)),
            Self::Address(address) => write!(f, "{address}"),
            Self::Reference(reference) => write!(f, "{reference}"),
        }
    }
}

/// A postal address. Empty parts are empty text.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Address {
    /// Street and number; may hold several lines.
    pub street: String,
    /// Postal code.
    pub postal_code: String,
    /// City or post town.
    pub city: String,
    /// State, county or province.
    pub region: String,
    /// Country, best as ISO 3166-1 alpha-2.
    pub country: String,
}

impl Address {
    /// The names of the parts, in the order they are written.
    pub const PARTS: [&'static str; 5] = ["street", "postal_code", "city", "region", "country"];

    /// The most bytes of a part.
    pub const MAX_PART_BYTES: usize = 1_024;

    /// One part by its name.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&str> {
        match name {
            "street" => Some(&self.street),
            "postal_code" => Some(&self.postal_code),
            "city" => Some(&self.city),
            "region" => Some(&self.region),
            "country" => Some(&self.country),
            _ => None,
        }
    }

    /// The place of one part by its name, to be written to.
    pub fn part_mut(&mut self, name: &str) -> Option<&mut String> {
        match name {
            "street" => Some(&mut self.street),
            "postal_code" => Some(&mut self.postal_code),
            "city" => Some(&mut self.city),
            "region" => Some(&mut self.region),
            "country" => Some(&mut self.country),
            _ => None,
        }
    }

    /// True when every part is blank; an empty address is not stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let parts = Self::PARTS.iter().filter_map(|part| self.part(part));
        parts.into_iter().all(is_blank)
    }
}

/// Five parts separated by `|`: `Storgata 1|0155|Oslo||NO`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            street,
            postal_code,
            city,
            region,
            country,
        } = self;
        write!(f, "{street}|{postal_code}|{city}|{region}|{country}")
    }
}
