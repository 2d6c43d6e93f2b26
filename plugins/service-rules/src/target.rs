//! What is promised for which cases.

use crate::condition::{Condition, Facts};

/// A row of the target table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetRow {
    /// For which cases.
    pub when: Condition,
    /// The calendar the minutes are counted in.
    pub calendar: String,
    /// Business minutes until the first response.
    pub first_response: Option<i64>,
    /// Business minutes until the resolution.
    pub resolution: Option<i64>,
}

impl TargetRow {
    /// Whether it is meant for such a case.
    pub fn fits(&self, facts: &Facts) -> bool {
        self.when.fits(facts)
    }
}
