//! An opportunity as the rules see it: its fields, and the records that point to it, with what the
//! commit under way does to them.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use kjerne_sdk::{Change, Date, Fields, Operation, RecordRef, Value, records};

use crate::bound;
use crate::criterion::{Deal, Selection};

/// The most related records that are looked at.
const MOST_RELATED: u32 = 200;

/// A record as it is or would be.
pub struct Held<'a> {
    fields: &'a Fields,
    today: Date,
    around: Option<&'a Around<'a>>,
}

/// What points to one opportunity.
pub struct Around<'a> {
    target: RecordRef,
    stored: bool,
    changes: &'a [Change],
    known: RefCell<BTreeMap<(String, String), Vec<Fields>>>,
}

impl<'a> Around<'a> {
    /// The surroundings of an opportunity; `stored` says whether it was there before the commit.
    pub fn new(target: RecordRef, stored: bool, changes: &'a [Change]) -> Self {
        Self {
            target,
            stored,
            changes,
            known: RefCell::default(),
        }
    }

    fn count(&self, selection: &Selection) -> Result<usize, String> {
        let key = (selection.kind.clone(), selection.by.clone());
        let mut known = self.known.borrow_mut();
        if !known.contains_key(&key) {
            let related = self.related(&selection.kind, &selection.by)?;
            known.insert(key.clone(), related);
        }
        let related = known.get(&key).map(Vec::as_slice).unwrap_or_default();
        Ok(related
            .iter()
            .filter(|fields| meets(fields, selection))
            .count())
    }

    /// The records of a kind that point here once the commit is stored.
    fn related(&self, kind: &str, by: &str) -> Result<Vec<Fields>, String> {
        let mut found = BTreeMap::new();
        if self.stored {
            let stored = records::related(&self.target, kind, by, MOST_RELATED);
            let stored = stored.map_err(|failure| failure.message)?;
            found.extend(stored.into_iter().map(|record| (record.id, record.fields)));
        }
        for change in self.changes.iter().filter(|change| change.kind == kind) {
            let points_here = change.after.reference(by) == Some(&self.target);
            if points_here && change.operation != Operation::Delete {
                found.insert(change.id.clone(), change.after.clone());
            } else {
                found.remove(&change.id);
            }
        }
        Ok(found.into_values().collect())
    }
}

fn meets(fields: &Fields, selection: &Selection) -> bool {
    let meets = |(name, wanted): &(String, Vec<String>)| {
        let value = fields.get(name);
        value.is_some_and(|value| wanted.iter().any(|one| value.is_written(one)))
    };
    selection.fields.iter().all(meets)
}

impl<'a> Held<'a> {
    /// A record with what points to it.
    pub fn new(fields: &'a Fields, today: Date, around: &'a Around<'a>) -> Self {
        Self {
            fields,
            today,
            around: Some(around),
        }
    }

    /// A record of which only the fields matter.
    pub fn alone(fields: &'a Fields, today: Date) -> Self {
        Self {
            fields,
            today,
            around: None,
        }
    }
}

impl Deal for Held<'_> {
    fn text(&self, field: &str) -> Option<String> {
        self.fields.get(field).map(written)
    }

    fn is(&self, field: &str, text: &str) -> bool {
        self.fields
            .get(field)
            .is_some_and(|value| value.is_written(text))
    }

    fn compare(&self, field: &str, bound: &str) -> Option<Ordering> {
        bound::compare(self.fields.get(field)?, bound, self.today)
    }

    fn count(&self, selection: &Selection) -> Result<usize, String> {
        match self.around {
            Some(around) => around.count(selection),
            None => Ok(0),
        }
    }
}

/// A value as a person would type it.
fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Money(money) => money.to_string(),
        Value::Date(days) => Date::from_days(*days).to_string(),
        Value::Instant(millis) => kjerne_sdk::Instant::from_millis(*millis).to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Choices(choices) => choices.join(";"),
        Value::Reference(target) => target.to_string(),
        Value::Other(_) => "something".to_owned(),
    }
}
