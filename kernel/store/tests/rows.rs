//! What is kept beside records and journal, on both stores.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::ops::ControlFlow;

use common::{all, both, id, queued, write};
use kjerne_model::{Actor, Date, Instant};
use kjerne_store::costs::{Retention, Spent};
use kjerne_store::{
    AsideRow, CostRow, CursorRow, KeyRow, Origin, OutboxRow, ParkedRow, PluginRow, PublisherRow,
    WaitingRow, costs, cursors, idempotency, meta, outbox, parked, plugin_state, provenance,
    registry,
};

#[test]
fn keys_belong_to_their_actor() {
    both(|store| {
        let kari = Actor::User("kari".to_owned());
        let row = KeyRow {
            digest: [1; 16],
            entry: 7,
        };
        write(store, |write| {
            idempotency::put(write, &kari, "k", &row).unwrap();
        });
        let snapshot = store.snapshot().unwrap();
        assert_eq!(idempotency::get(&*snapshot, &kari, "k").unwrap(), Some(row));
        assert_eq!(idempotency::get(&*snapshot, &kari, "kk").unwrap(), None);
        for other in [
            Actor::Plugin("kari".to_owned()),
            Actor::User("kar".to_owned()),
        ] {
            assert_eq!(
                idempotency::get(&*snapshot, &other, "k").unwrap(),
                None,
                "{other}"
            );
        }
    });
}

#[test]
fn cursors_and_parked_entries_are_kept_by_plugin_and_role() {
    both(|store| {
        let at = Instant::from_millis(5);
        let cursor = CursorRow {
            position: 4,
            aside: vec![
                AsideRow {
                    entry: 2,
                    records: vec![id(1), id(2)],
                    tries: 2,
                    not_before: at,
                    error: Some("no".to_owned()),
                },
                AsideRow {
                    entry: 4,
                    records: vec![id(2)],
                    ..AsideRow::default()
                },
            ],
        };
        let park = |entry| ParkedRow {
            plugin: "p".to_owned(),
            role: "react".to_owned(),
            entry,
            at,
            tries: 8,
            error: "no".to_owned(),
        };
        write(store, |write| {
            cursors::put(write, "p", "react", &cursor).unwrap();
            cursors::put(write, "q", "react", &CursorRow::default()).unwrap();
            [300, 2]
                .iter()
                .for_each(|entry| parked::put(write, &park(*entry)).unwrap());
        });
        let snapshot = store.snapshot().unwrap();
        assert_eq!(cursors::get(&*snapshot, "p", "react").unwrap(), cursor);
        assert_eq!(
            cursors::get(&*snapshot, "p", "shape").unwrap(),
            CursorRow::default()
        );
        assert_eq!(cursors::find(&*snapshot, "p", "shape").unwrap(), None);
        let listed = cursors::list(&*snapshot).unwrap();
        assert_eq!(listed[0], ("p".to_owned(), "react".to_owned(), cursor));
        assert_eq!(listed.len(), 2);
        assert_eq!(
            all(|visit| parked::list(&*snapshot, visit)),
            [park(2), park(300)]
        );
        write(store, |write| {
            parked::remove(write, "p", "react", 2).unwrap();
            cursors::remove(write, "p", "react").unwrap();
        });
        let snapshot = store.snapshot().unwrap();
        assert_eq!(all(|visit| parked::list(&*snapshot, visit)), [park(300)]);
        assert_eq!(cursors::find(&*snapshot, "p", "react").unwrap(), None);
    });
}

#[test]
fn the_outbox_keeps_its_order_and_gives_no_place_twice() {
    both(|store| {
        let push = |write: &mut dyn kjerne_store::Write| {
            let seq = outbox::next_seq(write).unwrap();
            outbox::push(write, &queued(seq)).unwrap();
        };
        write(store, |write| (0..300).for_each(|_| push(write)));
        let failed = OutboxRow {
            tries: 1,
            error: Some("503".to_owned()),
            ..queued(300)
        };
        write(store, |write| {
            outbox::push(write, &failed).unwrap();
            outbox::remove(write, 299).unwrap();
        });
        let snapshot = store.snapshot().unwrap();
        assert_eq!(
            all(|visit| outbox::list(&*snapshot, 297, visit)),
            [queued(298), failed.clone()]
        );
        assert_eq!(outbox::get(&*snapshot, 300).unwrap(), Some(failed));
        assert_eq!(outbox::get(&*snapshot, 299).unwrap(), None);
        let waiting = outbox::waiting(&*snapshot, "p").unwrap();
        assert_eq!((waiting.rows, waiting.given_up), (299, 0), "{waiting:?}");
        write(store, |write| {
            outbox::remove(write, 300).unwrap();
            assert_eq!(outbox::next_seq(write).unwrap(), 301);
        });
    });
}

