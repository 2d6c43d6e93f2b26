//! The next best actions, each with its reason. People are named by their role: what is written on
//! the opportunity holds no person's data.

use std::cmp::Reverse;

use crate::assessment::{Assessment, NextAction};
use crate::jobs::{Gap, Missing, Standing, weight};
use crate::settings::{Job, Settings};
use crate::situation::{Person, Row, Situation, State};

/// All that is worth doing, best first; equal weights in the order of the jobs.
pub fn next_actions(
    settings: &Settings,
    situation: &Situation,
    assessment: &Assessment,
) -> Vec<NextAction> {
    let adviser = Adviser {
        settings,
        situation,
        assessment,
    };
    let mut actions = adviser.about_people();
    for (job, standing) in settings.rules.jobs.iter().zip(&assessment.jobs) {
        actions.extend(adviser.about_job(job, standing));
    }
    actions.extend(adviser.about_group());
    actions.sort_by_key(|action| Reverse(action.weight));
    keep_first_of_each(&mut actions);
    actions.truncate(settings.most_actions);
    actions
}

/// The same advice for several jobs is given once, for the job where it weighs most.
fn keep_first_of_each(actions: &mut Vec<NextAction>) {
    let mut seen = Vec::new();
    actions.retain(|action| {
        let new = !seen.contains(&action.action);
        if new {
            seen.push(action.action.clone());
        }
        new
    });
}

struct Adviser<'a> {
    settings: &'a Settings,
    situation: &'a Situation,
    assessment: &'a Assessment,
}

