//! The schema check: all faults of a record, not the first.

use kjerne_values::{ParseError, is_blank, is_unseen};

use crate::email::{self, is_email};
use crate::kind::{Choice, Field, FieldType, Kind, is_plain_choice};
use crate::name::Name;
use crate::phone::{self, is_phone};
use crate::record::Fields;
use crate::refusal::{Code, Refusal};
use crate::url::{self, is_url};
use crate::value::{Address, Value};

/// The most bytes of an e-mail address, by RFC 5321.
const EMAIL_BYTES: usize = 254;

/// Checks a record's fields against its kind and returns every fault: unknown fields, wrong types,
/// values a field does not take, required fields that are empty. Whether a reference's target
/// exists and a unique value is free needs the store, and is checked there.
#[must_use]
pub fn check_fields(kind: &Kind, fields: &Fields) -> Vec<Refusal> {
    let mut faults = Vec::new();
    for (name, value) in fields {
        match kind.field(name) {
            // An empty value in a required field is told once, as what is missing.
            Some(field) if field.required && value.is_empty() => {}
            Some(field) => faults.extend(check_value(field, value)),
            None => faults.push(unknown_field(kind, name)),
        }
    }
    for field in kind.fields.iter().filter(|field| field.required) {
        if fields.get(&field.name).is_none_or(Value::is_empty) {
            let message = format!("{} needs {}", kind.name, field.name);
            faults.push(Refusal::new(Code::Required, message).field(&field.name));
        }
    }
    faults
}

/// Checks fields that are written anew, as [`check_fields`] does and by the rules that came later.
#[must_use]
pub fn check_given(kind: &Kind, fields: &Fields) -> Vec<Refusal> {
    let mut faults = check_fields(kind, fields);
    let given = fields
        .iter()
        .filter_map(|(name, value)| Some((kind.field(name)?, value)));
    let mut further: Vec<Refusal> = given
        .filter_map(|(field, value)| check_new(field, value))
        .collect();
    let told = |name: &Option<String>| faults.iter().any(|fault| fault.field == *name);
    further.retain(|fault| !told(&fault.field));
    faults.extend(further);
    faults
}

/// What only a value that is written anew is checked for: records of earlier versions may hold it, and stay
/// good for a change of something else.
#[must_use]
pub fn check_new(field: &Field, value: &Value) -> Option<Refusal> {
    let name = &field.name;
    let why = match (&field.field_type, value) {
        (FieldType::Phone, Value::Text(text)) => {
            let rule = phone::several(text).or_else(|| phone::something_else(text));
            format!("{name}: {} {}", shown(text), rule?)
        }
        (FieldType::Email, Value::Text(text)) if !email::is_written(text) => {
            no_such(name, text, "an e-mail address")
        }
        (FieldType::Url, Value::Text(text)) if !url::is_written(text) => {
            no_such(name, text, "an http or https address")
        }
        (FieldType::Decimal, Value::Decimal(number)) if !number.is_written() => {
            format!("{name}: {number} has more than 18 digits")
        }
        (FieldType::Address, Value::Address(address)) => {
            let mut parts = Address::PARTS.iter();
            let blank = |part: &&&str| {
                let text = address.part(part).unwrap_or_default();
                !text.is_empty() && is_blank(text)
            };
            format!("{name}.{} holds nothing but blanks", parts.find(blank)?)
        }
        (_, Value::Text(text)) if is_exact(field) => hidden(name, text)?,
        (FieldType::Choices(_), Value::Choices(chosen)) => {
            chosen.iter().find_map(|one| hidden(name, one))?
        }
        _ => return None,
    };
    Some(Refusal::new(Code::InvalidValue, why).field(name))
}

/// True for a field whose text names something, so that what nobody sees in it makes it another.
fn is_exact(field: &Field) -> bool {
    use FieldType::{Choice, Email, Url};
    field.unique || matches!(field.field_type, Choice(_) | Email | Url)
}

/// Tells of a character without a shape, and of a joiner that joins nothing.
fn hidden(name: &Name, text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let joined = |at: Option<usize>| {
        let letter = at.and_then(|at| letters.get(at));
        letter.is_some_and(|letter| !letter.is_ascii())
    };
    let is_hidden = |(at, letter): &(usize, &char)| match letter {
        '\u{200c}' | '\u{200d}' => !joined(at.checked_sub(1)) || !joined(Some(at + 1)),
        letter => is_unseen(**letter),
    };
    let (at, letter) = letters.iter().enumerate().find(is_hidden)?;
    let (place, sign) = (at + 1, letter.escape_unicode());
    let text = shown(text);
    Some(format!(
        "{name}: {text} holds a character that is not seen, {sign}, in place {place}; write it without"
    ))
}

fn no_phone(name: &Name, text: &str) -> String {
    match phone::several(text) {
        Some(rule) => format!("{name}: {} {rule}", shown(text)),
        None => no_such(name, text, "a phone number"),
    }
}

fn unknown_field(kind: &Kind, name: &str) -> Refusal {
    let message = format!("kind {} has no field {name:?}", kind.name);
    Refusal::new(Code::UnknownField, message).field(name)
}

