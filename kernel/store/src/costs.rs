//! What plugins cost, summed by day, plugin, version, version of the runtime, role and kind.
//!
//! Rows of days are kept for a while, then those of a month become one for each plugin, version, runtime and
//! role, and in the end they go. Fuel of two versions of the runtime is never added up.

use std::ops::ControlFlow;

use kjerne_model::Date;

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::{self, Key};
pub use crate::rows::CostRow;
use crate::scan;
use crate::space::Space;
pub use crate::spent::{STEPS, Spent};
use crate::store::{Range, Read, Write};

/// How long costs are kept, and how many.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Rows of one day; beyond them a call is booked without its kind.
    pub rows: usize,
    /// Days for which each day has its own rows.
    pub days: u64,
    /// Days after which a month is forgotten.
    pub months: u64,
    /// Old rows that are brought together at a time.
    pub step: usize,
}

/// Adds costs to those of the same day, plugin, versions, role and kind.
///
/// # Errors
/// When the store cannot be written or the earlier row is damaged.
pub fn add(write: &mut dyn Write, row: &CostRow) -> Result<(), StoreError> {
    let key = row_key(row);
    let mut sum = row.clone();
    if let Some(bytes) = write.get(Space::Costs, key.bytes())? {
        sum.spent.add(&decode(&bytes)?.spent);
    }
    write.put(Space::Costs, key.bytes(), &sum.encode())
}

/// Adds the costs of a while, in bulk. When a day has so many rows that there is no room for another, what would
/// need one is booked without its kind.
///
/// # Errors
/// When the store cannot be written or an earlier row is damaged.
pub fn add_all(
    write: &mut dyn Write,
    rows: &[CostRow],
    retention: &Retention,
) -> Result<(), StoreError> {
    let mut known: Option<(Date, usize)> = None;
    for row in rows {
        let is_new = write.get(Space::Costs, row_key(row).bytes())?.is_none();
        if !is_new || row.kind.is_empty() {
            add(write, row)?;
            continue;
        }
        let so_far = match known.filter(|(day, _)| *day == row.day) {
            Some((_, so_far)) => so_far,
            None => count(write, row.day, retention.rows)?,
        };
        if so_far < retention.rows {
            add(write, row)?;
            known = Some((row.day, so_far + 1));
        } else {
            let mut row = row.clone();
            row.kind.clear();
            add(write, &row)?;
            known = Some((row.day, so_far));
        }
    }
    Ok(())
}

/// Brings rows of days long past together by month, and forgets what is older still; so many at a time. Tells
/// how many rows it took away.
///
/// # Errors
/// When the store cannot be written or a row is damaged.
pub fn roll_up(
    write: &mut dyn Write,
    today: Date,
    retention: &Retention,
) -> Result<usize, StoreError> {
    let before = |days: u64| {
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        Date::from_days(today.days().saturating_sub(days))
    };
    let (whole, gone) = (before(retention.days), before(retention.months));
    let mut old = Vec::new();
    let end = day_key(whole).into_bytes();
    let range = Range {
        to: Some(&end),
        ..Range::all()
    };
    scan::range(write, Space::Costs, range, &mut |_, bytes| {
        let row = decode(bytes)?;
        if row.day < gone || !row.month {
            old.push(row);
        }
        Ok(if old.len() < retention.step {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
    for row in &old {
        write.remove(Space::Costs, row_key(row).bytes())?;
        if row.day >= gone {
            add(write, &of_month(row))?;
        }
    }
    Ok(old.len())
}

/// The costs from a day on (none is the first day), in the order of their keys. A month stands at its first day.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn list(read: &dyn Read, from: Option<Date>) -> Result<Vec<CostRow>, StoreError> {
    let from = from.map_or_else(Key::new, day_key).into_bytes();
    let mut rows = Vec::new();
    let range = Range {
        from: &from,
        ..Range::all()
    };
    scan::range(read, Space::Costs, range, &mut |_, bytes| {
        rows.push(decode(bytes)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

/// The rows of a day, counted up to `most`.
fn count(read: &dyn Read, day: Date, most: usize) -> Result<usize, StoreError> {
    let mut rows = 0;
    scan::prefix(read, Space::Costs, &day_key(day), None, &mut |_, _| {
        rows += 1;
        Ok(if rows < most {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
    Ok(rows)
}

fn of_month(row: &CostRow) -> CostRow {
    let (year, month, _) = row.day.ymd();
    CostRow {
        day: Date::from_ymd(year, month, 1).unwrap_or(row.day),
        month: true,
        kind: String::new(),
        ..row.clone()
    }
}

fn day_key(day: Date) -> Key {
    Key::new().raw(&key::ordered(day.days().into()))
}

fn row_key(row: &CostRow) -> Key {
    day_key(row.day)
        .text(&row.plugin)
        .text(&row.version)
        .text(&row.runtime)
        .text(&row.role)
        .text(&row.kind)
        .number(row.month.into())
}

fn decode(bytes: &[u8]) -> Result<CostRow, StoreError> {
    CostRow::decode(bytes).map_err(|damage| damage.in_("a row of costs"))
}
