//! From journal entries to CloudEvents 1.0 in structured JSON form.

use std::collections::BTreeSet;

use kjerne_sdk::{Edit, Entry, Fields, Operation, OutboundMessage, Value};
use serde_json::{Map, Value as Json, json};

use crate::settings::{Condition, Mode, Settings, Subscription};

/// The messages these entries are worth, entry by entry, edit by edit, subscription by subscription. Each
/// is made when it is asked for: all of them together may be more than the plugin has room for.
pub fn messages<'a>(
    settings: &'a Settings,
    entries: &'a [Entry],
) -> impl Iterator<Item = OutboundMessage> + 'a {
    let edits = entries.iter().flat_map(|entry| {
        let edits = entry.edits.iter().enumerate();
        edits.map(move |(index, edit)| (entry, index, edit))
    });
    edits.flat_map(move |(entry, index, edit)| {
        let wanted = settings.subscriptions.iter();
        let wanted = wanted.filter(move |one| wants(one, entry, edit));
        wanted.map(move |one| message(settings, one, entry, index, edit))
    })
}

/// The kinds of wanted edits of which nothing at all is shown: there may be nothing in the record, or
/// nothing of it may be read.
pub fn bare_kinds<'a>(settings: &Settings, entries: &'a [Entry]) -> BTreeSet<&'a str> {
    let mut kinds = BTreeSet::new();
    for entry in entries {
        let bare = entry
            .edits
            .iter()
            .filter(|edit| edit.before.iter().chain(edit.after.iter()).next().is_none());
        for edit in bare {
            if settings
                .subscriptions
                .iter()
                .any(|one| wants(one, entry, edit))
            {
                kinds.insert(edit.kind.as_str());
            }
        }
    }
    kinds
}

fn wants(subscription: &Subscription, entry: &Entry, edit: &Edit) -> bool {
    let is_listed = |list: &[String], name: &str| list.iter().any(|one| one == name);
    let operation = operation_name(&edit.operation);
    // A condition looks at the record as it is now, or as it was when it was deleted.
    let record = if edit.operation == Operation::Delete {
        &edit.before
    } else {
        &edit.after
    };
    let changed = &subscription.changed;
    subscription.enabled
        && (subscription.kinds.is_empty() || is_listed(&subscription.kinds, &edit.kind))
        && is_listed(&subscription.operations, operation)
        && !is_listed(&subscription.exclude_actors, &entry.actor)
        && (edit.operation != Operation::Update
            || changed.is_empty()
            || changed.iter().any(|name| has_changed(edit, name)))
        && subscription
            .when
            .iter()
            .all(|(name, wanted)| fits(record, name, wanted))
        && !fits_partly(&subscription.unless, record)
}

/// A structured field has changed when a part of it has.
fn has_changed(edit: &Edit, name: &str) -> bool {
    let changed = |one: &String| one == name || is_part(name, one);
    edit.changed.iter().any(changed)
}

fn fits_partly(condition: &Condition, record: &Fields) -> bool {
    condition
        .iter()
        .any(|(name, wanted)| fits(record, name, wanted))
}

/// `""` fits an empty field, `"*"` one that holds something, anything else what its value is. A structured
/// field holds something when a part of it does.
fn fits(record: &Fields, name: &str, wanted: &[String]) -> bool {
    let value = record.get(name);
    let is_there = value.is_some()
        || record
            .iter()
            .any(|(part, value)| value.is_some() && is_part(name, part));
    wanted.iter().any(|wanted| match wanted.as_str() {
        "" => !is_there,
        "*" => is_there,
        wanted => value.is_some_and(|value| value.is_written(wanted)),
    })
}

/// Whether a name is that of a structured field's part: `billing_address.city` of `billing_address`.
fn is_part(whole: &str, name: &str) -> bool {
    let rest = name.strip_prefix(whole);
    rest.is_some_and(|rest| rest.starts_with('.'))
}

