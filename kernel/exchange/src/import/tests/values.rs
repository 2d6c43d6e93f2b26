//! Cells that are read as one value, or refused; never as a part of what they say.

use kjerne_model::FieldType;
use proptest::prelude::*;

use crate::import::form::Form;
use crate::import::forms::{Forms, Grouping, Negative};
use crate::import::mapping::Mapping;
use crate::import::numbers::product;
use crate::import::read::read_value;

use super::Desk;
use super::text::{check, forms};

fn currency(code: &str) -> Option<kjerne_model::Currency> {
    Some(kjerne_model::Currency::new(code).unwrap())
}

#[test]
fn an_offset_is_read_or_the_cell_refused() {
    let oslo = forms(|forms| forms.zone = jiff::tz::TimeZone::get("Europe/Oslo").unwrap());
    for (text, expected) in [
        ("2022-03-25T08:00:00-0500", Some("2022-03-25T13:00:00Z")),
        ("2022-03-25T08:00:00+0000", Some("2022-03-25T08:00:00Z")),
        ("2022-03-25 08:00:00+00", Some("2022-03-25T08:00:00Z")),
        ("2022-03-25T08:00:00-05", Some("2022-03-25T13:00:00Z")),
        ("2022-03-25T08:00:00-05:00", Some("2022-03-25T13:00:00Z")),
        ("20220325T080000Z", Some("2022-03-25T08:00:00Z")),
        ("20220325T080000-0500", Some("2022-03-25T13:00:00Z")),
        ("2022-03-25T08:00:00[UTC]", Some("2022-03-25T08:00:00Z")),
        (
            "2022-03-25T08:00:00-05:00[America/Chicago]",
            Some("2022-03-25T13:00:00Z"),
        ),
        ("2022-03-25T08:00:00+02:00[America/Chicago]", None),
        ("2022-03-25T08:00:00[Mars/Base]", None),
        ("2022-03-25T08:00:00 UTC", None),
        ("2022-03-25T08:00:00 CET", None),
        ("2022-03-25T08:00:00+1", None),
        ("2022-03-25T08:00:60", None),
        ("20220325T080060", None),
        ("2022-03-25T08:00:00", Some("2022-03-25T07:00:00Z")),
        ("20220325T080000", Some("2022-03-25T07:00:00Z")),
        ("2022-03-25", Some("2022-03-24T23:00:00Z")),
    ] {
        check(&FieldType::Instant, &oslo, text, expected);
    }
    // A date is the one in the mapping's zone, also where the cell has an offset.
    check(
        &FieldType::Date,
        &oslo,
        "2022-03-25T23:30:00+0000",
        Some("2022-03-26"),
    );
    check(&FieldType::Date, &oslo, "2022-03-25 nonsense", None);
}

#[test]
fn an_offset_in_a_form_counts_in_dates_too() {
    let form = "%Y-%m-%d %H:%M %z";
    let oslo = forms(|forms| {
        forms.zone = jiff::tz::TimeZone::get("Europe/Oslo").unwrap();
        forms.dates = vec![Form::new(form).unwrap(), Form::new("%d.%m.%Y %z").unwrap()];
        forms.instants = forms.dates.clone();
    });
    let text = "2022-03-25 23:30 +0000";
    check(&FieldType::Date, &oslo, text, Some("2022-03-26"));
    check(
        &FieldType::Instant,
        &oslo,
        text,
        Some("2022-03-25T23:30:00Z"),
    );
    let text = "25.03.2022 +0500";
    check(&FieldType::Date, &oslo, text, Some("2022-03-24"));
    check(
        &FieldType::Instant,
        &oslo,
        text,
        Some("2022-03-24T19:00:00Z"),
    );
}

