//! What comes in: a JSON message or a web form becomes a record, as the mapping table says.

use kjerne_sdk::{Fields, InboundMessage, Instant, RecordRef, Value, trim, without_exponent};
use serde_json::Value as Json;

use crate::form::read_form;
use crate::settings::{Condition, Settings, Source};
use crate::unique::{self, NUMBER};
use crate::values::{Form, expected, value_of};

/// The most messages one delivery may hold.
const BATCH: usize = 500;

/// A record to be made.
#[derive(Clone, PartialEq, Debug)]
pub struct Made {
    /// The rule that made it.
    pub rule: String,
    /// Its kind; none when the message is dropped.
    pub kind: Option<String>,
    /// Its fields.
    pub fields: Fields,
    /// What names the message, if anything does.
    pub id: Option<String>,
}

/// Finds the record of a kind whose field has a value.
pub type Find<'a> = &'a mut dyn FnMut(&str, &str, &str) -> Result<Option<RecordRef>, String>;

/// Reads the body: JSON, or what a browser sends for a form.
pub fn read_body(message: &InboundMessage) -> Result<Vec<Json>, String> {
    let content_type = message.content_type.to_ascii_lowercase();
    let json = if content_type.starts_with("application/x-www-form-urlencoded") {
        read_form(&message.body)?
    } else if content_type
        .split(';')
        .next()
        .is_some_and(|name| name.trim().ends_with("json"))
        || content_type.is_empty()
    {
        let wrong = |error| format!("The body is not JSON: {error}.");
        unique::check(&message.body).map_err(wrong)?;
        let json = serde_json::from_slice(&message.body).map_err(wrong)?;
        if names_a_number(&message.body) {
            return Err(format!(
                "The body has the key {NUMBER}, which stands for no field."
            ));
        }
        json
    } else {
        return Err(format!(
            "'{content_type}' cannot be read; send application/json or a web form."
        ));
    };
    match json {
        Json::Object(_) => Ok(vec![json]),
        Json::Array(items) if items.is_empty() => Err("The list of messages is empty.".to_owned()),
        Json::Array(items) if items.len() > BATCH => Err(format!(
            "The list holds more than {BATCH} messages; send them in parts."
        )),
        Json::Array(items) => match items.iter().position(|item| !item.is_object()) {
            Some(place) => Err(format!("Message {} of the list is no object.", place + 1)),
            None => Ok(items),
        },
        _ => Err("The message must be a JSON object or a list of objects.".to_owned()),
    }
}

/// Whether a text of a JSON document, which has been read, is this word.
fn names_a_number(body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(begin) = rest.iter().position(|byte| *byte == b'"') {
        let inside = &rest[begin + 1..];
        let mut end = 0;
        while let Some(byte) = inside.get(end).filter(|byte| **byte != b'"') {
            end += if *byte == b'\\' { 2 } else { 1 };
        }
        let text = &rest[begin..(begin + end + 2).min(rest.len())];
        let is_escaped = text.contains(&b'\\');
        let is_it = |text: String| text == NUMBER;
        if text.get(1..=end) == Some(NUMBER.as_bytes())
            || is_escaped && serde_json::from_slice(text).is_ok_and(is_it)
        {
            return true;
        }
        rest = rest.get(begin + end + 2..).unwrap_or_default();
    }
    false
}

