//! The journal: every commit, in order, for ever; and which commits changed a record.

use std::ops::ControlFlow;

use kjerne_model::{Edit, Entry, Instant, RecordId};

use crate::codec::{decode_entry, encode_entry};
use crate::error::StoreError;
use crate::key::{self, Key};
use crate::space::Space;
use crate::store::{Range, Read, Write};
use crate::{meta, scan};

/// Which entries, and in which order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// Those after this number.
    pub after: u64,
    /// Those before this number; none: up to the last.
    pub before: Option<u64>,
    /// The last one first.
    pub newest_first: bool,
}

impl Span {
    /// Those after a number, in order.
    #[must_use]
    pub fn after(after: u64) -> Self {
        Self {
            after,
            ..Self::default()
        }
    }
}

const LAST: &str = "journal-last";

/// The number of the last entry; 0 when there is none.
///
/// # Errors
/// When the store cannot be read.
pub fn last(read: &dyn Read) -> Result<u64, StoreError> {
    meta::counter(read, LAST)
}

/// The entry with that number.
///
/// # Errors
/// When the store cannot be read or the entry is damaged.
pub fn get(read: &dyn Read, number: u64) -> Result<Option<Entry>, StoreError> {
    match read.get(Space::Journal, Key::new().number(number).bytes())? {
        Some(bytes) => decode(number, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Adds the next entry, and a row to the history of each record it changed.
///
/// # Errors
/// When the store cannot be written, or the entry's number is not the one after the last.
pub fn append(write: &mut dyn Write, entry: &Entry) -> Result<(), StoreError> {
    let last = last(write)?;
    if entry.number != last + 1 {
        let found = entry.number;
        return Err(StoreError::Corrupt(format!(
            "journal entry {found} cannot follow entry {last}"
        )));
    }
    EntryRows::of(entry).write(write, entry.number)?;
    set_last(write, entry.number)
}

/// An entry's rows but for its number, which it is given when its turn comes. They are made before
/// the transaction, which all commits share and which has only to write them down.
pub struct EntryRows {
    entry: Vec<u8>,
    /// The keys of its records' histories, each without the number at its end.
    history: Vec<Key>,
}

impl EntryRows {
    /// The rows of an entry, whatever its number says.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let key = |edit: &Edit| history_key(&edit.kind, edit.id);
        Self {
            entry: encode_entry(entry),
            history: entry.edits.iter().map(key).collect(),
        }
    }

    /// Writes them as the entry of that number, which has to be the one after the last. Whoever wrote
    /// the last entry of a transaction says so with [`set_last`].
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn write(&self, write: &mut dyn Write, number: u64) -> Result<(), StoreError> {
        write.put(
            Space::Journal,
            Key::new().number(number).bytes(),
            &self.entry,
        )?;
        for key in &self.history {
            let key = key.clone().number(number);
            write.put(Space::History, key.bytes(), &[])?;
        }
        Ok(())
    }
}

/// Says which entry is the last.
///
/// # Errors
/// When the store cannot be written.
pub fn set_last(write: &mut dyn Write, number: u64) -> Result<(), StoreError> {
    meta::set_counter(write, LAST, number)
}

/// Shows `visit` the entries after number `after`, in order, until it breaks.
///
/// # Errors
/// When the store cannot be read or an entry is damaged.
pub fn scan(
    read: &dyn Read,
    after: u64,
    visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    scan_within(read, Span::after(after), visit)
}

/// Shows `visit` the entries of a span, until it breaks.
///
/// # Errors
/// When the store cannot be read or an entry is damaged.
pub fn scan_within(
    read: &dyn Read,
    span: Span,
    visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    numbered(
        read,
        Space::Journal,
        &Key::new(),
        span,
        &mut |key, bytes| {
            let number = number_of(key)?;
            Ok(visit(decode(number, bytes)?))
        },
    )
}

/// The number of the last entry made before a time; 0 when all are later. Where the clock was put back
/// between two entries, it is one of those that have a later one behind them.
///
/// # Errors
/// When the store cannot be read or an entry is damaged.
pub fn last_before(read: &dyn Read, time: Instant) -> Result<u64, StoreError> {
    let (mut earlier, mut later) = (0, last(read)? + 1);
    while later - earlier > 1 {
        let middle = earlier + (later - earlier) / 2;
        let entry = get(read, middle)?
            .ok_or_else(|| StoreError::Corrupt(format!("journal entry {middle} is missing")))?;
        if entry.at < time {
            earlier = middle;
        } else {
            later = middle;
        }
    }
    Ok(earlier)
}

/// Shows `visit` the numbers of the entries that changed a record, in order, until it breaks.
///
/// # Errors
/// When the store cannot be read.
pub fn history(
    read: &dyn Read,
    kind: &str,
    id: RecordId,
    visit: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    history_within(read, kind, id, Span::default(), visit)
}

/// The same for the entries of a span.
///
/// # Errors
/// When the store cannot be read.
pub fn history_within(
    read: &dyn Read,
    kind: &str,
    id: RecordId,
    span: Span,
    visit: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let prefix = history_key(kind, id);
    numbered(read, Space::History, &prefix, span, &mut |key, _| {
        Ok(visit(number_of(key)?))
    })
}

/// Visits the rows of a span whose keys are a prefix and an entry's number.
fn numbered(
    read: &dyn Read,
    space: Space,
    prefix: &Key,
    span: Span,
    visit: &mut dyn FnMut(&[u8], &[u8]) -> scan::Step,
) -> Result<(), StoreError> {
    let Some(first) = span.after.checked_add(1) else {
        return Ok(());
    };
    let from = prefix.clone().number(first).into_bytes();
    let to = match span.before {
        Some(before) if before <= first => return Ok(()),
        Some(before) => Some(prefix.clone().number(before).into_bytes()),
        None => prefix.end(),
    };
    let rows = Range {
        from: &from,
        to: to.as_deref(),
        backwards: span.newest_first,
    };
    scan::range(read, space, rows, visit)
}

pub(crate) fn history_key(kind: &str, id: RecordId) -> Key {
    key::record(kind, id)
}

fn number_of(key: &[u8]) -> Result<u64, StoreError> {
    key::trailing_number(key)
        .ok_or_else(|| StoreError::Corrupt("a journal key has no number".to_owned()))
}

fn decode(number: u64, bytes: &[u8]) -> Result<Entry, StoreError> {
    let what = format_args!("journal entry {number}");
    decode_entry(number, bytes).map_err(|damage| damage.in_(what))
}
