//! Round trips, and bytes that are no value.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kjerne_model::{
    Act, Actor, Address, Asked, Cause, Change, Currency, Date, Decimal, Edit, Entry, Fields,
    Instant, Message, Money, Name, Record, RecordId, Reference, Remark, Target, Value, Verdict,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::{Row, decode_entry, decode_record, encode_entry, encode_record};
use crate::{
    Approval, AsideRow, CostRow, CursorRow, DueRun, JobRow, JobRun, KeyRow, Link, OutboxRow,
    ParkedRow, PendingRow, PluginRow,
};

pub(crate) fn names() -> impl Strategy<Value = Name> {
    "[a-z][a-z0-9_]{0,8}(:[a-z][a-z0-9_]{0,4})?".prop_map(|text| Name::new(&text).unwrap())
}

pub(crate) fn ids() -> impl Strategy<Value = RecordId> {
    any::<[u8; 16]>().prop_map(RecordId::from_bytes)
}

fn instants() -> impl Strategy<Value = Instant> {
    any::<i64>().prop_map(Instant::from_millis)
}

pub(crate) fn decimals() -> impl Strategy<Value = Decimal> {
    (any::<i64>(), 0u8..=18).prop_map(|(digits, scale)| Decimal::new(digits, scale).unwrap())
}

fn addresses() -> impl Strategy<Value = Address> {
    (".*", ".*", ".*", ".*", ".*").prop_map(|(street, postal_code, city, region, country)| {
        Address {
            street,
            postal_code,
            city,
            region,
            country,
        }
    })
}

pub(crate) fn references() -> impl Strategy<Value = Reference> {
    (names(), ids()).prop_map(|(kind, id)| Reference { kind, id })
}

pub(crate) fn money() -> impl Strategy<Value = Money> {
    (any::<i64>(), "NOK|SEK|JPY|KWD").prop_map(|(minor, code)| Money {
        minor,
        currency: Currency::new(&code).unwrap(),
    })
}

pub(crate) fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        "(?s).*".prop_map(Value::Text),
        any::<i64>().prop_map(Value::Integer),
        decimals().prop_map(Value::Decimal),
        money().prop_map(Value::Money),
        any::<i32>().prop_map(|days| Value::Date(Date::from_days(days))),
        instants().prop_map(Value::Instant),
        any::<bool>().prop_map(Value::Flag),
        vec(".*", 0..4).prop_map(Value::choices),
        addresses().prop_map(Value::Address),
        references().prop_map(Value::Reference),
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    btree_map(names(), values(), 0..6)
}

fn records() -> impl Strategy<Value = Record> {
    (
        names(),
        ids(),
        any::<u64>(),
        instants(),
        instants(),
        fields(),
    )
        .prop_map(
            |(kind, id, version, created_at, updated_at, fields)| Record {
                kind,
                id,
                version,
                created_at,
                updated_at,
                fields,
            },
        )
}

/// Fields and the same with a few of them set, changed or cleared, as an update has them.
fn befores_and_afters() -> impl Strategy<Value = (Option<Fields>, Option<Fields>)> {
    let updates = (fields(), fields(), any::<u8>()).prop_map(|(before, set, keep)| {
        let mut after = before.clone();
        after.extend(set);
        let mut place = 0;
        after.retain(|_, _| {
            place += 1;
            keep >> (place % 8) & 1 == 0
        });
        (Some(before), Some(after))
    });
    prop_oneof![
        updates,
        fields().prop_map(|after| (None, Some(after))),
        fields().prop_map(|before| (Some(before), None)),
        Just((None, None)),
    ]
}

fn edits() -> impl Strategy<Value = Edit> {
    (names(), ids(), any::<u64>(), befores_and_afters()).prop_map(
        |(kind, id, version, (before, after))| Edit {
            kind,
            id,
            version,
            before,
            after,
        },
    )
}

fn actors() -> impl Strategy<Value = Actor> {
    prop_oneof![
        ".*".prop_map(Actor::User),
        ".*".prop_map(Actor::Plugin),
        ".*".prop_map(Actor::System),
    ]
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    let broke = proptest::option::of(".*");
    (
        ".*",
        ".*",
        "shape|guard",
        any::<u64>(),
        vec(".*", 0..3),
        broke,
    )
        .prop_map(|(plugin, version, role, fuel, set, broke)| Verdict {
            plugin,
            version,
            role,
            fuel,
            advice: set.iter().map(|text| remark(text)).collect(),
            set,
            broke,
        })
}

fn remark(text: &str) -> Remark {
    Remark {
        plugin: text.to_owned(),
        code: text.to_owned(),
        message: text.to_owned(),
        change: (text.len() > 3).then_some(text.len()),
        kind: (text.len() > 2).then(|| name("account")),
        id: (text.len() > 1).then(|| RecordId::from_bytes([3; 16])),
        field: (!text.is_empty()).then(|| text.to_owned()),
    }
}

