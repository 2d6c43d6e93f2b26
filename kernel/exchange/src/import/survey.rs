//! What a whole file holds, gathered before its rows are taken, for the two questions that cannot be
//! answered on the way: whether a text looked up is in several rows, and which row of a key is last.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use kjerne_model::{Code, Refusal};

use super::convert::{Draft, Taken, convert, schema_faults};
use super::lookup::same;
use super::mapping::RepeatedKeys;
use super::plan::{Key, Plan};
use super::rows::Row;

/// What a file holds; empty when nobody needs to know. A few words of memory a row.
#[derive(Default)]
pub struct Survey {
    /// How many rows hold a text that rows are looked up by; two stands for more.
    rows: HashMap<u64, u8>,
    /// The line of the last row of a key.
    last: HashMap<u64, u64>,
}

impl Survey {
    /// Reads all rows.
    pub fn of(
        plan: &Plan,
        read: &mut dyn FnMut(&mut Row) -> std::io::Result<bool>,
    ) -> std::io::Result<Self> {
        let (mut survey, mut row) = (Self::default(), Row::default());
        let own: Vec<_> = plan.own_lookups().into_values().collect();
        let last_counts = plan.repeated_keys == RepeatedKeys::Last;
        let mut of_keys: HashMap<u64, Vec<u64>> = HashMap::new();
        while read(&mut row)? {
            let Taken::Draft(draft) = convert(plan, &row) else {
                continue;
            };
            if !is_sound(plan, &draft) {
                continue;
            }
            let texts = own.iter().filter(|by| !by.unique).filter_map(|by| {
                let value = draft.patch.get(&by.name)?.as_ref()?;
                Some(mark("row", &by.name, &same(by, &value.to_string())))
            });
            // A row that is left out or rejected for its key is none to be found.
            match key_mark(plan, &draft) {
                None => survey.count(texts),
                Some(key) => match survey.last.insert(key, row.line) {
                    _ if last_counts && !own.is_empty() => {
                        of_keys.insert(key, texts.collect());
                    }
                    None => survey.count(texts),
                    Some(_) => {}
                },
            }
        }
        of_keys.into_values().for_each(|texts| survey.count(texts));
        if !last_counts {
            survey.last = HashMap::new();
        }
        Ok(survey)
    }

    fn count(&mut self, texts: impl IntoIterator<Item = u64>) {
        for text in texts {
            let count = self.rows.entry(text).or_default();
            *count = count.saturating_add(1).min(2);
        }
    }

    /// How many rows hold the text of this mark; two stands for more.
    pub fn rows(&self, mark: u64) -> u8 {
        self.rows.get(&mark).copied().unwrap_or(0)
    }

    /// True when a later row has this key.
    pub fn is_overtaken(&self, key: u64, line: u64) -> bool {
        self.last.get(&key).is_some_and(|last| *last > line)
    }
}

/// True for a row that is not rejected for what its own cells hold.
pub fn is_sound(plan: &Plan, draft: &Draft) -> bool {
    let refusals = schema_faults(plan, draft);
    let missing = |refusal: &Refusal| refusal.code == Code::Required;
    draft.faults.is_empty() && refusals.iter().all(missing)
}

/// The mark of a draft's key.
pub fn key_mark(plan: &Plan, draft: &Draft) -> Option<u64> {
    let key = draft.key.as_deref()?;
    match &plan.key {
        Some(Key::Field(name)) => {
            let field = plan.kind.field(name)?;
            Some(mark("key", name, &same(field, key)))
        }
        _ => Some(mark("key", "id", &key.to_lowercase())),
    }
}

/// Eight bytes for a text, so that a million rows can be told apart in a few megabytes.
pub fn mark(what: &str, field: &str, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (what, field, text).hash(&mut hasher);
    hasher.finish()
}
