//! Entries put aside: one record a plugin fails on holds up no other, and no record's order is broken.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Mutex;

use kjerne_model::Entry;
use kjerne_store::{CursorRow, Snapshot, StoreError, Write, cursors, outbox};

use super::simulation::{Dice, times};
use super::*;
use crate::{Effects, PluginInfo, Progress, Role, TablePlugin, Task, limits};

fn entries(task: &Task) -> &[Entry] {
    match task {
        Task::React(entries) => entries,
        other => panic!("{other:?} is no reaction"),
    }
}

fn accounts_of(entry: &Entry) -> BTreeSet<u8> {
    entry
        .edits
        .iter()
        .map(|edit| edit.id.as_bytes()[15])
        .collect()
}

/// A plugin that sends a message for each entry, and fails on what `fails` says.
fn tells(fails: impl Fn(&Entry) -> bool + Send + Sync + 'static) -> TablePlugin {
    TablePlugin::new("tells").run(Role::React, move |_, task| {
        if entries(task).iter().any(&fails) {
            return Err(fault("tells"));
        }
        let messages = entries(task)
            .iter()
            .map(|entry| message("entry", entry.number as u32));
        Ok(Effects {
            messages: messages.collect(),
            ..Effects::default()
        })
    })
}

/// The entries answered, in the order they were.
fn told(kernel: &Kernel) -> Vec<u64> {
    let mut told = Vec::new();
    let snapshot = kernel.store().snapshot().unwrap();
    outbox::list(&*snapshot, 0, &mut |row| {
        told.push(row.message.id.rsplit('-').next().unwrap().parse().unwrap());
        ControlFlow::Continue(())
    })
    .unwrap();
    told
}

fn cursor(kernel: &Kernel) -> CursorRow {
    cursors::get(&*kernel.store().snapshot().unwrap(), "tells", "react").unwrap()
}

/// Turns at one time until there is nothing to do now.
fn settle(kernel: &Kernel, plugin: &PluginInfo, seconds: i64) -> Result<bool, StoreError> {
    for _ in 0..10_000 {
        match kernel.react(plugin, Role::React, at(seconds))? {
            Progress::Idle => return Ok(true),
            Progress::Waiting { .. } => return Ok(false),
            _ => {}
        }
    }
    panic!("it does not come to rest")
}

fn settled(kernel: &Kernel, plugin: &PluginInfo, seconds: i64) -> bool {
    settle(kernel, plugin, seconds).unwrap()
}

fn touch(kernel: &Kernel, accounts: &[u8], value: u64) -> u64 {
    let value = value.to_string();
    let update = |number: &u8| update("account", *number, &[("employees", &value)]);
    accept(kernel, accounts.iter().map(update).collect()).entry
}

fn with_accounts(kernel: &Kernel, count: u8) {
    for number in 1..=count {
        accept(kernel, vec![create("account", number, &[("name", "A")])]);
    }
}

/// Account 1 fails for good. What is about it waits in order; one entry is about it and another account,
/// which waits from there on; the rest goes on at once.
#[test]
fn only_what_is_about_a_failing_record_waits_and_goes_on_in_order() {
    let poisoned = 4;
    let plugin = tells(move |entry| entry.number == poisoned);
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    with_accounts(&kernel, 3);
    assert_eq!(touch(&kernel, &[1], 4), poisoned);
    for (number, accounts) in [(5, &[2][..]), (6, &[1]), (7, &[1, 2]), (8, &[2]), (9, &[3])] {
        assert_eq!(touch(&kernel, accounts, number), number);
    }
    assert!(!settled(&kernel, &info, 0));
    assert_eq!(told(&kernel), [1, 2, 3, 5, 9]);
    touch(&kernel, &[3], 10);
    touch(&kernel, &[2], 11);
    assert!(
        !settled(&kernel, &info, 0),
        "what comes later goes by it, and waits as well"
    );
    assert_eq!(told(&kernel), [1, 2, 3, 5, 9, 10]);
    let aside: Vec<u64> = cursor(&kernel).aside.iter().map(|row| row.entry).collect();
    assert!(aside.starts_with(&[4, 6, 7, 8]), "{aside:?}");
    let mut now = 0;
    while !settled(&kernel, &info, now) {
        now += 1;
    }
    assert_eq!(now, 127, "the pauses of seven tries");
    assert_eq!(told(&kernel), [1, 2, 3, 5, 9, 10, 6, 7, 8, 11]);
    let parked: Vec<u64> = kernel
        .parked()
        .unwrap()
        .iter()
        .map(|row| row.entry)
        .collect();
    assert_eq!((parked, cursor(&kernel).aside.len()), (vec![poisoned], 0));
    assert_clean(&kernel);
}

