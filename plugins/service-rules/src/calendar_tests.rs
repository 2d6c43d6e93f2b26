//! Tests of business time, above all on the days on which the clock is moved.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

/// `2026-03-29T00:59` in UTC, as milliseconds.
pub fn utc(text: &str) -> i64 {
    Instant::parse(&format!("{text}:00Z"))
        .expect("an instant")
        .millis()
}

fn day(text: &str) -> i32 {
    Date::parse(text).expect("a date").days()
}

/// Oslo from 2024 to 2027: the clock moves at 01:00 UTC on the last Sundays of March and October.
pub fn oslo() -> Zone {
    Zone::from_offsets(oslo_offsets())
}

/// The same as pairs of instant and offset.
pub fn oslo_offsets() -> Vec<(Instant, i32)> {
    let moves = [
        ("2023-10-29T01:00", 3600),
        ("2024-03-31T01:00", 7200),
        ("2024-10-27T01:00", 3600),
        ("2025-03-30T01:00", 7200),
        ("2025-10-26T01:00", 3600),
        ("2026-03-29T01:00", 7200),
        ("2026-10-25T01:00", 3600),
        ("2027-03-28T01:00", 7200),
        ("2027-10-31T01:00", 3600),
    ];
    let typed = |(at, offset): &(&str, i32)| (Instant::from_millis(utc(at)), *offset);
    moves.iter().map(typed).collect()
}

fn weekdays(from: i32, to: i32) -> Calendar {
    let open = vec![(from * 60, to * 60)];
    let week = [
        open.clone(),
        open.clone(),
        open.clone(),
        open.clone(),
        open,
        vec![],
        vec![],
    ];
    Calendar {
        zone: "Europe/Oslo".into(),
        week,
        ..Calendar::default()
    }
}

fn every_day(from: i32, to: i32) -> Calendar {
    let open = vec![(from * 60, to * 60)];
    Calendar {
        week: std::array::from_fn(|_| open.clone()),
        ..weekdays(8, 16)
    }
}

#[track_caller]
fn check(calendar: &Calendar, from: &str, minutes: i64, to: &str) {
    let zone = oslo();
    let hours = Hours {
        calendar,
        zone: &zone,
    };
    assert_eq!(
        hours.add(utc(from), minutes * MINUTE),
        Some(utc(to)),
        "{from} + {minutes} min"
    );
    assert_eq!(
        hours.between(utc(from), utc(to)),
        minutes * MINUTE,
        "from {from} to {to}"
    );
}

#[test]
fn time_is_counted_in_opening_hours_only() {
    let desk = weekdays(8, 16);
    // Winter: 08:00-16:00 in Oslo is 07:00-15:00 UTC. 2026-01-05 is a Monday.
    check(&desk, "2026-01-05T09:00", 60, "2026-01-05T10:00");
    check(&desk, "2026-01-05T04:00", 60, "2026-01-05T08:00");
    check(&desk, "2026-01-05T14:30", 60, "2026-01-06T07:30");
    check(&desk, "2026-01-09T14:30", 60, "2026-01-12T07:30");
    check(&desk, "2026-01-10T12:00", 30, "2026-01-12T07:30");
    // A whole day ends when the desk closes, not when it opens again.
    check(&desk, "2026-01-05T07:00", 480, "2026-01-05T15:00");
    check(&desk, "2026-01-05T07:00", 481, "2026-01-06T07:01");
    check(&desk, "2026-01-05T07:00", 2400, "2026-01-09T15:00");
}

#[test]
fn the_hours_follow_the_clock_over_a_weekend_on_which_it_is_moved() {
    let desk = weekdays(8, 16);
    // Friday 2026-03-27 15:00 in Oslo is 14:00 UTC; Monday 08:00 is 06:00 UTC, it is summer time.
    check(&desk, "2026-03-27T14:00", 120, "2026-03-30T07:00");
    // Friday 2026-10-23 15:00 is 13:00 UTC; Monday 08:00 is 07:00 UTC, it is winter time.
    check(&desk, "2026-10-23T13:00", 120, "2026-10-26T08:00");
}

#[test]
fn the_days_on_which_the_clock_is_moved_have_their_real_length() {
    let nights = every_day(0, 6);
    // 2026-03-29: 02:00-03:00 is left out, so 00:00-06:00 lasts five hours (23:00-04:00 UTC).
    check(&nights, "2026-03-28T23:00", 300, "2026-03-29T04:00");
    check(&nights, "2026-03-28T23:00", 301, "2026-03-29T22:01");
    // 2026-10-25: 02:00-03:00 is lived twice, so it lasts seven (22:00-05:00 UTC).
    check(&nights, "2026-10-24T22:00", 420, "2026-10-25T05:00");
    check(&nights, "2026-10-24T22:00", 421, "2026-10-25T23:01");
    let whole_days = every_day(0, 24);
    check(&whole_days, "2026-03-28T23:00", 23 * 60, "2026-03-29T22:00");
    check(&whole_days, "2026-10-24T22:00", 25 * 60, "2026-10-25T23:00");
}

#[test]
fn hours_that_begin_in_the_moved_hour_begin_when_the_clock_gets_there() {
    let calendar = every_day(2, 5);
    // Spring: 02:00 does not exist; the span is 03:00-05:00 summer time, 01:00-03:00 UTC.
    check(&calendar, "2026-03-28T23:00", 120, "2026-03-29T03:00");
    // Autumn: the span holds both passes of 02:00-03:00, 00:00-04:00 UTC.
    check(&calendar, "2026-10-24T22:00", 240, "2026-10-25T04:00");
}

