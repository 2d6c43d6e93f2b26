//! What a plugin's calls may use, as its manifest asks and the administrator sets: less or more than usual, and
//! never more than the host has.
//!
//! A manifest that asks for less is given less. One that asks for more is given the usual until the administrator
//! sets a number, which decides, up to the host's own bound. What grows with the input (fuel, time,
//! memory, calls to the host of a shape or guard) grows on top of the number. The numbers are part of how a plugin
//! is set, so that the same commit with the same plugins has the same budget on every machine.

use kjerne_core::Role;
use kjerne_core::limits::Limit;
pub use kjerne_package::knobs::{Knob, Numbers, named, read_name};

use crate::limits::{
    self, ASK_FUEL_COMMIT, ASK_FUEL_LATER, ASK_HOST_CALLS_COMMIT, ASK_HOST_CALLS_LATER,
    ASK_ROWS_COMMIT, ASK_ROWS_LATER, ASK_WALL_COMMIT, ASK_WALL_LATER, Budget,
};

/// A knob in a role: the usual number, and the most that can be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// Without anybody's word.
    pub usual: u64,
    /// The host's own bound.
    pub most: u64,
}

/// The range of a knob in a role; none where nothing can be set. What a plugin is prepared with may
/// never depend on it.
#[must_use]
pub fn range(role: Role, knob: Knob) -> Option<Range> {
    if role == Role::Prepare {
        return None;
    }
    let usual = Budget::of(role, 0, 0);
    let of_commit = matches!(role, Role::Shape | Role::Guard);
    let by_role = |commit: Limit, later: Limit| match of_commit {
        true => commit.value,
        false => later.value,
    };
    let (usual, most) = match knob {
        Knob::Fuel => (usual.fuel, by_role(ASK_FUEL_COMMIT, ASK_FUEL_LATER)),
        Knob::WallTime => (usual.wall_ms, by_role(ASK_WALL_COMMIT, ASK_WALL_LATER)),
        Knob::Memory => (usual.memory, limits::MEMORY_LATER.value),
        Knob::HostCalls => (
            usual.host_calls,
            by_role(ASK_HOST_CALLS_COMMIT, ASK_HOST_CALLS_LATER),
        ),
        Knob::Rows => (usual.rows, by_role(ASK_ROWS_COMMIT, ASK_ROWS_LATER)),
        Knob::Read => (usual.read, limits::READ.value),
        Knob::Output => (usual.output, limits::OUTPUT.value),
        // As many as its share of the slots, which the host knows.
        Knob::Places => (u64::MAX, u64::MAX),
    };
    Some(Range { usual, most })
}

/// Why a number cannot be set, if so.
///
/// # Errors
/// When nothing can be set there, or the number is 0 or more than the host has.
pub fn check(role: Role, knob: Knob, number: u64) -> Result<(), String> {
    let name = named(role, knob);
    let Some(range) = range(role, knob) else {
        return Err(format!(
            "{name} cannot be set: what is prepared is kept for every host alike"
        ));
    };
    if number == 0 {
        return Err(format!(
            "{name}: 0 allows nothing; switch the plugin off instead: kjerne plugin disable"
        ));
    }
    if number > range.most {
        let (most, unit) = (range.most, knob.unit());
        return Err(format!(
            "{name}: {number} {unit} is more than the host's own bound of {most}"
        ));
    }
    Ok(())
}

/// What holds for a plugin.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Knobs {
    numbers: Numbers,
}

impl Knobs {
    /// What a manifest asks for and an administrator set come to.
    #[must_use]
    pub fn of(asked: &Numbers, set: &Numbers) -> Self {
        let mut numbers = Numbers::new();
        for (role, knob) in asked.keys().chain(set.keys()) {
            let key = (*role, *knob);
            let Some(range) = range(*role, *knob) else {
                continue;
            };
            let number = match (set.get(&key), asked.get(&key)) {
                (Some(set), _) => (*set).min(range.most),
                (None, Some(asked)) => (*asked).min(range.usual),
                (None, None) => continue,
            };
            numbers.insert(key, number);
        }
        Self { numbers }
    }

    /// The number that holds, where it is not the usual one.
    #[must_use]
    pub fn get(&self, role: Role, knob: Knob) -> Option<u64> {
        self.numbers.get(&(role, knob)).copied()
    }

    /// A budget with the numbers that hold in place of the usual ones.
    #[must_use]
    pub fn within(&self, role: Role, budget: Budget) -> Budget {
        if self.numbers.is_empty() {
            return budget;
        }
        let base = Budget::of(role, 0, 0);
        let grown = |knob: Knob, usual: u64, now: u64| match self.get(role, knob) {
            Some(number) => number.saturating_add(now.saturating_sub(usual)),
            None => now,
        };
        let memory = grown(Knob::Memory, base.memory, budget.memory);
        Budget {
            fuel: grown(Knob::Fuel, base.fuel, budget.fuel),
            wall_ms: grown(Knob::WallTime, base.wall_ms, budget.wall_ms),
            memory: memory.min(limits::MEMORY_LATER.value),
            host_calls: grown(Knob::HostCalls, base.host_calls, budget.host_calls),
            rows: grown(Knob::Rows, base.rows, budget.rows),
            read: grown(Knob::Read, base.read, budget.read),
            output: grown(Knob::Output, base.output, budget.output),
            ..budget
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(role: Role, knob: Knob, number: u64) -> Numbers {
        Numbers::from([((role, knob), number)])
    }

    /// For each knob of each role: asked for less, more, set, set beyond the bound.
    #[test]
    fn a_manifest_asks_an_administrator_sets_and_the_host_has_the_last_word() {
        for role in Role::ALL {
            for knob in Knob::ALL {
                let none = Numbers::new();
                let holds = |asked: &Numbers, set: &Numbers| Knobs::of(asked, set).get(role, knob);
                let Some(Range { usual, most }) = range(role, knob) else {
                    assert_eq!(holds(&one(role, knob, 1), &one(role, knob, 2)), None);
                    assert!(check(role, knob, 1).is_err());
                    continue;
                };
                let name = named(role, knob);
                assert!(usual <= most, "{name}");
                let ask = |number| one(role, knob, number);
                assert_eq!(holds(&ask(1), &none), Some(1), "{name}: less");
                assert_eq!(holds(&ask(u64::MAX), &none), Some(usual), "{name}: more");
                assert_eq!(holds(&ask(7), &ask(9)), Some(9), "{name}: set");
                assert_eq!(holds(&none, &ask(u64::MAX)), Some(most), "{name}: beyond");
                assert!(check(role, knob, most).is_ok() && check(role, knob, 0).is_err());
                assert!(knob == Knob::Places || check(role, knob, most + 1).is_err());
            }
        }
    }

    /// No number is without effect on a budget, and each touches that of its role alone.
    #[test]
    fn every_number_changes_its_budget_and_no_other() {
        let budgets =
            |knobs: &Knobs| Role::ALL.map(|role| knobs.within(role, Budget::of(role, 3, 20)));
        let usual = budgets(&Knobs::default());
        for (at, role) in Role::ALL.into_iter().enumerate() {
            for knob in Knob::ALL.into_iter().filter(|knob| *knob != Knob::Places) {
                let Some(range) = range(role, knob) else {
                    continue;
                };
                let lower = range.usual - 1;
                let now = budgets(&Knobs::of(&Numbers::new(), &one(role, knob, lower)));
                let differ = |one: usize| now[one] != usual[one];
                let changed: Vec<usize> = (0..now.len()).filter(|one| differ(*one)).collect();
                assert_eq!(changed, [at], "{}", named(role, knob));
            }
        }
    }
}
