//! The rows stored beside a commit's records, or alone when there are no changes: one mechanism for
//! cursors, messages, plugin state and all other rows that are no records.

use std::sync::Arc;

use kjerne_model::{Actor, Commit, Instant, Message, RecordId};
use kjerne_store::costs::Spent;
use kjerne_store::{
    CostRow, CursorRow, JobRow, Link, OutboxRow, ParkedRow, PendingRow, Read, Space, StoreError,
    Waiting, Write, costs, cursors, jobs, outbox, parked, pending, plugin_state,
};

use crate::administered::Administered;
use crate::escalation::Step;
use crate::limits::{self, Limit};
use crate::plugins::{Effects, PluginInfo, Role};
use kjerne_query::Reader;

/// What goes into the same transaction as a commit.
#[derive(Default)]
pub(crate) struct RowsBeside {
    /// Stored in any case, also when the commit's key turns out to have been used.
    pub(crate) moves: Vec<Row>,
    /// Stored when the commit is, and not again when its key has been used.
    pub(crate) effects: Vec<Row>,
    /// What the task that made the effects read: when its cursor or the plugin's own state has
    /// changed meanwhile, nothing is stored and the task is done anew.
    pub(crate) depends: Option<Arc<Reader>>,
    /// What the commit's key stands for, when it is the asker's own and not the plugin's.
    pub(crate) asked: Option<[u8; 16]>,
    /// The escalation step this commit does.
    pub(crate) step: Option<Step>,
    /// Who had a plugin make it.
    pub(crate) behind: Option<Actor>,
    /// What led to the messages among the effects.
    pub(crate) link: Link,
    /// The approval that is to let it through, when it has waited.
    pub(crate) approval: Option<Box<Approving>>,
}

/// A commit on its path, and what goes with it.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) commit: &'a Commit,
    /// What its key stands for, when it has one.
    pub(crate) digest: Option<[u8; 16]>,
    pub(crate) beside: &'a RowsBeside,
}

/// Somebody's approval of a commit that waits.
pub(crate) struct Approving {
    /// What waits, with this approval and the others that count.
    pub(crate) row: PendingRow,
    /// Who approves.
    pub(crate) by: Actor,
    /// In which role.
    pub(crate) role: String,
}

