//! Answers of domain models, from the contract's records to plain data.

use kjerne_model::ParseError;

use super::v0_2_0::exports::{
    buying_process as buying, sales_stages as sales, service_rules as service,
};
use super::v0_2_0::{RecordRef, instant_in, reference_in, reply_in};
use kjerne_core::models::{
    Assessment, CaseTarget, Job, JobAssessment, Missing, Move, NextAction, Obstacle, Pipeline,
    Stage, StaleItem, Standing, Triage,
};
use kjerne_model::Reference;

/// What a record of the contract becomes.
type Taken<T> = Result<T, ParseError>;

/// Takes a list, one by one.
pub fn list<A, B>(items: Vec<A>, take: impl Fn(A) -> Taken<B>) -> Taken<Vec<B>> {
    items.into_iter().map(take).collect()
}

fn maybe(reference: Option<&RecordRef>) -> Taken<Option<Reference>> {
    reference.map(reference_in).transpose()
}

/// A pipeline.
pub fn pipeline(from: sales::Pipeline) -> Taken<Pipeline> {
    Ok(Pipeline {
        name: from.name,
        label: from.label,
        stages: list(from.stages, stage)?,
        lost_reasons: from.lost_reasons,
        more: reply_in(from.more)?,
    })
}

fn stage(from: sales::Stage) -> Taken<Stage> {
    Ok(Stage {
        name: from.name,
        label: from.label,
        position: from.position,
        probability: from.probability,
        forecast_category: from.forecast_category,
        outcome: from.outcome,
        stale_after_days: from.stale_after_days,
        moves: from.moves,
        required_fields: from.required_fields,
        more: reply_in(from.more)?,
    })
}

/// Where an opportunity stands.
pub fn standing(from: sales::StageStanding) -> Taken<Standing> {
    let obstacle = |from: sales::Obstacle| Obstacle {
        field: from.field,
        code: from.code,
        message: from.message,
    };
    let one_move = |from: sales::Move| Move {
        stage: from.stage,
        obstacles: from.obstacles.into_iter().map(obstacle).collect(),
    };
    Ok(Standing {
        pipeline: from.pipeline,
        stage: from.stage,
        probability: from.probability,
        forecast_category: from.forecast_category,
        outcome: from.outcome,
        moves: from.moves.into_iter().map(one_move).collect(),
        more: reply_in(from.more)?,
    })
}

/// An opportunity that has stood still.
pub fn stale_item(from: sales::StaleItem) -> Taken<StaleItem> {
    Ok(StaleItem {
        opportunity: reference_in(&from.opportunity)?,
        stage: from.stage,
        days_in_stage: from.days_in_stage,
        limit_days: from.limit_days,
    })
}

/// A job of the buying process.
pub fn job(from: buying::JobDescription) -> Taken<Job> {
    Ok(Job {
        name: from.name,
        label: from.label,
        within: from.within,
    })
}

/// How far the customer is.
pub fn assessment(from: buying::Assessment) -> Taken<Assessment> {
    Ok(Assessment {
        opportunity: reference_in(&from.opportunity)?,
        jobs: list(from.jobs, job_assessment)?,
        progress: from.progress,
        gap: from.gap,
        rework_risk: from.rework_risk,
        no_decision_risk: from.no_decision_risk,
        next_actions: list(from.next_actions, next_action)?,
        more: reply_in(from.more)?,
    })
}

fn job_assessment(from: buying::JobAssessment) -> Taken<JobAssessment> {
    Ok(JobAssessment {
        job: from.job,
        state: from.state,
        validation: from.validation,
        consensus: from.consensus,
        reopened_times: from.reopened_times,
        missing: list(from.missing, missing)?,
        evidence: list(from.evidence, |reference| reference_in(&reference))?,
        more: reply_in(from.more)?,
    })
}

fn missing(from: buying::Missing) -> Taken<Missing> {
    Ok(Missing {
        stakeholder: maybe(from.stakeholder.as_ref())?,
        role: from.role,
        reason: from.reason,
    })
}

fn next_action(from: buying::NextAction) -> Taken<NextAction> {
    Ok(NextAction {
        stakeholder: maybe(from.stakeholder.as_ref())?,
        job: from.job,
        action: from.action,
        reason: from.reason,
        weight: from.weight,
    })
}

/// What the rules make of a case.
pub fn triage(from: service::TriageResult) -> Taken<Triage> {
    Ok(Triage {
        rule: from.rule,
        priority: from.priority,
        queue: from.queue,
        owner: maybe(from.owner.as_ref())?,
        more: reply_in(from.more)?,
    })
}

/// A service target.
pub fn case_target(from: service::CaseTarget) -> Taken<CaseTarget> {
    Ok(CaseTarget {
        name: from.name,
        due: from.due.map(instant_in).transpose()?,
        used_minutes: from.used_minutes,
        allowed_minutes: from.allowed_minutes,
        state: from.state,
        more: reply_in(from.more)?,
    })
}
