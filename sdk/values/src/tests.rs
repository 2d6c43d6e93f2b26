//! The values: what is read, what is written, and that both are the same.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::borrow::ToOwned as _;
use std::string::ToString as _;

use proptest::prelude::*;

use crate::{
    Currency, Date, Decimal, Instant, Money, day_number, fold_case, is_blank, minor_digits,
    minor_units, trim, without_exponent,
};

#[test]
fn known_days_are_counted_right() {
    for (written, days) in [
        ("1970-01-01", 0),
        ("1969-12-31", -1),
        ("2000-02-29", 11_016),
        ("2000-03-01", 11_017),
        ("1900-02-28", -25_509),
        ("1900-03-01", -25_508),
        ("2026-11-21", 20_778),
        ("0001-01-01", -719_162),
        ("9999-12-31", 2_932_896),
    ] {
        let date = Date::parse(written).unwrap();
        assert_eq!(date.days(), days, "{written}");
        assert_eq!(date.to_string(), written);
    }
}

#[test]
fn dates_that_do_not_exist_are_refused() {
    for written in [
        "2026-02-29",
        "1900-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-04-31",
        "2026-01-00",
        "0000-01-01",
        "26-01-01",
        "2026-1-1",
        "2026/01/01",
        "+026-01-01",
        "２026-01-01",
        "",
    ] {
        assert!(Date::parse(written).is_err(), "{written}");
    }
    assert_eq!(Date::from_ymd(2026, 1, u32::MAX), None);
}

