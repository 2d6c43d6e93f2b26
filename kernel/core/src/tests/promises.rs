//! The promises that are kept in this crate, each by its number in the README.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, Weak};

use kjerne_model::{Code, Entry, Fields};
use kjerne_store::{Read, Snapshot, Space, StoreError, Write, outbox};

use super::*;
use crate::{Ask, Effects, FieldSet, Guarded, Role, Shaped, TablePlugin, Task, limits};

fn entries(kernel: &Kernel) -> Vec<Entry> {
    kernel.journal(0, 1_000).unwrap()
}

/// A store that notes, for each transaction that wrote anything, which spaces it wrote to.
struct Watching {
    inner: MemoryStore,
    written: Mutex<Vec<Vec<Space>>>,
}

struct Noting<'a> {
    write: &'a mut dyn Write,
    spaces: Vec<Space>,
}

impl Read for Noting<'_> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.write.get(space, key)
    }
    fn scan(
        &self,
        space: Space,
        range: kjerne_store::Range<'_>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.write.scan(space, range, visit)
    }
}

impl Write for Noting<'_> {
    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.spaces.push(space);
        self.write.put(space, key, value)
    }
    fn remove(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError> {
        self.spaces.push(space);
        self.write.remove(space, key)
    }
}

impl Store for Watching {
    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.snapshot()
    }
    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.inner.write(&mut |write| {
            let mut noting = Noting {
                write,
                spaces: Vec::new(),
            };
            work(&mut noting)?;
            noting.spaces.sort_unstable();
            noting.spaces.dedup();
            self.written.lock().unwrap().push(noting.spaces);
            Ok(())
        })
    }
}

fn watching() -> Arc<Watching> {
    Arc::new(Watching {
        inner: MemoryStore::new(),
        written: Mutex::default(),
    })
}

#[test]
fn promise_1_whatever_a_plugin_wants_changed_goes_through_commit() {
    let guard = TablePlugin::new("guard").guard(|_, drafts| Ok(finding(&drafts[0], "never")));
    let acts = TablePlugin::new("acts")
        .run(Role::Action, |_, _| {
            let changes = vec![create("account", 1, &[("name", "A")])];
            Ok(Effects {
                changes,
                ..Effects::default()
            })
        })
        .run(Role::React, |_, _| {
            let changes = vec![create("account", 2, &[("name", "B")])];
            Ok(Effects {
                changes,
                ..Effects::default()
            })
        });
    let info = acts.info();
    let kernel = kernel(TablePlugins::none().with(guard).with(acts));
    let ask = Ask {
        link: None,
        actor: Actor::User("demo".to_owned()),
        now: at(0),
        key: None,
    };
    let task = Task::Action {
        command: "act".to_owned(),
        arguments: Vec::new(),
    };
    let performed = kernel.perform(&info, &ask, &task).unwrap();
    assert_eq!(performed.outcome.refusals()[0].code, Code::Guard);
    kernel.react(&info, Role::React, at(0)).unwrap();
    assert!(entries(&kernel).is_empty());
    assert!(kernel.get("account", id(1)).unwrap().is_none());
}

#[test]
fn promise_2_record_index_and_journal_entry_are_stored_in_one_transaction() {
    let store = watching();
    let kernel = kernel_on(store.clone(), TablePlugins::none());
    let user = create("user", 1, &[("name", "A"), ("email", "a@example.test")]);
    accepted(kernel.commit(keyed("k", vec![user])).unwrap());
    let written = store.written.lock().unwrap().clone();
    assert_eq!(written.len(), 1);
    for space in [
        Space::Records,
        Space::Index,
        Space::Unique,
        Space::Journal,
        Space::History,
        Space::Keys,
    ] {
        assert!(
            written[0].contains(&space),
            "{space:?} is not in {written:?}"
        );
    }
}

#[test]
fn promise_3_what_the_guards_saw_is_what_is_stored() {
    let seen: Arc<Mutex<Vec<Fields>>> = Arc::default();
    let mut plugins = TablePlugins::none();
    for plugin in ["first", "last"] {
        let into = Arc::clone(&seen);
        plugins = plugins.with(TablePlugin::new(plugin).guard(move |_, drafts| {
            into.lock().unwrap().push(drafts[0].after.cloned().unwrap());
            Ok(Guarded::default())
        }));
    }
    // Stands last in the order, and still shapes before the first guard.
    plugins = plugins.with(TablePlugin::new("shape").shape(|_, _| {
        let value = Some(Value::Text("gold".to_owned()));
        Ok(Shaped {
            sets: vec![FieldSet {
                change: 0,
                field: name("tier"),
                value,
            }],
            fuel: 1,
            ..Shaped::default()
        })
    }));
    let kernel = kernel(plugins);
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    let stored = kernel.get("account", id(1)).unwrap().unwrap().fields;
    assert_eq!(*seen.lock().unwrap(), [stored.clone(), stored.clone()]);
    assert_eq!(entries(&kernel)[0].edits[0].after, Some(stored));
}