fn check_value(field: &Field, value: &Value) -> Option<Refusal> {
    let name = &field.name;
    let (code, why) = if !type_fits(&field.field_type, value) {
        let (expected, found) = (field.field_type.name(), value.type_name());
        (
            Code::WrongType,
            format!("{name} holds {expected}, not {found}"),
        )
    } else if value.is_empty() {
        let why = format!(
            "{name} is {} without anything in it; clear the field instead",
            value.type_name()
        );
        (Code::InvalidValue, why)
    } else {
        (Code::InvalidValue, value_fault(field, value)?)
    };
    Some(Refusal::new(code, why).field(name))
}

/// Which rule a value of the right type breaks.
fn value_fault(field: &Field, value: &Value) -> Option<String> {
    let name = &field.name;
    match (&field.field_type, value) {
        (FieldType::Text { max_bytes }, Value::Text(text)) => too_long(name, text, *max_bytes),
        (FieldType::Choice(choices), Value::Text(text)) => open_too_long(name, choices, text)
            .or_else(|| (!is_choice(choices, text)).then(|| no_choice(name, choices, text))),
        (FieldType::Choices(_), Value::Choices(chosen)) if chosen.len() > Value::MAX_CHOICES => {
            let (found, most) = (chosen.len(), Value::MAX_CHOICES);
            Some(format!(
                "{name} holds {found} choices; at most {most} are allowed"
            ))
        }
        (FieldType::Choices(choices), Value::Choices(chosen)) => {
            let mut chosen_texts = chosen.iter();
            let long = chosen_texts.find_map(|one| open_too_long(name, choices, one));
            if long.is_some() {
                return long;
            }
            let other = chosen
                .iter()
                .find(|one| !is_choice(choices, one) || choices.is_empty() && one.contains(';'));
            other.map(|one| no_choice(name, choices, one))
        }
        (FieldType::Email, Value::Text(text)) => too_long(name, text, EMAIL_BYTES)
            .or_else(|| (!is_email(text)).then(|| no_such(name, text, "an e-mail address"))),
        (FieldType::Phone, Value::Text(text)) => too_long(name, text, phone::MAX_BYTES)
            .or_else(|| (!is_phone(text)).then(|| no_phone(name, text))),
        (FieldType::Url, Value::Text(text)) => too_long(name, text, url::MAX_BYTES)
            .or_else(|| (!is_url(text)).then(|| no_such(name, text, "an http or https address"))),
        (FieldType::Reference(kinds), Value::Reference(to)) => {
            let kinds: Vec<&str> = kinds.iter().map(Name::as_str).collect();
            let wrong = !kinds.contains(&to.kind.as_str());
            wrong.then(|| {
                format!(
                    "{name} refers to {}, not to {}",
                    kinds.join(" or "),
                    to.kind
                )
            })
        }
        (FieldType::Address, Value::Address(address)) => Address::PARTS.iter().find_map(|part| {
            let text = address.part(part).unwrap_or_default();
            too_long(&format!("{name}/{part}"), text, Address::MAX_PART_BYTES)
        }),
        (FieldType::Date, Value::Date(date)) => (!date.is_written()).then(|| out_of_years(name)),
        (FieldType::Instant, Value::Instant(at)) => (!at.is_written()).then(|| out_of_years(name)),
        _ => None,
    }
}

fn too_long(name: &str, text: &str, most: usize) -> Option<String> {
    let bytes = text.len();
    let message = || format!("{name} is {bytes} bytes long; at most {most} are allowed");
    (bytes > most).then(message)
}

/// Listed choices are as long as they are listed; where none are, anything could come.
fn open_too_long(name: &Name, choices: &[Choice], text: &str) -> Option<String> {
    let is_open = choices.is_empty();
    is_open
        .then(|| too_long(name, text, Value::MAX_CHOICE_BYTES))
        .flatten()
}

fn no_such(name: &Name, text: &str, what: &str) -> String {
    format!("{name}: {} is not {what}", shown(text))
}

fn no_choice(name: &Name, choices: &[Choice], text: &str) -> String {
    format!("{name} takes {}, not \"{}\"", listed(choices), shown(text))
}

/// What could be stored and not brought back by any export.
fn out_of_years(name: &Name) -> String {
    format!("{name} lies outside the years 1 to 9999")
}

/// Text as an error shows it: cut, and without what would change the look of the line.
fn shown(text: &str) -> String {
    let cut = ParseError::new("", text).found;
    let has_shape = |letter: char| letter == ' ' || !is_blank(letter.encode_utf8(&mut [0; 4]));
    let seen = |letter: char| match has_shape(letter) {
        true => letter.to_string(),
        false => letter.escape_unicode().to_string(),
    };
    cut.chars().map(seen).collect()
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
    match choices.is_empty() {
        true => is_plain_choice(text),
        false => choices.iter().any(|choice| choice.value == text),
    }
}

fn listed(choices: &[Choice]) -> String {
    if choices.is_empty() {
        return "text without blanks around it, and without ; where there may be several"
            .to_owned();
    }
    let values: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
    format!("one of {}", values.join(", "))
}
