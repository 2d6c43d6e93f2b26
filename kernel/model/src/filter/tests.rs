//! Filters: what they mean, and where they say they are wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::{Filter, MAX_CONDITIONS, MAX_DEPTH, Operator, Path, TextTest, parse, parse_path};
use crate::{Instant, Kind, Name, Record, RecordId, Schema, Value, core_kinds, parse_value};

fn kind(name: &str) -> Kind {
    Schema::new(core_kinds())
        .unwrap()
        .kind(name)
        .unwrap()
        .as_ref()
        .clone()
}

/// A record with these fields, in the form people write them.
fn record(kind_name: &str, fields: &[(&str, &str)]) -> Record {
    let kind = kind(kind_name);
    let value = |(name, text): &(&str, &str)| {
        let field = kind.field(name).unwrap();
        (
            field.name.clone(),
            parse_value(&field.field_type, text).unwrap(),
        )
    };
    Record {
        kind: kind.name.clone(),
        id: RecordId::v7(Instant::from_millis(1_700_000_000_000), 7),
        version: 3,
        created_at: Instant::parse("2026-01-10T10:00:00Z").unwrap(),
        updated_at: Instant::parse("2026-02-10T10:00:00Z").unwrap(),
        fields: fields.iter().map(value).collect(),
    }
}

const ACCOUNT: &str = "018bcfe5-6800-7000-8000-000000000007";

fn deal() -> Record {
    record(
        "opportunity",
        &[
            ("name", "O'Hara's Åsen deal"),
            ("stage", "proposal"),
            ("amount", "1250.50 NOK"),
            ("probability", "60"),
            ("closing_date", "2026-03-31"),
            ("stage_since", "2026-02-01T08:00:00Z"),
            ("account", ACCOUNT),
        ],
    )
}

fn check(text: &str, expected: bool) {
    let filter = parse(text, &kind("opportunity")).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(filter.matches(&deal()), expected, "{text}");
    let again = parse(&filter.to_string(), &kind("opportunity")).unwrap();
    assert_eq!(again, filter, "{text} was written as {filter}");
}

