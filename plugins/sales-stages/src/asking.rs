//! What of a change needs approval, where the settings say so: large amounts, skipped stages, high discounts.

use std::cmp::Ordering;

use kjerne_sdk::{Change, Decimal, Obstacle, Operation};

use crate::approval::Approval;
use crate::criterion::{Deal, obstacle_at};
use crate::pipeline::{Outcome, Stage};
use crate::rules::{has_moved, stage_in};
use crate::settings::Settings;

/// What has to be approved of one change of an opportunity.
pub fn asked(
    settings: &Settings,
    approval: &Approval,
    before: Option<&dyn Deal>,
    after: &dyn Deal,
) -> Vec<Obstacle> {
    let amount = large_amount(approval, before, after);
    let skipped = before.filter(|_| approval.skipped_stages);
    let skipped = skipped.and_then(|before| skipped_stages(settings, before, after));
    amount.into_iter().chain(skipped).collect()
}

/// An amount that was changed, and is above the bound.
fn large_amount(
    approval: &Approval,
    before: Option<&dyn Deal>,
    after: &dyn Deal,
) -> Option<Obstacle> {
    let bound = approval.amount_above.as_ref()?;
    let amount = after.text("amount")?;
    let is_new = before.and_then(|before| before.text("amount")).as_ref() != Some(&amount);
    let above = after.compare("amount", bound) == Some(Ordering::Greater);
    (is_new && above).then(|| {
        let message = format!("The amount is {amount}, which is above {bound}.");
        obstacle_at("amount", "large-amount", message)
    })
}

/// A discount of a quote's line that was changed, and is above the bound.
pub fn discount(approval: &Approval, change: &Change) -> Option<Obstacle> {
    const FIELD: &str = "discount_percent";
    let most = approval.discount_above?;
    let is_new = match change.operation {
        Operation::Create => true,
        Operation::Update => change.changed.iter().any(|field| field == FIELD),
        _ => false,
    };
    let discount = change.after.get(FIELD).filter(|_| is_new)?.as_decimal()?;
    (discount > Decimal::from(most)).then(|| {
        let message = format!("The discount is {discount} %, which is above {most} %.");
        obstacle_at(FIELD, "high-discount", message)
    })
}

/// A move within a pipeline over open stages between.
fn skipped_stages(settings: &Settings, before: &dyn Deal, after: &dyn Deal) -> Option<Obstacle> {
    if !has_moved(before, after) {
        return None;
    }
    let pipeline = settings.pipeline(after.text("pipeline").as_deref())?;
    let from = stage_in(pipeline, settings, before)?;
    let to = stage_in(pipeline, settings, after)?;
    if to.outcome == Outcome::Lost || from.outcome != Outcome::Open {
        return None;
    }
    let is_between = |stage: &&Stage| {
        stage.outcome == Outcome::Open
            && from.position < stage.position
            && stage.position < to.position
    };
    let skipped: Vec<&str> = pipeline
        .stages
        .iter()
        .filter(is_between)
        .map(|stage| stage.label.as_str())
        .collect();
    (!skipped.is_empty()).then(|| {
        let (from, to, skipped) = (&from.label, &to.label, skipped.join(", "));
        let message = format!("It goes from {from} to {to} and skips {skipped}.");
        obstacle_at("stage", "skipped-stages", message)
    })
}
