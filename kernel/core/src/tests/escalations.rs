//! Escalation steps: each exactly once, whatever happens in between.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, Weak};

use super::*;
use crate::{Effects, Progress, Role, TablePlugin, Task, limits};

/// Raises the level of a case by one; the next step is due `pause` seconds after the last was, and
/// after the second there is none.
fn rules(calls: &Arc<AtomicUsize>, pause: i64) -> TablePlugin {
    let calls = Arc::clone(calls);
    TablePlugin::new("rules").run(Role::ServiceRules, move |call, task| {
        calls.fetch_add(1, Ordering::SeqCst);
        let Task::Escalate(case) = task else {
            panic!("an escalation")
        };
        let record = call.reader.get("case", case.id).unwrap().unwrap();
        let level = match record.get("escalation_level") {
            Some(Value::Integer(level)) => level + 1,
            _ => 1,
        };
        let Some(Value::Instant(due)) = record.get("escalate_at") else {
            panic!("it is due")
        };
        let next = (level < 2).then(|| Value::Instant(due.plus_millis(pause * 1_000)));
        let level = Some(Value::Integer(level));
        let patch = [
            (name("escalation_level"), level),
            (name("escalate_at"), next),
        ]
        .into();
        let target = Target {
            kind: name("case"),
            id: case.id,
            expected: None,
        };
        let changes = vec![Change::Update { target, patch }];
        Ok(Effects {
            changes,
            messages: vec![message("case", 1)],
            ..Effects::default()
        })
    })
}

fn due_case(number: u8, seconds: i64) -> Change {
    let due = at(seconds).to_string();
    let received = at(0).to_string();
    let pairs = [
        ("subject", "It broke"),
        ("status", "open"),
        ("received_at", received.as_str()),
        ("escalate_at", due.as_str()),
    ];
    create("case", number, &pairs)
}

fn level(kernel: &Kernel, number: u8) -> String {
    held(kernel, "case", number, "escalation_level")
}

#[test]
fn each_step_that_is_due_is_done_once_also_across_a_restart() {
    on_both_stores(|store| {
        let calls = Arc::default();
        let open = || {
            let plugins = TablePlugins::none().with(rules(&calls, 60));
            kernel_on(Arc::clone(&store), plugins)
        };
        let kernel = open();
        accept(&kernel, vec![due_case(1, 10), due_case(2, 30)]);
        assert!(kernel.escalate_due(at(9), 100).unwrap().done.is_empty());
        let done = kernel.escalate_due(at(10), 100).unwrap().done;
        assert_eq!(done.iter().map(|case| case.id).collect::<Vec<_>>(), [id(1)]);

        // As after a crash: everything but the store is gone.
        drop(kernel);
        let kernel = open();
        assert!(kernel.escalate_due(at(10), 100).unwrap().done.is_empty());
        assert_eq!(
            (level(&kernel, 1), level(&kernel, 2)),
            ("1".to_owned(), String::new())
        );
        kernel.escalate_due(at(1_000), 100).unwrap();
        kernel.escalate_due(at(1_000), 100).unwrap();
        kernel.escalate_due(at(1_000), 100).unwrap();
        assert_eq!(
            (level(&kernel, 1), level(&kernel, 2)),
            ("2".to_owned(), "2".to_owned())
        );
        assert_eq!(calls.load(Ordering::SeqCst), 4);
        assert_eq!(
            kernel.outbox_due(at(1_000), 10).unwrap().len(),
            1,
            "one order key, one head"
        );
        let entry = kernel.journal(1, 1).unwrap().remove(0);
        assert_eq!(entry.key, Some(format!("escalate/{}/1", id(1))));
        assert_clean(&kernel);
    });
}

#[test]
fn two_clocks_at_once_do_a_step_once() {
    on_both_stores(|store| {
        let kernel = kernel_on(
            store,
            TablePlugins::none().with(rules(&Arc::default(), 3_600)),
        );
        accept(
            &kernel,
            (1..=20).map(|number| due_case(number, 0)).collect(),
        );
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| kernel.escalate_due(at(1), 100).unwrap());
            }
        });
        (1..=20).for_each(|number| assert_eq!(level(&kernel, number), "1"));
        assert_eq!(kernel.journal(0, 100).unwrap().len(), 21);
        assert!(kernel.parked().unwrap().is_empty());
    });
}

