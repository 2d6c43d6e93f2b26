//! Entries put aside: how a plugin that fails on one record goes on with all others.
//!
//! An entry a plugin fails on is put aside and tried again later; what comes behind it about the same
//! records is put aside too and waits for it. Both are kept in the cursor's own row, so that they move in the
//! same transaction as the cursor. What always holds:
//!
//! 1. Each entry up to the cursor's position is answered, parked, of no concern, or aside; none behind it is.
//! 2. An entry is shown only when every earlier entry about one of its records is answered or parked, or
//!    shown before it in the same call. So the order of a record's entries is never broken, and an entry about
//!    several records waits for all of them.
//! 3. An entry that shares no record with one that is aside is not held up by it.
//! 4. Nothing is aside for ever: the first of those that are waits for none, and each of its tries
//!    answers it, parks it or counts. A call that finds no place counts nothing.
//! 5. There is a bound on the entries that are aside, on their records, and on those that failed. At
//!    a bound the plugin looks at nothing new; the journal keeps the rest. So a plugin that fails on everything
//!    parks a few entries in each round of tries, and not the whole journal.
//! 6. An entry that is parked holds up nothing. Tried again by hand, it comes after what went on without it.

use std::collections::HashSet;

use kjerne_model::{Entry, Instant, RecordId};
use kjerne_store::{AsideRow, CursorRow};

use crate::limits;

/// The records of an entry that is shown, each once.
pub(crate) fn records_of(entry: &Entry) -> Vec<RecordId> {
    let mut records: Vec<RecordId> = entry.edits.iter().map(|edit| edit.id).collect();
    records.sort_unstable();
    records.dedup();
    records
}

/// An entry that waits behind another.
pub(crate) fn waiting(entry: u64, records: Vec<RecordId>) -> AsideRow {
    AsideRow {
        entry,
        records,
        ..AsideRow::default()
    }
}

/// What may be tried now of what is aside, at most `most` entries: such as wait for nothing any more, together,
/// or one that failed and is due, alone. In order, and empty when all of it has to wait.
pub(crate) fn due(aside: &[AsideRow], now: Instant, most: usize) -> Vec<u64> {
    let (mut chosen, mut held) = (Vec::new(), HashSet::new());
    for row in aside {
        let is_free = !row.records.iter().any(|id| held.contains(id));
        let rests =
            row.tries > 0 && limits::rests(row.not_before, limits::back_off(row.tries), now);
        if is_free && row.tries > 0 && !rests && chosen.is_empty() {
            return vec![row.entry];
        }
        if is_free && row.tries == 0 {
            chosen.push(row.entry);
            if chosen.len() == most {
                break;
            }
        } else {
            held.extend(row.records.iter().copied());
        }
    }
    chosen
}

/// When the first of those that failed is tried again.
pub(crate) fn next_try(aside: &[AsideRow]) -> Option<Instant> {
    let failed = aside.iter().filter(|row| row.tries > 0);
    failed.map(|row| row.not_before).min()
}

/// What holds up entries the plugin has not come by yet.
pub(crate) struct Held {
    ids: HashSet<RecordId>,
    /// Entries and records that may still be put aside.
    room: (usize, usize),
}

impl Held {
    /// By what is aside already.
    pub(crate) fn by(aside: &[AsideRow]) -> Self {
        let failed = aside.iter().filter(|row| row.tries > 0).count();
        let records: usize = aside.iter().map(|row| row.records.len()).sum();
        let mut room = (
            limits::ASIDE.count().saturating_sub(aside.len()),
            limits::ASIDE_RECORDS.count().saturating_sub(records),
        );
        if failed >= limits::ASIDE_FAILED.count() {
            room.0 = 0;
        }
        let ids = aside.iter().flat_map(|row| &row.records).copied();
        Self {
            ids: ids.collect(),
            room,
        }
    }

    /// Whether an entry about these records could be put aside, if it had to be. Only such an entry is
    /// looked at, since any may turn out to be one the plugin fails on.
    pub(crate) fn has_room(&self, records: &[RecordId]) -> bool {
        self.room.0 > 0 && self.room.1 >= records.len()
    }

    /// Whether one of the records has an entry aside.
    pub(crate) fn holds(&self, records: &[RecordId]) -> bool {
        records.iter().any(|id| self.ids.contains(id))
    }

