//! Encodings, rows, values and mappings: everything before the kernel is asked.

use std::io::Read as _;

use kjerne_model::{FieldType, Schema, core_kinds};
use proptest::prelude::*;

use crate::import::dialect::{dialect, told_delimiter};
use crate::import::form::Form;
use crate::import::forms::{Forms, Grouping, Negative};
use crate::import::mapping::Mapping;
use crate::import::plan::Plan;
use crate::import::read::read_value;
use crate::import::rows::{MAX_FIELD_BYTES, Row, RowFault, Rows};
use crate::import::source::Source;

/// Rows of a text, each as `line: field|field`.
fn rows_of(text: &[u8], delimiter: u8) -> Vec<String> {
    let mut rows = Rows::new(text, delimiter);
    let (mut row, mut all) = (Row::default(), Vec::new());
    while rows.read(&mut row).unwrap() {
        let fields: Vec<_> = row.fields().map(String::from_utf8_lossy).collect();
        all.push(format!("{}: {}", row.line, fields.join("|")));
    }
    all
}

#[test]
fn rows_keep_their_fields_and_their_lines() {
    for (text, expected) in [
        ("a,b\n1,2\n", vec!["1: a|b", "2: 1|2"]),
        ("a,b\r\n1,2\r\n3,4", vec!["1: a|b", "2: 1|2", "3: 3|4"]),
        ("a,b\r1,2\r", vec!["1: a|b", "2: 1|2"]),
        ("a,b\n\n\r\n1,2\n", vec!["1: a|b", "4: 1|2"]),
        ("a,\n,b\n", vec!["1: a|", "2: |b"]),
        ("\"x,\"\"y\"\"\",\"\"\n", vec!["1: x,\"y\"|"]),
        (
            "\"one\ntwo\r\nthree\",2\nnext,row\n",
            vec!["1: one\ntwo\r\nthree|2", "4: next|row"],
        ),
        ("5\" pipe,\"a\" \n", vec!["1: 5\" pipe|a "]),
        ("1, \"a,b\", c\n", vec!["1: 1|a,b| c"]),
        (" \"a\",\t\u{a0}\"b\"\"\" \n", vec!["1: a|b\" "]),
        ("\u{feff}\"a\",x \"b\"\n", vec!["1: a|x \"b\""]),
        ("1, \"\n2\",3\n", vec!["1: 1|\n2|3"]),
        ("", vec![]),
        ("\n\n", vec![]),
    ] {
        assert_eq!(rows_of(text.as_bytes(), b','), expected, "{text:?}");
    }
}

#[test]
fn a_quote_never_closed_is_told_with_its_line() {
    let mut rows = Rows::new(&b"a,b\n1,\"open\n2,3\n"[..], b',');
    let mut row = Row::default();
    assert!(rows.read(&mut row).unwrap() && row.fault.is_none());
    assert!(rows.read(&mut row).unwrap());
    assert_eq!(row.fault, Some(RowFault::OpenQuote { line: 2 }));
    assert!(!rows.read(&mut row).unwrap());
}

#[test]
fn a_field_of_ten_megabytes_is_counted_and_not_kept() {
    let text = format!("1,{},3\n4,5,6\n", "x".repeat(10_000_000));
    let mut rows = Rows::new(text.as_bytes(), b',');
    let mut row = Row::default();
    rows.read(&mut row).unwrap();
    assert_eq!(
        row.fault,
        Some(RowFault::LongField {
            column: 1,
            bytes: 10_000_000
        })
    );
    assert!(row.bytes() < MAX_FIELD_BYTES + 10);
    rows.read(&mut row).unwrap();
    assert_eq!((row.fault.clone(), row.field(2)), (None, &b"6"[..]));
    let allowed = format!("{}\n", "x".repeat(MAX_FIELD_BYTES));
    Rows::new(allowed.as_bytes(), b',').read(&mut row).unwrap();
    assert_eq!(row.fault, None);
}