#[test]
fn a_step_that_leaves_its_case_due_is_parked_at_once_until_the_case_changes() {
    let stuck = TablePlugin::new("stuck").run(Role::ServiceRules, |_, _| {
        let changes = vec![update("case", 1, &[("escalation_level", "1")])];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    });
    let kernel = kernel(TablePlugins::none().with(stuck));
    accept(&kernel, vec![due_case(1, 0)]);
    let escalated = kernel.escalate_due(at(0), 10).unwrap();
    assert!(
        escalated.parked[0].1.contains("escalate_at"),
        "{escalated:?}"
    );
    assert_eq!(level(&kernel, 1), "", "nothing of the step was done");
    assert_eq!(
        kernel.escalate_due(at(9_999), 10).unwrap(),
        crate::Escalated::default()
    );
    let parked = kernel.parked().unwrap();
    assert_eq!(
        (parked[0].plugin.as_str(), parked[0].role.as_str()),
        ("stuck", "service-rules")
    );
    assert!(parked[0].error.contains(&format!("case/{}", id(1))));

    accept(&kernel, vec![update("case", 1, &[("subject", "Changed")])]);
    assert_eq!(kernel.escalate_due(at(9_999), 10).unwrap().parked.len(), 1);
}

#[test]
fn a_step_that_fails_is_tried_later_and_does_not_hold_up_other_cases() {
    let plugin = TablePlugin::new("half").run(Role::ServiceRules, |_, task| {
        let Task::Escalate(case) = task else {
            panic!("an escalation")
        };
        if case.id == id(1) {
            return Err(fault("half"));
        }
        let changes = vec![update("case", 2, &[("escalate_at", "")])];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    });
    let kernel = kernel(TablePlugins::none().with(plugin));
    accept(&kernel, vec![due_case(1, 0), due_case(2, 1)]);
    let first = kernel.escalate_due(at(1), 10).unwrap();
    assert_eq!((first.failed.len(), first.done.len()), (1, 1));
    assert_eq!(
        kernel.escalate_due(at(1), 10).unwrap(),
        crate::Escalated::default(),
        "it rests"
    );
    let mut now = 2;
    for _ in 2..limits::REACTION_TRIES.value {
        assert_eq!(kernel.escalate_due(at(now), 10).unwrap().failed.len(), 1);
        now += 3_600;
    }
    assert_eq!(kernel.escalate_due(at(now), 10).unwrap().parked.len(), 1);
    assert_eq!(
        kernel.escalate_due(at(now + 9_999), 10).unwrap(),
        crate::Escalated::default()
    );
}

/// No place to be asked is no failed try, and the cases behind are not made to wait for one as long.
#[test]
fn a_step_that_finds_no_place_is_done_when_there_is_one() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let busy_for = 2 * limits::REACTION_TRIES.count();
    let plugin = TablePlugin::new("full").run(Role::ServiceRules, move |_, task| {
        let Task::Escalate(case) = task else {
            panic!("an escalation")
        };
        if count.fetch_add(1, Ordering::SeqCst) < busy_for {
            return Err(busy("full"));
        }
        let number = if case.id == id(1) { 1 } else { 2 };
        let changes = vec![update("case", number, &[("escalate_at", "")])];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    });
    let kernel = kernel(TablePlugins::none().with(plugin));
    accept(&kernel, vec![due_case(1, 0), due_case(2, 1)]);
    for turn in 0..busy_for as i64 {
        let turn = kernel.escalate_due(at(turn + 1), 10).unwrap();
        assert_eq!((turn.failed.len(), turn.parked.len()), (1, 0));
    }
    assert_eq!(asked.load(Ordering::SeqCst), busy_for, "once a turn");
    assert_eq!(kernel.escalate_due(at(99), 10).unwrap().done.len(), 2);
}

#[test]
fn a_shape_may_be_what_moves_the_time() {
    let plugin = TablePlugin::new("shapes")
        .shape(|_, drafts| {
            let change = drafts[0].change;
            let raised = drafts[0].before.is_some();
            let set = crate::FieldSet {
                change,
                field: name("escalate_at"),
                value: None,
            };
            Ok(crate::Shaped {
                sets: if raised { vec![set] } else { vec![] },
                ..crate::Shaped::default()
            })
        })
        .run(Role::ServiceRules, |_, _| {
            let changes = vec![update("case", 1, &[("escalation_level", "1")])];
            Ok(Effects {
                changes,
                ..Effects::default()
            })
        });
    let kernel = kernel(TablePlugins::none().with(plugin));
    accept(&kernel, vec![due_case(1, 0)]);
    assert_eq!(kernel.escalate_due(at(0), 10).unwrap().done.len(), 1);
    assert_eq!(level(&kernel, 1), "1");
}

