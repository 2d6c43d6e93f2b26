//! The vocabulary: what is read, what is written, what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use crate::{
    Address, Choice, Code, Currency, Date, Decimal, Edit, Field, FieldType, Fields, Instant, Kind,
    Likeness, Money, Name, PersonalData, RecordId, Reference, Schema, Value, check_fields,
    core_kinds, parse_value,
};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn fields(values: Vec<(&str, Value)>) -> Fields {
    values
        .into_iter()
        .map(|(field, value)| (name(field), value))
        .collect()
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[test]
fn money_of_two_currencies_has_no_order() {
    let money = |written: &str| Value::Money(Money::parse(written).unwrap());
    assert_eq!(money("1 NOK").compare(&money("2 EUR")), None);
    assert!(money("1 NOK").compare(&money("2 NOK")).unwrap().is_lt());
}

#[test]
fn a_record_id_is_a_uuid_of_version_7_that_sorts_by_time() {
    let early = RecordId::v7(Instant::parse("2026-11-21T08:30:00Z").unwrap(), u128::MAX);
    let late = RecordId::v7(Instant::parse("2026-11-21T08:30:00.001Z").unwrap(), 0);
    assert_eq!(&early.to_string()[14..15], "7");
    assert!("89ab".contains(&early.to_string()[19..20]));
    assert_eq!(&late.to_string()[19..], "8000-000000000000");
    assert!(early < late);
    for written in [
        "",
        "018bcfe5",
        "018bcfe5-6800-7000-8000-00000000000g",
        "{018bcfe5-6800-7000-8000-00000000007}",
    ] {
        assert!(RecordId::parse(written).is_err(), "{written}");
    }
}

#[test]
fn names_are_small_and_may_have_an_owner() {
    for good in ["account", "a1_b", "acme:policy", &"a".repeat(64)] {
        assert!(Name::new(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "Account",
        "1a",
        "a-b",
        "a:b:c",
        ":a",
        "a:",
        "å",
        "a b",
        &"a".repeat(65),
    ] {
        assert!(Name::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_core_kinds_are_a_schema_with_an_external_key_each() {
    let schema = Schema::new(core_kinds()).unwrap();
    for kind in schema.kinds() {
        let external = kind.field("external_id").unwrap();
        assert!(external.unique, "{}", kind.name);
    }
    for expected in [
        "account",
        "contact",
        "lead",
        "opportunity",
        "case",
        "activity",
        "consent",
        "user",
    ] {
        assert!(schema.kind(expected).is_some(), "{expected}");
    }
}

#[test]
fn a_schema_refuses_kinds_that_contradict_each_other() {
    let account = || core_kinds().remove(0);
    let contact = || core_kinds().remove(1);
    let refused = |kinds: Vec<Kind>| Schema::new(kinds).unwrap_err().to_string();
    assert!(refused(vec![account(), account()]).contains("described twice"));
    assert!(refused(vec![contact()]).contains("contact.account refers to kind account"));
    let mut doubled = account();
    doubled.fields.push(doubled.fields[0].clone());
    assert!(refused(vec![doubled]).contains("account.name is described twice"));
}

fn tried(field_type: FieldType, value: Value) -> Option<Code> {
    let field = Field {
        name: name("tried"),
        label: "Tried".to_owned(),
        field_type,
        required: false,
        unique: false,
        ignore_case: false,
        hierarchy: false,
        indexed: false,
        personal: PersonalData::None,
    };
    let kind = Kind {
        name: name("thing"),
        label: "Thing".to_owned(),
        fields: vec![field],
    };
    let faults = check_fields(&kind, &fields(vec![("tried", value)]));
    assert!(faults.len() <= 1, "one fault for one value: {faults:?}");
    faults.first().map(|fault| fault.code)
}

#[test]
fn a_value_is_checked_against_its_field() {
    let choices = || {
        vec![Choice {
            value: "a".into(),
            label: "A".into(),
        }]
    };
    let account = RecordId::from_bytes([1; 16]);
    let reference = |kind: &str| Value::Reference(Reference::new(name(kind), account));
    let to_account = || FieldType::Reference(vec![name("account")]);
    let invalid = Some(Code::InvalidValue);
    let so_long = |count: usize| "x".repeat(count);
    let street = |count: usize| {
        Value::Address(Address {
            street: so_long(count),
            ..Address::default()
        })
    };
    let (choice, part) = (Value::MAX_CHOICE_BYTES, Address::MAX_PART_BYTES);
    let listed = || {
        vec![Choice {
            value: so_long(choice + 1),
            label: "A".into(),
        }]
    };
    let so_many = |count: usize| Value::choices((0..count).map(|one| one.to_string()).collect());
    for (field_type, value, expected) in [
        (FieldType::Text { max_bytes: 4 }, text("abcd"), None),
        (FieldType::Text { max_bytes: 4 }, text("åäö"), invalid),
        (FieldType::Text { max_bytes: 4 }, text(""), invalid),
        (FieldType::Text { max_bytes: 4 }, text(" \t"), invalid),
        (FieldType::Text { max_bytes: 4 }, text("\u{a0}"), invalid),
        (FieldType::Text { max_bytes: 4 }, text("\u{200b}"), invalid),
        (
            FieldType::Text { max_bytes: 4 },
            Value::Integer(1),
            Some(Code::WrongType),
        ),
        (FieldType::Integer, text("1"), Some(Code::WrongType)),
        (FieldType::Choice(choices()), text("a"), None),
        (FieldType::Choice(choices()), text("b"), invalid),
        (FieldType::Choice(vec![]), text("anything"), None),
        (FieldType::Choice(vec![]), text("\u{a0}"), invalid),
        (FieldType::Choice(vec![]), text("gold "), invalid),
        (FieldType::Choice(vec![]), text(&so_long(choice)), None),
        (
            FieldType::Choice(vec![]),
            text(&so_long(choice + 1)),
            invalid,
        ),
        (
            FieldType::Choice(listed()),
            text(&so_long(choice + 1)),
            None,
        ),
        (
            FieldType::Choices(vec![]),
            Value::choices(vec!["a".into(), so_long(choice)]),
            None,
        ),
        (
            FieldType::Choices(vec![]),
            Value::choices(vec!["a".into(), so_long(choice + 1)]),
            invalid,
        ),
        (FieldType::Address, street(part), None),
        (FieldType::Address, street(part + 1), invalid),
        (FieldType::Choices(vec![]), Value::choices(vec![]), invalid),
        (
            FieldType::Choices(vec![]),
            so_many(Value::MAX_CHOICES),
            None,
        ),
        (
            FieldType::Choices(vec![]),
            so_many(Value::MAX_CHOICES + 1),
            invalid,
        ),
        (
            FieldType::Choices(vec![]),
            Value::choices(vec!["a;b".into()]),
            invalid,
        ),
        (
            FieldType::Choices(vec![]),
            Value::choices(vec![" a".into()]),
            invalid,
        ),
        (
            FieldType::Date,
            Value::Date(Date::from_days(-719_163)),
            invalid,
        ),
        (
            FieldType::Date,
            Value::Date(Date::from_days(2_932_897)),
            invalid,
        ),
        (
            FieldType::Instant,
            Value::Instant(Instant::from_millis(-62_135_596_800_001)),
            invalid,
        ),
        (
            FieldType::Instant,
            Value::Instant(Instant::from_millis(i64::MAX)),
            invalid,
        ),
        (
            FieldType::Choices(choices()),
            Value::choices(vec!["a".into(), "b".into()]),
            invalid,
        ),
        (FieldType::Email, text("kari@example.org"), None),
        (FieldType::Email, text("kari@localhost"), invalid),
        (FieldType::Email, text("kari nordmann@example.org"), invalid),
        (FieldType::Phone, text("+47 22 33 44 55"), None),
        (FieldType::Phone, text("call me"), invalid),
        (FieldType::Phone, text("+47 22 33 44 55 Ext. 12"), None),
        (FieldType::Phone, text("22334455 EXT2"), None),
        (FieldType::Phone, text("22 33 44 55, extension 100"), None),
        (
            FieldType::Phone,
            text("+47\u{a0}22\u{a0}33\u{a0}44\u{a0}55"),
            None,
        ),
        (FieldType::Phone, text("tel:+47-22334455"), None),
        (FieldType::Phone, text("tel:+4722334455;ext=7"), None),
        (FieldType::Phone, text("90 00 00 00 Kari"), invalid),
        (FieldType::Phone, text("22334455 ext"), invalid),
        (FieldType::Phone, text("22+334455"), invalid),
        (FieldType::Phone, text("22\n334455"), invalid),
        (FieldType::Phone, text("12"), invalid),
        (FieldType::Url, text("https://example.org/a?b"), None),
        (FieldType::Url, text("ftp://example.org"), invalid),
        (FieldType::Url, text("https://"), invalid),
        (FieldType::Url, text("HTTP://example.com"), None),
        (
            FieldType::Url,
            text("Https://kari:x@example.com:8080/?a#b"),
            None,
        ),
        (FieldType::Url, text("http://192.0.2.1"), None),
        (FieldType::Url, text("http://[2001:db8::1]:80/"), None),
        (FieldType::Url, text("https://blåbær.example"), None),
        (FieldType::Url, text("http://localhost"), None),
        (FieldType::Url, text("https://0..0"), invalid),
        (FieldType::Url, text("https://-$1.00"), invalid),
        (FieldType::Url, text("https://1.00"), invalid),
        (FieldType::Url, text("https://1"), invalid),
        (FieldType::Url, text("https://256.1.1.1"), invalid),
        (FieldType::Url, text("https://a_b.example:99999"), invalid),
        (FieldType::Url, text("https://-a.example"), invalid),
        (FieldType::Url, text("https://a b.example"), invalid),
        (
            FieldType::Address,
            Value::Address(Address::default()),
            invalid,
        ),
        (to_account(), reference("account"), None),
        (to_account(), reference("contact"), invalid),
    ] {
        let shown = format!("{field_type:?} {value:?}");
        assert_eq!(tried(field_type, value), expected, "{shown}");
    }
}

#[test]
fn a_required_field_that_holds_nothing_is_missing() {
    let schema = Schema::new(core_kinds()).unwrap();
    for blank in ["", " ", "\t\n", "\u{a0}", "\u{200b}\u{feff}"] {
        let account = fields(vec![("name", text(blank))]);
        let faults = check_fields(schema.kind("account").unwrap(), &account);
        let told: Vec<_> = faults
            .iter()
            .map(|fault| (fault.code, fault.message.as_str()))
            .collect();
        assert_eq!(told, [(Code::Required, "account needs name")], "{blank:?}");
    }
}

#[test]
fn an_error_names_the_rule_that_was_broken() {
    let kind = Schema::new(core_kinds())
        .unwrap()
        .kind("contact")
        .unwrap()
        .as_ref()
        .clone();
    let long = |text: &str| format!("{}{text}", "1".repeat(2_100));
    for (field, value, rule) in [
        (
            "email",
            long("@a.example"),
            "email is 2110 bytes long; at most 254 are allowed",
        ),
        (
            "phone",
            long(""),
            "phone is 2100 bytes long; at most 64 are allowed",
        ),
        (
            "phone",
            "\u{1b}[31m".to_owned(),
            "phone: \\u{1b}[31m is not a phone number",
        ),
    ] {
        let contact = fields(vec![("name", text("Bo")), (field, text(&value))]);
        assert_eq!(check_fields(&kind, &contact)[0].message, rule);
    }
    let whole = |text: &str| parse_value(&FieldType::Integer, text).unwrap_err().expected;
    assert!(whole("9223372036854775808").contains("to 9223372036854775807"));
    assert_eq!(whole("12.5"), "a whole number");
}

#[test]
fn numbers_are_the_same_when_they_dial_the_same() {
    let key = |text: &str| {
        Likeness::Phone
            .form(&Value::Text(text.to_owned()))
            .to_string()
    };
    for (one, other, same) in [
        ("+47 22 33 44 55", "tel:+4722334455", true),
        ("+44 (0)20 7946 0018", "+44 20 7946 0018", true),
        ("0047 22334455", "+47 22 33 44 55", true),
        ("0047 (0)22 33 44 55", "+47 22 33 44 55", true),
        ("00 47 (0) 22 33 44 55", "+47 22 33 44 55", true),
        ("(0)047 22 33 44 55", "+47 22 33 44 55", false),
        ("22 33 44 55", "22.33.44.55", true),
        ("22 33 44 55 Ext. 12", "22334455x12", true),
        ("22 33 44 55", "+47 22 33 44 55", false),
        ("22 33 44 55 x1", "22 33 44 55 x2", false),
        ("22 33 44 55 x1", "22 33 44 551", false),
    ] {
        assert_eq!(
            key(one) == key(other),
            same,
            "{one} {other}: {} {}",
            key(one),
            key(other)
        );
    }
}

#[test]
fn what_is_written_anew_is_one_number_and_nothing_unseen() {
    let kind = core_kinds()
        .into_iter()
        .find(|kind| kind.name == name("contact"));
    let kind = kind.unwrap();
    let told = |field: &str, value: &str| {
        let contact = fields(vec![("name", text("Bo")), (field, text(value))]);
        let faults = crate::check_given(&kind, &contact);
        faults.first().map(|fault| fault.message.clone())
    };
    for good in [
        "22 33 44 55",
        "030/1234567",
        "+49 (0)33701/123456",
        "+49 33701/1234567",
        "+44 (0)20 7946 0018, ext. 1234567",
        "tel:+47-22-33-44-55;ext=12345678",
        "089/1234567/68",
        "22334455 x12",
        "00 47 22 33 44 55",
        "011 44 20 7946 0018",
    ] {
        assert_eq!(told("phone", good), None, "{good}");
    }
    for two in [
        "22 33 44 55 / 98 76 54 32",
        "22334455/98765432",
        "22 33 44 55, 98 76 54 32",
        "22 33 44 55; 98 76 54 32",
        "22 33 44 55 or 98 76 54 32",
        "22 33 44 55 Eller 98 76 54 32",
        "22334455\n98765432",
        "+47 22 33 44 55 +47 98 76 54 32",
        "22 33 44 55 x12 / 98 76 54 32",
        "555-1234/555-9876",
    ] {
        let told = told("phone", two).unwrap_or_default();
        assert!(told.contains("more than one phone number"), "{two}: {told}");
    }
    for long in ["22334455 98765432", "0047 22334455 0047 98765432"] {
        let told = told("phone", long).unwrap_or_default();
        assert!(told.contains("at most 15"), "{long}: {told}");
    }
    for (field, good) in [
        ("email", "kari@example.no"),
        ("external_id", "id\u{5d0}\u{200d}\u{5d0}"),
        ("name", "می\u{200c}خواهم"),
        ("job_title", "co\u{ad}operation"),
    ] {
        assert_eq!(told(field, good), None, "{field} {good}");
    }
    for (field, bad) in [
        ("email", "kari@example.no\u{200b}"),
        ("email", "ka\u{200d}ri@example.no"),
        ("email", "\u{202a}kari@example.no"),
        ("external_id", "X\u{2060}1"),
    ] {
        let told = told(field, bad).unwrap_or_default();
        assert!(told.contains("not seen"), "{field} {bad}: {told}");
    }
}

#[test]
fn all_faults_are_told_not_the_first() {
    let schema = Schema::new(core_kinds()).unwrap();
    let contact = fields(vec![
        ("email", text("nowhere")),
        ("phone", Value::Integer(5)),
        ("shoe_size", text("43")),
    ]);
    let faults = check_fields(schema.kind("contact").unwrap(), &contact);
    let mut told: Vec<(Code, &str)> = faults
        .iter()
        .map(|f| (f.code, f.field.as_deref().unwrap_or("")))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            (Code::UnknownField, "shoe_size"),
            (Code::WrongType, "phone"),
            (Code::InvalidValue, "email"),
            (Code::Required, "name"),
        ]
    );
}

#[test]
fn refusal_codes_are_ordered_and_named_both_ways() {
    assert!(Code::ALL.is_sorted());
    for code in Code::ALL {
        assert_eq!(Code::from_name(code.name()), Some(code));
    }
}

#[test]
fn an_edit_names_the_fields_that_differ() {
    let edit = Edit {
        kind: name("account"),
        id: RecordId::from_bytes([1; 16]),
        version: 2,
        before: Some(fields(vec![
            ("name", text("A")),
            ("tier", text("x")),
            ("phone", text("1")),
        ])),
        after: Some(fields(vec![
            ("name", text("B")),
            ("tier", text("x")),
            ("email", text("e")),
        ])),
    };
    assert_eq!(edit.changed(), [name("email"), name("name"), name("phone")]);
    assert_eq!(edit.operation(), "update");
}

fn any_value() -> impl Strategy<Value = (FieldType, Value)> {
    // A part in which there is nothing to read is none.
    let part = || {
        "[^|]{0,10}".prop_map(|text| match crate::is_blank(&text) {
            true => String::new(),
            false => text,
        })
    };
    let millis = -62_135_596_800_000i64..253_402_300_800_000;
    prop_oneof![
        any::<i64>().prop_map(|n| (FieldType::Integer, Value::Integer(n))),
        (1 - 10i64.pow(18)..10i64.pow(18), 0u8..=18).prop_map(|(n, s)| (
            FieldType::Decimal,
            Value::Decimal(Decimal::new(n, s).unwrap())
        )),
        (-10i64.pow(18)..10i64.pow(18), "NOK|JPY|KWD|CLF").prop_map(|(minor, code)| {
            let currency = Currency::new(&code).unwrap();
            (FieldType::Money, Value::Money(Money { minor, currency }))
        }),
        (-719_162i32..=2_932_896)
            .prop_map(|days| (FieldType::Date, Value::Date(Date::from_days(days)))),
        millis.prop_map(|ms| (FieldType::Instant, Value::Instant(Instant::from_millis(ms)))),
        any::<bool>().prop_map(|flag| (FieldType::Flag, Value::Flag(flag))),
        proptest::collection::vec("[a-z_]{1,8}", 0..5)
            .prop_map(|all| (FieldType::Choices(vec![]), Value::choices(all))),
        (part(), part(), part(), part(), part()).prop_map(
            |(street, postal_code, city, region, country)| {
                let address = Address {
                    street,
                    postal_code,
                    city,
                    region,
                    country,
                };
                (FieldType::Address, Value::Address(address))
            }
        ),
        any::<[u8; 16]>().prop_map(|bytes| {
            let account = Name::new("account").unwrap();
            let reference = Reference::new(account.clone(), RecordId::from_bytes(bytes));
            (
                FieldType::Reference(vec![account]),
                Value::Reference(reference),
            )
        }),
    ]
}

proptest! {
    #[test]
    fn a_written_value_reads_back_as_itself((field_type, value) in any_value()) {
        let written = value.to_string();
        prop_assert_eq!(parse_value(&field_type, &written).unwrap(), value, "{}", written);
    }

    #[test]
    fn a_value_compares_equal_to_itself_alone((_, value) in any_value(), (_, other) in any_value()) {
        if let Some(order) = value.compare(&other) {
            prop_assert_eq!(other.compare(&value), Some(order.reverse()));
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in ".{0,40}|[0-9TZ:.+ -]{0,30}") {
        let _ = (RecordId::parse(&text), Reference::parse(&text));
    }
}

#[test]
fn a_text_holds_so_many_choices_and_no_more() {
    let any = FieldType::Choices(vec![]);
    let text = |count: usize| vec!["a"; count].join(";");
    assert!(parse_value(&any, &text(Value::MAX_CHOICES)).is_ok());
    let refused = parse_value(&any, &text(Value::MAX_CHOICES + 1)).unwrap_err();
    assert!(
        refused.to_string().contains("at most 1,000 choices"),
        "{refused}"
    );
}

#[test]
fn what_is_plainly_something_else_is_refused_where_it_is_written_anew() {
    let kinds = core_kinds();
    let told = |of: &str, field: &str, value: &str| {
        let kind = kinds.iter().find(|kind| kind.name == name(of)).unwrap();
        let record = fields(vec![("name", text("Bo")), (field, text(value))]);
        let faults = crate::check_given(kind, &record);
        faults.first().map(|fault| fault.message.clone())
    };
    for (of, field, good) in [
        ("contact", "email", "o'brien+x=1%2{a}@sub.example.co.uk"),
        ("contact", "email", "a..b.@docomo.example"),
        ("contact", "email", "post@blåbær.no"),
        ("contact", "email", "a/b@xn--80ak6aa92e.com"),
        ("contact", "phone", "22.33.44.55"),
        ("contact", "phone", "212.123.45.67"),
        ("contact", "phone", "12-34-5678"),
        ("contact", "phone", "555.1234"),
        ("contact", "phone", "123.456.789"),
        ("contact", "phone", "22334455,123"),
        ("contact", "phone", "(555) 123-4567"),
        ("contact", "phone", "+(47) 22334455"),
        ("account", "website", "http://intranet/x?a=b@c"),
        ("account", "website", "http://192.168.1.1:80/"),
        ("account", "website", "http://[::1]:80/"),
        ("account", "website", "https://kari:x@example.com"),
        ("account", "website", "https://例え.テスト"),
    ] {
        assert_eq!(told(of, field, good), None, "{field} {good}");
    }
    for (of, field, bad, why) in [
        ("contact", "email", "<a@b.no>", "not an e-mail address"),
        ("contact", "email", "a@b.no,", "not an e-mail address"),
        ("contact", "email", "a@b.no>", "not an e-mail address"),
        ("contact", "email", "mailto:a@b.no", "not an e-mail address"),
        (
            "contact",
            "email",
            "a@b.no?subject=x",
            "not an e-mail address",
        ),
        ("contact", "email", "a:b@c.no", "not an e-mail address"),
        ("contact", "email", "a@b/c.no", "not an e-mail address"),
        ("contact", "email", "(none)@x.yz", "not an e-mail address"),
        ("contact", "email", "a@-b.no", "not an e-mail address"),
        ("contact", "email", "a@b.1", "not an e-mail address"),
        ("contact", "email", "a@b.no;c", "not an e-mail address"),
        ("contact", "phone", "2026-01-31", "is a date"),
        ("contact", "phone", "1/2/2026", "is a date"),
        ("contact", "phone", "31.12.1999", "is a date"),
        ("contact", "phone", "192.168.1.1", "network address"),
        ("contact", "phone", "4722334455.0", "a number with decimals"),
        (
            "contact",
            "phone",
            "+4722334455.0",
            "a number with decimals",
        ),
        ("contact", "phone", "99,99", "a number with decimals"),
        ("contact", "phone", "3.14", "a number with decimals"),
        ("contact", "phone", "1,234,567", "groups of thousands"),
        ("contact", "phone", "1,234,567.50", "groups of thousands"),
        ("contact", "phone", "10.0.0.12", "network address"),
        ("contact", "phone", "-----123", "begins with a mark"),
        ("contact", "phone", "/22334455", "begins with a mark"),
        ("contact", "phone", "+0047 22334455", "zero behind the +"),
        ("account", "website", "http://a.no\\@evil.no", "not an http"),
        ("account", "website", "http://a.no\\x", "not an http"),
        ("account", "website", "http://2026-01-31", "not an http"),
        ("account", "website", "http://a.no/\u{202e}x", "not seen"),
    ] {
        let told = told(of, field, bad).unwrap_or_default();
        assert!(told.contains(why), "{field} {bad}: {told}");
    }
}
