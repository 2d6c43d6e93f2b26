//! Lines that are taken and refused, and when they are due, above all where clocks are set.
#![allow(clippy::unwrap_used)]

use kjerne_values::Instant;
use proptest::prelude::*;

use crate::{Due, MISSED_COUNTED, Timetable};

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn table(line: &str, zone: &str) -> Timetable {
    Timetable::parse(line, zone).unwrap()
}

/// The first times after one.
fn times(line: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let table = table(line, zone);
    let mut from = at(after);
    let next = || {
        from = table.next_after(from)?;
        Some(from.to_string())
    };
    std::iter::from_fn(next).take(count).collect()
}

#[test]
fn what_means_the_same_everywhere_is_taken() {
    for (line, first) in [
        ("0 9 * * *", "2026-01-01T09:00:00Z"),
        ("30,0,15 9 * * *", "2026-01-01T09:00:00Z"),
        ("*/7 * * * *", "2026-01-01T00:07:00Z"),
        ("5-59/15 8-16 * * *", "2026-01-01T08:05:00Z"),
        ("00 09 * * *", "2026-01-01T09:00:00Z"),
        ("0 9 * * mon-fri", "2026-01-01T09:00:00Z"),
        ("0 9 * * MON,3", "2026-01-05T09:00:00Z"),
        ("0 9 * * 0", "2026-01-04T09:00:00Z"),
        ("0 9 * * 7", "2026-01-04T09:00:00Z"),
        ("0 9 * * 6-7", "2026-01-03T09:00:00Z"),
        ("0 9 L * *", "2026-01-31T09:00:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
        ("0 9 1 JAN,jul *", "2026-01-01T09:00:00Z"),
        ("  0\t9   * * * ", "2026-01-01T09:00:00Z"),
    ] {
        assert_eq!(
            times(line, "UTC", "2026-01-01T00:00:00Z", 1),
            [first],
            "{line}"
        );
    }
    assert_eq!(table(" 0\t9  * * *", "UTC").line(), "0 9 * * *");
}

#[test]
fn a_line_that_could_mean_two_things_or_nothing_is_refused_with_the_reason() {
    for (line, told) in [
        ("", "0 fields"),
        ("0 9 * *", "4 fields"),
        ("0 0 9 * * *", "6 fields"),
        ("@daily", "1 fields"),
        ("60 9 * * *", "from 0 to 59"),
        ("0 24 * * *", "from 0 to 23"),
        ("0 9 0 * *", "from 1 to 31"),
        ("0 9 * 13 *", "from 1 to 12"),
        ("0 9 * * 8", "from 0 to 7"),
        ("0 9 * * MONDAY", "SUN and SAT"),
        ("0 9 1 * MON", "some programs"),
        ("0 9 */2 * MON", "some programs"),
        ("0 9 * * FRI-MON", "lower to the higher"),
        ("0 22-2 * * *", "lower to the higher"),
        ("5/15 * * * *", "a step needs a range"),
        ("*/0 * * * *", "from 1 to 59"),
        ("*/60 * * * *", "from 1 to 59"),
        ("*/61 * * * *", "from 1 to 59"),
        ("1,,2 * * * *", "is no number"),
        ("1, * * * *", "is no number"),
        ("*,5 * * * *", "stands alone"),
        ("+5 * * * *", "is no number"),
        ("-1 * * * *", "is no number"),
        ("１ * * * *", "is no number"),
        ("0 9 ? * 1", "is no number"),
        ("0 9 15W * *", "is no number"),
        ("0 9 1,L * *", "is no number"),
        ("0 9 * * L", "is no number"),
        ("0 9 * * 5#2", "is no number"),
        ("0 9 * * 5L", "is no number"),
        ("H 9 * * *", "is no number"),
        ("0 9 30 2 *", "never due"),
        ("0 9 31 4,6 *", "never due"),
    ] {
        let error = Timetable::parse(line, "UTC").unwrap_err().to_string();
        assert!(error.contains(told), "{line:?}: {error}");
    }
    let long = format!("{} 9 * * *", vec!["0"; 256].join(","));
    assert_eq!(long.len(), 519);
    assert!(Timetable::parse(&long, "UTC").is_err());
    assert!(Timetable::parse(&long.replacen("0,0,0,0,", "", 1), "UTC").is_ok());
    for zone in ["Europe/Olso", "europe/oslo", "", "+01:00", "Local"] {
        let error = Timetable::parse("0 9 * * *", zone).unwrap_err().to_string();
        assert!(error.contains("no time zone"), "{zone}: {error}");
    }
}

#[test]
fn a_time_in_the_skipped_hour_comes_when_it_is_over_and_in_the_repeated_hour_once() {
    // Oslo skips 02:00 to 03:00 on 29 March and repeats it on 25 October 2026; New York skips the same hour on
    // 8 March and repeats 01:00 to 02:00 on 1 November.
    for (zone, line, after, expected) in [
        (
            "Europe/Oslo",
            "30 2 * * *",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        ),
        (
            "Europe/Oslo",
            "0 2 * * *",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
        ),
        (
            "Europe/Oslo",
            "0 3 * * *",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"],
        ),
        // Two in the skipped hour are one, since they come at the same moment.
        (
            "Europe/Oslo",
            "15,45 2 * * *",
            "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"],
        ),
        (
            "Europe/Oslo",
            "30 1,2 * * *",
            "2026-03-29T00:00:00Z",
            ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"],
        ),
        (
            "Europe/Oslo",
            "30 2 * * *",
            "2026-10-24T12:00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        ),
        (
            "Europe/Oslo",
            "15,45 2 * * *",
            "2026-10-25T00:20:00Z",
            ["2026-10-25T00:45:00Z", "2026-10-26T01:15:00Z"],
        ),
        (
            "Europe/Oslo",
            "0 2-3 * * *",
            "2026-10-24T12:00:00Z",
            ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"],
        ),
        // Asked in the hour that is repeated.
        (
            "Europe/Oslo",
            "30 2 * * *",
            "2026-10-25T01:10:00Z",
            ["2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"],
        ),
        (
            "America/New_York",
            "30 2 * * *",
            "2026-03-07T12:00:00Z",
            ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"],
        ),
        (
            "America/New_York",
            "30 1 * * *",
            "2026-10-31T12:00:00Z",
            ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"],
        ),
        (
            "America/New_York",
            "0,30 1 * * *",
            "2026-11-01T05:10:00Z",
            ["2026-11-01T05:30:00Z", "2026-11-02T06:00:00Z"],
        ),
    ] {
        assert_eq!(times(line, zone, after, 2), expected, "{zone} {line}");
    }
}

#[test]
fn a_line_of_every_hour_goes_by_the_hours_that_pass() {
    for (zone, line, after, expected) in [
        (
            "Europe/Oslo",
            "0 * * * *",
            "2026-03-28T23:30:00Z",
            [
                "2026-03-29T00:00:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-29T02:00:00Z",
            ],
        ),
        (
            "Europe/Oslo",
            "*/30 * * * *",
            "2026-03-29T00:10:00Z",
            [
                "2026-03-29T00:30:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-29T01:30:00Z",
            ],
        ),
        (
            "Europe/Oslo",
            "0 * * * *",
            "2026-10-24T23:30:00Z",
            [
                "2026-10-25T00:00:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T02:00:00Z",
            ],
        ),
        (
            "America/New_York",
            "0 * * * *",
            "2026-03-08T05:30:00Z",
            [
                "2026-03-08T06:00:00Z",
                "2026-03-08T07:00:00Z",
                "2026-03-08T08:00:00Z",
            ],
        ),
        (
            "America/New_York",
            "30 * * * *",
            "2026-11-01T05:00:00Z",
            [
                "2026-11-01T05:30:00Z",
                "2026-11-01T06:30:00Z",
                "2026-11-01T07:30:00Z",
            ],
        ),
        // Every second hour: 02 is skipped, and comes twice.
        (
            "Europe/Oslo",
            "0 */2 * * *",
            "2026-03-28T22:30:00Z",
            [
                "2026-03-28T23:00:00Z",
                "2026-03-29T02:00:00Z",
                "2026-03-29T04:00:00Z",
            ],
        ),
        (
            "Europe/Oslo",
            "0 */2 * * *",
            "2026-10-24T22:30:00Z",
            [
                "2026-10-25T00:00:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T03:00:00Z",
            ],
        ),
    ] {
        assert_eq!(times(line, zone, after, 3), expected, "{zone} {line}");
    }
}

#[test]
fn odd_zones_lose_no_job() {
    // Midnight is skipped; half an hour is skipped; a whole day is.
    for (zone, line, after, expected) in [
        (
            "America/Sao_Paulo",
            "0 0 * * *",
            "2018-11-03T12:00:00Z",
            ["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"],
        ),
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T12:00:00Z",
            ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
        ),
        (
            "Pacific/Apia",
            "0 12 * * *",
            "2011-12-29T22:30:00Z",
            ["2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"],
        ),
        (
            "Pacific/Apia",
            "0 * * * *",
            "2011-12-30T09:30:00Z",
            ["2011-12-30T10:00:00Z", "2011-12-30T11:00:00Z"],
        ),
    ] {
        assert_eq!(times(line, zone, after, 2), expected, "{zone} {line}");
    }
}

