//! A store that remembers what was written through it, so that the same bytes can be written again
//! to bare redb in the same groups.

use std::sync::{Arc, Mutex, PoisonError};

use kjerne_store::{Range, Read, Snapshot, Space, Store, StoreError, Write};

/// One transaction's writes: space, key, and the value or a removal.
pub type Group = Vec<(Space, Vec<u8>, Option<Vec<u8>>)>;

/// A store around another one.
pub struct RecordingStore {
    inner: Arc<dyn Store>,
    groups: Mutex<Vec<Group>>,
}

impl RecordingStore {
    /// Records what is written to `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            groups: Mutex::new(Vec::new()),
        }
    }

    /// The transactions so far, oldest first; forgets them.
    pub fn take(&self) -> Vec<Group> {
        std::mem::take(&mut *self.groups.lock().unwrap_or_else(PoisonError::into_inner))
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
        let mut group = Group::new();
        self.inner.write(&mut |write| {
            group.clear();
            work(&mut RecordingWrite {
                inner: write,
                group: &mut group,
            })
        })?;
        self.groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(group);
        Ok(())
    }
}

struct RecordingWrite<'a> {
    inner: &'a mut dyn Write,
    group: &'a mut Group,
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
        self.group.push((space, key.to_vec(), Some(value.to_vec())));
        self.inner.put(space, key, value)
    }

    fn remove(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError> {
        self.group.push((space, key.to_vec(), None));
        self.inner.remove(space, key)
    }
}
