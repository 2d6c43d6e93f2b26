//! Actions and what comes in.

use std::sync::{Mutex, OnceLock, Weak};

use kjerne_model::Code;
use kjerne_store::plugin_state;

use super::*;
use crate::{Ask, Effects, PluginInfo, Role, TablePlugin, Task, limits};

fn ask(key: Option<&str>) -> Ask {
    let actor = Actor::User("demo".to_owned());
    Ask {
        link: None,
        actor,
        now: at(0),
        key: key.map(str::to_owned),
    }
}

fn action(command: &str) -> Task {
    Task::Action {
        command: command.to_owned(),
        arguments: Vec::new(),
    }
}

/// Adds one to its own count, and makes a task, a message and a reply of it.
fn counting() -> TablePlugin {
    TablePlugin::new("counting").run(Role::Action, |call, _| {
        let kept = plugin_state::get(&*call.reader, "counting", "count").unwrap();
        let count = kept.map_or(0, |bytes| bytes[0]) + 1;
        let subject = format!("Number {count}");
        let changes = vec![create_new(
            "task",
            &[("subject", &subject), ("status", "open")],
        )];
        Ok(Effects {
            key: None,
            changes,
            messages: vec![message("k", u32::from(count))],
            state: vec![("count".to_owned(), Some(vec![count]))],
            reply: vec![("count".to_owned(), Some(Value::Integer(count.into())))],
            fuel: 1,
        })
    })
}

fn with(plugin: TablePlugin) -> (Arc<Kernel>, PluginInfo) {
    let info = plugin.info();
    (kernel(TablePlugins::none().with(plugin)), info)
}

fn count_of_tasks(kernel: &Kernel) -> usize {
    let query = crate::Query {
        top: 1_000,
        ..crate::Query::all(name("task"))
    };
    kernel.query(&query).unwrap().records.len()
}

#[test]
fn changes_message_state_and_reply_come_together() {
    let (kernel, info) = with(counting());
    let performed = kernel.perform(&info, &ask(None), &action("count")).unwrap();
    assert_eq!(accepted(performed.outcome).entry, 1);
    assert_eq!(
        performed.reply,
        [("count".to_owned(), Some(Value::Integer(1)))]
    );
    assert_eq!(kernel.outbox_due(at(0), 10).unwrap().len(), 1);
    let entry = kernel.journal(0, 1).unwrap().remove(0);
    assert_eq!(
        (entry.actor.to_string().as_str(), entry.cause),
        ("plugin:counting", None)
    );
}

#[test]
fn the_same_key_does_it_once() {
    let (kernel, info) = with(counting());
    let perform = |key| {
        kernel
            .perform(&info, &ask(Some(key)), &action("count"))
            .unwrap()
            .outcome
    };
    assert!(!accepted(perform("a")).replayed);
    assert!(accepted(perform("a")).replayed);
    assert!(!accepted(perform("b")).replayed);
    assert_eq!(count_of_tasks(&kernel), 2);
    let snapshot = kernel.store().snapshot().unwrap();
    assert_eq!(
        plugin_state::get(&*snapshot, "counting", "count").unwrap(),
        Some(vec![2])
    );
}

#[test]
fn calls_at_once_do_not_lose_each_others_state() {
    let (kernel, info) = with(counting());
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let performed = kernel.perform(&info, &ask(None), &action("count")).unwrap();
                outcomes.lock().unwrap().push(performed.outcome);
            });
        }
    });
    assert!(
        outcomes
            .into_inner()
            .unwrap()
            .iter()
            .all(|outcome| outcome.receipt().is_some())
    );
    let snapshot = kernel.store().snapshot().unwrap();
    assert_eq!(
        plugin_state::get(&*snapshot, "counting", "count").unwrap(),
        Some(vec![4])
    );
    assert_eq!(count_of_tasks(&kernel), 4);
}

#[test]
fn a_plugin_that_breaks_or_proposes_what_is_refused_has_done_nothing() {
    let plugin = TablePlugin::new("bad").run(Role::Action, |_, task| {
        if *task == action("break") {
            return Err(fault("bad"));
        }
        let changes = vec![update("account", 9, &[("tier", "a")])];
        let state = vec![("k".to_owned(), Some(vec![1]))];
        let reply = vec![("done".to_owned(), Some(Value::Flag(true)))];
        Ok(Effects {
            changes,
            state,
            reply,
            ..Effects::default()
        })
    });
    let (kernel, info) = with(plugin);
    let check = |command: &str, code: Code| {
        let performed = kernel.perform(&info, &ask(None), &action(command)).unwrap();
        assert_eq!(performed.outcome.refusals()[0].code, code);
        assert!(performed.reply.is_empty());
    };
    check("break", Code::PluginFault);
    check("other", Code::UnknownRecord);
    let snapshot = kernel.store().snapshot().unwrap();
    assert_eq!(plugin_state::get(&*snapshot, "bad", "k").unwrap(), None);
}

#[test]
fn a_task_that_wants_nothing_stored_is_answered_all_the_same() {
    let plugin = TablePlugin::new("tells").run(Role::Action, |_, _| {
        let reply = vec![("answer".to_owned(), Some(Value::Integer(42)))];
        Ok(Effects {
            reply,
            ..Effects::default()
        })
    });
    let (kernel, info) = with(plugin);
    let performed = kernel
        .perform(&info, &ask(Some("k")), &action("tell"))
        .unwrap();
    assert_eq!(accepted(performed.outcome).entry, 0);
    assert_eq!(performed.reply.len(), 1);
}

