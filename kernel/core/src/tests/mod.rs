//! Tests of the kernel against both stores, with plugins made of closures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod approvals;
mod asides;
mod escalations;
mod groups;
mod hierarchies;
mod jobs;
mod likenesses;
mod outboxes;
mod plugin_calls;
mod promises;
mod queries;
mod reactions;
mod refusals;
mod requests;
mod simulation;
mod watching;

use std::sync::{Arc, LazyLock};

use kjerne_model::{
    Actor, Change, Commit, Fields, Instant, Message, Name, Patch, RecordId, Schema, Target, Value,
    core_kinds, parse_value,
};
use kjerne_store::{MemoryStore, RedbStore, Store, verify};

use crate::{Draft, Fault, Finding, Force, Guarded, Kernel, Outcome, Receipt, TablePlugins};

/// So many seconds after 2026-01-05T09:00:00Z.
pub(crate) fn at(seconds: i64) -> Instant {
    Instant::from_millis(1_767_603_600_000 + seconds * 1_000)
}

pub(crate) fn schema() -> Arc<Schema> {
    static SCHEMA: LazyLock<Arc<Schema>> =
        LazyLock::new(|| Arc::new(Schema::new(core_kinds()).unwrap()));
    Arc::clone(&SCHEMA)
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn id(number: u8) -> RecordId {
    let mut bytes = [0; 16];
    bytes[15] = number;
    RecordId::from_bytes(bytes)
}

/// A value in the form a person types it; `account/3` names the record with that [`id`].
fn value(kind: &str, field: &str, text: &str) -> Value {
    let schema = schema();
    let field = schema.kind(kind).unwrap().field(field).unwrap().clone();
    let text = match text
        .split_once('/')
        .map(|(kind, number)| (kind, number.parse::<u8>()))
    {
        Some((kind, Ok(number))) => format!("{kind}/{}", id(number)),
        _ => text.to_owned(),
    };
    parse_value(&field.field_type, &text).unwrap()
}

pub(crate) fn fields(kind: &str, pairs: &[(&str, &str)]) -> Fields {
    pairs
        .iter()
        .map(|(field, text)| (name(field), value(kind, field, text)))
        .collect()
}

pub(crate) fn create(kind: &str, number: u8, pairs: &[(&str, &str)]) -> Change {
    Change::Create {
        kind: name(kind),
        id: Some(id(number)),
        fields: fields(kind, pairs),
    }
}

/// With an id from the kernel.
pub(crate) fn create_new(kind: &str, pairs: &[(&str, &str)]) -> Change {
    Change::Create {
        kind: name(kind),
        id: None,
        fields: fields(kind, pairs),
    }
}

fn target(kind: &str, number: u8, expected: Option<u64>) -> Target {
    Target {
        kind: name(kind),
        id: id(number),
        expected,
    }
}

/// An empty text clears the field.
fn patch(kind: &str, pairs: &[(&str, &str)]) -> Patch {
    let value = |field, text: &str| (!text.is_empty()).then(|| value(kind, field, text));
    pairs
        .iter()
        .map(|(field, text)| (name(field), value(field, text)))
        .collect()
}

pub(crate) fn update(kind: &str, number: u8, pairs: &[(&str, &str)]) -> Change {
    Change::Update {
        target: target(kind, number, None),
        patch: patch(kind, pairs),
    }
}

fn update_of(kind: &str, number: u8, version: u64, pairs: &[(&str, &str)]) -> Change {
    Change::Update {
        target: target(kind, number, Some(version)),
        patch: patch(kind, pairs),
    }
}

pub(crate) fn delete(kind: &str, number: u8) -> Change {
    Change::Delete {
        target: target(kind, number, None),
    }
}

/// A commit by a person.
pub(crate) fn commit(changes: Vec<Change>) -> Commit {
    let actor = Actor::User("demo".to_owned());
    Commit {
        changes,
        actor,
        key: None,
        at: at(0),
        cause: None,
    }
}

fn keyed(key: &str, changes: Vec<Change>) -> Commit {
    Commit {
        key: Some(key.to_owned()),
        ..commit(changes)
    }
}

pub(crate) fn kernel_on(store: Arc<dyn Store>, plugins: TablePlugins) -> Arc<Kernel> {
    Arc::new(Kernel::new(store, schema(), Arc::new(plugins), 7).unwrap())
}

pub(crate) fn kernel(plugins: TablePlugins) -> Arc<Kernel> {
    kernel_on(Arc::new(MemoryStore::new()), plugins)
}

pub(crate) fn accept(kernel: &Kernel, changes: Vec<Change>) -> Receipt {
    accepted(kernel.commit(commit(changes)).unwrap())
}

pub(crate) fn accepted(outcome: Outcome) -> Receipt {
    match outcome {
        Outcome::Accepted(receipt) => receipt,
        other => panic!("not stored: {other:#?}"),
    }
}

/// What a field of a record holds, as text; empty when it is.
fn held(kernel: &Kernel, kind: &str, number: u8, field: &str) -> String {
    let record = kernel.get(kind, id(number)).unwrap();
    let value = record.and_then(|record| record.get(field).cloned());
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Runs a test on both stores.
fn on_both_stores(test: impl Fn(Arc<dyn Store>)) {
    test(Arc::new(MemoryStore::new()));
    let folder = tempfile::tempdir().unwrap();
    test(Arc::new(
        RedbStore::create(folder.path().join("data")).unwrap(),
    ));
}

fn assert_clean(kernel: &Kernel) {
    let report = verify(&*kernel.store().snapshot().unwrap(), &schema()).unwrap();
    assert!(report.is_clean(), "{report:?}");
}

fn fault(plugin: &str) -> Fault {
    Fault {
        plugin: plugin.to_owned(),
        limit: "fuel".to_owned(),
        allowed: Some(100),
        message: format!("plugin {plugin} used up its fuel of 100; give it less to do"),
    }
}

fn busy(plugin: &str) -> Fault {
    let limit = Fault::BUSY.to_owned();
    Fault {
        limit,
        ..fault(plugin)
    }
}

fn finding(draft: &Draft<'_>, code: &str) -> Guarded {
    let (change, field) = (draft.change, None);
    let message = format!("rule {code}");
    Guarded {
        findings: vec![Finding {
            force: Force::Refuses,
            change,
            field,
            code: code.to_owned(),
            message,
        }],
        fuel: 5,
        ..Guarded::default()
    }
}

fn message(order_key: &str, number: u32) -> Message {
    Message {
        url: "https://example.test/hook".to_owned(),
        content_type: "text/plain".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        order_key: order_key.to_owned(),
        id: format!("{order_key}-{number}"),
        signing_secret: None,
    }
}
