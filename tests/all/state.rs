//! The key spaces of plugins, when several calls are made at once.

use std::sync::Barrier;

use kjerne_core::{Ask, Outcome, Role, Task};
use kjerne_model::{Actor, Value};
use kjerne_store::plugin_state;

use crate::stage::{Stage, at, hostile};

#[test]
fn of_many_calls_that_claim_a_key_at_once_one_has_it_and_none_is_lost() {
    const CALLS: usize = 8;
    let stage = Stage::new(vec![hostile("claim")]);
    let plugin = stage.plugin("hostile", Role::Action);
    let gate = Barrier::new(CALLS);
    let one = || {
        let ask = Ask {
            actor: Actor::User("kari".to_owned()),
            now: at(1),
            key: None,
            link: None,
        };
        let task = Task::Action {
            command: "claim".to_owned(),
            arguments: Vec::new(),
        };
        gate.wait();
        // As many tries as one call has; who loses all of them asks again, as a person would.
        loop {
            let performed = stage.kernel.perform(&plugin, &ask, &task).unwrap();
            match performed.outcome {
                Outcome::Accepted(_) => break performed.reply,
                outcome => assert!(outcome.is_overload(), "{outcome:?}"),
            }
        }
    };
    let replies: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CALLS).map(|_| scope.spawn(one)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let yes = Some(Value::Flag(true));
    let told = |name: &str| {
        let all = replies.iter().flatten();
        all.filter(|(field, value)| field == name && *value == yes)
            .count()
    };
    assert_eq!((told("won"), told("counted")), (1, CALLS), "{replies:?}");
    let snapshot = stage.kernel.store().snapshot().unwrap();
    let kept = |key: &str| plugin_state::get(&*snapshot, "hostile", key).unwrap();
    assert_eq!(kept("claims"), Some(vec![CALLS as u8]));
    assert_eq!(kept("claim/key"), Some(b"mine".to_vec()));
    let there = |(field, value): &&(String, Option<Value>)| {
        field == "there" && *value == Some(Value::Integer(2))
    };
    assert_eq!(replies.iter().flatten().filter(there).count(), CALLS);
}
