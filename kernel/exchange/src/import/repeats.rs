//! Rows of one file that have one key.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::convert::Draft;
use super::mapping::RepeatedKeys;
use super::plan::Plan;
use super::survey::{Survey, key_mark};

/// What is to be done with a row, for its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// Take it.
    Taken,
    /// Leave it out, as the mapping says.
    LeftOut,
    /// Reject it, for this reason.
    Rejected(&'static str),
}

/// The keys seen so far, 8 bytes a row.
#[derive(Default)]
pub struct Repeats {
    seen: HashSet<u64>,
    /// What the first row of each key says, where that matters.
    says: HashMap<u64, u64>,
}

impl Repeats {
    /// Judges the next row.
    pub fn judge(&mut self, plan: &Plan, survey: &Survey, draft: &Draft) -> Repeat {
        let Some(key) = key_mark(plan, draft) else {
            return Repeat::Taken;
        };
        match plan.repeated_keys {
            RepeatedKeys::Last if survey.is_overtaken(key, draft.row.line) => Repeat::LeftOut,
            RepeatedKeys::Last => Repeat::Taken,
            RepeatedKeys::First | RepeatedKeys::Reject if self.seen.insert(key) => Repeat::Taken,
            RepeatedKeys::First => Repeat::LeftOut,
            RepeatedKeys::Reject => Repeat::Rejected(
                "an earlier row of this file has the same key; keep one of them, or say \
                 repeated_keys in the mapping",
            ),
            RepeatedKeys::Same => {
                let says = content(draft);
                match *self.says.entry(key).or_insert(says) {
                    _ if self.seen.insert(key) => Repeat::Taken,
                    earlier if earlier == says => Repeat::LeftOut,
                    _ => Repeat::Rejected(
                        "an earlier row of this file has the same key and says something else; \
                         keep one of them",
                    ),
                }
            }
        }
    }
}

/// Eight bytes for what a row says.
fn content(draft: &Draft) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&draft.patch, &draft.parts, &draft.pending).hash(&mut hasher);
    hasher.finish()
}
