//! Finds records by what their fields hold, and remembers a bounded number of answers.

use std::collections::HashMap;
use std::ops::ControlFlow;

use kjerne_model::{Field, Record, RecordId, Reference, Value, parse_value};
use kjerne_store::{Read, index, records};
use kjerne_workspace::error::Result;

use super::plan::{Key, Lookup, Plan};

/// What a lookup came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// The value for the field; none when the record found holds nothing there.
    Value(Option<Value>),
    /// No record holds the text.
    Nothing,
    /// Several records do.
    Several,
}

/// Lookups that were answered. Only what was found is kept: what is missing may come.
#[derive(Default)]
pub struct Lookups {
    recent: HashMap<(usize, String), Option<Value>>,
    older: HashMap<(usize, String), Option<Value>>,
}

/// The answers kept before the older half is let go: a few megabytes, and more than the accounts
/// most files refer to at a time.
const HALF: usize = 16 * 1024;

impl Lookups {
    /// Looks up the text of one of the plan's fields.
    pub fn find(
        &mut self,
        read: &dyn Read,
        field: usize,
        lookup: &Lookup,
        text: &str,
    ) -> Result<Found> {
        let key = (field, text.to_owned());
        let known = self
            .recent
            .get(&key)
            .cloned()
            .or_else(|| self.older.remove(&key));
        let found = match known {
            Some(value) => Found::Value(value),
            None => search(read, lookup, text)?,
        };
        if let Found::Value(value) = &found {
            self.keep(key, value.clone());
        }
        Ok(found)
    }

    fn keep(&mut self, key: (usize, String), value: Option<Value>) {
        if self.recent.len() >= HALF {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, value);
    }
}

fn search(read: &dyn Read, lookup: &Lookup, text: &str) -> Result<Found> {
    match ids(read, lookup, text, 2)?.as_slice() {
        [] => Ok(Found::Nothing),
        [id] => Ok(Found::Value(taken(read, lookup, *id)?)),
        _ => Ok(Found::Several),
    }
}

/// The first records that hold the text in the field looked up by, so many at the most.
pub fn ids(read: &dyn Read, lookup: &Lookup, text: &str, most: usize) -> Result<Vec<RecordId>> {
    let Ok(value) = parse_value(&lookup.by.field_type, text) else {
        return Ok(Vec::new());
    };
    if lookup.by.unique {
        let holder = index::holder(read, &lookup.kind.name, &lookup.by, &value)?;
        return Ok(holder.into_iter().collect());
    }
    holders(read, lookup, &value, most)
}

/// What a record found gives to the field: itself, or what it holds.
pub fn taken(read: &dyn Read, lookup: &Lookup, id: RecordId) -> Result<Option<Value>> {
    let kind = &lookup.kind.name;
    match &lookup.take {
        None => Ok(Some(Value::Reference(Reference::new(kind.clone(), id)))),
        Some(take) => {
            let record = records::get(read, kind, id)?;
            Ok(record.and_then(|record| record.get(take).cloned()))
        }
    }
}

/// A field's text as it is compared: two texts that are the same here lead to the same records, in
/// the file as in the store.
pub fn same(by: &Field, text: &str) -> String {
    match parse_value(&by.field_type, text) {
        Ok(value) => by.form(&value).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// The first records, so many at the most, that hold the value in an indexed field.
fn holders(read: &dyn Read, lookup: &Lookup, value: &Value, most: usize) -> Result<Vec<RecordId>> {
    let (kind, by) = (&lookup.kind.name, &lookup.by.name);
    let value = &*lookup.by.form(value);
    let exact = index::is_exact(value);
    let (mut ids, mut failed) = (Vec::new(), None);
    index::ids(read, kind, by, value, None, &mut |id| {
        let holds = exact
            || match records::get(read, kind, id) {
                Ok(record) => record.is_some_and(|record| {
                    let held = record.get(by);
                    held.is_some_and(|held| *lookup.by.form(held) == *value)
                }),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            };
        if holds {
            ids.push(id);
        }
        if ids.len() < most {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(ids),
    }
}

/// The record a row's key leads to.
pub fn existing(read: &dyn Read, plan: &Plan, key: &str) -> Result<Option<Record>> {
    let id = match &plan.key {
        None => None,
        Some(Key::Id) => RecordId::parse(key).ok(),
        Some(Key::Field(name)) => {
            let field = plan.kind.field(name);
            let mut fields = plan.fields.iter();
            let lookup = fields.find_map(|one| match &one.field {
                Some(own) if own.name == *name => one.lookup.as_ref(),
                _ => None,
            });
            let value = match (field, lookup) {
                (Some(_), Some(lookup)) => match search(read, lookup, key)? {
                    Found::Value(value) => value,
                    Found::Nothing | Found::Several => None,
                },
                (Some(field), None) => parse_value(&field.field_type, key).ok(),
                (None, _) => None,
            };
            match field.zip(value) {
                Some((field, value)) => index::holder(read, &plan.kind.name, field, &value)?,
                None => None,
            }
        }
    };
    match id {
        Some(id) => Ok(records::get(read, &plan.kind.name, id)?),
        None => Ok(None),
    }
}
