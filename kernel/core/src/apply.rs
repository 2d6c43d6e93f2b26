//! Applying changes to records in memory: pure, and in the order of the commit.

use std::collections::HashMap;
use std::sync::Arc;

use kjerne_model::{
    Change, Code, Fields, Instant, Kind, Name, Record, RecordId, Reference, Refusal,
};
use kjerne_model::{Patch, Target};

use crate::outcome::Touched;

/// The records of a commit under way, each once, in the order in which the changes name them.
#[derive(Default)]
pub(crate) struct Work {
    slots: Vec<Slot>,
    places: HashMap<(Name, RecordId), usize>,
    /// The place of each change's record.
    of_changes: Vec<Option<usize>>,
}

/// One record: as it is stored, and as the commit would have it.
pub(crate) struct Slot {
    /// The last change that names it.
    pub(crate) change: usize,
    pub(crate) kind: Arc<Kind>,
    pub(crate) id: RecordId,
    pub(crate) before: Option<Record>,
    pub(crate) after: Option<Fields>,
    /// Whether an earlier change of the commit has written `after`; until then, it is what `before`
    /// holds and is not copied.
    written: bool,
}

impl Slot {
    /// The fields as they are stored.
    pub(crate) fn stored(&self) -> Option<&Fields> {
        self.before.as_ref().map(|record| &record.fields)
    }

    /// The fields as the commit has them so far.
    pub(crate) fn current(&self) -> Option<&Fields> {
        if self.written {
            self.after.as_ref()
        } else {
            self.stored()
        }
    }

    /// True when the commit makes a difference to the record.
    pub(crate) fn differs(&self) -> bool {
        self.written && self.after.as_ref() != self.stored()
    }

    /// True when the commit makes a difference to the field.
    pub(crate) fn changes(&self, field: &str) -> bool {
        let before = self.stored().and_then(|fields| fields.get(field));
        let after = self.current().and_then(|fields| fields.get(field));
        before != after
    }

    pub(crate) fn reference(&self) -> Reference {
        Reference::new(self.kind.name.clone(), self.id)
    }

    /// The version after the commit; for a removal, the version it would have had.
    pub(crate) fn version(&self) -> u64 {
        self.before.as_ref().map_or(1, |record| record.version + 1)
    }

    /// A refusal with the place of this record in the commit.
    pub(crate) fn refusal(&self, code: Code, message: String) -> Refusal {
        Refusal::new(code, message)
            .at(self.change, &self.kind.name)
            .record(self.id)
    }

    fn write(&mut self, after: Option<Fields>) {
        self.after = after;
        self.written = true;
    }

    /// The fields to be changed in place; copies what is stored the first time.
    pub(crate) fn fields_mut(&mut self) -> Option<&mut Fields> {
        if !self.written {
            self.after = self.before.as_ref().map(|record| record.fields.clone());
            self.written = true;
        }
        self.after.as_mut()
    }
}

impl Work {
    /// The place of a record; `load` reads it the first time it is named.
    pub(crate) fn place<E>(
        &mut self,
        kind: &Arc<Kind>,
        id: RecordId,
        load: impl FnOnce() -> Result<Option<Record>, E>,
    ) -> Result<usize, E> {
        let key = (kind.name.clone(), id);
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        let before = load()?;
        let place = self.slots.len();
        let kind = Arc::clone(kind);
        self.slots.push(Slot {
            change: 0,
            kind,
            id,
            before,
            after: None,
            written: false,
        });
        self.places.insert(key, place);
        Ok(place)
    }

    pub(crate) fn slot(&self, place: usize) -> &Slot {
        &self.slots[place]
    }

    /// The record, if the commit names it.
    pub(crate) fn find(&self, kind: &Name, id: RecordId) -> Option<&Slot> {
        self.places
            .get(&(kind.clone(), id))
            .map(|place| &self.slots[*place])
    }

    /// The record a change is about.
    pub(crate) fn of_change(&self, change: usize) -> Option<&Slot> {
        let place = self.of_changes.get(change).copied().flatten()?;
        self.slots.get(place)
    }

    /// The record whose last change is the one at that place in the commit.
    pub(crate) fn by_change(&mut self, change: usize) -> Option<&mut Slot> {
        let place = self.of_changes.get(change).copied().flatten()?;
        Some(&mut self.slots[place]).filter(|slot| slot.change == change)
    }

