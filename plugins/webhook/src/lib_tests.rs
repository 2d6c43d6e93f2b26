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

/// Hands over messages one after the other, in one world, and tells of each how many records it made,
/// how many were repeated, or the failure's code.
fn made_by(messages: &[InboundMessage]) -> Vec<Result<(i64, i64), String>> {
    World::new().settings(DEFAULTS).enter(|| {
        let hand_over = |message| {
            let done = Done::default();
            let answer = Webhook::inbound(&context("2026-03-02T09:00:00Z"), message, &done);
            let answer = answer.map_err(|failure| failure.code)?;
            let created = answer.integer("created").unwrap();
            let effects = done.all();
            assert_eq!(effects.len() as i64, created, "{effects:?}");
            Ok((created, answer.integer("repeated").unwrap_or(0)))
        };
        messages.iter().map(hand_over).collect()
    })
}

fn from(source: &str, body: &str) -> InboundMessage {
    InboundMessage {
        source: source.into(),
        ..message(body, &[])
    }
}

#[test]
fn a_message_is_taken_once_by_its_id() {
    let form = r#"{"name":"Test Person","email":"test@example.com","submission_id":"s-9"}"#;
    let other = form.replace("Test Person", "Another");
    let nameless = r#"{"name":"Test Person","email":"test@example.com"}"#;
    let (new, again) = (Ok((1, 0)), Ok((0, 1)));
    let reused = Err("bad-message".to_owned());
    type Heads<'a> = &'a [(&'a str, &'a str)];
    let rows: [(&str, Heads<'_>, &str, Heads<'_>, &Result<_, _>); 8] = [
        (form, &[], form, &[], &again),
        (form, &[], &other, &[], &reused),
        (nameless, &[], nameless, &[], &new),
        (
            nameless,
            &[("webhook-id", "w")],
            nameless,
            &[("Webhook-Id", "w")],
            &again,
        ),
        (
            nameless,
            &[("webhook-id", "w")],
            nameless,
            &[("webhook-id", "v")],
            &new,
        ),
        (
            nameless,
            &[("webhook-id", "w")],
            &other,
            &[("webhook-id", "w")],
            &reused,
        ),
        // The id inside counts whatever the delivery is called.
        (
            form,
            &[("webhook-id", "w")],
            form,
            &[("webhook-id", "v")],
            &again,
        ),
        (
            form,
            &[("Idempotency-Key", "k"), ("webhook-id", "w")],
            nameless,
            &[("webhook-id", "w")],
            &new,
        ),
    ];
    for (first, first_headers, second, second_headers, expected) in rows {
        let found = made_by(&[
            message(first, first_headers),
            message(second, second_headers),
        ]);
        assert_eq!(found[0], new, "{first}");
        assert_eq!(found[1], *expected, "{second} {second_headers:?}");
    }
}

#[test]
fn two_rules_and_two_sources_do_not_share_their_ids() {
    let support = r#"{"form":"support","subject":"It stands still","submission_id":"17"}"#;
    let lead = r#"{"name":"Test Person","email":"test@example.com","submission_id":"17"}"#;
    let alarm = r#"{"severity":"alarm","title":"Pressure lost","event_id":"17"}"#;
    let all = [
        from("form", support),
        from("form", lead),
        from("device", alarm),
    ];
    assert_eq!(made_by(&all), [Ok((1, 0)), Ok((1, 0)), Ok((1, 0))]);
    let header = [("webhook-id", "same")];
    let by_header = [
        message(support, &header),
        InboundMessage {
            source: "device".into(),
            ..message(alarm, &header)
        },
    ];
    assert_eq!(made_by(&by_header), [Ok((1, 0)), Ok((1, 0))]);
}

#[test]
fn each_message_of_a_list_has_its_own_name() {
    let alarm = |id: u32| format!(r#"{{"severity":"alarm","title":"Alarm {id}","event_id":{id}}}"#);
    let list = |ids: &[u32]| {
        let all: Vec<String> = ids.iter().map(|id| alarm(*id)).collect();
        from("device", &format!("[{}]", all.join(",")))
    };
    let lists = [
        list(&[1, 2]),
        list(&[1, 2]),
        list(&[2, 3]),
        list(&[4, 4]),
        list(&[3]),
    ];
    let expected = [(2, 0), (0, 2), (1, 1), (1, 1), (0, 1)].map(Ok);
    assert_eq!(made_by(&lists), expected);
}

#[test]
fn what_failed_or_was_dropped_is_not_remembered() {
    let nobody = r#"{"email":"test@example.com","submission_id":"s"}"#;
    let whole = r#"{"name":"A","email":"test@example.com","submission_id":"s"}"#;
    let bad = Err("bad-message".to_owned());
    let found = made_by(&[message(nobody, &[]), message(whole, &[])]);
    assert_eq!(found, [bad, Ok((1, 0))]);
    let measured = from("device", r#"{"temperature":21,"event_id":1}"#);
    assert_eq!(
        made_by(&[measured.clone(), measured]),
        [Ok((0, 0)), Ok((0, 0))]
    );
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

#[test]
fn b13_an_event_about_a_kind_that_is_gone_waits_and_is_not_sent_empty() {
    let settings = "[[subscription]]\nname = 'erp'\nurl = 'https://erp.example.com/in'";
    let edit = kjerne_sdk::Edit {
        kind: "acme_thing".into(),
        id: "t-1".into(),
        version: 1,
        operation: Operation::Create,
        before: Fields::new(),
        after: Fields::new(),
        changed: Vec::new(),
    };
    let entry = Entry {
        number: 7,
        at: Instant::parse("2026-03-02T09:00:00Z").unwrap(),
        actor: "user:kari".into(),
        depth: 0,
        edits: vec![edit],
    };
    let done = Done::default();
    let told = |world: World| {
        let entries = std::slice::from_ref(&entry);
        world
            .settings(settings)
            .enter(|| Webhook::outbound(&context("2026-03-02T09:00:00Z"), entries, &done))
    };
    let failure = told(World::new().without("acme_thing")).unwrap_err();
    assert_eq!(failure.code, "unknown-kind");
    assert!(done.messages().is_empty());
    told(World::new()).unwrap();
    assert_eq!(done.messages().len(), 1, "a record without a field is told");
}

#[test]
fn b10_a_key_in_quotes_is_the_key_without_them() {
    let form = r#"{"name":"Test Person","email":"test@example.com"}"#;
    let keyed = |key: &str| message(form, &[("Idempotency-Key", key)]);
    let taken = made_by(&[
        keyed("k1"),
        keyed("\"k1\""),
        keyed("\"k\\\"1\""),
        keyed("k\"1"),
    ]);
    let bad = Err("bad-message".to_owned());
    assert_eq!(taken, [Ok((1, 0)), Ok((0, 1)), Ok((1, 0)), bad]);
}
