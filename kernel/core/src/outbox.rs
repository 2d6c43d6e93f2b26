//! The outbox: which messages to deliver now, and how their delivery goes.
//!
//! The kernel queues and keeps count; who calls it does the delivery. Messages of one plugin with
//! the same order key go out one at a time, in the order they were queued. A message that is given
//! up stays where the administrator sees it, and lets those behind it pass.
//!
//! Everything a plugin can have us do by itself has an end: what follows from the answer to a message
//! is a link of a chain like a reaction's, of bounded depth and number, and what waits is bounded for
//! each plugin in rows and bytes.

use std::collections::HashSet;
use std::ops::ControlFlow;

use kjerne_model::{Code, Instant, Refusal};
use kjerne_store::{Link, OutboxRow, Read, StoreError, Waiting, outbox};

use crate::kernel::Kernel;
use crate::limits::{self, Limit};
use crate::plugins::{Effects, PluginInfo};
use crate::rows_beside::{Row, outbox_full};
use kjerne_query::Reader;

/// How a delivery failed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Undelivered {
    /// Why.
    pub error: String,
    /// The shortest pause the receiver asked for, in milliseconds.
    pub wait: Option<i64>,
    /// Whether no further try can help.
    pub hopeless: bool,
}

impl From<&str> for Undelivered {
    fn from(error: &str) -> Self {
        Self {
            error: error.to_owned(),
            ..Self::default()
        }
    }
}

/// What became of a message that could not be delivered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Failed {
    /// The message as it stands now; none when it is gone.
    pub row: Option<OutboxRow>,
    /// The oldest messages given up, as many as had to make room for this one.
    pub forgotten: Vec<OutboxRow>,
}

