//! What plugins cost, summed by day, plugin, version and role.

use std::ops::ControlFlow;

use kjerne_model::Date;

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::{self, Key};
pub use crate::rows::CostRow;
use crate::scan;
use crate::space::Space;
use crate::store::{Range, Read, Write};

/// Adds costs to those of the same day, plugin, version and role.
///
/// # Errors
/// When the store cannot be written or the earlier row is damaged.
pub fn add(write: &mut dyn Write, row: &CostRow) -> Result<(), StoreError> {
    let key = row_key(row);
    let mut sum = row.clone();
    if let Some(bytes) = write.get(Space::Costs, key.bytes())? {
        let so_far = decode(&bytes)?;
        sum.calls = sum.calls.saturating_add(so_far.calls);
        sum.fuel = sum.fuel.saturating_add(so_far.fuel);
        sum.micros = sum.micros.saturating_add(so_far.micros);
        sum.faults = sum.faults.saturating_add(so_far.faults);
    }
    write.put(Space::Costs, key.bytes(), &sum.encode())
}

/// The costs from a day on (none is the first day), by day, plugin, version and role.
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

fn day_key(day: Date) -> Key {
    Key::new().raw(&key::ordered(day.days().into()))
}

fn row_key(row: &CostRow) -> Key {
    day_key(row.day)
        .text(&row.plugin)
        .text(&row.version)
        .text(&row.role)
}

fn decode(bytes: &[u8]) -> Result<CostRow, StoreError> {
    CostRow::decode(bytes).map_err(|damage| damage.in_("a row of costs"))
}
