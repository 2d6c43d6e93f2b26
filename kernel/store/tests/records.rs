//! Records, their indexes and the journal, on both stores.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{all, both, create, entry, id, name, record, schema, store_change, text, thing};
use kjerne_model::{Currency, Date, Decimal, Money, Reference, Value};
use kjerne_store::{Store, StoreError, index, journal, records, verify};

fn found(store: &dyn Store, field: &str, value: &Value) -> Vec<u8> {
    let snapshot = store.snapshot().unwrap();
    let ids = all(|visit| index::ids(&*snapshot, "thing", field, value, None, visit));
    ids.iter().map(|id| id.as_bytes()[0]).collect()
}

#[test]
fn a_record_is_found_by_each_of_its_values_until_they_change() {
    both(|store| {
        let nok = |minor| {
            Value::Money(Money {
                minor,
                currency: Currency::new("NOK").unwrap(),
            })
        };
        let choices =
            |tags: &[&str]| Value::choices(tags.iter().map(|tag| (*tag).to_owned()).collect());
        let before = record(
            1,
            &[
                ("code", text("A-1")),
                ("size", Value::Integer(7)),
                ("weight", Value::Decimal(Decimal::new(15, 1).unwrap())),
                ("price", nok(100)),
                ("due", Value::Date(Date::from_days(3))),
                ("done", Value::Flag(false)),
                ("tags", choices(&["red", "blue"])),
                (
                    "parent",
                    Value::Reference(Reference::new(name("thing"), id(1))),
                ),
            ],
        );
        create(store, &before);
        create(
            store,
            &record(
                2,
                &[("size", Value::Integer(7)), ("tags", choices(&["red"]))],
            ),
        );
        for (field, value) in &before.fields {
            assert!(found(store, field, value).contains(&1), "{field} {value:?}");
        }
        assert_eq!(
            found(store, "size", &Value::Integer(7)),
            [1, 2],
            "in the order of ids"
        );
        assert_eq!(
            found(store, "tags", &text("red")),
            [1, 2],
            "each choice has an entry"
        );
        assert_eq!(found(store, "tags", &text("blue")), [1]);
        assert_eq!(
            found(store, "code", &text("a-1")),
            [] as [u8; 0],
            "the index keeps the case"
        );

        let mut after = before.clone();
        after.version = 2;
        after.fields.insert(name("size"), Value::Integer(8));
        after.fields.insert(name("tags"), choices(&["blue"]));
        after.fields.remove(&name("code"));
        store
            .write(&mut |write| store_change(write, Some(&before), Some(&after)))
            .unwrap();
        assert_eq!(found(store, "size", &Value::Integer(7)), [2]);
        assert_eq!(found(store, "size", &Value::Integer(8)), [1]);
        assert_eq!(found(store, "tags", &text("red")), [2]);
        assert_eq!(found(store, "code", &text("A-1")), [] as [u8; 0]);
        let snapshot = store.snapshot().unwrap();
        assert_eq!(
            records::get(&*snapshot, "thing", id(1)).unwrap(),
            Some(after.clone())
        );

        store
            .write(&mut |write| store_change(write, Some(&after), None))
            .unwrap();
        let snapshot = store.snapshot().unwrap();
        assert_eq!(records::get(&*snapshot, "thing", id(1)).unwrap(), None);
        for (field, value) in &after.fields {
            assert!(
                !found(store, field, value).contains(&1),
                "{field} {value:?}"
            );
        }
        assert!(verify(&*snapshot, &schema()).unwrap().is_clean());
    });
}

