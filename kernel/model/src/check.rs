//! The schema check: all faults of a record, not the first.

use kjerne_values::ParseError;

use crate::kind::{Choice, Field, FieldType, Kind};
use crate::name::Name;
use crate::record::Fields;
use crate::refusal::{Code, Refusal};
use crate::value::Value;

/// The most bytes of text in an e-mail, phone or url field.
const MAX_SHORT_TEXT: usize = 2_048;

/// Checks a record's fields against its kind and returns every fault: unknown fields, wrong types,
/// values a field does not take, required fields that are empty. Whether a reference's target
/// exists and a unique value is free needs the store, and is checked there.
#[must_use]
pub fn check_fields(kind: &Kind, fields: &Fields) -> Vec<Refusal> {
    let mut faults = Vec::new();
    for (name, value) in fields {
        match kind.field(name) {
            Some(field) => faults.extend(check_value(field, value)),
            None => faults.push(unknown_field(kind, name)),
        }
    }
    for field in kind.fields.iter().filter(|field| field.required) {
        if !fields.contains_key(&field.name) {
            faults.push(
                Refusal::new(
                    Code::Required,
                    format!("{} needs {}", kind.name, field.name),
                )
                .field(&field.name),
            );
        }
    }
    faults
}

fn unknown_field(kind: &Kind, name: &str) -> Refusal {
    let message = format!("kind {} has no field {name:?}", kind.name);
    Refusal::new(Code::UnknownField, message).field(name)
}

fn check_value(field: &Field, value: &Value) -> Option<Refusal> {
    let name = &field.name;
    let wrong = |why: String| Some(Refusal::new(Code::InvalidValue, why).field(name));
    match (&field.field_type, value) {
        (FieldType::Text { max_bytes }, Value::Text(text)) if text.len() > *max_bytes => {
            wrong(format!(
                "{name} is {} bytes long; at most {max_bytes} are allowed",
                text.len()
            ))
        }
        (FieldType::Choice(choices), Value::Text(text)) if !is_choice(choices, text) => {
            wrong(format!("{name} takes {}, not {text:?}", listed(choices)))
        }
        (FieldType::Choices(_), Value::Choices(chosen)) if chosen.is_empty() => wrong(format!(
            "{name} is a list without a choice; clear the field instead"
        )),
        (FieldType::Choices(choices), Value::Choices(chosen)) => {
            match chosen.iter().find(|one| !is_choice(choices, one)) {
                Some(one) => wrong(format!("{name} takes {}, not {one:?}", listed(choices))),
                None => None,
            }
        }
        (FieldType::Email, Value::Text(text)) if !is_email(text) => {
            wrong(format!("{name}: {} is not an e-mail address", shown(text)))
        }
        (FieldType::Phone, Value::Text(text)) if !is_phone(text) => {
            wrong(format!("{name}: {} is not a phone number", shown(text)))
        }
        (FieldType::Url, Value::Text(text)) if !is_url(text) => wrong(format!(
            "{name}: {} is not an http or https address",
            shown(text)
        )),
        (FieldType::Address, Value::Address(address)) if address.is_empty() => wrong(format!(
            "{name} is an address without any part; clear the field instead"
        )),
        (FieldType::Reference(kinds), Value::Reference(to)) if !kinds.contains(&to.kind) => {
            let kinds: Vec<&str> = kinds.iter().map(Name::as_str).collect();
            wrong(format!(
                "{name} refers to {}, not to {}",
                kinds.join(" or "),
                to.kind
            ))
        }
        (_, Value::Text(text)) if takes_text(&field.field_type) && text.is_empty() => {
            wrong(format!("{name} is empty text; clear the field instead"))
        }
        (expected, found) if !type_fits(expected, found) => Some(
            Refusal::new(
                Code::WrongType,
                format!(
                    "{name} holds {}, not {}",
                    expected.name(),
                    found.type_name()
                ),
            )
            .field(name),
        ),
        _ => None,
    }
}

fn shown(text: &str) -> String {
    ParseError::new("", text).found
}

fn takes_text(field_type: &FieldType) -> bool {
    matches!(
        field_type,
        FieldType::Text { .. }
            | FieldType::Choice(_)
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url
    )
}

fn type_fits(field_type: &FieldType, value: &Value) -> bool {
    match value {
        Value::Text(_) => takes_text(field_type),
        Value::Integer(_) => matches!(field_type, FieldType::Integer),
        Value::Decimal(_) => matches!(field_type, FieldType::Decimal),
        Value::Money(_) => matches!(field_type, FieldType::Money),
        Value::Date(_) => matches!(field_type, FieldType::Date),
        Value::Instant(_) => matches!(field_type, FieldType::Instant),
        Value::Flag(_) => matches!(field_type, FieldType::Flag),
        Value::Choices(_) => matches!(field_type, FieldType::Choices(_)),
        Value::Address(_) => matches!(field_type, FieldType::Address),
        Value::Reference(_) => matches!(field_type, FieldType::Reference(_)),
    }
}

fn is_choice(choices: &[Choice], text: &str) -> bool {
    !text.is_empty() && (choices.is_empty() || choices.iter().any(|choice| choice.value == text))
}

fn listed(choices: &[Choice]) -> String {
    if choices.is_empty() {
        return "a choice that is not empty".to_owned();
    }
    let values: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
    format!("one of {}", values.join(", "))
}

/// One `@` with something sensible on both sides. What else an address may be only its server
/// knows; a stricter rule would refuse addresses that receive mail.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let clean = |part: &str| {
        !part.is_empty()
            && !part
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || c == '@')
    };
    text.len() <= 254
        && clean(local)
        && clean(domain)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

/// Digits with the marks people put between them; 3 to 20 digits, an extension allowed.
fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let allowed = |c: char| c.is_ascii_digit() || " +-().,/x#ext".contains(c);
    text.len() <= 64 && (3..=20).contains(&digits) && text.chars().all(allowed)
}

fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    text.len() <= MAX_SHORT_TEXT
        && !host.is_empty()
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}
