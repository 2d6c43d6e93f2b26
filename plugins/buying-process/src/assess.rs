//! Assesses an opportunity: how far the customer is, the two risks, and from these what to do.

use crate::actions::next_actions;
use crate::assessment::Assessment;
use crate::jobs::{assess_jobs, share, weight};
use crate::settings::Settings;
use crate::situation::{Situation, State};

/// Assesses an opportunity.
pub fn assess(settings: &Settings, situation: &Situation) -> Assessment {
    let jobs = assess_jobs(settings, situation);
    let weights = settings.rules.jobs.iter().map(|job| job.weight);
    let progress = share(weights.zip(jobs.iter().map(|job| job.progress)));
    let ours = our_progress(settings, situation);
    let reopened = jobs.iter().any(|job| job.state == State::Reopened);
    let mut assessment = Assessment {
        progress,
        ours,
        gap: ours - progress,
        rework: 0,
        no_decision: 0,
        late: reopened && ours >= settings.rework.get("late_from"),
        expected_people: settings.group.people(situation.employees),
        silent_days: situation.silent_days(),
        jobs,
        actions: Vec::new(),
    };
    assessment.rework = rework_risk(settings, &assessment);
    assessment.no_decision = no_decision_risk(settings, situation, &assessment);
    assessment.actions = next_actions(settings, situation, &assessment);
    assessment
}

fn our_progress(settings: &Settings, situation: &Situation) -> i64 {
    let stage = situation.stage.as_deref().unwrap_or_default();
    let pipeline = situation.pipeline.as_deref().unwrap_or_default();
    let placed = settings.our_progress.find(&format!("{pipeline}/{stage}"));
    let placed = placed.or_else(|| settings.our_progress.find(stage));
    placed.or(situation.probability).unwrap_or(0).clamp(0, 100)
}

fn rework_risk(settings: &Settings, assessment: &Assessment) -> i64 {
    let points = |name| settings.rework.get(name);
    let mut risk = points("ahead") * assessment.gap.max(0) / 100;
    if assessment.begun(settings).next().is_some() {
        let (validation, consensus) = assessment.ground(settings);
        risk += points("base") + points("unvalidated") * (100 - validation) / 100;
        risk += points("disagreement") * (100 - consensus) / 100;
    }
    let open = assessment
        .jobs
        .iter()
        .filter(|job| job.state == State::Reopened)
        .count();
    let open = i64::try_from(open).unwrap_or(0);
    let times: i64 = assessment.jobs.iter().map(|job| job.reopened).sum();
    risk += points("reopened_now") * open + points("reopened_before") * (times - open).max(0);
    let empty = i64::try_from(assessment.empty_roles(settings).len()).unwrap_or(0);
    risk += points("missing_role") * empty;
    if assessment.late {
        risk += points("late");
    }
    risk.clamp(0, 100)
}

fn no_decision_risk(settings: &Settings, situation: &Situation, assessment: &Assessment) -> i64 {
    let points = |name| settings.no_decision.get(name);
    let (_, consensus) = assessment.ground(settings);
    let people = i64::try_from(situation.people.len()).unwrap_or(0);
    let unknown = (assessment.expected_people - people).max(0);
    let opposed = situation.people.iter().filter(|person| person.is_opposed());
    let opposed: i64 = opposed.map(|person| weight(settings, person)).sum();
    let championed = situation.has_role("champion")
        || situation
            .people
            .iter()
            .any(|person| person.attitude.as_deref() == Some("champion"));
    let mut risk = silence_points(settings, assessment.silent_days);
    risk += points("disagreement") * (100 - consensus) / 100;
    risk += points("group") * unknown / assessment.expected_people.max(1);
    risk += points("opposed") * opposed / settings.influence.greatest();
    risk += points("ahead") * assessment.gap.max(0) / 100;
    if !championed {
        risk += points("no_champion");
    }
    if !situation.has_role("economic_buyer") {
        risk += points("no_economic_buyer");
    }
    risk.clamp(0, 100)
}

/// Nothing up to the first number of days, everything from the second, a straight line between.
fn silence_points(settings: &Settings, days: i64) -> i64 {
    let number = |name| settings.no_decision.get(name);
    let (from, full) = (number("silence_from_days"), number("silence_full_days"));
    let span = (full - from).max(1);
    number("silence") * (days - from).clamp(0, span) / span
}
