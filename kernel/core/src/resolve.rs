//! Finding the records a commit is about.

use kjerne_model::{Change, Code, Commit, Refusal, Target};
use kjerne_store::{StoreError, records};

use crate::apply::{Slot, Work};
use crate::kernel::Kernel;
use kjerne_query::Reader;

/// A commit's records, and where each change's record stands among them.
#[derive(Default)]
pub(crate) struct Resolved {
    pub(crate) work: Work,
    pub(crate) places: Vec<Option<usize>>,
    pub(crate) faults: Vec<Refusal>,
}

impl Kernel {
    /// Reads every record the commit names, gives new ones their ids, and compares the versions the
    /// asker has seen with those that are stored.
    pub(crate) fn resolve(&self, commit: &Commit, reader: &Reader) -> Result<Resolved, StoreError> {
        let mut resolved = Resolved::default();
        for (index, change) in commit.changes.iter().enumerate() {
            let place = self.locate(commit, change, reader, &mut resolved.work)?;
            match place.map(|place| resolved.work.slot(place)) {
                None => resolved.faults.push(unknown_kind(index, change)),
                Some(slot) => resolved.faults.extend(stale(index, change, slot)),
            }
            resolved.places.push(place);
        }
        Ok(resolved)
    }

    /// The place of the record a change is about; none when its kind is unknown.
    fn locate(
        &self,
        commit: &Commit,
        change: &Change,
        reader: &Reader,
        work: &mut Work,
    ) -> Result<Option<usize>, StoreError> {
        let Some(kind) = self.schema().kind(change.kind()) else {
            return Ok(None);
        };
        let given = match change {
            Change::Create { id, .. } => *id,
            Change::Update { target, .. } | Change::Delete { target } => Some(target.id),
        };
        let id = match given {
            Some(id) => id,
            None => self.fresh_id(commit, change, reader)?,
        };
        work.place(kind, id, || reader.get(&kind.name, id))
            .map(Some)
    }

    /// An id that no record of the kind has: the same seed in a workspace opened again would
    /// otherwise make the same ids at the same times. Whoever goes on with it remembers that it is free.
    fn fresh_id(
        &self,
        commit: &Commit,
        change: &Change,
        reader: &Reader,
    ) -> Result<kjerne_model::RecordId, StoreError> {
        loop {
            let id = self.ids().next(commit.at);
            if records::get(reader.unremembered(), change.kind(), id)?.is_none() {
                return Ok(id);
            }
        }
    }
}

fn unknown_kind(index: usize, change: &Change) -> Refusal {
    let kind = change.kind();
    Refusal::new(
        Code::UnknownKind,
        format!("there is no kind {kind}; see the list of kinds"),
    )
    .at(index, kind)
}

fn stale(index: usize, change: &Change, slot: &Slot) -> Option<Refusal> {
    let (Change::Update { target, .. } | Change::Delete { target }) = change else {
        return None;
    };
    let Target {
        expected: Some(expected),
        ..
    } = target
    else {
        return None;
    };
    let stored = slot.before.as_ref()?.version;
    (stored != *expected).then(|| {
        let message = format!(
            "{} has version {stored} by now, not {expected}; read it again and decide anew",
            slot.reference()
        );
        Refusal::new(Code::StaleVersion, message)
            .at(index, &slot.kind.name)
            .record(slot.id)
    })
}
