//! What the rules make of a case when it is created or changed: triage, targets, pauses, reopening.

use std::collections::BTreeMap;

use kjerne_sdk::Zone;

use crate::calendar::Hours;
use crate::case::Case;
use crate::clock::{Clock, Goal};
use crate::condition::Facts;
use crate::pauses::Pauses;
use crate::person::Person;
use crate::settings::{ReopenTargets, Settings};
use crate::steps::{next_step, passed_level};
use crate::triage::triage;

/// The rules, ready to be used: the settings and the zones of their calendars.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The zones by name.
    pub zones: &'a BTreeMap<String, Zone>,
}

/// When a change happens, and whether it brings in history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Now, in milliseconds since 1970.
    pub now: i64,
    /// Whether the actor is one of those that import.
    pub importing: bool,
}

/// A case as the rules want it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shaped {
    /// Its fields.
    pub case: Case,
    /// The owner triage names, where nobody set one; found by whoever can look people up.
    pub owner: Option<Person>,
}

impl<'a> Rules<'a> {
    /// The clock that holds for a case with these facts; none when no row of the table fits. What a step
    /// of the ladder has made of the case is no part of what was promised.
    pub fn clock(&self, facts: &Facts, case: &Case) -> Option<Clock<'a>> {
        let mut facts = current(facts, case);
        for (name, value) in Pauses::of(case).promised() {
            facts.insert(name, vec![value.clone()]);
        }
        let row = self.settings.targets.iter().find(|row| row.fits(&facts))?;
        let calendar = self.settings.calendars.get(&row.calendar)?;
        Some(Clock {
            row,
            hours: Hours {
                calendar,
                zone: self.zones.get(&calendar.zone)?,
            },
        })
    }

    /// Shapes a new case. What is already set stays.
    pub fn create(&self, moment: Moment, facts: &Facts, given: &Case) -> Shaped {
        let mut case = given.clone();
        let received = *case.received_at.get_or_insert(moment.now);
        if case.tier.is_none() {
            case.tier = facts
                .get("account_tier")
                .and_then(|tiers| tiers.first())
                .cloned();
        }
        let owner = self.sort(facts, &mut case);
        let facts = current(facts, &case);
        if let Some(clock) = self.clock(&facts, &case) {
            if case.paused_minutes.is_none() {
                count_pauses(&clock, &mut case);
            }
            set_targets(&clock, &mut case, received);
        }
        if case.waits_for_customer() {
            case.paused_since = case
                .paused_since
                .or(case.first_response_at)
                .or(Some(received));
        }
        if case.is_finished() {
            finish(&mut case, moment);
        }
        if let Some(clock) = self.clock(&facts, &case) {
            case.first_response_met = case
                .first_response_met
                .or(clock.judge(Goal::FirstResponse, &case));
            case.resolution_met = case.resolution_met.or(clock.judge(Goal::Resolution, &case));
            if moment.importing && !self.settings.escalate_imported && case.is_open() {
                let passed = passed_level(&self.settings.steps, &case, &facts, &clock, moment.now);
                case.escalation_level = Some(passed).filter(|level| *level > 0);
            }
        }
        self.set_alarm(&facts, &mut case);
        Shaped { case, owner }
    }

    /// Shapes a change of a case. `facts` are those of before and those of now: what a person changes may lead to
    /// another row of targets, which promises anew.
    pub fn update(
        &self,
        moment: Moment,
        [earlier, facts]: [&Facts; 2],
        before: &Case,
        given: &Case,
    ) -> Shaped {
        let mut case = given.clone();
        let owner = if case.priority.is_none() || case.queue.is_none() {
            self.sort(facts, &mut case)
                .filter(|_| before.owner.is_none())
        } else {
            None
        };
        let old_clock = self.clock(earlier, before);
        let facts = current(facts, &case);
        correct_pauses(before, &mut case);
        self.keep_promise(&facts, before, &mut case);
        let clock = self.clock(&facts, &case);
        if let Some(clock) = &clock {
            self.follow(
                moment,
                clock,
                old_clock.as_ref().unwrap_or(clock),
                before,
                &mut case,
            );
            keep_given_dues(before, given, &mut case);
        }
        self.follow_status(moment, before, given, &mut case);
        if let Some(clock) = &clock {
            judge_anew(clock, before, &mut case);
        }
        self.set_alarm(&facts, &mut case);
        Shaped { case, owner }
    }

    /// Fills in what triage decides and nobody set.
    fn sort(&self, facts: &Facts, case: &mut Case) -> Option<Person> {
        let (rule, verdict) = triage(self.settings, &current(facts, case));
        case.triage_rule = Some(rule).filter(|rule| !rule.is_empty());
        case.priority = case.priority.take().or(verdict.priority);
        case.queue = case.queue.take().or(verdict.queue);
        verdict.owner.filter(|_| case.owner.is_none())
    }

    /// Keeps by what the targets were promised when a step changes it: a step does not take back what was
    /// promised to the customer. What a person changes is promised anew, and so is a case that begins anew.
    pub fn keep_promise(&self, facts: &Facts, before: &Case, case: &mut Case) {
        let changes = [
            ("priority", &before.priority, &case.priority),
            ("queue", &before.queue, &case.queue),
        ];
        let changed = changes.iter().filter(|(_, old, new)| old != new);
        let mut pauses = Pauses::of(case);
        if self.begins_anew(before, case) {
            let all = changes.iter();
            all.for_each(|(name, ..)| pauses.forget_promised(name));
        } else if case.level() > before.level() {
            let row = |case: &Case| self.clock(facts, case).map(|clock| clock.row);
            if row(case) == row(before) {
                return;
            }
            changed.for_each(|(name, old, _)| pauses.keep_promised(name, old.as_ref()));
        } else {
            changed.for_each(|(name, ..)| pauses.forget_promised(name));
        }
        if pauses != Pauses::of(case) {
            case.pauses = pauses.written();
        }
    }

    /// Whether a case is reopened and its clock begins anew.
    fn begins_anew(&self, before: &Case, case: &Case) -> bool {
        let restarts = self.settings.reopen_targets == ReopenTargets::Restart;
        restarts && before.is_finished() && case.is_open()
    }

    /// Moves the targets: for a pause that ends, a promise that changes, a case that is reopened.
    fn follow(
        &self,
        moment: Moment,
        clock: &Clock<'_>,
        old: &Clock<'_>,
        before: &Case,
        case: &mut Case,
    ) {
        if let Some(since) = case
            .paused_since
            .or(before.paused_since)
            .filter(|_| !case.waits_for_customer())
        {
            let until = case
                .resolved_at
                .filter(|_| case.is_finished())
                .unwrap_or(moment.now);
            old.resume(case, since, until);
        }
        if before.is_finished() && case.is_open() {
            self.restart(moment, clock, before, case);
        }
        // What begins anew has its targets from now, whatever else is changed with it.
        if self.begins_anew(before, case) {
            return;
        }
        let promise_changed = clock.row != old.row || case.received_at != before.received_at;
        if promise_changed && case.is_open() {
            let restarted =
                case.run() > 0 && self.settings.reopen_targets == ReopenTargets::Restart;
            let start = if restarted {
                old.start(case)
            } else {
                case.received_at
            };
            if case.first_response_at.is_none() {
                case.first_response_due = None;
            }
            case.resolution_due = None;
            // The same pauses are other minutes by another promise's hours.
            count_pauses(clock, case);
            set_targets(clock, case, start.unwrap_or(moment.now));
        } else if case.is_open() {
            set_targets(clock, case, case.received_at.unwrap_or(moment.now));
        }
    }

    /// What reopening does to the targets.
    fn restart(&self, moment: Moment, clock: &Clock<'_>, before: &Case, case: &mut Case) {
        case.resolution_met = None;
        match self.settings.reopen_targets {
            ReopenTargets::Continue => {
                let since = before.finished_at().unwrap_or(moment.now);
                clock.resume(case, since, moment.now);
            }
            ReopenTargets::Restart => {
                case.paused_minutes = None;
                case.pauses = None;
                case.escalation_level = None;
                case.resolution_due = None;
                if case.first_response_at.is_none() {
                    case.first_response_due = None;
                }
                set_targets(clock, case, moment.now);
            }
        }
    }

    /// Notes when a case was paused, finished or reopened.
    fn follow_status(&self, moment: Moment, before: &Case, given: &Case, case: &mut Case) {
        if case.waits_for_customer() {
            case.paused_since = case.paused_since.or(Some(moment.now));
        } else {
            case.paused_since = None;
        }
        if before.is_finished() && case.is_open() {
            case.reopened_times = Some(before.run() + 1);
            case.resolved_at = given
                .resolved_at
                .filter(|_| given.resolved_at != before.resolved_at);
            case.closed_at = given
                .closed_at
                .filter(|_| given.closed_at != before.closed_at);
        }
        if case.is_finished() && case.status != before.status {
            finish(case, moment);
            if before.is_open() && self.settings.resolution_is_response && !moment.importing {
                case.first_response_at = case.first_response_at.or(case.resolved_at);
            }
        }
    }

    /// Says when the next step is due.
    fn set_alarm(&self, facts: &Facts, case: &mut Case) {
        let clock = self.clock(facts, case);
        let next = clock.and_then(|clock| next_step(&self.settings.steps, case, facts, &clock));
        case.escalate_at = next.map(|(at, _)| at);
    }
}

