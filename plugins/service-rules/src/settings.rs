//! The settings in the form the rules work with.

use std::collections::BTreeMap;

use crate::calendar::Calendar;
use crate::condition::Condition;
use crate::person::Person;
use crate::steps::Step;
use crate::target::TargetRow;

/// What a reopened case's clock does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReopenTargets {
    /// It begins anew when the case is reopened.
    Restart,
    /// It goes on; the time the case was resolved counts as a pause.
    Continue,
}

/// A row of the triage table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TriageRow {
    /// The rule's name.
    pub rule: String,
    /// What must fit.
    pub when: Condition,
    /// What must not.
    pub unless: Condition,
    /// What it says.
    pub verdict: Verdict,
}

/// What triage decides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// How urgent.
    pub priority: Option<String>,
    /// Where it goes.
    pub queue: Option<String>,
    /// Whose it is.
    pub owner: Option<Person>,
}

/// All of it, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The priorities a case may have; empty: any.
    pub priorities: Vec<String>,
    /// The queues a case may be in; empty: any.
    pub queues: Vec<String>,
    /// Fields a resolved case must have.
    pub required_to_resolve: Vec<String>,
    /// Whether resolving a case nobody had answered counts as the answer.
    pub resolution_is_response: bool,
    /// Who brings in history: the rules for moves do not hold for them.
    pub import_actors: Vec<String>,
    /// Whether cases that are brought in late are escalated for what had passed before.
    pub escalate_imported: bool,
    /// For how many days a case can be reopened.
    pub reopen_days: i64,
    /// What reopening does to the targets.
    pub reopen_targets: ReopenTargets,
    /// Status → where a case may go from there.
    pub moves: BTreeMap<String, Vec<String>>,
    /// The triage table, in order.
    pub triage: Vec<TriageRow>,
    /// What holds where no row says anything.
    pub triage_default: Verdict,
    /// The target table, in order.
    pub targets: Vec<TargetRow>,
    /// The escalation ladder, lowest level first.
    pub steps: Vec<Step>,
    /// The calendars by name.
    pub calendars: BTreeMap<String, Calendar>,
}

impl Settings {
    /// Whether the triage table looks at facts that begin like this.
    pub fn triage_asks(&self, prefix: &str) -> bool {
        let rows = self
            .triage
            .iter()
            .any(|row| row.when.asks(prefix) || row.unless.asks(prefix));
        rows || self.clock_asks(prefix)
    }

    /// Whether targets and escalation look at facts that begin like this.
    pub fn clock_asks(&self, prefix: &str) -> bool {
        let targets = self.targets.iter().any(|row| row.when.asks(prefix));
        targets || self.steps.iter().any(|step| step.only.asks(prefix))
    }

    /// Whether this actor brings in history.
    pub fn imports(&self, actor: &str) -> bool {
        self.import_actors.iter().any(|name| name == actor)
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
