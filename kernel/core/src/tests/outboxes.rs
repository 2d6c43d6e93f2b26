//! The outbox: order, pauses, giving up.

use kjerne_model::Code;

use super::*;
use crate::{Ask, Effects, Progress, Role, TablePlugin, Task, Undelivered, limits};

/// A kernel with messages of these order keys queued, in order.
fn queued(order_keys: &'static [&'static str]) -> Arc<Kernel> {
    let plugin = TablePlugin::new("sends").run(Role::Action, |_, _| {
        let numbered = order_keys.iter().zip(1..);
        let messages = numbered.map(|(key, number)| message(key, number)).collect();
        Ok(Effects {
            messages,
            ..Effects::default()
        })
    });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    let ask = Ask {
        link: None,
        actor: Actor::User("demo".to_owned()),
        now: at(0),
        key: None,
    };
    let task = Task::Action {
        command: "send".to_owned(),
        arguments: Vec::new(),
    };
    accepted(kernel.perform(&info, &ask, &task).unwrap().outcome);
    kernel
}

fn due(kernel: &Kernel, seconds: i64) -> Vec<String> {
    let rows = kernel.outbox_due(at(seconds), 100).unwrap();
    rows.into_iter().map(|row| row.message.id).collect()
}

#[test]
fn messages_of_one_order_key_go_out_one_at_a_time() {
    let kernel = queued(&["a", "a", "b", "a"]);
    assert_eq!(due(&kernel, 0), ["a-1", "b-3"]);
    let first = kernel.outbox_due(at(0), 1).unwrap().remove(0);
    assert!(kernel.outbox_holds(&first).unwrap());
    kernel.outbox_done(1).unwrap();
    assert!(!kernel.outbox_holds(&first).unwrap(), "it has left");
    assert_eq!(due(&kernel, 0), ["a-2", "b-3"]);
    kernel.outbox_failed(2, "no answer", at(0)).unwrap();
    assert_eq!(
        due(&kernel, 0),
        ["b-3"],
        "those behind a waiting message wait with it"
    );
    assert_eq!(due(&kernel, 1), ["a-2", "b-3"]);
    assert_eq!(kernel.outbox_due(at(1), 1).unwrap().len(), 1);
}

#[test]
fn a_message_that_cannot_be_delivered_is_given_up_visibly_and_lets_others_pass() {
    let kernel = queued(&["a", "a"]);
    let mut now = 0;
    for tries in 1..=limits::OUTBOX_TRIES.value {
        assert_eq!(due(&kernel, now), ["a-1"]);
        let row = kernel
            .outbox_failed(1, "refused", at(now))
            .unwrap()
            .row
            .unwrap();
        assert_eq!(
            (u64::from(row.tries), row.error.as_deref()),
            (tries, Some("refused"))
        );
        assert_eq!(row.gave_up, tries == limits::OUTBOX_TRIES.value);
        let pause = (row.not_before.millis() - at(now).millis()) / 1_000;
        assert_eq!(pause, (1 << (tries - 1)).min(3_600));
        now += pause;
    }
    assert_eq!(due(&kernel, now), ["a-2"]);
    assert_eq!(kernel.outbox_failed(99, "gone", at(now)).unwrap().row, None);
}

