//! Service rules for cases: triage, targets in business hours, pauses, escalation, reopening.
//!
//! The modules decide from plain data; this file reads what they need from the kernel and hands back
//! what they decided.

mod calendar;
mod case;
mod clock;
mod condition;
mod duration;
mod escalation;
mod faults;
mod fields;
mod names;
mod pauses;
mod person;
mod read;
mod rules;
mod screens;
mod settings;
mod steps;
mod surroundings;
mod target;
mod triage;

use kjerne_sdk::prelude::*;
use kjerne_sdk::settings::Faults;

use crate::case::Case;
use crate::clock::Goal;
use crate::faults::faults;
use crate::fields::{case_of, differences};
use crate::rules::{Moment, Rules, current};
use crate::settings::Settings;
use crate::surroundings::{Surroundings, is_in_reach};

struct ServiceDesk;

kjerne_sdk::plugin!(ServiceDesk: prepare, shape, guard, service_rules, report, panel);

static SETTINGS: Prepared<Settings> = Prepared::new(|| Settings::load().map_err(Faults::from));

impl Prepare for ServiceDesk {
    fn prepare() -> Result<(), Faults> {
        SETTINGS.get().map_err(Clone::clone).and_then(names::check)
    }

    fn watches() -> Watches {
        let kept = [Operation::Create, Operation::Update];
        let cases = |fields: Vec<&str>| Watch::kind("case").on(&kept).fields(fields);
        let settings = SETTINGS.get().ok().into_iter();
        let required = settings.flat_map(|settings| &settings.required_to_resolve);
        let guarded = fields::OF_CASE.into_iter();
        let guarded = guarded.chain(required.map(String::as_str));
        Watches::as_declared()
            .shape([cases([&fields::OF_CASE[..], &fields::OF_FACTS].concat())])
            .guard([cases(guarded.collect())])
    }
}

impl Shape for ServiceDesk {
    /// Settings that cannot be read are the guard's matter, which can say so.
    fn shape(context: &Context, changes: &[Change], edits: &Edits) {
        let now = context.now().millis();
        let concerned: Vec<&Change> = changes
            .iter()
            .filter(|change| is_shaped(change) && is_reckoned(change, now))
            .collect();
        if concerned.is_empty() {
            return;
        }
        let Ok(settings) = SETTINGS.get() else {
            return;
        };
        let instants = concerned
            .iter()
            .flat_map(|change| fields::instants(&change.after));
        let around = match Surroundings::load(settings, context, instants) {
            Ok(around) => around,
            Err(failure) => panic!("{}: {}", failure.code, failure.message),
        };
        for change in concerned {
            shape_one(settings, &around, moment(settings, context), change, edits);
        }
    }
}

/// Fields that no rule follows once the case is there.
const WITHOUT_RULE: [&str; 4] = ["subject", "thread", "contact", "minutes_spent"];

/// Fields a guard's rule is about.
const GUARDED: [&str; 7] = [
    "status",
    "priority",
    "queue",
    "received_at",
    "first_response_at",
    "resolved_at",
    "closed_at",
];

/// Whether a change touches anything the targets depend on.
fn is_shaped(change: &Change) -> bool {
    match change.operation {
        Operation::Create => true,
        Operation::Update => change
            .changed
            .iter()
            .any(|name| !WITHOUT_RULE.contains(&name.as_str())),
        Operation::Delete | Operation::Other(_) => false,
    }
}

/// Whether all dates of a case are such as can be reckoned with. Others are the guard's matter when
/// they are new; a case that has them already is left as it is.
fn is_reckoned(change: &Change, now: i64) -> bool {
    let near = |fields: &Fields| {
        let all = fields::instants(fields);
        all.into_iter().all(|at| is_in_reach(now, at))
    };
    near(&change.after) && near(&change.before)
}

/// The fields that are given a date nobody can reckon with.
fn far_dates(change: &Change, now: i64) -> Vec<&str> {
    let new = |name: &str| change.operation == Operation::Create || change.changed(name);
    let far = |(name, at): &(&str, i64)| new(name) && !is_in_reach(now, *at);
    let all = fields::times(&change.after).into_iter();
    let mut names: Vec<&str> = all.filter(far).map(|(name, _)| name).collect();
    names.dedup();
    names
}

/// Whether a change touches anything that can be refused.
fn is_guarded(change: &Change, now: i64) -> bool {
    match change.operation {
        Operation::Create => true,
        Operation::Update => {
            GUARDED.iter().any(|name| change.changed(name)) || !far_dates(change, now).is_empty()
        }
        Operation::Delete | Operation::Other(_) => false,
    }
}

fn shape_one(
    settings: &Settings,
    around: &Surroundings,
    moment: Moment,
    change: &Change,
    edits: &Edits,
) {
    let rules = Rules {
        settings,
        zones: &around.zones,
    };
    let given = case_of(&change.after);
    let shaped = if change.operation == Operation::Create {
        rules.create(moment, &around.facts(&change.after, true), &given)
    } else {
        let retriaged = given.priority.is_none() || given.queue.is_none();
        let facts = around.facts(&change.after, retriaged);
        let differ = fields::OF_FACTS.iter().any(|field| change.changed(field));
        let earlier = differ.then(|| around.facts(&change.before, retriaged));
        let both = [earlier.as_ref().unwrap_or(&facts), &facts];
        rules.update(moment, both, &case_of(&change.before), &given)
    };
    for (name, value) in differences(&given, &shaped.case) {
        match value {
            Some(value) => edits.set(change, name, value),
            None => edits.clear(change, name),
        }
    }
    if let Some(owner) = shaped
        .owner
        .and_then(|person| around.find(&person, &change.after))
    {
        edits.set(change, "owner", owner);
    }
}

