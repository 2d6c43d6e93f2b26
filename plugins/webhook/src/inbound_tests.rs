//! Tests of what comes in: bodies, rules, values.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kjerne_sdk::{Date, Decimal, Money};
use serde_json::json;

use super::*;

const DEFAULTS: &str = include_str!("../settings.toml");

fn acme(kind: &str, by: &str, value: &str) -> Result<Option<RecordRef>, String> {
    Ok(
        ((kind, by, value) == ("account", "org_number", "923456783"))
            .then(|| RecordRef::new("account", "acme")),
    )
}

fn made(settings: &str, source: &str, message: &Json) -> Result<Made, String> {
    let now = Instant::parse("2026-03-02T09:00:00Z").unwrap();
    make(
        &Settings::parse(settings).expect("settings"),
        source,
        message,
        now,
        &mut acme,
    )
}

#[test]
fn a_contact_form_becomes_a_lead() {
    let form = json!({ "name": " Test Person ", "email": "test@example.com", "message": "Call me", "phone": "" });
    let made = made(DEFAULTS, "form", &form).unwrap();
    assert_eq!(
        (made.rule.as_str(), made.kind.as_deref(), made.id),
        ("contact-form", Some("lead"), None)
    );
    let expected = Fields::new()
        .with("description", "Call me")
        .with("email", "test@example.com")
        .with("name", "Test Person")
        .with("channel", "form")
        .with("source", "web")
        .with("status", "new")
        .with(
            "received_at",
            Instant::parse("2026-03-02T09:00:00Z").unwrap(),
        );
    assert_eq!(made.fields, expected);
}

#[test]
fn a_device_alarm_becomes_a_case_and_a_measurement_is_dropped() {
    let alarm = json!({ "severity": "Alarm", "title": "Pressure lost", "customer": "923456783", "time": 1_772_442_000, "event_id": 7 });
    let alarm = made(DEFAULTS, "device", &alarm).unwrap();
    assert_eq!(
        (alarm.kind.as_deref(), alarm.id.as_deref()),
        (Some("case"), Some("7"))
    );
    assert_eq!(alarm.fields.text("channel"), Some("device"));
    assert_eq!(alarm.fields.text("category"), Some("device"), "the default");
    assert_eq!(
        alarm
            .fields
            .reference("account")
            .map(|account| account.id.as_str()),
        Some("acme")
    );
    assert_eq!(
        alarm.fields.instant("received_at"),
        Instant::parse("2026-03-02T09:00:00Z")
    );
    assert_eq!(
        made(DEFAULTS, "device", &json!({ "temperature": 21 }))
            .unwrap()
            .kind,
        None
    );
}

/// A message that is wrong, and what the answer must name.
#[test]
fn what_is_wrong_with_a_message_is_told() {
    let rows = [
        ("form", json!({}), "/email is missing. /name is missing."),
        ("form", json!({ "form": "support" }), "/subject is missing"),
        (
            "signal",
            json!({ "note": "quiet", "customer": "000" }),
            "there is no account whose org_number is '000'",
        ),
        (
            "signal",
            json!({ "note": "quiet", "customer": "923456783", "strength": "strong" }),
            "/strength must be a whole number, not 'strong'",
        ),
        (
            "device",
            json!({ "severity": "fault", "title": "x", "time": "noon" }),
            "/time must be a time",
        ),
        (
            "device",
            json!({ "severity": "fault", "title": "x", "time": { "at": 1 } }),
            "/time must be a value",
        ),
        (
            "device",
            json!({ "severity": "fault", "title": "x", "time": "0000000001" }),
            "/time must be a time",
        ),
        (
            "device",
            json!({ "severity": "fault", "title": ["x", ["y"]] }),
            "/title must be a value",
        ),
        (
            "device",
            json!({ "severity": "fault", "title": "x", "event_id": [1] }),
            "/event_id must be a text or a whole number",
        ),
        (
            "device",
            json!({ "severity": "fault", "title": "x", "event_id": 1.5 }),
            "/event_id must be a text or a whole number",
        ),
        ("mail", json!({}), "'mail'"),
    ];
    for (source, message, named) in rows {
        let error = made(DEFAULTS, source, &message).expect_err(&message.to_string());
        assert!(error.contains(named), "{message} gives {error:?}");
    }
    let only_support =
        "[[inbound]]\nname = 's'\nsource = 'form'\nwhen = { '/form' = 'support' }\nkind = 'case'";
    assert!(
        made(only_support, "form", &json!({ "form": "sales" }))
            .unwrap_err()
            .contains("No rule")
    );
}

