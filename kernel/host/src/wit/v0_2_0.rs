//! Contract 0.2.0: its bindings, and the conversions between them and the model. The only file
//! that knows both.

use std::collections::BTreeSet;

use kjerne_core::{Draft, Reply};
use kjerne_model::{
    Address, Currency, Date, Decimal, Edit, Entry, FieldType, Fields, Instant, Message, Money,
    Name, ParseError, Record, RecordId, Reference, Value,
};

use kjerne_package::grants::Projection;

/// The bindings. One world holds every role, so that all roles share one set of types; which of
/// them a component has is found out when it is loaded.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.2.0",
        inline: r#"
            package kjerne:host;
            world every-role {
                include kjerne:crm/imports@0.2.0;
                export kjerne:crm/prepare@0.2.0;
                export kjerne:crm/shape@0.2.0;
                export kjerne:crm/guard@0.2.0;
                export kjerne:crm/react@0.2.0;
                export kjerne:crm/action@0.2.0;
                export kjerne:crm/sales-stages@0.2.0;
                export kjerne:crm/buying-process@0.2.0;
                export kjerne:crm/service-rules@0.2.0;
                export kjerne:crm/integration@0.2.0;
                export kjerne:crm/report@0.2.0;
                export kjerne:crm/panel@0.2.0;
                export kjerne:crm/scoring@0.2.0;
                export kjerne:crm/schedule@0.2.0;
            }
        "#,
        world: "kjerne:host/every-role",
        imports: { default: trappable },
        trappable_error_type: { "kjerne:crm/types.failure" => crate::stop::Stop },
        with: {
            "kjerne:crm/types.call-context": crate::resources::CallContext,
            "kjerne:crm/types.edits": crate::resources::Edits,
            "kjerne:crm/types.findings": crate::resources::Findings,
            "kjerne:crm/types.effects": crate::resources::Proposals,
            "kjerne:crm/records.query": crate::resources::QueryDraft,
        },
    });
}

pub use bindings::EveryRole;
pub use bindings::exports::kjerne::crm as exports;
pub use bindings::kjerne::crm::{log, records, settings, state, time, types};

pub use types::{Change, CrmRecord, Failure, Field, JournalEntry, RecordRef};

/// What a settings document says.
pub fn settings_out(entry: kjerne_settings::Entry) -> settings::Entry {
    use kjerne_settings::Value as Said;
    let kind = |name: &str| types::Value::Other((name.to_owned(), Vec::new()));
    let value = match entry.value {
        Said::Table => kind("table"),
        Said::List => kind("list"),
        Said::Text(text) => types::Value::Text(text),
        Said::Integer(number) => types::Value::Integer(number),
        Said::Decimal { coefficient, scale } => {
            types::Value::Decimal(types::Decimal { coefficient, scale })
        }
        Said::Date(days) => types::Value::Date(days),
        Said::Instant(millis) => types::Value::Instant(millis),
        Said::Flag(flag) => types::Value::Flag(flag),
    };
    settings::Entry {
        path: entry.path,
        line: entry.line,
        value,
    }
}

/// What a plugin sees of a record: the fields it was granted, and of these the ones it asks for.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// What it may read; none means nothing.
    pub granted: Option<&'a Projection>,
    /// What it goes by; none means all it may read.
    pub asked: Option<&'a BTreeSet<Name>>,
}

impl Sight<'_> {
    fn has(&self, name: &Name) -> bool {
        self.asked.is_none_or(|asked| asked.contains(name))
            && self.granted.is_some_and(|granted| granted.has(name))
    }
}

/// The fields a plugin sees, flattened: the parts of an address are fields of their own.
pub fn fields_out(fields: &Fields, sight: Sight<'_>) -> Vec<Field> {
    if sight.granted.is_none() {
        return Vec::new();
    }
    let most = sight.asked.map_or(fields.len(), BTreeSet::len);
    let mut out = Vec::with_capacity(fields.len().min(most));
    for (name, value) in fields.iter().filter(|(name, _)| sight.has(name)) {
        match value {
            Value::Address(address) => out.extend(parts_out(name, address)),
            value => out.push(Field {
                name: name.to_string(),
                value: value_out(value),
            }),
        }
    }
    out
}

fn parts_out(name: &Name, address: &Address) -> impl Iterator<Item = Field> {
    Address::PARTS.iter().filter_map(move |part| {
        let text = address.part(part).filter(|text| !text.is_empty())?;
        let value = Some(types::Value::Text(text.to_owned()));
        Some(Field {
            name: format!("{name}.{part}"),
            value,
        })
    })
}

