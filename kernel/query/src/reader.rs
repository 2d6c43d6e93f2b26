//! Reading a state of the workspace, and remembering what was read.
//!
//! A commit is decided on a snapshot, and the world goes on meanwhile. What the decision rests on is
//! noted here read by read, and looked at again in the transaction that stores the commit: a value
//! by its hash, a scan by the hash of everything it visited, so that a record that would have come
//! into a scan counts as a change as well.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kjerne_model::{Record, RecordId, Reference, Schema};
use kjerne_store::{Range, Read, Snapshot, Space, StoreError, index, journal, records};

use crate::allowance::Allowance;

/// A state of the workspace that does not change, and, where a commit depends on it, a note of what
/// was read from it.
pub struct Reader {
    snapshot: Snapshot,
    schema: Arc<Schema>,
    notes: Option<Arc<Notes>>,
    allowance: Option<Arc<Allowance>>,
}

struct Notes {
    /// The last journal entry of the snapshot.
    last: u64,
    hasher: RandomState,
    seen: Mutex<Vec<Seen>>,
}

struct Seen {
    space: Space,
    from: Vec<u8>,
    what: Sight,
}

/// What is shown each row of a scan, and says whether to go on.
type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

enum Sight {
    Value {
        hash: u64,
    },
    Presence {
        there: bool,
    },
    Scan {
        to: Option<Vec<u8>>,
        backwards: bool,
        stopped_after: Option<usize>,
        hash: u64,
    },
}

impl Reader {
    /// Reads without taking notes.
    #[must_use]
    pub fn plain(snapshot: Snapshot, schema: Arc<Schema>) -> Self {
        Self {
            snapshot,
            schema,
            notes: None,
            allowance: None,
        }
    }

