//! The answers of domain models as JSON, with the names the contract gives them.

use kjerne_core::Reply;
use kjerne_core::models::{
    Assessment, CaseTarget, Job, JobAssessment, Missing, Move, NextAction, Pipeline, Stage,
    StaleItem, Standing, Triage,
};
use kjerne_model::Reference;
use serde_json::{Value as Json, json};

fn list<T>(items: &[T], one: impl Fn(&T) -> Json) -> Vec<Json> {
    items.iter().map(one).collect()
}

fn more(reply: &Reply) -> Json {
    super::reply(reply)
}

fn reference(reference: Option<&Reference>) -> Option<String> {
    reference.map(ToString::to_string)
}

/// The pipelines of the bound sales stages.
#[must_use]
pub fn pipelines(pipelines: &[Pipeline]) -> Json {
    json!({ "pipelines": list(pipelines, pipeline) })
}

fn pipeline(pipeline: &Pipeline) -> Json {
    json!({
        "name": pipeline.name,
        "label": pipeline.label,
        "stages": list(&pipeline.stages, stage),
        "lost_reasons": pipeline.lost_reasons,
        "more": more(&pipeline.more),
    })
}

fn stage(stage: &Stage) -> Json {
    json!({
        "name": stage.name,
        "label": stage.label,
        "position": stage.position,
        "probability": stage.probability,
        "forecast_category": stage.forecast_category,
        "outcome": stage.outcome,
        "stale_after_days": stage.stale_after_days,
        "moves": stage.moves,
        "required_fields": stage.required_fields,
        "more": more(&stage.more),
    })
}

/// Where an opportunity stands.
#[must_use]
pub fn standing(standing: &Standing) -> Json {
    json!({
        "pipeline": standing.pipeline,
        "stage": standing.stage,
        "probability": standing.probability,
        "forecast_category": standing.forecast_category,
        "outcome": standing.outcome,
        "moves": list(&standing.moves, stage_move),
        "more": more(&standing.more),
    })
}

fn stage_move(one: &Move) -> Json {
    let obstacle = |obstacle: &kjerne_core::models::Obstacle| json!({ "field": obstacle.field, "code": obstacle.code, "message": obstacle.message });
    json!({ "stage": one.stage, "obstacles": list(&one.obstacles, obstacle) })
}

/// Opportunities that stand still.
#[must_use]
pub fn stale(items: &[StaleItem]) -> Vec<Json> {
    list(items, |item| {
        json!({
            "opportunity": item.opportunity.to_string(),
            "stage": item.stage,
            "days_in_stage": item.days_in_stage,
            "limit_days": item.limit_days,
        })
    })
}

/// The jobs of the bound buying process.
#[must_use]
pub fn jobs(jobs: &[Job]) -> Json {
    let one = |job: &Job| json!({ "name": job.name, "label": job.label, "within": job.within });
    json!({ "jobs": list(jobs, one) })
}

/// How far the customer is.
#[must_use]
pub fn assessment(assessment: &Assessment) -> Json {
    json!({
        "opportunity": assessment.opportunity.to_string(),
        "jobs": list(&assessment.jobs, job_assessment),
        "progress": assessment.progress,
        "gap": assessment.gap,
        "rework_risk": assessment.rework_risk,
        "no_decision_risk": assessment.no_decision_risk,
        "next_actions": list(&assessment.next_actions, next_action),
        "more": more(&assessment.more),
    })
}

fn job_assessment(job: &JobAssessment) -> Json {
    json!({
        "job": job.job,
        "state": job.state,
        "validation": job.validation,
        "consensus": job.consensus,
        "reopened_times": job.reopened_times,
        "missing": list(&job.missing, missing),
        "evidence": list(&job.evidence, |evidence| json!(evidence.to_string())),
        "more": more(&job.more),
    })
}

fn missing(missing: &Missing) -> Json {
    json!({
        "stakeholder": reference(missing.stakeholder.as_ref()),
        "role": missing.role,
        "reason": missing.reason,
    })
}

fn next_action(action: &NextAction) -> Json {
    json!({
        "stakeholder": reference(action.stakeholder.as_ref()),
        "job": action.job,
        "action": action.action,
        "reason": action.reason,
        "weight": action.weight,
    })
}

/// What the service rules make of a case.
#[must_use]
pub fn triage(triage: &Triage) -> Json {
    json!({
        "rule": triage.rule,
        "priority": triage.priority,
        "queue": triage.queue,
        "owner": reference(triage.owner.as_ref()),
        "more": more(&triage.more),
    })
}

/// How a case stands against its targets.
#[must_use]
pub fn targets(targets: &[CaseTarget]) -> Json {
    let one = |target: &CaseTarget| {
        json!({
            "name": target.name,
            "due": target.due.map(|due| due.to_string()),
            "used_minutes": target.used_minutes,
            "allowed_minutes": target.allowed_minutes,
            "state": target.state,
            "more": more(&target.more),
        })
    };
    json!({ "targets": list(targets, one) })
}
