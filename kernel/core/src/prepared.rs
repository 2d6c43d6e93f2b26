//! A commit that has passed everything, ready for its turn in the write transaction.
//!
//! Promise 4, no plugin runs inside a store transaction, holds because nothing here can reach one:
//! what was prepared is data, and the transaction only looks at it and writes it down.

use std::sync::Arc;

use kjerne_model::{Act, Actor, Edit, Entry, Instant, Verdict};
use kjerne_store::journal::EntryRows;
use kjerne_store::records::RecordRows;
use kjerne_store::{KeyRow, PendingRow, StoreError, Write, idempotency};

use crate::apply::RecordEdit;
use crate::outcome::{Receipt, Touched};
use crate::rows_beside::{Row, Way, has_room, of_the_task, pending_has_room};
use crate::sealed::Sealed;
use kjerne_query::Reader;

/// Everything one write needs, worked out and encoded as far as it can be beforehand: all commits share
/// the transaction, and wait for it one after the other.
pub(crate) struct Prepared {
    /// What the commit was decided on; none for rows that depend on nothing.
    reader: Option<Arc<Reader>>,
    /// What the task behind it was decided on.
    depends: Option<Arc<Reader>>,
    at: Instant,
    key: Option<UsedKey>,
    touched: Vec<Touched>,
    records: Vec<RecordRows>,
    /// None when there is nothing to tell.
    entry: Option<EntryRows>,
    rows: Vec<Row>,
}

/// An idempotency key that is used up: whose, its name, and the digest of what was asked for with it.
type UsedKey = (Actor, String, [u8; 16]);

/// What came of it.
pub(crate) enum Answer {
    /// It is stored.
    Stored(Receipt),
    /// Somebody changed what it was decided on; nothing was stored.
    Changed,
    /// Somebody changed what the task behind it was decided on; nothing was stored.
    Overtaken,
}

impl Prepared {
    /// A commit that every guard has let pass, with what is stored beside it; `act` is the approval that
    /// let it through, when it has waited.
    pub(crate) fn new(
        way: &Way<'_>,
        reader: Arc<Reader>,
        sealed: Sealed,
        verdicts: Vec<Verdict>,
        act: Option<Act>,
    ) -> Self {
        let Way { commit, beside, .. } = *way;
        let touched = sealed.touched();
        let edits = sealed.into_edits(commit.at);
        let records = edits.iter().map(record_rows).collect();
        let entry = Entry {
            number: 0,
            at: commit.at,
            actor: commit.actor.clone(),
            key: commit.key.clone(),
            cause: commit.cause,
            edits: edits.into_iter().map(journal_edit).collect(),
            verdicts,
            act,
        };
        let is_told = !entry.edits.is_empty() || entry.act.is_some();
        Self {
            reader: Some(reader),
            depends: beside.depends.clone(),
            at: commit.at,
            key: used_key(way),
            touched,
            records,
            entry: is_told.then(|| EntryRows::of(&entry)),
            rows: beside
                .moves
                .iter()
                .chain(&beside.effects)
                .cloned()
                .collect(),
        }
    }

    /// Rows that belong to no commit.
    pub(crate) fn rows(rows: Vec<Row>, depends: Option<Arc<Reader>>) -> Self {
        Self {
            reader: None,
            depends,
            at: Instant::default(),
            key: None,
            touched: Vec::new(),
            records: Vec::new(),
            entry: None,
            rows,
        }
    }

    /// A commit that waits for approval, as a row; `by` did the act that tells so. What goes with the commit
    /// waits with it, but for what the plugin keeps for itself: it has proposed, and knows it.
    pub(crate) fn waiting(
        way: &Way<'_>,
        reader: Arc<Reader>,
        row: PendingRow,
        (by, act): (Actor, Act),
    ) -> Self {
        let Way { commit, beside, .. } = *way;
        let kept = |row: &&Row| matches!(row, Row::State { .. });
        let effects = beside.effects.iter().filter(kept);
        let mut rows: Vec<Row> = beside.moves.iter().chain(effects).cloned().collect();
        rows.push(Row::Pending(Box::new(row)));
        // The key leads to the entry that tells of the waiting, and to none that comes between.
        let is_new = beside.approval.is_none();
        Self {
            reader: Some(reader),
            depends: beside.depends.clone(),
            key: used_key(way).filter(|_| is_new),
            ..Self::act(by, commit.at, act, rows)
        }
    }