fn entries() -> impl Strategy<Value = Entry> {
    let causes = (any::<u64>(), any::<u32>(), any::<Option<u32>>());
    let causes = causes.prop_map(|(entry, depth, follow_ups)| Cause {
        entry,
        depth,
        follow_ups,
    });
    (
        any::<u64>(),
        instants(),
        actors(),
        proptest::option::of(".*"),
        proptest::option::of(causes),
        vec(edits(), 0..4),
        vec(verdicts(), 0..3),
        proptest::option::of(acts()),
    )
        .prop_map(
            |(number, at, actor, key, cause, edits, verdicts, act)| Entry {
                number,
                at,
                actor,
                key,
                cause,
                edits,
                verdicts,
                act,
            },
        )
}

fn acts() -> impl Strategy<Value = Act> {
    let details = vec((".*", ".*"), 0..3);
    (".*", ".*", details).prop_map(|(operation, subject, details)| Act {
        operation,
        subject,
        details,
    })
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

proptest! {
    #[test]
    fn a_record_reads_as_it_was_written(record in records()) {
        let bytes = encode_record(&record);
        prop_assert_eq!(decode_record(record.kind.clone(), record.id, &bytes).unwrap(), record);
    }

    #[test]
    fn an_entry_reads_as_it_was_written(entry in entries()) {
        let bytes = encode_entry(&entry);
        prop_assert_eq!(decode_entry(entry.number, &bytes).unwrap(), entry);
    }

    #[test]
    fn a_record_cut_short_is_damage(record in records(), cut in any::<prop::sample::Index>()) {
        let bytes = encode_record(&record);
        let cut = cut.index(bytes.len());
        prop_assert!(decode_record(record.kind, record.id, &bytes[..cut]).is_err());
    }

    #[test]
    fn an_entry_cut_short_is_damage(entry in entries(), cut in any::<prop::sample::Index>()) {
        let bytes = encode_entry(&entry);
        prop_assert!(decode_entry(1, &bytes[..cut.index(bytes.len())]).is_err());
    }

    /// Whatever the bytes are, they give a value or an error: no panic, no endless memory.
    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in vec(any::<u8>(), 0..200)) {
        for version in [true, false] {
            if let (true, Some(first)) = (version, bytes.first_mut()) {
                *first = super::encoder::VERSION;
            }
            let _ = decode_record(name("contact"), RecordId::from_bytes([0; 16]), &bytes);
            let _ = decode_entry(1, &bytes);
            let _ = (KeyRow::decode(&bytes), CursorRow::decode(&bytes), ParkedRow::decode(&bytes));
            let _ = JobRow::decode(&bytes);
            let _ = (OutboxRow::decode(&bytes), PluginRow::decode(&bytes), CostRow::decode(&bytes));
        }
    }

    /// One wrong byte in a real entry goes deeper than random bytes do.
    #[test]
    fn an_entry_with_a_wrong_byte_is_read_without_a_panic(
        entry in entries(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode_entry(&entry);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let _ = decode_entry(1, &bytes);
    }
}

#[test]
fn an_update_is_kept_as_its_difference() {
    let long = Value::Text("x".repeat(1_000));
    let before: Fields = (0..10)
        .map(|n| (name(&format!("f{n}")), long.clone()))
        .collect();
    let mut after = before.clone();
    after.insert(name("f1"), Value::Flag(true));
    let edit = Edit {
        kind: name("contact"),
        id: RecordId::from_bytes([1; 16]),
        version: 2,
        before: Some(before),
        after: Some(after),
    };
    let entry = Entry {
        number: 2,
        at: Instant::from_millis(0),
        actor: Actor::User("kari".to_owned()),
        key: None,
        cause: None,
        edits: vec![edit],
        verdicts: vec![],
        act: None,
    };
    let bytes = encode_entry(&entry);
    assert!(bytes.len() < 10_200, "{} bytes", bytes.len());
    assert_eq!(decode_entry(2, &bytes).unwrap(), entry);
}

#[test]
fn a_form_of_another_version_is_named() {
    let error = KeyRow::decode(&[9, 0])
        .unwrap_err()
        .in_("row 7")
        .to_string();
    assert_eq!(
        error,
        "the data file is damaged: row 7 cannot be read: its form has version 9, not 1"
    );
}

#[test]
fn every_row_reads_as_it_was_written() {
    fn check<R: Row + PartialEq + std::fmt::Debug>(row: &R) {
        let mut bytes = row.encode();
        assert_eq!(&R::decode(&bytes).unwrap(), row);
        bytes.push(0);
        assert!(
            R::decode(&bytes).is_err(),
            "a byte too many must be damage: {row:?}"
        );
        bytes.truncate(bytes.len() - 2);
        assert!(
            R::decode(&bytes).is_err(),
            "a byte too few must be damage: {row:?}"
        );
    }
    let at = Instant::from_millis(-1);
    let text = || "tøkst".to_owned();
    check(&KeyRow {
        digest: [7; 16],
        entry: u64::MAX,
    });
    check(&CursorRow {
        position: 1,
        aside: vec![AsideRow {
            entry: u64::MAX,
            records: vec![RecordId::from_bytes([7; 16]), RecordId::from_bytes([9; 16])],
            tries: u32::MAX,
            not_before: at,
            error: Some(text()),
        }],
    });
    check(&ParkedRow {
        plugin: text(),
        role: text(),
        entry: 3,
        at,
        tries: 2,
        error: text(),
    });
    let due = DueRun { at, missed: 4 };
    check(&JobRow::default());
    check(&JobRow {
        position: at,
        last: Some(JobRun { due, at }),
        tries: 2,
        not_before: at,
        error: Some(text()),
        parked: Some(due),
    });
    check(&OutboxRow {
        link: Link {
            entry: 9,
            depth: 2,
            follow_ups: 60,
        },
        seq: 5,
        plugin: text(),
        message: Message {
            url: "https://example.com/".to_owned(),
            content_type: text(),
            headers: vec![(text(), String::new())],
            body: vec![0, 255],
            order_key: text(),
            id: text(),
            signing_secret: Some(text()),
        },
        queued_at: at,
        tries: 0,
        not_before: at,
        error: None,
        gave_up: true,
    });
    check(&PluginRow {
        id: text(),
        version: text(),
        digest: [9; 32],
        enabled: true,
        grants: vec![text(), String::new()],
        settings: text(),
        revision: 1 << 40,
        position: 3,
        installed_at: at,
        roles: vec![],
        limits: vec![(text(), u64::MAX)],
        lets_pass: true,
    });
    check(&CostRow {
        day: Date::from_days(i32::MIN),
        plugin: text(),
        version: text(),
        runtime: text(),
        role: text(),
        kind: text(),
        month: true,
        spent: crate::spent::Spent {
            fuel: u64::MAX,
            ..crate::spent::Spent::call(3)
        },
    });
}

/// The largest such row there is, and the smallest.
#[test]
fn a_commit_that_waits_reads_back_as_it_was() {
    let (kind, id) = (name("account"), RecordId::from_bytes([5; 16]));
    let fields = Fields::from([(name("name"), Value::Text("Ålesund".to_owned()))]);
    let target = |expected| Target {
        kind: kind.clone(),
        id,
        expected,
    };
    let patch = [
        (name("tier"), None),
        (name("name"), Some(Value::Flag(true))),
    ];
    let smallest = PendingRow {
        id,
        asked_at: Instant::from_millis(-5),
        actor: Actor::User("kari".to_owned()),
        behind: None,
        changes: Vec::new(),
        key: None,
        cause: None,
        messages: Vec::new(),
        link: Link::default(),
        edits: Vec::new(),
        asked: Vec::new(),
        approvals: Vec::new(),
        told: Vec::new(),
        error: None,
    };
    let largest = PendingRow {
        actor: Actor::Plugin("acme.credit".to_owned()),
        behind: Some(Actor::User("ola".to_owned())),
        changes: vec![
            Change::Create {
                kind: kind.clone(),
                id: Some(id),
                fields: fields.clone(),
            },
            Change::Update {
                target: target(Some(7)),
                patch: patch.into(),
            },
            Change::Delete {
                target: target(None),
            },
        ],
        key: Some(("k".to_owned(), [9; 16])),
        cause: Some(Cause {
            entry: 3,
            depth: 1,
            follow_ups: Some(4),
        }),
        messages: vec![Message {
            url: "https://example.com/".to_owned(),
            content_type: "text/plain".to_owned(),
            headers: vec![("a".to_owned(), "b".to_owned())],
            body: vec![0, 255],
            order_key: "k".to_owned(),
            id: "1".to_owned(),
            signing_secret: Some("hook".to_owned()),
        }],
        link: Link {
            entry: 3,
            depth: 1,
            follow_ups: 4,
        },
        edits: vec![Edit {
            kind: kind.clone(),
            id,
            version: 8,
            before: Some(fields),
            after: None,
        }],
        asked: vec![Asked {
            role: "sales-manager".to_owned(),
            remark: remark("large-deal"),
        }],
        approvals: vec![Approval {
            role: "legal".to_owned(),
            by: Actor::User("per".to_owned()),
            at: Instant::from_millis(6),
        }],
        told: vec![Actor::User("liv".to_owned()), Actor::User("per".to_owned())],
        error: Some("refused".to_owned()),
        ..smallest.clone()
    };
    for row in [smallest, largest] {
        let bytes = row.encode();
        assert_eq!(PendingRow::decode(&bytes).unwrap(), row);
        for short in 0..bytes.len() {
            assert!(PendingRow::decode(&bytes[..short]).is_err(), "{short}");
        }
    }
}
