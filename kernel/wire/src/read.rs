//! From JSON, and from the text of the command line, to the model.
//!
//! Reading collects every fault as a refusal, so that the answer to a bad request is as complete as
//! the answer to a bad record. What is told of them has a bound (`Faults`), and so has what a record or
//! a commit may bring before it is looked at.

use kjerne_core::Faults;
use kjerne_core::limits::{COMMIT_CHANGES, KIND_FIELDS};
use kjerne_model::{
    Address, Change, Code, Currency, Decimal, Field, FieldType, Fields, Kind, Money, Name,
    ParseError, Patch, RecordId, Refusal, Schema, Target, Value, check_given, is_blank,
    parse_value, without_exponent,
};
use serde_json::{Map, Number, Value as Json};

/// How much is repeated of what was given, which is told in full to nobody who sent it.
const SHOWN_BYTES: usize = 200;
const SHOWN_PARTS: usize = 20;

/// A request that is not of the shape it should have.
#[must_use]
pub fn refuse(message: impl Into<String>) -> Vec<Refusal> {
    vec![Refusal::new(Code::BadCommit, message)]
}

/// The body of a create: `{"fields": {...}, "id"?}`.
///
/// # Errors
/// Every fault found, when there is one.
pub fn create(kind: &Kind, body: &Json) -> Result<Change, Vec<Refusal>> {
    let map = object_called(body, "the body", &["fields", "id"])?;
    let id = optional_id(map)?;
    let fields = fields(kind, map).map_err(told)?;
    Ok(Change::Create {
        kind: kind.name.clone(),
        id,
        fields,
    })
}

/// The body of an update: `{"fields": {...}}`, where null clears a field.
///
/// # Errors
/// Every fault found, when there is one.
pub fn patch(kind: &Kind, body: &Json) -> Result<Patch, Vec<Refusal>> {
    patch_in(kind, object_called(body, "the body", &["fields"])?).map_err(told)
}

/// Faults in the order and the number they are told in.
fn told(found: Vec<Refusal>) -> Vec<Refusal> {
    let mut faults = Faults::default();
    faults.extend(found);
    faults.told()
}

/// A body of several changes.
#[derive(Debug)]
pub struct Batch {
    /// The changes.
    pub changes: Vec<Change>,
    /// Nothing is to be stored.
    pub dry_run: bool,
    /// The idempotency key, for whoever would rather not write it into a header.
    pub key: Option<String>,
}

/// The changes of a batch: `{"changes": [...]}` with `{"create": KIND, "id"?, "fields"}`,
/// `{"update": KIND, "id", "expected"?, "fields"}` and `{"delete": KIND, "id", "expected"?}`; with
/// `"dry_run"?` and `"key"?`.
///
/// # Errors
/// Every fault found in any of the changes, when there is one.
pub fn batch(schema: &Schema, body: &Json) -> Result<Batch, Vec<Refusal>> {
    let map = object_called(body, "the body", &["changes", "dry_run", "key"])?;
    let key = match map.get("key") {
        None | Some(Json::Null) => None,
        Some(Json::String(key)) => Some(key.clone()),
        Some(_) => return Err(refuse("\"key\" is a text")),
    };
    let dry_run = match map.get("dry_run") {
        None => false,
        Some(Json::Bool(flag)) => *flag,
        Some(_) => return Err(refuse("dry_run is true or false")),
    };
    let Some(Json::Array(list)) = map.get("changes") else {
        return Err(refuse("the body needs \"changes\", a list"));
    };
    if list.len() > COMMIT_CHANGES.count() {
        return Err(refuse(format!(
            "the commit has {} changes; at most {} are allowed (limit {}); split it into several",
            list.len(),
            COMMIT_CHANGES.value,
            COMMIT_CHANGES.name
        )));
    }
    let (mut changes, mut faults) = (Vec::new(), Faults::default());
    for (index, one) in list.iter().enumerate() {
        match change(schema, one) {
            Ok(change) => changes.push(change),
            Err(found) => faults.extend(found.into_iter().map(|fault| placed(fault, index))),
        }
    }
    if faults.is_empty() {
        Ok(Batch {
            changes,
            dry_run,
            key,
        })
    } else {
        Err(faults.told())
    }
}

fn placed(mut fault: Refusal, index: usize) -> Refusal {
    fault.change = Some(index);
    fault
}

