//! Triage: the first row of the table that fits decides.

use crate::condition::Facts;
use crate::settings::{Settings, Verdict};

/// What the table makes of these facts: the rule's name (empty when none fits) and its verdict, with
/// the default row's word where the rule says nothing.
pub fn triage(settings: &Settings, facts: &Facts) -> (String, Verdict) {
    let row = settings
        .triage
        .iter()
        .find(|row| row.when.fits(facts) && !row.unless.fits_partly(facts));
    let default = &settings.triage_default;
    match row {
        None => (String::new(), default.clone()),
        Some(row) => {
            let Verdict {
                priority,
                queue,
                owner,
            } = row.verdict.clone();
            let verdict = Verdict {
                priority: priority.or_else(|| default.priority.clone()),
                queue: queue.or_else(|| default.queue.clone()),
                owner: owner.or_else(|| default.owner.clone()),
            };
            (row.rule.clone(), verdict)
        }
    }
}
