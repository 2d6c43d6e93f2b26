//! The answers of domain models as plain data. They mirror the contract's records; numbers,
//! words and their meaning are explained there.

use kjerne_values::Instant;

use crate::id::Reference;
use crate::value::Value;

/// Named values a plugin answers with.
pub type Reply = Vec<(String, Option<Value>)>;

/// A pipeline (`sales-stages`).
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Pipeline {
    pub name: String,
    pub label: String,
    pub stages: Vec<Stage>,
    pub lost_reasons: Vec<String>,
    pub more: Reply,
}

/// A stage of a pipeline.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Stage {
    pub name: String,
    pub label: String,
    pub position: u32,
    pub probability: u8,
    pub forecast_category: String,
    pub outcome: String,
    pub stale_after_days: Option<u32>,
    pub moves: Vec<String>,
    pub required_fields: Vec<String>,
    pub more: Reply,
}

/// Where an opportunity stands, and where it may go.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Standing {
    pub pipeline: String,
    pub stage: String,
    pub probability: u8,
    pub forecast_category: String,
    pub outcome: String,
    pub moves: Vec<Move>,
    pub more: Reply,
}

/// A stage an opportunity may go to, and what stands in the way.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Move {
    pub stage: String,
    pub obstacles: Vec<Obstacle>,
}

/// One thing that stands in the way of a move.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Obstacle {
    pub field: Option<String>,
    pub code: String,
    pub message: String,
}

/// An opportunity that has stood still for too long.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct StaleItem {
    pub opportunity: Reference,
    pub stage: String,
    pub days_in_stage: u32,
    pub limit_days: u32,
}

/// A job of the buying process (`buying-process`).
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Job {
    pub name: String,
    pub label: String,
    pub within: Vec<String>,
}

/// How far the customer is with one opportunity.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Assessment {
    pub opportunity: Reference,
    pub jobs: Vec<JobAssessment>,
    pub progress: u8,
    pub gap: i32,
    pub rework_risk: u8,
    pub no_decision_risk: u8,
    pub next_actions: Vec<NextAction>,
    pub more: Reply,
}

/// How far the customer is with one job.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct JobAssessment {
    pub job: String,
    pub state: String,
    pub validation: u8,
    pub consensus: u8,
    pub reopened_times: u32,
    pub missing: Vec<Missing>,
    pub evidence: Vec<Reference>,
    pub more: Reply,
}

/// Somebody whose part in a job is not there yet.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Missing {
    pub stakeholder: Option<Reference>,
    pub role: String,
    pub reason: String,
}

/// What to do next.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct NextAction {
    pub stakeholder: Option<Reference>,
    pub job: String,
    pub action: String,
    pub reason: String,
    pub weight: u32,
}

/// What the service rules would make of a case (`service-rules`).
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Triage {
    pub rule: String,
    pub priority: String,
    pub queue: String,
    pub owner: Option<Reference>,
    pub more: Reply,
}

/// One service target of a case.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct CaseTarget {
    pub name: String,
    pub due: Option<Instant>,
    pub used_minutes: u32,
    pub allowed_minutes: u32,
    pub state: String,
    pub more: Reply,
}