impl RowsBeside {
    /// A plugin's messages and state, as rows to be stored with what it proposes. `link` is what led
    /// to the messages.
    pub(crate) fn of(
        plugin: &PluginInfo,
        at: Instant,
        effects: &Effects,
        reader: &Arc<Reader>,
        link: Link,
    ) -> Self {
        let plugin = &plugin.id;
        let message = effects.messages.iter().map(|message| Row::Message {
            plugin: plugin.clone(),
            message: message.clone(),
            at,
            link,
        });
        let state = effects.state.iter().map(|(key, value)| Row::State {
            plugin: plugin.clone(),
            key: key.clone(),
            value: value.clone(),
        });
        let effects = message.chain(state).collect();
        Self {
            effects,
            depends: Some(Arc::clone(reader)),
            link,
            ..Self::default()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.effects.is_empty()
    }
}

/// The spaces a task's effects depend on: what the plugin keeps; of an approval, what waits and who may
/// approve.
pub(crate) fn of_the_task(space: Space) -> bool {
    matches!(
        space,
        Space::Cursors | Space::PluginState | Space::Pending | Space::Approvers
    )
}

/// One row to be stored.
#[derive(Clone)]
pub(crate) enum Row {
    Cursor {
        plugin: String,
        role: &'static str,
        row: CursorRow,
    },
    Job {
        plugin: String,
        job: String,
        row: JobRow,
    },
    Park(ParkedRow),
    Unpark {
        plugin: String,
        role: String,
        entry: u64,
    },
    Message {
        plugin: String,
        message: Message,
        at: Instant,
        link: Link,
    },
    Delivery(OutboxRow),
    Delivered(u64),
    /// Added to what the plugin has cost that day.
    Cost(CostRow),
    State {
        plugin: String,
        key: String,
        value: Option<Vec<u8>>,
    },
    Administered(Administered),
    /// A commit that waits for approval, over the row that was there.
    Pending(Box<PendingRow>),
    /// It waits no longer.
    PendingEnded(RecordId),
}

impl Row {
    /// Stores it; `last` is the last journal entry.
    pub(crate) fn store(&self, write: &mut dyn Write, last: u64) -> Result<(), StoreError> {
        match self {
            Self::Cursor { plugin, role, row } => cursors::put(write, plugin, role, row),
            Self::Job { plugin, job, row } => jobs::put(write, plugin, job, row),
            Self::Park(row) => parked::put(write, row),
            Self::Unpark {
                plugin,
                role,
                entry,
            } => parked::remove(write, plugin, role, *entry),
            Self::Message {
                plugin,
                message,
                at,
                link,
            } => queue(write, plugin, message, *at, *link),
            Self::Delivery(row) => outbox::push(write, row),
            Self::Delivered(seq) => outbox::remove(write, *seq),
            Self::Cost(row) => costs::add(write, row),
            Self::State {
                plugin,
                key,
                value: Some(value),
            } => plugin_state::put(write, plugin, key, value),
            Self::State {
                plugin,
                key,
                value: None,
            } => plugin_state::remove(write, plugin, key),
            Self::Administered(row) => row.store(write, last),
            Self::Pending(row) => pending::put(write, row),
            Self::PendingEnded(id) => pending::remove(write, *id),
        }
    }
}

/// Whether a plugin may still have so much: calls that worked at the same time have each looked before the
/// others stored. One that finds no room here is done anew, and told there.
pub(crate) fn has_room(read: &dyn Read, rows: &[Row]) -> Result<bool, StoreError> {
    let (mut growth, mut of, mut sends) = (0i64, None, None);
    for row in rows {
        match row {
            Row::Message { plugin, .. } => sends = Some(plugin),
            Row::State { plugin, key, value } => {
                let size = |value: &[u8]| (key.len() + value.len()) as i64;
                let kept = plugin_state::get(read, plugin, key)?;
                growth += value.as_deref().map_or(0, size) - kept.as_deref().map_or(0, size);
                of = Some(plugin);
            }
            _ => {}
        }
    }
    if let Some(plugin) = of
        && growth > 0
        && plugin_state::used(read, plugin)?
            .bytes
            .saturating_add_signed(growth)
            > limits::STATE_TOTAL.value
    {
        return Ok(false);
    }
    match sends {
        Some(plugin) => Ok(outbox_full(read, plugin)?.is_none()),
        None => Ok(true),
    }
}

/// Whether there is room for what is to wait for approval. What waits already has its room.
pub(crate) fn pending_has_room(read: &dyn Read, rows: &[Row]) -> Result<bool, StoreError> {
    for row in rows {
        if let Row::Pending(row) = row
            && no_room_for(read, row)?.is_some()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The limit that keeps a commit from waiting for approval, if any.
pub(crate) fn no_room_for(
    read: &dyn Read,
    row: &PendingRow,
) -> Result<Option<&'static Limit>, StoreError> {
    let bytes = pending::size(row);
    if bytes > limits::PENDING_COMMIT.value {
        return Ok(Some(&limits::PENDING_COMMIT));
    }
    if pending::get(read, row.id)?.is_some() {
        return Ok(None);
    }
    let (all, own) = (
        pending::held_in_all(read)?,
        pending::held_of(read, &row.actor)?,
    );
    let counts = [
        (&limits::PENDING_OF_ONE, own.rows + 1),
        (&limits::PENDING, all.rows + 1),
        (&limits::PENDING_BYTES, all.bytes + bytes),
    ];
    let full = counts.into_iter().find(|(most, would)| *would > most.value);
    Ok(full.map(|(limit, _)| limit))
}

/// The limit that a plugin's waiting messages have reached, if any.
pub(crate) fn outbox_full(
    read: &dyn Read,
    plugin: &str,
) -> Result<Option<&'static Limit>, StoreError> {
    let Waiting { rows, bytes, .. } = outbox::waiting(read, plugin)?;
    let counts = [(&limits::OUTBOX_ROWS, rows), (&limits::OUTBOX_BYTES, bytes)];
    let full = counts.into_iter().find(|(most, has)| *has >= most.value);
    Ok(full.map(|(limit, _)| limit))
}

/// A fault of a plugin that no call of it was: it answered, and what it wanted was refused. The calls
/// themselves, and those that broke, are on the host's own bill.
pub(crate) fn refused_fault(plugin: &PluginInfo, role: Role, at: Instant) -> Row {
    Row::Cost(CostRow {
        day: at.date(),
        plugin: plugin.id.clone(),
        version: plugin.version.clone(),
        role: role.name().to_owned(),
        spent: Spent {
            faults: 1,
            ..Spent::default()
        },
        ..CostRow::default()
    })
}

/// Promise 6, nothing leaves before its journal entry is durable: a message is a row of the very
/// transaction that stores the entry, and only rows of durable states are delivered.
fn queue(
    write: &mut dyn Write,
    plugin: &str,
    message: &Message,
    at: Instant,
    link: Link,
) -> Result<(), StoreError> {
    let row = OutboxRow {
        seq: outbox::next_seq(write)?,
        plugin: plugin.to_owned(),
        message: message.clone(),
        queued_at: at,
        tries: 0,
        not_before: at,
        error: None,
        gave_up: false,
        link,
    };
    outbox::push(write, &row)
}