/// A kernel whose plugin sends one message when asked, and so many more for each answer; and how many
/// went out before nothing was left, with the code of what was refused.
fn conversation(per_answer: u32, changes: bool) -> (usize, Vec<Code>) {
    let plugin = TablePlugin::new("talks")
        .run(Role::Action, |_, _| {
            let messages = vec![message("first", 0)];
            Ok(Effects {
                messages,
                ..Effects::default()
            })
        })
        .run(Role::Integration, move |_, task| {
            let Task::Answered { id, .. } = task else {
                return Ok(Effects::default());
            };
            // Each in an order key of its own, so that all of them go at once.
            let keyed = |number| message(&format!("{id}-{number}"), number);
            let changes = if changes {
                vec![create_new("account", &[("name", "told")])]
            } else {
                Vec::new()
            };
            Ok(Effects {
                messages: (0..per_answer).map(keyed).collect(),
                changes,
                ..Effects::default()
            })
        });
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    let ask = |link| Ask {
        actor: Actor::User("demo".to_owned()),
        now: at(0),
        key: None,
        link,
    };
    let begin = Task::Action {
        command: "send".to_owned(),
        arguments: Vec::new(),
    };
    accepted(kernel.perform(&info, &ask(None), &begin).unwrap().outcome);
    let (mut sent, mut refused) = (0, Vec::new());
    while let Some(row) = kernel.outbox_due(at(0), 1).unwrap().pop() {
        sent += 1;
        assert!(sent < 1_000, "it does not end");
        kernel.outbox_done(row.seq).unwrap();
        let answered = Task::Answered {
            id: row.message.id.clone(),
            status: 200,
            content_type: String::new(),
            body: Vec::new(),
            delivered: true,
        };
        let performed = kernel.perform(&info, &ask(Some(row.link)), &answered);
        let outcome = performed.unwrap().outcome;
        for refusal in outcome.refusals() {
            refused.push(refusal.code);
            kernel.outbox_parked(&row, refusal.to_string()).unwrap();
        }
    }
    let waiting = kernel.outbox_waiting("talks").unwrap();
    assert_eq!(
        (waiting.rows, waiting.given_up),
        (0, refused.len() as u64),
        "what was refused is kept"
    );
    (sent, refused)
}

#[test]
fn a_plugin_that_sends_from_answers_comes_to_an_end() {
    assert_eq!(conversation(0, false), (1, vec![]));
    // One in answer to each: as deep as a chain of reactions may be.
    assert_eq!(conversation(1, false), (9, vec![Code::TooDeep]));
    // Half of what may follow goes to what its changes lead to: 64, 31, 15, 7, 3, 1, 0.
    assert_eq!(conversation(1, true), (7, vec![Code::TooDeep]));
    // Two each: 1 + 2 + 4 + 8 + 16 + 32, then none may follow any more.
    assert_eq!(conversation(2, false), (63, vec![Code::TooDeep; 32]));
    assert_eq!(conversation(64, false).0, 65);
    assert_eq!(conversation(65, false), (1, vec![Code::TooDeep]));
}

/// Plugins that each send so many messages about every task, and make so many tasks of every answer;
/// and how many messages go out before nothing is left, after one task of a person.
fn ring(plugins: &[&'static str], times: u32) -> usize {
    let talks = |id: &'static str| {
        TablePlugin::new(id).run(Role::Integration, move |_, task| {
            let mut effects = Effects::default();
            match task {
                Task::Outbound(entries) => {
                    let edits = entries.iter().map(|entry| entry.edits.len()).sum::<usize>() as u32;
                    let entry = entries[0].number;
                    let keyed = |number| message(&format!("{id}-{entry}-{number}"), number);
                    effects.messages = (0..times * edits).map(keyed).collect();
                }
                Task::Answered { .. } => {
                    let task = || create_new("task", &[("subject", "told"), ("status", "open")]);
                    effects.changes = (0..times).map(|_| task()).collect();
                }
                _ => {}
            }
            Ok(effects)
        })
    };
    let all = plugins.iter().map(|id| talks(id));
    let infos: Vec<_> = plugins.iter().map(|id| talks(id).info()).collect();
    let kernel = kernel(all.fold(TablePlugins::none(), TablePlugins::with));
    let begin = create_new("task", &[("subject", "begin"), ("status", "open")]);
    accept(&kernel, vec![begin]);
    let mut sent = 0;
    loop {
        for info in &infos {
            while let Progress::Moved { .. } | Progress::Parked { .. } =
                kernel.react(info, Role::Integration, at(0)).unwrap()
            {}
        }
        let Some(row) = kernel.outbox_due(at(0), 1).unwrap().pop() else {
            return sent;
        };
        sent += 1;
        assert!(sent < 2_000, "it does not end");
        kernel.outbox_done(row.seq).unwrap();
        let info = infos.iter().find(|info| info.id == row.plugin).unwrap();
        let ask = Ask {
            actor: Actor::System("outbox".to_owned()),
            now: at(0),
            key: None,
            link: Some(row.link),
        };
        let answered = Task::Answered {
            id: row.message.id.clone(),
            status: 200,
            content_type: String::new(),
            body: Vec::new(),
            delivered: true,
        };
        accepted(kernel.perform(info, &ask, &answered).unwrap().outcome);
    }
}