    /// The end of a commit's waiting, without it being stored. Its key leads to that.
    pub(crate) fn ended(
        row: PendingRow,
        depends: Arc<Reader>,
        by: Actor,
        at: Instant,
        act: Act,
    ) -> Self {
        let (id, actor) = (row.id, row.actor);
        Self {
            depends: Some(depends),
            key: row.key.map(|(key, digest)| (actor, key, digest)),
            ..Self::act(by, at, act, vec![Row::PendingEnded(id)])
        }
    }

    /// An act of administration with the rows it stores.
    pub(crate) fn act(actor: Actor, at: Instant, act: Act, rows: Vec<Row>) -> Self {
        let entry = Entry {
            number: 0,
            at,
            actor,
            key: None,
            cause: None,
            edits: Vec::new(),
            verdicts: Vec::new(),
            act: Some(act),
        };
        Self {
            at,
            entry: Some(EntryRows::of(&entry)),
            ..Self::rows(rows, None)
        }
    }

    /// Looks again at everything the commit rests on and writes it down: records, indexes, journal
    /// entry, key and rows in the one transaction there is (promise 2). `last` is the last journal
    /// entry so far.
    pub(crate) fn store(
        &mut self,
        write: &mut dyn Write,
        last: &mut u64,
    ) -> Result<Answer, StoreError> {
        if let Some(depends) = &self.depends
            && !depends.holds(write, *last, of_the_task)?
        {
            return Ok(Answer::Overtaken);
        }
        if !has_room(write, &self.rows)? {
            return Ok(Answer::Overtaken);
        }
        if let Some(reader) = &self.reader
            && !reader.holds(write, *last, |_| true)?
        {
            return Ok(Answer::Changed);
        }
        // Others may have asked at the same time: whoever finds no room is told when it is looked at anew.
        if !pending_has_room(write, &self.rows)? {
            return Ok(Answer::Changed);
        }
        let mut entry = 0;
        if let Some(rows) = &self.entry {
            entry = *last + 1;
            store_records(write, &self.records)?;
            rows.write(write, entry)?;
            *last = entry;
        }
        if let Some((actor, key, digest)) = &self.key {
            idempotency::put(
                write,
                actor,
                key,
                &KeyRow {
                    digest: *digest,
                    entry,
                },
            )?;
        }
        for row in &self.rows {
            row.store(write, *last)?;
        }
        Ok(Answer::Stored(Receipt {
            entry,
            at: self.at,
            edits: std::mem::take(&mut self.touched),
            replayed: false,
            plugin_sets: Vec::new(),
            advice: Vec::new(),
            costs: Vec::new(),
        }))
    }
}

fn used_key(way: &Way<'_>) -> Option<UsedKey> {
    let commit = way.commit;
    Some((commit.actor.clone(), commit.key.clone()?, way.digest?))
}

fn record_rows(edit: &RecordEdit) -> RecordRows {
    RecordRows::of(
        &edit.kind,
        edit.id,
        edit.before.as_ref(),
        edit.after.as_ref(),
    )
}

fn journal_edit(edit: RecordEdit) -> Edit {
    Edit {
        kind: edit.kind.name.clone(),
        id: edit.id,
        version: edit.version,
        before: edit.before.map(|record| record.fields),
        after: edit.after.map(|record| record.fields),
    }
}

/// Stores the records: what each lets go of first, so that it is free for the others.
fn store_records(write: &mut dyn Write, records: &[RecordRows]) -> Result<(), StoreError> {
    records.iter().try_for_each(|rows| rows.let_go(write))?;
    records.iter().try_for_each(|rows| rows.take_hold(write))
}