    /// Reads and remembers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn remembering(snapshot: Snapshot, schema: Arc<Schema>) -> Result<Self, StoreError> {
        let last = journal::last(&*snapshot)?;
        let notes = Notes {
            last,
            hasher: RandomState::new(),
            seen: Mutex::default(),
        };
        Ok(Self {
            snapshot,
            schema,
            notes: Some(Arc::new(notes)),
            allowance: None,
        })
    }

    /// A reader of the same state, whose notes are this one's, and which reads no more than it is
    /// allowed: what goes beyond fails with [`StoreError::Halted`].
    #[must_use]
    pub fn within(&self, allowance: Arc<Allowance>) -> Self {
        Self {
            snapshot: Arc::clone(&self.snapshot),
            schema: Arc::clone(&self.schema),
            notes: self.notes.clone(),
            allowance: Some(allowance),
        }
    }

    /// True when somebody has said already what it may read.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.allowance.is_some()
    }

    fn count_row(&self) -> Result<(), StoreError> {
        self.allowance
            .as_ref()
            .map_or(Ok(()), |allowance| allowance.row())
    }

    /// Scans, counting every row.
    fn scan_counted(
        &self,
        space: Space,
        range: Range<'_>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        if self.allowance.is_none() {
            return self.snapshot.scan(space, range, visit);
        }
        let mut counted = Ok(());
        self.snapshot.scan(space, range, &mut |key, value| {
            counted = self.count_row();
            if counted.is_err() {
                return ControlFlow::Break(());
            }
            visit(key, value)
        })?;
        counted
    }

    /// The same state, read without a note of what is read: for figures that only have to be roughly
    /// right, such as totals that every commit changes.
    #[must_use]
    pub fn unremembered(&self) -> &dyn Read {
        &*self.snapshot
    }

    /// The state itself.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The kinds of the workspace.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The record, or none when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn get(&self, kind: &str, id: RecordId) -> Result<Option<Record>, StoreError> {
        records::get(self, kind, id)
    }

    /// True when there is such a record. Remembers that alone, so that a commit which refers to a
    /// record is not disturbed by changes of it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn exists(&self, kind: &str, id: RecordId) -> Result<bool, StoreError> {
        Ok(records::get(&Presence(self), kind, id)?.is_some())
    }

    /// The first record, other than those `skip` passes over, whose field refers to `target`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn referrer(
        &self,
        target: &Reference,
        kind: &str,
        field: &str,
        skip: &dyn Fn(RecordId) -> bool,
    ) -> Result<Option<RecordId>, StoreError> {
        let value = kjerne_model::Value::Reference(target.clone());
        let mut found = None;
        index::ids(self, kind, field, &value, None, &mut |id| {
            if skip(id) {
                return ControlFlow::Continue(());
            }
            found = Some(id);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// True when everything read from the spaces `counts` names reads the same from `now`, whose
    /// last journal entry is `last`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn holds(
        &self,
        now: &dyn Read,
        last: u64,
        counts: fn(Space) -> bool,
    ) -> Result<bool, StoreError> {
        let Some(notes) = &self.notes else {
            return Ok(true);
        };
        for seen in notes.seen().iter() {
            let passed_over = notes.last == last && follows_journal(seen.space);
            if counts(seen.space) && !passed_over && !seen.holds(now, &notes.hasher)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Spaces that change with a journal entry and never without one: while the journal has not grown,
/// nothing in them has changed.
fn follows_journal(space: Space) -> bool {
    matches!(
        space,
        Space::Records | Space::Index | Space::Unique | Space::Journal | Space::History
    )
}

impl Notes {
    fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, space: Space, from: &[u8], what: Sight) {
        self.seen().push(Seen {
            space,
            from: from.to_vec(),
            what,
        });
    }
}

impl Seen {
    fn holds(&self, now: &dyn Read, hasher: &RandomState) -> Result<bool, StoreError> {
        match &self.what {
            Sight::Value { hash } => Ok(hasher.hash_one(now.get(self.space, &self.from)?) == *hash),
            Sight::Presence { there } => Ok(now.get(self.space, &self.from)?.is_some() == *there),
            Sight::Scan {
                to,
                backwards,
                stopped_after,
                hash,
            } => {
                let (from, to) = (self.from.as_slice(), to.as_deref());
                let range = Range {
                    from,
                    to,
                    backwards: *backwards,
                };
                let mut again = Visited::new(hasher);
                now.scan(self.space, range, &mut |key, value| {
                    again.add(key, value);
                    match stopped_after {
                        Some(rows) if again.rows >= *rows => ControlFlow::Break(()),
                        _ => ControlFlow::Continue(()),
                    }
                })?;
                Ok(again.hash.finish() == *hash)
            }
        }
    }
}

/// What a scan has visited so far.
struct Visited {
    rows: usize,
    hash: <RandomState as BuildHasher>::Hasher,
}

impl Visited {
    fn new(hasher: &RandomState) -> Self {
        Self {
            rows: 0,
            hash: hasher.build_hasher(),
        }
    }

    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows += 1;
        (key, value).hash(&mut self.hash);
    }
}

impl Read for Reader {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.count_row()?;
        let value = self.snapshot.get(space, key)?;
        if let Some(notes) = &self.notes {
            notes.add(
                space,
                key,
                Sight::Value {
                    hash: notes.hasher.hash_one(&value),
                },
            );
        }
        Ok(value)
    }

    fn scan(
        &self,
        space: Space,
        range: Range<'_>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let Some(notes) = &self.notes else {
            return self.scan_counted(space, range, visit);
        };
        let mut visited = Visited::new(&notes.hasher);
        let mut stopped_after = None;
        let scanned = self.scan_counted(space, range, &mut |key, value| {
            visited.add(key, value);
            let flow = visit(key, value);
            if flow.is_break() {
                stopped_after = Some(visited.rows);
            }
            flow
        });
        if scanned.is_err() {
            // What came before the end was seen all the same, and may be decided on.
            if visited.rows == 0 {
                return scanned;
            }
            stopped_after = Some(visited.rows);
        }
        let to = range.to.map(<[u8]>::to_vec);
        let hash = visited.hash.finish();
        let what = Sight::Scan {
            to,
            backwards: range.backwards,
            stopped_after,
            hash,
        };
        notes.add(space, range.from, what);
        scanned
    }
}

/// Reads through a reader and remembers only whether something was there.
struct Presence<'a>(&'a Reader);

impl Read for Presence<'_> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.0.snapshot.get(space, key)?;
        if let Some(notes) = &self.0.notes {
            notes.add(
                space,
                key,
                Sight::Presence {
                    there: value.is_some(),
                },
            );
        }
        Ok(value)
    }

    fn scan(
        &self,
        space: Space,
        range: Range<'_>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.0.scan(space, range, visit)
    }
}
