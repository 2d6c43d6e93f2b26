//! Which moves are allowed, and what stands in their way.

use std::cmp::Ordering;

use kjerne_sdk::Obstacle;

use crate::criterion::{Criterion, Deal, obstacle_at};
use crate::pipeline::{Outcome, Pipeline, Stage};
use crate::settings::Settings;

/// Judges one change of an opportunity: all faults, in the order a person would mend them.
pub fn judge(
    settings: &Settings,
    before: Option<&dyn Deal>,
    after: &dyn Deal,
    history: bool,
) -> Vec<Obstacle> {
    let mut found = probability_fault(after).into_iter().collect::<Vec<_>>();
    let pipeline_name = after.text("pipeline");
    let moved = before.is_none_or(|before| has_moved(before, after));
    let Some(pipeline) = settings.pipeline(pipeline_name.as_deref()) else {
        found.extend(moved.then(|| unknown_pipeline(settings, pipeline_name)));
        return found;
    };
    let stage_name = after.text("stage").unwrap_or_default();
    let Some(stage) = pipeline.stage(&stage_name) else {
        found.extend(moved.then(|| unknown_stage(pipeline, &stage_name)));
        return found;
    };
    found.extend(match before {
        _ if history => strange_reason(pipeline, stage, after).into_iter().collect(),
        Some(before) if !moved => kept_faults(pipeline, stage, before, after),
        _ => {
            let from = before.and_then(|before| stage_in(pipeline, settings, before));
            move_obstacles(pipeline, from, stage, after)
        }
    });
    found
}

/// An open opportunity that was to be closed on a day that has passed, when that is written or it moves.
pub fn late(settings: &Settings, before: Option<&dyn Deal>, after: &dyn Deal) -> Option<Obstacle> {
    const FIELD: &str = "closing_date";
    let is_new = before
        .is_none_or(|before| has_moved(before, after) || before.text(FIELD) != after.text(FIELD));
    let pipeline = settings.pipeline(after.text("pipeline").as_deref())?;
    let stage = stage_in(pipeline, settings, after)?;
    let has_passed = after.compare(FIELD, "today") == Some(Ordering::Less);
    (is_new && has_passed && stage.outcome == Outcome::Open).then(|| {
        let day = after.text(FIELD).unwrap_or_default();
        let message = format!("It is open, and was to be closed on {day}: set another day.");
        obstacle_at(FIELD, "closing-date-passed", message)
    })
}

/// Whether the opportunity changed its stage or pipeline.
pub fn has_moved(before: &dyn Deal, after: &dyn Deal) -> bool {
    ["pipeline", "stage"]
        .into_iter()
        .any(|field| before.text(field) != after.text(field))
}

/// The stage a record is in, when it is a stage of this pipeline.
pub fn stage_in<'a>(
    pipeline: &'a Pipeline,
    settings: &Settings,
    deal: &dyn Deal,
) -> Option<&'a Stage> {
    let name = deal.text("pipeline");
    let same = name.as_deref().unwrap_or(&settings.default_pipeline) == pipeline.name;
    deal.text("stage")
        .filter(|_| same)
        .and_then(|name| pipeline.stage(&name))
}

/// What stands in the way of going from one stage to another. From nowhere (a new opportunity,
/// another pipeline, a stage that is gone) and from a lost stage, everything on the way must hold.
pub fn move_obstacles(
    pipeline: &Pipeline,
    from: Option<&Stage>,
    to: &Stage,
    deal: &dyn Deal,
) -> Vec<Obstacle> {
    if let Some(from) = from.filter(|from| !from.allows(to)) {
        return vec![forbidden(pipeline, from, to)];
    }
    let entering = to.entry.iter().map(|criterion| (to, criterion));
    if to.outcome == Outcome::Lost {
        let mut found: Vec<_> = reason_fault(pipeline, to, deal).into_iter().collect();
        found.extend(judge_all(entering, deal));
        return found;
    }
    let start = from.filter(|from| from.outcome != Outcome::Lost);
    let passed = start.map_or(0, |from| from.position);
    if passed > to.position {
        return Vec::new();
    }
    let leaving = start
        .into_iter()
        .flat_map(|from| from.exit.iter().map(move |one| (from, one)));
    let between = |stage: &&Stage| {
        stage.outcome == Outcome::Open && passed < stage.position && stage.position < to.position
    };
    let passing = pipeline.stages.iter().filter(between);
    let passing = passing.flat_map(|stage| {
        let criteria = stage.entry.iter().chain(&stage.exit);
        criteria.map(move |criterion| (stage, criterion))
    });
    judge_all(leaving.chain(passing).chain(entering), deal)
}