#[test]
fn of_what_went_by_the_last_is_due_and_the_rest_is_counted() {
    let daily = table("0 9 * * *", "Europe/Oslo");
    let due = |after, until| daily.due(at(after), at(until));
    assert_eq!(due("2026-01-05T08:00:00Z", "2026-01-06T07:59:59Z"), None);
    let at_six = at("2026-01-06T08:00:00Z");
    assert_eq!(
        due("2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z"),
        Some(Due {
            at: at_six,
            missed: 0
        })
    );
    assert_eq!(
        due("2026-01-02T08:00:00Z", "2026-01-06T20:00:00Z"),
        Some(Due {
            at: at_six,
            missed: 3
        })
    );
    assert_eq!(due("2026-01-06T20:00:00Z", "2026-01-06T20:00:00Z"), None);
    assert_eq!(due("2026-01-07T20:00:00Z", "2026-01-06T20:00:00Z"), None);
}

#[test]
fn what_is_missed_is_counted_to_the_number_and_the_last_is_found_all_the_same() {
    let minutely = table("* * * * *", "UTC");
    let start = at("2026-01-01T00:00:00Z");
    for (minutes, missed) in [
        (MISSED_COUNTED, MISSED_COUNTED - 1),
        (MISSED_COUNTED + 1, MISSED_COUNTED),
        (500_000, MISSED_COUNTED),
    ] {
        let until = start.plus_millis(minutes as i64 * 60_000);
        assert_eq!(
            minutely.due(start, until),
            Some(Due { at: until, missed }),
            "{minutes}"
        );
    }
    let january = table("* * * 1 *", "UTC");
    let last = january.due(at("2020-01-01T00:00:00Z"), at("2026-12-24T00:00:00Z"));
    assert_eq!(last.unwrap().at, at("2026-01-31T23:59:00Z"));
}

