//! References for people: a record typed by its name, its e-mail address or another unique value becomes
//! its id, and tables show names beside ids.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use kjerne_model::{RecordId, Reference};
use serde_json::{Map, Value as Json};

use super::cells::{list as members, text};
use crate::connection::Connection;
use crate::exit::usage;
use crate::path::{path, with_words};

/// The fields that name a record to people, the better first.
const NAMES: [&str; 2] = ["name", "subject"];

/// How many records are named where a value finds several; one more is asked for.
const SHOWN: usize = 5;

/// How much of a value is shown that stands for no record.
const SHOWN_BYTES: usize = 80;

/// How many ids are looked up at once; a filter has room for more.
const AT_ONCE: usize = 200;

/// Puts references in the place of what stands for them in the fields of a record of this kind.
pub(super) fn resolve(
    connection: &mut Connection,
    kind: &str,
    fields: &mut Map<String, Json>,
) -> Result<()> {
    // What is no kind is refused, with better words, where the fields go.
    let Ok(kind) = connection.get(&path(&["kinds", kind])) else {
        return Ok(());
    };
    for field in members(&kind["fields"]).filter(|field| text(field, "type") == "reference") {
        let Some(Json::String(typed)) = fields.get_mut(text(field, "name")) else {
            continue;
        };
        let id = match Reference::parse(typed) {
            Ok(reference) => Some(reference.id),
            Err(_) => RecordId::parse(typed).ok(),
        };
        match id {
            None => *typed = found(connection, field, typed)?,
            // The keys of other systems may look like ids of ours.
            Some(id) if !is_there(connection, field, id)? => {
                // When it is no key either, what refuses an id that is not there has better words.
                if let Ok(reference) = found(connection, field, typed) {
                    *typed = reference;
                }
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether a record of a kind that the field refers to has this id.
fn is_there(connection: &mut Connection, field: &Json, id: RecordId) -> Result<bool> {
    for kind in members(&field["kinds"]).filter_map(Json::as_str) {
        let page = records_by(connection, kind, &format!("id eq {id}"), 1)?;
        if members(&page["records"]).next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The only record that a value stands for, among the kinds its field refers to.
fn found(connection: &mut Connection, field: &Json, typed: &str) -> Result<String> {
    let all: Vec<&str> = members(&field["kinds"]).filter_map(Json::as_str).collect();
    let (kinds, value) = match typed.split_once('/') {
        Some((kind, value)) if all.contains(&kind) => (vec![kind], value),
        _ => (all, typed),
    };
    let (mut records, mut looked) = (BTreeMap::new(), BTreeSet::new());
    for kind in &kinds {
        let known = connection.get(&path(&["kinds", kind]))?;
        for by in members(&known["fields"]).filter(|field| stands_for_records(field)) {
            let by = text(by, "name");
            let filter = format!("{by} eq '{}'", value.replace('\'', "''"));
            looked.insert(by.to_owned());
            let page = records_by(connection, kind, &filter, SHOWN + 1)?;
            let one = |record: &Json| {
                let reference = format!("{kind}/{}", text(record, "id"));
                (reference, named(record).to_owned())
            };
            records.extend(members(&page["records"]).map(one));
        }
    }
    let (field, value) = (text(field, "name"), clipped(value));
    let mut references = records.keys();
    match (references.next(), records.len()) {
        (Some(only), 1) => Ok(only.clone()),
        (None, _) => Err(usage(format!(
            "{field}: no {} has {value:?} as its {}; write its id",
            kinds.join(" or "),
            looked.into_iter().collect::<Vec<_>>().join(" or ")
        ))),
        (_, count) => {
            let told = records.iter().take(SHOWN);
            let told: Vec<String> = told.map(|(id, name)| format!("{id} ({name})")).collect();
            let (least, more) = match count > SHOWN {
                true => (format!("at least {count}"), ", …"),
                false => (count.to_string(), ""),
            };
            Err(usage(format!(
                "{field}: {least} found for {value:?}: {}{more}; write the id of the one that is meant",
                told.join(", ")
            )))
        }
    }
}

/// The beginning of what may be of any length.
fn clipped(value: &str) -> &str {
    &value[..value.floor_char_boundary(SHOWN_BYTES)]
}

/// A field by which people tell one record from others.
fn stands_for_records(field: &Json) -> bool {
    let (name, kind) = (text(field, "name"), text(field, "type"));
    let (is_unique, is_indexed) = (field["unique"] == true, field["indexed"] == true);
    match kind {
        "email" => is_unique || is_indexed,
        "text" => is_unique || name == "name",
        _ => false,
    }
}

fn records_by(connection: &mut Connection, kind: &str, filter: &str, top: usize) -> Result<Json> {
    let words = [
        ("filter", Some(filter.to_owned())),
        ("top", Some(top.to_string())),
    ];
    connection.get(&with_words(path(&["records", kind]), &words))
}

/// What people call a record; empty when nothing says.
fn named(record: &Json) -> &str {
    let fields = &record["fields"];
    let names = NAMES.iter().map(|name| text(fields, name));
    names
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

/// The names of the records that these references lead to.
pub(super) fn names<'a>(
    connection: &mut Connection,
    references: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, String>> {
    let mut by_kind: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (kind, id) in references.filter_map(|reference| reference.split_once('/')) {
        by_kind.entry(kind).or_default().insert(id);
    }
    let mut names = BTreeMap::new();
    for (kind, ids) in by_kind {
        let ids: Vec<&str> = ids.into_iter().collect();
        for some in ids.chunks(AT_ONCE) {
            let filter = format!("id in ({})", some.join(","));
            let page = records_by(connection, kind, &filter, some.len())?;
            for record in members(&page["records"]) {
                let reference = format!("{kind}/{}", text(record, "id"));
                names.insert(reference, named(record).to_owned());
            }
        }
    }
    Ok(names)
}