/// Judges each criterion once, also when several stages ask for the same.
fn judge_all<'a>(
    asked: impl Iterator<Item = (&'a Stage, &'a Criterion)>,
    deal: &dyn Deal,
) -> Vec<Obstacle> {
    let mut seen: Vec<&Criterion> = Vec::new();
    let mut found = Vec::new();
    for (stage, criterion) in asked {
        if !seen.iter().any(|known| known.asks_the_same(criterion)) {
            found.extend(criterion.judge(deal, &stage.label));
            seen.push(criterion);
        }
    }
    found
}

/// What a record must keep while it stays where it is: the fields required so far, and a lost
/// reason from the list. Only what this change takes away counts, so that a record that was there
/// before the rule can still be worked on.
fn kept_faults(
    pipeline: &Pipeline,
    stage: &Stage,
    before: &dyn Deal,
    after: &dyn Deal,
) -> Vec<Obstacle> {
    if stage.outcome == Outcome::Lost {
        let changed = before.text("lost_reason") != after.text("lost_reason");
        return reason_fault(pipeline, stage, after)
            .filter(|_| changed)
            .into_iter()
            .collect();
    }
    let reached = |other: &&Stage| {
        let earlier = other.outcome == Outcome::Open && other.position < stage.position;
        earlier || other.name == stage.name
    };
    let required = pipeline.stages.iter().filter(reached).flat_map(|other| {
        let fields = other.required.iter().zip(&other.entry);
        let taken = fields.filter(|(field, _)| before.text(field).is_some());
        taken.map(move |(_, criterion)| (other, criterion))
    });
    judge_all(required, after)
}

fn reason_fault(pipeline: &Pipeline, stage: &Stage, deal: &dyn Deal) -> Option<Obstacle> {
    let given = deal.text("lost_reason").is_some();
    if given || pipeline.lost_reasons.is_empty() {
        return strange_reason(pipeline, stage, deal);
    }
    let message = format!(
        "{} needs a lost reason: set it to {}.",
        stage.label,
        one_of(&pipeline.lost_reasons)
    );
    Some(obstacle_at("lost_reason", "missing-lost-reason", message))
}

/// A lost reason that is not in the pipeline's list.
fn strange_reason(pipeline: &Pipeline, stage: &Stage, deal: &dyn Deal) -> Option<Obstacle> {
    let reasons = &pipeline.lost_reasons;
    let reason = deal
        .text("lost_reason")
        .filter(|_| stage.outcome == Outcome::Lost)?;
    (!reasons.is_empty() && !reasons.contains(&reason)).then(|| {
        let message = format!(
            "{reason} is not a lost reason of {}: set it to {}.",
            pipeline.label,
            one_of(reasons)
        );
        obstacle_at("lost_reason", "unknown-lost-reason", message)
    })
}

fn forbidden(pipeline: &Pipeline, from: &Stage, to: &Stage) -> Obstacle {
    let moves: Vec<_> = pipeline
        .moves(Some(from))
        .into_iter()
        .map(|stage| stage.name.clone())
        .collect();
    let advice = if moves.is_empty() {
        "it stays where it is".to_owned()
    } else {
        format!("go to {}", one_of(&moves))
    };
    let message = format!(
        "An opportunity cannot go from {} to {}: {advice}.",
        from.label, to.label
    );
    obstacle_at("stage", "move-not-allowed", message)
}

fn unknown_pipeline(settings: &Settings, name: Option<String>) -> Obstacle {
    let names: Vec<_> = settings
        .pipelines
        .iter()
        .map(|pipeline| pipeline.name.clone())
        .collect();
    let message = format!(
        "There is no pipeline {}: use {}.",
        name.unwrap_or_default(),
        one_of(&names)
    );
    obstacle_at("pipeline", "unknown-pipeline", message)
}

fn unknown_stage(pipeline: &Pipeline, name: &str) -> Obstacle {
    let names: Vec<_> = pipeline
        .stages
        .iter()
        .map(|stage| stage.name.clone())
        .collect();
    let message = if name.is_empty() {
        format!("An opportunity needs a stage: use {}.", one_of(&names))
    } else {
        format!(
            "Pipeline {} has no stage {name}: use {}.",
            pipeline.label,
            one_of(&names)
        )
    };
    obstacle_at("stage", "unknown-stage", message)
}

fn probability_fault(deal: &dyn Deal) -> Option<Obstacle> {
    let probability: i64 = deal.text("probability")?.parse().ok()?;
    let message =
        || format!("A probability is a percentage, but this one is {probability}: use 0 to 100.");
    (!(0..=100).contains(&probability))
        .then(|| obstacle_at("probability", "probability-out-of-range", message()))
}

/// `a, b or c`.
fn one_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}
