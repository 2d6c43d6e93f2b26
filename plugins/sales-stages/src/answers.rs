//! The answers to the questions of the `sales-stages` interface.

use kjerne_sdk::{
    Date, Fields, Instant, Move, Pipeline as PipelineAnswer, Record, RecordRef,
    Stage as StageAnswer, StageStanding, StaleItem,
};

use crate::criterion::{Criterion, Deal};
use crate::deal::{Around, Held};
use crate::pipeline::{Outcome, Pipeline, Stage};
use crate::rules::{move_obstacles, stage_in};
use crate::settings::Settings;
use crate::shaping::risks;

/// A pipeline as the contract has it.
pub fn pipeline(pipeline: &Pipeline) -> PipelineAnswer {
    PipelineAnswer {
        name: pipeline.name.clone(),
        label: pipeline.label.clone(),
        stages: pipeline
            .stages
            .iter()
            .map(|stage| stage_answer(pipeline, stage))
            .collect(),
        lost_reasons: pipeline.lost_reasons.clone(),
        more: Vec::new(),
    }
}

fn stage_answer(pipeline: &Pipeline, stage: &Stage) -> StageAnswer {
    let phrases =
        |criteria: &[Criterion]| criteria.iter().map(Criterion::phrase).collect::<Vec<_>>();
    StageAnswer {
        name: stage.name.clone(),
        label: stage.label.clone(),
        position: stage.position,
        probability: stage.probability,
        forecast_category: stage.forecast.clone(),
        outcome: stage.outcome.name().to_owned(),
        stale_after_days: stage.stale_after_days,
        moves: names(&pipeline.moves(Some(stage))),
        required_fields: stage.required.clone(),
        more: Fields::new()
            .with("entry", phrases(&stage.entry))
            .with("exit", phrases(&stage.exit))
            .into(),
    }
}

fn names(stages: &[&Stage]) -> Vec<String> {
    stages.iter().map(|stage| stage.name.clone()).collect()
}

/// Where an opportunity stands and where it may go. One in a stage that is gone may go anywhere,
/// like a new one.
pub fn standing(
    settings: &Settings,
    pipeline: &Pipeline,
    record: &Record,
    now: Instant,
) -> StageStanding {
    let around = Around::new(record.reference(), true, &[]);
    let deal = Held::new(&record.fields, now.date(), &around);
    let stage = stage_in(pipeline, settings, &deal);
    let to = |to: &Stage| Move {
        stage: to.name.clone(),
        obstacles: move_obstacles(pipeline, stage, to, &deal),
    };
    let risks = risks(&deal);
    let probability = stage.map_or(0, |stage| settings.forecast.probability(stage, risks));
    let category = stage.map_or("omitted", |stage| settings.forecast.category(stage, risks));
    let more = Fields::new()
        .with(
            "days_in_stage",
            days_since(&record.fields, &["stage_since", "opened_at"], now),
        )
        .with(
            "stage_probability",
            stage.map_or(0, |stage| i64::from(stage.probability)),
        )
        .with("stale", stale(settings, record, stage, now).is_some());
    StageStanding {
        pipeline: pipeline.name.clone(),
        stage: deal.text("stage").unwrap_or_default(),
        probability: held_percent(&record.fields)
            .unwrap_or(probability)
            .try_into()
            .unwrap_or(0),
        forecast_category: record
            .fields
            .text("forecast_category")
            .unwrap_or(category)
            .to_owned(),
        outcome: stage
            .map_or(Outcome::Open, |stage| stage.outcome)
            .name()
            .to_owned(),
        moves: pipeline.moves(stage).into_iter().map(to).collect(),
        more: more.into(),
    }
}

/// The probability on the record, which a seller may have set.
fn held_percent(fields: &Fields) -> Option<i64> {
    fields
        .integer("probability")
        .filter(|percent| (0..=100).contains(percent))
}

/// The opportunity as an item of the stale list, when it has stood still for too long.
pub fn stale_item(settings: &Settings, record: &Record, now: Instant) -> Option<StaleItem> {
    let pipeline = settings.pipeline(record.fields.text("pipeline"))?;
    let stage = stage_in(
        pipeline,
        settings,
        &Held::alone(&record.fields, Date::from_days(0)),
    );
    stale(settings, record, stage, now)
}

fn stale(
    settings: &Settings,
    record: &Record,
    stage: Option<&Stage>,
    now: Instant,
) -> Option<StaleItem> {
    let stage = stage.filter(|stage| stage.outcome == Outcome::Open)?;
    let limit = stage.stale_after_days?;
    let moved = days_since(&record.fields, &["stage_since", "opened_at"], now);
    let heard = record
        .fields
        .instant("last_activity_at")
        .filter(|_| settings.activity_is_movement);
    let still = heard.map_or(moved, |heard| moved.min(days(now, heard)));
    (still > i64::from(limit)).then(|| StaleItem {
        opportunity: RecordRef::new(&record.kind, &record.id),
        stage: stage.name.clone(),
        days_in_stage: moved.try_into().unwrap_or(u32::MAX),
        limit_days: limit,
    })
}

/// Whole days since the first of these fields that has a value; 0 when none has.
fn days_since(fields: &Fields, names: &[&str], now: Instant) -> i64 {
    let since = names.iter().find_map(|name| fields.instant(name));
    since.map_or(0, |since| days(now, since))
}

fn days(now: Instant, since: Instant) -> i64 {
    now.since(since).max(0) / 86_400_000
}