fn change(schema: &Schema, json: &Json) -> Result<Change, Vec<Refusal>> {
    let map = object_called(
        json,
        "a change",
        &["create", "update", "delete", "id", "expected", "fields"],
    )?;
    let named = ["create", "update", "delete"]
        .into_iter()
        .filter(|name| map.contains_key(*name));
    let (Some(operation), 1) = (named.clone().next(), named.count()) else {
        return Err(refuse(
            "a change has exactly one of \"create\", \"update\" and \"delete\"",
        ));
    };
    let passed_over = match operation {
        "create" => ("expected", "a record that is made has no version yet"),
        "delete" => ("fields", "a record is removed with all of them"),
        _ => ("", ""),
    };
    if map.contains_key(passed_over.0) {
        let (word, why) = passed_over;
        return Err(refuse(format!("a {operation} takes no {word:?}: {why}")));
    }
    let kind = known_kind(schema, map[operation].as_str().unwrap_or_default())?;
    if operation == "create" {
        let id = optional_id(map)?;
        return Ok(Change::Create {
            kind: kind.name.clone(),
            id,
            fields: fields(kind, map)?,
        });
    }
    let target = target(kind, map)?;
    if operation == "delete" {
        return Ok(Change::Delete { target });
    }
    Ok(Change::Update {
        target,
        patch: patch_in(kind, map)?,
    })
}

fn known_kind<'a>(schema: &'a Schema, name: &str) -> Result<&'a Kind, Vec<Refusal>> {
    schema.kind(name).map(|kind| &**kind).ok_or_else(|| {
        vec![Refusal::new(
            Code::UnknownKind,
            format!("there is no kind {:?}", clipped(name)),
        )]
    })
}

fn target(kind: &Kind, map: &Map<String, Json>) -> Result<Target, Vec<Refusal>> {
    let id = optional_id(map)?.ok_or_else(|| refuse("the change needs the record's \"id\""))?;
    // A program that does not know the version says null, and would change whatever is there.
    let expected = map.get("expected").map(|version| {
        let wrong = "\"expected\" is a version, a whole number; leave it out to change any version";
        version.as_u64().ok_or_else(|| refuse(wrong))
    });
    let expected = expected.transpose()?;
    Ok(Target {
        kind: kind.name.clone(),
        id,
        expected,
    })
}

fn optional_id(map: &Map<String, Json>) -> Result<Option<RecordId>, Vec<Refusal>> {
    match map.get("id") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => match RecordId::parse(text) {
            Ok(id) => Ok(Some(id)),
            Err(error) => Err(refuse(format!("id: {error}"))),
        },
        Some(other) => Err(refuse(format!(
            "id: expected a text, found {}",
            shown(other)
        ))),
    }
}

/// An object with no keys but these; a misspelt key is an error and never ignored.
pub(crate) fn object_called<'a>(
    json: &'a Json,
    what: &str,
    keys: &[&str],
) -> Result<&'a Map<String, Json>, Vec<Refusal>> {
    let Json::Object(map) = json else {
        return Err(refuse(format!(
            "{what} is not a JSON object, but {}",
            shown(json)
        )));
    };
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(refuse(format!(
            "{what} takes {}, not {:?}",
            keys.join(", "),
            clipped(key)
        ))),
        None => Ok(map),
    }
}

fn fields_object(map: &Map<String, Json>) -> Result<&Map<String, Json>, Vec<Refusal>> {
    match map.get("fields") {
        Some(Json::Object(fields)) if fields.len() > KIND_FIELDS.count() => Err(refuse(format!(
            "\"fields\" has {} names; a kind has at most {} (limit {})",
            fields.len(),
            KIND_FIELDS.value,
            KIND_FIELDS.name
        ))),
        Some(Json::Object(fields)) => Ok(fields),
        Some(other) => Err(refuse(format!(
            "\"fields\" is not an object, but {}",
            shown(other)
        ))),
        None => Err(refuse("\"fields\" is missing: {\"fields\": {\"name\": …}}")),
    }
}

/// The fields of a new record; null and absent are the same.
fn fields(kind: &Kind, map: &Map<String, Json>) -> Result<Fields, Vec<Refusal>> {
    let (patch, faults) = read_patch(kind, fields_object(map)?);
    let fields = held(patch);
    complete(kind, faults, &fields, true).map(|()| fields)
}

fn patch_in(kind: &Kind, map: &Map<String, Json>) -> Result<Patch, Vec<Refusal>> {
    let (patch, faults) = read_patch(kind, fields_object(map)?);
    if !faults.is_empty() {
        complete(kind, faults, &held(patch.clone()), false)?;
    }
    Ok(patch)
}

