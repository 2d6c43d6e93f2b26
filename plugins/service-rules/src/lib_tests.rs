//! Tests of the plugin as the kernel calls it, with records around it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kjerne_sdk::testing::{Done, Effect, Found, Set, World, context, create, update};

use super::*;
use crate::calendar::tests::oslo_offsets;

const DEFAULTS: &str = include_str!("../settings.toml");

fn instant(text: &str) -> Value {
    Instant::parse(text).unwrap().into()
}

fn world() -> World {
    let user = |name: &str| Fields::new().with("name", name);
    World::new()
        .settings(DEFAULTS)
        .zone("Europe/Oslo", &oslo_offsets())
        .record("user", "seller", user("Seller"))
        .record("user", "boss", user("Boss"))
        .record(
            "user",
            "agent",
            user("Agent").with("manager", RecordRef::new("user", "boss")),
        )
        .record(
            "account",
            "acme",
            Fields::new()
                .with("tier", "gold")
                .with("owner", RecordRef::new("user", "seller")),
        )
}

fn case_fields(status: &str) -> Fields {
    Fields::new()
        .with("subject", "Pump stands still")
        .with("status", status)
        .with("account", RecordRef::new("account", "acme"))
}

#[test]
fn a_case_takes_tier_and_owner_from_the_account() {
    let set = Set::default();
    world().enter(|| {
        let change = create(
            "case",
            "c-1",
            case_fields("new").with("sentiment", "negative"),
        );
        ServiceDesk::shape(&context("2026-01-05T08:00:00Z"), &[change], &set);
    });
    let fields = set.fields();
    assert_eq!(
        (fields.text("tier"), fields.text("queue")),
        (Some("gold"), Some("key-customers"))
    );
    assert_eq!(
        fields.reference("owner"),
        Some(&RecordRef::new("user", "seller"))
    );
    assert_eq!(
        fields.get("first_response_due"),
        Some(&instant("2026-01-05T09:00:00Z"))
    );
}

#[test]
fn a_change_of_words_sets_nothing() {
    let set = Set::default();
    world().enter(|| {
        let after = case_fields("open").with("subject", "The pump stands still");
        ServiceDesk::shape(
            &context("2026-01-05T08:00:00Z"),
            &[update("case", "c-1", case_fields("open"), after)],
            &set,
        );
    });
    assert_eq!(set.all(), []);
}

#[test]
fn settings_that_cannot_be_read_refuse_and_say_where() {
    let found = Found::default();
    World::new().settings("\nqueus = []").enter(|| {
        ServiceDesk::guard(
            &context("2026-01-05T08:00:00Z"),
            &[create("case", "c-1", case_fields("new"))],
            &found,
        );
    });
    let finding = &found.all()[0];
    assert!(
        finding.code == "bad-settings" && finding.message.contains("line 2: 'queus'"),
        "{finding:?}"
    );
}

/// Before, after, and the faults in order.
#[test]
fn each_fault_is_told_once() {
    let resolved = |at: &str| {
        case_fields("resolved")
            .with("received_at", instant("2026-01-01T08:00:00Z"))
            .with("resolved_at", instant(at))
    };
    let rows: [(Option<Fields>, Fields, &[&str]); 9] = [
        (None, case_fields("new"), &[]),
        (Some(case_fields("new")), case_fields("open"), &[]),
        (
            Some(case_fields("open")),
            case_fields("new"),
            &["forbidden-move"],
        ),
        (
            Some(resolved("2026-01-10T08:00:00Z")),
            case_fields("open"),
            &[],
        ),
        (
            Some(resolved("2026-01-02T08:00:00Z")),
            case_fields("open"),
            &["reopen-too-late"],
        ),
        (
            Some(resolved("2026-01-02T08:00:00Z")),
            case_fields("new"),
            &["forbidden-move", "reopen-too-late"],
        ),
        (
            None,
            resolved("2025-12-31T08:00:00Z"),
            &["resolved-before-received"],
        ),
        (
            None,
            case_fields("new").with("priority", "p1"),
            &["unknown-priority"],
        ),
        (None, case_fields("closed").with("priority", "p1"), &[]),
    ];
    for (before, after, codes) in rows {
        let found = Found::default();
        let change = match &before {
            None => create("case", "c-1", after.clone()),
            Some(before) => update("case", "c-1", before.clone(), after.clone()),
        };
        world().enter(|| ServiceDesk::guard(&context("2026-01-20T08:00:00Z"), &[change], &found));
        assert_eq!(found.codes(), codes, "{before:?} -> {after:?}");
    }
}