/// A value as it crosses the boundary. An address has no form of its own: it is flattened where
/// its field's name is known.
pub fn value_out(value: &Value) -> Option<types::Value> {
    Some(match value {
        Value::Text(text) => types::Value::Text(text.clone()),
        Value::Integer(number) => types::Value::Integer(*number),
        Value::Decimal(number) => types::Value::Decimal(types::Decimal {
            coefficient: number.coefficient(),
            scale: number.scale(),
        }),
        Value::Money(money) => types::Value::Money(types::Money {
            minor: money.minor,
            currency: money.currency.code().to_owned(),
        }),
        Value::Date(date) => types::Value::Date(date.days()),
        Value::Instant(instant) => types::Value::Instant(instant.millis()),
        Value::Flag(flag) => types::Value::Flag(*flag),
        Value::Choices(choices) => types::Value::Choices(choices.clone()),
        Value::Reference(reference) => types::Value::Reference(reference_out(reference)),
        Value::Address(_) => return None,
    })
}

/// Named values, flattened, without projection: what somebody gave a command as arguments.
pub fn arguments_out(arguments: &[(String, Option<Value>)]) -> Vec<Field> {
    let field = |(name, value): &(String, Option<Value>)| Field {
        name: name.clone(),
        value: value.as_ref().and_then(value_out),
    };
    arguments.iter().map(field).collect()
}

/// A reference as it crosses the boundary.
pub fn reference_out(reference: &Reference) -> RecordRef {
    RecordRef {
        kind: reference.kind.to_string(),
        id: reference.id.to_string(),
    }
}

/// A record as far as it may be read.
pub fn record_out(record: &Record, granted: &Projection) -> CrmRecord {
    CrmRecord {
        kind: record.kind.to_string(),
        id: record.id.to_string(),
        version: record.version,
        fields: fields_out(
            &record.fields,
            Sight {
                granted: Some(granted),
                asked: None,
            },
        ),
    }
}

/// A change of a commit under way, as far as it is seen.
pub fn change_out(draft: &Draft<'_>, sight: Sight<'_>) -> Change {
    let sides = Sides::of(draft.before, draft.after, sight);
    Change {
        kind: draft.kind.to_string(),
        id: draft.id.to_string(),
        operation: operation(draft.before.is_some(), draft.after.is_some()).to_owned(),
        before: sides.before,
        after: sides.after,
        changed: sides.changed,
    }
}

/// A stored commit with some of its edits, as far as their kinds are seen.
pub fn entry_out<'a>(
    entry: &Entry,
    edits: Vec<&Edit>,
    sight: impl Fn(&Name) -> Sight<'a>,
) -> JournalEntry {
    let edits = edits.into_iter();
    JournalEntry {
        number: entry.number,
        at: entry.at.millis(),
        actor: entry.actor.to_string(),
        depth: entry.cause.map_or(0, |cause| cause.depth),
        edits: edits
            .map(|edit| edit_out(edit, sight(&edit.kind)))
            .collect(),
    }
}

fn edit_out(edit: &Edit, sight: Sight<'_>) -> types::JournalEdit {
    let sides = Sides::of(edit.before.as_ref(), edit.after.as_ref(), sight);
    types::JournalEdit {
        kind: edit.kind.to_string(),
        id: edit.id.to_string(),
        version: edit.version,
        operation: edit.operation().to_owned(),
        before: sides.before,
        after: sides.after,
        changed: sides.changed,
    }
}

fn operation(before: bool, after: bool) -> &'static str {
    match (before, after) {
        (false, _) => "create",
        (true, true) => "update",
        (true, false) => "delete",
    }
}

/// A record before and after a change, and the names of what differs.
struct Sides {
    before: Vec<Field>,
    after: Vec<Field>,
    changed: Vec<String>,
}

impl Sides {
    fn of(before: Option<&Fields>, after: Option<&Fields>, sight: Sight<'_>) -> Self {
        let out = |fields: Option<&Fields>| fields.map_or(Vec::new(), |f| fields_out(f, sight));
        let mut changed = Vec::new();
        let empty = Fields::new();
        let (old, new) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
        for (name, value) in old.iter().filter(|(name, _)| sight.has(name)) {
            compare(name, Some(value), new.get(name), &mut changed);
        }
        for (name, value) in new.iter().filter(|(name, _)| sight.has(name)) {
            if !old.contains_key(name) {
                compare(name, None, Some(value), &mut changed);
            }
        }
        changed.sort_unstable();
        Self {
            before: out(before),
            after: out(after),
            changed,
        }
    }
}

