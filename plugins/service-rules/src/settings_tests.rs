//! Tests of the settings, and of the ones that are installed with the plugin.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kjerne_sdk::Date;

use super::*;

const DEFAULTS: &str = include_str!("../settings.toml");

/// Easter Sunday by the algorithm of Meeus, Jones and Butcher.
fn easter(year: i32) -> Date {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let h = (19 * a + b - d - (b - f + 1) / 3 + 15) % 30;
    let l = (32 + 2 * e + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    Date::from_ymd(year, (sum / 31) as u32, (sum % 31 + 1) as u32).unwrap()
}

#[test]
fn the_default_calendar_has_the_norwegian_public_holidays_of_2024_to_2027_and_no_other() {
    let settings = Settings::parse(DEFAULTS).unwrap();
    let mut expected = Vec::new();
    for year in 2024..=2027 {
        let fixed = [(1, 1), (5, 1), (5, 17), (12, 25), (12, 26)];
        expected.extend(fixed.map(|(month, day)| Date::from_ymd(year, month, day).unwrap()));
        // Maundy Thursday, Good Friday, Easter, Easter Monday, Ascension, Whit Sunday and Monday.
        expected.extend([-3, -2, 0, 1, 39, 49, 50].map(|days| easter(year).plus_days(days)));
    }
    expected.sort();
    expected.dedup();
    let ranges = settings.calendars["nordic"].closed.iter();
    let found: Vec<Date> = ranges
        .flat_map(|(first, last)| *first..=*last)
        .map(Date::from_days)
        .collect();
    assert_eq!(found, expected);
    assert_eq!(easter(2026).to_string(), "2026-04-05");
}

#[test]
fn an_empty_document_is_a_desk_without_promises() {
    let settings = Settings::parse("").unwrap();
    assert!(settings.targets.is_empty() && settings.triage.is_empty() && settings.moves.is_empty());
    assert_eq!(
        (settings.reopen_days, settings.imports("system:import")),
        (14, true)
    );
}

/// Settings that are wrong, and what the error must name.
#[test]
fn what_is_wrong_with_the_settings_is_told_with_its_line() {
    let rows = [
        ("priorities = [", "line 1"),
        ("\n\nprioritys = []", "line 3: 'prioritys'"),
        ("priorities = 3", "line 1: expected text"),
        ("[[triage]]\nqueue = 'x'", "'rule' is missing"),
        (
            "[[triage]]\nrule = 'r'\nwhen = { catgory = 'x' }",
            "line 3: 'catgory'",
        ),
        ("[[triage]]\nrule = 'r'\nowner = 'kari'", "line 3: 'kari'"),
        (
            "[[triage]]\nrule = 'r'\nowner = 'manager'",
            "cannot be the owner",
        ),
        (
            "priorities = ['high']\n[[triage]]\nrule = 'r'\npriority = 'hihg'",
            "line 2: triage rule 'r' names 'hihg'",
        ),
        (
            "queues = ['a']\n[triage_default]\nqueue = 'b'",
            "line 2: triage_default names 'b'",
        ),
        ("[[target]]\nresolution = '4h'", "calendar"),
        (
            "[[target]]\ncalendar = 'none'\nresolution = '4h'",
            "line 1: a target names the calendar 'none'",
        ),
        (
            "default_calendar = 'a'\n[[target]]\nresolution = '4 days'",
            "line 2: '4 days'",
        ),
        ("[moves]\nnew = ['opened']", "line 2: moves names 'opened'"),
        ("[reopen]\ntargets = 'anew'", "'anew'"),
        ("[reopen]\ndays = -1", "between 0 and 3650"),
        (
            "[[escalation]]\nstep = 'a'\nwhen = 'late'\ndo = { notify = ['owner'] }",
            "'late'",
        ),
        (
            "[[escalation]]\nstep = 'a'\nwhen = 'resolution overdue'",
            "does nothing",
        ),
        (
            "[[escalation]]\nstep = 'a'\nlevel = 0\nwhen = 'resolution overdue'\ndo = {}",
            "level 0",
        ),
        ("[calendars.a]\nalways = 1", "true or false"),
        ("[calendars.a]\nhours = {}", "time_zone"),
        ("[calendars.a]\ntime_zone = 'UTC'", "never open"),
        (
            "[calendars.a]\ntime_zone = 'UTC'\nhours = { someday = [] }",
            "'someday'",
        ),
        (
            "[calendars.a]\ntime_zone = 'UTC'\nhours = { friday = ['16:00-08:00'] }",
            "'16:00-08:00'",
        ),
        (
            "[calendars.a]\ntime_zone = 'UTC'\nhours = { friday = ['08:00-12:00', '11:00-13:00'] }",
            "overlap",
        ),
        (
            "[calendars.a]\ntime_zone = 'UTC'\nhours = { friday = ['08:00-12:00'], monday-friday = ['08:00-16:00'] }",
            "line 3: friday is named twice, by 'friday' and by 'monday-friday'",
        ),
        (
            "[calendars.a]\ntime_zone = 'UTC'\nhours = { monday-wednesday = [], wednesday-friday = ['08:00-16:00'] }",
            "wednesday is named twice",
        ),
        (
            "[calendars.a]\nalways = true\nspecial_days = { '2026-12-24' = [], ' 2026-12-24' = ['08:00-12:00'] }",
            "2026-12-24 is named twice",
        ),
        (
            "[calendars.a]\nalways = true\nholidays = ['2026-02-30']",
            "line 3: '2026-02-30'",
        ),
        (
            "[calendars.a]\nalways = true\nholidays = ['2026-03-02..2026-03-01']",
            "before they begin",
        ),
    ];
    for (text, named) in rows {
        let error = Settings::parse(text).expect_err(text);
        assert!(
            error.contains(named),
            "{text:?} gives {error:?}, which does not name {named:?}"
        );
    }
}

/// Settings that were taken, and failed or vanished at the first case.
#[test]
fn b4_what_fails_at_the_first_case_is_refused_when_it_is_set() {
    let long = "x".repeat(300);
    let step = |more: &str| format!("[[escalation]]\nwhen = 'resolution overdue'\n{more}");
    let calendar = |more: &str| {
        format!("[calendars.a]\ntime_zone = 'UTC'\nhours = {{ monday = ['08:00-09:00'] }}\n{more}")
    };
    let rows = [
        (format!("[triage_default]\nqueue = '{long}'"), "more than 200 bytes"),
        (format!("queues = ['{long}']"), "more than 200 bytes"),
        (format!("[[triage]]\nrule = '{long}'"), "more than 200 bytes"),
        (step(&format!("step = '{long}'\ndo = {{ notify = ['owner'] }}")), "more than 200 bytes"),
        (step(&format!("step = 'a'\ndo = {{ priority = '{long}' }}")), "more than 200 bytes"),
        (step("step = 'a'\ndo = {}"), "line 1: the step does nothing"),
        (step("step = 'a'\ndo = { notify = [] }"), "notify names nobody"),
        ("import_actors = ['import']".to_owned(), "line 1: 'import' is no actor"),
        ("[[triage]]\nrule = 'r'\nwhen = { category = [] }".to_owned(), "line 3: category is one of nothing"),
        ("[[escalation]]\nstep = 'a'\nwhen = 'resolution overdue + 999999h'\ndo = { notify = ['owner'] }".to_owned(), "at most 8760h"),
        ("[calendars.a]\nalways = true\nhours = { monday = ['08:00-16:00'] }".to_owned(), "hours would not count"),
        ("[calendars.a]\nalways = true\nholidays = ['2026-01-01']".to_owned(), "holidays would not count"),
        (calendar("holidays = ['2026-01-01..2026-12-31', '2027-01-01..2050-12-31']"), "closed for more than a year from 2026-01-01"),
        (calendar("[[target]]\ncalendar = 'a'\nresolution = '53h'"), "write at most 52h"),
        (calendar("[[target]]\ncalendar = 'a'\nresolution = '30h'\n[[escalation]]\nstep = 'a'\nwhen = '200% of resolution'\ndo = { notify = ['owner'] }"), "write at most 52h"),
    ];
    for (text, named) in rows {
        let error = Settings::parse(&text).expect_err(&text);
        assert!(
            error.contains(named),
            "{text:?} gives {error:?}, which does not name {named:?}"
        );
    }
}

#[test]
fn two_steps_of_one_name_are_refused() {
    let step =
        "[[escalation]]\nstep = 'a'\nwhen = 'resolution overdue'\ndo = { notify = ['owner'] }\n";
    let error = Settings::parse(&step.repeat(2)).unwrap_err();
    assert!(error.contains("'a' already"), "{error}");
}
