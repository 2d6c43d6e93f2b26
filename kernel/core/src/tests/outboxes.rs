//! The outbox: order, pauses, giving up.

use super::*;
use crate::{Ask, Effects, Role, TablePlugin, Task, limits};

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
    kernel.outbox_done(1).unwrap();
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
    assert!(kernel.outbox_failed(99, "gone", at(now)).unwrap().is_none());
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
