//! The JSON shapes: what goes out reads back, and every fault is named.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kjerne_model::{Change, Fields, Kind, Schema, Value, core_kinds};
use kjerne_model::{Field, FieldType, Name, PersonalData};
use serde_json::{Value as Json, json};

use super::*;

/// A kind with a field of every type.
fn every_type() -> std::sync::Arc<Kind> {
    let name = |text: &str| Name::new(text).unwrap();
    let types = [
        ("a_text", FieldType::Text { max_bytes: 1_024 }),
        ("a_integer", FieldType::Integer),
        ("a_decimal", FieldType::Decimal),
        ("a_money", FieldType::Money),
        ("a_date", FieldType::Date),
        ("a_instant", FieldType::Instant),
        ("a_flag", FieldType::Flag),
        ("a_choice", FieldType::Choice(Vec::new())),
        ("a_choices", FieldType::Choices(Vec::new())),
        ("a_email", FieldType::Email),
        ("a_phone", FieldType::Phone),
        ("a_url", FieldType::Url),
        ("a_address", FieldType::Address),
        (
            "a_reference",
            FieldType::Reference(vec![name("account"), name("contact")]),
        ),
    ];
    let field = |(field, field_type): (&str, FieldType)| Field {
        name: name(field),
        label: field.to_owned(),
        field_type,
        required: false,
        unique: false,
        ignore_case: false,
        hierarchy: false,
        indexed: false,
        personal: PersonalData::None,
    };
    std::sync::Arc::new(Kind {
        name: name("all"),
        label: "All".to_owned(),
        fields: types.into_iter().map(field).collect(),
    })
}

fn read(kind: &Kind, field: &str, json: &Json) -> Result<Option<Value>, String> {
    let body = json!({ "fields": { field: json } });
    match patch(kind, &body) {
        Ok(patch) => Ok(patch.into_values().next().unwrap()),
        Err(refusals) => Err(refusals[0].message.clone()),
    }
}

/// As it comes in a body.
fn json_of(text: &str) -> Json {
    let most = kjerne_core::limits::Limit {
        name: "values",
        value: 100,
        unit: "values",
        reason: "a test",
    };
    json::parse(text.as_bytes(), &most).unwrap()
}

#[test]
fn every_type_goes_out_and_comes_back() {
    let kind = every_type();
    let id = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001";
    let cases = [
        ("a_text", json!("Åse \"x\"\n")),
        ("a_integer", json!(-9_007_199_254_740_991_i64)),
        ("a_integer", json!("-9007199254740993")),
        ("a_decimal", json!("123456789012.345678")),
        (
            "a_money",
            json!({ "amount": "-1250.50", "currency": "NOK" }),
        ),
        ("a_money", json!({ "amount": "1250", "currency": "JPY" })),
        ("a_date", json!("2026-02-28")),
        ("a_instant", json!("2026-02-28T23:59:59.125Z")),
        ("a_flag", json!(true)),
        ("a_choice", json!("gold")),
        ("a_choices", json!(["a", "b"])),
        ("a_email", json!("ola@example.no")),
        ("a_phone", json!("+47 22 00 00 00")),
        ("a_url", json!("https://example.no/x")),
        ("a_address", json!({ "city": "Oslo", "country": "NO" })),
        ("a_reference", json!(format!("contact/{id}"))),
    ];
    for (field, json) in cases {
        let held = read(&kind, field, &json).unwrap().unwrap();
        assert_eq!(value(&held), json, "{field}");
        let as_text = read(&kind, field, &json!(held.to_string()))
            .unwrap()
            .unwrap();
        assert_eq!(as_text, held, "{field} as text");
    }
}