#[test]
fn the_delimiter_is_the_one_the_rows_agree_on() {
    for (text, expected) in [
        ("a,b,c\n1,2,3\n", b','),
        ("name;amount\nA;1,5\nB;2,5\n", b';'),
        ("a\tb\n1,2\t3\n", b'\t'),
        ("a|b\n1|2\n", b'|'),
        ("\"a;b\",c\n\"1;2\",3\n", b','),
        ("only\none\n", b','),
        ("", b','),
        ("Name;Amount, NOK\nAcme;1234,50\n", b';'),
        ("Name;Note\nAcme, Oslo;a, b\nBerg;c\n", b';'),
        ("a,b\n1;2,3;4\n", b','),
        ("a,b;c\n1,5;2\n2,5;3\n", b';'),
    ] {
        let found = dialect(text.as_bytes(), false, &Mapping::default()).unwrap();
        assert_eq!(
            char::from(found.delimiter),
            char::from(expected),
            "{text:?}"
        );
    }
    let mapping = Mapping::parse("[fields]\nname = 'Name'\nannual_revenue = 'Amount'").unwrap();
    let file = b"Name|Amount|a,b,c,d\nAcme|1|x,y,z,w\n";
    assert_eq!(dialect(file, false, &mapping).unwrap().delimiter, b'|');
    assert_eq!(told_delimiter(b"sep=;\r\na;b\r\n"), Some(b';'));
    assert_eq!(told_delimiter(b"separate\n"), None);
}

fn decoded(bytes: &[u8], told: Option<&str>) -> (&'static str, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.csv");
    std::fs::write(&path, bytes).unwrap();
    let source = Source::inspect(&path, told).unwrap();
    let mut text = Vec::new();
    source.open().unwrap().read_to_end(&mut text).unwrap();
    (source.encoding.name(), text)
}

#[test]
fn every_encoding_gives_the_same_text() {
    let text = "navn,by\nBjørn Åsén,Tromsø – 100 €\n";
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let wider = |order: fn(u32) -> [u8; 4]| {
        text.chars()
            .flat_map(|c| order(c as u32))
            .collect::<Vec<u8>>()
    };
    let marked = |mark: &[u8], text: Vec<u8>| [mark.to_vec(), text].concat();
    let western = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    for (name, bytes) in [
        ("UTF-8", text.as_bytes().to_vec()),
        (
            "UTF-8",
            marked(&[0xEF, 0xBB, 0xBF], text.as_bytes().to_vec()),
        ),
        ("UTF-16LE", marked(&[0xFF, 0xFE], wide(u16::to_le_bytes))),
        ("UTF-16BE", marked(&[0xFE, 0xFF], wide(u16::to_be_bytes))),
        ("UTF-16LE", wide(u16::to_le_bytes)),
        ("UTF-16BE", wide(u16::to_be_bytes)),
        (
            "UTF-32LE",
            marked(&[0xFF, 0xFE, 0, 0], wider(u32::to_le_bytes)),
        ),
        (
            "UTF-32BE",
            marked(&[0, 0, 0xFE, 0xFF], wider(u32::to_be_bytes)),
        ),
        ("windows-1252", western),
    ] {
        let said = Some(name).filter(|name| !name.starts_with("UTF"));
        let (found, read) = decoded(&bytes, said);
        assert_eq!(
            (found, String::from_utf8(read).unwrap().as_str()),
            (name, text),
            "{name}"
        );
    }
}

#[test]
fn text_that_is_mostly_utf_8_stays_utf_8_so_that_its_broken_places_are_told() {
    let mut bytes = "æøå æøå æøå æøå\n".repeat(20).into_bytes();
    bytes.extend_from_slice(b"br\xE6k\n");
    let (name, text) = decoded(&bytes, None);
    assert_eq!((name, text), ("UTF-8", bytes));
}

