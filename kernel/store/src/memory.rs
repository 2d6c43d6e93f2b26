//! The in-memory twin: a store for tests and case files, and the oracle for the durable one.
//!
//! A space is a sorted list of sorted chunks behind shared pointers. A write transaction copies the
//! list and the chunks it touches, so that taking a snapshot costs nothing and holding one costs
//! what changes meanwhile.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::error::StoreError;
use crate::meta;
use crate::space::Space;
use crate::store::{Range, Read, Snapshot, Store, Visit, Write};

/// A workspace in memory; gone when dropped.
#[derive(Default)]
pub struct MemoryStore {
    current: RwLock<Arc<State>>,
    writer: Mutex<()>,
}

impl MemoryStore {
    /// An empty workspace of the current format.
    #[must_use]
    pub fn new() -> Self {
        let mut state = State::default();
        state
            .space_mut(Space::Meta)
            .put(meta::FORMAT_KEY, &meta::format_bytes());
        Self {
            current: RwLock::new(Arc::new(state)),
            writer: Mutex::default(),
        }
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for MemoryStore {
    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(self.state())
    }

    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // A panic in an earlier `work` left the current state as it was, so its lock still guards
        // something whole.
        let _alone = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = State::clone(&self.state());
        work(&mut next)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }
}

#[derive(Clone, Default)]
struct State {
    spaces: [Arc<Chunks>; Space::ALL.len()],
}

impl State {
    fn space(&self, space: Space) -> &Chunks {
        &self.spaces[space as usize]
    }

    fn space_mut(&mut self, space: Space) -> &mut Chunks {
        Arc::make_mut(&mut self.spaces[space as usize])
    }
}

impl Read for State {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.space(space).get(key).map(<[u8]>::to_vec))
    }

    fn scan(&self, space: Space, range: Range<'_>, visit: Visit<'_>) -> Result<(), StoreError> {
        self.space(space).scan(range, visit);
        Ok(())
    }
}

impl Write for State {
    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.space_mut(space).put(key, value);
        Ok(())
    }

    fn remove(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError> {
        if self.space(space).get(key).is_some() {
            self.space_mut(space).remove(key);
        }
        Ok(())
    }
}

/// How many rows a chunk holds before it is divided.
const CHUNK_ROWS: usize = 64;

type Chunk = Vec<(Arc<[u8]>, Arc<[u8]>)>;

/// Sorted rows in chunks, none of which is empty.
#[derive(Clone, Default)]
struct Chunks(Vec<Arc<Chunk>>);

impl Chunks {
    /// The chunk in which `key` is or belongs.
    fn chunk_of(&self, key: &[u8]) -> usize {
        self.0
            .partition_point(|chunk| *chunk[0].0 <= *key)
            .saturating_sub(1)
    }

    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let chunk = self.0.get(self.chunk_of(key))?;
        let at = chunk.binary_search_by(|(held, _)| (**held).cmp(key)).ok()?;
        Some(&chunk[at].1)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        if self.0.is_empty() {
            self.0.push(Arc::new(vec![(key.into(), value.into())]));
            return;
        }
        let at = self.chunk_of(key);
        let chunk = Arc::make_mut(&mut self.0[at]);
        match chunk.binary_search_by(|(held, _)| (**held).cmp(key)) {
            Ok(row) => chunk[row].1 = value.into(),
            Err(row) => chunk.insert(row, (key.into(), value.into())),
        }
        if chunk.len() > CHUNK_ROWS {
            let second = chunk.split_off(CHUNK_ROWS / 2);
            self.0.insert(at + 1, Arc::new(second));
        }
    }

    fn remove(&mut self, key: &[u8]) {
        let at = self.chunk_of(key);
        let Some(chunk) = self.0.get_mut(at).map(Arc::make_mut) else {
            return;
        };
        if let Ok(row) = chunk.binary_search_by(|(held, _)| (**held).cmp(key)) {
            chunk.remove(row);
        }
        if chunk.is_empty() {
            self.0.remove(at);
        }
    }

    fn scan(&self, range: Range<'_>, visit: Visit<'_>) {
        let first = self.chunk_of(range.from);
        let after = range
            .to
            .map_or(self.0.len(), |to| self.0.len().min(self.chunk_of(to) + 1));
        let chunks = self.0.get(first..after).unwrap_or_default();
        let within = |key: &[u8]| key >= range.from && range.to.is_none_or(|to| key < to);
        let rows = chunks.iter().flat_map(|chunk| chunk.iter());
        let mut show = |(key, value): &(Arc<[u8]>, Arc<[u8]>)| match within(key) {
            true => visit(key, value),
            false => ControlFlow::Continue(()),
        };
        let _ended = match range.backwards {
            true => rows.rev().try_for_each(&mut show),
            false => rows.into_iter().try_for_each(&mut show),
        };
    }
}
