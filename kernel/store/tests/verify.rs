//! `verify` passes a whole workspace and finds each kind of damage.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{
    both, create, entry, id, name, queued, record, rows, schema, store_change, text, thing, write,
};
use kjerne_model::{Actor, Value};
use kjerne_store::{
    AsideRow, CursorRow, KeyRow, MemoryStore, Range, Space, Store, cursors, idempotency, journal,
    outbox, plugin_state, records, verify,
};

/// A workspace with a bit of everything, in which `verify` finds nothing wrong.
fn furnish(store: &dyn Store) {
    for number in 1..=3 {
        let code = text(&format!("C{number}"));
        create(
            store,
            &record(number, &[("code", code), ("size", Value::Integer(1))]),
        );
    }
    let (before, mut after) = (
        record(3, &[("code", text("C3")), ("size", Value::Integer(1))]),
        record(3, &[]),
    );
    after.version = 2;
    store
        .write(&mut |write| store_change(write, Some(&before), Some(&after)))
        .unwrap();
    let gone = record(9, &[]);
    create(store, &gone);
    store
        .write(&mut |write| store_change(write, Some(&gone), None))
        .unwrap();
    write(store, |write| {
        let seq = outbox::next_seq(write).unwrap();
        outbox::push(write, &queued(seq)).unwrap();
        cursors::put(
            write,
            "p",
            "react",
            &CursorRow {
                position: 6,
                ..CursorRow::default()
            },
        )
        .unwrap();
    });
}

#[test]
fn verify_finds_nothing_wrong_in_a_whole_workspace() {
    both(|store| {
        furnish(store);
        let report = verify(&*store.snapshot().unwrap(), &schema()).unwrap();
        assert_eq!(
            report.to_string(),
            "3 records, 7 index entries, 2 unique values, 6 journal entries, 6 history rows: no faults"
        );
    });
}

