//! Takes more and more over many calls, each of which is small, as its settings say.

mod queries;

use std::hint::black_box;

use kjerne_sdk::prelude::*;

struct Plugin;

/// What the settings say of one thing: `behaviour = "filters"`.
fn setting(name: &str) -> String {
    let text = settings::text();
    let named = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
    named.unwrap_or_default().trim_matches('"').to_owned()
}

/// Some work the compiler cannot leave out.
fn turn(times: u64) {
    let mut count = 0_u64;
    while count < times {
        count = black_box(count + 1);
    }
}

/// Loops, and then reads where no memory is: a trap of the kind in which a runtime loses count of what
/// was used since the last call of a function.
#[inline(never)]
fn work_and_stumble() {
    let mut count = 0_u64;
    while count < 1_000_000 {
        count = black_box(count + 1);
    }
    #[cfg(target_family = "wasm")]
    #[expect(
        unsafe_code,
        reason = "what it stumbles over cannot be written otherwise"
    )]
    // SAFETY: there is none; the guest is to trap, and does no other harm than to itself.
    unsafe {
        black_box(std::ptr::read_volatile(usize::MAX as *const u8));
    }
}

impl Guard for Plugin {
    fn guard(_: &Context, changes: &[Change], findings: &Findings) {
        match setting("behaviour").as_str() {
            "filters" => queries::many_filters(),
            "kinds" => queries::long_kinds(),
            "texts" => queries::long_filters(),
            "hand-over" => log::info("x".repeat(9_000_000)),
            "rows" => queries::many_rows(),
            "stumble" => work_and_stumble(),
            "judge" => turn(30_000 * changes.len() as u64),
            "show" => findings.refuse(
                0,
                Some("na\u{202e}me"),
                "a\u{1b}[2Jb",
                "Clear \u{1b}[2J the \u{7} screen \u{202e}and turn\u{9b}.",
            ),
            "show-much" => findings.refuse(0, None, "much", "x".repeat(4_000_000)),
            _ => {}
        }
    }
}

impl Action for Plugin {
    fn run(_: &Context, _: &str, _: &Fields, _: &Effects) -> Result<Fields, Failure> {
        turn(u64::MAX);
        Ok(Fields::new())
    }
}

/// Queues so many messages.
fn send(effects: &Effects, about: &str, count: usize) -> Result<(), Failure> {
    let url = setting("url");
    (0..count).try_for_each(|number| {
        effects.send(OutboundMessage {
            url: url.clone(),
            content_type: "text/plain".into(),
            headers: Vec::new(),
            body: vec![b'x'; 100],
            order_key: format!("{about}/{number}"),
            id: format!("{about}/{number}"),
            signing_secret: None,
        })
    })
}

/// What the settings say of a number of messages.
fn number(name: &str) -> usize {
    setting(name).parse().unwrap_or_default()
}

impl Integration for Plugin {
    fn outbound(_: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure> {
        let mut edits = entries.iter().flat_map(|entry| &entry.edits);
        edits.try_for_each(|edit| send(effects, &edit.id, number("first")))
    }

    fn answered(_: &Context, answer: &Answer, effects: &Effects) -> Result<(), Failure> {
        // The name of an answer's answer is short however long the chain is.
        let about: String = answer.id.chars().rev().take(60).collect();
        send(effects, &format!("after/{about}"), number("then"))
    }
}

kjerne_sdk::plugin!(Plugin: guard, action, integration);