impl Adviser<'_> {
    fn points(&self, name: &str) -> i64 {
        self.settings.actions.get(name)
    }

    /// What a person's influence adds to a weight.
    fn influence(&self, person: Option<&str>) -> i64 {
        let person = person.and_then(|id| self.situation.person(id));
        person.map_or(0, |person| {
            weight(self.settings, person) * self.points("per_influence")
        })
    }

    /// `the economic buyer`, or `the group`.
    fn who(&self, person: Option<&str>) -> String {
        let person = person.and_then(|id| self.situation.person(id));
        person.map_or_else(
            || "the group".to_owned(),
            |person| format!("the {}", self.settings.rules.role_label(&person.role)),
        )
    }

    fn advise(
        &self,
        kind: &str,
        person: Option<&str>,
        job: &str,
        action: String,
        reason: String,
    ) -> NextAction {
        let weight = self.points(kind) + self.influence(person);
        NextAction {
            person: person.map(str::to_owned),
            job: job.to_owned(),
            action,
            reason,
            weight,
        }
    }

    fn about_people(&self) -> Vec<NextAction> {
        let opposed = self
            .situation
            .people
            .iter()
            .filter(|person| person.is_opposed());
        let meet = |person: &Person| {
            let who = self.who(Some(&person.id));
            let reason =
                format!("{who} is opposed, and one opposed voice is enough for no decision");
            self.advise(
                "opposed",
                Some(&person.id),
                "",
                format!("Meet {who} and hear the objections"),
                reason,
            )
        };
        opposed.map(meet).collect()
    }

    fn about_job(&self, job: &Job, standing: &Standing) -> Vec<NextAction> {
        let mut actions = Vec::new();
        for row in self.situation.rows_of(&job.name) {
            actions.extend(self.about_row(job, row));
        }
        if standing.is_begun() {
            actions.extend(
                standing
                    .missing
                    .iter()
                    .filter_map(|missing| self.about_missing(job, missing)),
            );
        } else if self.is_next(job) {
            actions.extend(
                standing
                    .missing
                    .iter()
                    .take(1)
                    .filter_map(|missing| self.begin(job, missing)),
            );
        }
        actions
    }

    fn about_row(&self, job: &Job, row: &Row) -> Option<NextAction> {
        let person = row.person.as_deref();
        let who = self.who(person);
        let phrase = job.phrase();
        match row.state {
            State::Reopened => {
                let late = if self.assessment.late {
                    ", and late"
                } else {
                    ""
                };
                let reason = format!("it was finished and is open again{late}");
                Some(self.advise(
                    "reopened",
                    person,
                    &job.name,
                    format!("Find out why {who} reopened {phrase}"),
                    reason,
                ))
            }
            State::Done if !row.validated => {
                let reason = "it counts as done, but nobody has checked it".to_owned();
                Some(self.advise(
                    "unproven",
                    person,
                    &job.name,
                    format!("Have {who} confirm {phrase}"),
                    reason,
                ))
            }
            _ => None,
        }
    }

    fn about_missing(&self, job: &Job, missing: &Missing) -> Option<NextAction> {
        let phrase = job.phrase();
        let role = self.settings.rules.role_label(&missing.role);
        let person = missing.person.as_deref();
        match missing.gap {
            Gap::Nobody => {
                let reason = format!("nobody in the group has this role in {phrase}");
                Some(self.advise(
                    "missing_role",
                    None,
                    &job.name,
                    format!("Find the {role}"),
                    reason,
                ))
            }
            Gap::Consent if self.has_better_advice(job, person) => None,
            Gap::Absent => {
                let reason = format!("the {role} {} while others are under way", missing.reason);
                Some(self.advise(
                    "disagreement",
                    person,
                    &job.name,
                    format!("Bring the {role} into {phrase}"),
                    reason,
                ))
            }
            Gap::Consent => {
                let reason = format!("the {role} {}", missing.reason);
                Some(self.advise(
                    "disagreement",
                    person,
                    &job.name,
                    format!("Win the agreement of the {role} on {phrase}"),
                    reason,
                ))
            }
        }
    }

    /// Whether what to do about a person who does not agree is said already: one who is opposed, or
    /// who opened the job again.
    fn has_better_advice(&self, job: &Job, person: Option<&str>) -> bool {
        let opposed = person
            .and_then(|id| self.situation.person(id))
            .is_some_and(Person::is_opposed);
        let mut rows = self.situation.rows_of(&job.name);
        opposed || rows.any(|row| row.person.as_deref() == person && row.state == State::Reopened)
    }

    /// Whether this is the first job of its own that nobody has begun.
    fn is_next(&self, job: &Job) -> bool {
        let mut open = self.settings.rules.jobs.iter().zip(&self.assessment.jobs);
        let first = open.find(|(job, standing)| job.measures.is_none() && !standing.is_begun());
        first.is_some_and(|(first, _)| first.name == job.name)
    }

    fn begin(&self, job: &Job, missing: &Missing) -> Option<NextAction> {
        let role = self.settings.rules.role_label(&missing.role);
        let reason = "nobody in the group has begun it".to_owned();
        Some(self.advise(
            "begin",
            missing.person.as_deref(),
            &job.name,
            format!("Begin {} with the {role}", job.phrase()),
            reason,
        ))
    }

    fn about_group(&self) -> Vec<NextAction> {
        let mut actions = Vec::new();
        let (known, expected) = (self.situation.people.len(), self.assessment.expected_people);
        if i64::try_from(known).unwrap_or(i64::MAX) < expected {
            let reason = format!("{known} of about {expected} people are known");
            actions.push(self.advise(
                "group",
                None,
                "",
                "Ask who else takes part in the decision".to_owned(),
                reason,
            ));
        }
        let days = self.assessment.silent_days;
        if days > self.settings.no_decision.get("silence_from_days") {
            let reason = format!("nothing was heard for {days} days");
            actions.push(self.advise(
                "silence",
                None,
                "",
                "Agree on a next step with the customer".to_owned(),
                reason,
            ));
        }
        let gap = self.assessment.gap;
        if gap >= self.points("ahead_from") {
            let reason = format!("our stage is {gap} points ahead of the customer's jobs");
            actions.push(self.advise(
                "ahead",
                None,
                "",
                "Help the customer catch up before the next stage".to_owned(),
                reason,
            ));
        }
        actions
    }
}