#[test]
fn a_range_is_walked_in_the_order_of_values() {
    both(|store| {
        let amount = |minor, code| {
            Value::Money(Money {
                minor,
                currency: Currency::new(code).unwrap(),
            })
        };
        let prices = [
            amount(500, "NOK"),
            amount(-3, "NOK"),
            amount(7, "SEK"),
            amount(20, "NOK"),
        ];
        for (number, price) in (1..).zip(&prices) {
            create(store, &record(number, &[("price", price.clone())]));
        }
        create(store, &record(9, &[]));
        let check = |from: Option<&Value>, to: Option<&Value>, expected: &[u8]| {
            let snapshot = store.snapshot().unwrap();
            let walk = |backwards| {
                let ids = all(|visit| {
                    index::range(&*snapshot, "thing", "price", from, to, backwards, visit)
                });
                ids.iter().map(|id| id.as_bytes()[0]).collect::<Vec<u8>>()
            };
            assert_eq!(walk(false), expected, "{from:?} to {to:?}");
            let reversed: Vec<u8> = expected.iter().rev().copied().collect();
            assert_eq!(walk(true), reversed, "{from:?} to {to:?} backwards");
        };
        check(None, None, &[2, 4, 1, 3]);
        check(Some(&amount(20, "NOK")), None, &[4, 1]);
        check(None, Some(&amount(20, "NOK")), &[2, 4]);
        check(Some(&amount(0, "NOK")), Some(&amount(499, "NOK")), &[4]);
        check(Some(&amount(21, "NOK")), Some(&amount(20, "NOK")), &[]);
        check(Some(&amount(0, "EUR")), None, &[]);
        check(Some(&Value::Integer(0)), None, &[]);
        check(
            Some(&Value::Address(kjerne_model::Address::default())),
            None,
            &[],
        );
    });
}

#[test]
fn ids_and_records_go_on_after_a_given_one() {
    both(|store| {
        (1..=5).for_each(|number| create(store, &record(number, &[])));
        let snapshot = store.snapshot().unwrap();
        let after = |after| {
            let label = text("a label");
            let ids = all(|visit| index::ids(&*snapshot, "thing", "label", &label, after, visit));
            let records = all(|visit| records::scan(&*snapshot, "thing", after, visit));
            assert_eq!(
                ids,
                records.iter().map(|record| record.id).collect::<Vec<_>>()
            );
            ids.len()
        };
        assert_eq!(after(None), 5);
        assert_eq!(after(Some(id(3))), 2);
        assert_eq!(after(Some(id(5))), 0);
        assert!(all(|visit| records::scan(&*snapshot, "thin", None, visit)).is_empty());
    });
}

#[test]
fn unique_text_is_exact() {
    both(|store| {
        let (upper, lower) = (text("001Fict0000AbCdE"), text("001Fict0000aBcDe"));
        create(store, &record(1, &[("code", upper.clone())]));
        create(store, &record(2, &[("code", lower.clone())]));
        let (snapshot, thing) = (store.snapshot().unwrap(), thing());
        let code = thing.field("code").unwrap();
        let holder = |value| index::holder(&*snapshot, "thing", code, value).unwrap();
        assert_eq!(holder(&upper), Some(id(1)));
        assert_eq!(holder(&lower), Some(id(2)));
        assert_eq!(holder(&text("001FICT0000ABCDE")), None);
        assert_eq!(found(store, "code", &lower), [2]);
        assert!(verify(&*snapshot, &schema()).unwrap().is_clean());
    });
}

#[test]
fn a_value_without_case_has_one_holder_and_one_index_key() {
    both(|store| {
        let first = record(1, &[("mail", text("Åse"))]);
        create(store, &first);
        assert_eq!(
            found(store, "mail", &text("åse")),
            [1],
            "looked for by its form"
        );
        let (snapshot, thing) = (store.snapshot().unwrap(), thing());
        let mail = thing.field("mail").unwrap();
        let holder = |value| index::holder(&*snapshot, "thing", mail, &text(value)).unwrap();
        assert_eq!(holder("åSE"), Some(id(1)));
        assert_eq!(holder("ase"), None);

        let second = record(2, &[("mail", text("åse"))]);
        let taken = store.write(&mut |write| store_change(write, None, Some(&second)));
        let message = taken.unwrap_err().to_string();
        assert!(message.contains("which another record holds"), "{message}");
        let free = record(2, &[("mail", text("other"))]);
        create(store, &free);
        let taken = store.write(&mut |write| store_change(write, Some(&free), Some(&second)));
        assert!(matches!(taken, Err(StoreError::Corrupt(_))));

        let mut recased = first.clone();
        recased.fields.insert(name("mail"), text("ÅSE"));
        recased.version = 2;
        store
            .write(&mut |write| store_change(write, Some(&first), Some(&recased)))
            .unwrap();
        let again = store.write(&mut |write| store_change(write, None, Some(&recased)));
        assert!(
            matches!(again, Err(StoreError::Corrupt(_))),
            "a record is not inserted twice"
        );
        assert!(
            verify(&*store.snapshot().unwrap(), &schema())
                .unwrap()
                .is_clean()
        );
    });
}