#[test]
fn where_the_calendar_ends_nothing_is_due() {
    let yearly = table("0 9 1 1 *", "Europe/Oslo");
    assert_eq!(yearly.next_after(at("9999-12-31T00:00:00Z")), None);
    for far in [i64::MAX, i64::MIN] {
        assert_eq!(yearly.next_after(Instant::from_millis(far)), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Walked step by step, a line comes to the same times as asked for from anywhere between them, and each
    /// is later than the one before.
    #[test]
    fn the_next_time_does_not_depend_on_where_one_asks(
        zone in proptest::sample::select(vec!["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "UTC", "Africa/Casablanca"]),
        line in proptest::sample::select(vec!["30 2 * * *", "*/20 * * * *", "0 */3 * * *", "10,50 1-3 * * *", "0 0 L * *", "5 1 * * SUN"]),
        from in 1_700_000_000_i64..1_900_000_000,
        part in 0_i64..1_000,
    ) {
        let table = table(line, zone);
        let from = Instant::from_millis(from * 1_000 + part);
        let next = table.next_after(from).unwrap();
        prop_assert!(next > from);
        let between = Instant::from_millis(from.millis() + (next.millis() - from.millis()) / 2);
        prop_assert_eq!(table.next_after(between).unwrap(), next);
        prop_assert_eq!(table.due(from, next), Some(Due { at: next, missed: 0 }));
        prop_assert_eq!(table.due(from, next.plus_millis(-1)), None);
    }
}
