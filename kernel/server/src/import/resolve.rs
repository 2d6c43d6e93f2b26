//! Resolving a draft's lookups: among the rows of its batch, then in the store.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Result;
use kjerne_model::{Name, RecordId, Reference, Value};
use kjerne_store::Read;

use super::batch::{Batches, Placed};
use super::convert::{Draft, Fault, column_of};
use super::lookup::Found;

/// What became of a draft's lookups.
pub enum Resolved {
    /// All are found.
    Ready,
    /// A record of the draft's own kind is missing, and may come further on.
    Waits,
    /// Some lead nowhere.
    Faulty(Vec<Fault>),
}

impl Batches<'_> {
    /// The ids this batch gives to what later rows, and earlier ones, may look up.
    pub(super) fn in_this_batch(&mut self, placed: &[Placed]) -> HashMap<(Name, String), RecordId> {
        let mut here = HashMap::new();
        for placed in placed {
            for by in &self.own_lookups {
                if let Some(Some(value)) = placed.draft.patch.get(by) {
                    let text = value.to_string();
                    if self.settings.dry_run {
                        self.seen.insert(mark("row", by, &text));
                    }
                    here.insert((by.clone(), text.to_lowercase()), placed.id);
                }
            }
        }
        here
    }

    /// Resolves a draft's lookups.
    pub(super) fn resolve(
        &mut self,
        read: &dyn Read,
        here: &HashMap<(Name, String), RecordId>,
        draft: &mut Draft,
    ) -> Result<Resolved> {
        let (mut faults, mut waits) = (Vec::new(), false);
        for (index, text) in std::mem::take(&mut draft.pending) {
            let field = &self.plan.fields[index];
            let (Some(own), Some(lookup)) = (&field.field, &field.lookup) else {
                continue;
            };
            let to_own_kind = lookup.kind.name == self.plan.kind.name;
            let in_batch = (to_own_kind && lookup.take.is_none())
                .then(|| here.get(&(lookup.by.name.clone(), text.to_lowercase())))
                .flatten();
            if let Some(id) = in_batch {
                let reference = Reference::new(lookup.kind.name.clone(), *id);
                draft
                    .patch
                    .insert(own.name.clone(), Some(Value::Reference(reference)));
                continue;
            }
            let named = format!("{} has {} {text:?}", lookup.kind.name, lookup.by.name);
            let reason = match self.lookups.find(read, index, lookup, &text)? {
                Found::Value(Some(value)) => {
                    draft.patch.insert(own.name.clone(), Some(value));
                    continue;
                }
                Found::Value(None) => continue,
                Found::Several => format!("more than one {named}; look up by a unique field"),
                // In a dry run the row referred to is not stored, and the reference cannot be tried.
                Found::Nothing if self.would_be_there(to_own_kind, &lookup.by.name, &text) => {
                    continue;
                }
                Found::Nothing if to_own_kind && self.spool.is_some() => {
                    waits = true;
                    continue;
                }
                Found::Nothing if to_own_kind => {
                    format!("no {named}, neither stored nor among the rows of this file")
                }
                Found::Nothing => format!("no {named}; import those records first"),
            };
            faults.push(Fault {
                column: column_of(self.plan, field),
                value: text,
                reason,
            });
        }
        Ok(match (faults.is_empty(), waits) {
            (false, _) => Resolved::Faulty(faults),
            (true, true) => Resolved::Waits,
            (true, false) => Resolved::Ready,
        })
    }

    fn would_be_there(&self, to_own_kind: bool, by: &str, text: &str) -> bool {
        self.settings.dry_run && to_own_kind && self.seen.contains(&mark("row", by, text))
    }
}

/// Eight bytes for a text, so that a million rows can be told apart in a few megabytes.
pub fn mark(what: &str, field: &str, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (what, field, text.to_lowercase()).hash(&mut hasher);
    hasher.finish()
}