#[test]
fn plugins_are_listed_in_their_order_and_interfaces_are_bound() {
    both(|store| {
        let plugin = |id: &str, position| PluginRow {
            id: id.to_owned(),
            version: "0.1.0".to_owned(),
            digest: [0; 32],
            enabled: true,
            grants: vec!["read:account".to_owned()],
            settings: String::new(),
            revision: 1,
            position,
            installed_at: Instant::from_millis(1),
            roles: vec!["guard".to_owned()],
            limits: Vec::new(),
            lets_pass: false,
        };
        write(store, |write| {
            for row in [plugin("a", 2), plugin("b", 1), plugin("ab", 2)] {
                registry::put(write, &row).unwrap();
            }
            registry::bind(write, "sales-stages", "a").unwrap();
            registry::bind(write, "service-rules", "b").unwrap();
            registry::unbind(write, "service-rules").unwrap();
        });
        let snapshot = store.snapshot().unwrap();
        let order: Vec<String> = registry::list(&*snapshot)
            .unwrap()
            .into_iter()
            .map(|row| row.id)
            .collect();
        assert_eq!(order, ["b", "a", "ab"]);
        assert_eq!(
            registry::get(&*snapshot, "ab").unwrap(),
            Some(plugin("ab", 2))
        );
        assert_eq!(
            registry::binding(&*snapshot, "sales-stages")
                .unwrap()
                .unwrap(),
            "a"
        );
        assert_eq!(
            registry::binding(&*snapshot, "service-rules").unwrap(),
            None
        );
        let bindings = registry::bindings(&*snapshot).unwrap();
        assert_eq!(bindings, [("sales-stages".to_owned(), "a".to_owned())]);
        write(store, |write| registry::remove(write, "ab").unwrap());
        assert_eq!(
            registry::get(&*store.snapshot().unwrap(), "ab").unwrap(),
            None
        );
    });
}