#[test]
fn a_step_decided_on_a_case_that_has_changed_since_is_decided_anew() {
    let back: Arc<OnceLock<Weak<Kernel>>> = Arc::default();
    let of_plugin = Arc::clone(&back);
    let plugin = TablePlugin::new("late").run(Role::ServiceRules, move |call, _| {
        let read = call.reader.get("case", id(1)).unwrap().unwrap();
        if read.version == 1 {
            let kernel = of_plugin.get().and_then(Weak::upgrade).unwrap();
            accept(&kernel, vec![update("case", 1, &[("status", "resolved")])]);
        }
        let level = read.version.to_string();
        let pairs = [("escalation_level", level.as_str()), ("escalate_at", "")];
        let changes = vec![update("case", 1, &pairs)];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    });
    let kernel = kernel(TablePlugins::none().with(plugin));
    back.set(Arc::downgrade(&kernel)).unwrap();
    accept(&kernel, vec![due_case(1, 0)]);
    let nothing = crate::Escalated::default();
    assert_eq!(kernel.escalate_due(at(0), 10).unwrap(), nothing);
    assert_eq!(level(&kernel, 1), "");
    assert_eq!(kernel.escalate_due(at(0), 10).unwrap().done.len(), 1);
    assert_eq!(level(&kernel, 1), "2");
}

#[test]
fn a_step_named_as_one_that_was_done_before_is_parked_and_not_done_again() {
    let plugin = TablePlugin::new("once").run(Role::ServiceRules, |_, _| {
        let changes = vec![update("case", 1, &[("escalate_at", "")])];
        let key = Some("the only step".to_owned());
        Ok(Effects {
            changes,
            key,
            ..Effects::default()
        })
    });
    let kernel = kernel(TablePlugins::none().with(plugin));
    accept(&kernel, vec![due_case(1, 0)]);
    assert_eq!(kernel.escalate_due(at(0), 10).unwrap().done.len(), 1);
    let due = at(5).to_string();
    accept(&kernel, vec![update("case", 1, &[("escalate_at", &due)])]);
    let escalated = kernel.escalate_due(at(5), 10).unwrap();
    assert!(
        escalated.parked[0].1.contains("journal entry 2"),
        "{escalated:?}"
    );
}

#[test]
fn a_turn_of_the_clock_takes_so_many_cases_and_leaves_the_rest_to_the_next() {
    let plugin = TablePlugin::new("clears").run(Role::ServiceRules, |_, task| {
        let Task::Escalate(case) = task else {
            panic!("an escalation")
        };
        let number = case.id.as_bytes()[15];
        let changes = vec![update("case", number, &[("escalate_at", "")])];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    });
    let kernel = kernel(TablePlugins::none().with(plugin));
    let most = limits::ESCALATIONS.count();
    let cases = 1..=u8::try_from(most + 1).unwrap();
    accept(&kernel, cases.map(|number| due_case(number, 0)).collect());
    let done = || kernel.escalate_due(at(0), most).unwrap().done.len();
    assert_eq!([done(), done(), done()], [most, 1, 0]);
}

/// Moves the time by a thousandth of a second, or to `to` once the case has so many levels.
fn ticks(until: i64, to: i64) -> TablePlugin {
    TablePlugin::new("ticks").run(Role::ServiceRules, move |call, task| {
        let Task::Escalate(case) = task else {
            panic!("an escalation")
        };
        let record = call.reader.get("case", case.id).unwrap().unwrap();
        let level = match record.get("escalation_level") {
            Some(Value::Integer(level)) => level + 1,
            _ => 1,
        };
        let Some(Value::Instant(due)) = record.get("escalate_at") else {
            panic!("it is due")
        };
        let next = if level == until {
            at(to)
        } else {
            due.plus_millis(1)
        };
        let patch = [
            (name("escalation_level"), Some(Value::Integer(level))),
            (name("escalate_at"), Some(Value::Instant(next))),
        ]
        .into();
        let target = target("case", 1, None);
        assert_eq!(target.id, case.id);
        Ok(Effects {
            changes: vec![Change::Update { target, patch }],
            ..Effects::default()
        })
    })
}

/// How many steps are done before none is due, and why the last was not.
fn steps_until_rest(kernel: &Kernel, seconds: i64) -> (u64, Option<String>) {
    for steps in 0..1_000 {
        let escalated = kernel.escalate_due(at(seconds), 100).unwrap();
        if escalated.done.is_empty() {
            let parked = escalated.parked.into_iter().next();
            return (steps, parked.map(|(_, why)| why));
        }
    }
    panic!("it does not end")
}

