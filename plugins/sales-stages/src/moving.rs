//! The action `advance`: moves an opportunity to the stage after its own, when nothing stands in the way.

use kjerne_sdk::{Effects, Failure, Fields, Instant, Record};

use crate::deal::{Around, Held};
use crate::pipeline::{Outcome, Pipeline, Stage};
use crate::rules::{move_obstacles, stage_in};
use crate::settings::Settings;

/// The nearest stage ahead that one may go to and that is not the end of all hopes.
pub fn next_stage<'a>(pipeline: &'a Pipeline, from: &Stage) -> Option<&'a Stage> {
    let ahead = pipeline.moves(Some(from)).into_iter();
    ahead
        .filter(|to| to.position > from.position && to.outcome != Outcome::Lost)
        .min_by_key(|to| to.position)
}

/// Moves an opportunity on.
///
/// # Errors
/// `no-next-stage`; `not-yet`, with everything that stands in the way.
pub fn advance(
    settings: &Settings,
    record: &Record,
    now: Instant,
    effects: &Effects,
) -> Result<Fields, Failure> {
    let nowhere = || {
        let message = format!("There is no stage after that of {}.", record.reference());
        Failure::new("no-next-stage", message)
    };
    let pipeline = settings
        .pipeline(record.fields.text("pipeline"))
        .ok_or_else(nowhere)?;
    let around = Around::new(record.reference(), true, &[]);
    let deal = Held::new(&record.fields, now.date(), &around);
    let stage = stage_in(pipeline, settings, &deal);
    let open = stage.filter(|stage| stage.outcome == Outcome::Open);
    let next = open
        .and_then(|stage| next_stage(pipeline, stage))
        .ok_or_else(nowhere)?;
    let obstacles = move_obstacles(pipeline, stage, next, &deal);
    if !obstacles.is_empty() {
        let told: Vec<String> = obstacles.into_iter().map(|one| one.message).collect();
        return Err(Failure::new("not-yet", told.join(" ")));
    }
    let moved = Fields::new().with("stage", &next.name);
    effects.update(&record.reference(), Some(record.version), moved)?;
    Ok(Fields::new()
        .with("stage", &next.name)
        .with("label", &next.label))
}