#[test]
fn what_follows_from_an_answer_is_bounded_through_whatever_it_leads_to() {
    let most = limits::FOLLOW_UPS.value as usize;
    // A plugin is not shown what it made itself.
    assert_eq!(ring(&["one"], 2), 2);
    let table: [(&[&'static str], u32); 4] = [
        (&["one", "two"], 1),
        (&["one", "two"], 2),
        (&["one", "two"], 5),
        (&["one", "two", "three"], 2),
    ];
    for (plugins, times) in table {
        let first = plugins.len() * times as usize;
        let sent = ring(plugins, times);
        let told = format!("{plugins:?} {times}: {sent} messages");
        assert!(sent > first && sent <= first + first * most, "{told}");
    }
}

#[test]
fn what_waits_is_bounded_for_each_plugin_and_holds_up_its_reactions_only() {
    let many = || {
        let messages = (0..500).map(|number| message("k", number)).collect();
        Ok(Effects {
            messages,
            ..Effects::default()
        })
    };
    let fills = TablePlugin::new("fills")
        .run(Role::Action, move |_, _| many())
        .run(Role::Integration, |_, _| Ok(Effects::default()));
    let other = TablePlugin::new("other")
        .run(Role::Action, move |_, _| many())
        .run(Role::Integration, |_, _| Ok(Effects::default()));
    let (fills_info, other_info) = (fills.info(), other.info());
    let kernel = kernel(TablePlugins::none().with(fills).with(other));
    accept(&kernel, vec![create_new("account", &[("name", "one")])]);
    let ask = Ask {
        actor: Actor::User("demo".to_owned()),
        now: at(0),
        key: None,
        link: None,
    };
    let task = Task::Action {
        command: "send".to_owned(),
        arguments: Vec::new(),
    };
    let perform = |info| kernel.perform(info, &ask, &task).unwrap().outcome;
    for _ in 0..limits::OUTBOX_ROWS.value / 500 {
        accepted(perform(&fills_info));
    }
    let refused = perform(&fills_info);
    let [refusal] = refused.refusals() else {
        panic!("{refused:?}")
    };
    assert_eq!(refusal.reason.as_deref(), Some("outbox-rows"));
    assert!(refusal.message.contains("fills"), "{refusal}");
    let waits = kernel.react(&fills_info, Role::Integration, at(0)).unwrap();
    assert_eq!(waits, Progress::Waiting { until: at(1) });
    accepted(perform(&other_info));
    let moved = kernel.react(&other_info, Role::Integration, at(0)).unwrap();
    assert!(matches!(moved, Progress::Moved { .. }), "{moved:?}");
    // One goes out: there is room again.
    kernel.outbox_done(1).unwrap();
    let moved = kernel.react(&fills_info, Role::Integration, at(0)).unwrap();
    assert!(matches!(moved, Progress::Moved { .. }), "{moved:?}");
}

#[test]
fn a_receiver_says_how_long_to_wait_and_when_to_stop() {
    let later = |seconds: i64| Undelivered {
        error: "429".to_owned(),
        wait: Some(seconds * 1_000),
        hopeless: false,
    };
    // What is asked for, the pause that was due anyway, and the longest there is.
    for (asked, waited) in [(120, 120), (0, 1), (86_400, 3_600)] {
        let kernel = queued(&["a"]);
        let failed = kernel.outbox_failed(1, later(asked), at(0)).unwrap();
        assert_eq!(failed.row.unwrap().not_before, at(waited), "{asked} s");
    }
    let kernel = queued(&["a"]);
    let gone = Undelivered {
        hopeless: true,
        ..Undelivered::from("410")
    };
    let row = kernel.outbox_failed(1, gone, at(0)).unwrap().row.unwrap();
    assert!(row.gave_up && row.tries == 1, "{row:?}");
    assert!(due(&kernel, 1_000).is_empty());
}

#[test]
fn a_clock_that_is_put_back_leaves_no_message_waiting_for_years() {
    let kernel = queued(&["a"]);
    let years_ahead = 3 * 365 * 86_400;
    kernel.outbox_failed(1, "503", at(years_ahead)).unwrap();
    assert_eq!(due(&kernel, 0), ["a-1"]);
}

#[test]
fn the_oldest_message_given_up_makes_room() {
    let keys: &'static [&'static str] = vec!["k"; limits::GIVEN_UP.count() + 1].leak();
    let kernel = queued(keys);
    let hopeless = || Undelivered {
        hopeless: true,
        ..Undelivered::from("410")
    };
    for seq in 1..=limits::GIVEN_UP.value {
        let failed = kernel.outbox_failed(seq, hopeless(), at(0)).unwrap();
        assert!(failed.forgotten.is_empty());
    }
    let last = limits::GIVEN_UP.value + 1;
    let failed = kernel.outbox_failed(last, hopeless(), at(0)).unwrap();
    assert_eq!(
        failed
            .forgotten
            .iter()
            .map(|row| row.seq)
            .collect::<Vec<_>>(),
        [1]
    );
    let waiting = kernel.outbox_waiting("sends").unwrap();
    assert_eq!(
        (waiting.rows, waiting.given_up),
        (0, limits::GIVEN_UP.value)
    );
}

/// Deliveries that end together see one state, and make room by the same message.
#[test]
fn messages_given_up_together_are_no_more_than_are_kept() {
    let (most, more) = (limits::GIVEN_UP.value, 40);
    let keys: &'static [&'static str] = vec!["k"; (most + more) as usize + 1].leak();
    let kernel = queued(keys);
    let give_up = |seq: u64| {
        let hopeless = Undelivered {
            hopeless: true,
            ..Undelivered::from("410")
        };
        kernel.outbox_failed(seq, hopeless, at(0)).unwrap()
    };
    (1..=most).for_each(|seq| drop(give_up(seq)));
    let barrier = std::sync::Barrier::new(more as usize);
    std::thread::scope(|scope| {
        for seq in most + 1..=most + more {
            let (barrier, give_up) = (&barrier, &give_up);
            scope.spawn(move || {
                barrier.wait();
                give_up(seq)
            });
        }
    });
    give_up(most + more + 1);
    let waiting = kernel.outbox_waiting("sends").unwrap();
    assert_eq!((waiting.rows, waiting.given_up), (0, most));
}

/// A clock that stood years ahead must not keep anything for years once it is put right.
#[test]
fn a_message_of_a_wrong_clock_waits_no_longer_than_the_longest_pause() {
    let years = 5 * 365 * 86_400;
    let kernel = queued(&["a", "b"]);
    kernel.outbox_failed(1, "no answer", at(years)).unwrap();
    assert_eq!(due(&kernel, years), ["b-2"], "as long as the clock says so");
    assert_eq!(due(&kernel, 60), ["a-1", "b-2"], "and no longer");
    assert_eq!(
        due(&kernel, -60),
        ["a-1", "b-2"],
        "queued in the future, never tried"
    );
    kernel.outbox_failed(2, "no answer", at(years)).unwrap();
    assert_eq!(due(&kernel, 60), ["a-1", "b-2"]);
    kernel.outbox_failed(1, "no answer", at(60)).unwrap();
    assert_eq!(due(&kernel, 60), ["b-2"], "a pause by the clock put right");
    assert_eq!(due(&kernel, 62), ["a-1", "b-2"]);
}
