//! Misbehaves in every way the host has a limit for, as its settings say.

mod waste;

use kjerne_sdk::prelude::*;

struct Plugin;

/// A record of a kind the plugin is not granted.
fn forbidden() -> RecordRef {
    RecordRef::new("contact", "01980000-0000-7000-8000-000000000000")
}

/// The behaviour the settings name: `behaviour = "loop"`.
fn behaviour() -> String {
    let text = settings::text();
    let named = text
        .lines()
        .find_map(|line| line.strip_prefix("behaviour = "));
    named.unwrap_or("none").trim_matches('"').to_owned()
}

/// What can be tried in every role.
fn anywhere(behaviour: &str) -> Result<(), Failure> {
    match behaviour {
        "read" => records::get(&forbidden()).map(drop),
        "query" => records::query("contact").run().map(drop),
        "bad-filter" => records::query("account")
            .filter("name eq (")
            .run()
            .map(drop),
        "state" => state::get("key").map(drop),
        other => {
            waste::waste(other);
            Ok(())
        }
    }
}

/// What can be tried where effects may be proposed.
fn with_effects(behaviour: &str, effects: &Effects) -> Result<(), Failure> {
    let task = || [("subject", "Flood".into()), ("status", "open".into())];
    match behaviour {
        "create" => effects.create("contact", [("name", "X".into())]).map(drop),
        "update" => effects.update(&forbidden(), None, [("name", "X".into())]),
        "remove" => effects.remove(&forbidden(), None),
        "send" => effects.send(message()),
        "effects-flood" => loop {
            effects.create("task", task())?;
        },
        "state-flood" => (0_u64..).try_for_each(|key| state::set(&key.to_string(), [0; 60_000])),
        "fail" => Err(Failure::new("as-told", "It failed as its settings say.")),
        other => anywhere(other),
    }
}

fn message() -> OutboundMessage {
    OutboundMessage {
        url: "https://elsewhere.example.com/".into(),
        content_type: "text/plain".into(),
        headers: Vec::new(),
        body: b"hello".to_vec(),
        order_key: "hostile".into(),
        id: "hostile-1".into(),
        signing_secret: None,
    }
}

/// Panics when one of the changes has a certain name.
fn panic_on_name(changes: &[Change]) {
    if changes
        .iter()
        .any(|change| change.after.text("name") == Some("trap"))
    {
        panic!("an account is called trap");
    }
}

impl Shape for Plugin {
    fn shape(_: &Context, changes: &[Change], edits: &Edits) {
        let Some(change) = changes.first() else {
            return;
        };
        let done = match behaviour().as_str() {
            "set" => edits.try_set(change, "website", Some("https://example.com".into())),
            "bad-set" => edits.try_set(change, "industry", Some(7_i64.into())),
            "panic-on-name" => {
                panic_on_name(changes);
                Ok(())
            }
            other => anywhere(other),
        };
        if let Err(failure) = done {
            log::warn(format!("shape: {}", failure.code));
        }
    }
}

fn advise_often(findings: &Findings) {
    (0..2_000).for_each(|_| findings.advise(0, None, "odd", "It looks odd."));
}

impl Guard for Plugin {
    fn guard(_: &Context, changes: &[Change], findings: &Findings) {
        let refuse = |code: &str, message: &str| findings.refuse(0, None, code, message);
        match behaviour().as_str() {
            "panic-on-name" => panic_on_name(changes),
            "refuse" => refuse("as-told", "Refused as the settings say."),
            "huge-message" => refuse("huge", &"x".repeat(100_000_000)),
            "findings-flood" => loop {
                refuse("flood", "Refused once more.");
            },
            "ask-nobody" => findings.ask_approval(0, "The Boss", None, "ask", "Somebody must."),
            "ask-flood" => (0..2_000).for_each(|_| {
                findings.ask_approval(0, "boss", None, "ask", "Somebody must.");
            }),
            "advise-flood" => advise_often(findings),
            "advise-then-refuse" => {
                advise_often(findings);
                refuse("after-all", "Refused after all.");
            }
            "bad-change" => findings.refuse(99, None, "bad-change", "There is no change 99."),
            other => {
                if let Err(failure) = anywhere(other) {
                    refuse(&failure.code, &failure.message);
                }
            }
        }
    }
}

impl React for Plugin {
    fn react(_: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure> {
        let behaviour = behaviour();
        if behaviour != "storm" {
            return with_effects(&behaviour, effects);
        }
        let made = entries.iter().flat_map(|entry| &entry.edits);
        for _ in made.filter(|edit| edit.kind == "task" && edit.operation == Operation::Create) {
            effects.create(
                "task",
                [("subject", "Storm".into()), ("status", "open".into())],
            )?;
        }
        Ok(())
    }
}

/// Of many calls at once one gets the key; the others are told that they have not got it, and how much there is.
fn claim() -> Result<Fields, Failure> {
    let won = state::claim("claim/key", b"mine")?;
    let counted = |kept: Option<Vec<u8>>| kept.and_then(|bytes| bytes.first().copied());
    let before = state::get("claims")?;
    let count = counted(before.clone()).unwrap_or_default() + 1;
    let counted = state::compare_and_set("claims", before.as_deref(), Some(&[count]))?;
    let there = state::scan("claim", None, 10)?.entries.len() as i64;
    let told = [
        ("won", won.into()),
        ("counted", counted.into()),
        ("there", there.into()),
    ];
    Ok(told.into())
}

impl Action for Plugin {
    fn run(_: &Context, _: &str, _: &Fields, effects: &Effects) -> Result<Fields, Failure> {
        if behaviour() == "claim" {
            return claim();
        }
        with_effects(&behaviour(), effects).map(|()| Fields::new())
    }
}

kjerne_sdk::plugin!(Plugin: shape, guard, react, action);
