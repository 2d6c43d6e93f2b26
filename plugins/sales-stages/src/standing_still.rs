//! Once a week, a task for each open opportunity that stands still and about which nobody has a task.
//!
//! Off unless the settings ask for it: whoever looks at the list of stale ones anyhow needs no tasks besides.

use kjerne_sdk::{
    Context, Effects, Failure, Fields, Instant, JobRun, Record, StaleItem, log, records,
};

use crate::answers::stale_item;
use crate::settings::{Settings, StandingStill};

/// The job's name in the manifest.
pub const JOB: &str = "standing-still";
/// Opportunities looked at in one run: each is a call to the host, and a run may make 2,000.
const LOOKED_AT: usize = 1_000;
/// Opportunities in one answer.
const PAGE: u32 = 200;

/// Makes the tasks of a run.
///
/// # Errors
/// What the kernel says when a read or a proposal fails; the run is tried again.
pub fn run(
    settings: &Settings,
    context: &Context,
    run: &JobRun,
    effects: &Effects,
) -> Result<(), Failure> {
    let (Some(still), Some(filter)) =
        (settings.standing_still, candidates(settings, context.now()))
    else {
        return Ok(());
    };
    let (mut made, mut looked_at, mut after) = (0, 0, None::<String>);
    loop {
        let mut query = records::query("opportunity").filter(&filter).limit(PAGE);
        if let Some(cursor) = after {
            query = query.after(cursor);
        }
        let page = query.run()?;
        for record in &page.records {
            looked_at += 1;
            let Some(item) = stale_item(settings, record, context.now()) else {
                continue;
            };
            if has_task(record)? {
                continue;
            }
            effects.create("task", task(record, &item, still, run))?;
            made += 1;
            if made == still.most {
                log::info(format!(
                    "{made} tasks were made, as many as the settings allow; the rest next time"
                ));
                return Ok(());
            }
        }
        after = page.next;
        if after.is_none() || looked_at >= LOOKED_AT {
            return Ok(());
        }
    }
}

/// Those that may stand still: what moved within the shortest time any stage allows is not read. None when no
/// stage has such a time.
fn candidates(settings: &Settings, now: Instant) -> Option<String> {
    let days = settings.stages().filter_map(|stage| stage.stale_after_days);
    let since = now.plus_days(-i64::from(days.min()?));
    let moved = format!("(stage_since lt {since} or stage_since eq null and opened_at lt {since})");
    let heard = match settings.activity_is_movement {
        true => format!(" and (last_activity_at lt {since} or last_activity_at eq null)"),
        false => String::new(),
    };
    Some(format!("closed_on eq null and {moved}{heard}"))
}

/// Whether somebody has something to do about it already.
fn has_task(record: &Record) -> Result<bool, Failure> {
    let tasks = records::related(&record.reference(), "task", "about", PAGE)?;
    // One whose state may not be read keeps the next away: better no task than the same one every week.
    let is_open = |task: &Record| {
        task.fields
            .text("status")
            .is_none_or(|status| status == "open")
    };
    Ok(tasks.iter().any(is_open))
}

fn task(record: &Record, item: &StaleItem, still: StandingStill, run: &JobRun) -> Fields {
    let name = record.fields.text("name").unwrap_or("An opportunity");
    let StaleItem {
        stage,
        days_in_stage,
        ..
    } = item;
    let subject = format!("{name} stands still: {days_in_stage} days in {stage}");
    Fields::new()
        .with("subject", subject)
        .with("status", "open")
        .with("about", record.reference())
        .with("due", run.due.date().plus_days(still.due_in_days))
        .with_option("owner", record.fields.reference("owner").cloned())
}
