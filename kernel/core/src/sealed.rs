//! A commit sealed: what the guards see, and what is stored is made of.
//!
//! Promise 3 rests on this type. Shapes are given the work to change; after the last of them it is
//! sealed, and a sealed commit can be looked at and stored, and not amended.

use kjerne_model::{Edit, Instant};

use crate::apply::{RecordEdit, Slot, Work};
use crate::outcome::Touched;

/// A commit's records after the last shape: nothing can be changed in them any more.
pub(crate) struct Sealed(Work);

impl Sealed {
    /// Ends the shaping.
    pub(crate) fn new(work: Work) -> Self {
        Self(work)
    }

    pub(crate) fn work(&self) -> &Work {
        &self.0
    }

    /// True when the commit makes no difference to any record.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.changed().next().is_none()
    }

    pub(crate) fn touched(&self) -> Vec<Touched> {
        self.0.touched()
    }

    /// What it comes to, as it would stand in the journal.
    pub(crate) fn edits(&self) -> Vec<Edit> {
        let edit = |slot: &Slot| Edit {
            kind: slot.kind.name.clone(),
            id: slot.id,
            version: slot.version(),
            before: slot.stored().cloned(),
            after: slot.current().cloned(),
        };
        self.0.changed().map(edit).collect()
    }

    pub(crate) fn into_edits(self, at: Instant) -> Vec<RecordEdit> {
        self.0.into_edits(at)
    }
}
