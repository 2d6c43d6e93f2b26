//! Reactions: cursor, causes, depth, pauses, parking.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, Weak};

use kjerne_model::Cause;
use kjerne_store::cursors;

use super::*;
use crate::{Effects, PluginInfo, Progress, Role, TablePlugin, Task, limits};

fn shown(task: &Task) -> Vec<u64> {
    match task {
        Task::React(entries) | Task::Outbound(entries) => {
            entries.iter().map(|entry| entry.number).collect()
        }
        other => panic!("{other:?} is no reaction"),
    }
}

/// A plugin that answers each account with a task, and notes what it was shown.
fn makes_tasks(seen: &Arc<Mutex<Vec<Vec<u64>>>>) -> TablePlugin {
    let seen = Arc::clone(seen);
    TablePlugin::new("makes-tasks")
        .watching([name("account")])
        .run(Role::React, move |_, task| {
            let numbers = shown(task);
            let task = || create_new("task", &[("subject", "Call"), ("status", "open")]);
            let changes = numbers.iter().map(|_| task()).collect();
            seen.lock().unwrap().push(numbers);
            Ok(Effects {
                changes,
                ..Effects::default()
            })
        })
}

fn react(kernel: &Kernel, plugin: &PluginInfo, seconds: i64) -> Progress {
    kernel.react(plugin, Role::React, at(seconds)).unwrap()
}

fn position(kernel: &Kernel, plugin: &PluginInfo) -> u64 {
    cursors::get(&*kernel.store().snapshot().unwrap(), &plugin.id, "react")
        .unwrap()
        .position
}

fn account(kernel: &Kernel, number: u8) -> u64 {
    accept(kernel, vec![create("account", number, &[("name", "A")])]).entry
}

#[test]
fn a_reaction_sees_each_entry_once_and_its_commit_tells_the_cause() {
    on_both_stores(|store| {
        let seen = Arc::default();
        let plugin = makes_tasks(&seen);
        let info = plugin.info();
        let kernel = kernel_on(Arc::clone(&store), TablePlugins::none().with(plugin));
        account(&kernel, 1);
        accept(&kernel, vec![create("contact", 2, &[("name", "C")])]);
        account(&kernel, 3);
        let progress = react(&kernel, &info, 1);
        assert!(
            matches!(
                progress,
                Progress::Moved {
                    position: 3,
                    shown: 2,
                    ..
                }
            ),
            "{progress:?}"
        );
        let entry = kernel.journal(3, 1).unwrap().remove(0);
        assert_eq!(entry.actor.to_string(), "plugin:makes-tasks");
        assert_eq!(
            entry.cause,
            Some(Cause {
                entry: 3,
                depth: 1,
                follow_ups: None
            })
        );
        assert_eq!(entry.at, at(1));
        assert_eq!(react(&kernel, &info, 2), Progress::Idle);

        // Its place is stored: a kernel opened anew goes on there.
        let plugin = makes_tasks(&seen);
        let kernel = kernel_on(store, TablePlugins::none().with(plugin));
        account(&kernel, 5);
        react(&kernel, &info, 3);
        assert_eq!(react(&kernel, &info, 4), Progress::Idle);
        assert_eq!(*seen.lock().unwrap(), [vec![1, 3], vec![5]]);
        assert_clean(&kernel);
    });
}

#[test]
fn a_plugin_is_not_shown_its_own_entries_nor_edits_it_does_not_watch() {
    let edits: Arc<Mutex<Vec<String>>> = Arc::default();
    let into = Arc::clone(&edits);
    let plugin =
        TablePlugin::new("own")
            .watching([name("account")])
            .run(Role::React, move |_, task| {
                let Task::React(entries) = task else {
                    panic!("a reaction")
                };
                let kinds = entries
                    .iter()
                    .flat_map(|entry| &entry.edits)
                    .map(|edit| edit.kind.to_string());
                into.lock().unwrap().extend(kinds);
                let changes = vec![update("account", 1, &[("tier", "a")])];
                Ok(Effects {
                    changes,
                    ..Effects::default()
                })
            });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    let changes = vec![
        create("account", 1, &[("name", "A")]),
        create("contact", 2, &[("name", "C")]),
    ];
    accept(&kernel, changes);
    react(&kernel, &info, 0);
    assert_eq!(held(&kernel, "account", 1, "tier"), "a");
    assert_eq!(react(&kernel, &info, 1), Progress::Idle);
    assert_eq!(*edits.lock().unwrap(), ["account"]);
}

