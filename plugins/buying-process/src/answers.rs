//! The answers to the questions of the `buying-process` interface.

use kjerne_sdk::{
    Assessment as Answer, Fields, JobAssessment, JobDescription, Missing as MissingAnswer,
    NextAction as ActionAnswer, RecordRef,
};

use crate::assessment::{Assessment, NextAction};
use crate::jobs::{Missing, Standing};
use crate::settings::Job;
use crate::situation::Situation;

/// A job as the contract has it.
pub fn job(job: &Job) -> JobDescription {
    JobDescription {
        name: job.name.clone(),
        label: job.label.clone(),
        within: job.within.clone(),
    }
}

/// An assessment as the contract has it.
pub fn assessment(
    opportunity: &RecordRef,
    situation: &Situation,
    assessment: &Assessment,
) -> Answer {
    let known = i64::try_from(situation.people.len()).unwrap_or(i64::MAX);
    let more = Fields::new()
        .with("our_progress", assessment.ours)
        .with("late_reopening", assessment.late)
        .with("silent_days", assessment.silent_days)
        .with("known_people", known)
        .with("expected_people", assessment.expected_people);
    Answer {
        opportunity: opportunity.clone(),
        jobs: assessment.jobs.iter().map(standing).collect(),
        progress: percent(assessment.progress),
        gap: i32::try_from(assessment.gap).unwrap_or(0),
        rework_risk: percent(assessment.rework),
        no_decision_risk: percent(assessment.no_decision),
        next_actions: assessment.actions.iter().map(action).collect(),
        more: more.into(),
    }
}

fn standing(standing: &Standing) -> JobAssessment {
    let activity = |id: &String| RecordRef::new("activity", id);
    JobAssessment {
        job: standing.job.clone(),
        state: standing.state.name().to_owned(),
        validation: percent(standing.validation),
        consensus: percent(standing.consensus),
        reopened_times: u32::try_from(standing.reopened).unwrap_or(0),
        missing: standing.missing.iter().map(missing).collect(),
        evidence: standing.evidence.iter().map(activity).collect(),
        more: Fields::new().with("progress", standing.progress).into(),
    }
}

fn missing(missing: &Missing) -> MissingAnswer {
    MissingAnswer {
        stakeholder: missing
            .person
            .as_ref()
            .map(|id| RecordRef::new("stakeholder", id)),
        role: missing.role.clone(),
        reason: missing.reason.to_owned(),
    }
}

fn action(action: &NextAction) -> ActionAnswer {
    ActionAnswer {
        stakeholder: action
            .person
            .as_ref()
            .map(|id| RecordRef::new("stakeholder", id)),
        job: action.job.clone(),
        action: action.action.clone(),
        reason: action.reason.clone(),
        weight: u32::try_from(action.weight).unwrap_or(0),
    }
}

/// Percentages are 0 to 100 by the way they are worked out.
fn percent(number: i64) -> u8 {
    u8::try_from(number.clamp(0, 100)).unwrap_or(0)
}
