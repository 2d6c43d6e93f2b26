//! Messages waiting to be delivered, in the order they were queued.

use std::ops::ControlFlow;

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::Key;
pub use crate::rows::OutboxRow;
use crate::space::Space;
use crate::store::{Read, Write};
use crate::{meta, scan};

const LAST: &str = "outbox-last";

/// Takes the next place in the queue. No place is given twice, even when its message is long gone.
///
/// # Errors
/// When the store cannot be written.
pub fn next_seq(write: &mut dyn Write) -> Result<u64, StoreError> {
    let next = last_seq(write)? + 1;
    meta::set_counter(write, LAST, next)?;
    Ok(next)
}

pub(crate) fn last_seq(read: &dyn Read) -> Result<u64, StoreError> {
    meta::counter(read, LAST)
}

/// Queues a message at the place in `row`.
///
/// # Errors
/// When the store cannot be written.
pub fn push(write: &mut dyn Write, row: &OutboxRow) -> Result<(), StoreError> {
    write.put(Space::Outbox, row_key(row.seq).bytes(), &row.encode())
}

/// Keeps how the delivery of a queued message goes.
///
/// # Errors
/// When the store cannot be written.
pub fn update(write: &mut dyn Write, row: &OutboxRow) -> Result<(), StoreError> {
    push(write, row)
}

/// Takes a message out of the queue.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(write: &mut dyn Write, seq: u64) -> Result<(), StoreError> {
    write.remove(Space::Outbox, row_key(seq).bytes())
}

/// The message at one place in the queue.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn get(read: &dyn Read, seq: u64) -> Result<Option<OutboxRow>, StoreError> {
    match read.get(Space::Outbox, row_key(seq).bytes())? {
        Some(bytes) => decode(&bytes).map(Some),
        None => Ok(None),
    }
}

/// Shows `visit` the messages after place `after`, in order, until it breaks.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn list(
    read: &dyn Read,
    after: u64,
    visit: &mut dyn FnMut(OutboxRow) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let after = Some(row_key(after));
    scan::prefix(read, Space::Outbox, &Key::new(), after, &mut |_, bytes| {
        Ok(visit(decode(bytes)?))
    })
}

fn row_key(seq: u64) -> Key {
    Key::new().number(seq)
}

fn decode(bytes: &[u8]) -> Result<OutboxRow, StoreError> {
    OutboxRow::decode(bytes).map_err(|damage| damage.in_("a message in the outbox"))
}