impl Kernel {
    /// Shows `visit` the messages to be tried now, until it breaks: the first of each plugin and
    /// order key, when its time has come.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn outbox_each_due(
        &self,
        now: Instant,
        visit: &mut dyn FnMut(OutboxRow) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut heads = HashSet::new();
        outbox::list(&*self.store().snapshot()?, 0, &mut |row| {
            let queue = (row.plugin.clone(), row.message.order_key.clone());
            if !row.gave_up && heads.insert(queue) && is_due(&row, now) {
                visit(row)
            } else {
                ControlFlow::Continue(())
            }
        })
    }

    /// The messages to be tried now, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn outbox_due(&self, now: Instant, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let mut due = Vec::new();
        self.outbox_each_due(now, &mut |row| {
            due.push(row);
            if due.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(due)
    }

    /// Whether a message stands in the outbox now as it was handed out: it may have been delivered
    /// since the state was read that it was handed out from.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn outbox_holds(&self, row: &OutboxRow) -> Result<bool, StoreError> {
        let stored = outbox::get(&*self.store().snapshot()?, row.seq)?;
        Ok(stored.as_ref() == Some(row))
    }

    /// A message was delivered; it leaves the outbox.
    ///
    /// # Errors
    /// When the store fails.
    pub fn outbox_done(&self, seq: u64) -> Result<(), StoreError> {
        self.store_rows(vec![Row::Delivered(seq)], None).map(drop)
    }

    /// A message could not be delivered: it is tried again after a pause that doubles and is no
    /// shorter than the receiver asked for, or given up: after [`limits::OUTBOX_TRIES`], or at once
    /// when no further try can help.
    ///
    /// # Errors
    /// When the store fails.
    pub fn outbox_failed(
        &self,
        seq: u64,
        failure: impl Into<Undelivered>,
        now: Instant,
    ) -> Result<Failed, StoreError> {
        let failure = failure.into();
        let Some(mut row) = outbox::get(&*self.store().snapshot()?, seq)? else {
            return Ok(Failed::default());
        };
        row.tries += 1;
        let asked = failure.wait.unwrap_or(0);
        let pause = limits::back_off(row.tries).max(asked.min(limits::longest_pause()));
        row.not_before = now.plus_millis(pause);
        row.error = Some(failure.error);
        row.gave_up = failure.hopeless || u64::from(row.tries) >= limits::OUTBOX_TRIES.value;
        self.keep_row(row)
    }

    /// Keeps a message that needs a person: it was delivered, but what the plugin wanted to do about
    /// the answer was refused. It is not sent again.
    ///
    /// # Errors
    /// When the store fails.
    pub fn outbox_parked(&self, row: &OutboxRow, error: String) -> Result<Failed, StoreError> {
        self.keep_row(OutboxRow {
            gave_up: true,
            error: Some(error),
            ..row.clone()
        })
    }

    /// What a plugin has in the outbox.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn outbox_waiting(&self, plugin: &str) -> Result<Waiting, StoreError> {
        outbox::waiting(&*self.store().snapshot()?, plugin)
    }

    /// The limit that a plugin's waiting messages have reached, if any.
    pub(crate) fn outbox_is_full(
        &self,
        read: &dyn Read,
        plugin: &str,
    ) -> Result<Option<&'static Limit>, StoreError> {
        outbox_full(read, plugin)
    }

    /// The link that the messages of a request make: the first of a chain, or one that follows from
    /// the answer to another. A refusal when the chain is too long, has too many, or the plugin has
    /// too much waiting.
    pub(crate) fn link(
        &self,
        plugin: &PluginInfo,
        answered: Option<Link>,
        effects: &Effects,
        reader: &Reader,
    ) -> Result<Result<Link, Refusal>, StoreError> {
        if !effects.messages.is_empty()
            && let Some(full) = self.outbox_is_full(reader.unremembered(), &plugin.id)?
        {
            return Ok(Err(too_much(plugin, full)));
        }
        let Some(before) = answered else {
            return Ok(Ok(Link {
                follow_ups: limits::FOLLOW_UPS.value as u32,
                ..Link::default()
            }));
        };
        let depth = before.depth + 1;
        if !effects.messages.is_empty() && u64::from(depth) > limits::REACTION_DEPTH.value {
            return Ok(Err(endless(plugin, &limits::REACTION_DEPTH)));
        }
        let follow_ups = shared(plugin, before.follow_ups, effects);
        let link = follow_ups.map(|follow_ups| Link {
            entry: before.entry,
            depth,
            follow_ups,
        });
        Ok(link.map_err(|refusal| *refusal))
    }

    fn keep_row(&self, row: OutboxRow) -> Result<Failed, StoreError> {
        let mut rows = vec![Row::Delivery(row.clone())];
        let forgotten = if row.gave_up {
            self.oldest_given_up(&row)?
        } else {
            Vec::new()
        };
        rows.extend(forgotten.iter().map(|old| Row::Delivered(old.seq)));
        self.store_rows(rows, None)?;
        Ok(Failed {
            row: Some(row),
            forgotten,
        })
    }

    /// The messages that have to go when one more of its plugin is given up. Deliveries that end together may
    /// each have made room by the same one: the next makes up for it.
    fn oldest_given_up(&self, new: &OutboxRow) -> Result<Vec<OutboxRow>, StoreError> {
        let snapshot = self.store().snapshot()?;
        let given_up = outbox::waiting(&*snapshot, &new.plugin)?.given_up;
        let excess = (given_up + 1)
            .saturating_sub(limits::GIVEN_UP.value)
            .min(limits::FORGOTTEN.value);
        let mut oldest = Vec::new();
        if excess == 0 {
            return Ok(oldest);
        }
        outbox::list(&*snapshot, 0, &mut |row| {
            if row.gave_up && row.plugin == new.plugin && row.seq != new.seq {
                oldest.push(row);
                if oldest.len() as u64 >= excess {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(oldest)
    }
}

/// Whether a message's time has come: that of one never tried has. A pause longer than the longest was made by a clock that has
/// been put right since.
fn is_due(row: &OutboxRow, now: Instant) -> bool {
    row.tries == 0 || !limits::rests(row.not_before, limits::longest_pause(), now)
}

/// What may follow from each message and from the commit of what a plugin wants done, when so many
/// messages may follow in all: they share it, so that a chain ends whatever its plugins do. A refusal
/// when there are more messages than that.
pub(crate) fn shared(
    plugin: &PluginInfo,
    follow_ups: u32,
    effects: &Effects,
) -> Result<u32, Box<Refusal>> {
    let messages = effects.messages.len() as u64;
    let left = u64::from(follow_ups).checked_sub(messages);
    let left = left.ok_or_else(|| Box::new(endless(plugin, &limits::FOLLOW_UPS)))?;
    let commits = u64::from(!effects.changes.is_empty());
    Ok((left / (messages + commits).max(1)) as u32)
}

fn endless(plugin: &PluginInfo, limit: &Limit) -> Refusal {
    let message = format!(
        "plugin {} sends messages in answer to answers, or to what they led to, and the chain passes \
         {} ({} {}); have its author end the conversation, or disable the plugin",
        plugin.id, limit.name, limit.value, limit.unit
    );
    Refusal::new(Code::TooDeep, message).by(&plugin.id, limit.name)
}

fn too_much(plugin: &PluginInfo, limit: &Limit) -> Refusal {
    let message = format!(
        "plugin {} has messages waiting up to the limit {} ({} {}); see to the receiver, then try \
         again",
        plugin.id, limit.name, limit.value, limit.unit
    );
    Refusal::new(Code::PluginFault, message).by(&plugin.id, limit.name)
}
