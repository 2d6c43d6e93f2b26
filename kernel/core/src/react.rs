//! Reactions: plugins walk the journal, each from its own stored cursor.
//!
//! What a reaction proposes is a commit like any other; the cursor moves in the transaction that
//! stores it, with the messages and the plugin's own state. A crash anywhere leaves either all of it
//! or none, so that nothing is lost and nothing is done twice inside the store. A record a plugin fails on
//! holds up none but its own later entries; `aside.rs` says by which rules.

use std::ops::ControlFlow;
use std::sync::Arc;

use kjerne_model::{Actor, Cause, Change, Code, Commit, Instant, Refusal};
use kjerne_store::{
    AsideRow, CursorRow, Link, ParkedRow, StoreError, cursors, journal, parked, records,
};

use crate::aside;
use crate::commit::{Mode, Taken};
use crate::faults::shorten;
use crate::kernel::Kernel;
use crate::limits;
use crate::outbox::shared;
use crate::outcome::{Outcome, Receipt};
use crate::plugins::{Call, Effects, PluginInfo, Role};
use crate::prepared::Answer;
use crate::progress::{Progress, busy};
use crate::rows_beside::{Row, RowsBeside};
use crate::walker::{Batch, Walker, depth_of, follow_ups_of};
use kjerne_query::Reader;

/// What one call came to.
enum Answered {
    Done {
        receipt: Option<Receipt>,
        messages: usize,
    },
    Failed(Failure),
    Busy(String),
    Overtaken,
}

/// Why a turn came to nothing.
struct Failure {
    error: String,
    /// Whether it would fail again for certain.
    hopeless: bool,
    /// Whether the plugin answered, and what it wanted was refused.
    refused: bool,
}

impl Failure {
    /// A chain that is too long today is too long tomorrow.
    fn endless(refusal: &Refusal) -> Self {
        Self {
            error: refusal.to_string(),
            hopeless: true,
            refused: true,
        }
    }
}

impl Kernel {
    /// Has a plugin answer the next journal entries that concern it: one turn. To be called until it
    /// is [`Progress::Idle`], and again when the journal has grown.
    ///
    /// The plugin is shown entries of one depth only, so that what it proposes has a depth of its
    /// own; entries it made itself are passed over. When it fails on several entries, half as many
    /// are tried at once, down to one: an entry it can never answer is put aside alone, to be tried again and
    /// parked in the end, and what stands before and behind it is answered.
    ///
    /// # Errors
    /// When the store fails.
    pub fn react(
        &self,
        plugin: &PluginInfo,
        role: Role,
        now: Instant,
    ) -> Result<Progress, StoreError> {
        let walker = Walker { plugin, role, now };
        for _ in 0..limits::PERFORM_TRIES.value {
            let reader = self.remembering()?;
            let cursor = cursors::get(&*reader, &plugin.id, role.name())?;
            // A plugin whose messages wait has its reactions wait too: the journal keeps the entries.
            if self
                .outbox_is_full(reader.unremembered(), &plugin.id)?
                .is_some()
            {
                return Ok(Progress::Waiting {
                    until: now.plus_millis(limits::back_off(1)),
                });
            }
            if let Some(progress) = self.turn(&walker, &reader, &cursor)? {
                return Ok(progress);
            }
        }
        Ok(Progress::Waiting {
            until: now.plus_millis(limits::back_off(1)),
        })
    }

    /// Has a plugin's cursor stand behind an entry, as when a plugin is enabled that shall answer
    /// what comes and not what has been.
    ///
    /// # Errors
    /// When the store fails.
    pub fn start_after(&self, plugin: &str, role: Role, entry: u64) -> Result<(), StoreError> {
        let row = CursorRow {
            position: entry,
            ..CursorRow::default()
        };
        let (plugin, role) = (plugin.to_owned(), role.name());
        self.store_rows(vec![Row::Cursor { plugin, role, row }], None)
            .map(drop)
    }

    /// What is parked, by plugin, role and entry.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn parked(&self) -> Result<Vec<ParkedRow>, StoreError> {
        let mut rows = Vec::new();
        parked::list(&*self.store().snapshot()?, &mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(rows)
    }