#[test]
fn a_year_has_four_digits_where_the_form_says_so() {
    let forms = forms(|forms| {
        forms.dates = ["%d/%m/%Y", "%Y%m%d"]
            .map(|form| Form::new(form).unwrap())
            .to_vec();
        forms.instants = vec![Form::new("%d/%m/%Y %T").unwrap()];
    });
    for (text, expected) in [
        ("15/05/2020", Some("2020-05-15")),
        ("5/5/2020", Some("2020-05-05")),
        ("20200515", Some("2020-05-15")),
        ("15/05/20", None),
        ("15/05/2", None),
        ("15/05/202", None),
        ("15/05/20201", None),
        ("02/02/0202", Some("0202-02-02")),
    ] {
        check(&FieldType::Date, &forms, text, expected);
    }
    for (text, expected) in [
        ("15/05/2020 08:00:00", Some("2020-05-15T08:00:00Z")),
        ("15/05/20 08:00:00", None),
        ("15/05/2020 08:00:60", None),
    ] {
        check(&FieldType::Instant, &forms, text, expected);
    }
    let short = super::text::forms(|forms| forms.dates = vec![Form::new("%d/%m/%y").unwrap()]);
    check(&FieldType::Date, &short, "15/05/20", Some("2020-05-15"));
}

#[test]
fn numbers_that_nothing_separates_have_all_their_digits() {
    let form = |text: &str| {
        super::text::forms(|forms| {
            forms.dates = vec![Form::new(text).unwrap()];
            forms.instants = vec![Form::new(text).unwrap()];
        })
    };
    let (day, clock) = (form("%Y%m%d"), form("%Y-%m-%d %H%M"));
    for (forms, field_type, text, expected) in [
        (&day, FieldType::Date, "20221101", Some("2022-11-01")),
        (&day, FieldType::Date, "2022111", None),
        (&day, FieldType::Date, "2022032", None),
        (
            &clock,
            FieldType::Instant,
            "2022-3-5 1103",
            Some("2022-03-05T11:03:00Z"),
        ),
        (&clock, FieldType::Instant, "2022-03-25 113", None),
    ] {
        check(&field_type, forms, text, expected);
    }
    let seconds = form("%Y%m%d%H%M%S");
    check(&FieldType::Instant, &seconds, "2022032508000", None);
    let whole = Some("2022-03-25T08:00:07Z");
    check(&FieldType::Instant, &seconds, "20220325080007", whole);
    assert!(Form::new("%Y-%m-%d %H:%M %p").unwrap_err().contains("%I"));
    assert!(Form::new("%Y-%m-%d %I:%M %p").is_ok());
}

#[test]
fn a_sign_or_code_of_a_currency_is_never_dropped() {
    let kroner = forms(|forms| forms.currency = currency("NOK"));
    let none = forms(|_| {});
    for (forms, text, expected) in [
        (&kroner, "€ 500", Some("500.00 EUR")),
        (&kroner, "500 €", Some("500.00 EUR")),
        (&kroner, "£12.50", Some("12.50 GBP")),
        (&kroner, "kr 500", Some("500.00 NOK")),
        (&kroner, "500 kr", Some("500.00 NOK")),
        (&kroner, "kr. 500", Some("500.00 NOK")),
        (&kroner, "kr 500 kr.", Some("500.00 NOK")),
        (&kroner, "$ 500 kr", None),
        (&kroner, "kr 500 $", None),
        (&kroner, "¥ 500 $", None),
        (&kroner, "$ 500 kr NOK", None),
        (&kroner, "$ 500", None),
        (&kroner, "¥500", None),
        (&kroner, "US$ 500", Some("500.00 USD")),
        (&kroner, "$500 USD", Some("500.00 USD")),
        (&kroner, "€500 USD", None),
        (&kroner, "kr 500 SEK", Some("500.00 SEK")),
        (&kroner, "kr 500 EUR", None),
        (&kroner, "500 credits", None),
        (&kroner, "500,-", None),
        (&none, "$500", None),
        (&none, "kr 500", None),
        (&none, "€500", Some("500.00 EUR")),
        (&none, "-€500", Some("-500.00 EUR")),
        (&none, "EUR -500", Some("-500.00 EUR")),
    ] {
        check(&FieldType::Money, forms, text, expected);
    }
    // What the row says beside the cell has to agree with the cell.
    for (text, told, expected) in [
        ("500", "SEK", Some("500.00 SEK")),
        ("kr 500", "SEK", Some("500.00 SEK")),
        ("€ 500", "EUR", Some("500.00 EUR")),
        ("€ 500", "SEK", None),
        ("500 USD", "SEK", None),
    ] {
        let read = read_value(&FieldType::Money, text, &kroner, Some(told));
        let read = read.map(|value| value.to_string());
        assert_eq!(read.as_deref().ok(), expected, "{text} {told}: {read:?}");
    }
}