#[test]
fn two_plugins_that_answer_each_other_come_to_an_end() {
    let counts = |plugin: &'static str| {
        TablePlugin::new(plugin)
            .watching([name("account")])
            .run(Role::React, |call, _| {
                let record = call.reader.get("account", id(1)).unwrap().unwrap();
                let changes = vec![update(
                    "account",
                    1,
                    &[("employees", &record.version.to_string())],
                )];
                Ok(Effects {
                    changes,
                    ..Effects::default()
                })
            })
    };
    let (ping, pong) = (counts("ping"), counts("pong"));
    let infos = [ping.info(), pong.info()];
    let kernel = kernel(TablePlugins::none().with(ping).with(pong));
    account(&kernel, 1);
    let mut parked = Vec::new();
    for turn in 0..1_000 {
        let progress: Vec<_> = infos
            .iter()
            .map(|info| react(&kernel, info, turn))
            .collect();
        if progress.iter().all(|progress| *progress == Progress::Idle) {
            break;
        }
        parked.extend(
            progress
                .into_iter()
                .filter(|one| matches!(one, Progress::Parked { .. })),
        );
    }
    let depths: Vec<_> = kernel
        .journal(0, 1_000)
        .unwrap()
        .iter()
        .map(|entry| u64::from(entry.cause.map_or(0, |cause| cause.depth)))
        .collect();
    assert_eq!(depths.iter().max(), Some(&limits::REACTION_DEPTH.value));
    assert!(!parked.is_empty() && parked.len() == kernel.parked().unwrap().len());
    assert!(kernel.parked().unwrap()[0].error.contains("too-deep"));
}

