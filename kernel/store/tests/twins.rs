//! What holds for the durable store holds for its twin in memory.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::ops::ControlFlow;

use common::{both, rows, write};
use kjerne_store::{MemoryStore, Range, RedbStore, Space, Store, StoreError};
use proptest::prelude::*;
use redb::backends::InMemoryBackend;

fn keys_of(store: &dyn Store, range: Range<'_>) -> String {
    let rows = rows(&*store.snapshot().unwrap(), Space::PluginState, range);
    rows.iter()
        .map(|(key, _)| String::from_utf8_lossy(key).into_owned())
        .collect()
}

#[test]
fn a_scan_shows_its_range_in_order_either_way() {
    both(|store| {
        write(store, |write| {
            for key in ["d", "b", "e", "a", "c"] {
                write.put(Space::PluginState, key.as_bytes(), b"").unwrap();
            }
        });
        let check = |from: &str, to: Option<&str>, forward: &str| {
            let to = to.map(str::as_bytes);
            let range = Range {
                from: from.as_bytes(),
                to,
                backwards: false,
            };
            assert_eq!(keys_of(store, range), forward, "{from} to {to:?}");
            let reversed: String = forward.chars().rev().collect();
            assert_eq!(
                keys_of(store, range.backwards()),
                reversed,
                "{from} to {to:?} backwards"
            );
        };
        check("", None, "abcde");
        check("b", Some("d"), "bc");
        check("bb", Some("cc"), "c");
        check("c", Some("c"), "");
        check("d", Some("b"), "");
        check("f", None, "");
        let mut seen = 0;
        let snapshot = store.snapshot().unwrap();
        let mut stop_at_two = |_: &[u8], _: &[u8]| {
            seen += 1;
            if seen == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        snapshot
            .scan(Space::PluginState, Range::all(), &mut stop_at_two)
            .unwrap();
        assert_eq!(seen, 2, "a scan ends when the visitor breaks");
    });
}

#[test]
fn a_transaction_reads_what_it_wrote_and_a_snapshot_stays_as_it_was() {
    both(|store| {
        write(store, |write| {
            write.put(Space::Records, b"k", b"old").unwrap();
        });
        let earlier = store.snapshot().unwrap();
        write(store, |write| {
            write.put(Space::Records, b"k", b"new").unwrap();
            write.put(Space::Records, b"gone", b"").unwrap();
            write.remove(Space::Records, b"gone").unwrap();
            write.remove(Space::Records, b"never was").unwrap();
            assert_eq!(write.get(Space::Records, b"k").unwrap().unwrap(), b"new");
            assert_eq!(rows(write, Space::Records, Range::all()).len(), 1);
            let outside = store.snapshot().unwrap();
            assert_eq!(outside.get(Space::Records, b"k").unwrap().unwrap(), b"old");
        });
        assert_eq!(earlier.get(Space::Records, b"k").unwrap().unwrap(), b"old");
        let now = store.snapshot().unwrap();
        assert_eq!(now.get(Space::Records, b"k").unwrap().unwrap(), b"new");
    });
}

#[test]
fn a_write_that_fails_or_panics_stores_nothing_and_the_next_one_works() {
    both(|store| {
        let refused = store.write(&mut |write| {
            write.put(Space::Records, b"k", b"v")?;
            Err(StoreError::Missing("on purpose".to_owned()))
        });
        assert!(matches!(refused, Err(StoreError::Missing(_))));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = store.write(&mut |write| {
                write.put(Space::Records, b"k", b"v")?;
                panic!("on purpose");
            });
        }));
        assert!(panicked.is_err());
        assert_eq!(
            store.snapshot().unwrap().get(Space::Records, b"k").unwrap(),
            None
        );
        write(store, |write| {
            write.put(Space::Records, b"other", b"v").unwrap();
        });
        assert!(
            store
                .snapshot()
                .unwrap()
                .get(Space::Records, b"other")
                .unwrap()
                .is_some()
        );
    });
}