fn message(
    settings: &Settings,
    subscription: &Subscription,
    entry: &Entry,
    index: usize,
    edit: &Edit,
) -> OutboundMessage {
    let record = format!("{}/{}", edit.kind, edit.id);
    let event = format!("{}/{index}", entry.number);
    let body = json!({
        "specversion": "1.0",
        "id": event,
        "source": settings.source,
        "type": format!("{}.{}.{}", settings.type_prefix, edit.kind, operation_name(&edit.operation)),
        "subject": record,
        "time": entry.at.to_string(),
        "datacontenttype": "application/json",
        // The registered extensions that let a receiver put events in order and keep records apart.
        "sequence": format!("{:020}", entry.number),
        "partitionkey": record,
        "data": data(subscription, entry, edit),
    });
    OutboundMessage {
        url: subscription.url.clone(),
        content_type: "application/cloudevents+json".to_owned(),
        headers: subscription.headers.clone(),
        body: body.to_string().into_bytes(),
        // In order for each record and receiver: one that is down does not hold up the others.
        order_key: format!("{record}/{}", subscription.name),
        id: format!("{event}/{}", subscription.name),
        signing_secret: subscription.secret.clone(),
    }
}

fn data(subscription: &Subscription, entry: &Entry, edit: &Edit) -> Json {
    let mut data = Map::new();
    data.insert("kind".to_owned(), json!(edit.kind));
    data.insert("id".to_owned(), json!(edit.id));
    data.insert("version".to_owned(), json!(edit.version));
    data.insert(
        "operation".to_owned(),
        json!(operation_name(&edit.operation)),
    );
    data.insert("actor".to_owned(), json!(entry.actor));
    let shown = |fields: &Fields| shown(subscription, fields);
    match subscription.mode {
        Mode::Notice => {}
        Mode::Record => {
            let record = if edit.operation == Operation::Delete {
                &edit.before
            } else {
                &edit.after
            };
            data.insert("fields".to_owned(), shown(record));
        }
        Mode::Change => {
            let changed = edit
                .changed
                .iter()
                .filter(|name| is_told(subscription, name));
            data.insert("changed".to_owned(), changed.cloned().collect());
            data.insert(
                "before".to_owned(),
                if edit.operation == Operation::Create {
                    Json::Null
                } else {
                    shown(&edit.before)
                },
            );
            data.insert(
                "after".to_owned(),
                if edit.operation == Operation::Delete {
                    Json::Null
                } else {
                    shown(&edit.after)
                },
            );
        }
    }
    Json::Object(data)
}

/// A structured field (`billing_address`) is told by its own name or that of a part.
fn is_told(subscription: &Subscription, name: &str) -> bool {
    let whole = name.split_once('.').map_or(name, |(whole, _)| whole);
    subscription
        .fields
        .as_ref()
        .is_none_or(|told| told.iter().any(|one| one == name || one == whole))
}

fn shown(subscription: &Subscription, fields: &Fields) -> Json {
    let mut shown = Map::new();
    for (name, value) in fields
        .iter()
        .filter(|(name, _)| is_told(subscription, name))
    {
        let Some(value) = value.map(json_value) else {
            continue;
        };
        match name.split_once('.') {
            None => {
                shown.insert(name.to_owned(), value);
            }
            Some((whole, part)) => {
                let entry = shown
                    .entry(whole)
                    .or_insert_with(|| Json::Object(Map::new()));
                if let Some(parts) = entry.as_object_mut() {
                    parts.insert(part.to_owned(), value);
                }
            }
        }
    }
    Json::Object(shown)
}

/// A value as the HTTP interface writes it, too: decimals and amounts are text, because a JSON
/// number may lose digits on the way.
fn json_value(value: &Value) -> Json {
    if let Some(date) = value.as_date() {
        return json!(date.to_string());
    }
    if let Some(instant) = value.as_instant() {
        return json!(instant.to_string());
    }
    match value {
        Value::Text(text) => json!(text),
        // What JavaScript and others would round goes as text, as in the HTTP interface.
        Value::Integer(number) if number.unsigned_abs() >= 1 << 53 => json!(number.to_string()),
        Value::Integer(number) => json!(number),
        Value::Decimal(number) => json!(number.to_string()),
        Value::Money(money) => {
            let text = money.to_string();
            json!({ "amount": text.split(' ').next(), "currency": money.currency })
        }
        Value::Flag(flag) => json!(flag),
        Value::Choices(choices) => json!(choices),
        Value::Reference(target) => json!(target.to_string()),
        // A type made after this version: that something is there is all that can be said.
        Value::Other((name, _)) => json!({ "type": name }),
        Value::Date(_) | Value::Instant(_) => Json::Null,
    }
}

fn operation_name(operation: &Operation) -> &str {
    match operation {
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
        Operation::Other(name) => name,
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
