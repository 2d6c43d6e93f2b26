//! Resolving a draft's lookups: among the rows of its batch, then in the store.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use kjerne_model::{Field, Name, RecordId, Reference, Value, parse_value};
use kjerne_store::Read;
use kjerne_workspace::error::Result;

use super::convert::{Draft, Fault, column_of};
use super::lookup::{Found, Lookups};
use super::plan::{Key, Plan};

/// What became of a draft's lookups.
pub enum Resolved {
    /// All are found.
    Ready,
    /// A record of the draft's own kind is missing, and may come further on.
    Waits,
    /// Some lead nowhere.
    Faulty(Vec<Fault>),
}

/// Looks up what drafts refer to, and remembers what this file's rows may be looked up by.
pub struct Resolver {
    /// The fields of the file's own kind that its rows are looked up by.
    own_lookups: BTreeMap<Name, Field>,
    lookups: Lookups,
    /// Hashes of keys and looked-up fields of this file's rows.
    seen: HashSet<u64>,
    dry_run: bool,
}

/// The ids a batch gives to what its own rows may look up.
pub type InBatch = HashMap<(Name, String), RecordId>;

impl Resolver {
    /// Knows no row yet.
    pub fn new(plan: &Plan, dry_run: bool) -> Self {
        Self {
            own_lookups: plan.own_lookups(),
            lookups: Lookups::default(),
            seen: HashSet::new(),
            dry_run,
        }
    }

    /// True for a draft whose key no earlier row of the file had.
    pub fn is_new_key(&mut self, plan: &Plan, draft: &Draft) -> bool {
        match (&draft.key, &plan.key) {
            (Some(key), Some(Key::Field(name))) => {
                let form = plan.kind.field(name).map(|field| form(field, key));
                self.seen
                    .insert(mark("key", name, form.as_deref().unwrap_or(key)))
            }
            (Some(key), _) => self.seen.insert(mark("key", "id", &key.to_lowercase())),
            (None, _) => true,
        }
    }

    /// The ids this batch gives to what later rows, and earlier ones, may look up.
    pub fn in_batch<'a>(&mut self, drafts: impl Iterator<Item = (&'a Draft, RecordId)>) -> InBatch {
        let mut here = HashMap::new();
        for (draft, id) in drafts {
            for (by, field) in &self.own_lookups {
                if let Some(Some(value)) = draft.patch.get(by) {
                    let text = field.form(value).to_string();
                    if self.dry_run {
                        self.seen.insert(mark("row", by, &text));
                    }
                    here.insert((by.clone(), text), id);
                }
            }
        }
        here
    }

    /// Resolves a draft's lookups; `may_wait` when rows are still to come.
    pub fn resolve(
        &mut self,
        plan: &Plan,
        read: &dyn Read,
        here: &InBatch,
        draft: &mut Draft,
        may_wait: bool,
    ) -> Result<Resolved> {
        let (mut faults, mut waits) = (Vec::new(), false);
        for (index, text) in std::mem::take(&mut draft.pending) {
            let field = &plan.fields[index];
            let (Some(own), Some(lookup)) = (&field.field, &field.lookup) else {
                continue;
            };
            let to_own_kind = lookup.kind.name == plan.kind.name;
            let in_batch = (to_own_kind && lookup.take.is_none())
                .then(|| here.get(&(lookup.by.name.clone(), form(&lookup.by, &text))))
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
                Found::Nothing if self.would_be_there(to_own_kind, &lookup.by, &text) => {
                    continue;
                }
                Found::Nothing if to_own_kind && may_wait => {
                    waits = true;
                    continue;
                }
                Found::Nothing if to_own_kind => {
                    format!("no {named}, neither stored nor among the rows of this file")
                }
                Found::Nothing => format!("no {named}; import those records first"),
            };
            faults.push(Fault {
                column: column_of(plan, field),
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

    fn would_be_there(&self, to_own_kind: bool, by: &Field, text: &str) -> bool {
        let sought = || mark("row", &by.name, &form(by, text));
        self.dry_run && to_own_kind && self.seen.contains(&sought())
    }
}

/// What a text stands for in a field, in the form the field compares.
fn form(field: &Field, text: &str) -> String {
    let value =
        parse_value(&field.field_type, text).unwrap_or_else(|_| Value::Text(text.to_owned()));
    field.form(&value).to_string()
}

/// Eight bytes for a text, so that a million rows can be told apart in a few megabytes.
fn mark(what: &str, field: &str, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (what, field, text).hash(&mut hasher);
    hasher.finish()
}
