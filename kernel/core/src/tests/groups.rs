//! Many writers at once: nothing lost, nothing twice, nobody forgotten.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use kjerne_model::Code;
use kjerne_store::{Snapshot, StoreError, Write};

use super::*;
use crate::{Guarded, TablePlugin};

const WRITERS: usize = 64;

/// Runs `work` on every writer's thread at once and returns what each came to.
fn at_once<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(WRITERS);
    let run = |number| {
        start.wait();
        work(number)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..WRITERS)
            .map(|number| scope.spawn(move || run(number)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// A store whose flush takes a while, which counts its writes, and which fails or panics when told.
struct Slow {
    inner: MemoryStore,
    writes: AtomicUsize,
    fails_at: usize,
    panics_at: usize,
}

impl Slow {
    fn new() -> Self {
        let inner = MemoryStore::new();
        Self {
            inner,
            writes: AtomicUsize::new(0),
            fails_at: usize::MAX,
            panics_at: usize::MAX,
        }
    }
}

impl Store for Slow {
    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.snapshot()
    }

    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        self.inner.write(&mut |write| {
            work(write)?;
            thread::sleep(Duration::from_millis(3));
            assert_ne!(number, self.panics_at, "told to panic");
            if number == self.fails_at {
                Err(StoreError::Full("told to".to_owned()))
            } else {
                Ok(())
            }
        })
    }
}

#[test]
fn no_increment_is_lost_among_64_writers() {
    on_both_stores(|store| {
        let kernel = kernel_on(store, TablePlugins::none());
        accept(
            &kernel,
            vec![create(
                "account",
                1,
                &[("name", "Counter"), ("employees", "0")],
            )],
        );
        at_once(|_| {
            loop {
                let record = kernel.get("account", id(1)).unwrap().unwrap();
                let next = (record.version).to_string();
                let change = update_of("account", 1, record.version, &[("employees", &next)]);
                match kernel.commit(commit(vec![change])).unwrap() {
                    Outcome::Accepted(_) => break,
                    other => assert_eq!(other.refusals()[0].code, Code::StaleVersion),
                }
            }
        });
        assert_eq!(
            held(&kernel, "account", 1, "employees"),
            WRITERS.to_string()
        );
        assert_eq!(kernel.journal(0, 1_000).unwrap().len(), WRITERS + 1);
        assert_clean(&kernel);
    });
}

#[test]
fn writers_of_one_record_without_expectations_all_get_through() {
    let kernel = kernel_on(Arc::new(Slow::new()), TablePlugins::none());
    accept(&kernel, vec![create("account", 1, &[("name", "Hot")])]);
    let outcomes = at_once(|number| {
        let tier = format!("t{number}");
        kernel
            .commit(commit(vec![update("account", 1, &[("tier", &tier)])]))
            .unwrap()
    });
    assert!(outcomes.iter().all(|outcome| outcome.receipt().is_some()));
    let version = kernel.get("account", id(1)).unwrap().unwrap().version;
    assert_eq!(version, WRITERS as u64 + 1);
}

#[test]
fn of_64_who_want_a_unique_value_exactly_one_gets_it() {
    on_both_stores(|store| {
        let kernel = kernel_on(store, TablePlugins::none());
        let outcomes = at_once(|_| {
            let user = create_new("user", &[("name", "X"), ("email", "one@example.test")]);
            kernel.commit(commit(vec![user])).unwrap()
        });
        let won = outcomes
            .iter()
            .filter(|outcome| outcome.receipt().is_some())
            .count();
        assert_eq!(won, 1);
        let lost = outcomes.iter().flat_map(Outcome::refusals);
        assert!(
            lost.clone().count() == WRITERS - 1
                && lost.map(|one| one.code).all(|code| code == Code::Duplicate)
        );
        assert_clean(&kernel);
    });
}

#[test]
fn a_key_sent_64_times_at_once_is_stored_once() {
    on_both_stores(|store| {
        let kernel = kernel_on(store, TablePlugins::none());
        let receipts = at_once(|_| {
            let changes = vec![create_new("account", &[("name", "Once")])];
            accepted(kernel.commit(keyed("once", changes)).unwrap())
        });
        assert_eq!(
            receipts.iter().filter(|receipt| !receipt.replayed).count(),
            1
        );
        assert!(
            receipts
                .iter()
                .all(|one| one.entry == 1 && one.edits == receipts[0].edits)
        );
        assert_eq!(kernel.journal(0, 10).unwrap().len(), 1);
    });
}

