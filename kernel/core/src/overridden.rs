//! What shapes made of what the asker wrote: a value that was asked for and is not stored is told,
//! with the plugin that decided otherwise.

use std::collections::HashSet;

use kjerne_model::{Change, Commit, Name, Value, Verdict};

use crate::apply::{Slot, Work};
use crate::outcome::Overridden;

/// The fields the commit asked for that a shape has set to something else. Of several changes of one
/// record the last that names the field is what was asked for.
pub(crate) fn of(commit: &Commit, work: &Work, verdicts: &[Verdict]) -> Vec<Overridden> {
    let mut overridden = Vec::new();
    if verdicts.iter().all(|verdict| verdict.set.is_empty()) {
        return overridden;
    }
    let mut seen = HashSet::new();
    for (index, change) in commit.changes.iter().enumerate().rev() {
        let Some(slot) = work.of_change(index) else {
            continue;
        };
        for (field, wanted) in asked(change) {
            if !seen.insert((slot.id, field)) || held(slot, field) == wanted {
                continue;
            }
            // Where no shape set it, it was brought into its form, which is no other value.
            if let Some(plugin) = setter(verdicts, slot, field) {
                overridden.push(Overridden {
                    change: index,
                    kind: slot.kind.name.clone(),
                    id: slot.id,
                    field: field.clone(),
                    plugin: plugin.to_owned(),
                    value: held(slot, field).cloned(),
                });
            }
        }
    }
    overridden.sort_by_key(|one: &Overridden| one.change);
    overridden
}

fn asked(change: &Change) -> Vec<(&Name, Option<&Value>)> {
    match change {
        Change::Create { fields, .. } => fields
            .iter()
            .map(|(field, value)| (field, Some(value)))
            .collect(),
        Change::Update { patch, .. } => patch
            .iter()
            .map(|(field, value)| (field, value.as_ref()))
            .collect(),
        Change::Delete { .. } => Vec::new(),
    }
}

fn held<'a>(slot: &'a Slot, field: &Name) -> Option<&'a Value> {
    slot.current().and_then(|fields| fields.get(field))
}

/// The last shape that set a field of a record.
fn setter<'a>(verdicts: &'a [Verdict], slot: &Slot, field: &Name) -> Option<&'a str> {
    let name = format!("{}.{field}", slot.change);
    let sets = |verdict: &&Verdict| verdict.set.contains(&name);
    verdicts
        .iter()
        .rev()
        .find(sets)
        .map(|verdict| verdict.plugin.as_str())
}
