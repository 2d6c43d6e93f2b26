//! Tests of what goes out: which edits are told, to whom, and how.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kjerne_sdk::{Date, Instant, Money, RecordRef};

use super::*;

fn messages(settings: &Settings, entries: &[Entry]) -> Vec<OutboundMessage> {
    super::messages(settings, entries).collect()
}

fn settings(subscription: &str) -> Settings {
    let text = format!(
        "[[subscription]]\nname = 'erp'\nurl = 'https://erp.example.com/in'\n{subscription}"
    );
    Settings::parse(&text).expect("settings")
}

fn opportunity(stage: &str) -> Fields {
    Fields::new()
        .with("name", "Pumps \"big\"\nand small")
        .with("stage", stage)
        .with("amount", Money::new(1_250_050, "NOK"))
        .with("closing_date", Date::parse("2026-05-17").unwrap())
        .with("account", RecordRef::new("account", "a-1"))
        .with("probability", 60_i64)
}

fn entry(before: Option<Fields>, after: Option<Fields>) -> Entry {
    let operation = match (&before, &after) {
        (None, _) => Operation::Create,
        (_, None) => Operation::Delete,
        _ => Operation::Update,
    };
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let names = after.iter().chain(before.iter()).map(|(name, _)| name);
    let mut changed: Vec<String> = names
        .filter(|name| before.get(name) != after.get(name))
        .map(str::to_owned)
        .collect();
    changed.sort();
    changed.dedup();
    let edit = Edit {
        kind: "opportunity".into(),
        id: "o-1".into(),
        version: 3,
        operation,
        before,
        after,
        changed,
    };
    let at = Instant::parse("2026-03-02T09:00:00Z").unwrap();
    Entry {
        number: 57,
        at,
        actor: "user:kari".into(),
        depth: 0,
        edits: vec![edit],
    }
}

fn moved() -> Entry {
    entry(Some(opportunity("proposal")), Some(opportunity("won")))
}

fn body(message: &OutboundMessage) -> Json {
    serde_json::from_slice(&message.body).expect("JSON")
}

#[test]
fn an_event_is_a_cloud_event_named_after_its_place_in_the_journal() {
    let messages = messages(
        &settings(
            "secret = 'erp'\nfields = ['name', 'stage', 'amount', 'account', 'closing_date']",
        ),
        &[moved()],
    );
    let [message] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!(message.content_type, "application/cloudevents+json");
    assert_eq!(
        (message.id.as_str(), message.order_key.as_str()),
        ("57/0/erp", "opportunity/o-1/erp")
    );
    assert_eq!(message.signing_secret.as_deref(), Some("erp"));
    let account = "account/a-1";
    let fields = |stage: &str| {
        json!({
            "name": "Pumps \"big\"\nand small", "stage": stage, "account": account, "closing_date": "2026-05-17",
            "amount": { "amount": "12500.50", "currency": "NOK" },
        })
    };
    assert_eq!(
        body(message),
        json!({
            "specversion": "1.0", "id": "57/0", "source": "/kjerne", "type": "kjerne.opportunity.update",
            "subject": "opportunity/o-1", "time": "2026-03-02T09:00:00Z", "datacontenttype": "application/json",
            "sequence": "00000000000000000057", "partitionkey": "opportunity/o-1",
            "data": {
                "kind": "opportunity", "id": "o-1", "version": 3, "operation": "update", "actor": "user:kari",
                "changed": ["stage"], "before": fields("proposal"), "after": fields("won"),
            },
        })
    );
}

#[test]
fn the_mode_says_how_much_is_told() {
    let data = |subscription: &str, entry: Entry| {
        body(&messages(&settings(subscription), &[entry])[0])["data"].clone()
    };
    let notice = data("mode = 'notice'", moved());
    assert!(
        notice.get("after").is_none() && notice.get("fields").is_none() && notice["id"] == "o-1",
        "{notice}"
    );
    let record = data("mode = 'record'\nfields = ['stage']", moved());
    assert_eq!(
        (&record["fields"], record.get("before")),
        (&json!({ "stage": "won" }), None)
    );
    let created = data("fields = ['stage']", entry(None, Some(opportunity("won"))));
    assert_eq!(
        (&created["before"], &created["after"]),
        (&Json::Null, &json!({ "stage": "won" }))
    );
    let deleted = data(
        "mode = 'record'\nfields = ['stage']",
        entry(Some(opportunity("won")), None),
    );
    assert_eq!(deleted["fields"], json!({ "stage": "won" }));
}