#[test]
fn a_guard_that_counts_is_not_outrun_by_records_it_could_not_see() {
    on_both_stores(|store| {
        let guard = TablePlugin::new("three")
            .watching([name("contact")])
            .guard(|call, drafts| {
                let to = drafts[0].after.as_ref().unwrap().get("account").unwrap();
                let to = to.as_reference().unwrap();
                let there = call.reader.related(to, "contact", "account", 100).unwrap();
                let full = there.len() >= 3;
                Ok(if full {
                    finding(&drafts[0], "three-at-most")
                } else {
                    Guarded::default()
                })
            });
        let kernel = kernel_on(store, TablePlugins::none().with(guard));
        accept(&kernel, vec![create("account", 1, &[("name", "Small AS")])]);
        let outcomes = at_once(|_| {
            let contact = create_new("contact", &[("name", "X"), ("account", "account/1")]);
            kernel.commit(commit(vec![contact])).unwrap()
        });
        let accepted = outcomes
            .iter()
            .filter(|outcome| outcome.receipt().is_some())
            .count();
        assert_eq!(accepted, 3);
    });
}

#[test]
fn a_record_cannot_be_deleted_and_referred_to_at_once() {
    for round in 0..20 {
        let kernel = kernel(TablePlugins::none());
        accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
        at_once(|number| {
            let change = if number == round {
                delete("account", 1)
            } else {
                create_new("contact", &[("name", "X"), ("account", "account/1")])
            };
            kernel.commit(commit(vec![change])).unwrap()
        });
        let gone = kernel.get("account", id(1)).unwrap().is_none();
        let contacts = kernel
            .query(&crate::Query::all(name("contact")))
            .unwrap()
            .records
            .len();
        assert!(
            gone == (contacts == 0),
            "deleted: {gone}, contacts: {contacts}"
        );
    }
}

#[test]
fn those_who_wait_share_a_flush() {
    let store = Arc::new(Slow::new());
    let kernel = kernel_on(store.clone(), TablePlugins::none());
    at_once(|_| accept(&kernel, vec![create_new("account", &[("name", "X")])]));
    let writes = store.writes.load(Ordering::SeqCst);
    assert!(
        writes <= WRITERS / 4,
        "{WRITERS} commits took {writes} flushes"
    );
    assert_eq!(kernel.journal(0, 1_000).unwrap().len(), WRITERS);
}

#[test]
fn a_failed_flush_fails_everybody_in_it_and_nobody_after() {
    let store = Arc::new(Slow {
        fails_at: 1,
        ..Slow::new()
    });
    let kernel = kernel_on(store, TablePlugins::none());
    let outcomes =
        at_once(|_| kernel.commit(commit(vec![create_new("account", &[("name", "X")])])));
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert!(failed >= 1, "the second flush failed, so somebody was told");
    assert_eq!(kernel.journal(0, 1_000).unwrap().len(), WRITERS - failed);
    accept(&kernel, vec![create_new("account", &[("name", "After")])]);
    assert_clean(&kernel);
}

#[test]
fn a_store_that_fails_at_once_answers_everybody() {
    struct Dead(MemoryStore);
    impl Store for Dead {
        fn snapshot(&self) -> Result<Snapshot, StoreError> {
            self.0.snapshot()
        }
        fn write(
            &self,
            _work: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
        ) -> Result<(), StoreError> {
            Err(StoreError::ReadOnly("told to".to_owned()))
        }
    }
    let kernel = kernel_on(Arc::new(Dead(MemoryStore::new())), TablePlugins::none());
    let outcomes =
        at_once(|_| kernel.commit(commit(vec![create_new("account", &[("name", "X")])])));
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Err(StoreError::ReadOnly(_))))
    );
}

#[test]
fn a_leader_that_panics_leaves_nobody_waiting() {
    let store = Arc::new(Slow {
        panics_at: 1,
        ..Slow::new()
    });
    let kernel = kernel_on(store, TablePlugins::none());
    let outcomes = at_once(|_| {
        let change = create_new("account", &[("name", "X")]);
        let attempt = || kernel.commit(commit(vec![change]));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt))
    });
    let panicked = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert_eq!(panicked, 1, "the leader alone");
    let stored = outcomes
        .iter()
        .flatten()
        .filter(|outcome| outcome.is_ok())
        .count();
    assert_eq!(kernel.journal(0, 1_000).unwrap().len(), stored);
    accept(&kernel, vec![create_new("account", &[("name", "After")])]);
}
