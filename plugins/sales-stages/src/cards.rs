//! The panels: where an opportunity stands and what keeps it there, and the day's stale opportunities.

use std::cmp::Reverse;

use kjerne_sdk::{
    Card, Failure, Figure, Instant, Record, RecordRef, StaleItem, Table, cells, records,
};

use crate::answers::{stale_item, standing};
use crate::moving::next_stage;
use crate::pipeline::{Outcome, Pipeline, Stage};
use crate::settings::Settings;

/// Stale opportunities that stand on the card.
const MOST_SHOWN: usize = 10;
/// Opportunities that are looked at for it.
const MOST_READ: usize = 2_000;

/// The card of an open opportunity; none for one that is closed or in a pipeline that is gone.
pub fn stage(settings: &Settings, record: &Record, now: Instant) -> Option<Card> {
    let pipeline = settings.pipeline(record.fields.text("pipeline"))?;
    let standing = standing(settings, pipeline, record, now);
    let stage = pipeline.stage(&standing.stage)?;
    if stage.outcome != Outcome::Open {
        return None;
    }
    let more = kjerne_sdk::Fields::from(standing.more.clone());
    let days = more.integer("days_in_stage");
    let stale = more.flag("stale").unwrap_or(false);
    let next = next_stage(pipeline, stage);
    let card = Card::new(format!("{}: {}", pipeline.label, stage.label))
        .figure(Figure::new("stage", "Stage", &stage.label))
        .figure(days_figure(stage, days, stale))
        .figure(Figure::new("probability", "Chance to win", standing.probability).unit("percent"))
        .figure(Figure::new(
            "category",
            "Forecast",
            &standing.forecast_category,
        ));
    Some(match next {
        Some(next) => towards(card, pipeline, &standing, next, &record.reference()),
        None => card,
    })
}

fn days_figure(stage: &Stage, days: Option<i64>, stale: bool) -> Figure {
    let label = match stage.stale_after_days {
        Some(limit) => format!("In this stage, of {limit} at most"),
        None => "In this stage".to_owned(),
    };
    let trend = if stale { "bad" } else { "" };
    Figure::new("days", label, days).unit("days").trend(trend)
}

/// What stands in the way of the next stage; when nothing does, the move is offered.
fn towards(
    card: Card,
    pipeline: &Pipeline,
    standing: &kjerne_sdk::StageStanding,
    next: &Stage,
    opportunity: &RecordRef,
) -> Card {
    let found = standing.moves.iter().find(|one| one.stage == next.name);
    let obstacles = found
        .map(|one| one.obstacles.as_slice())
        .unwrap_or_default();
    let card = card.figure(Figure::new("next", "Next stage", &next.label));
    if obstacles.is_empty() {
        let label = format!("Move on to {} in {}", next.label, pipeline.label);
        return card.action("advance", label, [("opportunity", opportunity.into())]);
    }
    let rows = obstacles
        .iter()
        .map(|one| cells![one.field.as_ref(), &one.message]);
    card.table(
        Table::new(format!("Before {}", next.label))
            .column("field", "Field", "text")
            .column("obstacle", "What is missing", "text")
            .rows(rows),
    )
}

/// The card of the day: open opportunities that have stood still for too long, the longest first; none when there
/// are none.
///
/// # Errors
/// What the kernel says when a read fails.
pub fn stale(settings: &Settings, now: Instant) -> Result<Option<Card>, Failure> {
    let (mut found, mut read, mut after) = (Vec::new(), 0, None);
    loop {
        let mut query = records::query("opportunity")
            .filter("closed_on eq null")
            .limit(200);
        if let Some(cursor) = after {
            query = query.after(cursor);
        }
        let page = query.run()?;
        read += page.records.len();
        let items = page.records.iter().filter_map(|record| {
            let item = stale_item(settings, record, now)?;
            Some((
                record.fields.text("name").unwrap_or_default().to_owned(),
                item,
            ))
        });
        found.extend(items);
        after = page.next;
        if after.is_none() || read >= MOST_READ {
            break;
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    let over = |item: &StaleItem| item.days_in_stage.saturating_sub(item.limit_days);
    found.sort_by_key(|(_, item)| Reverse(over(item)));
    let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let rows = found.iter().take(MOST_SHOWN).map(|(name, item)| {
        cells![
            &item.opportunity,
            name,
            &item.stage,
            item.days_in_stage,
            item.limit_days
        ]
    });
    let looked = i64::try_from(read).unwrap_or(i64::MAX);
    let table = Table::new("Standing still the longest")
        .column("opportunity", "Opportunity", "reference:opportunity")
        .column("name", "Name", "text")
        .column("stage", "Stage", "choice")
        .column("days", "Days", "integer")
        .column("limit", "Limit", "integer")
        .rows(rows);
    let card = Card::new("Opportunities that stand still")
        .figure(Figure::new("stale", "Stale", count).trend("warning"));
    // Beyond the limit the number is one of those looked at, and the card says so.
    let card = match after {
        Some(_) => card.figure(Figure::new("looked_at", "Looked at", looked)),
        None => card,
    };
    Ok(Some(card.table(table)))
}