#[test]
fn values_take_the_form_the_settings_give_them() {
    let read = |form: &str, value: Json| {
        let settings = format!(
            "[[inbound]]\nname = 'r'\nsource = 'form'\nkind = 'lead'\nfields = {{ f = {{ from = '/v', {form} }} }}"
        );
        made(&settings, "form", &json!({ "v": value })).map(|made| made.fields.get("f").cloned())
    };
    let instant = |text: &str| Value::from(Instant::parse(text).unwrap());
    let rows = [
        ("as = 'integer'", json!(12), Some(Value::Integer(12))),
        ("as = 'integer'", json!("12"), Some(Value::Integer(12))),
        (
            "as = 'integer'",
            json!("\u{feff}12\u{200b}"),
            Some(Value::Integer(12)),
        ),
        (
            "as = 'decimal'",
            serde_json::from_str("0.123456789012345678").unwrap(),
            Decimal::parse("0.123456789012345678").map(Value::from),
        ),
        (
            "as = 'decimal'",
            serde_json::from_str("1.25e3").unwrap(),
            Decimal::parse("1250").map(Value::from),
        ),
        (
            "as = 'money', currency = 'NOK'",
            serde_json::from_str("1234567890123456.78").unwrap(),
            Some(Money::new(123_456_789_012_345_678, "NOK").into()),
        ),
        (
            "as = 'decimal'",
            json!("1.50"),
            Some(Decimal::parse("1.50").unwrap().into()),
        ),
        (
            "as = 'money', currency = 'NOK'",
            json!(1250),
            Some(Money::new(125_000, "NOK").into()),
        ),
        (
            "as = 'money'",
            json!("12.5 EUR"),
            Some(Money::new(1_250, "EUR").into()),
        ),
        (
            "as = 'date'",
            json!("2026-05-17"),
            Some(Date::parse("2026-05-17").unwrap().into()),
        ),
        (
            "as = 'instant'",
            json!("2026-05-17T10:00:00+02:00"),
            Some(instant("2026-05-17T08:00:00Z")),
        ),
        (
            "as = 'instant'",
            json!("1772442000"),
            Some(instant("2026-03-02T09:00:00Z")),
        ),
        (
            "as = 'instant'",
            json!("2026-05-17T10:00:00Z"),
            Some(instant("2026-05-17T10:00:00Z")),
        ),
        (
            "as = 'instant'",
            json!(1_772_442_000_123_i64),
            Some(instant("2026-03-02T09:00:00.123Z")),
        ),
        ("as = 'flag'", json!(true), Some(Value::Flag(true))),
        ("as = 'flag'", json!("off"), Some(Value::Flag(false))),
        (
            "as = 'choices'",
            json!(["b", "a"]),
            Some(Value::Choices(vec!["a".into(), "b".into()])),
        ),
        (
            "as = 'reference'",
            json!("account/a-1"),
            Some(RecordRef::new("account", "a-1").into()),
        ),
        (
            "values = { '3' = 'urgent' }",
            json!(3),
            Some("urgent".into()),
        ),
        ("values = { '3' = 'urgent' }", json!(4), Some("4".into())),
        ("default = 'x'", json!(null), Some("x".into())),
        ("default = 'x'", json!("  "), Some("x".into())),
        ("required = false", json!({}), None),
    ];
    for (form, value, expected) in rows {
        assert_eq!(read(form, value.clone()), Ok(expected), "{form} {value}");
    }
    for (form, value) in [
        ("as = 'integer'", json!(1.5)),
        ("as = 'money'", json!(12)),
        ("as = 'money', currency = 'NOK'", json!("12.505")),
        ("as = 'date'", json!("17.05.2026")),
        ("as = 'flag'", json!("perhaps")),
        // A date is no count of seconds, and an offset has 23:59 at most.
        ("as = 'instant'", json!("20260721")),
        ("as = 'instant'", json!(20_260_721)),
        ("as = 'instant'", json!("-1772442000")),
        ("as = 'instant'", json!("177244200012345")),
        ("as = 'instant'", json!("2026-05-17T10:00:00+99:99")),
        ("as = 'instant'", json!("2026-05-17T10:00:00+24:00")),
        ("as = 'instant'", json!("2026-05-17T10:00:00+02:60")),
        ("as = 'reference'", json!("acme")),
    ] {
        assert!(read(form, value.clone()).is_err(), "{form} {value}");
    }
}