#[test]
fn what_comes_in_twice_with_one_key_is_taken_once_even_without_changes() {
    let plugin = TablePlugin::new("inbound").run(Role::Integration, |_, _| {
        Ok(Effects {
            messages: vec![message("in", 1)],
            ..Effects::default()
        })
    });
    let (kernel, info) = with(plugin);
    let task = || Task::Inbound {
        source: "form".to_owned(),
        content_type: "text/plain".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    kernel.perform(&info, &ask(Some("id-1")), &task()).unwrap();
    let again = kernel.perform(&info, &ask(Some("id-1")), &task()).unwrap();
    assert!(accepted(again.outcome).replayed);
    let due = kernel.outbox_due(at(0), 10).unwrap();
    kernel.outbox_done(due[0].seq).unwrap();
    assert!(kernel.outbox_due(at(0), 10).unwrap().is_empty());
}

#[test]
fn a_plugin_whose_state_always_changes_under_it_is_refused_in_the_end() {
    let back: Arc<OnceLock<Weak<Kernel>>> = Arc::default();
    let of_plugin = Arc::clone(&back);
    let put = |value: u8| vec![("k".to_owned(), Some(vec![value]))];
    let plugin = TablePlugin::new("busy").run(Role::Action, move |call, task| {
        let kept = plugin_state::get(&*call.reader, "busy", "k").unwrap();
        let next = kept.map_or(0, |bytes| bytes[0]) + 1;
        if *task == action("outer") {
            let kernel = of_plugin.get().and_then(Weak::upgrade).unwrap();
            let info = TablePlugin::new("busy").info();
            let inner = kernel.perform(&info, &ask(None), &action("inner"));
            assert!(inner.unwrap().outcome.receipt().is_some());
        }
        Ok(Effects {
            state: put(next),
            ..Effects::default()
        })
    });
    let (kernel, info) = with(plugin);
    back.set(Arc::downgrade(&kernel)).unwrap();
    let performed = kernel.perform(&info, &ask(None), &action("outer")).unwrap();
    assert_eq!(performed.outcome.refusals()[0].code, Code::Contention);
    let snapshot = kernel.store().snapshot().unwrap();
    let kept = plugin_state::get(&*snapshot, "busy", "k").unwrap();
    let tries = u8::try_from(limits::PERFORM_TRIES.value).unwrap();
    assert_eq!(kept, Some(vec![tries]), "the inner ones alone");
}

/// Calls that work at the same time have each looked for room before the others stored.
#[test]
fn what_a_plugin_may_have_is_counted_where_it_is_stored() {
    let refused = |each: fn(u32) -> Effects, reason: &str| {
        let back: Arc<OnceLock<Weak<Kernel>>> = Arc::default();
        let of_plugin = Arc::clone(&back);
        let plugin = TablePlugin::new("full").run(Role::Action, move |call, task| {
            let kernel = of_plugin.get().and_then(Weak::upgrade).unwrap();
            if *task != action("outer") {
                return Ok(each(0));
            }
            // Looks, as the host does, before others fill it up.
            let used = plugin_state::used(call.reader.unremembered(), "full").unwrap();
            if used.bytes > 0 {
                return Err(fault("full"));
            }
            let info = TablePlugin::new("full").info();
            kernel.perform(&info, &ask(None), &action("inner")).unwrap();
            Ok(each(1))
        });
        let (kernel, info) = with(plugin);
        back.set(Arc::downgrade(&kernel)).unwrap();
        let performed = kernel.perform(&info, &ask(None), &action("outer")).unwrap();
        let refusal = &performed.outcome.refusals()[0];
        assert_eq!(refusal.reason.as_deref(), Some(reason), "{refusal}");
    };
    let messages = |_| Effects {
        messages: (0..limits::OUTBOX_ROWS.value as u32)
            .map(|number| message("k", number))
            .collect(),
        ..Effects::default()
    };
    refused(messages, "outbox-rows");
    // Ten of these fit.
    let state = |number: u32| Effects {
        state: (0..150)
            .map(|key| (format!("{number}-{key}"), Some(vec![0; 64 << 10])))
            .collect(),
        ..Effects::default()
    };
    refused(state, "fuel");
}

#[test]
fn a_key_of_the_asker_names_what_was_asked() {
    let (kernel, info) = with(TablePlugin::new("takes").run(Role::Integration, |_, task| {
        let Task::Inbound { body, .. } = task else {
            return Ok(Effects::default());
        };
        let text = String::from_utf8_lossy(body).into_owned();
        Ok(Effects {
            changes: vec![create_new("account", &[("name", &text)])],
            ..Effects::default()
        })
    }));
    let inbound = |body: &str| Task::Inbound {
        source: "form".to_owned(),
        content_type: String::new(),
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    };
    let hand_over = |key: &str, body: &str| {
        let performed = kernel.perform(&info, &ask(Some(key)), &inbound(body));
        performed.unwrap().outcome
    };
    assert_eq!(accepted(hand_over("k", "one")).entry, 1);
    assert!(accepted(hand_over("k", "one")).replayed);
    let reused = hand_over("k", "two");
    assert_eq!(reused.refusals()[0].code, kjerne_model::Code::KeyReused);
    assert_eq!(accepted(hand_over("l", "two")).entry, 2);
}