#[test]
fn instants_are_read_with_offsets_and_fractions() {
    for (written, expected) in [
        ("2026-11-21T08:30:00Z", "2026-11-21T08:30:00Z"),
        ("2026-11-21T08:30:00+01:00", "2026-11-21T07:30:00Z"),
        ("2026-11-21 23:30:00-02:30", "2026-11-22T02:00:00Z"),
        ("2026-11-21T08:30:00.25Z", "2026-11-21T08:30:00.250Z"),
        ("2026-11-21T08:30:00.123987Z", "2026-11-21T08:30:00.123Z"),
        ("2026-11-21", "2026-11-21T00:00:00Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ("2026-11-21T08:30Z", "2026-11-21T08:30:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(
            Instant::parse(written).unwrap().to_string(),
            expected,
            "{written}"
        );
    }
    for written in [
        "2026-11-21T08:30:00",
        "2026-11-21T25:00:00Z",
        "2026-11-21T08:61Z",
        "2026-11-21T08:30.5Z",
        "2026-11-21T08:30:60Z",
        "2026-12-31T23:59:60Z",
        "2026-11-21T08:30:00.Z",
        "2026-11-21T08:30:00:00Z",
        "2026-11-21T08:30:00+99:99",
        "2026-11-21T08:30:00+0100",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-00:01",
        "now",
        "",
    ] {
        assert!(Instant::parse(written).is_err(), "{written}");
    }
}

#[test]
fn decimals_are_exact_and_in_lowest_terms() {
    for (written, expected) in [
        ("12.50", "12.5"),
        ("-0.05", "-0.05"),
        ("+7", "7"),
        ("007", "7"),
        ("0.000", "0"),
        ("999999999999999999", "999999999999999999"),
        ("-99999999999999999.90", "-99999999999999999.9"),
        ("0.000000000000000001", "0.000000000000000001"),
    ] {
        assert_eq!(
            Decimal::parse(written).unwrap().to_string(),
            expected,
            "{written}"
        );
    }
    for written in [
        "",
        ".5",
        "5.",
        "1e3",
        "1,5",
        "--1",
        "1000000000000000000",
        "-1.234567890123456789",
        "9223372036854775807",
        "99999999999999999999",
        "0.1234567890123456789",
    ] {
        assert!(Decimal::parse(written).is_err(), "{written}");
    }
    assert_eq!(Decimal::new(1, 19), None);
    for (written, plain) in [
        ("1.25e3", Some("1250")),
        ("-1.25E+1", Some("-12.5")),
        ("5e-3", Some("0.005")),
        ("0.1", Some("0.1")),
        ("123456789012345678.90", Some("123456789012345678.90")),
        ("1e400", None),
        ("1e", None),
        ("e5", None),
    ] {
        assert_eq!(without_exponent(written).as_deref(), plain, "{written}");
    }
    assert!(Decimal::parse("0.1").unwrap() < Decimal::parse("0.11").unwrap());
}

#[test]
fn money_counts_the_minor_units_of_its_currency() {
    for (written, minor, shown) in [
        ("1250.5 NOK", 125_050, "1250.50 NOK"),
        ("-0.01 EUR", -1, "-0.01 EUR"),
        ("500 JPY", 500, "500 JPY"),
        ("1.234 KWD", 1_234, "1.234 KWD"),
        ("1500 XOF", 1_500, "1500 XOF"),
        ("12.5 MGA", 1_250, "12.50 MGA"),
        ("3 XAU", 3, "3 XAU"),
        ("100 DEM", 10_000, "100.00 DEM"),
        ("5000 ITL", 5_000, "5000 ITL"),
        ("1.2345 CLF", 12_345, "1.2345 CLF"),
    ] {
        let money = Money::parse(written).unwrap();
        assert_eq!(
            (money.minor, money.to_string()),
            (minor, shown.to_owned()),
            "{written}"
        );
    }
    for written in [
        "1.005 NOK",
        "1.5 JPY",
        "100",
        "NOK 100",
        "100 nok",
        "100 KRONER",
        "99999999999999999 KWD",
    ] {
        assert!(Money::parse(written).is_err(), "{written}");
    }
}

#[test]
fn an_amount_that_is_no_money_is_told_which_rule_it_breaks() {
    for (written, rule) in [
        ("1500.50 XOF", "a whole amount, as XOF has no minor unit"),
        ("1.5 XPF", "a whole amount, as XPF has no minor unit"),
        ("1.005 NOK", "an amount with at most 2 decimals in NOK"),
        (
            "1000000000000000000 NOK",
            "an amount of at most 92233720368547758.07 NOK, a larger one does not fit",
        ),
        (
            "99999999999999999999 NOK",
            "an amount of at most 92233720368547758.07 NOK, a larger one does not fit",
        ),
        (
            "99999999999999999999.005 NOK",
            "an amount with at most 2 decimals in NOK",
        ),
        ("1 QQQ", "a currency code of ISO 4217 such as NOK"),
        ("1 nok", "a currency code of ISO 4217 such as NOK"),
        ("1e3 NOK", "a decimal number such as -12.5"),
        ("1", "an amount and a currency such as 1250.50 NOK"),
    ] {
        assert_eq!(
            Money::parse(written).unwrap_err().expected,
            rule,
            "{written}"
        );
    }
}

#[test]
fn currencies_are_those_of_iso_4217() {
    let count = |digits| {
        Currency::all()
            .filter(|one| one.exponent() == digits)
            .count()
    };
    // List one of 2026-01-01: 139, 17 and 13 without a unit, 7 and 2; withdrawn: 41, and 15 without.
    assert_eq!([0, 2, 3, 4].map(count), [17 + 13 + 15, 139 + 41, 7, 2]);
    for currency in Currency::all() {
        assert_eq!(Currency::new(currency.code()), Ok(currency));
    }
    for (code, digits) in [
        ("XOF", Some(0)),
        ("XPF", Some(0)),
        ("XAF", Some(0)),
        ("HUF", Some(2)),
        ("IQD", Some(3)),
        ("XCG", Some(2)),
        ("ANG", Some(2)),
        ("BGN", Some(2)),
        ("MRU", Some(2)),
        ("XDR", Some(0)),
        ("DEM", Some(2)),
        ("ROL", Some(0)),
        ("XEU", None),
        ("AAA", None),
        ("NO", None),
        ("nok", None),
        ("NOKK", None),
        ("", None),
    ] {
        assert_eq!(minor_digits(code), digits, "{code}");
    }
}

#[test]
fn text_without_anything_to_read_is_blank() {
    for blank in [
        "",
        " ",
        "\t\r\n",
        "\u{a0}",
        "\u{200b}\u{feff}",
        "\u{3000}\u{2007}",
        "\u{202e}",
        "\u{fe0f}",
        "\u{17b4}\u{e0020}",
        "\0",
    ] {
        assert!(is_blank(blank), "{blank:?}");
    }
    for written in ["a", " a ", "\u{a0}.", "0", "\u{200b}å", "❤\u{fe0f}"] {
        assert!(!is_blank(written), "{written:?}");
    }
}

#[test]
fn folding_leaves_no_case() {
    for (written, folded) in [
        ("BO@Muller.Example", "bo@muller.example"),
        ("ÅSEN", "åsen"),
        ("ΟΔΟΣ", "οδοσ"),
        ("οδος", "οδοσ"),
        ("001Fict0000AbCdE", "001fict0000abcde"),
    ] {
        assert_eq!(fold_case(written), folded);
    }
}

/// Every instant that is written with a year of four digits.
const MILLIS: core::ops::Range<i64> = -62_135_596_800_000..253_402_300_800_000;

fn decimals() -> impl Strategy<Value = Decimal> {
    let digits = 1 - 10i64.pow(18)..10i64.pow(18);
    (digits, 0..=Decimal::MAX_SCALE)
        .prop_map(|(digits, scale)| Decimal::new(digits, scale).unwrap())
}

fn currencies() -> impl Strategy<Value = Currency> {
    proptest::sample::select(Currency::all().collect::<std::vec::Vec<_>>())
}

#[test]
fn what_is_not_seen_is_a_blank_at_both_ends() {
    for (text, trimmed) in [
        ("\u{feff} a b\u{200b}\u{a0}", "a b"),
        ("\u{202a}12\u{202c}", "12"),
        ("\u{ad}x\u{2060}y\u{200e}", "x\u{2060}y"),
        // A picture's form, a joiner at a word's end and what looks empty are kept.
        ("❤\u{fe0f}", "❤\u{fe0f}"),
        ("می\u{200c}", "می\u{200c}"),
        ("\u{200b}", ""),
    ] {
        assert_eq!(trim(text), trimmed, "{text:?}");
    }
}

proptest! {
    #[test]
    fn every_day_has_one_date(days in -719_162i32..=2_932_895) {
        let (year, month, day) = Date::from_days(days).ymd();
        prop_assert_eq!(Date::from_ymd(year, month, day), Some(Date::from_days(days)));
        prop_assert!(Date::from_days(days + 1) > Date::from_days(days));
    }

    #[test]
    fn the_number_of_a_day_is_the_one_before_and_one(days in -719_161i32..=2_932_896) {
        let (year, month, day) = Date::from_days(days).ymd();
        prop_assert_eq!(day_number(year, month, day), days);
        let (_, month_before, day_before) = Date::from_days(days - 1).ymd();
        prop_assert!(day == day_before + 1 || (day == 1 && month != month_before));
    }

    #[test]
    fn a_written_date_reads_back_as_itself(days in -719_162i32..=2_932_896) {
        let date = Date::from_days(days);
        prop_assert_eq!(Date::read(&date.to_string()), Some(date));
    }

    #[test]
    fn a_written_instant_reads_back_as_itself(millis in MILLIS) {
        let instant = Instant::from_millis(millis);
        prop_assert_eq!(Instant::read(&instant.to_string()), Some(instant));
    }

    #[test]
    fn an_offset_moves_an_instant_by_itself(millis in MILLIS, hours in 0i64..24, minutes in 0i64..60) {
        let instant = Instant::from_millis(millis);
        let written = instant.to_string().replace('Z', &std::format!("+{hours:02}:{minutes:02}"));
        let earlier = instant.plus_millis(-(hours * 60 + minutes) * 60_000);
        prop_assert_eq!(Instant::read(&written), earlier.is_written().then_some(earlier));
    }

    #[test]
    fn a_written_decimal_reads_back_as_itself(number in decimals()) {
        prop_assert_eq!(Decimal::read(&number.to_string()), Some(number));
    }

    #[test]
    fn decimals_of_one_scale_are_ordered_as_their_digits(
        (a, b) in (-10i64.pow(17)..10i64.pow(17), -10i64.pow(17)..10i64.pow(17)),
        scale in 0..=Decimal::MAX_SCALE,
    ) {
        let decimal = |digits| Decimal::new(digits, scale).unwrap();
        prop_assert_eq!(decimal(a).cmp(&decimal(b)), a.cmp(&b));
    }

    #[test]
    fn money_reads_back_as_itself(minor in -10i64.pow(18)..10i64.pow(18), currency in currencies()) {
        let money = Money { minor, currency };
        prop_assert_eq!(Money::parse(&money.to_string()), Ok(money));
        prop_assert_eq!(minor_units(money.major(), currency.exponent()), Some(minor));
    }

    #[test]
    fn folding_keeps_what_a_text_contains(a in ".{0,8}", b in ".{0,8}", c in ".{0,8}") {
        let whole = fold_case(&std::format!("{a}{b}{c}"));
        prop_assert!(whole.contains(&fold_case(&b)));
        prop_assert_eq!(fold_case(&whole), whole);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in ".{0,40}|[0-9TZ:.+ -]{0,30}") {
        let _ = (Date::parse(&text), Instant::parse(&text), Decimal::parse(&text));
        let _ = (Money::parse(&text), Currency::new(&text));
    }
}