#[test]
fn holidays_are_closed_and_special_days_have_their_own_hours() {
    let mut desk = weekdays(8, 16);
    desk.closed = vec![(day("2026-04-02"), day("2026-04-06"))];
    // Wednesday before Easter 15:00 (13:00 UTC), two hours on: Tuesday after, 09:00.
    check(&desk, "2026-04-01T13:00", 120, "2026-04-07T07:00");
    desk.special
        .insert(day("2026-04-01"), vec![(8 * 60, 12 * 60)]);
    check(&desk, "2026-04-01T09:00", 120, "2026-04-07T07:00");
    desk.special
        .insert(day("2026-04-04"), vec![(10 * 60, 11 * 60)]);
    check(&desk, "2026-04-01T09:00", 120, "2026-04-04T09:00");
}

#[test]
fn a_desk_that_never_closes_counts_real_time() {
    let always = Calendar {
        always: true,
        ..Calendar::default()
    };
    check(&always, "2026-03-28T23:00", 1_440, "2026-03-29T23:00");
}

#[test]
fn subtracting_undoes_adding() {
    let zone = oslo();
    let desk = weekdays(8, 16);
    let hours = Hours {
        calendar: &desk,
        zone: &zone,
    };
    for minutes in [1, 59, 60, 479, 480, 481, 960, 2_400, 9_999] {
        let start = utc("2026-03-24T09:17");
        let due = hours.add(start, minutes * MINUTE).unwrap();
        assert_eq!(
            hours.subtract(due, minutes * MINUTE),
            Some(start),
            "{minutes} min"
        );
    }
    // Where the result falls on an opening, the closing before is meant.
    assert_eq!(
        hours.subtract(utc("2026-01-06T08:00"), 60 * MINUTE),
        Some(utc("2026-01-05T15:00"))
    );
}

#[test]
fn a_desk_that_never_opens_has_no_answer() {
    let never = Calendar {
        zone: "Europe/Oslo".into(),
        ..Calendar::default()
    };
    let zone = oslo();
    assert_eq!(
        Hours {
            calendar: &never,
            zone: &zone
        }
        .add(0, MINUTE),
        None
    );
}

/// Hours as minutes since midnight, the same every day.
fn daily(spans: &[(i32, i32)]) -> Calendar {
    Calendar {
        week: std::array::from_fn(|_| spans.to_vec()),
        ..weekdays(8, 16)
    }
}

#[test]
fn hours_may_begin_and_end_in_the_hour_that_is_skipped() {
    // 2026-03-29: at 01:00 UTC the clock goes from 02:00 to 03:00.
    let night = daily(&[(0, 150), (180, 1_440)]);
    check(&night, "2026-03-28T23:00", 2 * 60, "2026-03-29T01:00");
    check(&night, "2026-03-28T23:00", 22 * 60, "2026-03-29T21:00");
    let over_the_jump = daily(&[(165, 195)]);
    check(&over_the_jump, "2026-03-28T23:00", 15, "2026-03-29T01:15");
    check(&over_the_jump, "2026-03-28T23:00", 45, "2026-03-30T01:15");
    let within = daily(&[(135, 165)]);
    check(&within, "2026-03-28T23:00", 30, "2026-03-30T00:45");
}

#[test]
fn hours_may_begin_and_end_in_the_hour_that_is_lived_twice() {
    // 2026-10-25: at 01:00 UTC the clock goes from 03:00 back to 02:00.
    let until_half_past = daily(&[(0, 150)]);
    check(
        &until_half_past,
        "2026-10-24T22:00",
        150,
        "2026-10-25T00:30",
    );
    check(
        &until_half_past,
        "2026-10-24T22:00",
        180,
        "2026-10-25T01:30",
    );
    let from_half_past = daily(&[(150, 210)]);
    check(&from_half_past, "2026-10-24T22:00", 30, "2026-10-25T01:00");
    check(&from_half_past, "2026-10-24T22:00", 90, "2026-10-25T02:30");
    let within = daily(&[(135, 165)]);
    check(&within, "2026-10-24T22:00", 60, "2026-10-25T01:45");
}

/// Whatever the hours: what is counted is what the clock on the wall shows, minute for minute.
#[test]
fn business_time_is_the_minutes_at_which_the_clock_shows_an_open_hour() {
    let zone = oslo();
    let calendars = [
        daily(&[(0, 150), (180, 1_440)]),
        daily(&[(165, 195)]),
        daily(&[(130, 140), (150, 170), (175, 185)]),
        daily(&[(0, 1_440)]),
        daily(&[(120, 180)]),
    ];
    for (calendar, from) in calendars
        .iter()
        .flat_map(|one| [(one, "2026-03-28T20:00"), (one, "2026-10-24T20:00")])
    {
        let hours = Hours {
            calendar,
            zone: &zone,
        };
        let (from, mut counted) = (utc(from), 0);
        for minute in 0..12 * 60 {
            let at = from + minute * MINUTE;
            assert_eq!(hours.between(from, at), counted * MINUTE, "minute {minute}");
            let local = zone.local(Instant::from_millis(at));
            let shown = i32::try_from(local.minutes()).unwrap();
            let spans = calendar.spans(local.date.days());
            if spans
                .iter()
                .any(|(open, close)| (*open..*close).contains(&shown))
            {
                counted += 1;
                assert_eq!(hours.add(from, counted * MINUTE), Some(at + MINUTE));
            }
        }
    }
}