#[test]
fn a_plugin_sees_its_own_state_and_what_it_uses() {
    both(|store| {
        write(store, |write| {
            for key in ["b/2", "b/1", "a", "b", "b\0", "c"] {
                plugin_state::put(write, "p", key, b"12").unwrap();
            }
            plugin_state::put(write, "p", "a", b"123").unwrap();
            plugin_state::put(write, "p.q", "b/3", b"").unwrap();
            plugin_state::remove(write, "p", "c").unwrap();
            plugin_state::remove(write, "p", "never").unwrap();
        });
        let snapshot = store.snapshot().unwrap();
        assert_eq!(
            plugin_state::get(&*snapshot, "p", "a").unwrap().unwrap(),
            b"123"
        );
        assert_eq!(plugin_state::get(&*snapshot, "p", "b/3").unwrap(), None);
        let check = |prefix: &str, after: Option<&str>, expected: &[&str]| {
            let mut seen = Vec::new();
            plugin_state::keys(&*snapshot, "p", prefix, after, &mut |key| {
                seen.push(key.to_owned());
                ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!(seen, expected, "{prefix:?} after {after:?}");
        };
        check("", None, &["a", "b", "b\0", "b/1", "b/2"]);
        check("b", None, &["b", "b\0", "b/1", "b/2"]);
        check("b", Some("b/1"), &["b/2"]);
        check("b", Some("a"), &["b", "b\0", "b/1", "b/2"]);
        check("b", Some("c"), &[]);
        check("b/1x", None, &[]);
        let used = plugin_state::used(&*snapshot, "p").unwrap();
        assert_eq!((used.keys, used.bytes), (5, 10 + 3 + 2 * 4));
        write(store, |write| plugin_state::clear(write, "p").unwrap());
        let snapshot = store.snapshot().unwrap();
        assert_eq!(plugin_state::used(&*snapshot, "p").unwrap().keys, 0);
        assert_eq!(plugin_state::used(&*snapshot, "p.q").unwrap().keys, 1);
    });
}

fn cost(day: i32, role: &str, kind: &str, fuel: u64) -> CostRow {
    CostRow {
        day: Date::from_days(day),
        plugin: "p".to_owned(),
        version: "0.1.0".to_owned(),
        runtime: "48".to_owned(),
        role: role.to_owned(),
        kind: kind.to_owned(),
        month: false,
        spent: Spent {
            fuel,
            ..Spent::call(3)
        },
    }
}

#[test]
fn costs_are_summed_by_day_plugin_version_role_and_kind() {
    both(|store| {
        let half = u64::MAX / 2 + 1;
        write(store, |write| {
            for row in [
                cost(2, "guard", "account", half),
                cost(-1, "guard", "account", half),
                cost(2, "guard", "account", half),
                cost(2, "guard", "case", half),
                cost(2, "shape", "case", half),
            ] {
                costs::add(write, &row).unwrap();
            }
        });
        let snapshot = store.snapshot().unwrap();
        let sums: Vec<(i32, u64)> = costs::list(&*snapshot, None)
            .unwrap()
            .iter()
            .map(|row| (row.day.days(), row.spent.calls))
            .collect();
        assert_eq!(sums, [(-1, 1), (2, 2), (2, 1), (2, 1)]);
        let since = costs::list(&*snapshot, Some(Date::from_days(0))).unwrap();
        assert_eq!((since.len(), since[0].spent.fuel), (3, u64::MAX));
    });
}

const RETENTION: Retention = Retention {
    rows: 3,
    days: 40,
    months: 400,
    step: 2,
};

#[test]
fn a_day_has_so_many_rows_of_costs_and_the_rest_without_its_kind() {
    both(|store| {
        let kinds = ["a", "b", "c", "d", "e", "a", "e"];
        let rows: Vec<CostRow> = kinds.iter().map(|kind| cost(2, "guard", kind, 1)).collect();
        write(store, |write| {
            costs::add_all(write, &rows[..1], &RETENTION).unwrap();
            costs::add_all(write, &rows[1..], &RETENTION).unwrap();
            costs::add_all(write, &[cost(3, "guard", "e", 1)], &RETENTION).unwrap();
        });
        let rows = costs::list(&*store.snapshot().unwrap(), None).unwrap();
        let rows: Vec<(i32, &str, u64)> = rows
            .iter()
            .map(|row| (row.day.days(), row.kind.as_str(), row.spent.calls))
            .collect();
        assert_eq!(
            rows,
            [
                (2, "", 3),
                (2, "a", 2),
                (2, "b", 1),
                (2, "c", 1),
                (3, "e", 1)
            ]
        );
    });
}

#[test]
fn old_costs_become_those_of_a_month_and_then_go() {
    both(|store| {
        let day = |month, day| Date::from_ymd(2026, month, day).unwrap().days();
        let today = Date::from_ymd(2026, 6, 20).unwrap();
        let rolled = || {
            let mut steps = 0;
            write(store, |write| {
                while costs::roll_up(write, today, &RETENTION).unwrap() > 0 {
                    steps += 1;
                }
            });
            steps
        };
        write(store, |write| {
            for row in [
                cost(day(1, 1) - 365, "guard", "a", 1),
                cost(day(4, 1), "guard", "", 1),
                cost(day(4, 1), "guard", "a", 2),
                cost(day(4, 30), "guard", "b", 4),
                cost(day(5, 1), "guard", "b", 8),
                cost(day(5, 20), "guard", "b", 16),
            ] {
                costs::add(write, &row).unwrap();
            }
        });
        assert_eq!(rolled(), 3, "two at a time, and one that went");
        assert_eq!(rolled(), 0, "once");
        let rows = costs::list(&*store.snapshot().unwrap(), None).unwrap();
        let rows: Vec<(i32, bool, u64)> = rows
            .iter()
            .map(|row| (row.day.days(), row.month, row.spent.fuel))
            .collect();
        let expected = [
            (day(4, 1), true, 7),
            (day(5, 1), true, 8),
            (day(5, 20), false, 16),
        ];
        assert_eq!(rows, expected);
    });
}

#[test]
fn what_a_workspace_keeps_once_is_kept() {
    both(|store| {
        assert_eq!(
            meta::workspace_id(&*store.snapshot().unwrap()).unwrap(),
            None
        );
        write(store, |write| {
            meta::set_workspace_id(write, id(4)).unwrap();
            meta::set_cache_key(write, &[5; 32]).unwrap();
            meta::put(write, "format", b"not the format").unwrap();
        });
        let snapshot = store.snapshot().unwrap();
        assert_eq!(meta::workspace_id(&*snapshot).unwrap(), Some(id(4)));
        assert_eq!(meta::cache_key(&*snapshot).unwrap(), Some([5; 32]));
        assert_eq!(
            meta::get(&*snapshot, "format").unwrap().unwrap(),
            b"not the format"
        );
    });
}

#[test]
fn where_plugins_come_from_goes_with_them_and_publishers_stay() {
    both(|store| {
        let origin = Origin {
            version: "0.1.0".to_owned(),
            digest: [3; 32],
            signer: None,
        };
        let waiting = WaitingRow {
            plugin: "acme.rule".to_owned(),
            origin: origin.clone(),
            signature: None,
            succession: None,
            since: Instant::from_millis(1),
        };
        let acme = PublisherRow {
            name: "acme".to_owned(),
            keys: Vec::new(),
        };
        write(store, |write| {
            provenance::put_publisher(write, &acme).unwrap();
            for plugin in ["acme.rule", "acme.rules"] {
                provenance::put_origins(write, plugin, std::slice::from_ref(&origin)).unwrap();
            }
            provenance::put_waiting(write, &waiting).unwrap();
        });
        let snapshot = store.snapshot().unwrap();
        let found = provenance::waiting(&*snapshot, "acme.rule").unwrap();
        assert_eq!(found, Some(waiting.clone()));
        assert_eq!(provenance::waiting(&*snapshot, "acme.rules").unwrap(), None);
        write(store, |write| {
            provenance::remove_plugin(write, "acme.rule").unwrap();
        });
        let snapshot = store.snapshot().unwrap();
        let origins = |plugin| provenance::origins(&*snapshot, plugin).unwrap();
        assert_eq!(
            (origins("acme.rule").len(), origins("acme.rules").len()),
            (0, 1)
        );
        assert_eq!(provenance::waiting(&*snapshot, "acme.rule").unwrap(), None);
        assert_eq!(
            provenance::publishers(&*snapshot).unwrap(),
            std::slice::from_ref(&acme)
        );
        assert_eq!(
            provenance::publisher(&*snapshot, "acme").unwrap(),
            Some(acme.clone())
        );
    });
}