#[test]
fn a_case_is_not_moved_from_one_past_to_the_next_for_ever() {
    let most = limits::STEPS_BEHIND.value;
    let kernel = kernel(TablePlugins::none().with(ticks(i64::MAX, 0)));
    accept(&kernel, vec![due_case(1, 10)]);
    let (steps, why) = steps_until_rest(&kernel, 1_000);
    assert_eq!(steps, most);
    let why = why.unwrap();
    assert!(
        why.contains("steps-behind") && why.contains("ticks"),
        "{why}"
    );
    assert_eq!(steps_until_rest(&kernel, 1_000), (0, None), "it rests");
    // Whoever sets another time begins anew.
    let due = at(1_500).to_string();
    accept(&kernel, vec![update("case", 1, &[("escalate_at", &due)])]);
    assert_eq!(steps_until_rest(&kernel, 2_000).0, most);
}

#[test]
fn a_case_that_is_behind_catches_up_and_is_counted_anew() {
    let most = limits::STEPS_BEHIND.value as i64;
    // As many steps as may leave it due, and one that does not.
    let kernel = kernel(TablePlugins::none().with(ticks(most + 1, 3_000)));
    accept(&kernel, vec![due_case(1, 10)]);
    let done = most as u64 + 1;
    assert_eq!(steps_until_rest(&kernel, 1_000), (done, None));
    assert_eq!(steps_until_rest(&kernel, 4_000).0, most as u64);
}

/// Clears the time of the case, unless it is broken.
fn mended(works: &Arc<AtomicUsize>) -> TablePlugin {
    let works = Arc::clone(works);
    TablePlugin::new("half").run(Role::ServiceRules, move |_, task| {
        let Task::Escalate(case) = task else {
            panic!("an escalation")
        };
        let number = case.id.as_bytes()[15];
        let cleared = [("escalate_at", "")];
        let kept = [("escalation_level", "1")];
        let works = works.load(Ordering::SeqCst) >= usize::from(number);
        let pairs = if works { &cleared } else { &kept };
        let changes = vec![update("case", number, pairs)];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    })
}

#[test]
fn b2_a_parked_step_is_done_when_it_is_tried_again_and_the_cause_is_mended() {
    on_both_stores(|store| {
        let works = Arc::new(AtomicUsize::new(0));
        let kernel = kernel_on(store, TablePlugins::none().with(mended(&works)));
        let info = kernel.plugins().with_role(Role::ServiceRules).remove(0);
        // Two cases of one commit are parked under one entry.
        accept(&kernel, vec![due_case(1, 0), due_case(2, 0)]);
        assert_eq!(kernel.escalate_due(at(0), 10).unwrap().parked.len(), 2);
        let listed = || kernel.parked().unwrap().len();
        assert_eq!(listed(), 1);
        let again = || {
            kernel
                .retry_parked(&info, Role::ServiceRules, 1, at(1))
                .unwrap()
        };
        assert!(matches!(again(), Progress::Parked { entry: 1, .. }));
        works.store(1, Ordering::SeqCst);
        assert!(matches!(again(), Progress::Parked { entry: 1, .. }));
        assert_eq!(held(&kernel, "case", 1, "escalate_at"), "");
        assert_eq!(listed(), 1, "the other is still to be done");
        works.store(2, Ordering::SeqCst);
        assert!(matches!(again(), Progress::Moved { .. }));
        assert_eq!(
            (held(&kernel, "case", 2, "escalate_at"), listed()),
            (String::new(), 0)
        );
        // What has changed since is the clock's again.
        assert_eq!(again(), Progress::Idle);
    });
}

#[test]
fn b7_a_step_and_a_reaction_that_sets_a_past_time_come_to_an_end() {
    let clears = TablePlugin::new("clears").run(Role::ServiceRules, |_, _| {
        let changes = vec![update("case", 1, &[("escalate_at", "")])];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    });
    let sets = TablePlugin::new("sets").run(Role::React, |_, _| {
        let past = at(5).to_string();
        let changes = vec![update("case", 1, &[("escalate_at", &past)])];
        Ok(Effects {
            changes,
            ..Effects::default()
        })
    });
    let kernel = kernel(TablePlugins::none().with(clears).with(sets));
    accept(&kernel, vec![due_case(1, 5)]);
    let info = kernel.plugins().with_role(Role::React).remove(0);
    let mut why = None;
    for turn in 0..100 {
        let now = at(1_000 + turn);
        let done = kernel.escalate_due(now, 10).unwrap();
        why = why.or(done.parked.into_iter().next().map(|(_, why)| why));
        let progress = kernel.react(&info, Role::React, now).unwrap();
        if let Progress::Parked { error, .. } = progress {
            why = why.or(Some(error));
        }
        if why.is_some() {
            break;
        }
    }
    let why = why.expect("it ends");
    assert!(
        why.contains("reaction-depth") || why.contains("chain"),
        "{why}"
    );
    let entries = kernel.journal(0, 100).unwrap().len() as u64;
    assert!(entries <= limits::REACTION_DEPTH.value + 2, "{entries}");
}
