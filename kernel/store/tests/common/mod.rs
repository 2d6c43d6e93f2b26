//! What the tests of the store share: a kind with every type of field, records, one commit.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::ops::ControlFlow;

use kjerne_model::{
    Actor, Choice, Edit, Entry, Field, FieldType, Fields, Instant, Kind, Message, Name,
    PersonalData, Record, RecordId, Schema, Value,
};
use kjerne_store::{
    MemoryStore, OutboxRow, Read, RedbStore, Store, StoreError, Write, journal, records,
};
use redb::backends::InMemoryBackend;

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn id(number: u8) -> RecordId {
    RecordId::from_bytes([number; 16])
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A kind with a field of each type, all indexed; `code` is unique, and so is `mail` without its case.
pub fn thing() -> Kind {
    let choice = |value: &str| Choice {
        value: value.to_owned(),
        label: value.to_owned(),
    };
    let field = |text: &str, field_type| Field {
        name: name(text),
        label: text.to_owned(),
        field_type,
        required: text == "label",
        unique: text == "code" || text == "mail",
        ignore_case: text == "mail",
        hierarchy: false,
        indexed: true,
        personal: PersonalData::None,
    };
    let text = FieldType::Text { max_bytes: 4_000 };
    Kind {
        name: name("thing"),
        label: "Thing".to_owned(),
        fields: vec![
            field("code", text.clone()),
            field("label", text.clone()),
            field("mail", text),
            field("size", FieldType::Integer),
            field("weight", FieldType::Decimal),
            field("price", FieldType::Money),
            field("due", FieldType::Date),
            field("done", FieldType::Flag),
            field(
                "tags",
                FieldType::Choices(vec![choice("red"), choice("blue")]),
            ),
            field("place", FieldType::Address),
            field("parent", FieldType::Reference(vec![name("thing")])),
        ],
    }
}

pub fn schema() -> Schema {
    Schema::new(vec![thing()]).unwrap()
}

pub fn record(number: u8, fields: &[(&str, Value)]) -> Record {
    let mut fields: Fields = fields
        .iter()
        .map(|(of, value)| (name(of), value.clone()))
        .collect();
    fields
        .entry(name("label"))
        .or_insert_with(|| text("a label"));
    Record {
        kind: name("thing"),
        id: id(number),
        version: 1,
        created_at: Instant::from_millis(1_000),
        updated_at: Instant::from_millis(1_000),
        fields,
    }
}

/// Stores what becomes of one record as the kernel does: the record and its journal entry.
pub fn store_change(
    write: &mut dyn Write,
    before: Option<&Record>,
    after: Option<&Record>,
) -> Result<(), StoreError> {
    let Some(subject) = after.or(before) else {
        return Ok(());
    };
    match (before, after) {
        (None, Some(after)) => records::insert(write, &thing(), after)?,
        (Some(before), Some(after)) => records::update(write, &thing(), before, after)?,
        (Some(before), None) => records::remove(write, &thing(), before)?,
        (None, None) => {}
    }
    let edit = Edit {
        kind: subject.kind.clone(),
        id: subject.id,
        version: subject.version,
        before: before.map(|record| record.fields.clone()),
        after: after.map(|record| record.fields.clone()),
    };
    let number = journal::last(write)? + 1;
    journal::append(write, &entry(number, vec![edit]))
}

pub fn entry(number: u64, edits: Vec<Edit>) -> Entry {
    Entry {
        number,
        at: Instant::from_millis(2_000),
        actor: Actor::User("kari".to_owned()),
        key: None,
        cause: None,
        edits,
        verdicts: vec![],
        act: None,
    }
}

pub fn write(store: &dyn Store, mut work: impl FnMut(&mut dyn Write)) {
    store
        .write(&mut |write| {
            work(write);
            Ok(())
        })
        .unwrap();
}

pub fn create(store: &dyn Store, record: &Record) {
    store
        .write(&mut |write| store_change(write, None, Some(record)))
        .unwrap();
}

/// Everything a visitor is shown.
pub fn all<T>(
    scan: impl FnOnce(&mut dyn FnMut(T) -> ControlFlow<()>) -> Result<(), StoreError>,
) -> Vec<T> {
    let mut seen = Vec::new();
    scan(&mut |one| {
        seen.push(one);
        ControlFlow::Continue(())
    })
    .unwrap();
    seen
}

/// Every row of a space.
pub fn rows(
    read: &dyn Read,
    space: kjerne_store::Space,
    range: kjerne_store::Range<'_>,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut seen = Vec::new();
    read.scan(space, range, &mut |key, value| {
        seen.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    })
    .unwrap();
    seen
}

/// Runs a test on a fresh store of each sort.
pub fn both(test: fn(&dyn Store)) {
    test(&MemoryStore::new());
    test(&RedbStore::with_backend(InMemoryBackend::new()).unwrap());
}

/// A message at a place in the outbox.
pub fn queued(seq: u64) -> OutboxRow {
    OutboxRow {
        seq,
        plugin: "p".to_owned(),
        message: Message {
            url: "https://example.com/".to_owned(),
            content_type: "application/json".to_owned(),
            headers: vec![],
            body: b"{}".to_vec(),
            order_key: "k".to_owned(),
            id: format!("m{seq}"),
            signing_secret: None,
        },
        queued_at: Instant::from_millis(1),
        tries: 0,
        not_before: Instant::from_millis(1),
        error: None,
        gave_up: false,
    }
}
