//! Whose approval a change needs, where the settings say so: large amounts, skipped stages, high discounts.

use std::cmp::Ordering;

use kjerne_sdk::settings::Section;
use kjerne_sdk::{Change, Decimal, Obstacle, Operation};

use crate::bound;
use crate::criterion::{Deal, obstacle_at};
use crate::pipeline::{Outcome, Stage};
use crate::rules::{has_moved, stage_in};
use crate::settings::Settings;

/// Who is asked when the settings do not say.
const ROLE: &str = "sales-manager";

/// What is asked about, as the administrator wrote it.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The role of those who are asked.
    pub role: String,
    /// Amounts above this.
    pub amount_above: Option<String>,
    /// Moves over an open stage.
    pub skipped_stages: bool,
    /// Discounts of a quote's line above so many percent.
    pub discount_above: Option<i64>,
    /// The line of the settings it begins on.
    pub line: u32,
}

impl Approval {
    /// Reads the `[approval]` table; without it nobody is asked.
    pub fn read(section: Option<Section<'_>>) -> Option<Self> {
        let section = section?;
        let role = section.text("role").unwrap_or_else(|| ROLE.to_owned());
        let fits =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        if role.is_empty() || role.len() > 64 || !role.bytes().all(fits) {
            let message = "role must be small letters, digits, '-', '_' and '.', at most 64";
            section.fault_at("role", message);
        }
        let amount_above = section.scalar("amount_above");
        if amount_above
            .as_deref()
            .is_some_and(|text| !bound::is_amount(text))
        {
            let message = "amount_above must be an amount such as 100000 or \"100000 NOK\"";
            section.fault_at("amount_above", message);
        }
        let approval = Self {
            role,
            amount_above,
            skipped_stages: section.flag("skipped_stages", false),
            discount_above: section.number("discount_above", 0..=100),
            line: section.line(),
        };
        section.finish();
        Some(approval)
    }

    /// What has to be approved of one change of an opportunity.
    pub fn asked(
        &self,
        settings: &Settings,
        before: Option<&dyn Deal>,
        after: &dyn Deal,
    ) -> Vec<Obstacle> {
        let amount = self.large_amount(before, after);
        let skipped = before.filter(|_| self.skipped_stages);
        let skipped = skipped.and_then(|before| skipped_stages(settings, before, after));
        amount.into_iter().chain(skipped).collect()
    }

    /// An amount that was changed, and is above the bound.
    fn large_amount(&self, before: Option<&dyn Deal>, after: &dyn Deal) -> Option<Obstacle> {
        let bound = self.amount_above.as_ref()?;
        let amount = after.text("amount")?;
        let is_new = before.and_then(|before| before.text("amount")).as_ref() != Some(&amount);
        let above = after.compare("amount", bound) == Some(Ordering::Greater);
        (is_new && above).then(|| {
            let message = format!("The amount is {amount}, which is above {bound}.");
            obstacle_at("amount", "large-amount", message)
        })
    }

    /// A discount of a quote's line that was changed, and is above the bound.
    pub fn discount(&self, change: &Change) -> Option<Obstacle> {
        const FIELD: &str = "discount_percent";
        let most = self.discount_above?;
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
