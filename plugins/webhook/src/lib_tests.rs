//! Tests of the plugin as the kernel calls it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kjerne_sdk::testing::{Done, Effect, World, context};

use super::*;

const DEFAULTS: &str = include_str!("../settings.toml");

fn message(body: &str, headers: &[(&str, &str)]) -> InboundMessage {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    InboundMessage {
        source: "form".into(),
        content_type: "application/json".into(),
        headers: headers.iter().map(owned).collect(),
        body: body.into(),
    }
}

fn taken(message: &InboundMessage) -> (Result<Fields, Failure>, Vec<Effect>) {
    let done = Done::default();
    let answer = World::new()
        .settings(DEFAULTS)
        .enter(|| Webhook::inbound(&context("2026-03-02T09:00:00Z"), message, &done));
    (answer, done.all())
}

#[test]
fn a_message_is_taken_once_by_its_id_and_answered_with_its_record() {
    let form = r#"{"name":"Test Person","email":"test@example.com","submission_id":"s-9"}"#;
    for (headers, key) in [
        (
            &[("Idempotency-Key", "k-1"), ("webhook-id", "w-1")][..],
            "form/k-1",
        ),
        (&[("webhook-id", "w-1")][..], "form/w-1"),
        (&[][..], "form/s-9"),
    ] {
        let (answer, effects) = taken(&message(form, headers));
        let [Effect::Key(found), Effect::Create(record, _)] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!((found.as_str(), record.kind.as_str()), (key, "lead"));
        assert_eq!(answer.unwrap().text("rule"), Some("contact-form"));
    }
}

#[test]
fn a_list_is_taken_whole_or_not_at_all() {
    let good = r#"{"name":"Test Person","email":"test@example.com"}"#;
    let (answer, effects) = taken(&message(&format!("[{good},{good}]"), &[]));
    assert_eq!(
        (answer.unwrap().integer("created"), effects.len()),
        (Some(2), 2)
    );
    let (answer, effects) = taken(&message(&format!("[{good},{{}}]"), &[]));
    let failure = answer.unwrap_err();
    assert_eq!((failure.code.as_str(), effects.len()), ("bad-message", 0));
    assert!(
        failure.message.starts_with("Message 2: "),
        "{}",
        failure.message
    );
}

#[test]
fn an_id_that_is_too_long_is_the_senders_fault() {
    let long = "x".repeat(181);
    let (answer, _) = taken(&message(
        r#"{"name":"A","email":"a@example.com"}"#,
        &[("webhook-id", &long)],
    ));
    assert_eq!(answer.unwrap_err().code, "bad-message");
}

#[test]
fn a_message_given_up_is_logged_and_told_by_a_task() {
    let answered = |outcome: &str, settings: &str| {
        let done = Done::default();
        let answer = Answer {
            id: "57/0/erp".into(),
            status: 503,
            content_type: String::new(),
            body: vec![],
            outcome: outcome.into(),
        };
        let world = World::new().settings(settings);
        let (result, lines) =
            world.visit(|| Webhook::answered(&context("2026-03-02T09:00:00Z"), &answer, &done));
        result.unwrap();
        (done.all(), lines)
    };
    let (effects, lines) = answered("given-up", DEFAULTS);
    let [Effect::Key(key), Effect::Create(_, task)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (key.as_str(), task.text("queue")),
        ("given-up/57/0/erp", Some("administration"))
    );
    assert!(
        lines[0].starts_with("error: ") && lines[0].contains("503"),
        "{lines:?}"
    );
    assert_eq!(answered("given-up", "").0, []);
    assert_eq!(answered("delivered", DEFAULTS), (vec![], vec![]));
}