/// What one message becomes, or everything that is wrong with it.
pub fn make(
    settings: &Settings,
    source: &str,
    message: &Json,
    now: Instant,
    find: Find<'_>,
) -> Result<Made, String> {
    let mut rules = settings
        .mappings
        .iter()
        .filter(|mapping| mapping.source == source)
        .peekable();
    if rules.peek().is_none() {
        return Err(format!(
            "No [[inbound]] rule of the settings is for the source '{source}'."
        ));
    }
    let rule = rules.find(|rule| {
        rule.when
            .iter()
            .all(|(at, wanted)| fits(message, at, wanted))
            && !fits_partly(&rule.unless, message)
    });
    let rule = rule.ok_or_else(|| format!("No rule for '{source}' fits this message."))?;
    let mut faults = Vec::new();
    let mut fields = Fields::new();
    for (name, source) in &rule.fields {
        match take(source, message, &mut *find) {
            Ok(Some(value)) => fields.set(name, Some(value)),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    for (name, value) in &rule.set {
        fields.set(name, Some(value.clone()));
    }
    for name in rule
        .now
        .iter()
        .filter(|name| fields.is_empty(name))
        .collect::<Vec<_>>()
    {
        fields.set(name, Some(now));
    }
    if let Some(at) = rule.id.as_ref().filter(|at| !is_name(message, at)) {
        faults.push(format!(
            "{at} must be a text or a whole number, since it names the message."
        ));
    }
    let id = rule.id.as_ref().and_then(|at| text_at(message, at));
    if faults.is_empty() {
        Ok(Made {
            rule: rule.name.clone(),
            kind: rule.kind.clone(),
            fields,
            id,
        })
    } else {
        Err(faults.join(" "))
    }
}

fn fits_partly(condition: &Condition, message: &Json) -> bool {
    condition
        .iter()
        .any(|(at, wanted)| fits(message, at, wanted))
}

fn fits(message: &Json, at: &str, wanted: &[String]) -> bool {
    let text = text_at(message, at);
    wanted.iter().any(|wanted| match (wanted.as_str(), &text) {
        ("", text) => text.is_none(),
        ("*", text) => text.is_some(),
        (wanted, Some(text)) => wanted.eq_ignore_ascii_case(text),
        (_, None) => false,
    })
}

/// What stands at a place, as text; none when there is nothing or only white space.
fn text_at(message: &Json, at: &str) -> Option<String> {
    let text = match message.pointer(at)? {
        Json::Null | Json::Object(_) => return None,
        Json::String(text) => trim(text).to_owned(),
        // The digits as they stand, without rounding.
        Json::Number(number) => {
            let digits = number.to_string();
            without_exponent(&digits).unwrap_or(digits)
        }
        Json::Array(items) => {
            let texts: Vec<String> = (0..items.len())
                .filter_map(|place| text_at(message, &format!("{at}/{place}")))
                .collect();
            texts.join(";")
        }
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// Whether what stands at a place can name a message, or is nothing. A number with a fraction or an exponent
/// can be written in several ways, so that two names would be one.
fn is_name(message: &Json, at: &str) -> bool {
    match message.pointer(at) {
        None | Some(Json::Null | Json::String(_)) => true,
        Some(Json::Number(number)) => !number.to_string().contains(['.', 'e', 'E']),
        Some(Json::Object(parts)) => parts.is_empty(),
        Some(Json::Array(parts)) => parts.is_empty(),
        Some(Json::Bool(_)) => false,
    }
}

/// Whether an object that says something stands at a place, or in a list there: no value can be read from it.
fn holds_object(message: &Json, at: &str) -> bool {
    match message.pointer(at) {
        Some(Json::Object(parts)) => !parts.is_empty(),
        Some(Json::Array(items)) => items.iter().any(|item| item.is_object() || item.is_array()),
        _ => false,
    }
}

fn take(source: &Source, message: &Json, find: Find<'_>) -> Result<Option<Value>, String> {
    let at = &source.from;
    if holds_object(message, at) {
        return Err(format!(
            "{at} must be a value, and is an object or a list of such; name what is in it."
        ));
    }
    if let (Form::Choices, Some(Json::Array(items))) = (&source.form, message.pointer(at)) {
        let chosen = choices(source, message, items.len());
        if !chosen.is_empty() {
            return Ok(Some(Value::from(chosen)));
        }
    }
    let text = text_at(message, at).map(|text| source.values.get(&text).cloned().unwrap_or(text));
    let Some(text) = text.or_else(|| source.default.clone()) else {
        return if source.required {
            Err(format!("{at} is missing."))
        } else {
            Ok(None)
        };
    };
    let wrong = |what: &str| format!("{at} must be {what}, not '{}'.", shortened(&text));
    if let Form::Lookup { kind, by } = &source.form {
        return match find(kind, by, &text)? {
            Some(found) => Ok(Some(found.into())),
            None if source.required => Err(format!(
                "{at}: there is no {kind} whose {by} is '{}'.",
                shortened(&text)
            )),
            None => Ok(None),
        };
    }
    let value = value_of(&source.form, &text);
    value.map(Some).ok_or_else(|| wrong(expected(&source.form)))
}

/// The choices of a list, each as it stands: a `;` in one of them divides nothing.
fn choices(source: &Source, message: &Json, count: usize) -> Vec<String> {
    let places = (0..count).map(|place| format!("{}/{place}", source.from));
    let texts = places.filter_map(|at| text_at(message, &at));
    let ours = |text: String| source.values.get(&text).cloned().unwrap_or(text);
    texts.map(ours).collect()
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
