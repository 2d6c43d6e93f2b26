//! When a job runs and when it does not, by a clock that the tests set.
#![allow(clippy::unwrap_used)]

use super::*;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

/// Every day at nine o'clock in Oslo, which is eight in winter.
fn daily() -> Job {
    let manifest = "id = \"acme.rule\"\nversion = \"1.0.0\"\ncontract = \"0.2.0\"\n[roles.schedule]\n[[job]]\n\
        name = \"daily\"\ncron = \"0 9 * * *\"\nzone = \"Europe/Oslo\"\n";
    Manifest::parse(manifest).unwrap().jobs.remove(0)
}

/// What is to be done, in words.
fn told(row: Option<&JobRow>, now: &str) -> String {
    match todo(row, &daily(), at(now)) {
        Todo::Begin(row) => format!("begins at {}", row.position),
        Todo::Run(due) => format!("runs for {}, {} missed", due.at, due.missed),
        Todo::Rest(until) => format!("rests until {until}"),
    }
}

#[test]
fn a_job_runs_when_it_is_due_and_once_for_all_that_went_by() {
    assert_eq!(
        told(None, "2026-01-05T12:00:00Z"),
        "begins at 2026-01-05T12:00:00Z"
    );
    let row = counts_from(at("2026-01-05T12:00:00Z"));
    for (now, expected) in [
        ("2026-01-05T12:00:00Z", "rests until 2026-01-06T08:00:00Z"),
        ("2026-01-06T07:59:59Z", "rests until 2026-01-06T08:00:00Z"),
        (
            "2026-01-06T08:00:00Z",
            "runs for 2026-01-06T08:00:00Z, 0 missed",
        ),
        (
            "2026-01-06T08:00:07Z",
            "runs for 2026-01-06T08:00:00Z, 0 missed",
        ),
        // The server was off for a week.
        (
            "2026-01-13T20:00:00Z",
            "runs for 2026-01-13T08:00:00Z, 7 missed",
        ),
    ] {
        assert_eq!(told(Some(&row), now), expected, "{now}");
    }
}

#[test]
fn a_run_that_failed_rests_for_its_pause_and_no_longer_than_that() {
    let row = |not_before: &str| JobRow {
        tries: 3,
        not_before: at(not_before),
        ..counts_from(at("2026-01-05T12:00:00Z"))
    };
    for (not_before, now, expected) in [
        (
            "2026-01-06T08:00:04Z",
            "2026-01-06T08:00:03Z",
            "rests until 2026-01-06T08:00:04Z",
        ),
        (
            "2026-01-06T08:00:04Z",
            "2026-01-06T08:00:04Z",
            "runs for 2026-01-06T08:00:00Z, 0 missed",
        ),
        // Begun by a clock that stood ahead.
        (
            "2026-02-06T08:00:04Z",
            "2026-01-06T08:00:04Z",
            "runs for 2026-01-06T08:00:00Z, 0 missed",
        ),
    ] {
        assert_eq!(
            told(Some(&row(not_before)), now),
            expected,
            "{not_before} {now}"
        );
    }
}

#[test]
fn a_clock_that_was_set_neither_repeats_a_run_nor_puts_the_job_off() {
    let done = counts_from(at("2026-01-06T08:00:00Z"));
    for (now, expected) in [
        // Set back by less than a day, behind what was just done: that is done.
        ("2026-01-06T07:59:58Z", "rests until 2026-01-06T08:00:00Z"),
        ("2026-01-06T08:00:00Z", "rests until 2026-01-07T08:00:00Z"),
        // It stood a year ahead when that was done.
        ("2025-01-06T12:00:00Z", "begins at 2025-01-06T12:00:00Z"),
    ] {
        assert_eq!(told(Some(&done), now), expected, "{now}");
    }
    let begun = counts_from(at("2025-01-06T12:00:00Z"));
    assert_eq!(
        told(Some(&begun), "2025-01-07T08:00:00Z"),
        "runs for 2025-01-07T08:00:00Z, 0 missed"
    );
}