#[test]
fn a_plugin_that_fails_on_everything_leaves_the_rest_to_the_journal() {
    let plugin = tells(|_| true);
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    with_accounts(&kernel, 60);
    let failed = limits::ASIDE_FAILED.count();
    assert!(!settled(&kernel, &info, 0));
    let row = cursor(&kernel);
    assert_eq!((row.position, row.aside.len()), (failed as u64, failed));
    (1..=127).for_each(|now| assert!(!settled(&kernel, &info, now)));
    assert_eq!(kernel.parked().unwrap().len(), failed, "one round of tries");
    assert_eq!(
        cursor(&kernel).aside.len(),
        failed,
        "and the next have begun"
    );
}

#[test]
fn behind_a_failing_record_wait_so_many_entries_and_no_more() {
    let plugin = tells(|entry| entry.number == 1);
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    with_accounts(&kernel, 2);
    let most = limits::ASIDE.value;
    for number in 0..most + 90 {
        touch(&kernel, &[1], number);
    }
    let last = touch(&kernel, &[2], 1);
    settled(&kernel, &info, 0);
    let row = cursor(&kernel);
    assert!(row.aside.len() as u64 <= most, "{}", row.aside.len());
    assert!(row.position <= most + 1, "{}", row.position);
    let mut now = 0;
    while !settled(&kernel, &info, now) {
        now += 1;
    }
    let expected: Vec<u64> = (2..=last).collect();
    assert_eq!(told(&kernel), expected);
}

/// Entries that are aside and, with new settings, concern the plugin no longer are over.
#[test]
fn what_is_aside_and_watched_no_more_is_let_go() {
    let plugin = tells(|entry| entry.number == 1);
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    with_accounts(&kernel, 1);
    settled(&kernel, &info, 0);
    assert_eq!(cursor(&kernel).aside.len(), 1);
    let elsewhere = PluginInfo {
        watches: crate::Watches::of_kinds([name("case")]),
        ..info
    };
    assert!(settled(&kernel, &elsewhere, 1));
    assert_eq!(
        (cursor(&kernel).aside.len(), kernel.parked().unwrap().len()),
        (0, 0)
    );
}

/// A store whose writes fail now and then: before anything is stored, or after all of it was, as when the
/// power goes between the flush and the answer.
struct Failing {
    inner: MemoryStore,
    dice: Mutex<Dice>,
}

impl Store for Failing {
    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.snapshot()
    }

    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let fate = self.dice.lock().unwrap().below(20);
        let cut = || Err(StoreError::Unknown("the power went".to_owned()));
        match fate {
            0 => cut(),
            1 => self.inner.write(work).and_then(|()| cut()),
            _ => self.inner.write(work),
        }
    }
}