/// A subscription's filter, and whether the move from proposal to won passes it.
#[test]
fn only_what_the_filter_lets_through_is_told() {
    let rows = [
        ("", true),
        ("enabled = false", false),
        ("kinds = ['opportunity', 'account']", true),
        ("kinds = ['account']", false),
        ("operations = ['update']", true),
        ("operations = ['create', 'delete']", false),
        ("changed = ['stage', 'amount']", true),
        ("changed = ['amount']", false),
        ("when = { stage = 'won' }", true),
        (
            "when = { stage = ['lost', 'won'], probability = '60' }",
            true,
        ),
        ("when = { stage = 'proposal' }", false),
        ("when = { lost_reason = '' }", true),
        ("when = { lost_reason = '*' }", false),
        ("unless = { stage = 'won' }", false),
        ("unless = { stage = 'lost' }", true),
        ("exclude_actors = ['user:kari']", false),
        ("exclude_actors = ['system:import']", true),
    ];
    for (filter, passes) in rows {
        assert_eq!(
            messages(&settings(filter), &[moved()]).len(),
            usize::from(passes),
            "{filter}"
        );
    }
    let delete = || entry(Some(opportunity("won")), None);
    assert_eq!(
        messages(&settings("when = { stage = 'won' }"), &[delete()]).len(),
        1,
        "as it was"
    );
    assert_eq!(
        messages(
            &settings("changed = ['stage']"),
            &[entry(None, Some(opportunity("won")))]
        )
        .len(),
        1
    );
}

#[test]
fn each_subscription_gets_its_own_message_in_the_order_of_the_journal() {
    let text = "[[subscription]]\nname = 'a'\nurl = 'https://a.example'\n[[subscription]]\nname = 'b'\nurl = 'https://b.example'\n";
    let second = Entry {
        number: 58,
        ..moved()
    };
    let ids: Vec<String> = messages(&Settings::parse(text).unwrap(), &[moved(), second])
        .into_iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(ids, ["57/0/a", "57/0/b", "58/0/a", "58/0/b"]);
}

#[test]
fn the_parts_of_an_address_are_told_together() {
    let address = Fields::new()
        .with("billing_address.city", "Oslo")
        .with("billing_address.country", "NO")
        .with("phone", "1");
    let told = &messages(
        &settings("mode = 'record'\nfields = ['billing_address']"),
        &[entry(None, Some(address))],
    )[0];
    assert_eq!(
        body(told)["data"]["fields"],
        json!({ "billing_address": { "city": "Oslo", "country": "NO" } })
    );
}

#[test]
fn a_whole_number_that_readers_would_round_goes_as_text() {
    for (number, told) in [
        (9_007_199_254_740_991, json!(9_007_199_254_740_991_i64)),
        (-9_007_199_254_740_991, json!(-9_007_199_254_740_991_i64)),
        (9_007_199_254_740_992, json!("9007199254740992")),
        (i64::MIN, json!("-9223372036854775808")),
    ] {
        assert_eq!(json_value(&Value::Integer(number)), told);
    }
}

#[test]
fn b3_conditions_compare_values_by_what_they_are() {
    let record = opportunity("won")
        .with("email", "Kari@example.com")
        .with("tags", vec!["fire".to_owned(), "water".to_owned()])
        .with("billing_address.city", "Oslo");
    let entry = entry(None, Some(record));
    for (condition, fires) in [
        ("when = { email = 'kari@EXAMPLE.com' }", true),
        ("when = { amount = '12500.5 NOK' }", true),
        ("when = { amount = '12500.50 EUR' }", false),
        ("when = { tags = 'fire' }", true),
        ("when = { tags = ['theft', 'water'] }", true),
        ("when = { tags = 'theft' }", false),
        ("when = { billing_address = '*' }", true),
        ("when = { billing_address = '' }", false),
        ("when = { shipping_address = '*' }", false),
        ("when = { 'billing_address.city' = 'Oslo' }", true),
        ("when = { account = 'a-1' }", true),
        ("when = { probability = '60.0' }", true),
        ("unless = { tags = 'fire' }", false),
    ] {
        let told = messages(&settings(condition), std::slice::from_ref(&entry));
        assert_eq!(told.len(), usize::from(fires), "{condition}");
    }
}

#[test]
fn b3_a_structured_field_has_changed_when_a_part_has() {
    let address = |city: &str| opportunity("won").with("billing_address.city", city);
    let moved = entry(Some(address("Oslo")), Some(address("Bergen")));
    for (changed, fires) in [
        ("changed = ['billing_address']", true),
        ("changed = ['billing_address.city']", true),
        ("changed = ['billing_address.region']", false),
        ("changed = ['billing']", false),
    ] {
        let told = messages(&settings(changed), std::slice::from_ref(&moved));
        assert_eq!(told.len(), usize::from(fires), "{changed}");
    }
}
