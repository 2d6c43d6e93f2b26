//! A store that remembers what was written through it, so that the same bytes can be written again
//! to bare redb in the same groups.

use std::ops::Range as Span;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kjerne_store::{Range, Read, Snapshot, Space, Store, StoreError, Write};

/// Room for what a run writes, touched beforehand: the run is not to pay for being recorded.
const BYTES: usize = 128 << 20;
const ROWS: usize = 1 << 20;

/// What was written, transaction by transaction.
#[derive(Default)]
pub struct Recording {
    bytes: Vec<u8>,
    rows: Vec<Row>,
    /// Where each transaction's rows are.
    groups: Vec<Span<usize>>,
}

/// One write: where its bytes are.
#[derive(Clone, Default)]
struct Row {
    space: usize,
    key: Span<usize>,
    /// None is a removal.
    value: Option<Span<usize>>,
}

/// One write: its space, its key, and the value or a removal.
pub type Written<'a> = (Space, &'a [u8], Option<&'a [u8]>);

impl Recording {
    /// An empty one with its room.
    fn with_room() -> Self {
        let mut recording = Self {
            bytes: vec![1; BYTES],
            rows: vec![Row::default(); ROWS],
            groups: Vec::new(),
        };
        recording.bytes.clear();
        recording.rows.clear();
        recording
    }

    /// The transactions, oldest first.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = impl Iterator<Item = Written<'_>>> {
        let written = |row: &Row| {
            let value = row.value.clone().map(|value| &self.bytes[value]);
            (Space::ALL[row.space], &self.bytes[row.key.clone()], value)
        };
        let rows = move |group: &Span<usize>| self.rows[group.clone()].iter().map(written);
        self.groups.iter().map(rows)
    }

    fn keep(&mut self, bytes: &[u8]) -> Span<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn note(&mut self, space: Space, key: &[u8], value: Option<&[u8]>) {
        let key = self.keep(key);
        let value = value.map(|value| self.keep(value));
        self.rows.push(Row {
            space: space as usize,
            key,
            value,
        });
    }
}

/// A store around another one.
pub struct RecordingStore {
    inner: Arc<dyn Store>,
    recording: Mutex<Recording>,
}

impl RecordingStore {
    /// Records what is written to `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            recording: Mutex::new(Recording::with_room()),
        }
    }

    /// Forgets what was written so far.
    pub fn forget(&self) {
        let mut recording = self.recording();
        recording.bytes.clear();
        recording.rows.clear();
        recording.groups.clear();
    }

    /// What was written since; nothing more is kept with room.
    pub fn take(&self) -> Recording {
        std::mem::take(&mut *self.recording())
    }

    fn recording(&self) -> MutexGuard<'_, Recording> {
        self.recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for RecordingStore {
    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.snapshot()
    }

    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut recording = self.recording();
        let first = recording.rows.len();
        let done = self.inner.write(&mut |write| {
            recording.rows.truncate(first);
            work(&mut RecordingWrite {
                inner: write,
                recording: &mut recording,
            })
        });
        let group = first..recording.rows.len();
        match done {
            Ok(()) => recording.groups.push(group),
            Err(_) => recording.rows.truncate(first),
        }
        done
    }
}

struct RecordingWrite<'a> {
    inner: &'a mut dyn Write,
    recording: &'a mut Recording,
}

impl Read for RecordingWrite<'_> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(space, key)
    }

    fn scan(
        &self,
        space: Space,
        range: Range<'_>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.inner.scan(space, range, visit)
    }
}

impl Write for RecordingWrite<'_> {
    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.recording.note(space, key, Some(value));
        self.inner.put(space, key, value)
    }

    fn remove(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError> {
        self.recording.note(space, key, None);
        self.inner.remove(space, key)
    }
}