#[test]
fn a_failing_reaction_is_tried_with_longer_and_longer_pauses_and_then_parked() {
    let working = Arc::new(AtomicUsize::new(0));
    let works = Arc::clone(&working);
    let plugin = TablePlugin::new("flaky").run(Role::React, move |_, task| {
        let poisoned = shown(task).contains(&1) && works.load(Ordering::SeqCst) == 0;
        if poisoned {
            Err(fault("flaky"))
        } else {
            Ok(Effects::default())
        }
    });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    account(&kernel, 1);
    let mut now = 0;
    for (tries, pause) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 64)] {
        let until = at(now + pause);
        match react(&kernel, &info, now) {
            Progress::Failed {
                entry: 1,
                tries: told,
                until: then,
                error,
            } => {
                assert_eq!((told, then), (tries, until));
                assert!(error.contains("flaky") && error.contains("100"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(
            react(&kernel, &info, now + pause - 1),
            Progress::Waiting { until }
        );
        now += pause;
    }
    assert!(matches!(
        react(&kernel, &info, now),
        Progress::Parked { entry: 1, .. }
    ));
    assert_eq!(react(&kernel, &info, now), Progress::Idle);
    let parked = kernel.parked().unwrap();
    assert_eq!((parked.len(), parked[0].entry, parked[0].tries), (1, 1, 8));

    let again = || kernel.retry_parked(&info, Role::React, 1, at(now)).unwrap();
    assert!(matches!(again(), Progress::Parked { entry: 1, .. }));
    working.store(1, Ordering::SeqCst);
    assert!(matches!(again(), Progress::Moved { shown: 1, .. }));
    assert!(kernel.parked().unwrap().is_empty());
}

#[test]
fn an_entry_that_cannot_be_answered_is_parked_alone() {
    let answered: Arc<Mutex<Vec<u64>>> = Arc::default();
    let into = Arc::clone(&answered);
    let plugin = TablePlugin::new("poisoned").run(Role::React, move |_, task| {
        let numbers = shown(task);
        if numbers.contains(&13) {
            return Err(fault("poisoned"));
        }
        into.lock().unwrap().extend(numbers);
        Ok(Effects::default())
    });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    (1..=40).for_each(|number| assert!(account(&kernel, number) > 0));
    let mut now = 0;
    loop {
        match react(&kernel, &info, now) {
            Progress::Idle => break,
            Progress::Failed { entry, .. } => assert_eq!(entry, 13),
            Progress::Waiting { until } => now = (until.millis() - at(0).millis()) / 1_000,
            Progress::Moved { .. } | Progress::Parked { entry: 13, .. } => {}
            other => panic!("{other:?}"),
        }
    }
    let expected: Vec<u64> = (1..=40).filter(|number| *number != 13).collect();
    assert_eq!(*answered.lock().unwrap(), expected, "each once, in order");
    assert_eq!(kernel.parked().unwrap().len(), 1);
}

#[test]
fn a_refused_proposal_counts_as_a_failed_try() {
    let plugin = TablePlugin::new("wrong").run(Role::React, |_, _| {
        let changes = vec![create("task", 9, &[("status", "open")])];
        let messages = vec![message("x", 1)];
        Ok(Effects {
            changes,
            messages,
            ..Effects::default()
        })
    });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    account(&kernel, 1);
    let progress = react(&kernel, &info, 0);
    let Progress::Failed { error, .. } = progress else {
        panic!("{progress:?}")
    };
    assert!(
        error.contains("required") && error.contains("subject"),
        "{error}"
    );
    assert!(kernel.outbox_due(at(100), 10).unwrap().is_empty());
}

#[test]
fn what_does_not_concern_a_plugin_is_passed_in_bounded_turns() {
    let plugin = TablePlugin::new("elsewhere")
        .watching([name("case")])
        .run(Role::React, |_, _| panic!("nothing concerns it"));
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    let skip = limits::REACTION_SKIP.value;
    for number in 1..=skip {
        assert_eq!(react(&kernel, &info, 0), Progress::Idle);
        account(&kernel, u8::try_from(number).unwrap());
    }
    assert_eq!(position(&kernel, &info), 0, "not worth a durable write yet");
    assert!(matches!(
        react(&kernel, &info, 0),
        Progress::Moved { shown: 0, .. }
    ));
    assert_eq!(position(&kernel, &info), skip);
}

#[test]
fn large_entries_of_no_concern_are_passed_by_their_edits() {
    let most = limits::REACTION_SKIP_EDITS.value;
    for (edits, expected) in [(most - 1, 0), (most, 1)] {
        let plugin = TablePlugin::new("elsewhere")
            .watching([name("case")])
            .run(Role::React, |_, _| panic!("nothing concerns it"));
        let info = plugin.info();
        let kernel = kernel(TablePlugins::none().with(plugin));
        let new = (0..edits).map(|_| create_new("account", &[("name", "Acme")]));
        accept(&kernel, new.collect());
        react(&kernel, &info, 0);
        assert_eq!(position(&kernel, &info), expected, "{edits} edits");
    }
}

#[test]
fn messages_and_state_without_changes_are_stored_with_the_cursor_and_no_entry() {
    let plugin = TablePlugin::new("hook").run(Role::Integration, |call, task| {
        let kept = kjerne_store::plugin_state::get(&*call.reader, "hook", "sent").unwrap();
        let sent = kept.map_or(0, |bytes| bytes[0]) + u8::try_from(shown(task).len()).unwrap();
        let state = vec![("sent".to_owned(), Some(vec![sent]))];
        let messages = shown(task)
            .into_iter()
            .map(|number| message("k", number as u32))
            .collect();
        Ok(Effects {
            messages,
            state,
            ..Effects::default()
        })
    });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    account(&kernel, 1);
    account(&kernel, 2);
    let progress = kernel.react(&info, Role::Integration, at(0)).unwrap();
    let expected = Progress::Moved {
        position: 2,
        shown: 2,
        receipt: None,
        messages: 2,
    };
    assert_eq!(progress, expected);
    account(&kernel, 3);
    kernel.react(&info, Role::Integration, at(0)).unwrap();
    let snapshot = kernel.store().snapshot().unwrap();
    let kept = kjerne_store::plugin_state::get(&*snapshot, "hook", "sent").unwrap();
    assert_eq!(kept, Some(vec![3]));
    assert_eq!(kernel.journal(0, 10).unwrap().len(), 3);
}

#[test]
fn two_who_walk_with_one_plugin_at_once_do_nothing_twice() {
    on_both_stores(|store| {
        let plugin = makes_tasks(&Arc::default());
        let info = plugin.info();
        let kernel = kernel_on(store, TablePlugins::none().with(plugin));
        (1..=30).for_each(|number| assert!(account(&kernel, number) > 0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| while react(&kernel, &info, 0) != Progress::Idle {});
            }
        });
        let query = crate::Query {
            top: 1_000,
            ..crate::Query::all(name("task"))
        };
        assert_eq!(kernel.query(&query).unwrap().records.len(), 30);
    });
}

#[test]
fn a_plugin_enabled_late_can_begin_with_what_comes() {
    let seen = Arc::default();
    let plugin = makes_tasks(&seen);
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    let last = account(&kernel, 1);
    kernel.start_after(&info.id, Role::React, last).unwrap();
    account(&kernel, 2);
    react(&kernel, &info, 0);
    assert_eq!(*seen.lock().unwrap(), [[2]]);
}

#[test]
fn a_call_is_shown_so_many_entries_and_edits_and_one_depth() {
    let seen: Arc<Mutex<Vec<usize>>> = Arc::default();
    let into = Arc::clone(&seen);
    let plugin = TablePlugin::new("counts").run(Role::React, move |_, task| {
        into.lock().unwrap().push(shown(task).len());
        Ok(Effects::default())
    });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    let most = limits::REACTION_ENTRIES.count();
    let accounts = |count| vec![create_new("account", &[("name", "A")]); count];
    for _ in 0..=most {
        accept(&kernel, accounts(1));
    }
    let many = limits::REACTION_EDITS.count();
    accept(&kernel, accounts(many));
    accept(&kernel, accounts(many - 2));
    accept(&kernel, accounts(1));
    let cause = Some(Cause {
        entry: 1,
        depth: 1,
        follow_ups: None,
    });
    let deeper = Commit {
        cause,
        ..commit(accounts(1))
    };
    accepted(kernel.commit(deeper).unwrap());
    while react(&kernel, &info, 0) != Progress::Idle {}
    // The rest of the small ones; the large one alone; two that just fit; the one of another depth.
    assert_eq!(*seen.lock().unwrap(), [most, 1, 1, 2, 1]);
}

#[test]
fn a_key_a_plugin_has_used_does_nothing_again_and_still_lets_the_cursor_move() {
    let plugin =
        TablePlugin::new("keyed")
            .watching([name("account")])
            .run(Role::React, |_, task| {
                let subject = format!("After {:?}", shown(task));
                let task = create_new("task", &[("subject", &subject), ("status", "open")]);
                Ok(Effects {
                    key: Some("welcome".to_owned()),
                    changes: vec![task],
                    messages: vec![message("welcome", 1)],
                    ..Effects::default()
                })
            });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    account(&kernel, 1);
    assert!(matches!(
        react(&kernel, &info, 0),
        Progress::Moved { shown: 1, .. }
    ));
    account(&kernel, 2);
    assert!(matches!(
        react(&kernel, &info, 0),
        Progress::Moved {
            position: 3,
            shown: 1,
            ..
        }
    ));
    assert_eq!(react(&kernel, &info, 0), Progress::Idle);
    assert_eq!(kernel.last_entry().unwrap(), 3);
    kernel.outbox_done(1).unwrap();
    assert!(kernel.outbox_due(at(0), 10).unwrap().is_empty());
}

#[test]
fn a_reaction_that_failed_under_a_wrong_clock_is_tried_when_the_clock_is_put_right() {
    let years = 5 * 365 * 86_400;
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let plugin = TablePlugin::new("shaky").run(Role::React, move |_, _| {
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => Err(fault("shaky")),
            _ => Ok(Effects::default()),
        }
    });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    account(&kernel, 1);
    let failed = react(&kernel, &info, years);
    assert!(
        matches!(failed, Progress::Failed { tries: 1, .. }),
        "{failed:?}"
    );
    let waits = react(&kernel, &info, years);
    assert!(matches!(waits, Progress::Waiting { .. }), "{waits:?}");
    let moved = react(&kernel, &info, 60);
    assert!(matches!(moved, Progress::Moved { .. }), "{moved:?}");
}

