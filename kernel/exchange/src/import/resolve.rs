//! Resolving a draft's lookups. A lookup means the same everywhere: one record holds the text, be it
//! stored, in the batch or further on in the file; and never the very record that is looking.

use std::collections::{BTreeMap, HashMap, HashSet};

use kjerne_model::{Field, Name, RecordId, Reference, Value};
use kjerne_store::Read;
use kjerne_workspace::error::Result;

use super::convert::{Draft, column_of};
use super::fault::Fault;
use super::lookup::{Found, Lookups, ids, same, taken};
use super::plan::{Lookup, Plan};
use super::survey::{Survey, mark};
use crate::limits::IMPORT_PASSES;

/// What became of a draft's lookups.
pub enum Resolved {
    /// All are found.
    Ready,
    /// A record of the draft's own kind is missing, and may come further on.
    Waits,
    /// Some lead nowhere.
    Faulty(Vec<Fault>),
}

/// What one lookup came to.
enum Answer {
    Value(Option<Value>),
    /// In a dry run: the row is there, and would be found.
    WouldBe,
    Waits,
    Fault(String),
}

/// Looks up what drafts refer to, and remembers what this file's rows may be looked up by.
pub struct Resolver {
    /// The fields of the file's own kind that its rows are looked up by.
    own_lookups: BTreeMap<Name, Field>,
    lookups: Lookups,
    /// In a dry run: marks of looked-up fields of the rows so far.
    seen: HashSet<u64>,
    /// The rows so far that hold a text, a few at the most, where several may hold it: their lines, and
    /// the records they become.
    met: HashMap<u64, Vec<(u64, RecordId)>>,
    /// Rows that were rejected, by what they would be looked up by.
    rejected: HashMap<u64, u64>,
    dry_run: bool,
}

/// The ids a batch gives to what its own rows may look up, a few for a text at the most.
pub type InBatch = HashMap<(Name, String), Vec<RecordId>>;

/// A draft's surroundings while its lookups are resolved.
pub struct Around<'a> {
    /// The store.
    pub read: &'a dyn Read,
    /// What the whole file holds.
    pub survey: &'a Survey,
    /// The draft's batch.
    pub here: &'a InBatch,
    /// The record the draft becomes, which no lookup of its own leads to.
    pub own: Option<RecordId>,
    /// Rows are still to come.
    pub may_wait: bool,
    /// They are not, because rows were tried again as often as is allowed.
    pub gave_up: bool,
}

impl Resolver {
    /// Knows no row yet.
    pub fn new(plan: &Plan, dry_run: bool) -> Self {
        Self {
            own_lookups: plan.own_lookups(),
            lookups: Lookups::default(),
            seen: HashSet::new(),
            met: HashMap::new(),
            rejected: HashMap::new(),
            dry_run,
        }
    }