    /// The records the commit makes a difference to.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.differs())
    }

    /// What the commit would touch.
    pub(crate) fn touched(&self) -> Vec<Touched> {
        let touch = |slot: &Slot| {
            let version = slot.version();
            Touched {
                kind: slot.kind.name.clone(),
                id: slot.id,
                version,
            }
        };
        self.changed().map(touch).collect()
    }

    /// The records the commit makes a difference to, as they are to be stored.
    pub(crate) fn into_edits(self, at: Instant) -> Vec<RecordEdit> {
        self.slots
            .into_iter()
            .filter(Slot::differs)
            .map(|slot| slot.into_edit(at))
            .collect()
    }
}

/// One record's part of a commit, ready to be stored.
pub(crate) struct RecordEdit {
    pub(crate) kind: Arc<Kind>,
    pub(crate) id: RecordId,
    pub(crate) version: u64,
    pub(crate) before: Option<Record>,
    pub(crate) after: Option<Record>,
}

impl Slot {
    fn into_edit(self, at: Instant) -> RecordEdit {
        let (id, version) = (self.id, self.version());
        let created_at = self.before.as_ref().map_or(at, |record| record.created_at);
        let kind = self.kind.name.clone();
        let record = |fields| Record {
            kind,
            id,
            version,
            created_at,
            updated_at: at,
            fields,
        };
        let after = self.after.map(record);
        RecordEdit {
            kind: self.kind,
            id,
            version,
            before: self.before,
            after,
        }
    }
}

/// Applies the changes in order; a later one sees what the earlier ones did. `places` has the place
/// of each change's record, none for a change of an unknown kind. Returns the faults found.
pub(crate) fn apply(
    work: &mut Work,
    changes: &[Change],
    places: Vec<Option<usize>>,
) -> Vec<Refusal> {
    let mut faults = Vec::new();
    for (index, (change, place)) in changes.iter().zip(&places).enumerate() {
        let Some(place) = place else { continue };
        let slot = &mut work.slots[*place];
        slot.change = index;
        match change {
            Change::Create { fields, .. } => faults.extend(create(slot, fields)),
            Change::Update { target, patch } => faults.extend(update(slot, target, patch)),
            Change::Delete { target } => faults.extend(delete(slot, target)),
        }
    }
    work.of_changes = places;
    faults
}

fn create(slot: &mut Slot, fields: &Fields) -> Option<Refusal> {
    if slot.current().is_some() {
        let message = format!(
            "{} is there already; update it, or create a record with another id",
            slot.reference()
        );
        return Some(slot.refusal(Code::AlreadyExists, message));
    }
    slot.write(Some(fields.clone()));
    None
}

fn update(slot: &mut Slot, target: &Target, patch: &Patch) -> Vec<Refusal> {
    if let Some(fault) = absent(slot, target) {
        return vec![fault];
    }
    // Setting an unknown field is found by the schema check; clearing one leaves no trace there.
    let cleared = patch
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| name);
    let unknown = cleared.filter(|name| slot.kind.field(name).is_none());
    let faults = unknown.map(|name| unknown_field(slot, name)).collect();
    let Some(fields) = slot.fields_mut() else {
        return faults;
    };
    for (name, value) in patch {
        match value {
            Some(value) => drop(fields.insert(name.clone(), value.clone())),
            None => drop(fields.remove(name)),
        }
    }
    faults
}

fn delete(slot: &mut Slot, target: &Target) -> Option<Refusal> {
    let fault = absent(slot, target);
    if fault.is_none() {
        slot.write(None);
    }
    fault
}

fn unknown_field(slot: &Slot, name: &Name) -> Refusal {
    let message = format!("kind {} has no field {:?}", slot.kind.name, name.as_str());
    slot.refusal(Code::UnknownField, message).field(name)
}

/// The fault of changing a record that is not there, or of expecting a version of one that this
/// very commit makes.
fn absent(slot: &Slot, target: &Target) -> Option<Refusal> {
    let reference = slot.reference();
    if slot.current().is_none() {
        let message = format!("there is no {reference}; check the id, or create the record first");
        return Some(slot.refusal(Code::UnknownRecord, message));
    }
    if slot.before.is_none() && target.expected.is_some() {
        let message =
            format!("{reference} is made by this commit and has no version yet; leave it out");
        return Some(slot.refusal(Code::StaleVersion, message));
    }
    None
}