#[test]
fn signs_that_contradict_each_other_are_refused_whatever_the_currency() {
    for (code, text) in [
        ("USD", "kr 500 $"),
        ("USD", "¥ 500 $"),
        ("EGP", "$ £ 500"),
        ("EGP", "£ 500 $"),
        ("SEK", "$ 500 kr"),
    ] {
        let forms = forms(|forms| forms.currency = currency(code));
        check(&FieldType::Money, &forms, text, None);
    }
}

#[test]
fn a_number_that_is_too_long_is_told_as_such() {
    for (text, why) in [
        ("1e19", "more than 18 digits"),
        ("1e400", "more than 18 digits"),
        ("-1.5E-99", "more than 18 digits"),
        ("9223372036854775807", "18 digits"),
        ("1e", "expected a number"),
        ("1ex", "expected a number"),
        ("xe5", "expected a number"),
    ] {
        let error = read_value(&FieldType::Decimal, text, &forms(|_| {}), None).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn an_address_is_read_without_what_stands_round_it() {
    for (text, expected) in [
        ("<a@b.no>", "a@b.no"),
        ("mailto:a@b.no", "a@b.no"),
        ("<MailTo:a@b.no>", "a@b.no"),
        ("a@b.no,", "a@b.no"),
        ("a@b.no ; ", "a@b.no"),
    ] {
        check(&FieldType::Email, &forms(|_| {}), text, Some(expected));
    }
    let map = "[fields]\nname = 'n'\nemail = 'e'";
    for text in [
        "Kari <a@b.no>",
        "a@b.no>",
        "a@b.no; c@d.no",
        "mailto:a@b.no?subject=x",
        "a@b.no.,",
    ] {
        let report = Desk::new().import("account", map, &format!("n,e\nOne,\"{text}\"\n"));
        assert_eq!(report.rejected, 1, "{text}");
    }
}

#[test]
fn digits_that_no_grouping_separates_are_two_numbers() {
    let point = forms(|_| {});
    for text in [
        "500\n700",
        "500\t700",
        "500\r\n700",
        "10 20",
        "5'11",
        "1 2345",
        "1,234 567",
        "1'234,567",
        "1.234 567",
        "0..0",
        "1..5",
        "..5",
        "5.",
        "- - 5",
        "--5",
        "+-5",
        "0,500",
        "-0,125",
        "00,500",
        "012,345",
        "0 500",
        "1e5e5",
        "1 e5",
    ] {
        check(&FieldType::Decimal, &point, text, None);
        check(&FieldType::Integer, &point, text, None);
        let told = read_value(&FieldType::Money, text, &point, Some("NOK"));
        assert!(told.is_err(), "{text:?}: {told:?}");
    }
    for (text, expected) in [
        ("500 700", "500700"),
        ("500'700", "500700"),
        ("- 5", "-5"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
    ] {
        check(&FieldType::Decimal, &point, text, Some(expected));
    }
}

#[test]
fn a_declared_grouping_is_the_only_one() {
    for (grouping, read) in [
        (Grouping::Only(','), "1,234"),
        (Grouping::Only(' '), "1\u{a0}234"),
        (Grouping::Only('\''), "1’234"),
    ] {
        let forms = forms(|forms| forms.grouping = grouping);
        for text in ["1,234", "1\u{a0}234", "1’234"] {
            let expected = (text == read).then_some("1234");
            check(&FieldType::Decimal, &forms, text, expected);
        }
    }
    let absent = forms(|forms| forms.grouping = Grouping::Absent);
    check(&FieldType::Decimal, &absent, "1,234", None);
    check(&FieldType::Decimal, &absent, "1234", Some("1234"));
}

#[test]
fn negative_numbers_are_read_as_the_mapping_says() {
    let with = |negative| {
        forms(|forms: &mut Forms| {
            forms.negative = negative;
            forms.currency = currency("USD");
        })
    };
    for (negative, text, expected) in [
        (Negative::Brackets, "(1,234.50)", Some("-1234.50 USD")),
        (Negative::Brackets, "($1,234.50)", Some("-1234.50 USD")),
        (Negative::Brackets, "$(1,234.50)", Some("-1234.50 USD")),
        (Negative::Brackets, "(1,234.50) USD", Some("-1234.50 USD")),
        (Negative::Brackets, "(-5)", None),
        (Negative::Brackets, "(5", None),
        (Negative::Brackets, "5-", None),
        (Negative::Trailing, "1,234.50-", Some("-1234.50 USD")),
        (Negative::Trailing, "$5-", Some("-5.00 USD")),
        (Negative::Trailing, "-5-", None),
        (Negative::Trailing, "(5)", None),
        (Negative::Minus, "(5)", None),
        (Negative::Minus, "5-", None),
        (Negative::Minus, "-$500", Some("-500.00 USD")),
        (Negative::Minus, "$-500", Some("-500.00 USD")),
        (Negative::Brackets, "-5", Some("-5.00 USD")),
    ] {
        check(&FieldType::Money, &with(negative), text, expected);
    }
    check(
        &FieldType::Integer,
        &with(Negative::Brackets),
        "(12)",
        Some("-12"),
    );
}

#[test]
fn a_scale_multiplies_exactly() {
    let desk = Desk::new();
    let map = "currency = 'NOK'\n[fields]\nname = 'n'\n\
               annual_revenue = { column = 'r', scale = 1e6 }\n\
               employees = { column = 'e', scale = 1000 }";
    let report = desk.import(
        "account",
        map,
        "n,r,e\nOne,12.345678,1.5\nTwo,0.123456789,1\nThree,1,0.5\n",
    );
    let one = desk.named("account", "One");
    let held = |field: &str| one.get(field).unwrap().to_string();
    assert_eq!(
        (held("annual_revenue"), held("employees")),
        ("12345678.00 NOK".into(), "1500".into())
    );
    // A fraction of an øre is not rounded away.
    assert_eq!(report.rejected, 1, "{}", desk.rejects());
    for wrong in ["scale = 0", "scale = 'many'", "scale = true"] {
        let map = format!(
            "currency = 'NOK'\n[fields]\nname = 'n'\nannual_revenue = {{ column = 'r', {wrong} }}"
        );
        let error = desk
            .try_import("account", &map, b"n,r\nOne,1\n")
            .unwrap_err();
        assert!(error.contains("scale is a number other than 0"), "{error}");
    }
    let map = "[fields]\nname = { column = 'n', scale = 2 }";
    assert!(desk.try_import("account", map, b"n\nOne\n").is_err());
}

#[test]
fn only_names_of_hosts_get_a_scheme() {
    let forms = forms(|_| {});
    for (text, expected) in [
        ("example.org", "https://example.org"),
        ("www.example.org/a?b#c", "https://www.example.org/a?b#c"),
        ("example.org:8080", "https://example.org:8080"),
        ("blåbær.example", "https://blåbær.example"),
    ] {
        check(&FieldType::Url, &forms, text, Some(expected));
    }
    let desk = Desk::new();
    let map = "[fields]\nname = 'n'\nwebsite = 'w'";
    for text in [
        "0..0",
        "-$1.00",
        "1.00",
        "kari@example.com",
        "a b.com",
        "10.0.0.1",
        "-a.com",
        ".com",
    ] {
        let report = desk.import("account", map, &format!("n,w\nOne,{text}\n"));
        assert_eq!(
            (report.rejected, desk.all("account").len()),
            (1, 0),
            "{text}"
        );
    }
}

#[test]
fn every_comparison_of_a_mapping_sees_the_cell_as_it_is_read() {
    for keep_blanks in [false, true] {
        let desk = Desk::new();
        let map = format!(
            "keep_blanks = {keep_blanks}\nempty = ['n/a ']\n[skip]\ndeleted = ['true', '']\n\
             [fields]\nname = 'n'\ntier = {{ column = 't', values = {{ ' A' = 'gold', '' = 'none' }} }}"
        );
        let file =
            "n,t,deleted\nOne, A ,no\nTwo,n/a,no\nThree,A,true \nFour,A, n/a \nFive,A,true\n";
        let report = desk.import("account", &map, file);
        assert_eq!(
            (report.counts.created, report.counts.skipped),
            (2, 3),
            "{}",
            desk.rejects()
        );
        assert_eq!(desk.named("account", "One").text("tier"), Some("gold"));
        assert_eq!(desk.named("account", "Two").text("tier"), Some("none"));
    }
}

#[test]
fn a_comparison_that_can_never_be_met_is_a_fault() {
    let desk = Desk::new();
    let map = "empty = ['n/a']\n[skip]\nd = ['n/a']\n[fields]\nname = 'n'";
    let error = desk
        .try_import("account", map, b"n,d\nOne,1\n")
        .unwrap_err();
    assert!(error.contains("means an empty cell"), "{error}");
    for wrong in ["date_formats = ['%!']", "grouping = 'x'", "grouping = '.'"] {
        let map = format!("{wrong}\n[fields]\nname = 'n'");
        assert!(
            desk.try_import("account", &map, b"n\nOne\n").is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn a_currency_column_is_read_like_every_other() {
    let desk = Desk::new();
    let map = "currency = 'NOK'\nempty = ['-']\n[fields]\nname = 'n'\n\
               annual_revenue = { column = 'r', currency_column = 'c' }";
    desk.import("account", map, "n,r,c\nOne,5,-\nTwo,5, sek \n");
    let held = |name: &str| {
        desk.named("account", name)
            .get("annual_revenue")
            .unwrap()
            .to_string()
    };
    assert_eq!(
        (held("One"), held("Two")),
        ("5.00 NOK".into(), "5.00 SEK".into())
    );
    let broken = desk
        .try_import(
            "account",
            map,
            b"n,r,c\n\xC3\xA6\xC3\xA6\xC3\xA6\xC3\xA6\xC3\xA6,5,\xE6\n",
        )
        .unwrap();
    assert_eq!(broken.rejected, 1);
}

#[test]
fn a_field_is_filled_only_when_the_row_says_so() {
    let desk = Desk::new();
    let map = "[fields]\nname = 'n'\n\
               customer_since = { column = 'd', when = { state = ['won', 'kept'] } }";
    desk.import(
        "account",
        map,
        "n,d,state\nOne,2020-01-02,won \nTwo,2020-01-02,lost\n",
    );
    let held = |name: &str| desk.named("account", name).get("customer_since").cloned();
    assert!(held("One").is_some() && held("Two").is_none());
}

#[test]
fn a_list_without_a_choice_is_an_empty_cell() {
    assert!(Mapping::parse("[fields]\nname = 'n'").is_ok());
    let desk = Desk::with_kind();
    let report = desk.import("policy", "", "external_id,cover\n1,;\n2,fire;water\n");
    assert_eq!(
        (report.counts.created, report.rejected),
        (2, 0),
        "{}",
        desk.rejects()
    );
    let held: Vec<bool> = desk
        .all("policy")
        .iter()
        .map(|one| one.get("cover").is_some())
        .collect();
    assert_eq!(held, [false, true]);
}

proptest! {
    #[test]
    fn a_number_written_with_any_grouping_is_read_back(number in any::<i32>(), mark in 0_usize..4) {
        let mark = [",", " ", "'", "\u{202f}"][mark];
        let digits = number.unsigned_abs().to_string();
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push_str(mark);
            }
            text.push(digit);
        }
        let text = if number < 0 { format!("-{text}") } else { text };
        let read = read_value(&FieldType::Integer, &text, &forms(|_| {}), None);
        prop_assert_eq!(read.map(|value| value.to_string()), Ok(number.to_string()));
    }

    #[test]
    fn a_product_is_exact_or_none(a in any::<i32>(), b in any::<i32>()) {
        let product = product(i64::from(a).into(), i64::from(b).into());
        let exact = i64::from(a).checked_mul(i64::from(b)).map(kjerne_model::Decimal::from);
        let exact = exact.filter(|number| number.is_written());
        prop_assert_eq!(product, exact);
    }

    #[test]
    fn what_is_read_as_a_local_time_has_nothing_of_an_offset(tail in "[-+0-9:A-Za-z\\[\\]/ ]{1,8}") {
        let text = format!("2022-03-25T08:00{tail}");
        let read = |zone: &str| {
            let forms = forms(|forms| forms.zone = jiff::tz::TimeZone::get(zone).unwrap());
            read_value(&FieldType::Instant, &text, &forms, None)
        };
        // With an offset the zone makes no difference; without one nothing but digits stands behind.
        let is_plain = tail.trim_end().bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        prop_assert!(is_plain || read("Europe/Oslo") == read("Asia/Tokyo"), "{}", text);
    }
}

#[test]
fn what_is_not_seen_is_a_blank_at_the_ends_of_a_cell_and_a_fault_within() {
    let map = "decimal_comma = false\ncurrency = 'NOK'\nempty = ['n/a']\n[skip]\ngone = ['yes']\n[fields]\n\
        external_id = 'id'\nname = 'n'\nemail = 'e'\nemployees = 'c'\nannual_revenue = 'r'\n\
        customer_since = 's'\ntier = { column = 't', values = { A = 'gold' } }\nwebsite = 'w'\nphone = 'p'";
    let header = "\u{200b}id,n\u{2060},e,c,r,s,t,w,p,gone\n";
    for (row, told) in [
        (
            "\u{200b}1\u{feff},One,a@b.no\u{200b},12\u{200e},\u{202a}5\u{202c},2026-01-31\u{ad},A\u{2060},\u{200b}a.no,\u{feff}22 33 44 55,",
            "1",
        ),
        ("1,One,,,,,,,,yes\u{200b}", "skipped"),
        ("1,One,,,,\u{200b}n/a\u{feff},,,,", "1"),
        ("1\u{200b}2,One,,,,,,,,", "not seen"),
        ("1,One,a\u{200b}@b.no,,,,,,,", "not seen"),
        ("1,One,,,,,,https://a\u{ad}b.no,,", "not seen"),
        ("1,One,,1\u{200b}2,,,,,,", "expected a number"),
        ("1,One,,,1\u{2060}2,,,,,", "expected a number"),
        ("1,One,,,,,,,22 33\u{200b}44 55,", "not a phone number"),
        (
            "1,One,,,,,,,22 33 44 55 / 98 76 54 32,",
            "more than one phone number",
        ),
        (
            "1,One,,,,,,,22 33 44 55 or 98 76 54 32,",
            "more than one phone number",
        ),
        (
            "1,One,,,,,,,22 33 44 55; 98 76 54 32,",
            "more than one phone number",
        ),
        ("1,می\u{200c}خواهم,,,,,,,22334455 x12,", "1"),
    ] {
        let desk = Desk::new();
        let report = desk.import("account", map, &format!("{header}{row}\n"));
        let all = desk.all("account");
        let found = match all.first() {
            Some(one) => one.text("external_id").unwrap_or_default().to_owned(),
            None if report.counts.skipped == 1 => "skipped".to_owned(),
            None => desk.rejects(),
        };
        assert!(found.contains(told), "{row:?}: {found}");
    }
}

#[test]
fn a_scale_that_a_float_cannot_hold_is_a_fault() {
    for (scale, fits) in [
        ("0.001", true),
        ("1e6", true),
        ("1e17", true),
        ("\"0.12345678901234567\"", true),
        ("0.12345678901234567", false),
        ("12345678901234567.0", false),
    ] {
        let map = format!("[fields]\nname = 'n'\nemployees = {{ column = 'c', scale = {scale} }}");
        let bound = Desk::new().try_import("account", &map, b"n,c\nOne,1\n");
        assert_eq!(bound.is_ok(), fits, "{scale}");
    }
}

#[test]
fn a_sign_is_that_of_the_currency_which_the_mapping_names() {
    for (usual, text, expected) in [
        ("", "£ 500", Some("500.00 GBP")),
        ("NOK", "£ 500", Some("500.00 GBP")),
        ("ITL", "£ 500", Some("500 ITL")),
        ("IEP", "£ 500", Some("500.00 IEP")),
        ("CYP", "£ 500", Some("500.00 CYP")),
        ("MTL", "£500", Some("500.00 MTL")),
        ("RUR", "500 ₽", Some("500.00 RUR")),
        ("RUB", "500 ₽", Some("500.00 RUB")),
        ("TRL", "₺500", Some("500 TRL")),
        ("AZM", "500 ₼", Some("500.00 AZM")),
        ("", "500 ₼", Some("500.00 AZN")),
        ("NOK", "$ 500", None),
    ] {
        let forms = forms(|forms| {
            forms.currency = Some(usual)
                .filter(|code| !code.is_empty())
                .and_then(currency);
        });
        let of_mapping = read_value(&FieldType::Money, text, &forms, None);
        let of_row = read_value(&FieldType::Money, text, &forms, Some(usual));
        let shown = of_mapping.map(|value| value.to_string());
        assert_eq!(shown.as_deref().ok(), expected, "{usual} {text}");
        // A row that names a currency is not contradicted.
        if usual != "NOK" {
            assert_eq!(
                of_row.map(|value| value.to_string()).as_deref().ok(),
                expected
            );
        }
    }
}

#[test]
fn an_amount_is_looked_up_with_the_currency_that_its_row_tells() {
    let mut kinds = kjerne_model::core_kinds();
    let account = kinds
        .iter_mut()
        .find(|kind| kind.name == *"account")
        .unwrap();
    for field in &mut account.fields {
        field.indexed |= field.name == *"annual_revenue";
    }
    for usual in ["", "currency = 'NOK'\n"] {
        let desk = Desk::of(kinds.clone(), kjerne_core::TablePlugins::none());
        let map = format!(
            "{usual}[fields]\nexternal_id = 'k'\nname = 'k'\n\
             annual_revenue = {{ column = 'x', currency_column = 'cur' }}\n\
             parent = {{ column = 'p', lookup = 'account.annual_revenue', currency_column = 'cur' }}"
        );
        let file = "k,x,p,cur\na,77,,SEK\nb,77,,NOK\nc,1,77,SEK\nd,2,77,NOK\ne,3,77,EUR\n";
        let report = desk.import("account", &map, file);
        assert_eq!(
            (report.counts.created, report.rejected),
            (4, 1),
            "{}",
            desk.rejects()
        );
        for (name, above) in [("c", "a"), ("d", "b")] {
            let parent = desk.named("account", name);
            let parent = parent
                .get("parent")
                .and_then(|value| value.as_reference().cloned());
            assert_eq!(parent, Some(desk.named("account", above).reference()));
        }
    }
}