/// A reaction whose proposals are refused has called nothing that broke, and is at fault all the same.
#[test]
fn what_a_reaction_proposes_in_vain_is_counted_as_its_faults() {
    let plugin = TablePlugin::new("vain").run(Role::React, |_, _| {
        Ok(Effects {
            changes: vec![create_new("task", &[("status", "open")])],
            ..Effects::default()
        })
    });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    account(&kernel, 1);
    let mut now = 0;
    let faults = || {
        let rows = kjerne_store::costs::list(&*kernel.store().snapshot().unwrap(), None).unwrap();
        let totals = rows
            .iter()
            .map(|row| (row.role.as_str() == "react", row.spent.faults));
        totals.fold(0, |sum, (react, faults)| {
            assert!(react);
            sum + faults
        })
    };
    while !matches!(react(&kernel, &info, now), Progress::Parked { .. }) {
        now += 600;
    }
    assert_eq!(faults(), limits::REACTION_TRIES.value);
    kernel.retry_parked(&info, Role::React, 1, at(now)).unwrap();
    assert_eq!(faults(), limits::REACTION_TRIES.value + 1);
}

/// Too much going on is nobody's failure, however long it lasts: nothing is counted, halved or parked.
#[test]
fn a_reaction_that_finds_no_place_waits_and_is_never_parked() {
    let asked = Arc::new(Mutex::new((0, true)));
    let state = Arc::clone(&asked);
    let plugin = TablePlugin::new("patient").run(Role::React, move |_, _| {
        let mut state = state.lock().unwrap();
        state.0 += 1;
        if state.1 {
            return Err(busy("patient"));
        }
        Ok(Effects::default())
    });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    account(&kernel, 1);
    account(&kernel, 2);
    let turns = 3 * limits::REACTION_TRIES.value as i64;
    for turn in 0..turns {
        let progress = react(&kernel, &info, turn);
        let waits = matches!(&progress, Progress::Busy { until, .. } if *until == at(turn + 1));
        assert!(waits, "{progress:?}");
    }
    assert_eq!(asked.lock().unwrap().0, turns, "once a turn");
    asked.lock().unwrap().1 = false;
    let moved = react(&kernel, &info, turns);
    assert!(
        matches!(moved, Progress::Moved { shown: 2, .. }),
        "{moved:?}"
    );
    assert_eq!(kernel.parked().unwrap(), []);
}