fn late_case(level: i64) -> Fields {
    case_fields("open")
        .with("priority", "normal")
        .with("queue", "first-line")
        .with("owner", RecordRef::new("user", "agent"))
        .with("received_at", instant("2026-01-05T08:00:00Z"))
        .with("first_response_at", instant("2026-01-05T09:00:00Z"))
        .with("resolution_due", instant("2026-01-08T08:00:00Z"))
        .with("escalation_level", level)
}

fn escalated(level: i64, now: &str) -> Vec<Effect> {
    let done = Done::default();
    world().record("case", "c-1", late_case(level)).enter(|| {
        ServiceDesk::escalate(&context(now), &RecordRef::new("case", "c-1"), &done).unwrap();
    });
    done.all()
}

#[test]
fn a_step_names_itself_raises_the_priority_and_tells_owner_and_manager() {
    let effects = escalated(2, "2026-01-08T08:00:00Z");
    let [
        Effect::Key(key),
        Effect::Update(target, Some(1), fields),
        Effect::Create(_, first),
        Effect::Create(_, second),
    ] = &effects[..]
    else {
        panic!("{effects:#?}");
    };
    assert_eq!(
        (key.as_str(), target.id.as_str()),
        ("escalate/c-1/0/resolution-overdue", "c-1")
    );
    assert_eq!(
        (fields.integer("escalation_level"), fields.text("priority")),
        (Some(3), Some("high"))
    );
    assert_eq!(
        fields.get("escalate_at"),
        Some(&instant("2026-01-09T08:00:00Z"))
    );
    assert_eq!(
        first.reference("owner"),
        Some(&RecordRef::new("user", "agent"))
    );
    assert_eq!(
        second.reference("owner"),
        Some(&RecordRef::new("user", "boss"))
    );
    assert_eq!(
        first.text("subject"),
        Some("Resolution overdue: Pump stands still")
    );
}

#[test]
fn a_step_that_is_not_due_only_corrects_the_time() {
    let effects = escalated(2, "2026-01-08T07:59:00Z");
    let [Effect::Update(_, Some(1), fields)] = &effects[..] else {
        panic!("{effects:#?}")
    };
    assert_eq!(
        fields.get("escalate_at"),
        Some(&instant("2026-01-08T08:00:00Z"))
    );
    assert!(!fields.names("escalation_level"));
}

#[test]
fn above_the_last_step_nothing_is_left() {
    let effects = escalated(4, "2026-03-01T08:00:00Z");
    let [Effect::Update(_, _, fields)] = &effects[..] else {
        panic!("{effects:#?}")
    };
    assert!(fields.names("escalate_at") && fields.is_empty("escalate_at"));
}

#[test]
fn a_case_that_is_not_there_is_an_error() {
    let failure = world().enter(|| {
        ServiceDesk::targets(
            &context("2026-01-05T08:00:00Z"),
            &RecordRef::new("case", "none"),
        )
    });
    assert_eq!(failure.unwrap_err().code, "not-found");
}

#[test]
fn a_case_that_comes_late_is_escalated_once_and_told_what_was_passed_over() {
    let effects = escalated(0, "2026-03-01T08:00:00Z");
    let [
        Effect::Key(key),
        Effect::Update(_, Some(1), fields),
        Effect::Create(_, task),
        ..,
    ] = &effects[..]
    else {
        panic!("{effects:#?}");
    };
    assert_eq!(key, "escalate/c-1/0/resolution-long-overdue");
    assert_eq!(fields.integer("escalation_level"), Some(4));
    assert_eq!(
        (fields.text("priority"), fields.text("queue")),
        (Some("high"), Some("management")),
        "what the steps passed over do to the case is done"
    );
    assert_eq!(
        task.text("description"),
        Some(
            "Escalation step 'resolution-long-overdue', level 4. Overtaken by it and passed over: \
             resolution-at-risk, resolution-overdue."
        )
    );
}