/// The facts with what the rules have decided so far.
pub fn current(facts: &Facts, case: &Case) -> Facts {
    let mut facts = facts.clone();
    let mut tell =
        |name, value: Option<&String>| facts.insert(name, value.cloned().into_iter().collect());
    tell("status", Some(&case.status));
    tell("tier", case.tier.as_ref());
    tell("priority", case.priority.as_ref());
    tell("queue", case.queue.as_ref());
    facts
}

/// Minutes that a person set by hand are kept beside the pauses that are known.
fn correct_pauses(before: &Case, case: &mut Case) {
    let minutes = case.paused_minutes.unwrap_or(0) - before.paused_minutes.unwrap_or(0);
    if minutes != 0 && case.pauses == before.pauses {
        let mut pauses = Pauses::of(before);
        pauses.correct(minutes);
        case.pauses = pauses.written();
    }
}

/// Counts the minutes of the pauses that are known by the hours that hold.
fn count_pauses(clock: &Clock<'_>, case: &mut Case) {
    let pauses = Pauses::of(case);
    if case.paused_minutes.is_some() || !pauses.is_none() {
        case.paused_minutes = Some(pauses.minutes(&clock.hours));
    }
}

/// Sets the targets that are not set.
fn set_targets(clock: &Clock<'_>, case: &mut Case, start: i64) {
    let paused = case.paused_minutes.unwrap_or(0);
    case.first_response_due = case
        .first_response_due
        .or_else(|| clock.due_from(Goal::FirstResponse, start, paused));
    case.resolution_due = case
        .resolution_due
        .or_else(|| clock.due_from(Goal::Resolution, start, paused));
}

