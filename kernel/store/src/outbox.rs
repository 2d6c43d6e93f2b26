//! Messages waiting to be delivered, in the order they were queued.

use std::ops::ControlFlow;

use crate::codec::Row;
use crate::error::StoreError;
use crate::key::Key;
pub use crate::rows::{OutboxRow, Waiting};
use crate::space::Space;
use crate::store::{Read, Write};
use crate::{meta, scan};

const LAST: &str = "outbox-last";
const WAITING: &str = "outbox-waiting";

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

/// Queues a message at the place in `row`, or keeps how its delivery goes.
///
/// # Errors
/// When the store cannot be written or a row is damaged.
pub fn push(write: &mut dyn Write, row: &OutboxRow) -> Result<(), StoreError> {
    remove(write, row.seq)?;
    let mut waiting = waiting(write, &row.plugin)?;
    let bytes = row.encode();
    waiting.add(row, bytes.len());
    set_waiting(write, &row.plugin, waiting)?;
    write.put(Space::Outbox, row_key(row.seq).bytes(), &bytes)
}

/// Takes a message out of the queue.
///
/// # Errors
/// When the store cannot be written or a row is damaged.
pub fn remove(write: &mut dyn Write, seq: u64) -> Result<(), StoreError> {
    let key = row_key(seq);
    let Some(bytes) = write.get(Space::Outbox, key.bytes())? else {
        return Ok(());
    };
    let row = decode(&bytes)?;
    let mut waiting = waiting(write, &row.plugin)?;
    waiting.take(&row, bytes.len());
    set_waiting(write, &row.plugin, waiting)?;
    write.remove(Space::Outbox, key.bytes())
}

/// What a plugin has in the outbox.
///
/// # Errors
/// When the store cannot be read or the row is damaged.
pub fn waiting(read: &dyn Read, plugin: &str) -> Result<Waiting, StoreError> {
    match meta::get(read, &waiting_name(plugin))? {
        Some(bytes) => Waiting::decode(&bytes)
            .map_err(|damage| damage.in_("the total of a plugin's messages in the outbox")),
        None => Ok(Waiting::default()),
    }
}

fn set_waiting(write: &mut dyn Write, plugin: &str, to: Waiting) -> Result<(), StoreError> {
    if to == Waiting::default() {
        meta::remove(write, &waiting_name(plugin))
    } else {
        meta::put(write, &waiting_name(plugin), &to.encode())
    }
}

fn waiting_name(plugin: &str) -> String {
    format!("{WAITING}.{plugin}")
}

impl Waiting {
    /// Counts a message of so many bytes.
    pub(crate) fn add(&mut self, row: &OutboxRow, bytes: usize) {
        if row.gave_up {
            self.given_up += 1;
        } else {
            self.rows += 1;
            self.bytes += bytes as u64;
        }
    }

    fn take(&mut self, row: &OutboxRow, bytes: usize) {
        if row.gave_up {
            self.given_up = self.given_up.saturating_sub(1);
        } else {
            self.rows = self.rows.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(bytes as u64);
        }
    }
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
