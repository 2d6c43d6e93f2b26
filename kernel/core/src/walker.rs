//! Walking the journal: which of the next entries concern a plugin, and how many it is shown at once.

use std::ops::ControlFlow;

use kjerne_model::{Actor, Entry, Instant};
use kjerne_store::{AsideRow, CursorRow, Snapshot, StoreError, journal};

use crate::aside::{self, Held, records_of};
use crate::limits;
use crate::plugins::{PluginInfo, Role, Task};
use crate::rows_beside::{Row, refused_fault};

/// A plugin in a role that walks the journal.
pub(crate) struct Walker<'a> {
    pub(crate) plugin: &'a PluginInfo,
    pub(crate) role: Role,
    pub(crate) now: Instant,
}

/// The next entries a plugin is to be shown.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) shown: Vec<Entry>,
    /// Entries that were aside and concern the plugin no longer.
    pub(crate) dropped: Vec<u64>,
    /// Entries that wait behind what is aside.
    pub(crate) held: Vec<AsideRow>,
    /// The last entry looked at: those behind the last one shown do not concern the plugin, or are held.
    pub(crate) end: u64,
    /// Whether reading again what was looked at costs more than storing that it was.
    pub(crate) is_worth_storing: bool,
}

impl Batch {
    /// The cursor when all that is shown is answered.
    pub(crate) fn moves(&self, cursor: &CursorRow) -> CursorRow {
        let shown = self.shown.iter().map(|entry| entry.number);
        let over: Vec<u64> = shown.chain(self.dropped.iter().copied()).collect();
        aside::moved(cursor, self.end, &over, self.held.iter().cloned())
    }
}

pub(crate) fn depth_of(entry: &Entry) -> u32 {
    entry.cause.map_or(0, |cause| cause.depth)
}

/// How many messages may follow from an entry, when it was made in answer to one.
pub(crate) fn follow_ups_of(entry: &Entry) -> Option<u32> {
    entry.cause.and_then(|cause| cause.follow_ups)
}

/// Whether a plugin may be shown two entries in one call: what it makes of them has one depth, and may
/// be followed by messages without number or by a number of them.
fn go_together(one: &Entry, other: &Entry) -> bool {
    let counted = |entry: &Entry| follow_ups_of(entry).is_some();
    depth_of(one) == depth_of(other) && counted(one) == counted(other)
}

impl Walker<'_> {
    pub(crate) fn cursor(&self, row: CursorRow) -> Row {
        Row::Cursor {
            plugin: self.plugin.id.clone(),
            role: self.role.name(),
            row,
        }
    }

    /// What the plugin wanted was refused, as a row for what it costs.
    pub(crate) fn fault(&self) -> Row {
        refused_fault(self.plugin, self.role, self.now)
    }

    pub(crate) fn task(&self, batch: &Batch) -> Task {
        let shown = batch.shown.clone();
        if self.role == Role::Integration {
            Task::Outbound(shown)
        } else {
            Task::React(shown)
        }
    }

    /// What of an entry concerns the plugin: edits it watches, made by others.
    pub(crate) fn concern(&self, mut entry: Entry) -> Option<Entry> {
        let own = matches!(&entry.actor, Actor::Plugin(id) if *id == self.plugin.id);
        if own {
            return None;
        }
        entry.edits = self.plugin.watches.among_edits(entry.edits);
        (!entry.edits.is_empty()).then_some(entry)
    }

    /// The next entries of one depth that the plugin is to answer, at most `most`: of what is aside, if any
    /// of it is due, and else those it has not come by.
    pub(crate) fn batch(
        &self,
        snapshot: &Snapshot,
        cursor: &CursorRow,
        most: usize,
    ) -> Result<Batch, StoreError> {
        let due = aside::due(&cursor.aside, self.now, most);
        if due.is_empty() {
            self.coming(snapshot, cursor, most)
        } else {
            self.again(snapshot, cursor.position, &due)
        }
    }

    /// These entries, which are aside, as far as they go together.
    fn again(&self, snapshot: &Snapshot, position: u64, due: &[u64]) -> Result<Batch, StoreError> {
        let mut batch = Batch {
            end: position,
            ..Batch::default()
        };
        let mut edits = 0;
        for number in due {
            let stored = journal::get(&**snapshot, *number)?;
            let Some(entry) = stored.and_then(|stored| self.concern(stored)) else {
                batch.dropped.push(*number);
                continue;
            };
            edits += entry.edits.len();
            let fits = batch.shown.first().is_none_or(|first| {
                edits <= limits::REACTION_EDITS.count() && go_together(first, &entry)
            });
            if !fits {
                break;
            }
            batch.shown.push(entry);
        }
        Ok(batch)
    }

    /// The next entries the plugin has not come by, without those that have to wait.
    fn coming(
        &self,
        snapshot: &Snapshot,
        cursor: &CursorRow,
        most: usize,
    ) -> Result<Batch, StoreError> {
        let mut held = Held::by(&cursor.aside);
        let mut batch = Batch {
            end: cursor.position,
            ..Batch::default()
        };
        let (mut looked_at, mut read, mut edits) = (0, 0, 0);
        journal::scan(&**snapshot, cursor.position, &mut |entry| {
            let (number, size) = (entry.number, entry.edits.len());
            if let Some(entry) = self.concern(entry) {
                let records = records_of(&entry);
                if !held.has_room(&records) {
                    return ControlFlow::Break(());
                }
                if held.holds(&records) {
                    held.extend(&records);
                    batch.held.push(aside::waiting(number, records));
                } else {
                    edits += entry.edits.len();
                    let fits = batch.shown.first().is_none_or(|first| {
                        batch.shown.len() < most
                            && edits <= limits::REACTION_EDITS.count()
                            && go_together(first, &entry)
                    });
                    if !fits {
                        return ControlFlow::Break(());
                    }
                    batch.shown.push(entry);
                }
            }
            batch.end = number;
            looked_at += 1;
            read += size;
            batch.is_worth_storing = looked_at >= limits::REACTION_SKIP.count()
                || read >= limits::REACTION_SKIP_EDITS.count();
            let enough = looked_at >= limits::REACTION_SCAN.count()
                || read >= limits::REACTION_SCAN_EDITS.count();
            if enough {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(batch)
    }
}