/// Judges the targets that were reached, missed or moved by this change; what was brought in about
/// the others stays as it is.
fn judge_anew(clock: &Clock<'_>, before: &Case, case: &mut Case) {
    let concerns = |goal: Goal, case: &Case| {
        goal.reached(case) != goal.reached(before) || goal.due(case) != goal.due(before)
    };
    if concerns(Goal::FirstResponse, case) {
        case.first_response_met = clock.judge(Goal::FirstResponse, case);
    }
    if concerns(Goal::Resolution, case) {
        case.resolution_met = clock.judge(Goal::Resolution, case);
    }
}

/// A due date somebody agreed on in the same change stays as agreed.
fn keep_given_dues(before: &Case, given: &Case, case: &mut Case) {
    if given.first_response_due.is_some() && given.first_response_due != before.first_response_due {
        case.first_response_due = given.first_response_due;
    }
    if given.resolution_due.is_some() && given.resolution_due != before.resolution_due {
        case.resolution_due = given.resolution_due;
    }
}

/// Notes when a case was finished. History that does not say when stays silent about it.
fn finish(case: &mut Case, moment: Moment) {
    let now = Some(moment.now).filter(|_| !moment.importing);
    if case.status == "closed" {
        case.closed_at = case.closed_at.or(now);
    }
    case.resolved_at = case.resolved_at.or(case.closed_at).or(now);
    case.paused_since = None;
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
