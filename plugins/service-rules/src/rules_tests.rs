//! Tests of triage, targets, pauses and reopening, one row for each story.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::calendar::tests::{oslo, utc};

const DEFAULTS: &str = include_str!("../settings.toml");

/// The default desk (08:00-16:00 in Oslo; in January that is 07:00-15:00 UTC).
fn with_rules<T>(settings: &str, test: impl FnOnce(&Rules<'_>) -> T) -> T {
    let settings = Settings::parse(settings).unwrap();
    let zones = BTreeMap::from([
        ("Europe/Oslo".to_owned(), oslo()),
        ("UTC".to_owned(), Zone::utc()),
    ]);
    test(&Rules {
        settings: &settings,
        zones: &zones,
    })
}

fn at(text: &str) -> Moment {
    Moment {
        now: utc(text),
        importing: false,
    }
}

fn facts(rows: &[(&'static str, &str)]) -> Facts {
    rows.iter()
        .map(|(name, value)| (*name, vec![(*value).to_owned()]))
        .collect()
}

fn case(status: &str) -> Case {
    Case {
        status: status.into(),
        ..Case::default()
    }
}

/// A normal case received on Monday 2026-01-05 at 09:00 in Oslo.
fn received(rules: &Rules<'_>) -> Case {
    rules
        .create(at("2026-01-05T08:00"), &Facts::new(), &case("new"))
        .case
}

fn moved(rules: &Rules<'_>, now: &str, before: &Case, status: &str) -> Case {
    let given = Case {
        status: status.into(),
        ..before.clone()
    };
    rules
        .update(at(now), [&Facts::new(); 2], before, &given)
        .case
}

#[test]
fn a_new_case_gets_priority_queue_targets_and_its_first_step() {
    with_rules(DEFAULTS, |rules| {
        let case = received(rules);
        assert_eq!(
            (case.priority.as_deref(), case.queue.as_deref()),
            (Some("normal"), Some("first-line"))
        );
        assert_eq!(case.received_at, Some(utc("2026-01-05T08:00")));
        assert_eq!(
            case.first_response_due,
            Some(utc("2026-01-05T12:00")),
            "4 hours"
        );
        assert_eq!(
            case.resolution_due,
            Some(utc("2026-01-08T08:00")),
            "24 hours"
        );
        assert_eq!(case.escalate_at, Some(utc("2026-01-05T12:00")));
        assert_eq!((case.triage_rule, case.escalation_level), (None, None));
    });
}

#[test]
fn the_first_rule_that_fits_decides_and_what_a_person_set_stays() {
    type Row<'a> = (
        &'a [(&'static str, &'a str)],
        &'a str,
        &'a str,
        Option<&'a str>,
    );
    let rows: [Row<'_>; 7] = [
        (
            &[("category", "Outage")],
            "urgent",
            "second-line",
            Some("outage"),
        ),
        (
            &[("category", "safety"), ("channel", "device")],
            "urgent",
            "duty",
            Some("safety"),
        ),
        (
            &[("channel", "device")],
            "high",
            "proactive",
            Some("device-fault"),
        ),
        (
            &[("language", "de")],
            "normal",
            "international",
            Some("foreign-language"),
        ),
        (&[("language", "nb-NO")], "normal", "first-line", None),
        (
            &[("category", "question")],
            "low",
            "first-line",
            Some("question"),
        ),
        (
            &[("sentiment", "negative"), ("account_tier", "gold")],
            "high",
            "key-customers",
            Some("unhappy-key-customer"),
        ),
    ];
    with_rules(DEFAULTS, |rules| {
        for (known, priority, queue, rule) in rows {
            let case = rules
                .create(at("2026-01-05T08:00"), &facts(known), &case("new"))
                .case;
            let found = (
                case.priority.as_deref(),
                case.queue.as_deref(),
                case.triage_rule.as_deref(),
            );
            assert_eq!(found, (Some(priority), Some(queue), rule), "{known:?}");
        }
        let given = Case {
            priority: Some("low".into()),
            ..case("new")
        };
        let kept = rules
            .create(
                at("2026-01-05T08:00"),
                &facts(&[("category", "outage")]),
                &given,
            )
            .case;
        assert_eq!(
            (kept.priority.as_deref(), kept.queue.as_deref()),
            (Some("low"), Some("second-line"))
        );
    });
}

#[test]
fn the_owner_a_rule_names_is_given_only_when_there_is_none() {
    with_rules(DEFAULTS, |rules| {
        let known = facts(&[("sentiment", "negative"), ("account_tier", "gold")]);
        let shaped = rules.create(at("2026-01-05T08:00"), &known, &case("new"));
        assert_eq!(shaped.owner, Some(Person::AccountOwner));
        let owned = Case {
            owner: Some("u-1".into()),
            ..case("new")
        };
        assert_eq!(
            rules.create(at("2026-01-05T08:00"), &known, &owned).owner,
            None
        );
    });
}

#[test]
fn waiting_for_the_customer_moves_the_targets_by_the_business_time_waited() {
    with_rules(DEFAULTS, |rules| {
        let new = received(rules);
        let answered = Case {
            first_response_at: Some(utc("2026-01-05T09:00")),
            ..new.clone()
        };
        let answered = rules
            .update(at("2026-01-05T09:00"), [&Facts::new(); 2], &new, &answered)
            .case;
        assert_eq!(answered.first_response_met, Some(true));
        let waiting = moved(rules, "2026-01-05T14:00", &answered, "waiting_customer");
        assert_eq!(
            (waiting.paused_since, waiting.escalate_at),
            (Some(utc("2026-01-05T14:00")), None)
        );
        // One hour is left of Monday, one hour of Tuesday is over: two business hours.
        let open = moved(rules, "2026-01-06T08:00", &waiting, "open");
        assert_eq!((open.paused_since, open.paused_minutes), (None, Some(120)));
        assert_eq!(open.resolution_due, Some(utc("2026-01-08T10:00")));
        assert_eq!(
            open.first_response_due, new.first_response_due,
            "it was met before the pause"
        );
        // 80 % of 24 hours are 19 h 12 min, so 4 h 48 min before it is due.
        assert_eq!(open.escalate_at, Some(utc("2026-01-07T13:12")));
        let again = moved(rules, "2026-01-06T09:00", &open, "waiting_customer");
        let open = moved(rules, "2026-01-06T09:30", &again, "waiting_internal");
        assert_eq!(
            (open.paused_minutes, open.resolution_due),
            (Some(150), Some(utc("2026-01-08T10:30")))
        );
    });
}

#[test]
fn a_pause_before_the_first_response_moves_that_target_too() {
    with_rules(DEFAULTS, |rules| {
        let waiting = moved(
            rules,
            "2026-01-05T09:00",
            &received(rules),
            "waiting_customer",
        );
        let open = moved(rules, "2026-01-05T10:30", &waiting, "open");
        assert_eq!(open.first_response_due, Some(utc("2026-01-05T13:30")));
    });
}

#[test]
fn whether_targets_were_met_is_noted_when_they_are_reached() {
    let rows = [
        ("2026-01-05T12:00", "2026-01-08T08:00", true, true),
        ("2026-01-05T12:01", "2026-01-08T08:01", false, false),
        ("2026-01-05T09:00", "2026-01-09T08:00", true, false),
    ];
    with_rules(DEFAULTS, |rules| {
        for (answered, resolved, first_met, resolution_met) in rows {
            let new = received(rules);
            let given = Case {
                first_response_at: Some(utc(answered)),
                ..new.clone()
            };
            let open = rules
                .update(at(answered), [&Facts::new(); 2], &new, &given)
                .case;
            let done = moved(rules, resolved, &open, "resolved");
            assert_eq!(
                (done.first_response_met, done.resolution_met),
                (Some(first_met), Some(resolution_met)),
                "{resolved}"
            );
            assert_eq!(
                (done.resolved_at, done.escalate_at),
                (Some(utc(resolved)), None)
            );
        }
        let unanswered = moved(rules, "2026-01-05T09:00", &received(rules), "closed");
        assert_eq!(
            unanswered.first_response_at,
            Some(utc("2026-01-05T09:00")),
            "the resolution was the answer"
        );
        assert_eq!(unanswered.closed_at, Some(utc("2026-01-05T09:00")));
    });
}

#[test]
fn resolving_while_waiting_counts_the_wait_as_a_pause() {
    with_rules(DEFAULTS, |rules| {
        let waiting = moved(
            rules,
            "2026-01-05T09:00",
            &received(rules),
            "waiting_customer",
        );
        let done = moved(rules, "2026-01-12T09:00", &waiting, "resolved");
        assert_eq!((done.resolution_met, done.paused_since), (Some(true), None));
        assert_eq!(done.paused_minutes, Some(5 * 480));
    });
}

#[test]
fn a_reopened_case_begins_anew_or_goes_on_as_the_settings_say() {
    let continued = DEFAULTS.replace("targets = \"restart\"", "targets = \"continue\"");
    let rows = [
        (DEFAULTS, "2026-01-14T09:00", None),
        (&continued, "2026-01-13T09:00", Some(1_500)),
    ];
    for (settings, due, paused) in rows {
        with_rules(settings, |rules| {
            let mut done = moved(rules, "2026-01-06T08:00", &received(rules), "resolved");
            done.escalation_level = Some(2);
            // Resolved on Tuesday at 09:00, reopened on Friday at 10:00: 25 business hours between.
            let now = "2026-01-09T09:00";
            let open = moved(rules, now, &done, "open");
            assert_eq!(
                (open.reopened_times, open.resolved_at, open.resolution_met),
                (Some(1), None, None)
            );
            assert_eq!(
                (open.resolution_due, open.paused_minutes),
                (Some(utc(due)), paused)
            );
            let again = moved(rules, "2026-01-09T09:30", &open, "closed");
            assert_eq!(
                moved(rules, "2026-01-09T10:00", &again, "open").reopened_times,
                Some(2)
            );
        });
    }
}

#[test]
fn a_new_priority_is_a_new_promise_reckoned_from_the_beginning() {
    with_rules(DEFAULTS, |rules| {
        let new = received(rules);
        let given = Case {
            priority: Some("high".into()),
            ..new.clone()
        };
        let high = rules
            .update(at("2026-01-05T10:00"), [&Facts::new(); 2], &new, &given)
            .case;
        assert_eq!(high.first_response_due, Some(utc("2026-01-05T10:00")));
        assert_eq!(high.resolution_due, Some(utc("2026-01-07T08:00")));
        // A step of the ladder raises the priority without taking back what was promised.
        let given = Case {
            escalation_level: Some(1),
            ..given
        };
        let escalated = rules
            .update(at("2026-01-05T10:00"), [&Facts::new(); 2], &new, &given)
            .case;
        assert_eq!(escalated.resolution_due, new.resolution_due);
    });
}

#[test]
fn b1_a_step_that_changes_the_row_does_not_change_what_pauses_are_counted_in() {
    with_rules(DEFAULTS, |rules| {
        let new = received(rules);
        // Escalated to the urgent row, whose calendar is open day and night.
        let given = Case {
            escalation_level: Some(1),
            priority: Some("urgent".into()),
            queue: Some("duty desk".into()),
            ..new.clone()
        };
        let told = Facts::new();
        let escalated = rules
            .update(at("2026-01-05T12:00"), [&told; 2], &new, &given)
            .case;
        let paused = |escalated: &Case| {
            let waiting = moved(rules, "2026-01-09T14:00", escalated, "waiting_customer");
            moved(rules, "2026-01-12T08:00", &waiting, "open")
        };
        let (open, plain) = (paused(&escalated), paused(&new));
        assert_eq!(open.paused_minutes, Some(120));
        assert_eq!(open.resolution_due, plain.resolution_due);
        let clock = rules.clock(&told, &open).unwrap();
        assert_eq!(clock.allowed(Goal::Resolution), Some(24 * 60 * 60_000));
        assert_eq!(
            open.pauses.as_deref(),
            Some("priority=normal queue=first-line 2026-01-09T14:00:00Z/2026-01-12T08:00:00Z")
        );
        // A person who changes the priority promises anew, by what holds now.
        let given = Case {
            priority: Some("high".into()),
            ..open.clone()
        };
        let anew = rules.update(at("2026-01-12T09:00"), [&told; 2], &open, &given);
        let clock = rules.clock(&told, &anew.case).unwrap();
        assert_eq!(clock.allowed(Goal::Resolution), Some(16 * 60 * 60_000));
        // A case that is reopened begins anew by what it is then.
        let done = moved(rules, "2026-01-12T10:00", &escalated, "resolved");
        let again = moved(rules, "2026-01-13T10:00", &done, "open");
        assert_eq!(again.resolution_due, Some(utc("2026-01-13T18:00")));
        assert_eq!(again.pauses, None);
    });
}

#[test]
fn a_due_date_agreed_on_stays() {
    with_rules(DEFAULTS, |rules| {
        let new = received(rules);
        let agreed = Some(utc("2026-02-02T12:00"));
        let given = Case {
            resolution_due: agreed,
            priority: Some("high".into()),
            ..new.clone()
        };
        let case = rules
            .update(at("2026-01-05T10:00"), [&Facts::new(); 2], &new, &given)
            .case;
        assert_eq!(case.resolution_due, agreed);
        assert_eq!(
            moved(rules, "2026-01-05T11:00", &case, "open").resolution_due,
            agreed
        );
    });
}

#[test]
fn clearing_the_queue_has_the_case_sorted_again() {
    with_rules(DEFAULTS, |rules| {
        let new = received(rules);
        let given = Case {
            queue: None,
            ..new.clone()
        };
        let case = rules
            .update(
                at("2026-01-05T10:00"),
                [&facts(&[("category", "outage")]); 2],
                &new,
                &given,
            )
            .case;
        assert_eq!(
            (case.queue.as_deref(), case.priority.as_deref()),
            (Some("second-line"), Some("normal"))
        );
    });
}

#[test]
fn history_is_taken_in_as_it_was() {
    let importing = Moment {
        importing: true,
        ..at("2026-06-01T08:00")
    };
    with_rules(DEFAULTS, |rules| {
        let closed = Case {
            received_at: Some(utc("2024-03-27T12:00")),
            first_response_at: Some(utc("2024-03-27T13:00")),
            resolved_at: Some(utc("2024-04-05T13:00")),
            ..case("closed")
        };
        let taken = rules.create(importing, &Facts::new(), &closed).case;
        // Easter lies between: Wednesday 13:00 plus 24 hours of 8 a day is Thursday the week after, 13:00.
        assert_eq!(taken.resolution_due, Some(utc("2024-04-04T11:00")));
        assert_eq!(
            (taken.first_response_met, taken.resolution_met),
            (Some(true), Some(false))
        );
        assert_eq!(
            (taken.escalate_at, taken.closed_at, taken.resolved_at),
            (None, None, closed.resolved_at)
        );
        let silent = Case {
            received_at: Some(utc("2024-03-27T12:00")),
            ..case("closed")
        };
        let taken = rules.create(importing, &Facts::new(), &silent).case;
        assert_eq!(
            (taken.resolved_at, taken.resolution_met),
            (None, None),
            "nobody knows when"
        );
        let open = Case {
            received_at: Some(utc("2026-05-20T08:00")),
            ..case("open")
        };
        let taken = rules.create(importing, &Facts::new(), &open).case;
        assert_eq!(
            (taken.escalation_level, taken.escalate_at),
            (Some(4), None),
            "all of it had passed"
        );
    });
    let escalating = DEFAULTS.replace("escalate_imported = false", "escalate_imported = true");
    with_rules(&escalating, |rules| {
        let open = Case {
            received_at: Some(utc("2026-05-20T08:00")),
            ..case("open")
        };
        let taken = rules.create(importing, &Facts::new(), &open).case;
        assert_eq!(
            (taken.escalation_level, taken.escalate_at.is_some()),
            (None, true)
        );
    });
}

#[test]
fn how_the_targets_stand_is_told_in_business_minutes() {
    let new = || with_rules(DEFAULTS, received);
    let waiting = || {
        with_rules(DEFAULTS, |rules| {
            moved(
                rules,
                "2026-01-05T10:00",
                &received(rules),
                "waiting_customer",
            )
        })
    };
    let rows = [
        (
            new(),
            "2026-01-05T09:30",
            "running",
            Some("2026-01-08T08:00"),
            90,
        ),
        (
            new(),
            "2026-01-06T06:00",
            "running",
            Some("2026-01-08T08:00"),
            420,
        ),
        (
            new(),
            "2026-01-08T08:00",
            "running",
            Some("2026-01-08T08:00"),
            1_440,
        ),
        (
            new(),
            "2026-01-08T09:00",
            "missed",
            Some("2026-01-08T08:00"),
            1_500,
        ),
        (waiting(), "2026-01-15T09:00", "paused", None, 120),
    ];
    for (case, now, state, due, used) in rows {
        with_rules(DEFAULTS, |rules| {
            let clock = rules.clock(&Facts::new(), &case).unwrap();
            let standing = clock.standing(Goal::Resolution, &case, utc(now)).unwrap();
            assert_eq!(
                (standing.state, standing.due, standing.used_minutes),
                (state, due.map(utc), used),
                "{now}"
            );
            assert_eq!(standing.allowed_minutes, 1_440);
        });
    }
}

#[test]
fn the_ladder_is_climbed_step_by_step_and_each_step_once() {
    with_rules(DEFAULTS, |rules| {
        let mut case = received(rules);
        let expected = [
            "2026-01-05T12:00",
            "2026-01-07T11:12",
            "2026-01-08T08:00",
            "2026-01-09T08:00",
        ];
        for (level, due) in (1..).zip(expected) {
            assert_eq!(case.escalate_at, Some(utc(due)), "before level {level}");
            let given = Case {
                escalation_level: Some(level),
                ..case.clone()
            };
            case = rules
                .update(at(due), [&Facts::new(); 2], &case, &given)
                .case;
        }
        assert_eq!(case.escalate_at, None);
    });
}

#[test]
fn what_was_brought_in_about_a_target_stays_until_the_target_changes() {
    with_rules(DEFAULTS, |rules| {
        let importing = Moment {
            importing: true,
            ..at("2026-06-01T08:00")
        };
        let silent = Case {
            received_at: Some(utc("2026-05-20T08:00")),
            resolution_met: Some(true),
            ..case("closed")
        };
        let taken = rules.create(importing, &Facts::new(), &silent).case;
        assert_eq!(taken.resolution_met, Some(true));
        let given = Case {
            tier: Some("B".into()),
            ..taken.clone()
        };
        let changed = rules
            .update(at("2026-06-02T08:00"), [&Facts::new(); 2], &taken, &given)
            .case;
        assert_eq!(changed.resolution_met, Some(true));
    });
}

/// A case whose clock stood now and then, and became urgent at some time: its targets are those of a
/// case that was urgent from the start.
#[test]
fn pauses_are_reckoned_anew_when_another_promise_holds() {
    // Pauses in office hours, over a night, over a weekend, and some of them; the case becomes urgent
    // before, between, within or with the end of them.
    let monday_morning = ("2026-01-05T09:00", "2026-01-05T11:00");
    let night = ("2026-01-05T14:00", "2026-01-06T08:00");
    let weekend = ("2026-01-09T14:30", "2026-01-12T07:30");
    let rows: [(&[(&str, &str)], &str); 7] = [
        (&[monday_morning], "2026-01-05T11:00"),
        (&[monday_morning], "2026-01-05T12:00"),
        (&[monday_morning], "2026-01-05T08:30"),
        (&[monday_morning], "2026-01-05T10:00"),
        (&[night, weekend], "2026-01-07T09:00"),
        (&[monday_morning, night, weekend], "2026-01-12T07:30"),
        (&[monday_morning, night, weekend], "2026-01-10T12:00"),
    ];
    with_rules(DEFAULTS, |rules| {
        for (pauses, urgent_at) in rows {
            let late = story(rules, "normal", pauses, urgent_at);
            let early = story(rules, "urgent", pauses, urgent_at);
            assert_eq!(
                late.resolution_due, early.resolution_due,
                "{pauses:?} {urgent_at}"
            );
            assert_eq!(late.first_response_due, early.first_response_due);
            assert_eq!(late.paused_minutes, early.paused_minutes);
            assert_eq!(late.pauses, early.pauses);
        }
        // By the numbers: two hours of pause, eight hours promised, received at 08:00.
        let late = story(rules, "normal", &[monday_morning], "2026-01-05T12:00");
        assert_eq!(late.resolution_due, Some(utc("2026-01-05T18:00")));
    });
}

/// What becomes of a case of a priority that waits for the customer so often, and is urgent from a
/// time on.
fn story(rules: &Rules<'_>, priority: &str, pauses: &[(&str, &str)], urgent_at: &str) -> Case {
    let given = Case {
        priority: Some(priority.to_owned()),
        ..case("open")
    };
    let begun = rules.create(at("2026-01-05T08:00"), &Facts::new(), &given);
    let mut events: Vec<(&str, Option<&str>)> = pauses
        .iter()
        .flat_map(|(since, until)| [(*since, Some("waiting_customer")), (*until, Some("open"))])
        .collect();
    events.push((urgent_at, None));
    events.sort_by_key(|(when, status)| (utc(when), status.is_none()));
    events
        .into_iter()
        .fold(begun.case, |before, (when, status)| {
            let given = Case {
                status: status.map_or_else(|| before.status.clone(), str::to_owned),
                priority: status
                    .map_or_else(|| Some("urgent".to_owned()), |_| before.priority.clone()),
                ..before.clone()
            };
            rules
                .update(at(when), [&Facts::new(); 2], &before, &given)
                .case
        })
}

#[test]
fn minutes_set_by_hand_are_kept_beside_the_pauses_that_are_known() {
    with_rules(DEFAULTS, |rules| {
        let pauses = [("2026-01-05T09:00", "2026-01-05T10:00")];
        let before = story(rules, "urgent", &pauses, "2026-01-05T10:30");
        assert_eq!(before.paused_minutes, Some(60));
        let given = Case {
            paused_minutes: Some(75),
            ..before.clone()
        };
        let case = rules.update(at("2026-01-05T11:00"), [&Facts::new(); 2], &before, &given);
        let kept = case.case.pauses.unwrap();
        assert!(kept.starts_with("+15 2026-01-05T09:00:00Z/"), "{kept}");
    });
}

/// What a person corrects may lead to another row, which promises anew: pauses are not counted in hours by
/// which nothing was promised.
#[test]
fn a_fact_that_leads_to_another_row_promises_anew() {
    let row = "[[target]]\nwhen = { category = \"safety\" }\ncalendar = \"always\"\nfirst_response = \"1h\"\nresolution = \"8h\"\n\n[[target]]";
    let settings = DEFAULTS.replacen("[[target]]", row, 1);
    with_rules(&settings, |rules| {
        let new = received(rules);
        assert_eq!(new.resolution_due, Some(utc("2026-01-08T08:00")));
        let (before, now) = (Facts::new(), facts(&[("category", "safety")]));
        let told = |when: &str, facts, case: &Case, status: &str| {
            let given = Case {
                status: status.into(),
                ..case.clone()
            };
            rules.update(at(when), facts, case, &given).case
        };
        let safety = told("2026-01-05T09:00", [&before, &now], &new, "new");
        assert_eq!(safety.resolution_due, Some(utc("2026-01-05T16:00")));
        let waits = told("2026-01-05T10:00", [&now; 2], &safety, "waiting_customer");
        let open = told("2026-01-06T10:00", [&now; 2], &waits, "open");
        assert_eq!(open.paused_minutes, Some(24 * 60));
        assert_eq!(open.resolution_due, Some(utc("2026-01-06T16:00")));
        // And back: the same pause is other minutes by the desk's hours.
        let back = told("2026-01-06T11:00", [&now, &before], &open, "open");
        assert_eq!(back.paused_minutes, Some(8 * 60));
    });
}