#[test]
fn bodies_are_read_by_their_content_type() {
    let read = |content_type: &str, body: &str| {
        let message = InboundMessage {
            source: "form".into(),
            content_type: content_type.into(),
            headers: vec![],
            body: body.into(),
        };
        read_body(&message)
    };
    assert_eq!(
        read("application/json; charset=utf-8", r#"{"a":1}"#),
        Ok(vec![json!({ "a": 1 })])
    );
    assert_eq!(
        read("application/cloudevents+json", r#"[{"a":1},{"a":2}]"#).map(|all| all.len()),
        Ok(2)
    );
    assert_eq!(
        read("application/x-www-form-urlencoded", "a=1"),
        Ok(vec![json!({ "a": "1" })])
    );
    for (content_type, body, named) in [
        ("application/json", "{", "not JSON"),
        ("application/json", "3", "object"),
        ("application/json", "[]", "empty"),
        ("text/plain", "a", "text/plain"),
        ("application/x-www-form-urlencoded", "a=%", "form"),
    ] {
        let error = read(content_type, body).unwrap_err();
        assert!(error.contains(named), "{content_type} {body}: {error}");
    }
}

#[test]
fn b10_a_choice_of_a_list_is_one_whatever_it_holds() {
    let rule = "[[inbound]]\nname = 'a'\nsource = 'form'\nkind = 'lead'\nfields = { cover = { from = '/c', as = 'choices', values = { 'w' = 'water' } } }";
    let cover = |message: Json| {
        let made = made(rule, "form", &message).unwrap();
        made.fields.get("cover").cloned()
    };
    let choices = |all: &[&str]| {
        Some(Value::from(
            all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>(),
        ))
    };
    assert_eq!(
        cover(json!({ "c": ["fire;theft"] })),
        choices(&["fire;theft"])
    );
    assert_eq!(
        cover(json!({ "c": ["w", "fire", " "] })),
        choices(&["water", "fire"])
    );
    assert_eq!(
        cover(json!({ "c": "fire; theft" })),
        choices(&["fire", "theft"])
    );
    assert_eq!(cover(json!({ "c": [] })), None);
}

#[test]
fn b10_an_object_is_no_number_whatever_its_key() {
    let body = |text: &str| {
        read_body(&InboundMessage {
            source: "form".into(),
            content_type: "application/json".into(),
            headers: Vec::new(),
            body: text.into(),
        })
    };
    for text in [
        r#"{"name":{"$serde_json::private::Number":"12"}}"#,
        r#"{"name":{"\u0024serde_json::private::Number":"12"}}"#,
        r#"[{"a":"\\"},{"$serde_json::private::Number":"12"}]"#,
    ] {
        assert!(
            body(text).unwrap_err().contains("stands for no field"),
            "{text}"
        );
    }
    // One name twice has two meanings.
    for text in [r#"{"name":"a","name":"b"}"#, r#"[{"x":{"b":1,"b":2}}]"#] {
        let told = body(text).unwrap_err();
        assert!(told.contains("stands there twice"), "{told}");
    }
    for text in [
        r#"{"name":12.50}"#,
        r#"{"name":"private::Number \" \\"}"#,
        "{}",
    ] {
        assert!(body(text).is_ok(), "{text}");
    }
}