#[test]
fn promise_4_others_commit_while_a_guard_takes_its_time() {
    let back: Arc<OnceLock<Weak<Kernel>>> = Arc::default();
    let of_guard = Arc::clone(&back);
    let slow = TablePlugin::new("slow")
        .watching([name("contact")])
        .guard(move |_, _| {
            // Were this inside a transaction, the commit of an account would wait for ever.
            let kernel = of_guard.get().and_then(Weak::upgrade).unwrap();
            accept(
                &kernel,
                vec![create_new("account", &[("name", "Meanwhile AS")])],
            );
            Ok(Guarded::default())
        });
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::create(folder.path().join("data")).unwrap();
    let kernel = kernel_on(Arc::new(store), TablePlugins::none().with(slow));
    back.set(Arc::downgrade(&kernel)).unwrap();
    accept(&kernel, vec![create("contact", 1, &[("name", "Slow")])]);
    let kinds: Vec<_> = entries(&kernel)
        .iter()
        .map(|entry| entry.edits[0].kind.to_string())
        .collect();
    assert_eq!(kinds, ["account", "contact"]);
}

#[test]
fn promise_5_a_reaction_cannot_refuse() {
    let reacts = TablePlugin::new("reacts").run(Role::React, |_, _| Err(fault("reacts")));
    let info = reacts.info();
    let kernel = kernel(TablePlugins::none().with(reacts));
    let receipt = accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    kernel.react(&info, Role::React, at(0)).unwrap();
    assert_eq!(entries(&kernel).len() as u64, receipt.entry);
    assert!(kernel.get("account", id(1)).unwrap().is_some());
}

#[test]
fn promise_6_a_message_is_queued_with_its_journal_entry_or_not_at_all() {
    let store = watching();
    let refuse = Arc::new(AtomicUsize::new(1));
    let refuses = Arc::clone(&refuse);
    let guard = TablePlugin::new("guard")
        .watching([name("task")])
        .guard(move |_, drafts| {
            let refused = refuses.load(Ordering::SeqCst) == 1;
            Ok(if refused {
                finding(&drafts[0], "not-yet")
            } else {
                Guarded::default()
            })
        });
    let sends = TablePlugin::new("sends")
        .watching([name("account")])
        .run(Role::React, |_, _| {
            let changes = vec![create_new(
                "task",
                &[("subject", "Call"), ("status", "open")],
            )];
            let messages = vec![message("account/1", 1)];
            Ok(Effects {
                changes,
                messages,
                ..Effects::default()
            })
        });
    let info = sends.info();
    let kernel = kernel_on(store.clone(), TablePlugins::none().with(guard).with(sends));
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);

    kernel.react(&info, Role::React, at(0)).unwrap();
    assert!(
        kernel.outbox_due(at(9), 10).unwrap().is_empty(),
        "its commit was refused"
    );

    refuse.store(0, Ordering::SeqCst);
    kernel.react(&info, Role::React, at(9)).unwrap();
    assert_eq!(kernel.outbox_due(at(9), 10).unwrap().len(), 1);
    let written = store.written.lock().unwrap().clone();
    let with_message: Vec<_> = written
        .iter()
        .filter(|spaces| spaces.contains(&Space::Outbox))
        .collect();
    assert_eq!(with_message.len(), 1);
    assert!(with_message[0].contains(&Space::Journal) && with_message[0].contains(&Space::Cursors));
    let snapshot = kernel.store().snapshot().unwrap();
    assert_eq!(outbox::get(&*snapshot, 1).unwrap().unwrap().plugin, "sends");
}

#[test]
fn promise_7_a_broken_plugin_is_named_with_its_limit_and_number() {
    let breaks = TablePlugin::new("breaks").guard(|_, _| Err(fault("breaks")));
    let kernel = kernel(TablePlugins::none().with(breaks));
    let outcome = kernel
        .commit(commit(vec![create("account", 1, &[("name", "A")])]))
        .unwrap();
    let refusal = &outcome.refusals()[0];
    assert_eq!(refusal.code, Code::PluginFault);
    assert_eq!(
        (refusal.plugin.as_deref(), refusal.reason.as_deref()),
        (Some("breaks"), Some("fuel"))
    );
    assert!(refusal.message.contains("100"), "{refusal}");
}

#[test]
fn promise_10_every_limit_stands_in_one_list() {
    let source = include_str!("../limits.rs");
    let beside: Vec<_> = source
        .lines()
        .filter(|line| line.starts_with("pub const ") || line.starts_with("const "))
        .collect();
    assert!(beside.is_empty(), "a row of the table, please: {beside:?}");
    assert!(limits::ALL.contains(&limits::NAME_BYTES));
}