/// Whatever is neither answered nor parked has failed and is aside, or waits for such an entry.
fn nothing_else_is_held_up(kernel: &Kernel, context: &str) {
    let told: BTreeSet<u64> = told(kernel).into_iter().collect();
    let parked: BTreeSet<u64> = kernel
        .parked()
        .unwrap()
        .iter()
        .map(|row| row.entry)
        .collect();
    let aside = cursor(kernel).aside;
    let failed = aside.iter().filter(|row| row.tries > 0);
    let failed: BTreeSet<u64> = failed.map(|row| row.entry).collect();
    assert!(
        failed.len() < limits::ASIDE_FAILED.count(),
        "{context}: too many for this check"
    );
    let mut held = BTreeSet::new();
    for entry in kernel.journal(0, 1_000).unwrap() {
        let number = entry.number;
        if told.contains(&number) || parked.contains(&number) {
            continue;
        }
        let accounts = accounts_of(&entry);
        let waits = accounts.iter().any(|account| held.contains(account));
        assert!(
            failed.contains(&number) || waits,
            "{context}: entry {number} is held up"
        );
        held.extend(accounts);
    }
}

/// Each entry is answered once or parked once, and those of one record in their order.
fn all_is_over_in_order(kernel: &Kernel, context: &str) {
    let told = told(kernel);
    let mut over: Vec<u64> = told.clone();
    over.extend(kernel.parked().unwrap().iter().map(|row| row.entry));
    over.sort_unstable();
    let journal = kernel.journal(0, 1_000).unwrap();
    let numbers: Vec<u64> = journal.iter().map(|entry| entry.number).collect();
    assert_eq!(over, numbers, "{context}");
    let mut last: BTreeMap<u8, u64> = BTreeMap::new();
    for number in told {
        for account in accounts_of(&journal[number as usize - 1]) {
            let before = last.insert(account, number).unwrap_or_default();
            assert!(
                before < number,
                "{context}: {account}: {before} before {number}"
            );
        }
    }
}

/// One seed: random commits on a few accounts, a plugin that fails now and then and on one entry in ten
/// for good, and power that goes; everything is opened again after each failure of the store.
fn simulate(seed: u64) {
    let context = format!("seed {seed}");
    let mut dice = Dice(seed * 2_654_435_761 + 1);
    let store: Arc<dyn Store> = Arc::new(Failing {
        inner: MemoryStore::new(),
        dice: Mutex::new(Dice(seed + 77)),
    });
    let open = || {
        let moods = Mutex::new(Dice(seed * 31 + 5));
        let plugin = tells(move |entry| {
            let hopeless = entry.number % 10 == seed % 10;
            hopeless || moods.lock().unwrap().below(12) == 0
        });
        let info = plugin.info();
        (
            kernel_on(Arc::clone(&store), TablePlugins::none().with(plugin)),
            info,
        )
    };
    let (mut kernel, mut info) = open();
    let mut now = 0;
    for round in 0..120 {
        let account = |dice: &mut Dice| u8::try_from(dice.below(8)).unwrap() + 1;
        let accounts: BTreeSet<u8> = (0..=dice.below(3)).map(|_| account(&mut dice)).collect();
        let change = |number: &u8| match kernel.get("account", id(*number)).unwrap() {
            Some(_) => update("account", *number, &[("employees", &round.to_string())]),
            None => create("account", *number, &[("name", "A")]),
        };
        let made = kernel.commit(commit(accounts.iter().map(change).collect()));
        let went = made.is_err()
            || match dice.below(3) {
                0 => {
                    settle(&kernel, &info, now).map(|_| nothing_else_is_held_up(&kernel, &context))
                }
                _ => kernel.react(&info, Role::React, at(now)).map(drop),
            }
            .is_err();
        if went {
            (kernel, info) = open();
        }
        now += i64::try_from(dice.below(4)).unwrap();
    }
    let mut rounds = 0;
    while !settle(&kernel, &info, now).unwrap_or(false) {
        now += 5;
        rounds += 1;
        assert!(rounds < 2_000, "{context}: it does not come to an end");
    }
    all_is_over_in_order(&kernel, &context);
    assert_clean(&kernel);
}

#[test]
fn random_faults_and_crashes_lose_nothing_break_no_order_and_hold_nothing_else_up() {
    println!("seeds 0 to {}", 40 * times() - 1);
    (0..40 * times()).for_each(simulate);
}