#[derive(Clone, Debug)]
enum Op {
    Put(u8, u16, u8),
    Remove(u8, u16),
    /// Ends the transaction: stored, or given up.
    End(bool),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let key = 0u16..400;
    prop::collection::vec(
        prop_oneof![
            6 => (0u8..2, key.clone(), any::<u8>()).prop_map(|(s, k, v)| Op::Put(s, k, v)),
            3 => (0u8..2, key).prop_map(|(s, k)| Op::Remove(s, k)),
            1 => any::<bool>().prop_map(Op::End),
        ],
        0..800,
    )
}

fn run(store: &dyn Store, transaction: &[Op], keep: bool) {
    let outcome = store.write(&mut |write| {
        for op in transaction {
            match *op {
                Op::Put(space, key, value) => {
                    let value = vec![value; usize::from(value)];
                    write.put(Space::ALL[usize::from(space)], &key.to_be_bytes(), &value)?;
                }
                Op::Remove(space, key) => {
                    write.remove(Space::ALL[usize::from(space)], &key.to_be_bytes())?;
                }
                Op::End(_) => {}
            }
        }
        if keep {
            Ok(())
        } else {
            Err(StoreError::Missing(String::new()))
        }
    });
    assert_eq!(outcome.is_ok(), keep);
}

/// How often more than the sample a suite is to run: `cargo soak` says so.
fn times() -> u32 {
    let told = std::env::var("KJERNE_SOAK").ok();
    told.and_then(|times| times.parse().ok()).unwrap_or(1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48 * times()))]

    #[test]
    fn the_twins_agree_on_any_operations(ops in ops(), from in 0u16..400, to in 0u16..400) {
        let memory = MemoryStore::new();
        let durable = RedbStore::with_backend(InMemoryBackend::new()).unwrap();
        let (from, to) = (from.to_be_bytes(), to.to_be_bytes());
        for transaction in ops.split_inclusive(|op| matches!(op, Op::End(_))) {
            let keep = !matches!(transaction.last(), Some(Op::End(false)));
            let earlier = memory.snapshot().unwrap();
            let before = rows(&*earlier, Space::ALL[1], Range::all());
            run(&memory, transaction, keep);
            run(&durable, transaction, keep);
            prop_assert_eq!(before, rows(&*earlier, Space::ALL[1], Range::all()));
        }
        let (memory, durable) = (memory.snapshot().unwrap(), durable.snapshot().unwrap());
        for space in [Space::ALL[0], Space::ALL[1]] {
            for backwards in [false, true] {
                for range in [
                    Range { from: b"", to: None, backwards },
                    Range { from: &from, to: Some(&to), backwards },
                    Range { from: &from, to: None, backwards },
                ] {
                    prop_assert_eq!(rows(&*memory, space, range), rows(&*durable, space, range));
                }
            }
            for key in 0u16..400 {
                let key = key.to_be_bytes();
                prop_assert_eq!(memory.get(space, &key).unwrap(), durable.get(space, &key).unwrap());
            }
        }
    }
}

/// Ten thousand commits under a held snapshot: the twin must not copy everything every time.
#[test]
fn many_small_writes_under_a_snapshot_stay_cheap() {
    let store = MemoryStore::new();
    let mut snapshots = Vec::new();
    for number in 0u32..10_000 {
        snapshots = vec![store.snapshot().unwrap()];
        write(&store, |write| {
            write
                .put(
                    Space::Records,
                    &number.reverse_bits().to_be_bytes(),
                    b"value",
                )
                .unwrap();
        });
    }
    assert_eq!(
        rows(&*snapshots[0], Space::Records, Range::all()).len(),
        9_999
    );
}

#[test]
fn readers_beside_a_writer_never_see_half_a_write() {
    both(|store| {
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 0u32..200 {
                    write(store, |write| {
                        for key in [b"a", b"b"] {
                            write
                                .put(Space::Records, key, &round.to_be_bytes())
                                .unwrap();
                        }
                    });
                }
            });
            let mut seen = None;
            while !writer.is_finished() {
                let snapshot = store.snapshot().unwrap();
                let [a, b] = [b"a", b"b"].map(|key| snapshot.get(Space::Records, key).unwrap());
                assert_eq!(a, b);
                assert!(a >= seen, "time goes forward");
                seen = a;
            }
        });
        let last = store.snapshot().unwrap().get(Space::Records, b"a").unwrap();
        assert_eq!(last, Some(199u32.to_be_bytes().to_vec()));
    });
}