fn moment(settings: &Settings, context: &Context) -> Moment {
    Moment {
        now: context.now().millis(),
        importing: settings.imports(context.actor()),
    }
}

impl Guard for ServiceDesk {
    fn guard(context: &Context, changes: &[Change], findings: &Findings) {
        let now = context.now().millis();
        let concerned: Vec<&Change> = changes
            .iter()
            .filter(|change| is_guarded(change, now))
            .collect();
        let Some(first) = concerned.first() else {
            return;
        };
        let settings = match SETTINGS.get() {
            Ok(settings) => settings,
            Err(error) => {
                let message =
                    format!("The settings of service-rules cannot be used: {error}. Correct them.");
                return findings.refuse(first, None, "bad-settings", message);
            }
        };
        let moment = moment(settings, context);
        for change in concerned {
            let before = (change.operation == Operation::Update).then(|| case_of(&change.before));
            for field in far_dates(change, now) {
                let message = format!(
                    "'{field}' lies more than 50 years from now; correct it, or leave it empty."
                );
                findings.refuse(change, Some(field), "time-out-of-reach", message);
            }
            let has = |field: &str| !change.after.is_empty(field);
            for fault in faults(
                settings,
                moment,
                before.as_ref(),
                &case_of(&change.after),
                &has,
            ) {
                findings.refuse(change, Some(&fault.field), &fault.code, fault.message);
            }
        }
    }
}

impl ServiceRules for ServiceDesk {
    fn triage(context: &Context, case: &RecordRef) -> Result<TriageResult, Failure> {
        let settings = load_settings()?;
        let record = load(case)?;
        let around = Surroundings::load(settings, context, fields::instants(&record.fields))?;
        // As it would be decided now, so without what an earlier decision put there.
        let undecided = Case {
            priority: None,
            queue: None,
            ..case_of(&record.fields)
        };
        let facts = current(&around.facts(&record.fields, true), &undecided);
        let (rule, verdict) = triage::triage(settings, &facts);
        Ok(TriageResult {
            rule,
            priority: verdict.priority.unwrap_or_default(),
            queue: verdict.queue.unwrap_or_default(),
            owner: verdict
                .owner
                .and_then(|person| around.find(&person, &record.fields)),
            more: Vec::new(),
        })
    }

    fn targets(context: &Context, case: &RecordRef) -> Result<Vec<CaseTarget>, Failure> {
        let settings = load_settings()?;
        let record = load(case)?;
        let around = Surroundings::load(settings, context, fields::instants(&record.fields))?;
        let (case, facts) = (case_of(&record.fields), around.facts(&record.fields, false));
        let rules = Rules {
            settings,
            zones: &around.zones,
        };
        let Some(clock) = rules.clock(&facts, &case) else {
            return Ok(Vec::new());
        };
        let standing = |goal: Goal| {
            let standing = clock.standing(goal, &case, context.now().millis())?;
            let minutes = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
            Some(CaseTarget {
                name: goal.name().to_owned(),
                due: standing.due,
                used_minutes: minutes(standing.used_minutes),
                allowed_minutes: minutes(standing.allowed_minutes),
                state: standing.state.to_owned(),
                more: Fields::new().with("calendar", &clock.row.calendar).into(),
            })
        };
        Ok([Goal::FirstResponse, Goal::Resolution]
            .into_iter()
            .filter_map(standing)
            .collect())
    }

    fn escalate(context: &Context, case: &RecordRef, effects: &Effects) -> Result<(), Failure> {
        let settings = load_settings()?;
        let record = load(case)?;
        let around = Surroundings::load(settings, context, fields::instants(&record.fields))?;
        escalation::escalate(settings, &around, context.now(), &record, effects)
    }
}

impl Report for ServiceDesk {
    fn rows(
        context: &Context,
        report: &str,
        arguments: &Fields,
        after: Option<&str>,
    ) -> Result<ReportPage, Failure> {
        match report {
            "targets" => screens::targets(context, arguments, after),
            _ => Err(Failure::new(
                "unknown-report",
                format!("There is no report {report}."),
            )),
        }
    }
}

impl Panel for ServiceDesk {
    fn show(
        context: &Context,
        panel: &str,
        about: Option<&RecordRef>,
    ) -> Result<Option<Card>, Failure> {
        match (panel, about) {
            ("targets", Some(case)) => {
                let targets = <Self as ServiceRules>::targets(context, case)?;
                Ok(screens::card(&targets))
            }
            _ => Err(Failure::new(
                "unknown-panel",
                format!("There is no panel {panel}."),
            )),
        }
    }
}

fn load_settings() -> Result<&'static Settings, Failure> {
    let settings = SETTINGS.get();
    settings.map_err(|faults| Failure::new("bad-settings", faults.to_string()))
}

fn load(case: &RecordRef) -> Result<Record, Failure> {
    records::get(case)?.ok_or_else(|| Failure::new("not-found", format!("There is no {case}.")))
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
