//! The outbox: which messages to deliver now, and how their delivery goes.
//!
//! The kernel queues and keeps count; who calls it does the delivery. Messages of one plugin with
//! the same order key go out one at a time, in the order they were queued. A message that is given
//! up stays where the administrator sees it, and lets those behind it pass.

use std::collections::HashSet;
use std::ops::ControlFlow;

use kjerne_model::Instant;
use kjerne_store::{OutboxRow, StoreError, outbox};

use crate::kernel::Kernel;
use crate::limits;
use crate::rows_beside::Row;

/// Whether a message waits for its next try. One that was never tried waits for nothing; whoever is
/// to receive it may ask for longer pauses than ours, up to the longest.
fn pauses(row: &OutboxRow, now: Instant) -> bool {
    row.tries > 0 && limits::rests(row.not_before, limits::BACK_OFF_LONGEST.value as i64, now)
}

impl Kernel {
    /// The messages to be tried now, at most `limit`: the first of each plugin and order key, when
    /// its time has come.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn outbox_due(&self, now: Instant, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let (mut due, mut heads) = (Vec::new(), HashSet::new());
        outbox::list(&*self.store().snapshot()?, 0, &mut |row| {
            let queue = (row.plugin.clone(), row.message.order_key.clone());
            if !row.gave_up && heads.insert(queue) && !pauses(&row, now) && due.len() < limit {
                due.push(row);
            }
            if due.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(due)
    }

    /// A message was delivered; it leaves the outbox.
    ///
    /// # Errors
    /// When the store fails.
    pub fn outbox_done(&self, seq: u64) -> Result<(), StoreError> {
        self.store_rows(vec![Row::Delivered(seq)], None).map(drop)
    }

    /// A message could not be delivered: it is tried again after a pause that doubles, or given up
    /// after [`limits::OUTBOX_TRIES`]. Returns the message as it stands now; none when it is gone.
    ///
    /// # Errors
    /// When the store fails.
    pub fn outbox_failed(
        &self,
        seq: u64,
        error: &str,
        now: Instant,
    ) -> Result<Option<OutboxRow>, StoreError> {
        let Some(mut row) = outbox::get(&*self.store().snapshot()?, seq)? else {
            return Ok(None);
        };
        row.tries += 1;
        row.not_before = now.plus_millis(limits::back_off(row.tries));
        row.error = Some(error.to_owned());
        row.gave_up = u64::from(row.tries) >= limits::OUTBOX_TRIES.value;
        self.store_rows(vec![Row::Delivery(row.clone())], None)?;
        Ok(Some(row))
    }
}