fn held(patch: Patch) -> Fields {
    patch
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// When something could not be read, adds what the schema check finds in the rest, so that one
/// answer names all faults. Otherwise the kernel's own check does that.
fn complete(
    kind: &Kind,
    mut faults: Vec<Refusal>,
    fields: &Fields,
    whole: bool,
) -> Result<(), Vec<Refusal>> {
    if faults.is_empty() {
        return Ok(());
    }
    let unread: Vec<Option<String>> = faults.iter().map(|fault| fault.field.clone()).collect();
    let further = check_given(kind, fields)
        .into_iter()
        .filter(|fault| !unread.contains(&fault.field) && (whole || fault.code != Code::Required));
    faults.extend(further);
    for fault in &mut faults {
        fault.kind = Some(kind.name.clone());
    }
    faults.sort_by_key(|fault| fault.code);
    Err(faults)
}

fn read_patch(kind: &Kind, map: &Map<String, Json>) -> (Patch, Vec<Refusal>) {
    let (mut patch, mut faults) = (Patch::new(), Vec::new());
    for (name, json) in map {
        match read_field(kind, name, |field| value(&field.field_type, json)) {
            Ok((name, value)) => drop(patch.insert(name, value)),
            Err(fault) => faults.push(*fault),
        }
    }
    (patch, faults)
}

fn read_field(
    kind: &Kind,
    name: &str,
    read: impl FnOnce(&Field) -> Result<Option<Value>, ParseError>,
) -> Result<(Name, Option<Value>), Box<Refusal>> {
    let Some(field) = kind.field(name) else {
        let message = format!("kind {} has no field {:?}", kind.name, clipped(name));
        return Err(Box::new(
            Refusal::new(Code::UnknownField, message).field(name),
        ));
    };
    match read(field) {
        Ok(value) => Ok((field.name.clone(), value)),
        Err(error) => Err(Box::new(Refusal::unreadable(name, &error))),
    }
}

/// Reads `field=value` arguments for a new record.
///
/// # Errors
/// Every fault found, when there is one.
pub fn fields_of_text(kind: &Kind, arguments: &[(String, String)]) -> Result<Fields, Vec<Refusal>> {
    let (patch, faults) = read_text(kind, arguments);
    let fields = held(patch);
    complete(kind, faults, &fields, true).map(|()| fields)
}

/// Reads `field=value` arguments for an update; a blank value clears the field.
///
/// # Errors
/// Every fault found, when there is one.
pub fn patch_of_text(kind: &Kind, arguments: &[(String, String)]) -> Result<Patch, Vec<Refusal>> {
    let (patch, faults) = read_text(kind, arguments);
    complete(kind, faults, &held(patch.clone()), false).map(|()| patch)
}

fn read_text(kind: &Kind, arguments: &[(String, String)]) -> (Patch, Vec<Refusal>) {
    let (mut patch, mut faults) = (Patch::new(), Vec::new());
    for (index, (name, text)) in arguments.iter().enumerate() {
        if arguments[..index]
            .iter()
            .any(|(earlier, _)| earlier == name)
        {
            let message = format!("{name} is given twice; which one is meant?");
            faults.push(Refusal::new(Code::BadCommit, message).field(name));
            continue;
        }
        let read = |field: &Field| match is_blank(text) {
            true => Ok(None),
            false => parse_value(&field.field_type, text)
                .map(|value| Some(value).filter(|value| !value.is_empty())),
        };
        match read_field(kind, name, read) {
            Ok((name, value)) => drop(patch.insert(name, value)),
            Err(fault) => faults.push(*fault),
        }
    }
    (patch, faults)
}

/// The body of an action: `{"arguments": {...}}`.
///
/// # Errors
/// When it is of another shape.
pub fn arguments(body: &Json) -> Result<Map<String, Json>, Vec<Refusal>> {
    match object_called(body, "the body", &["arguments"])?.get("arguments") {
        None | Some(Json::Null) => Ok(Map::new()),
        Some(Json::Object(map)) => Ok(map.clone()),
        Some(other) => Err(refuse(format!(
            "\"arguments\" is not an object, but {}",
            shown(other)
        ))),
    }
}

/// The arguments of `what`, an action or a report, by the types its manifest declares.
///
/// # Errors
/// Every fault found, when there is one.
pub fn read_arguments(
    what: &str,
    parameters: &[(String, FieldType, bool)],
    given: &Map<String, Json>,
) -> Result<Vec<(String, Option<Value>)>, Vec<Refusal>> {
    let (mut arguments, mut faults) = (Vec::new(), Faults::default());
    for name in given
        .keys()
        .filter(|name| !parameters.iter().any(|(known, ..)| known == *name))
    {
        let known: Vec<&str> = parameters.iter().map(|(name, ..)| name.as_str()).collect();
        let message = format!(
            "the {what} has no parameter {:?}; it takes: {}",
            clipped(name),
            known.join(", ")
        );
        faults.add(Refusal::new(Code::UnknownField, message).field(name));
    }
    for (name, field_type, required) in parameters {
        let read = value(field_type, given.get(name).unwrap_or(&Json::Null));
        match read.map(|value| value.filter(|value| !value.is_empty())) {
            Ok(None) if *required => faults
                .add(Refusal::new(Code::Required, format!("the {what} needs {name}")).field(name)),
            Ok(value) => arguments.push((name.clone(), value)),
            Err(error) => faults.add(Refusal::unreadable(name, &error)),
        }
    }
    if faults.is_empty() {
        Ok(arguments)
    } else {
        Err(faults.told())
    }
}

/// Reads one value for a field of this type. Text in the form the command line takes is read for
/// every type, so that a value shown anywhere can be sent back.
fn value(field_type: &FieldType, json: &Json) -> Result<Option<Value>, ParseError> {
    Ok(Some(match (field_type, json) {
        (_, Json::Null) => return Ok(None),
        (_, Json::String(text)) => parse_value(field_type, text)?,
        (FieldType::Integer, Json::Number(number)) => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => parse_value(field_type, &number.to_string())?,
        },
        (FieldType::Decimal, Json::Number(number)) => {
            Value::Decimal(Decimal::parse(&digits(number))?)
        }
        (FieldType::Flag, Json::Bool(flag)) => Value::Flag(*flag),
        (FieldType::Choices(_), Json::Array(list)) => Value::choices(texts(list)?),
        (FieldType::Money, Json::Object(map)) => Value::Money(money(map)?),
        (FieldType::Address, Json::Object(map)) => Value::Address(address(map)?),
        (_, other) => return Err(ParseError::new(expectation(field_type), &shown(other))),
    }))
}

