//! Tries each thing its manifest declares, once, and tells what became of it.

use kjerne_sdk::prelude::*;

struct Plugin;

/// Tasks the test has stored.
fn task(last: char) -> RecordRef {
    RecordRef::new("task", format!("01980000-0000-7000-8000-00000000000{last}"))
}

fn message() -> OutboundMessage {
    OutboundMessage {
        url: "https://hooks.example.com/in".into(),
        content_type: "text/plain".into(),
        headers: Vec::new(),
        body: b"hello".to_vec(),
        order_key: "each".into(),
        id: "each-1".into(),
        signing_secret: None,
    }
}

/// `done`, or the code of the failure.
fn code(done: Result<(), Failure>) -> String {
    done.err()
        .map_or_else(|| "done".to_owned(), |failure| failure.code)
}

fn told(done: Result<(), Failure>) -> Value {
    code(done).into()
}

/// Every import that does I/O or writes, tried; with what became of it.
fn imports() -> [(&'static str, Result<(), Failure>); 6] {
    [
        ("state.get", state::get("key").map(drop)),
        ("state.set", state::set("key", "value")),
        ("state.remove", state::remove("key")),
        ("state.keys", state::keys("", None, 10).map(drop)),
        ("state.scan", state::scan("", None, 10).map(drop)),
        (
            "state.compare-and-set",
            state::claim("key", "value").map(drop),
        ),
    ]
}

impl Shape for Plugin {
    fn shape(_: &Context, changes: &[Change], edits: &Edits) {
        for (name, done) in imports() {
            log::info(format!("{name}: {}", code(done)));
        }
        for change in changes {
            for field in ["industry", "region"] {
                if let Err(failure) = edits.try_set(change, field, Some("as set".into())) {
                    log::warn(format!("{field}: {}", failure.code));
                }
            }
        }
    }
}

impl Guard for Plugin {
    fn guard(_: &Context, _: &[Change], findings: &Findings) {
        for (name, done) in imports() {
            findings.refuse(0, None, name, code(done));
        }
    }
}

impl Action for Plugin {
    fn run(_: &Context, _: &str, _: &Fields, effects: &Effects) -> Result<Fields, Failure> {
        let made = effects.create(
            "task",
            [("subject", "Made".into()), ("status", "open".into())],
        );
        let changed = effects.update(&task('1'), None, [("subject", "Changed".into())]);
        Ok(Fields::from([
            ("read", told(records::query("account").run().map(drop))),
            ("create", told(made.map(drop))),
            ("update", told(changed)),
            ("delete", told(effects.remove(&task('2'), None))),
            ("state", told(state::set("key", "value"))),
            ("send", told(effects.send(message()))),
        ]))
    }
}

kjerne_sdk::plugin!(Plugin: shape, guard, action);