#[test]
fn long_texts_share_an_index_key_and_say_so() {
    both(|store| {
        let long = |end: &str| text(&format!("{}{end}", "ø".repeat(200)));
        create(
            store,
            &record(1, &[("label", long("a")), ("code", long("a"))]),
        );
        create(
            store,
            &record(2, &[("label", long("b")), ("code", long("b"))]),
        );
        assert!(!index::is_exact(&long("a")));
        assert_eq!(found(store, "label", &long("a")), [1, 2]);
        let (snapshot, thing) = (store.snapshot().unwrap(), thing());
        let code = thing.field("code").unwrap();
        assert_eq!(
            index::holder(&*snapshot, "thing", code, &long("b")).unwrap(),
            Some(id(2))
        );
    });
}

#[test]
fn the_journal_has_no_gaps_and_tells_each_records_history() {
    both(|store| {
        let first = record(1, &[]);
        create(store, &first);
        create(store, &record(2, &[]));
        let mut after = first.clone();
        after.version = 2;
        after.fields.insert(name("size"), Value::Integer(1));
        store
            .write(&mut |write| store_change(write, Some(&first), Some(&after)))
            .unwrap();

        for wrong in [0, 3, 5] {
            let outcome = store.write(&mut |write| journal::append(write, &entry(wrong, vec![])));
            assert!(
                matches!(outcome, Err(StoreError::Corrupt(_))),
                "entry {wrong} after 3"
            );
        }
        let snapshot = store.snapshot().unwrap();
        assert_eq!(journal::last(&*snapshot).unwrap(), 3);
        assert_eq!(
            all(|visit| journal::history(&*snapshot, "thing", id(1), visit)),
            [1, 3]
        );
        for (after, before, there) in [
            (0, None, vec![1, 2, 3]),
            (1, Some(3), vec![2]),
            (0, Some(1), vec![]),
            (3, None, vec![]),
            (u64::MAX, Some(0), vec![]),
        ] {
            for newest_first in [false, true] {
                let span = journal::Span {
                    after,
                    before,
                    newest_first,
                };
                let mut there = there.clone();
                let found = all(|visit| journal::scan_within(&*snapshot, span, visit));
                let mut found: Vec<u64> = found.iter().map(|entry| entry.number).collect();
                if newest_first {
                    found.reverse();
                }
                assert_eq!(found, there, "{span:?}");
                there.retain(|number| *number != 2);
                let mut touched =
                    all(|visit| journal::history_within(&*snapshot, "thing", id(1), span, visit));
                if newest_first {
                    touched.reverse();
                }
                assert_eq!(touched, there, "{span:?}");
            }
        }
        let entries = all(|visit| journal::scan(&*snapshot, 1, visit));
        assert_eq!(
            entries.iter().map(|entry| entry.number).collect::<Vec<_>>(),
            [2, 3]
        );
        assert_eq!(entries[1].edits[0].after, Some(after.fields));
        assert_eq!(
            journal::get(&*snapshot, 3).unwrap().as_ref(),
            Some(&entries[1])
        );
        assert_eq!(journal::get(&*snapshot, 4).unwrap(), None);
    });
}