#[test]
fn a_told_encoding_wins_and_an_unknown_one_is_an_error() {
    let (name, text) = decoded(b"caf\xE9", Some("latin1"));
    assert_eq!((name, text.as_slice()), ("windows-1252", "café".as_bytes()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.csv");
    std::fs::write(&path, "a").unwrap();
    let error = Source::inspect(&path, Some("klingon")).unwrap_err();
    assert!(error.to_string().contains("klingon"), "{error}");
}

#[test]
fn what_is_broken_in_another_encoding_is_broken_after_decoding() {
    // Half a surrogate pair, and a unit cut in two.
    let (_, text) = decoded(&[0xFF, 0xFE, 0x41, 0, 0x00, 0xD8, 0x42, 0, 0x43], None);
    assert!(std::str::from_utf8(&text).is_err());
    assert_eq!((text[0], text[1]), (b'A', 0xFF));
}

pub(super) fn forms(change: impl FnOnce(&mut Forms)) -> Forms {
    let mut forms = Forms {
        zone: jiff::tz::TimeZone::UTC,
        currency: None,
        currency_column: None,
        decimal_comma: false,
        grouping: Grouping::Usual,
        negative: Negative::Minus,
        scale: None,
        dates: Vec::new(),
        instants: Vec::new(),
    };
    change(&mut forms);
    forms
}

pub(super) fn check(field_type: &FieldType, forms: &Forms, text: &str, expected: Option<&str>) {
    let read = read_value(field_type, text, forms, None).map(|value| value.to_string());
    assert_eq!(
        read.as_deref().ok(),
        expected,
        "{text:?} as {}: {read:?}",
        field_type.name()
    );
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let point = forms(|_| {});
    let comma = forms(|forms| forms.decimal_comma = true);
    for (text, with_point, with_comma) in [
        ("1234.5", Some("1234.5"), None),
        ("1234,5", None, Some("1234.5")),
        ("1,234.50", Some("1234.5"), None),
        ("1.234,50", None, Some("1234.5")),
        ("1 234", Some("1234"), Some("1234")),
        ("1\u{a0}234\u{202f}567", Some("1234567"), Some("1234567")),
        ("1'234", Some("1234"), Some("1234")),
        ("-0.5", Some("-0.5"), None),
        ("\u{2212}7", Some("-7"), Some("-7")),
        ("6.0E7", Some("60000000"), None),
        ("8.48E10", Some("84800000000"), None),
        ("1.5e-3", Some("0.0015"), None),
        ("12,34", None, Some("12.34")),
        ("1,2,3", None, None),
        ("abc", None, None),
        ("", None, None),
    ] {
        check(&FieldType::Decimal, &point, text, with_point);
        check(&FieldType::Decimal, &comma, text, with_comma);
    }
    check(&FieldType::Integer, &point, "100.0", Some("100"));
    check(&FieldType::Integer, &point, "100.5", None);
}

#[test]
fn amounts_take_their_currency_from_the_text_the_row_or_the_mapping() {
    let bare = forms(|_| {});
    let dollars = forms(|forms| forms.currency = Some(kjerne_model::Currency::new("USD").unwrap()));
    for (forms, text, expected) in [
        (&bare, "100.50 NOK", Some("100.50 NOK")),
        (&bare, "NOK 1,250", Some("1250.00 NOK")),
        (&bare, "100", None),
        (&dollars, "500000.0", Some("500000.00 USD")),
        (&dollars, "$1,200.50", Some("1200.50 USD")),
        (&dollars, "100 EUR", Some("100.00 EUR")),
        (&dollars, "1.005", None),
    ] {
        check(&FieldType::Money, forms, text, expected);
    }
    let told = read_value(&FieldType::Money, "5", &dollars, Some("sek"));
    assert_eq!(told.unwrap().to_string(), "5.00 SEK");
}

#[test]
fn dates_and_times_are_read_in_their_form_and_zone() {
    let oslo = forms(|forms| {
        forms.zone = jiff::tz::TimeZone::get("Europe/Oslo").unwrap();
        forms.dates = vec![Form::new("%d.%m.%Y").unwrap()];
        forms.instants = vec![Form::new("%d.%m.%Y %H:%M").unwrap()];
    });
    for (field_type, text, expected) in [
        (FieldType::Date, "31.12.2025", Some("2025-12-31")),
        (FieldType::Date, "2025-12-31", Some("2025-12-31")),
        (FieldType::Date, "2025-12-31T23:30:00Z", Some("2026-01-01")),
        (FieldType::Date, "12/31/2025", None),
        (FieldType::Date, "30.02.2025", None),
        (
            FieldType::Instant,
            "01.07.2025 12:00",
            Some("2025-07-01T10:00:00Z"),
        ),
        (
            FieldType::Instant,
            "2025-07-01 12:00:30",
            Some("2025-07-01T10:00:30Z"),
        ),
        (
            FieldType::Instant,
            "2025-07-01",
            Some("2025-06-30T22:00:00Z"),
        ),
        (
            FieldType::Instant,
            "2006-04-15T03:23:15.000Z",
            Some("2006-04-15T03:23:15Z"),
        ),
        (FieldType::Instant, "soon", None),
    ] {
        check(&field_type, &oslo, text, expected);
    }
}

#[test]
fn flags_and_web_addresses_are_read_leniently() {
    let forms = forms(|_| {});
    check(&FieldType::Flag, &forms, "TRUE", Some("true"));
    check(&FieldType::Flag, &forms, "maybe", None);
    check(
        &FieldType::Url,
        &forms,
        "www.example.org",
        Some("https://www.example.org"),
    );
    check(
        &FieldType::Url,
        &forms,
        "http://example.org",
        Some("http://example.org"),
    );
}

fn bind(mapping: &str, kind: &str, header: &[&str]) -> Result<Plan, String> {
    let schema = Schema::new(core_kinds()).unwrap();
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let bound = Mapping::parse(mapping).and_then(|m| Plan::bind(&m, kind, &header, &schema));
    bound.map_err(|error| format!("{error:#}"))
}

#[test]
fn a_mapping_that_does_not_fit_is_refused_with_every_fault() {
    let error = bind(
        r#"
        [fields]
        nam = "Name"
        phone = "Telephone"
        parent = { column = "Parent", lookup = "account.description" }
        "billing_address.town" = "City"
        tier = { column = "Tier", constant = "A" }
        "#,
        "account",
        &["Name", "Parent", "City", "Tier"],
    )
    .unwrap_err();
    for expected in [
        "kind account has no field \"nam\"",
        "the file has no column \"Telephone\"; it has Name, Parent, City, Tier",
        "account.description is not indexed",
        "billing_address has no part \"town\"; addresses have street",
        "exactly one of column, template and constant",
    ] {
        assert!(error.contains(expected), "{expected} is not in: {error}");
    }
}

#[test]
fn single_faults_of_mappings_are_told() {
    for (mapping, expected) in [
        ("[fields]\nname = 'A'\n[colour]\n", "colour"),
        ("[fields]\nname = { colum = 'A' }", "colum"),
        ("on_existing = 'merge'\n[fields]\nname = 'A'", "merge"),
        (
            "kind = 'contact'\n[fields]\nname = 'A'",
            "the mapping is for kind contact",
        ),
        (
            "key = 'name'\n[fields]\nname = 'A'",
            "is not unique; these are: id, external_id",
        ),
        (
            "key = 'external_id'\n[fields]\nname = 'A'",
            "not one of the mapped fields",
        ),
        ("[fields]\nname = { template = '{A' }", "without its '}'"),
        (
            "[fields]\nparent = { column = 'A', lookup = 'contact.external_id' }",
            "gives nothing",
        ),
        (
            "[fields]\nparent = { column = 'A', lookup = 'galaxy.name' }",
            "no kind \"galaxy\"",
        ),
        ("zone = 'Mars/Base'\n[fields]\nname = 'A'", "no time zone"),
        ("currency = 'kroner'\n[fields]\nname = 'A'", "ISO 4217"),
        ("", "maps no field"),
        ("[fields]\nname = 'B'", "more than one column \"B\""),
    ] {
        let error = bind(mapping, "account", &["A", "B", "B"]).unwrap_err();
        assert!(error.contains(expected), "{mapping}: {error}");
    }
}

#[test]
fn the_mapping_files_beside_the_import_script_fit_the_core_kinds() {
    for (kind, text) in [
        (
            "account",
            include_str!("../../../../../tests/import/maps/salesforce-accounts.toml"),
        ),
        (
            "opportunity",
            include_str!("../../../../../tests/import/maps/salesforce-opportunities.toml"),
        ),
        (
            "account",
            include_str!("../../../../../tests/import/maps/leadforge-accounts.toml"),
        ),
        (
            "contact",
            include_str!("../../../../../tests/import/maps/leadforge-contacts.toml"),
        ),
        (
            "lead",
            include_str!("../../../../../tests/import/maps/leadforge-leads.toml"),
        ),
        (
            "opportunity",
            include_str!("../../../../../tests/import/maps/leadforge-opportunities.toml"),
        ),
        (
            "activity",
            include_str!("../../../../../tests/import/maps/leadforge-activities.toml"),
        ),
    ] {
        let mapping = Mapping::parse(text).unwrap();
        let mut columns: Vec<String> = mapping.ignore.clone();
        columns.extend(mapping.columns());
        columns.sort();
        columns.dedup();
        let header: Vec<&str> = columns.iter().map(String::as_str).collect();
        let plan = bind(text, kind, &header).unwrap();
        assert_eq!(plan.unmapped, Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn columns_nobody_asked_for_are_named() {
    let plan = bind(
        "ignore = ['C']\n[fields]\nname = 'A'",
        "account",
        &["A", "B", "C"],
    )
    .unwrap();
    assert_eq!(plan.unmapped, ["B"]);
}

proptest! {
    #[test]
    fn any_fields_survive_being_written_and_read(
        all in proptest::collection::vec(proptest::collection::vec("[a-zæ,;\"\n\r ]{0,8}", 2), 1..6)
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for fields in &all {
            writer.write_record(fields).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let mut rows = Rows::new(text.as_slice(), b',');
        let mut row = Row::default();
        for fields in &all {
            prop_assert!(rows.read(&mut row).unwrap());
            let read: Vec<&[u8]> = row.fields().collect();
            let written: Vec<&[u8]> = fields.iter().map(String::as_bytes).collect();
            prop_assert_eq!(read, written);
        }
        prop_assert!(!rows.read(&mut row).unwrap());
    }
}