#[test]
fn verify_finds_each_kind_of_damage() {
    let check = |expected: &str, damage: fn(&mut dyn kjerne_store::Write)| {
        let store = MemoryStore::new();
        furnish(&store);
        write(&store, damage);
        let report = verify(&*store.snapshot().unwrap(), &schema()).unwrap();
        let found = report.faults.iter().any(|fault| fault.contains(expected));
        assert!(found, "{expected:?} is not among {:#?}", report.faults);
    };
    fn last_row(write: &dyn kjerne_store::Write, space: Space) -> (Vec<u8>, Vec<u8>) {
        rows(write, space, Range::all()).pop().unwrap()
    }
    fn remove_last(write: &mut dyn kjerne_store::Write, space: Space) {
        let key = last_row(write, space).0;
        write.remove(space, &key).unwrap();
    }
    check("the index on size lacks thing/", |write| {
        remove_last(write, Space::Index);
    });
    check("the unique values of code lack thing/", |write| {
        remove_last(write, Space::Unique);
    });
    check("the history of thing/", |write| {
        remove_last(write, Space::History);
    });
    check("is missing since journal entry", |write| {
        remove_last(write, Space::Records);
    });
    check("the journal ends with entry 5", |write| {
        remove_last(write, Space::Journal);
    });
    check("journal entries 2 to 2 are missing", |write| {
        write.remove(Space::Journal, &2u64.to_be_bytes()).unwrap();
    });
    check("for nothing", |write| {
        let mut key = last_row(write, Space::Index).0;
        *key.last_mut().unwrap() += 1;
        write.put(Space::Index, &key, b"").unwrap();
    });
    check("the unique values of code have thing/", |write| {
        let (mut key, holder) = last_row(write, Space::Unique);
        let at = key.len() - 3;
        key[at] = b'9';
        write.put(Space::Unique, &key, &holder).unwrap();
    });
    check("has journal entry 7 for nothing", |write| {
        let mut key = last_row(write, Space::History).0;
        *key.last_mut().unwrap() = 7;
        write.put(Space::History, &key, b"").unwrap();
    });
    check(
        "record thing/03030303-0303-0303-0303-030303030303 cannot be read: it",
        |write| {
            let (key, value) = last_row(write, Space::Records);
            write
                .put(Space::Records, &key, &value[..value.len() - 1])
                .unwrap();
        },
    );
    check("journal entry 6 cannot be read", |write| {
        write
            .put(Space::Journal, &6u64.to_be_bytes(), b"\x01garbage")
            .unwrap();
    });
    check("is not as journal entry", |write| {
        let before = record(1, &[("code", text("C1")), ("size", Value::Integer(1))]);
        let mut after = before.clone();
        after.fields.insert(name("size"), Value::Integer(2));
        records::update(write, &thing(), &before, &after).unwrap();
    });
    check("and journal entry 1 left version 1", |write| {
        let before = record(1, &[("code", text("C1")), ("size", Value::Integer(1))]);
        let after = kjerne_model::Record {
            version: 5,
            ..before.clone()
        };
        records::update(write, &thing(), &before, &after).unwrap();
    });
    check("the journal knows nothing of thing/", |write| {
        records::insert(write, &thing(), &record(7, &[])).unwrap();
    });
    check("is not valid: thing needs label", |write| {
        let mut wrong = record(7, &[]);
        wrong.fields.clear();
        records::insert(write, &thing(), &wrong).unwrap();
    });
    check("parent of thing/07070707", |write| {
        let gone = kjerne_model::Reference::new(name("thing"), id(8));
        let lost = record(7, &[("parent", Value::Reference(gone))]);
        records::insert(write, &thing(), &lost).unwrap();
    });
    check("is of a kind that is not described", |write| {
        let other = kjerne_model::Kind {
            name: name("other"),
            ..thing()
        };
        let wrong = kjerne_model::Record {
            kind: name("other"),
            ..record(7, &[])
        };
        records::insert(write, &other, &wrong).unwrap();
    });
    check("from a state it was not in", |write| {
        let fields = Some(record(1, &[]).fields);
        let edit = kjerne_model::Edit {
            kind: name("thing"),
            id: id(1),
            version: 2,
            before: fields.clone(),
            after: fields,
        };
        journal::append(write, &entry(7, vec![edit])).unwrap();
    });
    check("both hold code C1", |write| {
        let (key, _) = rows(write, Space::Unique, Range::all()).remove(0);
        write.put(Space::Unique, &key, id(2).as_bytes()).unwrap();
    });
    check("stands at journal entry 99", |write| {
        cursors::put(
            write,
            "p",
            "react",
            &CursorRow {
                position: 99,
                ..CursorRow::default()
            },
        )
        .unwrap();
    });
    let unsound = "is out of order, or not behind it";
    check(unsound, |write| put_aside(write, &[7]));
    check(unsound, |write| put_aside(write, &[3, 2]));
    check(unsound, |write| put_aside(write, &[2, 2]));
    check("a message in the outbox cannot be read", |write| {
        write
            .put(Space::Outbox, &1u64.to_be_bytes(), b"garbage")
            .unwrap();
    });
    check("not what it has in the outbox", |write| {
        kjerne_store::meta::remove(write, "outbox-waiting.p").unwrap();
    });
    check("its place was not given", |write| {
        outbox::push(write, &queued(50)).unwrap();
    });
    check("the idempotency key", |write| {
        let row = KeyRow {
            digest: [0; 16],
            entry: 99,
        };
        idempotency::put(write, &Actor::User("kari".to_owned()), "k", &row).unwrap();
    });
    check("the totals of p", |write| {
        plugin_state::put(write, "p", "k", b"value").unwrap();
        remove_last(write, Space::PluginState);
    });
}

#[test]
fn the_list_of_faults_is_bounded_and_the_rest_is_counted() {
    let store = MemoryStore::new();
    write(&store, |write| {
        for number in 0..150 {
            records::insert(write, &thing(), &record(number, &[])).unwrap();
        }
    });
    let report = verify(&*store.snapshot().unwrap(), &schema()).unwrap();
    assert_eq!((report.faults.len(), report.more_faults), (100, 50));
}

/// Has the plugin stand at entry 6 with these put aside.
fn put_aside(write: &mut dyn kjerne_store::Write, entries: &[u64]) {
    let aside = entries.iter().map(|entry| AsideRow {
        entry: *entry,
        ..AsideRow::default()
    });
    let row = CursorRow {
        position: 6,
        aside: aside.collect(),
    };
    cursors::put(write, "p", "react", &row).unwrap();
}
