//! A commit that has passed everything, ready for its turn in the write transaction.
//!
//! Promise 4, no plugin runs inside a store transaction, holds because nothing here can reach one:
//! what was prepared is data, and the transaction only looks at it and writes it down.

use std::sync::Arc;

use kjerne_model::{Act, Actor, Cause, Commit, Edit, Entry, Instant, Record, Verdict};
use kjerne_store::{KeyRow, StoreError, Write, idempotency, journal, records};

use crate::apply::RecordEdit;
use crate::check::unique_fields;
use crate::outcome::{Receipt, Touched};
use crate::reader::Reader;
use crate::rows_beside::{Row, RowsBeside, of_the_plugin};
use crate::sealed::Sealed;

/// Everything one write needs.
pub(crate) struct Prepared {
    /// What the commit was decided on; none for rows that depend on nothing.
    reader: Option<Arc<Reader>>,
    /// What the task behind it was decided on.
    depends: Option<Arc<Reader>>,
    at: Instant,
    actor: Actor,
    key: Option<(String, [u8; 16])>,
    cause: Option<Cause>,
    touched: Vec<Touched>,
    edits: Vec<RecordEdit>,
    verdicts: Vec<Verdict>,
    act: Option<Act>,
    rows: Vec<Row>,
}

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
    /// A commit that every guard has let pass, with what is stored beside it.
    pub(crate) fn new(
        commit: &Commit,
        digest: Option<[u8; 16]>,
        reader: Arc<Reader>,
        sealed: Sealed,
        verdicts: Vec<Verdict>,
        beside: &RowsBeside,
    ) -> Self {
        Self {
            reader: Some(reader),
            depends: beside.depends.clone(),
            at: commit.at,
            actor: commit.actor.clone(),
            key: commit.key.clone().zip(digest),
            cause: commit.cause,
            touched: sealed.touched(),
            edits: sealed.into_edits(commit.at),
            verdicts,
            act: None,
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
            actor: Actor::System("kernel".to_owned()),
            key: None,
            cause: None,
            touched: Vec::new(),
            edits: Vec::new(),
            verdicts: Vec::new(),
            act: None,
            rows,
        }
    }

    /// An act of administration with the rows it stores.
    pub(crate) fn act(actor: Actor, at: Instant, act: Act, rows: Vec<Row>) -> Self {
        Self {
            at,
            actor,
            act: Some(act),
            ..Self::rows(rows, None)
        }
    }

    /// Looks again at everything the commit rests on and writes it down: records, indexes, journal
    /// entry, key and rows in the one transaction there is (promise 2). `last` is the last journal
    /// entry so far.
    pub(crate) fn store(
        mut self,
        write: &mut dyn Write,
        last: &mut u64,
    ) -> Result<Answer, StoreError> {
        if let Some(depends) = &self.depends
            && !depends.holds(write, *last, of_the_plugin)?
        {
            return Ok(Answer::Overtaken);
        }
        if let Some(reader) = &self.reader
            && !reader.holds(write, *last, |_| true)?
        {
            return Ok(Answer::Changed);
        }
        let nothing_to_tell = self.edits.is_empty() && self.act.is_none();
        let entry = if nothing_to_tell { 0 } else { *last + 1 };
        if entry > 0 {
            store_records(write, &self.edits)?;
            journal::append(write, &self.entry(entry))?;
            *last = entry;
        }
        if let Some((key, digest)) = &self.key {
            idempotency::put(
                write,
                &self.actor,
                key,
                &KeyRow {
                    digest: *digest,
                    entry,
                },
            )?;
        }
        for row in &self.rows {
            row.store(write)?;
        }
        let edits = self.touched;
        Ok(Answer::Stored(Receipt {
            entry,
            at: self.at,
            edits,
            replayed: false,
            plugin_sets: Vec::new(),
        }))
    }

    /// The journal entry; takes the fields out of the records, which are stored by now.
    fn entry(&mut self, number: u64) -> Entry {
        let edits = std::mem::take(&mut self.edits);
        Entry {
            number,
            at: self.at,
            actor: self.actor.clone(),
            key: self.key.as_ref().map(|(key, _)| key.clone()),
            cause: self.cause,
            edits: edits.into_iter().map(journal_edit).collect(),
            verdicts: std::mem::take(&mut self.verdicts),
            act: self.act.take(),
        }
    }
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

/// Stores the records: removals first, so that what they held is free for the others.
fn store_records(write: &mut dyn Write, edits: &[RecordEdit]) -> Result<(), StoreError> {
    for edit in edits {
        if let (Some(before), None) = (&edit.before, &edit.after) {
            records::remove(write, &edit.kind, before)?;
        }
    }
    let released = release_unique(write, edits)?;
    for (edit, released) in edits.iter().zip(&released) {
        match (released.as_ref().or(edit.before.as_ref()), &edit.after) {
            (None, Some(after)) => records::insert(write, &edit.kind, after)?,
            (Some(before), Some(after)) => records::update(write, &edit.kind, before, after)?,
            (_, None) => {}
        }
    }
    Ok(())
}

/// Lets go of the unique values that records of a larger commit give up, before any of them takes a
/// new one: two records may swap theirs. Returns what is stored in between.
fn release_unique(
    write: &mut dyn Write,
    edits: &[RecordEdit],
) -> Result<Vec<Option<Record>>, StoreError> {
    let mut released = Vec::with_capacity(edits.len());
    for edit in edits {
        let between = if edits.len() > 1 {
            without_moved(edit)
        } else {
            None
        };
        if let (Some(before), Some(between)) = (&edit.before, &between) {
            records::update(write, &edit.kind, before, between)?;
        }
        released.push(between);
    }
    Ok(released)
}

/// The record as it is, without the unique values that it changes; none when there is no such value.
fn without_moved(edit: &RecordEdit) -> Option<Record> {
    let (before, after) = (edit.before.as_ref()?, edit.after.as_ref()?);
    let moved = |name: &str| before.get(name).is_some() && before.get(name) != after.get(name);
    let names: Vec<_> = unique_fields(&edit.kind)
        .map(|field| &field.name)
        .filter(|name| moved(name))
        .collect();
    if names.is_empty() {
        return None;
    }
    let mut between = before.clone();
    names
        .into_iter()
        .for_each(|name| drop(between.fields.remove(name)));
    Some(between)
}