    /// What each plugin has put aside: what it failed on and tries again, and what waits behind that.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn aside(&self) -> Result<Vec<(String, String, Vec<AsideRow>)>, StoreError> {
        let cursors = cursors::list(&*self.store().snapshot()?)?.into_iter();
        let some = cursors.filter(|(_, _, row)| !row.aside.is_empty());
        Ok(some
            .map(|(plugin, role, row)| (plugin, role, row.aside))
            .collect())
    }

    /// Tries a parked entry again. When it works out the entry is parked no longer; else it stays.
    ///
    /// # Errors
    /// When the store fails.
    pub fn retry_parked(
        &self,
        plugin: &PluginInfo,
        role: Role,
        entry: u64,
        now: Instant,
    ) -> Result<Progress, StoreError> {
        if role == Role::ServiceRules {
            return self.retry_escalation(plugin, entry, now);
        }
        let walker = Walker { plugin, role, now };
        let reader = self.remembering()?;
        let stored = journal::get(&*self.store().snapshot()?, entry)?;
        let Some(shown) = stored.and_then(|stored| walker.concern(stored)) else {
            return Ok(Progress::Idle);
        };
        let (plugin, role) = (plugin.id.clone(), role.name().to_owned());
        let unpark = Row::Unpark {
            plugin,
            role,
            entry,
        };
        let batch = Batch {
            shown: vec![shown],
            ..Batch::default()
        };
        Ok(match self.answer(&walker, &reader, &batch, unpark)? {
            Answered::Done { receipt, messages } => Progress::Moved {
                position: entry,
                shown: 1,
                receipt,
                messages,
            },
            Answered::Failed(Failure { error, refused, .. }) => {
                if refused {
                    self.store_rows(vec![walker.fault()], None)?;
                }
                Progress::Parked { entry, error }
            }
            Answered::Busy(error) => busy(now, error),
            Answered::Overtaken => Progress::Waiting { until: now },
        })
    }

    /// One turn on one state; none when somebody else moved the cursor meanwhile.
    fn turn(
        &self,
        walker: &Walker<'_>,
        reader: &Arc<Reader>,
        cursor: &CursorRow,
    ) -> Result<Option<Progress>, StoreError> {
        let mut most = limits::REACTION_ENTRIES.count();
        loop {
            let batch = walker.batch(reader.snapshot(), cursor, most)?;
            if batch.shown.is_empty() {
                return self.pass_over(walker, reader, cursor, &batch);
            }
            let moved = walker.cursor(batch.moves(cursor));
            match self.answer(walker, reader, &batch, moved)? {
                Answered::Overtaken => return Ok(None),
                // Fewer entries find a place no sooner.
                Answered::Busy(error) => return Ok(Some(busy(walker.now, error))),
                Answered::Done { receipt, messages } => {
                    let (position, shown) = (batch.end, batch.shown.len());
                    return Ok(Some(Progress::Moved {
                        position,
                        shown,
                        receipt,
                        messages,
                    }));
                }
                Answered::Failed(_) if batch.shown.len() > 1 => most = batch.shown.len() / 2,
                Answered::Failed(failure) => {
                    return self.failed(walker, reader, cursor, batch, failure);
                }
            }
        }
    }

    /// Stores a cursor that has come by entries it need not show, when they are many or large enough.
    fn pass_over(
        &self,
        walker: &Walker<'_>,
        reader: &Arc<Reader>,
        cursor: &CursorRow,
        batch: &Batch,
    ) -> Result<Option<Progress>, StoreError> {
        let is_new = batch.end > cursor.position && batch.is_worth_storing;
        if !is_new && batch.dropped.is_empty() {
            let until = aside::next_try(&cursor.aside);
            return Ok(Some(match until {
                Some(until) => Progress::Waiting { until },
                None => Progress::Idle,
            }));
        }
        let moved = walker.cursor(batch.moves(cursor));
        let progress = Progress::Moved {
            position: batch.end,
            shown: 0,
            receipt: None,
            messages: 0,
        };
        self.keep(vec![moved], reader, progress)
    }

    /// Shows the plugin a batch, and stores what it wants done together with `moved`.
    fn answer(
        &self,
        walker: &Walker<'_>,
        reader: &Arc<Reader>,
        batch: &Batch,
        moved: Row,
    ) -> Result<Answered, StoreError> {
        let (plugin, now) = (walker.plugin, walker.now);
        let depth = batch.shown.first().map_or(0, depth_of);
        let actor = Actor::Plugin(plugin.id.clone());
        let call = Call {
            now,
            actor: actor.clone(),
            depth,
            reader: Arc::clone(reader),
        };
        let effects = match self.plugins().run(plugin, &call, &walker.task(batch)) {
            Ok(effects) => effects,
            Err(fault) if fault.is_overload() => return Ok(Answered::Busy(fault.message)),
            Err(fault) => {
                return Ok(Answered::Failed(Failure {
                    error: fault.message,
                    hopeless: false,
                    refused: false,
                }));
            }
        };
        let messages = effects.messages.len();
        let (cause, link) = match self.links(plugin, batch, &effects) {
            Ok(links) => links,
            Err(refusal) => return Ok(Answered::Failed(Failure::endless(&refusal))),
        };
        let mut beside = RowsBeside::of(plugin, now, &effects, reader, link);
        beside.moves.push(moved);
        let Effects { key, changes, .. } = effects;
        let commit = Commit {
            changes,
            actor,
            key,
            at: now,
            cause,
        };
        Ok(match self.take(&commit, &beside, Mode::Store)? {
            Taken::Overtaken => Answered::Overtaken,
            Taken::Outcome(Outcome::Accepted(receipt)) => Answered::Done {
                messages: if receipt.replayed { 0 } else { messages },
                receipt: Some(receipt).filter(|done| done.entry > 0),
            },
            // It has proposed, and goes on; what it proposed waits without it.
            Taken::Outcome(Outcome::Waiting(_)) => Answered::Done {
                messages: 0,
                receipt: None,
            },
            Taken::Outcome(outcome) if outcome.is_overload() => Answered::Busy(outcome.told()),
            // Somebody changed a record while the plugin worked: it looks at it as it is now.
            Taken::Outcome(outcome) if outcome.is_stale() && was_so(reader, &commit.changes)? => {
                Answered::Overtaken
            }
            Taken::Outcome(outcome) => {
                // A chain that is too long today is too long tomorrow.
                Answered::Failed(Failure {
                    error: outcome.told(),
                    hopeless: outcome.has(Code::TooDeep),
                    refused: true,
                })
            }
        })
    }

    /// The places in their chains of the commit and the messages of what a plugin wants done about a batch.
    /// What comes of the answer to a message shares what may follow from that message.
    fn links(
        &self,
        plugin: &PluginInfo,
        batch: &Batch,
        effects: &Effects,
    ) -> Result<(Option<Cause>, Link), Box<Refusal>> {
        let depth = batch.shown.first().map_or(0, depth_of);
        let entry = batch.shown.last().map_or(0, |entry| entry.number);
        let allotted = self.allotted(batch);
        let follow_ups = allotted.map(|allotted| shared(plugin, allotted, effects));
        let follow_ups = follow_ups.transpose()?;
        // What changes nothing is no link of a chain.
        let cause = (!effects.changes.is_empty()).then_some(Cause {
            entry,
            depth: depth + 1,
            follow_ups,
        });
        let link = Link {
            entry,
            depth,
            follow_ups: follow_ups.unwrap_or(limits::FOLLOW_UPS.value as u32),
        };
        Ok((cause, link))
    }

    /// How many messages one plugin may have follow from a batch; none when none of it came of an answer.
    /// All plugins that walk the journal are shown it, and share what is left.
    fn allotted(&self, batch: &Batch) -> Option<u32> {
        let walking = [Role::React, Role::Integration];
        let all = walking.map(|role| self.plugins().with_role(role).len());
        let all = all.iter().sum::<usize>().max(1) as u32;
        let mut left = batch.shown.iter().filter_map(follow_ups_of).peekable();
        left.peek()?;
        Some(left.map(|left| left / all).fold(0, u32::saturating_add))
    }

    /// Stores that a plugin failed on one entry: it is put aside, to be tried again later, or parked.
    fn failed(
        &self,
        walker: &Walker<'_>,
        reader: &Arc<Reader>,
        cursor: &CursorRow,
        batch: Batch,
        failure: Failure,
    ) -> Result<Option<Progress>, StoreError> {
        let Failure {
            error,
            hopeless,
            refused,
        } = failure;
        let Some(failed) = batch.shown.first() else {
            return Ok(None);
        };
        let entry = failed.number;
        let known = cursor.aside.iter().find(|row| row.entry == entry);
        let (tries, at) = (known.map_or(0, |row| row.tries) + 1, walker.now);
        let fault = refused.then(|| walker.fault());
        // What was looked at behind it is looked at again.
        let held = batch.held.into_iter().filter(|row| row.entry < entry);
        if hopeless || u64::from(tries) >= limits::REACTION_TRIES.value {
            let (plugin, role) = (walker.plugin.id.clone(), walker.role.name().to_owned());
            let park = ParkedRow {
                plugin,
                role,
                entry,
                at,
                tries,
                error: error.clone(),
            };
            let moved = walker.cursor(aside::moved(cursor, entry, &[entry], held));
            let rows = [Row::Park(park), moved].into_iter().chain(fault);
            return self.keep(rows.collect(), reader, Progress::Parked { entry, error });
        }
        let until = at.plus_millis(limits::back_off(tries));
        let mut told = error.clone();
        shorten(&mut told);
        let row = AsideRow {
            entry,
            records: aside::records_of(failed),
            tries,
            not_before: until,
            error: Some(told),
        };
        let moved = aside::moved(cursor, entry, &[entry], held.chain([row]));
        let progress = Progress::Failed {
            entry,
            tries,
            until,
            error,
        };
        let rows = [walker.cursor(moved)].into_iter().chain(fault);
        self.keep(rows.collect(), reader, progress)
    }

    /// Stores rows if the cursor is where it was read; none when it is not.
    fn keep(
        &self,
        rows: Vec<Row>,
        reader: &Arc<Reader>,
        progress: Progress,
    ) -> Result<Option<Progress>, StoreError> {
        match self.store_rows(rows, Some(Arc::clone(reader)))? {
            Answer::Stored(_) => Ok(Some(progress)),
            Answer::Changed | Answer::Overtaken => Ok(None),
        }
    }
}

/// Whether the records that changes expect in a version had that version in the state the plugin saw.
fn was_so(reader: &Reader, changes: &[Change]) -> Result<bool, StoreError> {
    for change in changes {
        let target = match change {
            Change::Update { target, .. } | Change::Delete { target } => target,
            Change::Create { .. } => continue,
        };
        if let Some(expected) = target.expected {
            let record = records::get(reader.unremembered(), &target.kind, target.id)?;
            if record.is_none_or(|record| record.version != expected) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