/// The same where what it proposes meets a guard that finds no place, and with an entry parked before.
#[test]
fn what_a_reaction_proposes_waits_for_guards_that_find_no_place() {
    let busy_now = Arc::new(Mutex::new(true));
    let state = Arc::clone(&busy_now);
    let guard = TablePlugin::new("strict")
        .watching([name("task")])
        .guard(move |_, _| match *state.lock().unwrap() {
            true => Err(busy("strict")),
            false => Ok(crate::Guarded::default()),
        });
    let plugin = makes_tasks(&Arc::default());
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin).with(guard));
    account(&kernel, 1);
    for turn in 0..2 * limits::REACTION_TRIES.value as i64 {
        let progress = react(&kernel, &info, turn);
        assert!(matches!(progress, Progress::Busy { .. }), "{progress:?}");
    }
    let again = kernel.retry_parked(&info, Role::React, 1, at(0)).unwrap();
    assert!(matches!(again, Progress::Busy { .. }), "{again:?}");
    *busy_now.lock().unwrap() = false;
    let moved = react(&kernel, &info, 99);
    assert!(matches!(moved, Progress::Moved { .. }), "{moved:?}");
}

/// A plugin that loses a race for a record looks again; one that expects what never was has failed.
#[test]
fn what_a_reaction_expected_and_somebody_changed_meanwhile_is_decided_anew() {
    let back: Arc<OnceLock<Weak<Kernel>>> = Arc::default();
    let of_plugin = Arc::clone(&back);
    let races = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&races);
    let plugin = TablePlugin::new("late").run(Role::React, move |call, _| {
        let version = call.reader.get("account", id(1)).unwrap().unwrap().version;
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            let kernel = of_plugin.get().and_then(Weak::upgrade).unwrap();
            accept(&kernel, vec![update("account", 1, &[("region", "North")])]);
        }
        let changes = vec![update_of("account", 1, version, &[("tier", "a")])];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    });
    let wrong = TablePlugin::new("wrong").run(Role::React, |_, _| {
        let changes = vec![update_of("account", 1, 99, &[("tier", "b")])];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    });
    let (info, wrong_info) = (plugin.info(), wrong.info());
    let kernel = kernel(TablePlugins::none().with(plugin).with(wrong));
    back.set(Arc::downgrade(&kernel)).unwrap();
    account(&kernel, 1);
    let moved = react(&kernel, &info, 1);
    assert!(matches!(moved, Progress::Moved { .. }), "{moved:?}");
    assert_eq!(races.load(Ordering::SeqCst), 2);
    let failed = react(&kernel, &wrong_info, 1);
    assert!(
        matches!(failed, Progress::Failed { tries: 1, .. }),
        "{failed:?}"
    );
}
