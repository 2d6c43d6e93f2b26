//! Reads values from the text people and files write.

use kjerne_values::{Date, Decimal, Instant, Money, ParseError, is_blank};

use crate::choices;
use crate::id::{RecordId, Reference};
use crate::kind::FieldType;
use crate::value::{Address, Value};

/// Reads text as a value for a field of this type, in the form [`Value`] is written.
///
/// Only the form is checked here; whether the field takes the value (length, choice, e-mail) is
/// [`crate::check_fields`]' matter, so that every way in meets the same check.
///
/// # Errors
/// When the text cannot be read as the type.
pub fn parse_value(field_type: &FieldType, text: &str) -> Result<Value, ParseError> {
    match field_type {
        FieldType::Text { .. }
        | FieldType::Choice(_)
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url => Ok(Value::Text(text.to_owned())),
        FieldType::Integer => {
            let number = text.parse();
            Ok(Value::Integer(number.map_err(|_| no_integer(text))?))
        }
        FieldType::Decimal => Decimal::parse(text).map(Value::Decimal),
        FieldType::Money => Money::parse(text).map(Value::Money),
        FieldType::Date => Date::parse(text).map(Value::Date),
        FieldType::Instant => Instant::parse(text).map(Value::Instant),
        FieldType::Flag => match text {
            "true" | "yes" | "1" => Ok(Value::Flag(true)),
            "false" | "no" | "0" => Ok(Value::Flag(false)),
            _ => Err(ParseError::new("true or false", text)),
        },
        // Counted before they are taken apart: each is a text of its own then.
        FieldType::Choices(_) if text.matches(';').count() >= Value::MAX_CHOICES => {
            Err(ParseError::new("at most 1,000 choices", text))
        }
        FieldType::Choices(_) => Ok(Value::choices(choices::read(text))),
        FieldType::Address => parse_address(text).map(Value::Address),
        FieldType::Reference(kinds) => match (text.contains('/'), kinds.as_slice()) {
            (false, [only]) => Ok(Value::Reference(Reference::new(
                only.clone(),
                RecordId::parse(text)?,
            ))),
            _ => Reference::parse(text).map(Value::Reference),
        },
    }
}

/// Whether a text is no whole number, or one that does not fit.
pub(crate) fn no_integer(text: &str) -> ParseError {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let expected = match is_number {
        true => "a whole number from -9223372036854775808 to 9223372036854775807",
        false => "a whole number",
    };
    ParseError::new(expected, text)
}

fn parse_address(text: &str) -> Result<Address, ParseError> {
    let parts: Vec<&str> = text.split('|').collect();
    let [street, postal_code, city, region, country] = parts.as_slice() else {
        return Err(ParseError::new(
            "an address as street|postal code|city|region|country",
            text,
        ));
    };
    Ok(Address {
        street: filled(street),
        postal_code: filled(postal_code),
        city: filled(city),
        region: filled(region),
        country: filled(country),
    })
}

/// A part of an address; nothing for one in which there is nothing to read.
fn filled(part: &str) -> String {
    match is_blank(part) {
        true => String::new(),
        false => part.to_owned(),
    }
}