/// A JSON number as it stands there, its exponent written out; one that cannot be is refused by whoever
/// reads the digits.
fn digits(number: &Number) -> String {
    let text = number.to_string();
    without_exponent(&text).unwrap_or(text)
}

fn money(map: &Map<String, Json>) -> Result<Money, ParseError> {
    let wrong = || {
        let form = r#"{"amount": "1250.50", "currency": "NOK"}"#;
        ParseError::new(form, &shown(&Json::Object(map.clone())))
    };
    let (2, Some(amount), Some(Json::String(code))) =
        (map.len(), map.get("amount"), map.get("currency"))
    else {
        return Err(wrong());
    };
    let currency = Currency::new(code)?;
    match amount {
        Json::String(text) => Money::read_major(text, currency),
        Json::Number(number) => Money::read_major(&digits(number), currency),
        _ => Err(wrong()),
    }
}

fn address(map: &Map<String, Json>) -> Result<Address, ParseError> {
    let mut address = Address::default();
    for (name, json) in map {
        let part = address.part_mut(name);
        let Some(part) = part else {
            return Err(ParseError::new(
                &format!("one of {}", Address::PARTS.join(", ")),
                name,
            ));
        };
        match json {
            Json::String(text) if is_blank(text) => {}
            Json::String(text) => part.clone_from(text),
            Json::Null => {}
            other => return Err(ParseError::new(&format!("text in {name}"), &shown(other))),
        }
    }
    Ok(address)
}

fn texts(list: &[Json]) -> Result<Vec<String>, ParseError> {
    let text = |json: &Json| match json {
        Json::String(text) => Ok(text.clone()),
        other => Err(ParseError::new("a list of texts", &shown(other))),
    };
    list.iter().map(text).collect()
}

fn expectation(field_type: &FieldType) -> &'static str {
    match field_type {
        FieldType::Integer => "a whole number",
        FieldType::Decimal => "a decimal number, best as text",
        FieldType::Money => r#"money such as {"amount": "1250.50", "currency": "NOK"}"#,
        FieldType::Date => "a date such as \"2026-11-21\"",
        FieldType::Instant => "an instant such as \"2026-11-21T08:30:00Z\"",
        FieldType::Flag => "true or false",
        FieldType::Choices(_) => "a list of texts",
        FieldType::Address => r#"an address such as {"street": "…", "city": "…"}"#,
        FieldType::Reference(_) => "a reference such as \"account/ID\"",
        _ => "text",
    }
}

/// What was found in place of something else: scalars and short lists as they stand, the beginning of
/// what is longer.
fn shown(json: &Json) -> String {
    match json {
        Json::String(text) => format!("{:?}", clipped(text)),
        Json::Array(list) if list.len() > SHOWN_PARTS => format!("a list of {}", list.len()),
        Json::Object(map) if map.len() > SHOWN_PARTS => format!("an object of {}", map.len()),
        other => clipped(&other.to_string()).to_owned(),
    }
}

/// The beginning of a text that may be of any length.
fn clipped(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_BYTES)]
}
