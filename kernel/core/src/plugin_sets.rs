//! What shapes made of the records of a commit: every field they filled in or set to something else
//! than was asked for is told, with the plugin that did.

use std::collections::{BTreeMap, HashMap};

use kjerne_model::{Change, Commit, Name, Value, Verdict};

use crate::apply::{Slot, Work};
use crate::outcome::PluginSet;

/// The fields that shapes set, but for those they set to what was asked for. Of several changes of one
/// record the last that names the field is what was asked for.
pub(crate) fn of(commit: &Commit, work: &Work, verdicts: &[Verdict]) -> Vec<PluginSet> {
    let setters = setters(verdicts);
    if setters.is_empty() {
        return Vec::new();
    }
    let asked = asked(commit, work);
    let set = |((last, field), plugin): (&(usize, &str), &&str)| {
        let slot = work.of_change(*last)?;
        let field = &slot.kind.field(field)?.name;
        let (value, wanted) = (held(slot, field), asked.get(&(last, field)));
        // Where no shape set it, it was brought into its form, which is no other value.
        let as_asked = wanted.is_some_and(|(_, wanted)| *wanted == value);
        (!as_asked).then(|| PluginSet {
            change: wanted.map_or(*last, |(change, _)| *change),
            kind: slot.kind.name.clone(),
            id: slot.id,
            field: field.clone(),
            plugin: (*plugin).to_owned(),
            value: value.cloned(),
            asked: wanted.is_some(),
        })
    };
    let mut sets: Vec<PluginSet> = setters.iter().filter_map(set).collect();
    sets.sort_by_key(|one| one.change);
    sets
}

/// The last shape that set each field, by the last change of its record.
fn setters(verdicts: &[Verdict]) -> BTreeMap<(usize, &str), &str> {
    let mut setters = BTreeMap::new();
    for verdict in verdicts {
        for set in &verdict.set {
            let Some((change, field)) = set.split_once('.') else {
                continue;
            };
            if let Ok(change) = change.parse() {
                setters.insert((change, field), verdict.plugin.as_str());
            }
        }
    }
    setters
}

/// A field of a record, named by the record's last change.
type Asked<'a> = HashMap<(&'a usize, &'a Name), (usize, Option<&'a Value>)>;

/// What each change asked for, the later ones over the earlier.
fn asked<'a>(commit: &'a Commit, work: &'a Work) -> Asked<'a> {
    let mut asked = HashMap::new();
    for (index, change) in commit.changes.iter().enumerate() {
        let Some(slot) = work.of_change(index) else {
            continue;
        };
        match change {
            Change::Create { fields, .. } => {
                for (field, value) in fields {
                    asked.insert((&slot.change, field), (index, Some(value)));
                }
            }
            Change::Update { patch, .. } => {
                for (field, value) in patch {
                    asked.insert((&slot.change, field), (index, value.as_ref()));
                }
            }
            Change::Delete { .. } => {}
        }
    }
    asked
}

fn held<'a>(slot: &'a Slot, field: &Name) -> Option<&'a Value> {
    slot.current().and_then(|fields| fields.get(field))
}