/// Adds the field's name when the values differ; of an address, the names of the parts that do.
fn compare(name: &Name, old: Option<&Value>, new: Option<&Value>, changed: &mut Vec<String>) {
    if old == new {
        return;
    }
    let address = |value: Option<&Value>| match value {
        Some(Value::Address(address)) => Some(address.clone()),
        None => Some(Address::default()),
        Some(_) => None,
    };
    match (address(old), address(new)) {
        (Some(old), Some(new)) => {
            let differs = |part: &&&str| old.part(part) != new.part(part);
            let parts = Address::PARTS.iter().filter(differs);
            changed.extend(parts.map(|part| format!("{name}.{part}")));
        }
        _ => changed.push(name.to_string()),
    }
}

/// A reference a plugin gave.
///
/// # Errors
/// When it is no reference.
pub fn reference_in(reference: &RecordRef) -> Result<Reference, ParseError> {
    Ok(Reference::new(
        Name::new(&reference.kind)?,
        RecordId::parse(&reference.id)?,
    ))
}

/// A value a plugin gave.
///
/// # Errors
/// When it is none the model has.
pub fn value_in(value: types::Value) -> Result<Value, ParseError> {
    Ok(match value {
        types::Value::Text(text) => Value::Text(text),
        types::Value::Integer(number) => Value::Integer(number),
        types::Value::Decimal(number) => Value::Decimal(
            Decimal::new(number.coefficient, number.scale).ok_or_else(|| {
                ParseError::new("a scale of at most 18", &number.scale.to_string())
            })?,
        ),
        types::Value::Money(money) => Value::Money(Money {
            minor: money.minor,
            currency: Currency::new(&money.currency)?,
        }),
        types::Value::Date(days) => Value::Date(date_in(days)?),
        types::Value::Instant(millis) => Value::Instant(instant_in(millis)?),
        types::Value::Flag(flag) => Value::Flag(flag),
        types::Value::Choices(choices) => Value::choices(choices),
        types::Value::Reference(reference) => Value::Reference(reference_in(&reference)?),
        types::Value::Other((name, _)) => {
            return Err(ParseError::new("a value of a type of this version", &name));
        }
    })
}

/// Days in the years 1 to 9999, which is what dates can be written in.
fn date_in(days: i32) -> Result<Date, ParseError> {
    let date = Date::from_days(days);
    if (-719_162..=2_932_896).contains(&days) {
        Ok(date)
    } else {
        Err(ParseError::new(
            "a date in the years 1 to 9999",
            &days.to_string(),
        ))
    }
}

/// Instants in the years 1 to 9999.
pub fn instant_in(millis: i64) -> Result<Instant, ParseError> {
    let days = i32::try_from(millis.div_euclid(86_400_000)).unwrap_or(i32::MAX);
    date_in(days).map(|_| Instant::from_millis(millis))
}

/// Named values a plugin answered with.
///
/// # Errors
/// When one of them is no value.
pub fn reply_in(fields: Vec<Field>) -> Result<Reply, ParseError> {
    let pair = |field: Field| Ok((field.name, field.value.map(value_in).transpose()?));
    fields.into_iter().map(pair).collect()
}

/// A message a plugin made.
pub fn message_in(message: types::OutboundMessage) -> Message {
    Message {
        url: message.url,
        content_type: message.content_type,
        headers: message.headers,
        body: message.body,
        order_key: message.order_key,
        id: message.id,
        signing_secret: message.signing_secret,
    }
}

/// Whether a field of this type holds such a value.
pub fn fits(field_type: &FieldType, value: &Value) -> bool {
    match value {
        Value::Text(_) => matches!(
            field_type,
            FieldType::Text { .. }
                | FieldType::Choice(_)
                | FieldType::Email
                | FieldType::Phone
                | FieldType::Url
        ),
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

/// About how many bytes fields take on their way over the boundary.
pub fn weight(fields: &[Field]) -> u64 {
    fields
        .iter()
        .map(|field| 32 + field.name.len() as u64 + value_weight(field))
        .sum()
}

fn value_weight(field: &Field) -> u64 {
    let bytes = match &field.value {
        Some(types::Value::Text(text)) => text.len(),
        Some(types::Value::Choices(choices)) => choices.iter().map(|one| one.len() + 8).sum(),
        Some(types::Value::Reference(reference)) => reference.kind.len() + reference.id.len(),
        Some(types::Value::Other((name, bytes))) => name.len() + bytes.len(),
        _ => 0,
    };
    bytes as u64
}