#[test]
fn other_spellings_are_read_and_null_clears() {
    let kind = every_type();
    let cases = [
        ("a_decimal", json!(12.5), "12.5"),
        ("a_decimal", json!(12), "12"),
        (
            "a_decimal",
            json_of("0.12345678901234567"),
            "0.12345678901234567",
        ),
        (
            "a_decimal",
            json_of("12345678901234567.8"),
            "12345678901234567.8",
        ),
        ("a_decimal", json_of("1.5e3"), "1500"),
        (
            "a_money",
            json_of(r#"{ "amount": 12345678901234567.89, "currency": "NOK" }"#),
            "12345678901234567.89 NOK",
        ),
        (
            "a_money",
            json!({ "amount": 12.5, "currency": "NOK" }),
            "12.50 NOK",
        ),
        (
            "a_instant",
            json!("2026-02-28T01:00:00+01:00"),
            "2026-02-28T00:00:00Z",
        ),
        ("a_choices", json!(["b", "a", "b"]), "a;b"),
    ];
    for (field, json, shown) in cases {
        assert_eq!(
            read(&kind, field, &json).unwrap().unwrap().to_string(),
            shown
        );
    }
    assert_eq!(read(&kind, "a_text", &Json::Null).unwrap(), None);
}

#[test]
fn blank_parts_of_an_address_are_none() {
    let kind = every_type();
    let given = json!({ "street": " ", "city": "Oslo", "region": "\u{200b}", "country": null });
    let held = read(&kind, "a_address", &given).unwrap().unwrap();
    assert_eq!(value(&held), json!({ "city": "Oslo" }));
    let typed = |text: &str| {
        let arguments = [("a_address".to_owned(), text.to_owned())];
        patch_of_text(&kind, &arguments)
            .unwrap()
            .into_values()
            .next()
            .unwrap()
    };
    assert_eq!(typed(" | |\u{200b}||"), None, "it is cleared");
    assert_eq!(
        value(&typed(" |0155| ||").unwrap()),
        json!({ "postal_code": "0155" })
    );
    let address = |json: Json| {
        let body = json!({ "fields": { "a_address": json } });
        create(&kind, &body)
    };
    for nothing in [json!({}), json!({ "street": " " })] {
        let Change::Create { fields, .. } = address(nothing).unwrap() else {
            panic!("no create");
        };
        let told = kjerne_model::check_fields(&kind, &fields);
        assert!(told[0].message.contains("clear the field"), "{told:?}");
    }
}

#[test]
fn what_cannot_be_read_says_what_was_expected() {
    let kind = every_type();
    let cases = [
        ("a_integer", json!(1.5), "a whole number"),
        ("a_integer", json!("ten"), "a whole number"),
        ("a_decimal", json_of("1.234567890123456789"), "18 digits"),
        ("a_decimal", json_of("9223372036854775807"), "18 digits"),
        ("a_decimal", json!("9223372036854775807"), "18 digits"),
        ("a_decimal", json_of("1e400"), "a decimal number"),
        (
            "a_money",
            json_of(r#"{ "amount": 92233720368547758.08, "currency": "NOK" }"#),
            "at most 92233720368547758.07 NOK",
        ),
        ("a_money", json!(12), "money such as"),
        (
            "a_money",
            json!({ "amount": "1.005", "currency": "NOK" }),
            "at most 2 decimals",
        ),
        (
            "a_money",
            json!({ "amount": "1", "currency": "kr" }),
            "ISO 4217",
        ),
        ("a_date", json!("21.11.2026"), "a date such as"),
        ("a_flag", json!(1), "true or false"),
        ("a_choices", json!([1]), "a list of texts"),
        ("a_address", json!({ "town": "Oslo" }), "one of street"),
        ("a_reference", json!("Acme"), "a reference such as"),
        ("a_text", json!(["x"]), "expected text"),
        ("nothing", json!(1), "has no field"),
    ];
    for (field, json, expected) in cases {
        let message = read(&kind, field, &json).unwrap_err();
        assert!(message.contains(expected), "{field} {json}: {message}");
    }
}

#[test]
fn one_answer_names_every_fault() {
    let schema = Schema::new(core_kinds()).unwrap();
    let contact = schema.kind("contact").unwrap();
    let body = json!({ "fields": { "colour": "red", "email": "x", "account": 7 } });
    let refusals = create(contact, &body).unwrap_err();
    let named: Vec<(&str, &str)> = refusals
        .iter()
        .map(|r| (r.code.name(), r.field.as_deref().unwrap()))
        .collect();
    assert_eq!(
        named,
        [
            ("unknown-field", "colour"),
            ("invalid-value", "account"),
            ("invalid-value", "email"),
            ("required", "name")
        ]
    );
}

const ID: &str = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001";

#[test]
fn a_batch_has_one_shape_per_operation() {
    let schema = Schema::new(core_kinds()).unwrap();
    let body = json!({ "dry_run": true, "changes": [
        { "create": "account", "fields": { "name": "Acme" } },
        { "update": "account", "id": ID, "expected": 3, "fields": { "region": null } },
        { "delete": "contact", "id": ID },
    ]});
    let Batch {
        changes, dry_run, ..
    } = batch(&schema, &body).unwrap();
    assert!(dry_run);
    assert!(matches!(&changes[0], Change::Create { id: None, fields, .. } if fields.len() == 1));
    assert!(matches!(&changes[1], Change::Update { target, patch }
        if target.expected == Some(3) && patch["region"].is_none()));
    assert!(matches!(&changes[2], Change::Delete { target } if target.expected.is_none()));
}

#[test]
fn a_bad_batch_names_the_change() {
    let schema = Schema::new(core_kinds()).unwrap();
    let cases = [
        (json!([]), None, "is not a JSON object"),
        (
            json!({ "change": [] }),
            None,
            "takes changes, dry_run, key, not \"change\"",
        ),
        (json!({ "changes": [{}] }), Some(0), "exactly one of"),
        (
            json!({ "changes": [{ "create": "thing", "fields": {} }] }),
            Some(0),
            "no kind \"thing\"",
        ),
        (
            json!({ "changes": [{ "update": "account", "fields": {} }] }),
            Some(0),
            "record's \"id\"",
        ),
        (
            json!({ "changes": [{ "delete": "account", "id": "7" }] }),
            Some(0),
            "a record id",
        ),
        (
            json!({ "changes": [{ "create": "account" }] }),
            Some(0),
            "\"fields\" is missing",
        ),
        (
            json!({ "changes": [{ "update": "account", "id": ID, "expected": null, "fields": {} }] }),
            Some(0),
            "\"expected\" is a version",
        ),
        (
            json!({ "changes": [{ "delete": "account", "id": ID, "expected": null }] }),
            Some(0),
            "\"expected\" is a version",
        ),
        (
            json!({ "changes": [{ "create": "account", "expected": 1, "fields": {} }] }),
            Some(0),
            "a create takes no \"expected\"",
        ),
        (
            json!({ "changes": [{ "delete": "account", "id": ID, "fields": { "name": "A" } }] }),
            Some(0),
            "a delete takes no \"fields\"",
        ),
    ];
    for (body, change, expected) in cases {
        let refusals = batch(&schema, &body).unwrap_err();
        assert_eq!(refusals[0].change, change, "{body}");
        assert!(
            refusals[0].message.contains(expected),
            "{body}: {}",
            refusals[0].message
        );
    }
}

#[test]
fn an_argument_that_holds_nothing_is_missing() {
    let parameters = [("note".to_owned(), FieldType::Text { max_bytes: 99 }, true)];
    for nothing in [
        json!({}),
        json!({ "note": null }),
        json!({ "note": "" }),
        json!({ "note": " \u{a0}\t" }),
    ] {
        let given = nothing.as_object().unwrap();
        let refusals = crate::read_arguments("action", &parameters, given).unwrap_err();
        assert_eq!(refusals[0].message, "the action needs note", "{nothing}");
    }
}

#[test]
fn a_field_given_twice_is_refused() {
    let schema = Schema::new(core_kinds()).unwrap();
    let account = schema.kind("account").unwrap();
    let given = [("name", "A"), ("region", "a"), ("region", "b")];
    let given = given.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let refusals = fields_of_text(account, &given).unwrap_err();
    assert_eq!(
        refusals[0].message,
        "region is given twice; which one is meant?"
    );
    assert_eq!(refusals[0].field.as_deref(), Some("region"));
    let blank = [("region".to_owned(), " \u{a0}".to_owned())];
    assert!(patch_of_text(account, &blank).unwrap()["region"].is_none());
}

#[test]
fn text_of_the_command_line_reads_as_fields() {
    let schema = Schema::new(core_kinds()).unwrap();
    let account = schema.kind("account").unwrap();
    let argument = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let fields: Fields = fields_of_text(
        account,
        &[argument("name", "Acme"), argument("employees", "12")],
    )
    .unwrap();
    assert_eq!(fields["employees"], Value::Integer(12));
    let patch = patch_of_text(account, &[argument("region", "")]).unwrap();
    assert!(patch["region"].is_none());
    let refusals = patch_of_text(account, &[argument("employees", "many")]).unwrap_err();
    assert_eq!(refusals.len(), 1);
    assert!(
        refusals[0]
            .message
            .contains("employees: expected a whole number")
    );
}

#[test]
fn a_whole_number_that_readers_would_round_goes_out_as_text_and_comes_back() {
    for (number, out) in [
        (9_007_199_254_740_991, json!(9_007_199_254_740_991_i64)),
        (9_007_199_254_740_992, json!("9007199254740992")),
        (-9_007_199_254_740_991, json!(-9_007_199_254_740_991_i64)),
        (-9_007_199_254_740_992, json!("-9007199254740992")),
        (i64::MAX, json!("9223372036854775807")),
        (i64::MIN, json!("-9223372036854775808")),
    ] {
        let kind = every_type();
        assert_eq!(value(&Value::Integer(number)), out);
        for sent in [out, json!(number)] {
            assert_eq!(
                read(&kind, "a_integer", &sent),
                Ok(Some(Value::Integer(number)))
            );
        }
    }
}

#[test]
fn what_is_told_of_a_request_does_not_grow_with_it() {
    let kind = every_type();
    let many = |count: usize| -> Json {
        let fields = (0..count).map(|number| (format!("f{number}"), json!(1)));
        json!({ "fields": Json::Object(fields.collect()) })
    };
    let told = patch(&kind, &many(500)).unwrap_err();
    assert_eq!(told.len(), 101);
    assert!(
        told[100].message.contains("400 more"),
        "{}",
        told[100].message
    );
    let told = create(&kind, &many(501)).unwrap_err();
    assert!(
        told.len() == 1 && told[0].message.contains("501 names"),
        "{told:?}"
    );

    let schema = Schema::new(core_kinds()).unwrap();
    let changes = |count: usize| {
        let one = json!({ "create": "account", "fields": { "colour": "red", "shape": "round" } });
        json!({ "changes": vec![one; count] })
    };
    let told = batch(&schema, &changes(1_000)).unwrap_err();
    assert_eq!(told.len(), 101);
    // Two fields that are not there and a name that is missing, of each change.
    assert!(
        told[100].message.contains("2900 more"),
        "{}",
        told[100].message
    );
    let told = batch(&schema, &changes(1_001)).unwrap_err();
    assert!(told[0].message.contains("1000") && told[0].message.contains("commit-changes"));

    let long = "å".repeat(3_000_000);
    let text = |json: Json| format!("{:?}", patch(&kind, &json).unwrap_err()).len();
    for body in [
        json!({ "fields": { &long: 1 } }),
        json!({ "fields": { "a_integer": &long } }),
        json!({ "fields": { "a_flag": [&long] } }),
        json!({ "fields": { "a_flag": vec![json!({ "a": [] }); 100_000] } }),
        json!({ "fields": { "a_date": [[[[&long]]]] } }),
        json!({ "fields": { "a_address": { &long: 1 } } }),
        json!({ &long: 1 }),
        json!([&long]),
    ] {
        assert!(text(body) < 10_000);
    }
}