    /// An entry about these records waits as well.
    pub(crate) fn extend(&mut self, records: &[RecordId]) {
        self.ids.extend(records.iter().copied());
        self.room.0 = self.room.0.saturating_sub(1);
        self.room.1 = self.room.1.saturating_sub(records.len());
    }
}

/// The cursor behind `position`, without the entries that are `over` and with those newly put aside.
pub(crate) fn moved(
    cursor: &CursorRow,
    position: u64,
    over: &[u64],
    put_aside: impl IntoIterator<Item = AsideRow>,
) -> CursorRow {
    let stay = cursor.aside.iter().filter(|row| !over.contains(&row.entry));
    let mut aside: Vec<AsideRow> = stay.cloned().chain(put_aside).collect();
    aside.sort_by_key(|row| row.entry);
    CursorRow {
        position: cursor.position.max(position),
        aside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> RecordId {
        RecordId::from_bytes([number; 16])
    }

    /// `(entry, records, tries, seconds until the next try)`
    fn rows(rows: &[(u64, &[u8], u32, i64)]) -> Vec<AsideRow> {
        let row = |(entry, records, tries, seconds): &(u64, &[u8], u32, i64)| AsideRow {
            entry: *entry,
            records: records.iter().copied().map(id).collect(),
            tries: *tries,
            not_before: Instant::from_millis(*seconds * 1_000),
            error: None,
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn what_is_due_waits_for_nothing_and_what_failed_is_tried_alone() {
        type Row<'a> = (u64, &'a [u8], u32, i64);
        let cases: [(&[Row<'_>], usize, &[u64]); 8] = [
            (&[], 9, &[]),
            // Its pause goes on, and what is behind it waits; another record's entry does not.
            (&[(1, &[1], 1, 1), (2, &[1], 0, 0)], 9, &[]),
            (&[(1, &[1], 1, 1), (2, &[2], 0, 0)], 9, &[2]),
            // Due, and alone.
            (&[(1, &[1], 1, 0), (2, &[2], 0, 0)], 9, &[1]),
            // Free ones together, in order, also those of one record, but no more than asked for.
            (
                &[(1, &[1], 0, 0), (2, &[1], 0, 0), (3, &[2], 0, 0)],
                2,
                &[1, 2],
            ),
            // One about two records waits for both, and holds up what is behind it.
            (
                &[(1, &[1], 1, 1), (2, &[1, 2], 0, 0), (3, &[2], 0, 0)],
                9,
                &[],
            ),
            // A failed one that is due comes after free ones before it, in the next call.
            (&[(1, &[1], 0, 0), (2, &[2], 1, 0)], 9, &[1]),
            // A pause that seems longer than any was begun by a wrong clock.
            (&[(1, &[1], 1, 99)], 9, &[1]),
        ];
        for (aside, most, expected) in cases {
            let found = due(&rows(aside), Instant::from_millis(0), most);
            assert_eq!(found, expected, "{aside:?}");
        }
    }

    #[test]
    fn each_bound_ends_what_is_looked_at() {
        let many = |count: usize, records: usize, failed: usize| {
            let row = |number: usize| AsideRow {
                entry: number as u64,
                records: vec![id(0); records],
                tries: u32::from(number < failed),
                ..AsideRow::default()
            };
            (0..count).map(row).collect::<Vec<_>>()
        };
        let (most, records) = (limits::ASIDE.count(), limits::ASIDE_RECORDS.count());
        let failed = limits::ASIDE_FAILED.count();
        for (aside, expected) in [
            (many(0, 0, 0), true),
            (many(most - 1, 1, 1), true),
            (many(most, 1, 1), false),
            (many(1, records - 1, 1), true),
            (many(1, records, 1), false),
            (many(failed, 1, failed - 1), true),
            (many(failed, 1, failed), false),
        ] {
            assert_eq!(
                Held::by(&aside).has_room(&[id(1)]),
                expected,
                "{}",
                aside.len()
            );
        }
        let mut held = Held::by(&[]);
        assert!(!held.holds(&[id(1)]));
        held.extend(&[id(1), id(2)]);
        assert!(held.holds(&[id(2), id(3)]) && !held.holds(&[id(3)]));
    }
}