#[test]
fn conditions_mean_what_they_say() {
    for (text, expected) in [
        ("", true),
        ("  \n ", true),
        ("stage eq 'proposal'", true),
        ("stage eq 'Proposal'", false),
        ("stage ne 'won'", true),
        ("stage in ('won', 'proposal')", true),
        ("stage in ('won')", false),
        ("name eq 'O''Hara''s Åsen deal'", true),
        ("contains(name,'åSEN')", true),
        ("startswith(name,'o''hara')", true),
        ("endswith(name,'DEAL')", true),
        ("startswith(name,'deal')", false),
        ("probability gt 59", true),
        ("probability ge 60.5", false),
        ("probability lt 60.5", true),
        ("probability le -1", false),
        ("closing_date ge 2026-03-31", true),
        ("closing_date lt 2026-03-31", false),
        ("stage_since gt 2026-02-01T00:00:00+01:00", true),
        ("stage EQ 'proposal' AND NOT (probability GT 60)", true),
        ("Contains(name,'deal') Or stage In ('x')", true),
        ("next_step eq NULL", true),
        ("stage in ('x', null)", false),
        ("next_step in ('x', null)", true),
        ("next_step in (null)", true),
        ("stage in (null)", false),
        ("not next_step in ('x', null)", false),
        ("stage_since eq 2026-02-01T09:00:00+01:00", true),
        ("amount eq '1250.50 NOK'", true),
        ("amount gt '1000 NOK'", true),
        ("amount/minor gt 125049", true),
        ("amount/currency eq 'NOK'", true),
        ("account eq 018bcfe5-6800-7000-8000-000000000007", true),
        (
            "account eq 'account/018bcfe5-6800-7000-8000-000000000007'",
            true,
        ),
        ("account ne 018bcfe5-6800-7000-8000-000000000008", true),
        ("version eq 3", true),
        ("id eq 018bcfe5-6800-7000-8000-000000000007", true),
        (
            "created_at lt 2026-01-11T00:00:00Z and updated_at gt 2026-02-01T00:00:00Z",
            true,
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn an_empty_field_equals_null_only_and_has_no_order() {
    for (text, expected) in [
        ("next_step eq null", true),
        ("next_step ne null", false),
        ("stage ne null", true),
        ("next_step eq 'x'", false),
        ("next_step ne 'x'", true),
        ("next_step lt 'x'", false),
        ("next_step ge 'x'", false),
        ("contains(next_step,'')", false),
        ("buying_gap le 5", false),
        ("not buying_gap le 5", true),
        // A text function of an empty field is null, and only what is true is selected.
        ("not contains(next_step,'x')", false),
        ("not not contains(next_step,'x')", false),
        ("contains(next_step,'x') or stage eq 'proposal'", true),
        ("stage eq 'proposal' or contains(next_step,'x')", true),
        ("not (contains(next_step,'x') and stage eq 'won')", true),
        ("not (stage eq 'won' and contains(next_step,'x'))", true),
        (
            "not (contains(next_step,'x') and stage eq 'proposal')",
            false,
        ),
        ("not (contains(next_step,'x') or stage eq 'won')", false),
        ("next_step eq null or not contains(next_step,'x')", true),
    ] {
        check(text, expected);
    }
}

#[test]
fn addresses_and_numbers_are_found_however_they_are_written() {
    let held = [
        ("name", "Bo"),
        ("email", "BO@Muller.example"),
        ("phone", "+47 22 33 44 55 Ext. 12"),
    ];
    let contact = record("contact", &held);
    for (text, expected) in [
        ("email eq 'bo@muller.example'", true),
        ("email eq 'Bo@MULLER.Example'", true),
        ("email ne 'bo@muller.example'", false),
        ("email in ('x@y.example', 'bo@Muller.example')", true),
        ("email lt 'C'", true),
        ("email gt 'AZ'", true),
        ("contains(email,'MULLER')", true),
        ("email eq 'bo@mueller.example'", false),
        ("phone eq '+4722334455x12'", true),
        ("phone eq '0047 22 33 44 55 #12'", true),
        ("phone eq '+47 22 33 44 55'", false),
        ("contains(phone,'33 44')", true),
        ("name eq 'bo'", false),
    ] {
        let filter = parse(text, &kind("contact")).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(filter.matches(&contact), expected, "{text}");
        let again = parse(&filter.to_string(), &kind("contact")).unwrap();
        assert_eq!(again, filter, "{text} was written as {filter}");
    }
    let email = parse_path("email", &kind("contact")).unwrap();
    let ordered_by = email.read(&contact);
    assert_eq!(
        ordered_by,
        Some(Value::Text("bo@muller.example".to_owned()))
    );
}

#[test]
fn a_choice_that_is_not_listed_is_an_error_that_names_those_there_are() {
    let account = kind("account");
    for text in [
        "account_type eq 'nonsense'",
        "account_type in ('customer', 'nonsense')",
        "account_type ne 'Customer'",
    ] {
        let error = parse(text, &account).unwrap_err();
        assert!(
            error.expected.contains("one of 'prospect', 'customer'"),
            "{text}: {error}"
        );
    }
    assert!(
        parse(
            "contains(account_type,'custom') and account_type eq null",
            &account
        )
        .is_ok()
    );
    assert!(
        parse("tier eq 'anything'", &account).is_ok(),
        "a field that lists none takes any"
    );
}

#[test]
fn other_currencies_neither_match_nor_order() {
    for (text, expected) in [
        ("amount lt '9999 EUR'", false),
        ("amount gt '1 EUR'", false),
        ("amount eq '1250.50 EUR'", false),
        ("amount ne '1250.50 EUR'", true),
    ] {
        check(text, expected);
    }
}

#[test]
fn and_binds_tighter_than_or_and_not_tightest() {
    for (text, expected) in [
        ("stage eq 'proposal' or stage eq 'x' and stage eq 'y'", true),
        (
            "(stage eq 'proposal' or stage eq 'x') and stage eq 'y'",
            false,
        ),
        ("not stage eq 'x' and probability eq 60", true),
        ("not (stage eq 'proposal' or probability eq 1)", false),
        (
            "stage eq 'x' or (stage eq 'proposal' and (probability eq 60 or version eq 9))",
            true,
        ),
        ("not not contains(name,'deal')", true),
    ] {
        check(text, expected);
    }
}

#[test]
fn parts_flags_and_choices_of_other_kinds() {
    let account = record(
        "account",
        &[("name", "A"), ("billing_address", "Gata 1|0155|Oslo||NO")],
    );
    let product = record("product", &[("name", "P"), ("active", "true")]);
    let matches = |record: &Record, text: &str| {
        parse(text, &kind(&record.kind))
            .unwrap_or_else(|e| panic!("{text}: {e}"))
            .matches(record)
    };
    assert!(matches(
        &account,
        "billing_address/city eq 'Oslo' and contains(billing_address/street,'gata')"
    ));
    assert!(matches(
        &account,
        "billing_address/region eq null and billing_address ne null"
    ));
    assert!(matches(&product, "active eq true"));
    assert!(!matches(&product, "active in (false)"));
}

#[test]
fn a_phone_is_compared_with_numbers_only() {
    let contact = kind("contact");
    for (text, taken) in [
        ("phone eq '+47 22 33 44 55'", true),
        ("phone eq 'abc'", false),
        ("phone eq ''", true),
        ("phone in ('22 33 44 55', 'n/a')", false),
        ("contains(phone,'abc')", true),
    ] {
        let read = parse(text, &contact);
        assert_eq!(read.is_ok(), taken, "{text}");
        if let Err(error) = read {
            assert!(error.expected.contains("a phone number"), "{text}: {error}");
        }
    }
}

#[track_caller]
fn refused(text: &str, position: usize, expected: &str, found: &str) {
    let error = parse(text, &kind("opportunity")).expect_err(text);
    assert_eq!(error.position, position, "{text}: {error}");
    assert!(error.expected.contains(expected), "{text}: {error}");
    assert!(error.found.contains(found), "{text}: {error}");
}

#[test]
fn errors_name_position_expectation_and_finding() {
    for (text, position, expected, found) in [
        ("stag eq 'won'", 0, "a field of opportunity (name", "stag"),
        (
            "stage eq 'won' and",
            18,
            "a field of opportunity",
            "the end of the filter",
        ),
        ("stage is 'won'", 6, "eq, ne, lt, le, gt, ge or in", "is"),
        ("stage", 5, "eq, ne", "the end"),
        ("stage eq won", 9, "text in single quotes", "won"),
        ("stage eq 'won", 13, "closing '", "the end"),
        ("navn eq 'Å' and", 0, "a field of", "navn"),
        (
            "name eq 'Å' and probability eq 'x'",
            31,
            "a whole number",
            "the text 'x'",
        ),
        ("probability eq sixty", 15, "a whole number", "sixty"),
        (
            "closing_date gt 2026-02-30",
            16,
            "a date such as",
            "2026-02-30",
        ),
        (
            "stage_since gt yesterday",
            15,
            "an instant such as",
            "yesterday",
        ),
        (
            "stage_since le 2026-07-07",
            15,
            "a date does not say in which zone",
            "2026-07-07",
        ),
        (
            "stage_since le 2026-07-07T00:00",
            15,
            "a time alone does not say in which zone",
            "2026-07-07T00:00",
        ),
        (
            "stage_since le 2026-07-07T00:00:00 01:00",
            15,
            "in an address + is written %2B",
            "2026-07-07T00:00:00",
        ),
        (
            "probability gt 1e3",
            15,
            "a number without an exponent",
            "1e3",
        ),
        (
            "probability eq 5.0000000000000000000001",
            15,
            "a number of at most 18 digits",
            "5.0000000000000000000001",
        ),
        (
            "probability eq 99999999999999999999",
            15,
            "a whole number from",
            "99999999999999999999",
        ),
        ("amount gt 'NOK 1'", 10, "behind it a currency", "NOK 1"),
        ("amount gt 100", 10, "an amount and a currency", "100"),
        (
            "amount/currency eq 'kroner'",
            19,
            "a currency code",
            "kroner",
        ),
        (
            "amount/city eq 'x'",
            0,
            "amount/minor or amount/currency",
            "amount/city",
        ),
        (
            "stage/city eq 'x'",
            0,
            "stage, which has no parts",
            "stage/city",
        ),
        (
            "account eq 7",
            11,
            "the id of a record of kind account",
            "7",
        ),
        (
            "account eq 'contact/018bcfe5-6800-7000-8000-000000000007'",
            11,
            "kind account",
            "contact",
        ),
        (
            "account lt 018bcfe5-6800-7000-8000-000000000007",
            8,
            "eq, ne or in (this field has no order)",
            "lt",
        ),
        ("stage lt null", 9, "text in single quotes", "null"),
        ("stage in ()", 10, "text in single quotes", "')'"),
        ("stage in ('a' 'b')", 14, "',' or ')'", "the text 'b'"),
        ("stage in 'a'", 9, "'('", "the text 'a'"),
        (
            "contains(probability,'6')",
            9,
            "a field that holds text",
            "probability",
        ),
        ("contains(stage,6)", 15, "text in single quotes", "6"),
        ("(stage eq 'a'", 13, "')'", "the end"),
        ("stage eq 'a')", 12, "'and', 'or' or the end", "')'"),
        (
            "stage eq 'a' stage eq 'b'",
            13,
            "'and', 'or' or the end",
            "stage",
        ),
        ("stage = 'a'", 6, "a field, a value", "'='"),
        ("not", 3, "a field of opportunity", "the end"),
    ] {
        refused(text, position, expected, found);
    }
}

#[test]
fn a_whole_address_is_compared_by_its_parts() {
    let error = parse("billing_address eq 'Oslo'", &kind("account")).unwrap_err();
    assert!(error.expected.contains("compare a part"), "{error}");
    let error = parse("billing_address/town eq 'Oslo'", &kind("account")).unwrap_err();
    assert!(error.expected.contains("billing_address/city"), "{error}");
}

#[test]
fn a_filter_bomb_is_an_error_and_the_limits_themselves_are_allowed() {
    let nested =
        |levels: usize| format!("{}stage eq 'a'{}", "(".repeat(levels), ")".repeat(levels));
    let chained = |conditions: usize| vec!["version eq 1"; conditions].join(" or ");
    let opportunity = kind("opportunity");
    assert!(parse(&nested(MAX_DEPTH), &opportunity).is_ok());
    assert!(parse(&chained(MAX_CONDITIONS), &opportunity).is_ok());
    refused(
        &nested(MAX_DEPTH + 1),
        MAX_DEPTH + 1,
        "64 levels of nesting",
        "stage",
    );
    refused(
        &"not ".repeat(5_000).trim().replace("not", "("),
        130,
        "64 levels",
        "(",
    );
    refused(
        &chained(MAX_CONDITIONS + 1),
        4_096,
        "256 conditions",
        "version",
    );
    refused(
        &format!("stage eq '{}'", "x".repeat(20_000)),
        0,
        "16384 bytes",
        "20011 bytes",
    );
}

#[test]
fn a_path_alone_is_read_for_an_ordering() {
    let opportunity = kind("opportunity");
    let read = |text: &str| parse_path(text, &opportunity).map(|path| path.read(&deal()));
    assert_eq!(read("probability").unwrap(), Some(Value::Integer(60)));
    assert_eq!(read("amount/minor").unwrap(), Some(Value::Integer(125_050)));
    assert_eq!(read("version").unwrap(), Some(Value::Integer(3)));
    assert_eq!(read("next_step").unwrap(), None);
    assert!(
        read("nothing")
            .unwrap_err()
            .expected
            .contains("a field of opportunity")
    );
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let path = || Path::Field(Name::new("name").unwrap());
    let leaf = prop_oneof![
        (".{0,12}", 0..6usize).prop_map(move |(text, operator)| Filter::Compare {
            path: path(),
            operator: Operator::ALL[operator],
            value: Some(Value::Text(text)),
        }),
        any::<i64>().prop_map(|number| Filter::In {
            path: Path::Field(Name::new("probability").unwrap()),
            values: vec![Value::Integer(number)],
        }),
        ".{0,12}".prop_map(move |text| Filter::Text {
            path: path(),
            test: TextTest::EndsWith,
            text,
        }),
    ];
    leaf.prop_recursive(5, 40, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Filter::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Filter::Or(Box::new(a), Box::new(b))),
            inner.prop_map(|a| Filter::Not(Box::new(a))),
        ]
    })
}

proptest! {
    #[test]
    fn a_written_filter_reads_back_as_itself(filter in any_filter()) {
        let text = filter.to_string();
        prop_assert_eq!(parse(&text, &kind("opportunity")).unwrap(), filter, "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,80}|[a-z '(),./0-9-]{0,80}") {
        if let Err(error) = parse(&text, &kind("opportunity")) {
            prop_assert!(error.position <= text.chars().count());
        }
    }
}