    /// The ids this batch gives to what later rows, and earlier ones, may look up.
    pub fn in_batch<'a>(&mut self, drafts: impl Iterator<Item = (&'a Draft, RecordId)>) -> InBatch {
        let mut here = InBatch::new();
        for (draft, id) in drafts {
            for (name, by) in &self.own_lookups {
                let Some(Some(value)) = draft.patch.get(name) else {
                    continue;
                };
                let text = same(by, &value.to_string());
                let row = mark("row", name, &text);
                if self.dry_run {
                    self.seen.insert(row);
                }
                if !by.unique {
                    meet(self.met.entry(row).or_default(), draft.row.line, id);
                }
                add(here.entry((name.clone(), text)).or_default(), id);
            }
        }
        here
    }

    /// Remembers a row that is not taken, for those that refer to it.
    pub fn rejected(&mut self, draft: &Draft) {
        for (name, by) in &self.own_lookups {
            if let Some(Some(value)) = draft.patch.get(name) {
                let row = mark("row", name, &same(by, &value.to_string()));
                self.rejected.insert(row, draft.row.line);
            }
        }
    }

    /// Resolves a draft's lookups.
    pub fn resolve(
        &mut self,
        plan: &Plan,
        around: &Around<'_>,
        draft: &mut Draft,
    ) -> Result<Resolved> {
        let (mut faults, mut waits) = (Vec::new(), false);
        for (index, text) in std::mem::take(&mut draft.pending) {
            let field = &plan.fields[index];
            let (Some(own), Some(lookup)) = (&field.field, &field.lookup) else {
                continue;
            };
            let answer = if lookup.kind.name == plan.kind.name {
                self.own_kind(around, draft, lookup, &text)?
            } else {
                self.other_kind(around, index, lookup, &text)?
            };
            match answer {
                Answer::Value(Some(value)) => {
                    draft.patch.insert(own.name.clone(), Some(value));
                }
                Answer::Value(None) | Answer::WouldBe => {}
                Answer::Waits => waits = true,
                Answer::Fault(reason) => {
                    faults.push(Fault::new(column_of(plan, field), &text, reason));
                }
            }
        }
        Ok(match (faults.is_empty(), waits) {
            (_, true) if around.may_wait => Resolved::Waits,
            (true, _) => Resolved::Ready,
            (false, _) => Resolved::Faulty(faults),
        })
    }

    fn other_kind(
        &mut self,
        around: &Around<'_>,
        index: usize,
        lookup: &Lookup,
        text: &str,
    ) -> Result<Answer> {
        Ok(match self.lookups.find(around.read, index, lookup, text)? {
            Found::Value(value) => Answer::Value(value),
            Found::Several => Answer::Fault(several(lookup, text)),
            Found::Nothing => {
                let named = named(lookup, text);
                Answer::Fault(format!("no {named}; import those records first"))
            }
        })
    }

    /// Looks among stored records and rows of this file.
    fn own_kind(
        &self,
        around: &Around<'_>,
        draft: &Draft,
        lookup: &Lookup,
        text: &str,
    ) -> Result<Answer> {
        let Around { read, own, .. } = *around;
        let by = &lookup.by;
        let text_same = same(by, text);
        let row = mark("row", &by.name, &text_same);
        let mut found = ids(read, lookup, text, ENOUGH)?;
        let here = around.here.get(&(by.name.clone(), text_same.clone()));
        for id in here.into_iter().flatten() {
            add(&mut found, *id);
        }
        let reachable = found.clone();
        let met = self.met.get(&row).filter(|_| self.dry_run);
        for (line, id) in met.into_iter().flatten() {
            if *line != draft.row.line {
                add(&mut found, *id);
            }
        }
        let itself = found.len();
        found.retain(|id| Some(*id) != own);
        let is_itself = found.len() < itself;
        let held = draft.patch.get(&by.name).and_then(Option::as_ref);
        let holds = held.is_some_and(|value| same(by, &value.to_string()) == text_same);
        let others = around.survey.rows(row).saturating_sub(u8::from(holds));
        if found.len() > 1 || others > 1 {
            return Ok(Answer::Fault(several(lookup, text)));
        }
        if others == 1 && around.may_wait && self.is_to_come(row, draft.row.line) {
            return Ok(Answer::Waits);
        }
        let [id] = found.as_slice() else {
            let may_come = self.dry_run && self.seen.contains(&row) && (!holds || others > 0);
            return Ok(match (may_come, around.may_wait) {
                // The row referred to is not stored, and the reference cannot be tried.
                (true, _) => Answer::WouldBe,
                (false, true) => Answer::Waits,
                (false, false) => Answer::Fault(match self.rejected.get(&row) {
                    Some(line) if *line != draft.row.line => rejected(lookup, text, *line),
                    _ if around.gave_up => given_up(lookup, text),
                    _ => nowhere(lookup, text, is_itself),
                }),
            });
        };
        if !reachable.contains(id) {
            return Ok(Answer::WouldBe);
        }
        // What a row of the same batch holds is known when it is stored.
        if lookup.take.is_none() {
            let reference = Reference::new(lookup.kind.name.clone(), *id);
            return Ok(Answer::Value(Some(Value::Reference(reference))));
        }
        match (
            taken(read, lookup, *id)?,
            here.is_some_and(|here| here.contains(id)),
        ) {
            (None, true) if self.dry_run => Ok(Answer::WouldBe),
            (None, true) if around.may_wait => Ok(Answer::Waits),
            (value, _) => Ok(Answer::Value(value)),
        }
    }

    /// True when the other row of this file that holds a text has not been met yet.
    fn is_to_come(&self, row: u64, own_line: u64) -> bool {
        let met = self.met.get(&row);
        !met.is_some_and(|rows| rows.iter().any(|(line, _)| *line != own_line))
    }
}

/// The most records that need to be known of a text: itself and two others.
const ENOUGH: usize = 3;

/// Adds one that is not there yet, unless there are enough.
fn add(all: &mut Vec<RecordId>, one: RecordId) {
    if all.len() < ENOUGH && !all.contains(&one) {
        all.push(one);
    }
}

/// Adds a row; one that waited and comes again has another id.
fn meet(rows: &mut Vec<(u64, RecordId)>, line: u64, id: RecordId) {
    if let Some(row) = rows.iter_mut().find(|(known, _)| *known == line) {
        row.1 = id;
    } else if rows.len() < ENOUGH {
        rows.push((line, id));
    }
}

fn named(lookup: &Lookup, text: &str) -> String {
    format!("{} has {} {text:?}", lookup.kind.name, lookup.by.name)
}

fn several(lookup: &Lookup, text: &str) -> String {
    let named = named(lookup, text);
    format!("more than one {named}; look up by a unique field")
}

fn rejected(lookup: &Lookup, text: &str, line: u64) -> String {
    let by = &lookup.by.name;
    format!("the row with {by} {text:?}, in line {line}, is not taken; mend that one first")
}

fn given_up(lookup: &Lookup, text: &str) -> String {
    let named = named(lookup, text);
    format!(
        "no {named} after {} passes over the rows that wait for others (limit {}); import the file again",
        IMPORT_PASSES.value, IMPORT_PASSES.name
    )
}

fn nowhere(lookup: &Lookup, text: &str, is_itself: bool) -> String {
    let named = named(lookup, text);
    if is_itself {
        format!("no other {named}; a record does not refer to itself")
    } else {
        format!("no {named}, neither stored nor among the rows of this file")
    }
}
